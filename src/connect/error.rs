//! What can go wrong with a call, by meaning.

use super::attempts::AttemptTracker;
use crate::telemetry::causes;
use aws_sdk_connect::config::http::HttpResponse;
use aws_sdk_connect::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_connect::operation::RequestId;
use policy_core::calls::CallCost;
use policy_core::failure::{ErrorCode, Failure};
use std::error::Error;

/// A call that did not succeed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {detail}")]
pub struct CallError {
    /// What went wrong.
    pub code: ErrorCode,
    /// The service's error name, where it gave one.
    pub service_code: Option<String>,
    /// What the service or the transport said: for the log.
    pub detail: String,
    /// Connect's id of the last answer.
    pub request_id: Option<String>,
    /// What the call cost.
    pub cost: CallCost,
    /// Whether the call may have taken effect although it failed.
    pub may_have_taken_effect: bool,
}

impl CallError {
    /// Nothing was sent: it could not have ended in time.
    pub fn out_of_time() -> Self {
        Self {
            code: ErrorCode::NoTimeLeft,
            service_code: None,
            detail: "not started: too little time before the invocation's deadline".to_owned(),
            request_id: None,
            cost: CallCost::default(),
            may_have_taken_effect: false,
        }
    }

    /// The call was cut off by the invocation's own end: while it was throttled, or without an answer.
    pub(super) fn deadline(attempts: &AttemptTracker) -> Self {
        let cost = attempts.cost();
        let may_have_taken_effect = attempts.may_have_taken_effect();
        let code = match cost {
            CallCost { attempts: 0, .. } => ErrorCode::NoTimeLeft,
            CallCost { throttled: 1.., .. } if !may_have_taken_effect => ErrorCode::ThrottlingException,
            _ => ErrorCode::DeadlineExceeded,
        };
        let detail = "stopped shortly before the invocation's deadline".to_owned();
        Self { code, service_code: None, detail, request_id: None, cost, may_have_taken_effect }
    }

    pub(super) fn from_sdk<E>(error: &SdkError<E, HttpResponse>, attempts: &AttemptTracker) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let status = error.raw_response().map(|response| response.status().as_u16());
        let cost = attempts.cost();
        let code = meaning(error, status, cost.attempts);
        let service_code = error.code().filter(|_| matches!(error, SdkError::ServiceError(_)));
        Self {
            code,
            service_code: service_code.map(str::to_owned),
            detail: error.message().map_or_else(|| causes(error), str::to_owned),
            request_id: error.request_id().map(str::to_owned),
            cost,
            may_have_taken_effect: attempts.may_have_taken_effect(),
        }
    }

    /// Why its target is not as asked.
    pub fn failure(&self) -> Failure {
        Failure::new(self.code).with_service_code(self.service_code.clone()).with_detail(self.detail.clone())
    }
}

/// One total match from the SDK's error to its meaning; names first, then the status.
fn meaning<E: ProvideErrorMetadata>(
    error: &SdkError<E, HttpResponse>,
    status: Option<u16>,
    attempts: u32,
) -> ErrorCode {
    match error {
        SdkError::ServiceError(_) => match (error.code().and_then(ErrorCode::of_service), status) {
            (Some(code), _) => code,
            (None, Some(429)) => ErrorCode::ThrottlingException,
            (None, Some(500..=599)) => ErrorCode::InternalServiceException,
            (None, Some(403)) => ErrorCode::AccessDeniedException,
            (None, Some(404)) => ErrorCode::ResourceNotFoundException,
            // an answer that says it succeeded but cannot be read
            (None, Some(200..=299)) => ErrorCode::ConnectionFailed,
            (None, _) => ErrorCode::RequestRefused,
        },
        // no request was made or sent: without credentials (a role that may not be assumed) there is none
        SdkError::ConstructionFailure(_) => ErrorCode::CredentialsUnusable,
        SdkError::DispatchFailure(_) if attempts == 0 => ErrorCode::CredentialsUnusable,
        SdkError::DispatchFailure(failure) if failure.is_user() => ErrorCode::RequestRefused,
        _ => ErrorCode::ConnectionFailed,
    }
}
