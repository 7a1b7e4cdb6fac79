//! Receipt handles: which receive of which message.

use super::refusal::Refusal;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// What a receipt handle stands for. The handle is opaque to clients, and different for each receive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Receipt {
    /// The message's number within its queue.
    pub message: u64,
    /// The number of the receive, over all messages.
    pub receive: u64,
}

impl Receipt {
    /// The handle, for clients of this queue.
    pub(super) fn handle(&self, queue: &str) -> String {
        STANDARD.encode(format!("{queue} {} {}", self.message, self.receive))
    }

    /// Reads a handle that this queue gave.
    pub(super) fn read(handle: &str, queue: &str) -> Result<Self, Refusal> {
        let read = || {
            let text = String::from_utf8(STANDARD.decode(handle).ok()?).ok()?;
            let mut parts = text.strip_prefix(queue)?.strip_prefix(' ')?.split(' ');
            let receipt = Self { message: parts.next()?.parse().ok()?, receive: parts.next()?.parse().ok()? };
            parts.next().is_none().then_some(receipt)
        };
        read().ok_or_else(Refusal::invalid_receipt)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_is_read_by_the_queue_that_gave_it_only() {
        let receipt = Receipt { message: 7, receive: 12 };
        let handle = receipt.handle("changes.fifo");
        assert_eq!(Receipt::read(&handle, "changes.fifo"), Ok(receipt));
        for (handle, queue) in
            [(handle.as_str(), "changes"), ("made up", "changes.fifo"), ("", "changes.fifo")]
        {
            assert_eq!(Receipt::read(handle, queue), Err(Refusal::invalid_receipt()), "{handle}");
        }
    }
}
