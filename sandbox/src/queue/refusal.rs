//! The errors that Amazon SQS answers with.

use hyper::StatusCode;

/// The namespace of the errors that the service's model has.
const MODELLED: &str = "com.amazonaws.sqs";
/// The namespace of those that it has not.
const COMMON: &str = "com.amazon.coral.service";

/// An error answer.
///
/// It has two names: that of AWS JSON, in the body, and that of the older query protocol, in the header
/// `x-amzn-query-error`, which clients report ("`awsQueryCompatible`" of the Smithy specification).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub status: StatusCode,
    namespace: &'static str,
    pub name: &'static str,
    /// The name in the query protocol.
    pub code: &'static str,
    pub message: String,
}

impl Refusal {
    fn modelled(name: &'static str, code: &'static str, message: impl Into<String>) -> Self {
        let status = StatusCode::BAD_REQUEST;
        Self { status, namespace: MODELLED, name, code, message: message.into() }
    }

    fn common(name: &'static str, code: &'static str, message: impl Into<String>) -> Self {
        Self { namespace: COMMON, ..Self::modelled(name, code, message) }
    }

    /// `__type` of the body.
    pub(super) const fn namespace(&self) -> &'static str {
        self.namespace
    }

    /// The header `x-amzn-query-error`.
    pub(super) fn query_error(&self) -> String {
        format!("{};{}", self.code, if self.is_the_senders() { "Sender" } else { "Receiver" })
    }

    /// Whether the request was wrong, and not the service.
    pub(super) fn is_the_senders(&self) -> bool {
        self.status.is_client_error()
    }

    pub(super) fn no_such_queue() -> Self {
        Self::modelled(
            "QueueDoesNotExist",
            "AWS.SimpleQueueService.NonExistentQueue",
            "The specified queue does not exist.",
        )
    }

    /// A value that no queue takes, or not this kind of queue.
    pub(super) fn invalid_value(parameter: &str, value: impl std::fmt::Display, reason: &str) -> Self {
        let message = format!("Value {value} for parameter {parameter} is invalid. Reason: {reason}");
        Self::invalid(message)
    }

    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::common("InvalidParameterValueException", "InvalidParameterValue", message)
    }

    pub(super) fn missing(parameter: &str) -> Self {
        let message = format!("The request must contain the parameter {parameter}.");
        Self::common("MissingRequiredParameterException", "MissingParameter", message)
    }

    pub(super) fn invalid_contents() -> Self {
        Self::modelled(
            "InvalidMessageContents",
            "InvalidMessageContents",
            "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to \
             #xFFFD | #x10000 to #x10FFFF",
        )
    }

    pub(super) fn invalid_receipt() -> Self {
        Self::modelled(
            "ReceiptHandleIsInvalid",
            "ReceiptHandleIsInvalid",
            "The input receipt handle is invalid.",
        )
    }

    pub(super) fn not_in_flight(handle: &str) -> Self {
        let message = format!(
            "Value {handle} for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not \
             available for visibility timeout change."
        );
        Self::modelled("MessageNotInflight", "AWS.SimpleQueueService.MessageNotInflight", message)
    }

    pub(super) fn unknown_attribute(name: &str) -> Self {
        let message = format!("Unknown Attribute {name}.");
        Self::modelled("InvalidAttributeName", "InvalidAttributeName", message)
    }

    pub(super) fn empty_batch(entry: &str) -> Self {
        let message = format!("There should be at least one {entry} in the request.");
        Self::modelled("EmptyBatchRequest", "AWS.SimpleQueueService.EmptyBatchRequest", message)
    }

    pub(super) fn too_many_entries(count: usize) -> Self {
        let message = format!("Maximum number of entries per request are 10. You have sent {count}.");
        Self::modelled(
            "TooManyEntriesInBatchRequest",
            "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
            message,
        )
    }

    pub(super) fn entry_id_repeated(id: &str) -> Self {
        let message = format!("Id {id} repeated.");
        Self::modelled("BatchEntryIdsNotDistinct", "AWS.SimpleQueueService.BatchEntryIdsNotDistinct", message)
    }

    pub(super) fn invalid_entry_id() -> Self {
        Self::modelled(
            "InvalidBatchEntryId",
            "AWS.SimpleQueueService.InvalidBatchEntryId",
            "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at \
             most 80 letters long.",
        )
    }

    pub(super) fn batch_too_long(limit: usize, length: usize) -> Self {
        let message =
            format!("Batch requests cannot be longer than {limit} bytes. You have sent {length} bytes.");
        Self::modelled("BatchRequestTooLong", "AWS.SimpleQueueService.BatchRequestTooLong", message)
    }

    pub(super) fn purge_in_progress(queue: &str) -> Self {
        let message = format!("Only one PurgeQueue operation on {queue} is allowed every 60 seconds.");
        Self::modelled("PurgeQueueInProgress", "AWS.SimpleQueueService.PurgeQueueInProgress", message)
    }

    /// An operation that is not served here.
    pub(super) fn unsupported(operation: &str) -> Self {
        let message = format!("The sandbox's queues do not serve {operation}.");
        Self::modelled("UnsupportedOperation", "AWS.SimpleQueueService.UnsupportedOperation", message)
    }

    pub(super) fn unreadable(message: impl Into<String>) -> Self {
        Self::common("SerializationException", "MalformedInput", message)
    }

    pub(super) fn unsigned() -> Self {
        let refusal = Self::common(
            "MissingAuthenticationTokenException",
            "MissingAuthenticationToken",
            "Request is missing Authentication Token",
        );
        Self { status: StatusCode::FORBIDDEN, ..refusal }
    }

    pub(super) fn throttled() -> Self {
        Self::modelled("RequestThrottled", "RequestThrottled", "Request is throttled.")
    }

    pub(super) fn denied(operation: &str) -> Self {
        let message = format!("Access to the resource is denied: sqs:{operation}.");
        Self {
            status: StatusCode::FORBIDDEN,
            ..Self::common("AccessDeniedException", "AccessDenied", message)
        }
    }

    pub(super) fn internal() -> Self {
        let refusal = Self::common("InternalFailure", "InternalFailure", "An internal error occurred.");
        Self { status: StatusCode::INTERNAL_SERVER_ERROR, ..refusal }
    }

    pub(super) fn unavailable() -> Self {
        let refusal = Self::common("ServiceUnavailable", "ServiceUnavailable", "The service is unavailable.");
        Self { status: StatusCode::SERVICE_UNAVAILABLE, ..refusal }
    }
}
