//! OCSF's objects, as far as they are used here.

use crate::audit::Reason;
use policy_core::policy::{Configuration, Scope};
use policy_core::report::OutcomeKind;
use serde::Serialize;

#[derive(Serialize)]
pub(in crate::audit) struct Event<'a> {
    pub(in crate::audit) activity_id: u8,
    pub(in crate::audit) activity_name: &'static str,
    pub(in crate::audit) category_uid: u8,
    pub(in crate::audit) category_name: &'static str,
    pub(in crate::audit) class_uid: u16,
    pub(in crate::audit) class_name: &'static str,
    pub(in crate::audit) type_uid: u32,
    pub(in crate::audit) time: i128,
    pub(in crate::audit) severity_id: u8,
    pub(in crate::audit) severity: &'static str,
    pub(in crate::audit) status_id: u8,
    pub(in crate::audit) status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::audit) status_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::audit) status_detail: Option<String>,
    pub(in crate::audit) message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::audit) duration: Option<u64>,
    pub(in crate::audit) metadata: Metadata<'a>,
    pub(in crate::audit) actor: Actor<'a>,
    pub(in crate::audit) api: Api,
    pub(in crate::audit) src_endpoint: Endpoint,
    pub(in crate::audit) cloud: Cloud<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::audit) trace: Option<Uid>,
    pub(in crate::audit) unmapped: Unmapped<'a>,
    /// Last, because it is the longest: CloudWatch Logs Insights finds the first 200 fields of a line,
    /// and each extension is one (AWS's page "Supported logs and discovered fields").
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(in crate::audit) resources: Vec<Resource<'a>>,
}

#[derive(Serialize)]
pub(in crate::audit) struct Metadata<'a> {
    pub(in crate::audit) version: &'static str,
    pub(in crate::audit) profiles: &'static [&'static str],
    pub(in crate::audit) uid: String,
    pub(in crate::audit) correlation_uid: &'a str,
    pub(in crate::audit) event_code: &'static str,
    pub(in crate::audit) product: Product,
}

#[derive(Serialize)]
pub(in crate::audit) struct Product {
    pub(in crate::audit) name: &'static str,
    pub(in crate::audit) vendor_name: &'static str,
    pub(in crate::audit) version: &'static str,
}

#[derive(Serialize)]
pub(in crate::audit) struct Uid {
    pub(in crate::audit) uid: String,
}

#[derive(Serialize)]
pub(in crate::audit) struct Name<'a> {
    pub(in crate::audit) name: &'a str,
}

#[derive(Serialize)]
pub(in crate::audit) struct Actor<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::audit) user: Option<User>,
    pub(in crate::audit) invoked_by: String,
    pub(in crate::audit) idp: Name<'a>,
}

#[derive(Serialize)]
pub(in crate::audit) struct User {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::audit) uid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::audit) account: Option<Uid>,
}

#[derive(Serialize)]
pub(in crate::audit) struct Api {
    pub(in crate::audit) operation: &'static str,
    pub(in crate::audit) service: Name<'static>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::audit) request: Option<Uid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::audit) response: Option<Response>,
}

#[derive(Serialize)]
pub(in crate::audit) struct Response {
    pub(in crate::audit) error: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::audit) error_message: Option<String>,
}

#[derive(Serialize)]
pub(in crate::audit) struct Endpoint {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::audit) ip: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::audit) name: Option<String>,
    pub(in crate::audit) svc_name: String,
}

#[derive(Serialize)]
pub(in crate::audit) struct Resource<'a> {
    pub(in crate::audit) uid: String,
    #[serde(rename = "type")]
    pub(in crate::audit) kind: &'static str,
    pub(in crate::audit) name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::audit) region: Option<&'a str>,
    pub(in crate::audit) data: ResourceData<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::audit) struct ResourceData<'a> {
    pub(in crate::audit) attachment_scope: Scope,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::audit) last_modified_time: Option<i128>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::audit) before: Option<&'a Configuration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::audit) after: Option<std::borrow::Cow<'a, Configuration>>,
}

#[derive(Serialize)]
pub(in crate::audit) struct Cloud<'a> {
    pub(in crate::audit) provider: &'static str,
    pub(in crate::audit) region: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::audit) account: Option<Uid>,
}

/// Everything that OCSF has no attribute for.
#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
pub(in crate::audit) struct Unmapped<'a> {
    pub(in crate::audit) lambda_request_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::audit) trigger_request_id: Option<String>,
    pub(in crate::audit) trigger: &'static str,
    /// The account that an EventBridge envelope names. `actor.idp` says who vouches for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::audit) claimed_account: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::audit) outcome: Option<OutcomeKind>,
    /// The process that sent the update never said how it ended: it was found out by a read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::audit) settled: Option<bool>,
    /// The change that an undo or an apply is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::audit) of: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::audit) dry_run: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::audit) force: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::audit) reason: Option<String>,
    /// A claim of the request, never the verified identity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::audit) requested_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::audit) attempts: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::audit) throttled_calls: Option<u32>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(in crate::audit) reasons: Vec<Reason>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::audit) more_reasons: Option<usize>,
}
