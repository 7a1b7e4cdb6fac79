//! The process's wall clock, passed in so that a test can move it.

use policy_core::record::Millis;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use time::OffsetDateTime;

/// The time by which leases, debts and retention are measured.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    /// Milliseconds ahead of the machine's own.
    ahead: Arc<AtomicU64>,
    /// A file that says the same to several processes at once.
    shared: Option<Arc<Path>>,
}

impl Clock {
    /// The machine's own. A development build is ahead of it by the milliseconds in the file that `TEST_CLOCK` names,
    /// so that tests can let time pass for a whole stack; a release build does not know the variable.
    pub fn of(lookup: &dyn Fn(&str) -> Option<String>) -> Self {
        let shared = if cfg!(development) { lookup("TEST_CLOCK") } else { None };
        Self { shared: shared.map(|path| PathBuf::from(path).into()), ..Self::default() }
    }

    /// Now.
    pub fn now(&self) -> Millis {
        let own = self.ahead.load(Ordering::Relaxed);
        let ahead = Duration::from_millis(own.saturating_add(self.shared_ahead()));
        Millis::of(OffsetDateTime::now_utc()).plus(ahead)
    }

    /// Moves this clock, and every copy of it, forward: for tests of what happens later.
    pub fn advance(&self, by: Duration) {
        let by = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
        self.ahead.fetch_add(by, Ordering::Relaxed);
    }

    fn shared_ahead(&self) -> u64 {
        let text = self.shared.as_deref().and_then(|path| fs::read_to_string(path).ok());
        text.and_then(|text| text.trim().parse().ok()).unwrap_or_default()
    }
}
