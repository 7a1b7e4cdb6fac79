//! What a queue is created with.

use std::time::Duration;

/// The account that every queue belongs to.
pub(super) const ACCOUNT: &str = "111122223333";
/// The Region that every queue is in.
pub(super) const REGION: &str = "us-east-1";

/// A queue: its name, and its attributes as "`SetQueueAttributes`" of Amazon SQS's API reference has them.
///
/// A name that ends with `.fifo` is a FIFO queue's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Its name.
    pub name: String,
    /// How long a received message stays invisible.
    pub visibility_timeout: Duration,
    /// How long a message is kept.
    pub retention: Duration,
    /// How long a receive waits for a message, unless the request says so.
    pub receive_wait: Duration,
    /// Whether a FIFO queue takes the SHA-256 of a body as its deduplication id, where none is given.
    pub content_based_deduplication: bool,
    /// Where a message goes that was received too often.
    pub dead_letters: Option<DeadLetters>,
}

/// A redrive policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetters {
    /// The name of the dead-letter queue, which is of the same kind.
    pub queue: String,
    /// So many times a message is received before it goes there.
    pub max_receives: u32,
}

impl Settings {
    /// A queue with the defaults of Amazon SQS: 30 seconds of invisibility, 4 days of retention, nothing else.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            visibility_timeout: Duration::from_secs(30),
            retention: Duration::from_hours(4 * 24),
            receive_wait: Duration::ZERO,
            content_based_deduplication: false,
            dead_letters: None,
        }
    }

    /// The same, with another visibility timeout.
    #[must_use]
    pub const fn visibility_timeout(mut self, timeout: Duration) -> Self {
        self.visibility_timeout = timeout;
        self
    }

    /// The same, with deduplication by content.
    #[must_use]
    pub const fn content_based_deduplication(mut self) -> Self {
        self.content_based_deduplication = true;
        self
    }

    /// The same, with a dead-letter queue.
    #[must_use]
    pub fn dead_letters(mut self, queue: impl Into<String>, max_receives: u32) -> Self {
        self.dead_letters = Some(DeadLetters { queue: queue.into(), max_receives });
        self
    }

    /// Whether it is a FIFO queue.
    #[must_use]
    pub fn is_fifo(&self) -> bool {
        self.name.as_bytes().ends_with(b".fifo")
    }

    /// Its ARN.
    #[must_use]
    pub fn arn(&self) -> String {
        arn(&self.name)
    }
}

/// The ARN of a queue of this name.
pub(crate) fn arn(name: &str) -> String {
    format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{name}")
}
