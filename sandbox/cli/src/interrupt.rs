//! Ctrl-C and similar signals.

use std::io;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Receives the signals, so that the program can end in order and end its function.
#[derive(Debug)]
pub(crate) struct Interrupt {
    keyboard: Signal,
    polite: Signal,
    hang_up: Signal,
}

impl Interrupt {
    /// From now on, SIGINT, SIGTERM and SIGHUP do not end the program.
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self {
            keyboard: signal(SignalKind::interrupt())?,
            polite: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// Waits for the first of them.
    pub(crate) async fn arrived(&mut self) {
        tokio::select! {
            _ = self.keyboard.recv() => {}
            _ = self.polite.recv() => {}
            _ = self.hang_up.recv() => {}
        }
    }
}
