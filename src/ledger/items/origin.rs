//! Who asked, and from where.

use super::super::LedgerError;
use super::super::item::{Draft, Fields, text};
use aws_sdk_dynamodb::types::AttributeValue;
use policy_core::origin::{IdentitySource, TriggerKind};
use policy_core::record::{RecordedOrigin, Who};

/// The attribute of the verified identity.
pub(in super::super) const WHO: &str = "who";
const ORIGIN: &str = "origin";

pub(in super::super) fn who(who: &Who) -> AttributeValue {
    Draft::default()
        .with("by", text(who.vouched_by.name()))
        .with_some("principal", who.principal.as_ref().map(text))
        .with_some("account", who.account.as_ref().map(text))
        .into_map()
}

pub(in super::super) fn who_of(fields: &Fields<'_>) -> Result<Who, LedgerError> {
    let named = |name: &str| IdentitySource::ALL.iter().copied().find(|source| source.name() == name);
    Ok(Who {
        principal: fields.owned("principal")?,
        account: fields.owned("account")?,
        vouched_by: fields.parsed("by", named)?,
    })
}

/// The identity is an attribute of its own: results have it, too.
pub(in super::super) fn with_origin(draft: Draft, origin: &RecordedOrigin) -> Draft {
    let map = Draft::default()
        .with("trigger", text(origin.trigger.name()))
        .with("service", text(&origin.service))
        .with_some("claimed", origin.claimed_account.as_ref().map(text))
        .with_some("ip", origin.source_ip.as_ref().map(text))
        .with_some("request", origin.request_id.as_ref().map(text));
    draft.with(ORIGIN, map.into_map()).with(WHO, who(&origin.who))
}

pub(in super::super) fn origin_of(fields: &Fields<'_>) -> Result<RecordedOrigin, LedgerError> {
    let origin = fields.map(ORIGIN)?;
    let named = |name: &str| TriggerKind::ALL.iter().copied().find(|kind| kind.name() == name);
    Ok(RecordedOrigin {
        trigger: origin.parsed("trigger", named)?,
        who: who_of(&fields.map(WHO)?)?,
        claimed_account: origin.owned("claimed")?,
        source_ip: origin.owned("ip")?,
        service: origin.text("service")?.to_owned(),
        request_id: origin.owned("request")?,
    })
}
