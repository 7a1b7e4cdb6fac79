//! The one status function.

use serde::Serialize;

/// What one target means for the whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is as asked.
    Done,
    /// The same change again would help.
    NotYet,
    /// It failed for good: sending the change again does not help.
    NotForGood,
}

/// A report's status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// The document has violations: nothing was done.
    Rejected,
    /// Queued whole, nothing done yet.
    Accepted,
    /// A dry run, nothing blocked or failed.
    Planned,
    /// Every target is applied or unchanged.
    Succeeded,
    /// At least one target failed for now, is unknown or pending: the same change again would help.
    Incomplete,
    /// None of those; some succeeded, some are failed, blocked, superseded or skipped for good.
    Partial,
    /// None succeeded, all for good.
    Failed,
}

impl Status {
    /// The word of the report.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rejected => "rejected",
            Self::Accepted => "accepted",
            Self::Planned => "planned",
            Self::Succeeded => "succeeded",
            Self::Incomplete => "incomplete",
            Self::Partial => "partial",
            Self::Failed => "failed",
        }
    }

    /// The one status function: total over the targets' verdicts.
    ///
    /// No target at all (`"*"` of an account without instances) is success: nothing is left to do.
    pub fn of(verdicts: impl IntoIterator<Item = Verdict>, dry_run: bool) -> Self {
        let (mut done, mut not_yet, mut not_for_good) = (false, false, false);
        for verdict in verdicts {
            match verdict {
                Verdict::Done => done = true,
                Verdict::NotYet => not_yet = true,
                Verdict::NotForGood => not_for_good = true,
            }
        }
        match (not_yet, not_for_good, done) {
            (true, _, _) => Self::Incomplete,
            (false, true, true) => Self::Partial,
            (false, true, false) => Self::Failed,
            (false, false, _) if dry_run => Self::Planned,
            (false, false, _) => Self::Succeeded,
        }
    }
}
