//! Why an invocation never reached the function.

use axum::http::StatusCode;
use std::fmt;

/// An error of the service model: its name, its status, its message.
///
/// Function errors are not among them: they are answers, with status 200 (page "Invoke").
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub status: StatusCode,
    pub name: &'static str,
    pub message: String,
}

impl Refusal {
    fn new(status: StatusCode, name: &'static str, message: String) -> Self {
        Self { status, name, message }
    }

    pub(super) fn not_found(arn: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "ResourceNotFoundException", format!("Function not found: {arn}"))
    }

    pub(super) fn too_large(limit: usize) -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "RequestTooLargeException",
            format!("Request must be smaller than {limit} bytes for the InvokeFunction operation"),
        )
    }

    pub(super) fn not_json(error: &dyn fmt::Display) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "InvalidRequestContentException",
            format!("Could not parse request body into json: {error}"),
        )
    }

    pub(super) fn unknown_type(found: &str) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "InvalidParameterValueException",
            format!("X-Amz-Invocation-Type must be RequestResponse, Event or DryRun, not `{found}`"),
        )
    }

    pub(super) fn not_started(error: &dyn fmt::Display) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "ServiceException", error.to_string())
    }

    pub(super) fn unknown_operation() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "UnknownOperationException",
            "only `POST /2015-03-31/functions/{name}/invocations` is served here".to_owned(),
        )
    }
}
