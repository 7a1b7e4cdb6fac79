//! Where a run stands, and what its targets make of it at its end.

use super::Counts;
use crate::report::Status;

crate::stable_names! {
    /// A record's status: those of a report, and those of what has not ended.
    pub enum RecordStatus {
        /// Recorded, nothing done yet.
        Accepted = "accepted",
        /// Being carried out.
        Running = "running",
        /// The document has violations: nothing was done.
        Rejected = "rejected",
        /// A dry run, nothing blocked or failed.
        Planned = "planned",
        /// Every target is applied or unchanged.
        Succeeded = "succeeded",
        /// Some target failed for now, is unknown or pending.
        Incomplete = "incomplete",
        /// Some succeeded, some failed for good.
        Partial = "partial",
        /// None succeeded, all for good.
        Failed = "failed",
        /// Cancelled before its end.
        Cancelled = "cancelled",
    }
}

impl RecordStatus {
    /// Whether nothing more happens to this run.
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Accepted | Self::Running)
    }

    /// The same word of a report.
    pub const fn of(status: Status) -> Self {
        match status {
            Status::Rejected => Self::Rejected,
            Status::Accepted => Self::Accepted,
            Status::Planned => Self::Planned,
            Status::Succeeded => Self::Succeeded,
            Status::Incomplete => Self::Incomplete,
            Status::Partial => Self::Partial,
            Status::Failed => Self::Failed,
        }
    }
}

/// As what a run is ended early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Halted {
    /// By a person.
    Cancelled,
    /// By a newer generation of the same declaration.
    Superseded,
}

/// A run's status at its end: the one status function over its targets, or `cancelled`.
///
/// A cancelled run is `cancelled` even if nothing was left to skip. One that a newer generation ended is what its
/// targets make of it.
pub fn final_status(counts: &Counts, halt: Option<Halted>, dry_run: bool) -> RecordStatus {
    match halt {
        Some(Halted::Cancelled) => RecordStatus::Cancelled,
        Some(Halted::Superseded) | None => RecordStatus::of(Status::of(counts.verdicts(), dry_run)),
    }
}
