//! A run's part in one account and Region.

use super::{Counts, LaneName, Millis, RecordedError};
use std::time::Duration;

crate::stable_names! {
    /// Where a run's lane stands. All but `open` are for good.
    pub enum LaneState {
        /// Not finished.
        Open = "open",
        /// Every target is done.
        Done = "done",
        /// Too many deliveries without progress.
        Parked = "parked",
        /// The change was cancelled.
        Cancelled = "cancelled",
        /// Too many targets failed (`stopAfterFailures`).
        Stopped = "stopped",
        /// A newer generation of the same declaration took over.
        Superseded = "superseded",
    }
}

/// The delivery that works on a lane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Its own token.
    pub token: String,
    /// When it is surely dead: its deadline and 65 seconds.
    pub until: Millis,
}

/// A run's lane, as its item has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LanePart {
    /// Which lane.
    pub name: LaneName,
    /// Where it stands.
    pub state: LaneState,
    /// The delivery that works on it; absent between deliveries.
    pub delivery: Option<Delivery>,
    /// Deliveries begun in all.
    pub deliveries: u32,
    /// Deliveries begun since the last progress.
    pub stalled: u32,
    /// When there was progress last.
    pub moved: Option<Millis>,
    /// Its targets, where they are known before `"*"` is resolved.
    pub planned: Option<u32>,
    /// How many targets are done.
    pub done: u32,
    /// The name of the parts that hold what `"*"` means in this lane.
    pub resolved: Option<String>,
    /// At its end: how its targets ended.
    pub counts: Counts,
    /// At the end of a dry run: the hash of its results.
    pub hash: Option<String>,
    /// Why its last delivery left something undone, unless only time was short.
    pub error: Option<RecordedError>,
}

impl LanePart {
    /// Whether a delivery may be at work: one that has neither left nor is surely dead.
    pub fn is_delivered(&self, now: Millis) -> bool {
        self.delivery.as_ref().is_some_and(|delivery| now <= delivery.until)
    }

    /// Since when it makes no progress; `submitted` is its run's time.
    ///
    /// One that was never taken up waits for its turn. It stalls only as far as nobody had a turn in its group, so that a
    /// long change before it raises no alarm for it.
    pub fn stalls_since(&self, submitted: Millis, last_delivery: Option<Millis>) -> Millis {
        let since = self.moved.unwrap_or(submitted);
        if self.deliveries == 0 { last_delivery.map_or(since, |at| at.max(since)) } else { since }
    }
}

/// What a delivery does that has just begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnBegin {
    /// Carry out what is left.
    Work,
    /// Too many deliveries before it made no progress: end the lane as parked.
    Park,
    /// The lane has ended: acknowledge.
    Ended,
}

/// What to do with a lane whose delivery has been counted: `part` is as it is afterwards.
///
/// The delivery after `max_stalled` ones without progress does not try once more: it may be the one that crashes.
pub fn on_begin(part: &LanePart, max_stalled: u32) -> OnBegin {
    match part.state {
        LaneState::Open if part.stalled > max_stalled => OnBegin::Park,
        LaneState::Open => OnBegin::Work,
        LaneState::Done
        | LaneState::Parked
        | LaneState::Cancelled
        | LaneState::Stopped
        | LaneState::Superseded => OnBegin::Ended,
    }
}

/// How long a message stays away after a delivery that left something undone: not at all after progress, else 15 s,
/// doubled by each delivery without it, up to 15 minutes.
pub fn retry_delay(stalled: u32) -> Duration {
    const FIRST: Duration = Duration::from_secs(15);
    const LONGEST: Duration = Duration::from_mins(15);
    let Some(doubled) = stalled.checked_sub(1) else { return Duration::ZERO };
    // 2^6 times 15 s are 16 minutes already
    FIRST.saturating_mul(1 << doubled.min(6)).min(LONGEST)
}
