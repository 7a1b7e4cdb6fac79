//! The event about a run that has ended: the same content each time that it is put together.

use super::document::{OriginDocument, ResultDocument};
use super::{ChangeRecord, LanePart, LaneState, Millis, RecordStatus, RecordedResult, Untouched};
use crate::failure::ErrorCode;
use crate::policy::{ChangeId, LaneName};
use crate::report::OutcomeKind;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::time::Duration;

/// The `source` of this function's events. The rule that feeds changes does not match it, and the function refuses it.
pub const SOURCE: &str = "connect-attachment-policy";
/// The `detail-type` of a run that has ended.
pub const CHANGE_COMPLETED: &str = "Attachment Policy Change Completed";
/// The longest `detail`, in bytes (ours): an entry took 256 KB for years ("`PutEvents`", Amazon EventBridge API), and its
/// other fields need some of it.
pub const MAX_DETAIL: usize = 200_000;
/// The most reasons of an event.
const MAX_REASONS: usize = 20;

/// How soon, and how late, an event that was not taken is put again.
const SOONEST: Duration = Duration::from_mins(1);
const LATEST: Duration = Duration::from_hours(1);

/// When to put an event again that the bus has not taken: the longer it has waited, the later, so that an outage of the
/// bus leaves the sweep its time for everything else.
pub fn announce_again(change: &ChangeRecord, now: Millis) -> Millis {
    later_each_time(change.finished.unwrap_or(change.submitted), now)
}

/// The same for anything that is owed since then.
pub fn later_each_time(since: Millis, now: Millis) -> Millis {
    now.plus(now.since(since).clamp(SOONEST, LATEST))
}

/// Whether a document is the `detail` of such an event. No policy change has these fields.
///
/// A rule that feeds changes with these events would make one of each refusal, for ever; so such a document is refused
/// without an event.
pub fn is_announcement(document: &str) -> bool {
    let fields = serde_json::from_str::<Map<String, Value>>(document).unwrap_or_default();
    let has_all = |names: &[&str]| names.iter().all(|name| fields.contains_key(*name));
    has_all(&["run", "status", "summary", "submittedAt"]) || has_all(&["driftId", "governed", "observed"])
}

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
    results: &'a [Box<RawValue>],
    truncated: bool,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    reasons: &'a [Reason<'a>],
}

/// Why a document was rejected, or a lane parked.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Reason<'a> {
    Violation { pointer: &'a str, code: &'static str, message: &'a str },
    Lane { lane: &'a LaneName, code: &'static str, message: String },
}

/// The event about a run, while its results are added.
#[derive(Debug)]
pub struct Announcement<'a> {
    change: &'a ChangeRecord,
    reasons: Vec<Reason<'a>>,
    results: Vec<Box<RawValue>>,
    left: usize,
    truncated: bool,
}

impl<'a> Announcement<'a> {
    /// Of a run without its results. `lanes` are those of the run.
    ///
    /// # Errors
    /// Never for these types; kept so that no caller has to panic.
    pub fn of(change: &'a ChangeRecord, lanes: &'a [LanePart]) -> Result<Self, serde_json::Error> {
        let violations = change.violations.iter().map(|violation| Reason::Violation {
            pointer: &violation.pointer,
            code: violation.code.name(),
            message: &violation.message,
        });
        let parked = lanes.iter().filter(|part| part.state == LaneState::Parked).map(parked);
        let reasons = violations.chain(parked).take(MAX_REASONS).collect();
        let mut new = Self { change, reasons, results: Vec::new(), left: 0, truncated: false };
        new.left = MAX_DETAIL.saturating_sub(new.encode()?.len());
        Ok(new)
    }

    /// The outcomes whose targets are in the event, of which this run has some: all but those that are as asked.
    pub fn outcomes(&self) -> impl Iterator<Item = OutcomeKind> + use<> {
        let is_as_asked = |outcome| matches!(outcome, OutcomeKind::Applied | OutcomeKind::Unchanged);
        let outcomes: Vec<_> = self.change.counts.outcomes.keys().copied().collect();
        outcomes.into_iter().filter(move |outcome| !is_as_asked(*outcome))
    }

    /// Adds a target; `false`: it has no room any more, and nor has any other.
    ///
    /// # Errors
    /// Never for these types; kept so that no caller has to panic.
    pub fn add(&mut self, result: &RecordedResult) -> Result<bool, serde_json::Error> {
        self.add_document(&ResultDocument::of(result))
    }

    /// Adds a target that was not begun.
    ///
    /// # Errors
    /// Never for these types; kept so that no caller has to panic.
    pub fn add_untouched(&mut self, untouched: &Untouched) -> Result<bool, serde_json::Error> {
        self.add_document(&ResultDocument::of_untouched(untouched))
    }

    fn add_document(&mut self, result: &ResultDocument<'_>) -> Result<bool, serde_json::Error> {
        let result = to_raw_value(result)?;
        // with its comma
        match self.left.checked_sub(result.get().len() + 1).filter(|_| !self.truncated) {
            Some(left) => {
                self.left = left;
                self.results.push(result);
            }
            None => self.truncated = true,
        }
        Ok(!self.truncated)
    }

    /// There are targets that nobody can name any more.
    pub fn cut(&mut self) {
        self.truncated = true;
    }

    /// The event's `detail`.
    ///
    /// # Errors
    /// Never for these types; kept so that no caller has to panic.
    pub fn encode(&self) -> Result<String, serde_json::Error> {
        let change = self.change;
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
            results: &self.results,
            truncated: self.truncated,
            reasons: &self.reasons,
        })
    }
}

fn parked(part: &LanePart) -> Reason<'_> {
    let why = ErrorCode::LaneParked;
    let last = part.error.as_ref().map(|error| format!("; {}: {}", error.code, error.message));
    let message = format!("{}{}", why.message(), last.unwrap_or_default());
    Reason::Lane { lane: &part.name, code: why.name(), message }
}
