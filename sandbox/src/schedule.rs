//! A schedule: a function that is invoked every so often with the same payload.
//!
//! As EventBridge's rate expressions: the first time after one period, whatever becomes of the invocations. Unlike Lambda,
//! which would start a second process, an invocation waits for the one before it, and an error is not tried again.

use crate::lambda::{Function, Invocation};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

/// A running schedule; dropping it ends it. The function goes on.
#[derive(Debug)]
pub struct Schedule {
    function: Arc<Function>,
    payload: String,
    task: JoinHandle<()>,
}

impl Schedule {
    /// Invokes a function from now on, once each period.
    #[must_use]
    pub fn start(function: Arc<Function>, every: Duration, payload: impl Into<String>) -> Self {
        let payload = payload.into();
        let task = tokio::spawn(repeat(Arc::clone(&function), every, payload.clone()));
        Self { function, payload, task }
    }

    /// Invokes it now, besides.
    ///
    /// # Errors
    ///
    /// Its process has ended, and no new one can be started.
    pub async fn run(&self) -> io::Result<Invocation> {
        run(&self.function, &self.payload).await
    }
}

impl Drop for Schedule {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn repeat(function: Arc<Function>, every: Duration, payload: String) {
    let mut ticks = interval_at(Instant::now() + every, every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        crate::journal::warn(run(&function, &payload).await.map(drop));
    }
}

async fn run(function: &Function, payload: &str) -> io::Result<Invocation> {
    function.ensure_running().await?;
    Ok(function.invoke(payload.as_bytes()).await)
}
