//! The one status function.

use crate::stable_names;

/// What one target contributes to the status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It holds the requested values.
    Done,
    /// The same change again would help.
    NotYet,
    /// It failed for good: sending the change again does not help.
    NotForGood,
}

stable_names! {
    /// A report's status.
    pub enum Status {
        /// The document has violations: nothing was done.
        Rejected = "rejected",
        /// Queued whole, nothing done yet.
        Accepted = "accepted",
        /// A dry run, nothing blocked or failed.
        Planned = "planned",
        /// Every target is applied or unchanged.
        Succeeded = "succeeded",
        /// At least one target failed for now, is unknown or pending: the same change again would help.
        Incomplete = "incomplete",
        /// None of those; some succeeded, some failed, or are blocked, superseded or skipped for good.
        Partial = "partial",
        /// None succeeded, all for good.
        Failed = "failed",
    }
}

impl Status {
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
