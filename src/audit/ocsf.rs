//! An audit record as OCSF 1.8.0 class 6003, API Activity. docs/audit.md has the field table.

mod shape;

use super::text::{FREE_TEXT, MESSAGE, NAME, clean};
use super::{Action, AuditedChange, Reason, Settlement, VERSION};
use policy_core::aws::RegionName;
use policy_core::origin::Origin;
use policy_core::policy::{ChangeId, Configuration, Home, Instance, Scope};
use policy_core::report::{OutcomeKind, TargetResult};
pub(super) use shape::Event;
use shape::{
    Actor, Api, Cloud, Endpoint, Metadata, Name, Product, Resource, ResourceData, Response, Uid, Unmapped,
    User,
};
use std::net::IpAddr;
use time::OffsetDateTime;

/// The time of a record, and its own id.
pub(super) struct Stamp {
    pub(super) now: OffsetDateTime,
    pub(super) uid: String,
}

/// OCSF's `status_id`.
#[derive(Clone, Copy, PartialEq)]
enum StatusId {
    Unknown = 0,
    Success = 1,
    Failure = 2,
    /// OCSF has no "pending": 99 is Other, and `status` says which.
    Pending = 99,
}

/// The most reasons that a refusal lists. The answer to the caller lists all of them.
const MAX_REASONS: usize = 16;

impl<'a> Event<'a> {
    pub(super) fn intent(
        stamp: Stamp,
        audited: AuditedChange<'a>,
        instance: &'a Instance,
        scope: Scope,
        before: &'a Configuration,
        after: Configuration,
    ) -> Self {
        let mut event = Self::of_change(stamp, audited, "intent", StatusId::Pending);
        event.message = format!("about to update {scope} of {}", instance.id);
        let after = Some(std::borrow::Cow::Owned(after));
        let data =
            ResourceData { attachment_scope: scope, before: Some(before), after, last_modified_time: None };
        event.resources =
            vec![Resource::new(instance.arn(), instance.id.as_str(), Some(&instance.region), data)];
        event
    }

    pub(super) fn outcome(stamp: Stamp, audited: AuditedChange<'a>, result: &'a TargetResult) -> Self {
        let mut event = Self::of_change(stamp, audited, "outcome", status_of(result.outcome.kind()));
        event.describe(result);
        event
    }

    /// What became of a target.
    fn describe(&mut self, result: &'a TargetResult) {
        let (outcome, trace) = (&result.outcome, &result.trace);
        let kind = outcome.kind();
        self.message = format!("{} {} of {}", verb(kind), result.scope, result.instance_id());
        self.duration = Some(u64::try_from(trace.cost.took.as_millis()).unwrap_or(u64::MAX));
        self.api.request = trace.request_id.as_deref().map(Uid::of);
        if let Some(error) = outcome.error() {
            let code = clean(error.code(), NAME);
            self.status_code = Some(code.clone());
            self.status_detail = Some(clean(error.message(), MESSAGE));
            self.api.response = Some(Response { error: code, error_message: error.detail().map(free_text) });
        }
        let data = ResourceData {
            attachment_scope: result.scope,
            before: outcome.before(),
            after: outcome.after().map(std::borrow::Cow::Borrowed),
            last_modified_time: trace.last_modified.map(millis),
        };
        self.resources = vec![Resource::of(result, data)];
        self.unmapped.outcome = Some(kind);
        self.unmapped.attempts = Some(trace.update_attempts);
        self.unmapped.throttled_calls = Some(trace.cost.throttled);
    }

    /// The outcome of an update that somebody else began.
    pub(super) fn settled(
        stamp: Stamp,
        settlement: &Settlement<'a>,
        origin: &'a Origin,
        result: &'a TargetResult,
    ) -> Self {
        let id = settlement.change_id.as_str();
        let mut event =
            Self::new(stamp, origin, settlement.home, id, "outcome", status_of(result.outcome.kind()));
        event.describe(result);
        event.unmapped.settled = Some(true);
        event.unmapped.dry_run = Some(false);
        if let Some(change) = settlement.change {
            event.unmapped.reason = change.reason.as_deref().map(free_text);
            event.unmapped.requested_by = change.requested_by.as_deref().map(free_text);
        }
        event
    }

    pub(super) fn action(
        stamp: Stamp,
        origin: &'a Origin,
        home: &'a Home,
        change_id: &'a ChangeId,
        (action, of): (Action, Option<&ChangeId>),
        reason: Option<&str>,
    ) -> Self {
        let (code, operation) = action.names();
        let mut event = Self::new(stamp, origin, home, change_id.as_str(), code, StatusId::Success);
        event.message = format!("{code} by request");
        event.api.operation = operation;
        event.api.service = Name { name: env!("CARGO_PKG_NAME") };
        event.unmapped.of = of.map(ToString::to_string);
        event.unmapped.reason = reason.map(free_text);
        event
    }

    pub(super) fn accepted(stamp: Stamp, audited: AuditedChange<'a>) -> Self {
        let mut event = Self::of_change(stamp, audited, "accepted", StatusId::Pending);
        event.message = "recorded and queued; nothing is changed yet".into();
        event
    }

    pub(super) fn refusal(
        stamp: Stamp,
        origin: &'a Origin,
        home: &'a Home,
        change_id: &'a ChangeId,
        reasons: &[Reason],
    ) -> Self {
        let mut event = Self::new(stamp, origin, home, change_id.as_str(), "refusal", StatusId::Failure);
        event.message = "rejected; nothing was changed".into();
        event.status_code = reasons.first().map(|reason| reason.code.clone());
        event.status_detail = reasons.first().map(|reason| clean(&reason.message, MESSAGE));
        let listed = reasons.iter().take(MAX_REASONS).map(|reason| Reason {
            pointer: clean(&reason.pointer, NAME),
            code: reason.code.clone(),
            message: clean(&reason.message, MESSAGE),
        });
        event.unmapped.reasons = listed.collect();
        event.unmapped.more_reasons = reasons.len().checked_sub(MAX_REASONS).filter(|more| *more > 0);
        event
    }

    fn of_change(stamp: Stamp, audited: AuditedChange<'a>, code: &'static str, status: StatusId) -> Self {
        let AuditedChange { origin, change, home } = audited;
        let mut event = Self::new(stamp, origin, home, change.change_id.as_str(), code, status);
        event.unmapped.dry_run = Some(change.dry_run);
        event.unmapped.force = Some(change.force);
        event.unmapped.reason = change.reason.as_deref().map(free_text);
        event.unmapped.requested_by = change.requested_by.as_deref().map(free_text);
        event
    }

    fn new(
        stamp: Stamp,
        origin: &'a Origin,
        home: &'a Home,
        correlation_uid: &'a str,
        event_code: &'static str,
        status: StatusId,
    ) -> Self {
        let trace = origin.invocation.xray_id().map(Uid::of);
        let account = origin.account.as_deref().map(Uid::of);
        let uid = origin.principal.as_deref().map(free_text);
        let service = clean(&origin.service, NAME);
        let (severity_id, severity) =
            if status == StatusId::Failure { (3, "Medium") } else { (1, "Informational") };
        Self {
            activity_id: 3,
            activity_name: "Update",
            category_uid: 6,
            category_name: "Application Activity",
            class_uid: 6003,
            class_name: "API Activity",
            type_uid: 600_303,
            time: millis(stamp.now),
            severity_id,
            severity,
            status_id: status as u8,
            status: match status {
                StatusId::Unknown => "Unknown",
                StatusId::Success => "Success",
                StatusId::Failure => "Failure",
                StatusId::Pending => "Pending",
            },
            status_code: None,
            status_detail: None,
            message: String::new(),
            duration: None,
            metadata: Metadata {
                version: "1.8.0",
                profiles: if trace.is_some() { &["cloud", "trace"] } else { &["cloud"] },
                uid: stamp.uid,
                correlation_uid,
                event_code,
                product: Product {
                    name: env!("CARGO_PKG_NAME"),
                    vendor_name: env!("CARGO_PKG_NAME"),
                    version: VERSION,
                },
            },
            actor: Actor {
                user: (uid.is_some() || account.is_some()).then_some(User { uid, account }),
                invoked_by: service.clone(),
                idp: Name { name: origin.vouched_by.name() },
            },
            api: Api {
                operation: "UpdateAttachedFilesConfiguration",
                service: Name { name: "connect.amazonaws.com" },
                request: None,
                response: None,
            },
            src_endpoint: Endpoint::new(origin, service),
            resources: Vec::new(),
            cloud: Cloud {
                provider: "AWS",
                region: home.region.as_str(),
                account: home.account.as_ref().map(|account| Uid::of(account.as_str())),
            },
            trace,
            unmapped: Unmapped {
                lambda_request_id: &origin.invocation.request_id,
                trigger_request_id: origin.request_id.as_deref().map(|id| clean(id, NAME)),
                trigger: origin.kind.name(),
                claimed_account: origin.claimed_account.as_deref().map(|account| clean(account, NAME)),
                ..Unmapped::default()
            },
        }
    }
}

impl<'a> Resource<'a> {
    fn of(result: &'a TargetResult, data: ResourceData<'a>) -> Self {
        Self::new(result.instance_arn(), result.instance_id(), result.region(), data)
    }

    fn new(
        arn: Option<String>,
        name: &'a str,
        region: Option<&'a RegionName>,
        data: ResourceData<'a>,
    ) -> Self {
        Self {
            uid: arn.unwrap_or_else(|| name.to_owned()),
            kind: "AWS::Connect::Instance",
            name,
            region: region.map(RegionName::as_str),
            data,
        }
    }
}

impl Uid {
    fn of(uid: &str) -> Self {
        Self { uid: clean(uid, NAME) }
    }
}

impl Endpoint {
    /// OCSF's `ip` takes addresses only. Other text, which only an imitated payload has there, is recorded as a name.
    fn new(origin: &Origin, svc_name: String) -> Self {
        let address = origin.source_ip.as_deref();
        let is_ip = address.is_some_and(|address| address.parse::<IpAddr>().is_ok());
        let address = address.map(|address| clean(address, NAME));
        let (ip, name) = if is_ip { (address, None) } else { (None, address) };
        Self { ip, name, svc_name }
    }
}

fn free_text(text: &str) -> String {
    clean(text, FREE_TEXT)
}

const fn status_of(kind: OutcomeKind) -> StatusId {
    match kind {
        OutcomeKind::Applied | OutcomeKind::Unchanged | OutcomeKind::Planned => StatusId::Success,
        OutcomeKind::Superseded | OutcomeKind::Blocked | OutcomeKind::Failed | OutcomeKind::Skipped => {
            StatusId::Failure
        }
        OutcomeKind::Unknown => StatusId::Unknown,
        OutcomeKind::Pending => StatusId::Pending,
    }
}

fn verb(kind: OutcomeKind) -> &'static str {
    match kind {
        OutcomeKind::Applied => "updated",
        OutcomeKind::Unchanged => "did not need to update",
        OutcomeKind::Planned => "would update",
        OutcomeKind::Superseded => "did not update (superseded)",
        OutcomeKind::Blocked => "did not update (blocked)",
        OutcomeKind::Failed => "failed to update",
        OutcomeKind::Unknown => "may have updated",
        OutcomeKind::Pending => "did not reach",
        OutcomeKind::Skipped => "did not update (skipped)",
    }
}

/// OCSF times are milliseconds since the epoch.
pub(super) fn millis(at: OffsetDateTime) -> i128 {
    at.unix_timestamp_nanos() / 1_000_000
}
