//! A function: a process, its Runtime API, and the two pipes it writes to.

use super::api;
use super::capture::{Capture, Stream};
use super::exchange::Exchange;
use super::identifier::uuid;
use super::invocation::{Answer, Invocation, Invoke};
use super::launch::Launch;
use super::process::{Process, ended};
use axum::serve::ListenerExt;
use bytes::Bytes;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitStatus;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A function process and the Runtime API it is invoked through.
///
/// Dropping it kills the process and waits for its end. A process whose owner was itself
/// killed loses its Runtime API and ends at its next poll.
#[derive(Debug)]
pub struct Function {
    shared: Arc<Shared>,
    server: JoinHandle<io::Result<()>>,
}

/// What the Runtime API's routes and the function's owner both need.
pub(super) struct Shared {
    pub launch: Launch,
    pub exchange: Exchange,
    pub output: Capture,
    errors: Capture,
    address: SocketAddr,
    process: Mutex<Option<Process>>,
}

impl Function {
    /// Starts the process and returns at once: the first invocation waits for it.
    ///
    /// # Errors
    ///
    /// If no port, pipe or process can be had; a missing binary is named.
    pub async fn start(launch: Launch) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let shared = Arc::new(Shared {
            exchange: Exchange::new(),
            output: Capture::start(Stream::Output, launch.echo.clone())?,
            errors: Capture::start(Stream::Errors, launch.echo.clone())?,
            address: listener.local_addr()?,
            process: Mutex::new(None),
            launch,
        });
        shared.start_process().await?;
        // Delayed packets would show as 40 ms per invocation; without them all still works.
        let listener = listener.tap_io(|stream| {
            let _ = stream.set_nodelay(true);
        });
        let serving = axum::serve(listener, api::router(Arc::clone(&shared)));
        let server = tokio::spawn(async move { serving.await });
        Ok(Self { shared, server })
    }

    /// Invokes the function and waits for its answer, its end, or its deadline.
    ///
    /// Concurrent calls queue in order; one is served at a time, or as many as the process
    /// has polls waiting.
    pub async fn invoke(&self, payload: &[u8]) -> Invocation {
        self.invoke_with(payload, Invoke::default()).await
    }

    /// The same, with a deadline or ids of the caller's own.
    pub async fn invoke_with(&self, payload: &[u8], mut options: Invoke) -> Invocation {
        let asked = Instant::now();
        let request_id = options.request_id.take().unwrap_or_else(uuid);
        let payload = Bytes::copy_from_slice(payload);
        let shared = &self.shared;
        let (finished, before) = shared.exchange.ask(payload, request_id.clone(), options);
        let limit = shared.longest_wait(before);
        let (outcome, (first, end), duration) = match tokio::time::timeout(limit, finished).await {
            Ok(Ok(finished)) => (finished.answer, finished.lines, finished.duration),
            // Not told how it ended: only if the process went away with the exchange.
            Ok(Err(_)) => (Answer::Exited(None), (0, 0), asked.elapsed()),
            // Never taken, or never begun: the process hangs outside of any invocation.
            Err(_) => {
                shared.kill().await;
                (Answer::TimedOut, (0, 0), asked.elapsed())
            }
        };
        Invocation { request_id, outcome, output: shared.output.between(first, end), duration }
    }

    /// Waits until the process has so many polls waiting, for as long as that takes.
    pub async fn polled(&self, polls: usize) {
        self.shared.exchange.polled(polls).await;
    }

    /// The most invocations that were in the process's hands at once so far.
    #[must_use]
    pub fn most_at_once(&self) -> usize {
        self.shared.exchange.most()
    }

    /// Every whole line of standard output so far, except those taken.
    ///
    /// In the order written, over all invocations; [`Function::torn_output`] is what follows.
    #[must_use]
    pub fn output(&self) -> Vec<String> {
        self.shared.output.whole()
    }

    /// What stands behind the last line break of standard output, if anything.
    ///
    /// A process killed while writing leaves such a piece.
    #[must_use]
    pub fn torn_output(&self) -> Option<String> {
        self.shared.output.torn()
    }

    /// Every whole line of standard output so far, which are then forgotten.
    ///
    /// For long runs, between invocations.
    #[must_use]
    pub fn take_output(&self) -> Vec<String> {
        self.shared.output.take()
    }

    /// Standard error so far.
    #[must_use]
    pub fn errors(&self) -> String {
        let mut lines = self.shared.errors.whole();
        lines.extend(self.shared.errors.torn());
        lines.join("\n")
    }

    /// The configured timeout, as [`Launch::timeout`] says.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        self.shared.launch.timeout
    }

    /// The process id, `None` once the process has ended.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        lock(&self.shared.process).as_ref().and_then(Process::pid)
    }

    /// Kills the process (SIGKILL) and waits for its end and for the last of its output.
    pub async fn kill(&self) {
        self.shared.kill().await;
    }

    /// Waits for the process's end; `None` if the system does not tell it.
    pub async fn stopped(&self) -> Option<ExitStatus> {
        self.shared.process_end().await
    }

    /// Starts a new process if the last one has ended, as Lambda does for an invocation.
    ///
    /// # Errors
    ///
    /// As [`Function::start`].
    pub async fn ensure_running(&self) -> io::Result<()> {
        if self.pid().is_some() {
            return Ok(());
        }
        self.shared.start_process().await
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        self.server.abort();
        drop(lock(&self.shared.process).take());
        self.shared.output.close();
        self.shared.errors.close();
    }
}

impl Shared {
    async fn start_process(self: &Arc<Self>) -> io::Result<()> {
        let first_line = self.output.mark().await;
        let mut process = lock(&self.process);
        if process.as_ref().is_some_and(|process| process.pid().is_some()) {
            return Ok(());
        }
        self.exchange.process_starts(first_line);
        let (started, mut watch) =
            Process::start(&self.launch, &self.address.to_string(), &self.output, &self.errors)?;
        *process = Some(started);
        drop(process);
        let shared = Arc::clone(self);
        tokio::spawn(async move {
            let status = watch.end().await;
            let end_line = shared.output.mark().await;
            shared.errors.mark().await;
            let code = status.and_then(|status| status.code());
            shared.exchange.process_ended(code, end_line);
            watch.announce(status);
        });
        Ok(())
    }

    /// Kills the process, if there is one, and waits for its end.
    pub(super) async fn kill(&self) {
        if let Some(process) = lock(&self.process).as_ref() {
            process.kill();
        }
        self.process_end().await;
    }

    async fn process_end(&self) -> Option<ExitStatus> {
        let status = lock(&self.process).as_ref().map(Process::status)?;
        ended(status).await
    }

    /// How long an invocation may wait in all, `before` others being before it.
    ///
    /// Each of them is bounded by its own deadline; this only ends what hangs outside of
    /// any invocation. Lambda gives a start 10 seconds.
    fn longest_wait(&self, before: usize) -> Duration {
        let each = self.launch.timeout.max(Duration::from_mins(1));
        let turns = u32::try_from(before).unwrap_or(u32::MAX).saturating_add(1);
        each.saturating_mul(turns).saturating_add(Duration::from_secs(10))
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared")
            .field("launch", &self.launch)
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

/// A panic elsewhere does not make a process wrong.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
