//! The event about a drift: the same content each time that it is put together.

use super::{Cause, Drift, Millis};
use crate::policy::{ChangeId, Configuration, Scope};
use serde::Serialize;

/// The `detail-type` of a drift.
pub const DRIFT_DETECTED: &str = "Attachment Policy Drift Detected";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Detail<'a> {
    drift_id: &'a str,
    instance_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    instance_arn: Option<String>,
    attachment_scope: Scope,
    governed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected: Option<&'a Configuration>,
    observed: &'a Configuration,
    detected_at: Millis,
    #[serde(skip_serializing_if = "Option::is_none")]
    change_id: Option<&'a ChangeId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<CauseDocument<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CauseDocument<'a> {
    event_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<&'a str>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    principal: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_ip: Option<&'a str>,
}

impl<'a> CauseDocument<'a> {
    fn of(cause: &'a Cause) -> Self {
        Self {
            event_id: &cause.event_id,
            at: cause.at.as_deref(),
            kind: cause.kind.as_deref(),
            principal: cause.principal.as_deref(),
            account: cause.account.as_deref(),
            source_ip: cause.source_ip.as_deref(),
        }
    }
}

impl Drift {
    /// The event's `detail`.
    ///
    /// # Errors
    /// Never for these types; kept so that no caller has to panic.
    pub fn encode(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(&Detail {
            drift_id: &self.id,
            instance_id: self.target.instance.as_str(),
            instance_arn: self.target.instance().arn(),
            attachment_scope: self.target.scope,
            governed: self.governed,
            expected: self.governed.then_some(&self.expected),
            observed: &self.observed,
            detected_at: self.found,
            change_id: self.change.as_ref(),
            cause: self.cause.as_ref().map(CauseDocument::of),
        })
    }
}
