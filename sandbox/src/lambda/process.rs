//! One operating-system process that cannot outlive its owner.

use super::capture::Capture;
use super::launch::Launch;
use std::io;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

/// A running or ended process; dropping it kills it and waits for its end.
///
/// `std`'s child and not tokio's, so that the process has ended when the drop returns, with or
/// without a runtime: no zombie, and no process that outlives its test.
pub(super) struct Process {
    child: Arc<Mutex<Child>>,
    pid: u32,
    status: watch::Receiver<Option<ExitStatus>>,
}

impl Process {
    /// Starts the program, its outputs going into the two captures.
    pub(super) fn start(
        launch: &Launch,
        runtime_api: &str,
        output: &Capture,
        errors: &Capture,
    ) -> io::Result<(Self, Watch)> {
        // Before the process starts, so that its end cannot be missed.
        let ends = signal(SignalKind::child())?;
        let mut command = Command::new(&launch.binary);
        if launch.clear_env {
            command.env_clear();
        }
        command
            .envs(launch.env.iter().map(|(name, value)| (name, value)))
            .env("AWS_LAMBDA_RUNTIME_API", runtime_api)
            .stdin(Stdio::null())
            .stdout(output.stdio()?)
            .stderr(errors.stdio()?);
        let child = command.spawn().map_err(|error| {
            let binary = launch.binary.display();
            io::Error::new(error.kind(), format!("cannot start `{binary}`: {error}"))
        })?;
        let pid = child.id();
        let child = Arc::new(Mutex::new(child));
        let (announce, status) = watch::channel(None);
        let watch = Watch { child: Arc::clone(&child), ends, announce };
        Ok((Self { child, pid, status }, watch))
    }

    /// The process id, while it runs.
    pub(super) fn pid(&self) -> Option<u32> {
        self.status.borrow().is_none().then_some(self.pid)
    }

    /// Sends SIGKILL; nothing if the process has ended.
    pub(super) fn kill(&self) {
        // The only error is that the process has ended.
        let _ = lock(&self.child).kill();
    }

    /// For waiting until the end; see [`ended`].
    pub(super) fn status(&self) -> watch::Receiver<Option<ExitStatus>> {
        self.status.clone()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let mut child = lock(&self.child);
        // Both fail only if the process has been waited for.
        let _ = child.kill();
        let _ = child.wait();
    }
}

/// Waits until a process has ended; `None` if its watch was dropped.
pub(super) async fn ended(mut status: watch::Receiver<Option<ExitStatus>>) -> Option<ExitStatus> {
    status.wait_for(Option::is_some).await.ok().and_then(|s| *s)
}

/// Notices the end of a process.
pub(super) struct Watch {
    child: Arc<Mutex<Child>>,
    ends: Signal,
    announce: watch::Sender<Option<ExitStatus>>,
}

impl Watch {
    /// Waits for the end; `None` if the system no longer reports it.
    pub(super) async fn end(&mut self) -> Option<ExitStatus> {
        loop {
            // Not in the `match`: the lock must not be held across the await.
            let state = lock(&self.child).try_wait();
            match state {
                Ok(Some(status)) => return Some(status),
                Ok(None) => self.ends.recv().await?,
                Err(_) => return None,
            }
        }
    }

    /// Wakes everyone who waits in [`ended`].
    pub(super) fn announce(self, status: Option<ExitStatus>) {
        self.announce.send_replace(status);
    }
}

fn lock(child: &Mutex<Child>) -> MutexGuard<'_, Child> {
    child.lock().unwrap_or_else(PoisonError::into_inner)
}
