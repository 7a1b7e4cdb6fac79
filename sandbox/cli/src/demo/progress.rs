//! How far a change of many targets is.

use super::print;
use std::io::{self, IsTerminal};

const WIDTH: usize = 40;

/// A bar on a terminal; elsewhere a number at each quarter.
#[derive(Debug)]
pub(super) struct Progress {
    all: usize,
    quarters: usize,
}

impl Progress {
    /// Nothing of so much.
    pub(super) const fn of(all: usize) -> Self {
        Self { all, quarters: 0 }
    }

    /// Shows that so much is done, and a word besides.
    pub(super) fn show(&mut self, done: usize, word: &str) -> io::Result<()> {
        let all = self.all.max(1);
        if io::stdout().is_terminal() {
            let full = (done * WIDTH / all).min(WIDTH);
            let bar = "█".repeat(full) + &"·".repeat(WIDTH - full);
            // Erases what a longer word left (ECMA-48, EL).
            return print(&format!("\r  {bar} {done}/{all} {word}\x1b[K"));
        }
        let quarters = done * 4 / all;
        if quarters > self.quarters {
            self.quarters = quarters;
            return print(&format!("  {done}/{all}"));
        }
        Ok(())
    }
}
