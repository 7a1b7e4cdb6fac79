//! Ctrl-C and its relatives, as an event instead of an end.

use std::io;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Takes the signals over, so that the program ends in order and its function with it.
#[derive(Debug)]
pub(crate) struct Interrupt {
    keyboard: Signal,
    polite: Signal,
    hang_up: Signal,
}

impl Interrupt {
    /// From now on, SIGINT, SIGTERM and SIGHUP end nothing by themselves.
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
