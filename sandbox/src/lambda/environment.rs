//! The execution environment: a process, its two pipes, and the invocations it is given.
//!
//! "Execution environment" is AWS's word for it (page "Understanding the Lambda execution
//! environment lifecycle"). The Runtime API's routes and the function's owner share one.

use super::capture::Capture;
use super::exchange::Exchange;
use super::launch::Launch;
use super::process::{Process, ended};
use super::stream::Stream;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::process::ExitStatus;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Everything that belongs to one function; its process may be replaced by another.
pub(super) struct Environment {
    pub launch: Launch,
    pub exchange: Exchange,
    pub output: Capture,
    pub errors: Capture,
    /// Where the Runtime API listens.
    runtime_api: SocketAddr,
    process: Mutex<Option<Process>>,
}

impl Environment {
    /// An environment without a process.
    pub(super) fn new(launch: Launch, runtime_api: SocketAddr) -> io::Result<Self> {
        Ok(Self {
            exchange: Exchange::new(),
            output: Capture::start(Stream::Output, launch.echo.clone())?,
            errors: Capture::start(Stream::Errors, launch.echo.clone())?,
            runtime_api,
            process: Mutex::new(None),
            launch,
        })
    }

    /// Starts a process, unless one is running.
    pub(super) async fn start_process(self: &Arc<Self>) -> io::Result<()> {
        let first_line = self.output.mark().await;
        let mut process = lock(&self.process);
        if process.as_ref().is_some_and(|process| process.pid().is_some()) {
            return Ok(());
        }
        self.exchange.process_starts(first_line);
        let (started, mut watch) =
            Process::start(&self.launch, &self.runtime_api.to_string(), &self.output, &self.errors)?;
        *process = Some(started);
        drop(process);
        let environment = Arc::clone(self);
        tokio::spawn(async move {
            let status = watch.end().await;
            let end_line = environment.output.mark().await;
            environment.errors.mark().await;
            let code = status.and_then(|status| status.code());
            environment.exchange.process_ended(code, end_line);
            watch.announce(status);
        });
        Ok(())
    }

    /// The process id, `None` if no process is running.
    pub(super) fn pid(&self) -> Option<u32> {
        lock(&self.process).as_ref().and_then(Process::pid)
    }

    /// Kills the process, if there is one, and waits for its end.
    pub(super) async fn kill(&self) {
        if let Some(process) = lock(&self.process).as_ref() {
            process.kill();
        }
        self.process_end().await;
    }

    /// Waits for the process's end; `None` if the system does not report it.
    pub(super) async fn process_end(&self) -> Option<ExitStatus> {
        let status = lock(&self.process).as_ref().map(Process::status)?;
        ended(status).await
    }

    /// Ends the process, and lets the threads that read its output end.
    pub(super) fn close(&self) {
        drop(lock(&self.process).take());
        self.output.close();
        self.errors.close();
    }

    /// The longest that an invocation may wait, with `before` others queued before it.
    ///
    /// Each of them is bounded by its own deadline; this only ends what hangs outside of
    /// any invocation. Lambda gives a start 10 seconds.
    pub(super) fn longest_wait(&self, before: usize) -> Duration {
        let each = self.launch.timeout.max(Duration::from_mins(1));
        let turns = u32::try_from(before).unwrap_or(u32::MAX).saturating_add(1);
        each.saturating_mul(turns).saturating_add(Duration::from_secs(10))
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment")
            .field("launch", &self.launch)
            .field("runtime_api", &self.runtime_api)
            .finish_non_exhaustive()
    }
}

/// Locks, also after a panic elsewhere: the process is there or not, never in between.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
