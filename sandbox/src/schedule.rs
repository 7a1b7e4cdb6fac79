//! A schedule: a function that is invoked every so often with the same payload.
//!
//! As EventBridge's rate expressions: the first time after one period, whatever becomes of the invocations. An invocation
//! waits for the one before it, and an error is not tried again; Lambda would start a second process, and try again.

use crate::lambda::{Callable, Invocation, Invoke};
use std::io;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

/// A running schedule; dropping it ends it. The function goes on.
#[derive(Debug)]
pub struct Schedule {
    function: Callable,
    payload: String,
    task: JoinHandle<()>,
}

impl Schedule {
    /// Invokes a function from now on, once each period.
    #[must_use]
    pub fn start(function: impl Into<Callable>, every: Duration, payload: impl Into<String>) -> Self {
        let (function, payload) = (function.into(), payload.into());
        let task = tokio::spawn(repeat(function.clone(), every, payload.clone()));
        Self { function, payload, task }
    }

    /// Invokes it now, besides.
    ///
    /// # Errors
    ///
    /// Its process has ended, and no new one can be started.
    pub async fn run(&self) -> io::Result<Invocation> {
        self.function.invoke(self.payload.as_bytes(), Invoke::default()).await
    }
}

impl Drop for Schedule {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn repeat(function: Callable, every: Duration, payload: String) {
    let mut ticks = interval_at(Instant::now() + every, every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let invoked = function.invoke(payload.as_bytes(), Invoke::default()).await;
        crate::journal::warn(invoked.map(drop));
    }
}
