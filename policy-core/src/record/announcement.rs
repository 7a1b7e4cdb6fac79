//! What the bus is told of a run that has ended: an EventBridge event, at least once for each run.

use super::document::{OriginDocument, ResultDocument};
use super::{ChangeRecord, Millis, RecordStatus, RecordedResult};
use crate::policy::{ChangeId, Violation};
use crate::report::OutcomeKind;
use serde::Serialize;
use std::collections::BTreeMap;

/// The `source` of this function's events. A rule that feeds changes must not match it; the function refuses it, too.
pub const SOURCE: &str = "connect-attachment-policy";
/// The `detail-type` of a run that has ended.
pub const CHANGE_COMPLETED: &str = "Attachment Policy Change Completed";
/// The longest `detail`, in bytes (ours): an entry takes 256 KB ("PutEvents", Amazon EventBridge API), and the rest of it
/// needs some.
pub const MAX_DETAIL: usize = 200_000;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Detail<'a> {
    change_id: &'a ChangeId,
    run: u32,
    status: RecordStatus,
    dry_run: bool,
    summary: &'a BTreeMap<OutcomeKind, u32>,
    origin: OriginDocument<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    requested_by: Option<&'a str>,
    submitted_at: Millis,
    #[serde(skip_serializing_if = "Option::is_none")]
    finished_at: Option<Millis>,
    #[serde(skip_serializing_if = "Option::is_none")]
    undoes: Option<&'a ChangeId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    applies: Option<&'a ChangeId>,
    /// Those that are neither applied nor unchanged.
    results: Vec<ResultDocument<'a>>,
    /// Whether there are more of them than fit.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    truncated: bool,
    /// Why the document was rejected.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    reasons: &'a [Violation],
}

/// Whether a result is in the event: one that somebody may have to do something about.
pub const fn is_announced(outcome: OutcomeKind) -> bool {
    !matches!(outcome, OutcomeKind::Applied | OutcomeKind::Unchanged)
}

/// The event's detail for a run, with as many of these results as fit; `has_more`: there are others.
///
/// # Errors
/// Never for these types; kept so that no caller has to panic.
pub fn announcement(
    change: &ChangeRecord,
    results: &[RecordedResult],
    has_more: bool,
) -> Result<String, serde_json::Error> {
    let results: Vec<&RecordedResult> = results.iter().filter(|result| is_announced(result.outcome)).collect();
    let mut shown = results.len();
    loop {
        let listed = results.get(..shown).unwrap_or_default();
        let detail = detail(change, listed, has_more || shown < results.len())?;
        if detail.len() <= MAX_DETAIL || shown == 0 {
            return Ok(detail);
        }
        shown /= 2;
    }
}

fn detail(
    change: &ChangeRecord,
    results: &[&RecordedResult],
    truncated: bool,
) -> Result<String, serde_json::Error> {
    serde_json::to_string(&Detail {
        change_id: &change.change_id,
        run: change.run,
        status: change.status,
        dry_run: change.dry_run,
        summary: &change.counts.outcomes,
        origin: OriginDocument::of(&change.origin),
        reason: change.reason.as_deref(),
        requested_by: change.requested_by.as_deref(),
        submitted_at: change.submitted,
        finished_at: change.finished,
        undoes: change.relations.undoes.as_ref(),
        applies: change.relations.applies.as_ref(),
        results: results.iter().map(|result| ResultDocument::of(result)).collect(),
        truncated,
        reasons: &change.violations,
    })
}
