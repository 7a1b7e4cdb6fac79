//! Records as JSON: what the HTTP API shows of a change, of a list of changes, and of a target's history.

use super::{
    ChangeRecord, Freeze, LaneName, LanePart, LaneState, Millis, RecordStatus, RecordedError, RecordedOrigin,
    RecordedResult, Who,
};
use crate::origin::{IdentitySource, TriggerKind};
use crate::policy::{ChangeId, Configuration, Scope, Violation};
use crate::report::OutcomeKind;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use std::collections::BTreeMap;
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

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Progress {
    /// Targets, as far as they are known.
    pub targets: u32,
    /// How many of them are done.
    pub done: u32,
}

impl Progress {
    /// Of a run, by its lanes where it has some.
    pub fn of(change: &ChangeRecord, lanes: &[LanePart]) -> Self {
        if change.status.is_final() {
            let total = change.counts.total();
            return Self { targets: total, done: total.saturating_sub(change.counts.not_yet()) };
        }
        let done = lanes.iter().map(done_in);
        let known = lanes.iter().map(|lane| lane.planned.unwrap_or(0));
        Self { targets: known.sum::<u32>().max(change.targets), done: done.sum() }
    }
}

/// How many targets of a lane are done: at its end by its results, before that by its last word.
fn done_in(part: &LanePart) -> u32 {
    if part.state == LaneState::Open {
        return part.done;
    }
    part.counts.total().saturating_sub(part.counts.not_yet())
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LaneDocument<'a> {
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
    fn of(part: &'a LanePart) -> Self {
        Self {
            lane: &part.name,
            state: part.state,
            targets: part.planned,
            done: done_in(part),
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

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResultDocument<'a> {
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
    at: Millis,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ErrorDocument<'a>>,
}

impl<'a> ResultDocument<'a> {
    fn of(result: &'a RecordedResult) -> Self {
        Self {
            change_id: &result.change_id,
            instance_id: result.target.instance.as_str(),
            instance_arn: result.target.instance().arn(),
            attachment_scope: result.target.scope,
            outcome: result.outcome,
            before: result.before.as_ref(),
            after: result.after.as_ref(),
            attempts: result.attempts,
            request_id: result.request_id.as_deref(),
            last_modified_time: result.last_modified,
            at: result.at,
            error: result.error.as_ref().map(error_of),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct HaltDocument<'a> {
    at: Millis,
    #[serde(flatten)]
    who: WhoDocument<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ChangeDocument<'a> {
    change_id: &'a ChangeId,
    status: RecordStatus,
    run: u32,
    dry_run: bool,
    submitted_at: Millis,
    first_submitted_at: Millis,
    #[serde(skip_serializing_if = "Option::is_none")]
    started_at: Option<Millis>,
    #[serde(skip_serializing_if = "Option::is_none")]
    finished_at: Option<Millis>,
    origin: OriginDocument<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    requested_by: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    document: Option<&'a RawValue>,
    progress: Progress,
    summary: &'a BTreeMap<OutcomeKind, u32>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    lanes: Vec<LaneDocument<'a>>,
    results: Vec<ResultDocument<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    plan: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cancelled: Option<HaltDocument<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    undoes: Option<&'a ChangeId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    undone_by: Option<&'a ChangeId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    applies: Option<&'a ChangeId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    applied_by: Option<&'a ChangeId>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    violations: &'a [Violation],
}

/// A record with a page of a run's results.
#[derive(Debug)]
pub struct Shown<'a> {
    /// The record, at the run that is shown.
    pub change: &'a ChangeRecord,
    /// That run's lanes.
    pub lanes: &'a [LanePart],
    /// The document in its normal form.
    pub document: Option<&'a RawValue>,
    /// The page.
    pub results: &'a [RecordedResult],
    /// Where the next page begins.
    pub next: Option<String>,
}

impl Shown<'_> {
    /// As JSON.
    ///
    /// # Errors
    /// Never for these types; kept so that no caller has to panic.
    pub fn encode(&self) -> Result<String, serde_json::Error> {
        let change = self.change;
        let relations = &change.relations;
        serde_json::to_string(&ChangeDocument {
            change_id: &change.change_id,
            status: change.status,
            run: change.run,
            dry_run: change.dry_run,
            submitted_at: change.submitted,
            first_submitted_at: change.first,
            started_at: change.started,
            finished_at: change.finished,
            origin: OriginDocument::of(&change.origin),
            reason: change.reason.as_deref(),
            requested_by: change.requested_by.as_deref(),
            document: self.document,
            progress: Progress::of(change, self.lanes),
            summary: &change.counts.outcomes,
            lanes: self.lanes.iter().map(LaneDocument::of).collect(),
            results: self.results.iter().map(ResultDocument::of).collect(),
            next_token: self.next.clone(),
            plan: change.plan_hash.as_deref(),
            cancelled: change.halt.as_ref().map(|halt| HaltDocument {
                at: halt.at,
                who: WhoDocument::of(&halt.who),
                reason: halt.reason.as_deref(),
            }),
            undoes: relations.undoes.as_ref(),
            undone_by: relations.undone_by.as_ref(),
            applies: relations.applies.as_ref(),
            applied_by: relations.applied_by.as_ref(),
            violations: &change.violations,
        })
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
