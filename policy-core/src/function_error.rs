//! Lambda's `errorType`: what Step Functions' `Catch` and alarms match on.

use crate::report::Status;
use crate::stable_names;

stable_names! {
    /// Why an invocation ends as a function error. Stable; docs/problems.md explains each.
    pub enum FunctionErrorType {
        /// The document has violations: nothing was done.
        PolicyChangeRejected,
        /// Targets are blocked, superseded or failed for good.
        PolicyChangeFailed,
        /// Some target failed for now, is unknown or pending: the same change again helps.
        PolicyChangeIncomplete,
        /// The payload is of no known trigger, or carries the marks of several.
        UnrecognisedPayload,
        /// The payload is a known trigger's, but broken.
        MalformedPayload,
        /// `ACCEPTED_TRIGGERS` does not name the payload's trigger.
        TriggerNotAccepted,
        /// The ledger could not be read or written.
        LedgerUnavailable,
        /// CloudFormation could not be answered.
        AnswerNotDelivered,
        /// The answer could not be written as JSON.
        AnswerNotEncoded,
    }
}

impl FunctionErrorType {
    /// The error of a report that is no success.
    pub const fn of(status: Status) -> Self {
        match status {
            Status::Rejected => Self::PolicyChangeRejected,
            Status::Incomplete => Self::PolicyChangeIncomplete,
            Status::Failed | Status::Partial | Status::Planned | Status::Succeeded | Status::Accepted => {
                Self::PolicyChangeFailed
            }
        }
    }
}
