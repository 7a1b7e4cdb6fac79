//! The errors Amazon Connect answers with.

use hyper::StatusCode;

use super::{caller::Caller, operation::Operation};

/// An error answer: a status, a name and a message.
///
/// The name goes into `x-amzn-errortype`, the message into the body's `Message`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub status: StatusCode,
    /// `None` for an answer that does not name its error.
    pub name: Option<&'static str>,
    pub message: String,
    /// `x-amz-retry-after`, in milliseconds.
    pub retry_after_ms: Option<u64>,
}

impl Refusal {
    fn new(status: StatusCode, name: &'static str, message: String) -> Self {
        Self { status, name: Some(name), message, retry_after_ms: None }
    }

    pub(super) fn invalid_parameter(message: String) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "InvalidParameterException", message)
    }

    /// For operations whose model has no `InvalidParameterException`.
    pub(super) fn invalid_request(message: String) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "InvalidRequestException", message)
    }

    /// The same refusal by an operation whose model has no `InvalidParameterException`.
    pub(super) fn into_invalid_request(self) -> Self {
        match self.name {
            Some("InvalidParameterException") => Self::invalid_request(self.message),
            _ => self,
        }
    }

    pub(super) fn not_found(message: String) -> Self {
        Self::new(StatusCode::NOT_FOUND, "ResourceNotFoundException", message)
    }

    pub(super) fn throttled() -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "ThrottlingException", "Rate exceeded".to_owned())
    }

    pub(super) fn throttled_untyped() -> Self {
        Self { name: None, ..Self::throttled() }
    }

    pub(super) fn too_many_requests() -> Self {
        Self { name: Some("TooManyRequestsException"), ..Self::throttled() }
    }

    pub(super) fn internal(message: String) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalServiceException", message)
    }

    pub(super) fn unavailable(retry_after_ms: Option<u64>) -> Self {
        let message = "the service is unavailable, try again".to_owned();
        let refusal = Self::new(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailableException", message);
        Self { retry_after_ms, ..refusal }
    }

    pub(super) fn access_denied(caller: &Caller, operation: Operation) -> Self {
        let account = &caller.account;
        let message = format!(
            "User: arn:aws:sts::{account}:assumed-role/sandbox/sandbox is not authorized to perform: \
             connect:{operation} because no identity-based policy allows the connect:{operation} action"
        );
        Self::new(StatusCode::FORBIDDEN, "AccessDeniedException", message)
    }

    pub(super) fn expired_token() -> Self {
        let message = "The security token included in the request is expired".to_owned();
        Self::new(StatusCode::FORBIDDEN, "ExpiredTokenException", message)
    }

    pub(super) fn missing_authentication_token() -> Self {
        let message = "the request has no Authorization header".to_owned();
        Self::new(StatusCode::FORBIDDEN, "MissingAuthenticationTokenException", message)
    }

    pub(super) fn incomplete_signature(message: String) -> Self {
        Self::new(StatusCode::FORBIDDEN, "IncompleteSignatureException", message)
    }

    /// A well-formed signature for another service or day.
    pub(super) fn invalid_signature(message: String) -> Self {
        Self::new(StatusCode::FORBIDDEN, "InvalidSignatureException", message)
    }

    pub(super) fn unknown_operation(method: &str, path: &str) -> Self {
        let message = format!("no operation is served at `{method} {path}`");
        Self::new(StatusCode::NOT_FOUND, "UnknownOperationException", message)
    }

    pub(super) fn too_large(limit: usize) -> Self {
        let message = format!("the body is larger than {limit} bytes");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLargeException", message)
    }
}
