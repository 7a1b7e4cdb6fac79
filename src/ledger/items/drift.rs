//! A drift that is to be announced: an item of its own, because the target's item forgets a drift when it ends.

use super::super::LedgerError;
use super::super::item::{Draft, Fields, Item, flag, text};
use super::super::keys::{self, Key};
use super::values::{configuration_map, some_change, some_configuration, time};
use aws_sdk_dynamodb::types::AttributeValue;
use policy_core::record::{Cause, Drift, Millis, TargetName};

pub(in super::super) fn encode(drift: &Drift, due: Millis, expires: AttributeValue) -> Item {
    Draft::of(Key::drift(&drift.target, &drift.id))
        .with("kind", text("drift"))
        .with("target", text(&drift.target))
        .with("token", text(&drift.id))
        .with("governed", flag(drift.governed))
        .with("expected", configuration_map(&drift.expected))
        .with("observed", configuration_map(&drift.observed))
        .with("found", time(drift.found))
        .with_some("change", drift.change.as_ref().map(text))
        .with_some("cause", drift.cause.as_ref().map(cause))
        .with_flag("told", drift.told)
        .with("owed", text(keys::owed_drift(&drift.target)))
        .with("due", time(due))
        .with(super::TTL, expires)
        .done()
}

fn cause(cause: &Cause) -> AttributeValue {
    Draft::default()
        .with("event", text(&cause.event_id))
        .with_some("at", cause.at.as_ref().map(text))
        .with_some("type", cause.kind.as_ref().map(text))
        .with_some("principal", cause.principal.as_ref().map(text))
        .with_some("account", cause.account.as_ref().map(text))
        .with_some("ip", cause.source_ip.as_ref().map(text))
        .into_map()
}

fn cause_of(fields: &Fields<'_>) -> Result<Cause, LedgerError> {
    Ok(Cause {
        event_id: fields.text("event")?.to_owned(),
        at: fields.owned("at")?,
        kind: fields.owned("type")?,
        principal: fields.owned("principal")?,
        account: fields.owned("account")?,
        source_ip: fields.owned("ip")?,
    })
}

pub(in super::super) fn decode(item: &Item) -> Result<Drift, LedgerError> {
    let fields = Fields::of(item);
    Ok(Drift {
        id: fields.text("token")?.to_owned(),
        target: fields.parsed("target", TargetName::parse)?,
        governed: fields.flag("governed")?,
        expected: some_configuration(&fields, "expected")?.unwrap_or_default(),
        observed: some_configuration(&fields, "observed")?.unwrap_or_default(),
        found: Millis(fields.number("found")?),
        change: some_change(&fields, "change")?,
        told: fields.flag("told")?,
        cause: fields.some_map("cause")?.map(|map| cause_of(&map)).transpose()?,
    })
}
