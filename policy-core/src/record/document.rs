//! Records as JSON: what the HTTP API shows of a change, of a list of changes, and of a target's history.

use super::{
    ChangeRecord, Freeze, LaneName, LanePart, LaneState, Millis, RecordStatus, RecordedError, RecordedOrigin,
    RecordedResult, TargetName, Untouched, Who,
};
use crate::declare::DeclaredBy;
use crate::failure::Failure;
use crate::origin::{IdentitySource, TriggerKind};
use crate::policy::{ChangeId, Configuration, Scope};
use crate::report::OutcomeKind;
use serde::{Serialize, Serializer};
use time::format_description::well_known::Rfc3339;

impl Serialize for Millis {
    /// RFC 3339, to the millisecond.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.time().and_then(|time| time.format(&Rfc3339).ok()) {
            Some(text) => serializer.serialize_str(&text),
            None => serializer.serialize_u64(self.0),
        }
    }
}

impl Serialize for LaneName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Who asked, and who vouches for it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WhoDocument<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    principal: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<&'a str>,
    vouched_by: IdentitySource,
}

impl<'a> WhoDocument<'a> {
    pub(super) fn of(who: &'a Who) -> Self {
        Self {
            principal: who.principal.as_deref(),
            account: who.account.as_deref(),
            vouched_by: who.vouched_by,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OriginDocument<'a> {
    trigger: TriggerKind,
    #[serde(flatten)]
    who: WhoDocument<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    claimed_account: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_ip: Option<&'a str>,
    source: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
}

impl<'a> OriginDocument<'a> {
    pub(super) fn of(origin: &'a RecordedOrigin) -> Self {
        Self {
            trigger: origin.trigger,
            who: WhoDocument::of(&origin.who),
            claimed_account: origin.claimed_account.as_deref(),
            source_ip: origin.source_ip.as_deref(),
            source: &origin.service,
            request_id: origin.request_id.as_deref(),
        }
    }
}

/// The targets of a lane, where they are known, and how many of them are done: at its end by its results, before that by
/// its last word.
pub(super) fn progress_in(part: &LanePart) -> (Option<u32>, u32) {
    if part.state == LaneState::Open {
        return (part.planned, part.done);
    }
    let total = part.counts.total();
    (Some(total), total.saturating_sub(part.counts.not_yet()))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LaneDocument<'a> {
    lane: &'a LaneName,
    state: LaneState,
    #[serde(skip_serializing_if = "Option::is_none")]
    targets: Option<u32>,
    done: u32,
    deliveries: u32,
    deliveries_without_progress: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_progress_at: Option<Millis>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ErrorDocument<'a>>,
}

impl<'a> LaneDocument<'a> {
    pub(super) fn of(part: &'a LanePart) -> Self {
        let (targets, done) = progress_in(part);
        Self {
            lane: &part.name,
            state: part.state,
            targets,
            done,
            deliveries: part.deliveries,
            deliveries_without_progress: part.stalled,
            last_progress_at: part.moved,
            // what a lane that ended otherwise met before is over
            error: part.error.as_ref().filter(|_| is_stuck(part.state)).map(error_of),
        }
    }
}

/// Whether what kept a lane's last delivery from its end still does.
const fn is_stuck(state: LaneState) -> bool {
    matches!(state, LaneState::Open | LaneState::Parked)
}

#[derive(Serialize)]
pub(super) struct ErrorDocument<'a> {
    code: &'a str,
    message: &'a str,
    retryable: bool,
}

pub(super) fn error_of(error: &RecordedError) -> ErrorDocument<'_> {
    ErrorDocument { code: &error.code, message: &error.message, retryable: error.retryable }
}

fn error_of_failure(failure: &Failure) -> ErrorDocument<'_> {
    ErrorDocument { code: failure.code(), message: failure.message(), retryable: failure.is_retryable() }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ResultDocument<'a> {
    change_id: &'a ChangeId,
    instance_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    instance_arn: Option<String>,
    attachment_scope: Scope,
    outcome: OutcomeKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<&'a Configuration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<&'a Configuration>,
    attempts: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_modified_time: Option<Millis>,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<Millis>,
    #[serde(skip_serializing_if = "Option::is_none")]
    declared_by: Option<&'a DeclaredBy>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ErrorDocument<'a>>,
}

impl<'a> ResultDocument<'a> {
    /// A target of which nothing is known but its name.
    fn named(target: &'a TargetName, change_id: &'a ChangeId, outcome: OutcomeKind) -> Self {
        Self {
            change_id,
            instance_id: target.instance.as_str(),
            instance_arn: target.instance().arn(),
            attachment_scope: target.scope,
            outcome,
            before: None,
            after: None,
            attempts: 0,
            request_id: None,
            last_modified_time: None,
            at: None,
            declared_by: None,
            error: None,
        }
    }

    pub(super) fn of(result: &'a RecordedResult) -> Self {
        Self {
            before: result.before.as_ref(),
            after: result.after.as_ref(),
            attempts: result.attempts,
            request_id: result.request_id.as_deref(),
            last_modified_time: result.last_modified,
            at: Some(result.at),
            declared_by: result.declared_by.as_ref(),
            error: result.error.as_ref().map(error_of),
            ..Self::named(&result.target, &result.change_id, result.outcome)
        }
    }

    pub(super) fn of_untouched(untouched: &'a Untouched) -> Self {
        let Untouched { target, change_id, standing } = untouched;
        let error = standing.why.as_ref().map(error_of_failure);
        Self { error, ..Self::named(target, change_id, standing.outcome) }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AcceptedDocument<'a> {
    change_id: &'a ChangeId,
    status: RecordStatus,
    run: u32,
    dry_run: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    undoes: Option<&'a ChangeId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    applies: Option<&'a ChangeId>,
    detail: &'static str,
}

/// What a request gets whose change is followed by its record.
///
/// # Errors
/// Never for these types; kept so that no caller has to panic.
pub fn accepted_document(change: &ChangeRecord) -> Result<String, serde_json::Error> {
    serde_json::to_string(&AcceptedDocument {
        change_id: &change.change_id,
        status: change.status,
        run: change.run,
        dry_run: change.dry_run,
        undoes: change.relations.undoes.as_ref(),
        applies: change.relations.applies.as_ref(),
        detail: "GET /policy-changes/{changeId} returns its progress and its results",
    })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FreezeDocument<'a> {
    frozen: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<Millis>,
    #[serde(flatten)]
    who: Option<WhoDocument<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    drain: Option<bool>,
}

/// The freeze, or that there is none.
///
/// # Errors
/// Never for these types; kept so that no caller has to panic.
pub fn freeze_document(freeze: Option<&Freeze>) -> Result<String, serde_json::Error> {
    serde_json::to_string(&FreezeDocument {
        frozen: freeze.is_some(),
        at: freeze.map(|freeze| freeze.at),
        who: freeze.map(|freeze| WhoDocument::of(&freeze.who)),
        reason: freeze.and_then(|freeze| freeze.reason.as_deref()),
        drain: freeze.map(|freeze| freeze.drain),
    })
}
