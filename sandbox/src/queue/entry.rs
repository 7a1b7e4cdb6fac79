//! One line of the journal: a request to a queue, and its answer.

use super::fault::Fault;
use super::operation::Operation;
use crate::journal::Numbered;
use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;

/// One request and its answer.
///
/// It is entered when the request arrives and completed before the answer is sent.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Entry {
    /// The request's number, from 1; clearing the journal does not start it again.
    pub sequence: u64,
    /// When it arrived.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// The operation; `None` if it is not served.
    pub operation: Option<Operation>,
    /// The name of the queue.
    pub queue: Option<String>,
    /// The client's count of its attempts at this call.
    pub attempt: Option<u32>,
    /// The body as it was sent.
    pub body: Value,
    /// Whether it was carried out.
    pub executed: bool,
    /// The ids of the messages that it sent or received. A message that repeats another one has that one's id.
    pub messages: Vec<String>,
    /// The status answered; `None` if there was no answer.
    pub status: Option<u16>,
    /// The name of the error answered, as clients report it.
    pub error: Option<String>,
    /// The fault that it got.
    pub fault: Option<Fault>,
}

impl Numbered for Entry {
    fn sequence(&self) -> u64 {
        self.sequence
    }

    fn number(&mut self, sequence: u64) {
        self.sequence = sequence;
    }
}
