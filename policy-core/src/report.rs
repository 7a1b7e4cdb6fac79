//! What became of a change: outcomes by target, the one status function, and the report document.

mod document;
mod status;

pub use document::encode;
pub use status::{Status, Verdict};

use crate::policy::{ChangeId, Configuration, Instance, Scope, Violation};
use serde::Serialize;
use time::OffsetDateTime;

/// What became of one target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Updated, and the response holds what was asked.
    Applied,
    /// It held the values already: no call.
    Unchanged,
    /// A dry run would update it.
    Planned,
    /// Modified after `ifUnmodifiedSince`: no call.
    Superseded,
    /// A guardrail forbids it: no call.
    Blocked,
    /// It was refused, or it failed; `error.retryable` tells which.
    Failed,
    /// The update's answer never came: it may have taken effect.
    Unknown,
    /// Time ran out before it was begun.
    Pending,
}

/// Why a target is not done, by meaning: each trigger answers by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FailureKind {
    /// A guardrail forbids it.
    Guardrail,
    /// It was modified since, or its `ETag` differs.
    Modified,
    /// No such instance.
    NotFound,
    /// Connect refuses the values.
    InvalidValues,
    /// Connect throttled every attempt.
    Throttled,
    /// The invocation's time ran out before it was begun.
    NoTime,
    /// No answer came in time.
    NoAnswer,
    /// Connect failed, could not be reached, or denied access to us.
    Upstream,
    /// The audit could not be written.
    Audit,
}

/// Why a target is not done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// By meaning.
    #[serde(skip)]
    pub because: FailureKind,
    /// Connect's error name, or ours. Stable.
    pub code: String,
    /// For the caller.
    pub message: String,
    /// Whether the same change again would help.
    pub retryable: bool,
    /// For the log: what Connect or the transport said.
    #[serde(skip)]
    pub detail: Option<String>,
}

/// One target's line of the report.
#[derive(Debug, Clone, PartialEq)]
pub struct TargetResult {
    /// `None`: `"*"` could not be resolved.
    pub instance: Option<Instance>,
    /// The scope.
    pub scope: Scope,
    /// What became of it.
    pub outcome: Outcome,
    /// What it held, where it was read.
    pub before: Option<Configuration>,
    /// What it holds (applied) or would hold (planned).
    pub after: Option<Configuration>,
    /// Updates sent, retries included.
    pub attempts: u32,
    /// How many of the target's calls were throttled.
    pub throttled: u32,
    /// Connect's request id of the last answer.
    pub request_id: Option<String>,
    /// Connect's `LastModifiedTime`.
    pub last_modified: Option<OffsetDateTime>,
    /// How long the target's own calls took, in milliseconds.
    pub duration_ms: u64,
    /// Why it is not done.
    pub error: Option<Failure>,
}

impl TargetResult {
    /// A target of which nothing is known yet but the outcome.
    pub fn new(instance: Option<Instance>, scope: Scope, outcome: Outcome) -> Self {
        Self {
            instance,
            scope,
            outcome,
            before: None,
            after: None,
            attempts: 0,
            throttled: 0,
            request_id: None,
            last_modified: None,
            duration_ms: 0,
            error: None,
        }
    }

    /// What this target means for the whole change.
    pub fn verdict(&self) -> Verdict {
        match self.outcome {
            // applied, but its outcome is not on record: the same change again puts it there
            Outcome::Applied if self.error.is_some() => Verdict::NotYet,
            Outcome::Applied | Outcome::Unchanged | Outcome::Planned => Verdict::Done,
            Outcome::Superseded | Outcome::Blocked => Verdict::NotForGood,
            Outcome::Unknown | Outcome::Pending => Verdict::NotYet,
            Outcome::Failed => match &self.error {
                Some(error) if error.retryable => Verdict::NotYet,
                _ => Verdict::NotForGood,
            },
        }
    }
}

/// What became of one change.
#[derive(Debug, Clone, PartialEq)]
pub struct ChangeReport {
    /// The change's id.
    pub change_id: ChangeId,
    /// What became of it as a whole.
    pub disposition: Disposition,
    /// What was allowed but is probably a mistake.
    pub warnings: Vec<Violation>,
}

/// What became of a change as a whole.
#[derive(Debug, Clone, PartialEq)]
pub enum Disposition {
    /// Nothing was done: every reason.
    Rejected(Vec<Violation>),
    /// Queued whole.
    Accepted,
    /// Walked, target by target.
    Walked {
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
            Disposition::Walked { results, dry_run } => {
                Status::of(results.iter().map(TargetResult::verdict), *dry_run)
            }
        }
    }

    /// The targets' results; none where nothing was walked.
    pub fn results(&self) -> &[TargetResult] {
        match &self.disposition {
            Disposition::Walked { results, .. } => results,
            Disposition::Rejected(_) | Disposition::Accepted => &[],
        }
    }

    /// Why it was refused.
    pub fn violations(&self) -> &[Violation] {
        match &self.disposition {
            Disposition::Rejected(violations) => violations,
            Disposition::Accepted | Disposition::Walked { .. } => &[],
        }
    }
}

/// The answer to one document.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// In the document's order; at least one.
    pub changes: Vec<ChangeReport>,
    /// Whether they came as `{"changes": […]}`, and are answered like that.
    pub is_batch: bool,
}

impl Report {
    /// The report of one change.
    pub fn one(change: ChangeReport) -> Self {
        Self { changes: vec![change], is_batch: false }
    }

    /// Every target of every change.
    pub fn results(&self) -> impl Iterator<Item = &TargetResult> {
        self.changes.iter().flat_map(ChangeReport::results)
    }

    /// The status of the whole, by the same function over every change's targets.
    pub fn status(&self) -> Status {
        let mut statuses = self.changes.iter().map(ChangeReport::status);
        // these come alone, or with their like: a document is refused or queued whole
        if let Some(first @ (Status::Rejected | Status::Accepted)) = statuses.next() {
            return first;
        }
        let is_dry =
            |change: &ChangeReport| matches!(change.disposition, Disposition::Walked { dry_run: true, .. });
        Status::of(self.results().map(TargetResult::verdict), self.changes.iter().all(is_dry))
    }

    /// Whether every target is as asked or was overtaken by a later change: nothing is left to do.
    pub fn is_settled(&self) -> bool {
        matches!(self.status(), Status::Succeeded | Status::Planned | Status::Accepted)
            || self.is_all(Outcome::Superseded)
    }

    /// Whether there are targets and all ended this way.
    pub fn is_all(&self, outcome: Outcome) -> bool {
        let mut results = self.results().peekable();
        results.peek().is_some() && results.all(|result| result.outcome == outcome)
    }
}

#[cfg(test)]
mod tests;
