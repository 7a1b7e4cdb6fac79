use std::error::Error;

/// A request to the ledger that has no answer to give.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// Throttled, unavailable or unreachable, after retries. What was to be written may have been.
    #[error("the ledger did not answer")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
    /// DynamoDB refuses the request itself: a defect of ours, a missing table, a missing permission.
    #[error("the ledger refused the request")]
    Refused(#[source] Box<dyn Error + Send + Sync>),
    /// An item is not what this version writes.
    #[error("the ledger's item `{item}` {what}")]
    Corrupt {
        /// Its key.
        item: String,
        /// What is wrong with it.
        what: String,
    },
}
