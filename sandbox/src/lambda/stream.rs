//! What a process writes, and who may watch it.

use std::sync::Arc;

/// Which of a process's two outputs a line was written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard output: in Lambda, the log.
    Output,
    /// Standard error: in Lambda, the log too.
    Errors,
}

/// Called with every whole line a function process writes, as it comes.
pub type Echo = Arc<dyn Fn(Stream, &str) + Send + Sync>;
