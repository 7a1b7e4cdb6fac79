//! One line of a mapping's journal: an invocation with a batch.

use crate::journal::Numbered;
use crate::lambda::Answer;
use crate::queue::Received;
use serde::Serialize;
use std::time::Duration;
use time::OffsetDateTime;

/// An invocation with a batch of messages, from its beginning on.
#[derive(Clone, Debug, Serialize)]
pub struct Delivery {
    /// Its number, from 1.
    pub sequence: u64,
    /// When the messages were received.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// The messages of the batch.
    pub messages: Vec<Delivered>,
    /// The number of the process, as in [`Fleet::functions`](crate::lambda::Fleet::functions); `None` until there is one.
    pub process: Option<usize>,
    /// The invocation's request id, once it has ended.
    pub request_id: Option<String>,
    /// How the invocation ended; `None` while it is under way.
    #[serde(skip)]
    pub answer: Option<Answer>,
    /// How long it took.
    pub duration: Duration,
    /// The ids of the messages that were deleted afterwards.
    pub deleted: Vec<String>,
}

/// A message of a batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Delivered {
    /// Its id.
    pub id: String,
    /// Its group.
    pub group: Option<String>,
    /// How often it has been received, this time included.
    pub receives: u32,
}

impl Delivery {
    pub(super) fn of(batch: &[Received], at: OffsetDateTime) -> Self {
        let messages = batch.iter().map(|received| Delivered {
            id: received.message.id.clone(),
            group: received.message.group.clone(),
            receives: received.message.receives,
        });
        Self {
            sequence: 0,
            at,
            messages: messages.collect(),
            process: None,
            request_id: None,
            answer: None,
            duration: Duration::ZERO,
            deleted: Vec::new(),
        }
    }
}

impl Numbered for Delivery {
    fn sequence(&self) -> u64 {
        self.sequence
    }

    fn number(&mut self, sequence: u64) {
        self.sequence = sequence;
    }
}
