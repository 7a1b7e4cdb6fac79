//! The process's wall clock, passed in so that a test can move it.

use policy_core::record::Millis;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use time::OffsetDateTime;

/// The time by which leases, debts and retention are measured.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    /// Milliseconds ahead of the machine's own.
    ahead: Arc<AtomicU64>,
}

impl Clock {
    /// Now.
    pub fn now(&self) -> Millis {
        let ahead = Duration::from_millis(self.ahead.load(Ordering::Relaxed));
        Millis::of(OffsetDateTime::now_utc()).plus(ahead)
    }

    /// Moves this clock, and every copy of it, forward: for tests of what happens later.
    pub fn advance(&self, by: Duration) {
        let by = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
        self.ahead.fetch_add(by, Ordering::Relaxed);
    }
}
