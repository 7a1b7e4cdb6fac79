//! A record as GET shows it, with a page of a run's results.

use super::declared_document::DeclaredDocument;
use super::document::{LaneDocument, OriginDocument, ResultDocument, WhoDocument, progress_in};
use super::{ChangeRecord, LanePart, Millis, RecordStatus, RecordedResult, Untouched};
use crate::policy::{ChangeId, Violation};
use crate::report::{self, OutcomeKind};
use serde::Serialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Progress {
    /// Targets, as far as they are known.
    pub targets: u32,
    /// How many of them are done.
    pub done: u32,
}

impl Progress {
    /// Of one lane.
    pub fn in_lane(part: &LanePart) -> Self {
        let (targets, done) = progress_in(part);
        Self { targets: targets.unwrap_or_default(), done }
    }

    /// Of a run, by its lanes where it has some.
    pub fn of(change: &ChangeRecord, lanes: &[LanePart]) -> Self {
        if change.status.is_final() {
            let total = change.counts.total();
            return Self { targets: total, done: total.saturating_sub(change.counts.not_yet()) };
        }
        let (known, done): (Vec<_>, Vec<_>) = lanes.iter().map(progress_in).unzip();
        let known: u32 = known.into_iter().flatten().sum();
        Self { targets: known.max(change.targets), done: done.into_iter().sum() }
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
    #[serde(skip_serializing_if = "Option::is_none")]
    declared: Option<DeclaredDocument<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<Violation>,
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
    /// Targets without a result, where those are asked for.
    pub untouched: &'a [Untouched],
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
        let results = self.results.iter().map(|result| (&result.target, ResultDocument::of(result)));
        let untouched = self.untouched.iter().map(|one| (&one.target, ResultDocument::of_untouched(one)));
        let mut results: Vec<_> = results.chain(untouched).collect();
        results.sort_by_key(|(target, _)| *target);
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
            results: results.into_iter().map(|(_, result)| result).collect(),
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
            declared: change.declared.as_ref().map(DeclaredDocument::of),
            warnings: report::declared(self.results.iter().filter_map(|result| result.declared_by.as_ref())),
            violations: &change.violations,
        })
    }
}
