//! What AWS `CloudTrail` says of a call to Amazon Connect, in an EventBridge event.
//!
//! "`CloudTrail` record contents" and "`CloudTrail` userIdentity element" (AWS `CloudTrail` User Guide) have the fields. Of
//! the call only the target counts: what it holds is read.

use crate::aws::{AccountId, RegionName};
use crate::policy::{Instance, InstanceName, Scope};
use crate::record::Cause;
use serde::Deserialize;
use serde_json::{Map, Value};

/// `detail-type` of such an event.
pub(super) const DETAIL_TYPE: &str = "AWS API Call via CloudTrail";
const EVENT_SOURCE: &str = "connect.amazonaws.com";
const OPERATION: &str = "UpdateAttachedFilesConfiguration";
/// CloudTrail's are UUIDs. The id becomes a key and a word of the audit.
const MAX_EVENT_ID: usize = 128;

/// A call that changed, or may have changed, a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The instance.
    pub instance: Instance,
    /// The scope.
    pub scope: Scope,
    /// Who called.
    pub cause: Cause,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    event_source: String,
    event_name: String,
    #[serde(rename = "eventID")]
    event_id: String,
    event_time: Option<String>,
    aws_region: String,
    recipient_account_id: Option<String>,
    #[serde(rename = "sourceIPAddress")]
    source_ip_address: Option<String>,
    request_parameters: Option<Map<String, Value>>,
    #[serde(default)]
    user_identity: Identity,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Identity {
    #[serde(rename = "type")]
    kind: Option<String>,
    arn: Option<String>,
    principal_id: Option<String>,
    user_name: Option<String>,
    account_id: Option<String>,
    invoked_by: Option<String>,
    on_behalf_of: Option<OnBehalfOf>,
}

/// Of a person whom IAM Identity Center knows.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OnBehalfOf {
    user_id: Option<String>,
}

/// The call that an event's `detail` is about.
///
/// # Errors
/// The call cannot have changed a target. The text is one line in lower case that says why.
pub(super) fn decode(detail: &str) -> Result<Call, String> {
    let shape = |error: serde_json::Error| {
        // no text of serde's, which would repeat values
        format!("is not a record of CloudTrail (line {}, column {})", error.line(), error.column())
    };
    let record: Record = serde_json::from_str(detail).map_err(shape)?;
    if (record.event_source.as_str(), record.event_name.as_str()) != (EVENT_SOURCE, OPERATION) {
        return Err(format!("is not about {OPERATION}"));
    }
    let is_of_an_id = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if !(1..=MAX_EVENT_ID).contains(&record.event_id.len()) || !record.event_id.bytes().all(is_of_an_id) {
        return Err("has no `eventID`".to_owned());
    }
    let parameters = record.request_parameters.unwrap_or_default();
    // the API's own spelling, or CloudTrail's usual one
    let parameter = |name: &str| {
        let found = parameters.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.and_then(|(_, value)| value.as_str())
    };
    let region = RegionName::parse(&record.aws_region).ok_or_else(|| "has no `awsRegion`".to_owned())?;
    let account = record.recipient_account_id.as_deref().and_then(AccountId::parse);
    let named = parameter("InstanceId").and_then(InstanceName::parse);
    let instance = match named.ok_or_else(|| "names no instance".to_owned())? {
        InstanceName::Arn(instance) => instance,
        InstanceName::Id(id) => {
            let account = account.ok_or_else(|| "has no `recipientAccountId`".to_owned())?;
            Instance { id, region, account: Some(account) }
        }
    };
    let scope = parameter("AttachmentScope")
        .and_then(|name| Scope::ALL.into_iter().find(|scope| scope.as_str().eq_ignore_ascii_case(name)));
    let identity = record.user_identity;
    let person = identity.on_behalf_of.and_then(|person| person.user_id);
    let named = identity.arn.or(person).or(identity.user_name).or(identity.invoked_by);
    let cause = Cause {
        event_id: record.event_id,
        at: record.event_time,
        kind: identity.kind,
        principal: named.or(identity.principal_id),
        account: identity.account_id,
        source_ip: record.source_ip_address,
    };
    Ok(Call { instance, scope: scope.ok_or_else(|| "names no scope".to_owned())?, cause })
}
