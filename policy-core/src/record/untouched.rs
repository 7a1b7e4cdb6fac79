//! The targets of a run that have no result, because they were not begun. No item says so: it follows from the plan, and
//! from where their lane stands.

use super::{ChangeRecord, Halted, LanePart, LaneState, Mode, TargetName};
use crate::failure::{ErrorCode, Failure};
use crate::policy::ChangeId;
use crate::report::OutcomeKind;

/// As what the targets of a lane stand that have no result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// In the report's word.
    pub outcome: OutcomeKind,
    /// Why they are not begun any more; absent: they are still to be begun, or nobody noted why they were not.
    pub why: Option<Failure>,
}

/// A target that was not begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Untouched {
    /// Which target.
    pub target: TargetName,
    /// The change's id as reported: in a batch that of its change.
    pub change_id: ChangeId,
    /// As what it stands.
    pub standing: Standing,
}

impl Standing {
    /// Whether targets of the run that have no result can stand as this. Those that a newer generation overtook stand as
    /// superseded, beside others with such a result.
    pub fn may_be(outcome: OutcomeKind, change: &ChangeRecord) -> bool {
        match outcome {
            OutcomeKind::Pending | OutcomeKind::Skipped => true,
            OutcomeKind::Superseded => {
                change.halt.as_ref().is_some_and(|halt| halt.as_what == Halted::Superseded)
            }
            _ => false,
        }
    }

    const fn of(outcome: OutcomeKind, code: ErrorCode) -> Self {
        Self { outcome, why: Some(Failure::new(code)) }
    }

    const fn of_halt(halted: Halted) -> Self {
        match halted {
            Halted::Cancelled => Self::of(OutcomeKind::Skipped, ErrorCode::Cancelled),
            Halted::Superseded => Self::of(OutcomeKind::Superseded, ErrorCode::NewerChange),
        }
    }

    /// Of a run, and its lane where it is carried out by lanes. One whose item is not there yet is open.
    pub fn in_lane(change: &ChangeRecord, lane: Option<&LanePart>) -> Self {
        let pending = Self { outcome: OutcomeKind::Pending, why: None };
        match (change.mode, lane.map(|lane| lane.state)) {
            (Mode::Inline, _) => {
                if !change.status.is_final() {
                    return pending;
                }
                let has_stopped = change.stop_after.is_some_and(|most| change.failures >= most);
                match &change.halt {
                    Some(halt) => Self::of_halt(halt.as_what),
                    None if has_stopped => Self::of(OutcomeKind::Skipped, ErrorCode::StoppedAfterFailures),
                    None => pending,
                }
            }
            (Mode::Lanes, None | Some(LaneState::Open | LaneState::Done)) => pending,
            (Mode::Lanes, Some(LaneState::Parked)) => Self::of(OutcomeKind::Pending, ErrorCode::LaneParked),
            (Mode::Lanes, Some(LaneState::Cancelled)) => Self::of_halt(Halted::Cancelled),
            (Mode::Lanes, Some(LaneState::Superseded)) => Self::of_halt(Halted::Superseded),
            (Mode::Lanes, Some(LaneState::Stopped)) => {
                Self::of(OutcomeKind::Skipped, ErrorCode::StoppedAfterFailures)
            }
        }
    }
}

/// Where a page ends that has targets of two lists, each in the order of the targets: at the nearer of the ends up to which
/// they were read, and after `limit` targets at most. `None`: nothing follows.
pub fn end_of_page<'t>(
    ends: [Option<&'t TargetName>; 2],
    targets: impl Iterator<Item = &'t TargetName>,
    limit: usize,
) -> Option<&'t TargetName> {
    let mut targets: Vec<_> = targets.collect();
    targets.sort_unstable();
    let is_full = targets.len() > limit;
    let last = limit.checked_sub(1).and_then(|last| targets.get(last).copied()).filter(|_| is_full);
    ends.into_iter().flatten().chain(last).min()
}
