//! A function: an execution environment, and the Runtime API it is invoked through.

use super::api;
use super::environment::Environment;
use super::invocation::{Answer, Invocation, Invoke};
use super::launch::Launch;
use crate::identifier::uuid;
use crate::loopback::{Port, Server};
use bytes::Bytes;
use std::io;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A function process and the Runtime API it is invoked through.
///
/// Dropping it kills the process and waits for its end. A process whose owner was itself
/// killed loses its Runtime API and ends at its next poll.
#[derive(Debug)]
pub struct Function {
    environment: Arc<Environment>,
    _runtime_api: Server,
}

impl Function {
    /// Starts the process and returns at once: the first invocation waits for it.
    ///
    /// # Errors
    ///
    /// There is no free port, pipe or process, or no such program; the message names it.
    pub async fn start(launch: Launch) -> io::Result<Self> {
        let port = Port::take(0).await?;
        let environment = Arc::new(Environment::new(launch, port.address())?);
        environment.start_process().await?;
        let server = port.serve(api::router(Arc::clone(&environment)));
        Ok(Self { environment, _runtime_api: server })
    }

    /// Invokes the function and waits for its answer, its end, or its deadline.
    ///
    /// Concurrent calls queue in order. The process gets one at a time, or as many as it has
    /// polls waiting.
    pub async fn invoke(&self, payload: &[u8]) -> Invocation {
        self.invoke_with(payload, Invoke::default()).await
    }

    /// The same, with a deadline or ids of the caller's choice.
    pub async fn invoke_with(&self, payload: &[u8], mut options: Invoke) -> Invocation {
        let asked = Instant::now();
        let request_id = options.request_id.take().unwrap_or_else(uuid);
        let payload = Bytes::copy_from_slice(payload);
        let environment = &self.environment;
        let (finished, before) = environment.exchange.ask(payload, request_id.clone(), options);
        let limit = environment.longest_wait(before);
        let (outcome, (first, end), duration) = match tokio::time::timeout(limit, finished).await {
            Ok(Ok(finished)) => (finished.answer, finished.lines, finished.duration),
            // The exchange was dropped, and the process with it.
            Ok(Err(_)) => (Answer::Exited(None), (0, 0), asked.elapsed()),
            // Never taken, or never begun: the process hangs outside of any invocation.
            Err(_) => {
                environment.kill().await;
                (Answer::TimedOut, (0, 0), asked.elapsed())
            }
        };
        Invocation { request_id, outcome, output: environment.output.between(first, end), duration }
    }

    /// Waits until the process has this many polls waiting, for as long as that takes.
    pub async fn polled(&self, polls: usize) {
        self.environment.exchange.polled(polls).await;
    }

    /// The most invocations that the process has worked on at once so far.
    #[must_use]
    pub fn most_at_once(&self) -> usize {
        self.environment.exchange.most()
    }

    /// Every whole line of standard output so far, except those taken.
    ///
    /// In the order written, over all invocations; [`Function::torn_output`] is what follows.
    #[must_use]
    pub fn output(&self) -> Vec<String> {
        self.environment.output.whole()
    }

    /// What follows the last line break of standard output, if anything.
    ///
    /// A process killed while writing leaves such a piece.
    #[must_use]
    pub fn torn_output(&self) -> Option<String> {
        self.environment.output.torn()
    }

    /// Every whole line of standard output so far, which are then forgotten.
    ///
    /// For long runs, between invocations.
    #[must_use]
    pub fn take_output(&self) -> Vec<String> {
        self.environment.output.take()
    }

    /// Standard error so far.
    #[must_use]
    pub fn errors(&self) -> String {
        let mut lines = self.environment.errors.whole();
        lines.extend(self.environment.errors.torn());
        lines.join("\n")
    }

    /// The function's name, [`Launch::name`].
    #[must_use]
    pub fn name(&self) -> &str {
        self.environment.launch.name()
    }

    /// The configured timeout, [`Launch::timeout`].
    #[must_use]
    pub fn timeout(&self) -> Duration {
        self.environment.launch.timeout
    }

    /// The process id, `None` once the process has ended.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.environment.pid()
    }

    /// Kills the process (SIGKILL) and waits for its end and for the last of its output.
    pub async fn kill(&self) {
        self.environment.kill().await;
    }

    /// Ends the process now and waits for its end, without a runtime; it cannot be started again.
    pub(super) fn close(&self) {
        self.environment.close();
    }

    /// Waits for the process's end; `None` if the system does not report it.
    pub async fn stopped(&self) -> Option<ExitStatus> {
        self.environment.process_end().await
    }

    /// Starts a new process if the last one has ended, as Lambda does for an invocation.
    ///
    /// # Errors
    ///
    /// As [`Function::start`].
    pub async fn ensure_running(&self) -> io::Result<()> {
        // Asked first, since every invocation comes through here and a start waits for the pipe.
        if self.pid().is_some() {
            return Ok(());
        }
        self.environment.start_process().await
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        self.close();
    }
}
