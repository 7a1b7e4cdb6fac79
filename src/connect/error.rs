//! The errors of calls to Amazon Connect, by meaning.

use super::attempts::AttemptTracker;
use crate::telemetry::causes;
use aws_sdk_connect::config::http::HttpResponse;
use aws_sdk_connect::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_connect::operation::RequestId;
use policy_core::aws::AccountId;
use policy_core::calls::CallCost;
use policy_core::failure::{ErrorCode, Failure};
use std::error::Error;

/// A call that did not succeed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {detail}")]
pub struct CallError {
    /// What went wrong.
    pub code: ErrorCode,
    /// The error name that the service returned, if any.
    pub service_code: Option<String>,
    /// The message of the service, or the transport's error with all its causes, for the log and the audit. It is text
    /// and not a source, because every target of a shared read gets a copy and nothing matches on it.
    pub detail: String,
    /// Connect's id of the last answer.
    pub request_id: Option<String>,
    /// What the call cost.
    pub cost: CallCost,
    /// Whether the call may have taken effect although it failed.
    pub may_have_taken_effect: bool,
}

impl CallError {
    /// The call was not sent, because it could not have ended in time.
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

    /// The call was not sent, because nobody's credentials reach the account.
    pub(super) fn no_role(account: AccountId) -> Self {
        Self {
            code: ErrorCode::CredentialsUnusable,
            service_code: None,
            detail: format!("not sent: CONNECT_ROLE_ARNS has no role for account {account}"),
            request_id: None,
            cost: CallCost::default(),
            may_have_taken_effect: false,
        }
    }

    /// The invocation's time ran out during the call: it was throttled, or had no answer yet.
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

    /// The failure of the target that the call was for.
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
            // a successful answer that cannot be read
            (None, Some(200..=299)) => ErrorCode::ConnectionFailed,
            (None, _) => ErrorCode::RequestRefused,
        },
        // no request was sent, because there are no credentials: for example, a role cannot be assumed
        SdkError::ConstructionFailure(_) => ErrorCode::CredentialsUnusable,
        SdkError::DispatchFailure(_) if attempts == 0 => ErrorCode::CredentialsUnusable,
        SdkError::DispatchFailure(failure) if failure.is_user() => ErrorCode::RequestRefused,
        _ => ErrorCode::ConnectionFailed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_connect::error::{ConnectorError, ErrorMetadata};

    type Failed = SdkError<ErrorMetadata, HttpResponse>;

    fn dispatch(error: ConnectorError) -> Failed {
        SdkError::dispatch_failure(error)
    }

    #[test]
    fn a_call_without_an_answer_means_what_it_ended_at() {
        let other = || dispatch(ConnectorError::other("no session".into(), None));
        let user = || dispatch(ConnectorError::user("no such header".into()));
        for (error, attempts, code) in [
            (SdkError::construction_failure("no credentials"), 0, ErrorCode::CredentialsUnusable),
            (other(), 0, ErrorCode::CredentialsUnusable),
            (user(), 0, ErrorCode::CredentialsUnusable),
            (other(), 1, ErrorCode::ConnectionFailed),
            (user(), 1, ErrorCode::RequestRefused),
            (SdkError::timeout_error("too slow"), 1, ErrorCode::ConnectionFailed),
        ] {
            assert_eq!(meaning(&error, None, attempts), code, "{error:?}");
        }
    }

    #[test]
    fn an_answer_means_its_name_and_without_a_known_one_its_status() {
        let service = |name: Option<&'static str>| {
            let named = |name| ErrorMetadata::builder().code(name);
            let metadata = name.map_or_else(ErrorMetadata::builder, named).build();
            Failed::service_error(metadata, HttpResponse::new(400.try_into().unwrap(), "".into()))
        };
        for (name, status, code) in [
            (Some("ThrottlingException"), 500, ErrorCode::ThrottlingException),
            (Some("NobodyKnowsException"), 429, ErrorCode::ThrottlingException),
            (None, 429, ErrorCode::ThrottlingException),
            (None, 500, ErrorCode::InternalServiceException),
            (None, 599, ErrorCode::InternalServiceException),
            (None, 403, ErrorCode::AccessDeniedException),
            (None, 404, ErrorCode::ResourceNotFoundException),
            (None, 200, ErrorCode::ConnectionFailed),
            (None, 400, ErrorCode::RequestRefused),
        ] {
            assert_eq!(meaning(&service(name), Some(status), 1), code, "{name:?} {status}");
        }
    }
}
