//! One of the functions of a stack.

use crate::lambda::{Fleet, Launch};
use std::io;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

/// What a function has of its own.
#[derive(Clone, Debug)]
pub struct Role {
    /// The most processes at once.
    pub processes: NonZeroUsize,
    /// Its configured timeout.
    pub timeout: Duration,
    /// Further variables, for example its share of the quota. They come after those that all functions have.
    pub env: Vec<(String, String)>,
}

impl Role {
    /// A function of so many processes, at least one, and this timeout.
    #[must_use]
    pub const fn new(processes: usize, timeout: Duration) -> Self {
        let processes = match NonZeroUsize::new(processes) {
            Some(processes) => processes,
            None => NonZeroUsize::MIN,
        };
        Self { processes, timeout, env: Vec::new() }
    }

    /// The same, with one more variable.
    #[must_use]
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    /// The function, none of whose processes has started.
    pub(super) fn fleet(self, base: &Launch, suffix: &str, triggers: &str) -> io::Result<Arc<Fleet>> {
        let name = format!("{}-{suffix}", base.name());
        let mut launch = base.clone().named(&name).env("ACCEPTED_TRIGGERS", triggers);
        launch.timeout = self.timeout;
        launch.env.extend(self.env);
        Fleet::new(launch, self.processes)
    }
}
