//! One invocation: what it may choose, and how it ends.

use std::time::Duration;

/// What a caller may choose; by default everything is as Lambda chooses it.
#[derive(Clone, Debug, Default)]
pub struct Invoke {
    /// The deadline that the function gets, in milliseconds since the epoch.
    ///
    /// By default the time of the invocation plus [`Launch::timeout`](super::Launch::timeout).
    /// As in Lambda, the process is killed when it has not answered by then. A deadline in
    /// the past reaches the function and kills nothing: `cargo lambda watch` sends one.
    pub deadline_ms: Option<i64>,
    /// The request id, a random UUID by default.
    pub request_id: Option<String>,
    /// The X-Ray trace header, a random one by default.
    pub trace_id: Option<String>,
}

/// An invocation that has ended.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// The id the function saw as `Lambda-Runtime-Aws-Request-Id`.
    pub request_id: String,
    /// How it ended.
    pub outcome: Answer,
    /// The whole lines the process wrote to its standard output between the moment it took
    /// this invocation and the moment it answered.
    ///
    /// Exact, whatever the timing: see the module `capture`. Invocations that run at the same
    /// time get each other's lines.
    pub output: Vec<String>,
    /// From the hand-over to the process until the answer; from the call of `invoke` if the
    /// process never took it.
    pub duration: Duration,
}

/// How an invocation ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The function answered; the bytes are as it sent them.
    Response(Vec<u8>),
    /// The function reported an error (or Lambda did in its name: `Function.…`).
    Error {
        /// `errorType` of the document, or the header `Lambda-Runtime-Function-Error-Type`.
        error_type: String,
        /// `errorMessage` of the document, or the document itself if it has none.
        error_message: String,
    },
    /// The function reported that it could not start.
    InitError {
        /// As in [`Answer::Error`].
        error_type: String,
        /// As in [`Answer::Error`].
        error_message: String,
    },
    /// The process ended without an answer; its exit code, `None` if a signal ended it.
    Exited(Option<i32>),
    /// No answer by the deadline: the process was killed, as in Lambda.
    TimedOut,
}
