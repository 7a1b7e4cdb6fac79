//! What calls cost: attempts, throttles, time on the wire, time spent waiting for the quota.

use std::time::Duration;

/// What one call cost, or several together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CallCost {
    /// Requests sent.
    pub attempts: u32,
    /// How many of them were throttled.
    pub throttled: u32,
    /// From each request to its answer; neither the wait for the quota nor the back-off before a retry.
    pub took: Duration,
    /// Time spent waiting for the rate limit, retries included.
    pub waited: Duration,
}

impl CallCost {
    /// The sum of both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            attempts: self.attempts + other.attempts,
            throttled: self.throttled + other.throttled,
            took: self.took + other.took,
            waited: self.waited + other.waited,
        }
    }
}

/// What all calls of one invocation cost, for its metrics.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallTotals {
    /// The sum over all calls, reads included.
    pub all: CallCost,
    /// Update requests sent, retries included.
    pub update_attempts: u32,
    /// Each update's time from request to answer, its retries included.
    pub updates: Vec<Duration>,
}
