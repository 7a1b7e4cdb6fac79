//! The result of a change: outcomes by target, the one status function, and the report document.

mod declared;
mod document;
mod outcome;
mod status;

pub use declared::declared;
pub use document::encode;
pub use outcome::{CallTrace, Outcome, OutcomeKind, TargetResult};
pub use status::{Status, Verdict};

use crate::failure::Failure;
use crate::policy::{ChangeId, Violation};

/// The result of one change.
#[derive(Debug, Clone, PartialEq)]
pub struct ChangeReport {
    /// The change's id.
    pub change_id: ChangeId,
    /// The result as a whole.
    pub disposition: Disposition,
    /// What is allowed but is probably a mistake.
    pub warnings: Vec<Violation>,
}

/// The result of a change as a whole.
#[derive(Debug, Clone, PartialEq)]
pub enum Disposition {
    /// Nothing was done, for these reasons.
    Rejected(Vec<Violation>),
    /// Recorded, and carried out by workers.
    Accepted,
    /// Nothing was done, for now: the same change again helps.
    NotBegun(Failure),
    /// Processed target by target.
    Processed {
        /// In the order of the targets.
        results: Vec<TargetResult>,
        /// Whether nothing was to be changed.
        dry_run: bool,
    },
}

impl ChangeReport {
    /// A refused change.
    pub fn rejected(change_id: ChangeId, violations: Vec<Violation>) -> Self {
        let disposition = Disposition::Rejected(violations);
        Self { change_id, disposition, warnings: Vec::new() }
    }

    /// The change's status.
    pub fn status(&self) -> Status {
        match &self.disposition {
            Disposition::Rejected(_) => Status::Rejected,
            Disposition::Accepted => Status::Accepted,
            Disposition::NotBegun(_) => Status::Incomplete,
            Disposition::Processed { results, dry_run } => {
                Status::of(results.iter().map(|result| result.outcome.verdict()), *dry_run)
            }
        }
    }

    /// The targets' results; empty if no target was processed.
    pub fn results(&self) -> &[TargetResult] {
        match &self.disposition {
            Disposition::Processed { results, .. } => results,
            Disposition::Rejected(_) | Disposition::Accepted | Disposition::NotBegun(_) => &[],
        }
    }

    /// Why it was refused.
    pub fn violations(&self) -> &[Violation] {
        match &self.disposition {
            Disposition::Rejected(violations) => violations,
            Disposition::Accepted | Disposition::NotBegun(_) | Disposition::Processed { .. } => &[],
        }
    }

    /// Why nothing was done, for now.
    pub fn not_begun(&self) -> Option<&Failure> {
        match &self.disposition {
            Disposition::NotBegun(why) => Some(why),
            Disposition::Rejected(_) | Disposition::Accepted | Disposition::Processed { .. } => None,
        }
    }
}

/// The answer to one document.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// In the document's order; at least one.
    pub changes: Vec<ChangeReport>,
    /// Whether they came as `{"changes": […]}`; the answer then has the same form.
    pub is_batch: bool,
    /// Of a change that workers carry out: where to follow it.
    pub queued: Option<Queued>,
    /// Of a recorded dry run: the hash of what it found, by which it can be applied.
    pub plan: Option<String>,
    /// Whether it is the record of a run that was cancelled: what is not done is not done later.
    pub cancelled: bool,
}

/// Where to follow a change that workers carry out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queued {
    /// The record's id.
    pub record: ChangeId,
    /// About how long it takes, in seconds.
    pub seconds: u64,
}

impl Report {
    /// The report of a document's changes.
    pub const fn of(changes: Vec<ChangeReport>, is_batch: bool) -> Self {
        Self { changes, is_batch, queued: None, plan: None, cancelled: false }
    }

    /// The report of one change.
    pub fn one(change: ChangeReport) -> Self {
        Self::of(vec![change], false)
    }

    /// Every target of every change.
    pub fn results(&self) -> impl Iterator<Item = &TargetResult> {
        self.changes.iter().flat_map(ChangeReport::results)
    }

    /// The status of the whole, by the same function over every change's targets.
    pub fn status(&self) -> Status {
        // a document is rejected, queued or not begun as a whole, so the first change decides
        match self.changes.first().map(|change| &change.disposition) {
            Some(Disposition::Rejected(_)) => return Status::Rejected,
            Some(Disposition::Accepted) => return Status::Accepted,
            Some(Disposition::NotBegun(_)) => return Status::Incomplete,
            Some(Disposition::Processed { .. }) | None => {}
        }
        let is_dry = |change: &ChangeReport| {
            matches!(change.disposition, Disposition::Processed { dry_run: true, .. })
        };
        let verdicts = self.results().map(|result| result.outcome.verdict());
        let is_dry = self.changes.iter().all(is_dry);
        if self.cancelled {
            let for_good = |verdict| if verdict == Verdict::NotYet { Verdict::NotForGood } else { verdict };
            // what was not begun has no result
            return Status::of(verdicts.map(for_good).chain([Verdict::NotForGood]), is_dry);
        }
        Status::of(verdicts, is_dry)
    }

    /// Whether nothing is left to do: every target holds the values, a later change overtook this one, or somebody
    /// cancelled it.
    pub fn is_settled(&self) -> bool {
        self.cancelled
            || matches!(self.status(), Status::Succeeded | Status::Planned | Status::Accepted)
            || self.is_all(OutcomeKind::Superseded)
    }

    /// Whether there is at least one target, and all ended this way.
    pub fn is_all(&self, kind: OutcomeKind) -> bool {
        let mut results = self.results().peekable();
        results.peek().is_some() && results.all(|result| result.outcome.kind() == kind)
    }
}

#[cfg(test)]
mod tests;
