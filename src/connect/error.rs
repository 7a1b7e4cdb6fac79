//! What can go wrong with a call, by meaning.

use super::attempts::AttemptTracker;
use crate::telemetry::causes;
use aws_sdk_connect::config::http::HttpResponse;
use aws_sdk_connect::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_connect::operation::RequestId;
use std::error::Error;

/// A call that did not succeed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallError {
    /// What went wrong.
    pub cause: Cause,
    /// The service's error name where it gave one, else ours.
    pub code: String,
    /// What the service or the transport said: for the log.
    pub detail: String,
    /// Connect's id of the last answer.
    pub request_id: Option<String>,
    /// Requests sent.
    pub attempts: u32,
    /// How many of them were throttled.
    pub throttled: u32,
    /// Whether it may have taken effect all the same.
    pub may_have_taken_effect: bool,
}

/// What went wrong, by what a caller can do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// Connect refuses the values.
    InvalidParameter,
    /// There is no such instance.
    NotFound,
    /// Our role may not; our misconfiguration.
    AccessDenied,
    /// Our credentials are expired or unusable; Lambda hands out new ones.
    Credentials,
    /// Throttled to the last attempt.
    Throttled,
    /// Connect failed on its side.
    Internal,
    /// No usable answer: not reached, cut off, or unreadable.
    Transport,
    /// The invocation's time ran out.
    Deadline,
    /// Any other refusal.
    Refused,
}

impl Cause {
    /// Whether the same call later could succeed. Total, so that a new cause has to be decided.
    pub const fn is_retryable(self) -> bool {
        match self {
            Self::Credentials | Self::Throttled | Self::Internal | Self::Transport | Self::Deadline => true,
            Self::InvalidParameter | Self::NotFound | Self::AccessDenied | Self::Refused => false,
        }
    }

    /// For the caller: what it means, without what only the operator should read.
    pub const fn message(self) -> &'static str {
        match self {
            Self::InvalidParameter => "Amazon Connect refuses these values",
            Self::NotFound => "Amazon Connect has no such instance in this account and Region",
            Self::AccessDenied => "Amazon Connect denies this function access; its role lacks the permission",
            Self::Credentials => "this function's AWS credentials were not accepted",
            Self::Throttled => "Amazon Connect throttled every attempt",
            Self::Internal => "Amazon Connect failed",
            Self::Transport => "Amazon Connect gave no usable answer",
            Self::Deadline => "no answer came before the invocation's time ran out",
            Self::Refused => "Amazon Connect refused the call",
        }
    }
}

impl CallError {
    /// Nothing was sent: it could not have ended in time.
    pub fn out_of_time() -> Self {
        Self {
            cause: Cause::Deadline,
            code: unnamed(Cause::Deadline).to_owned(),
            detail: "not begun: it could not end before the invocation's deadline".to_owned(),
            request_id: None,
            attempts: 0,
            throttled: 0,
            may_have_taken_effect: false,
        }
    }

    /// The call was cut off by the invocation's own end: while it was throttled, or without an answer.
    pub(super) fn deadline(attempts: &AttemptTracker) -> Self {
        let throttled = attempts.throttled() > 0 && !attempts.may_have_taken_effect();
        let cause = if throttled { Cause::Throttled } else { Cause::Deadline };
        Self {
            cause,
            code: unnamed(cause).to_owned(),
            detail: "cut off before the invocation's deadline".to_owned(),
            request_id: None,
            attempts: attempts.attempts(),
            throttled: attempts.throttled(),
            may_have_taken_effect: attempts.may_have_taken_effect(),
        }
    }

    pub(super) fn from_sdk<E>(error: &SdkError<E, HttpResponse>, attempts: &AttemptTracker) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let status = error.raw_response().map(|response| response.status().as_u16());
        let cause = cause(error, status, attempts.attempts());
        let code = error.code().filter(|_| matches!(error, SdkError::ServiceError(_)));
        Self {
            cause,
            code: code.map_or_else(|| unnamed(cause).to_owned(), str::to_owned),
            detail: match error.message() {
                Some(message) => message.to_owned(),
                None => causes(error),
            },
            request_id: error.request_id().map(str::to_owned),
            attempts: attempts.attempts(),
            throttled: attempts.throttled(),
            may_have_taken_effect: attempts.may_have_taken_effect(),
        }
    }
}

/// One total match from the SDK's error to its meaning; names first, then the status.
fn cause<E: ProvideErrorMetadata>(
    error: &SdkError<E, HttpResponse>,
    status: Option<u16>,
    attempts: u32,
) -> Cause {
    match error {
        SdkError::ServiceError(_) => match (error.code(), status) {
            (Some("InvalidParameterException" | "InvalidRequestException" | "ValidationException"), _) => {
                Cause::InvalidParameter
            }
            (Some("ResourceNotFoundException"), _) => Cause::NotFound,
            (Some("AccessDeniedException"), _) => Cause::AccessDenied,
            (
                Some(
                    "ExpiredTokenException"
                    | "ExpiredToken"
                    | "UnrecognizedClientException"
                    | "InvalidSignatureException"
                    | "InvalidClientTokenId"
                    | "RequestExpired",
                ),
                _,
            ) => Cause::Credentials,
            (Some("ThrottlingException" | "TooManyRequestsException"), _) | (_, Some(429)) => {
                Cause::Throttled
            }
            (_, Some(500..=599)) => Cause::Internal,
            (_, Some(403)) => Cause::AccessDenied,
            (_, Some(404)) => Cause::NotFound,
            // an answer that says it succeeded but cannot be read
            (_, Some(200..=299)) => Cause::Transport,
            _ => Cause::Refused,
        },
        // no request was made or sent: without credentials (a role that may not be assumed) there is none
        SdkError::ConstructionFailure(_) => Cause::Credentials,
        SdkError::DispatchFailure(_) if attempts == 0 => Cause::Credentials,
        SdkError::DispatchFailure(failure) if failure.is_user() => Cause::Refused,
        _ => Cause::Transport,
    }
}

/// Our name for what has none of the service's.
const fn unnamed(cause: Cause) -> &'static str {
    match cause {
        Cause::InvalidParameter => "InvalidParameterException",
        Cause::NotFound => "ResourceNotFoundException",
        Cause::AccessDenied => "AccessDeniedException",
        Cause::Credentials => "CredentialsUnusable",
        Cause::Throttled => "ThrottlingException",
        Cause::Internal => "InternalServiceException",
        Cause::Transport => "ConnectionFailed",
        Cause::Deadline => "DeadlineExceeded",
        Cause::Refused => "RequestRefused",
    }
}
