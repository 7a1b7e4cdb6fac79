//! What can go wrong between a client and the queues.

use super::operation::Operation;
use super::refusal::Refusal;
use crate::faults::Kind;
use serde::{Serialize, Serializer};
use std::fmt;
use std::time::Duration;

/// A way for a request to go wrong.
///
/// With a fault that names an *effect*, the operation is carried out first. If it is refused, the refusal is the answer,
/// or is lost like one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// 400 `RequestThrottled`, no effect.
    Throttled,
    /// 403 `AccessDenied`, no effect.
    Denied,
    /// 500 `InternalFailure`, no effect.
    Internal,
    /// 503 `ServiceUnavailable`, no effect.
    Unavailable,
    /// The connection ends without an answer, no effect.
    Closed,
    /// The effect, then the connection ends without an answer.
    AnswerLost,
    /// The effect, then no answer for as long as the client waits.
    NeverAnswered,
    /// The effect at once, the answer after this long.
    Slow(Duration),
    /// 200, but the first, third, fifth … entry failed with `InternalError` and had no effect. Batches only.
    PartlyFailed,
}

impl Kind for Fault {
    type Operation = Operation;

    fn can_happen_to(self, operation: Operation) -> bool {
        self != Self::PartlyFailed || operation.is_batch()
    }
}

impl Fault {
    /// The error that is answered instead of carrying the operation out; `None` for the other faults.
    pub(super) fn refusal(self, operation: Operation) -> Option<Refusal> {
        match self {
            Self::Throttled => Some(Refusal::throttled()),
            Self::Denied => Some(Refusal::denied(&format!("{operation:?}"))),
            Self::Internal => Some(Refusal::internal()),
            Self::Unavailable => Some(Refusal::unavailable()),
            Self::Closed | Self::AnswerLost | Self::NeverAnswered | Self::Slow(_) | Self::PartlyFailed => {
                None
            }
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Throttled => "throttled",
            Self::Denied => "denied",
            Self::Internal => "500",
            Self::Unavailable => "503",
            Self::Closed => "closed",
            Self::AnswerLost => "answer-lost",
            Self::NeverAnswered => "never-answered",
            Self::Slow(duration) => return write!(formatter, "slow:{}", duration.as_millis()),
            Self::PartlyFailed => "partly-failed",
        })
    }
}

impl Serialize for Fault {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
