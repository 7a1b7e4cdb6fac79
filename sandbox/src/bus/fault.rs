//! What can go wrong between a client and the bus.

use crate::faults::Kind;
use serde::Serialize;

/// The operation that is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the name is Amazon EventBridge's")]
pub enum Operation {
    PutEvents,
}

/// A way for a request to go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// 400 `ThrottlingException`, no effect.
    Throttled,
    /// 500 `InternalException`, no effect.
    Internal,
    /// 503 `ServiceUnavailable`, no effect.
    Unavailable,
    /// 200, but every entry failed with `InternalFailure` and was not taken.
    EntryFailed,
    /// The connection ends without an answer, no effect.
    Closed,
    /// The events are taken, then the connection ends without an answer.
    AnswerLost,
    /// The events are taken, then there is no answer for as long as the client waits.
    NeverAnswered,
}

impl Kind for Fault {
    type Operation = Operation;

    fn can_happen_to(self, _: Operation) -> bool {
        true
    }
}
