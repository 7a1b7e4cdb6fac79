//! What a submission means for a record that is there already.

use super::{ChangeRecord, Millis, Mode, Order, RecordStatus, RunKey};

/// The most `replay-name`s that a record takes: it keeps each, so that each runs once.
pub const MAX_REPLAYS: usize = 100;

/// A change as it was submitted, as far as its record asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Submitted<'a> {
    /// [`hash_of`](super::hash_of) its targets and values.
    pub hash: &'a str,
    /// Whether the caller chose the id.
    pub chosen: bool,
    /// Whether nothing is to be changed.
    pub dry_run: bool,
    /// `replay-name` of an event that a replay sent.
    pub replay: Option<&'a str>,
    /// Its accepted time.
    pub at: Millis,
}

/// What becomes of a submission whose record exists. docs/ledger.md has one row for each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission {
    /// The id belongs to other targets or values: 409 `ChangeIdReused`, or parked as rejected.
    Reused,
    /// A dry run meets a real run that has not ended, or the other way round: 409 `ChangeRunning`, or try again.
    Busy,
    /// The same change is under way: 202 with its `Location`. The plan is completed now where `sent` is false.
    Running,
    /// A repetition continues the run. By lanes: complete the plan and acknowledge. Inline: take it over.
    Continue,
    /// A repetition of an inline run that is being carried out right now: try again later.
    Later,
    /// A repetition of a run that has ended: its recorded answer.
    Recorded,
    /// A new run.
    NextRun {
        /// Its number.
        run: u32,
        /// Its key.
        key: RunKey,
        /// Its place in the order.
        order: Order,
    },
    /// The record has had [`MAX_REPLAYS`] replays.
    TooManyReplays,
}

/// Decides about a submission that found a record under its id.
///
/// A replayed event is treated as a repetition even if its producer chose the id: a replay brings old values, so
/// its run keeps its old place in the order, and each replay runs once.
pub fn admit(old: &ChangeRecord, new: &Submitted<'_>, now: Millis) -> Admission {
    let next = |accepted| Admission::NextRun {
        run: old.run.saturating_add(1),
        key: RunKey::next(Some(old.key), now),
        order: Order { accepted, change_id: old.change_id.clone() },
    };
    let later = new.at.max(Millis(old.order.accepted.0.saturating_add(1)));
    // a rejected document had no targets to compare, and keeps nobody from sending a better one
    if old.status == RecordStatus::Rejected {
        return next(later);
    }
    if old.hash != new.hash {
        return Admission::Reused;
    }
    let is_chosen = new.chosen && new.replay.is_none();
    if !old.status.is_final() {
        return match (old.dry_run == new.dry_run, is_chosen) {
            (false, _) => Admission::Busy,
            (true, true) => Admission::Running,
            (true, false) if is_held(old, now) => Admission::Later,
            (true, false) => Admission::Continue,
        };
    }
    if is_chosen {
        return next(later);
    }
    match new.replay {
        Some(name) if !old.replays.contains(name) => {
            if old.replays.len() < MAX_REPLAYS {
                next(old.order.accepted)
            } else {
                Admission::TooManyReplays
            }
        }
        _ if old.status == RecordStatus::Incomplete => next(old.order.accepted),
        _ => Admission::Recorded,
    }
}

/// Whether a living invocation carries the run out.
fn is_held(old: &ChangeRecord, now: Millis) -> bool {
    old.mode == Mode::Inline && old.holder.as_ref().is_some_and(|holder| now <= holder.until)
}
