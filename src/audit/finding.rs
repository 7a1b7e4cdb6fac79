//! A drift as OCSF 1.8.0 class 2003, Compliance Finding: a resource is not as it was decided. docs/audit.md argues for
//! the class, and has the field table.

use super::VERSION;
use super::ocsf::{Stamp, millis};
use super::text::{FREE_TEXT, NAME, clean};
use policy_core::origin::Origin;
use policy_core::policy::{ChangeId, Configuration, Home, Scope};
use policy_core::record::{Drift, TargetName};
use serde::Serialize;
use std::net::IpAddr;

/// What is said of a drift.
#[derive(Debug, Clone, Copy)]
pub enum Finding<'a> {
    /// It was found.
    Found(&'a Drift),
    /// The target is again as it should be, or is gone.
    Ended(&'a TargetName),
}

#[derive(Serialize)]
struct Uid<'a> {
    uid: &'a str,
}

#[derive(Serialize)]
struct Product {
    name: &'static str,
    vendor_name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
struct Metadata<'a> {
    version: &'static str,
    profiles: &'static [&'static str],
    uid: String,
    correlation_uid: &'a str,
    event_code: &'static str,
    product: Product,
}

#[derive(Serialize)]
struct Compliance {
    control: &'static str,
    standards: [&'static str; 1],
    status_id: u8,
    status: &'static str,
}

#[derive(Serialize)]
struct FindingInfo<'a> {
    uid: &'a str,
    title: &'static str,
}

#[derive(Serialize)]
struct Cloud<'a> {
    provider: &'static str,
    region: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<Uid<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Data<'a> {
    attachment_scope: Scope,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected: Option<&'a Configuration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    observed: Option<&'a Configuration>,
}

#[derive(Serialize)]
struct Resource<'a> {
    uid: String,
    #[serde(rename = "type")]
    kind: &'static str,
    name: &'a str,
    region: &'a str,
    data: Data<'a>,
}

#[derive(Serialize)]
struct User {
    #[serde(skip_serializing_if = "Option::is_none")]
    uid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<Account>,
}

#[derive(Serialize)]
struct Account {
    uid: String,
}

#[derive(Serialize)]
struct Actor {
    user: User,
}

#[derive(Serialize)]
struct Endpoint {
    #[serde(skip_serializing_if = "Option::is_none")]
    ip: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    svc_name: Option<String>,
}

#[derive(Serialize)]
struct Evidence {
    #[serde(skip_serializing_if = "Option::is_none")]
    actor: Option<Actor>,
    #[serde(skip_serializing_if = "Option::is_none")]
    src_endpoint: Option<Endpoint>,
    data: EvidenceData,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EvidenceData {
    event_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<String>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Unmapped<'a> {
    lambda_request_id: &'a str,
    trigger: &'static str,
    governed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    change_id: Option<&'a str>,
}

#[derive(Serialize)]
pub(super) struct Event<'a> {
    activity_id: u8,
    activity_name: &'static str,
    category_uid: u8,
    category_name: &'static str,
    class_uid: u16,
    class_name: &'static str,
    type_uid: u32,
    time: i128,
    severity_id: u8,
    severity: &'static str,
    status_id: u8,
    status: &'static str,
    message: String,
    metadata: Metadata<'a>,
    compliance: Compliance,
    finding_info: FindingInfo<'a>,
    cloud: Cloud<'a>,
    unmapped: Unmapped<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    evidences: Vec<Evidence>,
    resources: [Resource<'a>; 1],
}

impl<'a> Event<'a> {
    pub(super) fn of(stamp: Stamp, origin: &'a Origin, home: &'a Home, finding: Finding<'a>) -> Self {
        let (target, drift) = match finding {
            Finding::Found(drift) => (&drift.target, Some(drift)),
            Finding::Ended(target) => (target, None),
        };
        let is_found = drift.is_some();
        let id = drift.map_or("", |drift| drift.id.as_str());
        let what = if is_found { "does not hold what it should" } else { "drifts no longer" };
        let id = if id.is_empty() { target.instance.as_str() } else { id };
        Self {
            activity_id: if is_found { 1 } else { 3 },
            activity_name: if is_found { "Create" } else { "Close" },
            category_uid: 2,
            category_name: "Findings",
            class_uid: 2003,
            class_name: "Compliance Finding",
            type_uid: if is_found { 200_301 } else { 200_303 },
            time: millis(stamp.now),
            severity_id: if is_found { 3 } else { 1 },
            severity: if is_found { "Medium" } else { "Informational" },
            status_id: if is_found { 1 } else { 4 },
            status: if is_found { "New" } else { "Resolved" },
            message: format!("{} of {} {what}", target.scope, target.instance),
            metadata: Metadata {
                version: "1.8.0",
                profiles: &["cloud"],
                uid: stamp.uid,
                correlation_uid: id,
                event_code: if is_found { "drift" } else { "drift-ended" },
                product: Product {
                    name: env!("CARGO_PKG_NAME"),
                    vendor_name: env!("CARGO_PKG_NAME"),
                    version: VERSION,
                },
            },
            compliance: Compliance {
                control: "attachment policy as it was decided",
                standards: ["connect-attachment-policy"],
                status_id: if is_found { 3 } else { 1 },
                status: if is_found { "Fail" } else { "Pass" },
            },
            finding_info: FindingInfo { uid: id, title: "Attachment policy drift" },
            cloud: Cloud {
                provider: "AWS",
                region: home.region.as_str(),
                account: home.account.as_ref().map(|account| Uid { uid: account.as_str() }),
            },
            unmapped: Unmapped {
                lambda_request_id: &origin.invocation.request_id,
                trigger: origin.kind.name(),
                governed: drift.is_none_or(|drift| drift.governed),
                change_id: drift.and_then(|drift| drift.change.as_ref()).map(ChangeId::as_str),
            },
            evidences: drift.map(evidence).into_iter().flatten().collect(),
            resources: [Resource {
                uid: target.instance().arn().unwrap_or_else(|| target.instance.as_str().to_owned()),
                kind: "AWS::Connect::Instance",
                name: target.instance.as_str(),
                region: target.lane.region.as_str(),
                data: Data {
                    attachment_scope: target.scope,
                    expected: drift.filter(|drift| drift.governed).map(|drift| &drift.expected),
                    observed: drift.map(|drift| &drift.observed),
                },
            }],
        }
    }
}

/// Who did it, as CloudTrail says.
fn evidence(drift: &Drift) -> Option<Evidence> {
    let cause = drift.cause.as_ref()?;
    let name = |text: &String| clean(text, NAME);
    let user = User {
        uid: cause.principal.as_deref().map(|principal| clean(principal, FREE_TEXT)),
        account: cause.account.as_ref().map(|account| Account { uid: name(account) }),
    };
    let is_known = user.uid.is_some() || user.account.is_some();
    let address = cause.source_ip.as_ref().map(name);
    // a service calls from its name, not from an address
    let endpoint = address.map(|address| match address.parse::<IpAddr>() {
        Ok(_) => Endpoint { ip: Some(address), svc_name: None },
        Err(_) => Endpoint { ip: None, svc_name: Some(address) },
    });
    let data = EvidenceData {
        event_id: name(&cause.event_id),
        at: cause.at.as_ref().map(name),
        kind: cause.kind.as_ref().map(name),
    };
    Some(Evidence { actor: is_known.then_some(Actor { user }), src_endpoint: endpoint, data })
}
