//! When an invocation must be over, and how much of its time belongs to what.

use crate::connect::CALL_TIME;
use std::time::Duration;
use tokio::time::Instant;

/// Kept back from every invocation to write the audit and answer: encoding the longest report and
/// a thousand audit lines take tens of milliseconds at the CPU share of a 128 MB function.
const ANSWER: Duration = Duration::from_millis(300);
/// What follows the targets takes at most this part of a short invocation.
const SHARE: u32 = 4;
/// Where the invocation's deadline is unknown.
const UNKNOWN: Duration = Duration::from_secs(30);

/// When an invocation must end.
#[derive(Debug, Clone, Copy)]
pub struct Deadline {
    calls: Instant,
    end: Instant,
}

impl Deadline {
    /// `left`: from now to the invocation's deadline. One already past at the start means unknown
    /// (`cargo lambda watch` sends the year 1970): 30 seconds then.
    ///
    /// `afterwards`: what the trigger may have to do once the targets are done, such as parking an event or
    /// making messages visible again. An invocation that Lambda ends before that leaves its messages
    /// invisible for the queue's whole visibility timeout.
    pub fn new(now: Instant, left: Option<Duration>, afterwards: Duration) -> Self {
        let left = left.filter(|left| !left.is_zero()).unwrap_or(UNKNOWN);
        let usable = left.saturating_sub(ANSWER);
        let afterwards = afterwards.min(left / SHARE);
        Self { calls: now + usable.saturating_sub(afterwards), end: now + usable }
    }

    /// Until when calls to Amazon Connect may run.
    pub fn calls(self) -> Instant {
        self.calls
    }

    /// Until when everything but the answer must be done.
    pub fn end(self) -> Instant {
        self.end
    }

    /// How long until everything but the answer must be done.
    pub fn left(self) -> Duration {
        self.end.saturating_duration_since(Instant::now())
    }

    /// Whether work of this length, started at `now`, is certain to end in time.
    pub fn leaves(self, now: Instant, work: Duration) -> bool {
        now + work <= self.last_update()
    }

    /// The last moment to begin an update.
    pub(super) fn last_update(self) -> Instant {
        self.calls.checked_sub(CALL_TIME).unwrap_or(self.calls)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(left_ms: u64, afterwards_ms: u64) -> (u128, u128) {
        let now = Instant::now();
        let afterwards = Duration::from_millis(afterwards_ms);
        let deadline = Deadline::new(now, Some(Duration::from_millis(left_ms)), afterwards);
        ((deadline.calls() - now).as_millis(), (deadline.end() - now).as_millis())
    }

    #[test]
    fn what_follows_the_walk_keeps_its_time_but_at_most_a_quarter() {
        assert_eq!(left(900_000, 10_000), (889_700, 899_700));
        assert_eq!(left(8_000, 10_000), (5_700, 7_700));
        assert_eq!(left(29_000, 0), (28_700, 28_700));
        assert_eq!(left(200, 10_000), (0, 0));
    }

    #[test]
    fn an_unknown_deadline_is_30_seconds_away() {
        let now = Instant::now();
        for unknown in [None, Some(Duration::ZERO)] {
            let deadline = Deadline::new(now, unknown, Duration::ZERO);
            assert_eq!((deadline.calls() - now).as_millis(), 29_700);
        }
    }
}
