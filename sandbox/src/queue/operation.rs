//! The operations of Amazon SQS that are served.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// An operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are Amazon SQS's")]
pub enum Operation {
    ChangeMessageVisibility,
    ChangeMessageVisibilityBatch,
    DeleteMessage,
    DeleteMessageBatch,
    GetQueueAttributes,
    GetQueueUrl,
    ListQueues,
    PurgeQueue,
    ReceiveMessage,
    SendMessage,
    SendMessageBatch,
}

impl Operation {
    /// The operation of this name.
    pub(super) fn named(name: &str) -> Option<Self> {
        serde_json::from_value(Value::from(name)).ok()
    }

    /// Whether it carries several entries, each with an outcome of its own.
    pub(super) const fn is_batch(self) -> bool {
        matches!(self, Self::ChangeMessageVisibilityBatch | Self::DeleteMessageBatch | Self::SendMessageBatch)
    }
}
