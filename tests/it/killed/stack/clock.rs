//! The clock of all processes of a life, which a test moves.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// The file by which the processes' clocks are moved.
pub(super) struct TestClock {
    pub(super) path: PathBuf,
    ahead: Duration,
}

impl TestClock {
    pub(super) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("clock-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let clock =
            Self { path: PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name), ahead: Duration::ZERO };
        fs::write(&clock.path, "0").unwrap();
        clock
    }

    pub(super) fn advance(&mut self, by: Duration) {
        self.ahead += by;
        // no process reads half of it
        let next = self.path.with_extension("next");
        fs::write(&next, self.ahead.as_millis().to_string()).unwrap();
        fs::rename(next, &self.path).unwrap();
    }
}

impl Drop for TestClock {
    fn drop(&mut self) {
        drop(fs::remove_file(&self.path));
    }
}
