//! What the bus has received: requests, and the events that it took.

use super::fault::Fault;
use crate::journal::Numbered;
use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;

/// An event that the bus took.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Event {
    /// Its id, of which each event has its own.
    pub id: String,
    /// The bus that was named, as it was.
    pub bus: String,
    /// Who says it.
    pub source: String,
    /// What kind of event it is.
    pub detail_type: String,
    /// When it happened, in seconds since 1970; the arrival if the producer does not say.
    pub time: f64,
    /// The event itself.
    pub detail: Value,
    /// The same as it was sent.
    pub text: String,
}

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
    /// The client's count of its attempts at this call.
    pub attempt: Option<u32>,
    /// The body as it was sent.
    pub body: Value,
    /// How many events of it were taken.
    pub taken: usize,
    /// The status answered; `None` if there was no answer.
    pub status: Option<u16>,
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
