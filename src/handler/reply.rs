//! What an invocation answers with: a document, or a function error.

use lambda_runtime::Diagnostic;
use policy_core::function_error::FunctionErrorType;
use policy_core::report::{self, Report};
use serde_json::value::RawValue;
use std::fmt;

/// The function error of an invocation that did not do what was requested.
#[derive(Clone, PartialEq, Eq)]
pub struct FunctionError {
    /// `errorType`: stable, for Step Functions' `Catch` and for alarms.
    pub error_type: FunctionErrorType,
    /// `errorMessage`: the report as JSON where there is one, else a sentence.
    pub message: String,
}

/// The runtime logs it like this: the type, not the report a second time.
impl fmt::Debug for FunctionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.error_type.name())
    }
}

impl From<FunctionError> for Diagnostic {
    fn from(error: FunctionError) -> Self {
        Self { error_type: error.error_type.name().to_owned(), error_message: error.message }
    }
}

impl FunctionError {
    pub(super) fn new(error_type: FunctionErrorType, message: &dyn fmt::Display) -> Self {
        let message = message.to_string();
        Self { error_type, message }
    }

    /// A report of an unsuccessful change, as a function error.
    pub(super) fn of(report: &Report) -> Self {
        let message = report::encode(report).unwrap_or_default();
        Self { error_type: FunctionErrorType::of(report.status()), message }
    }
}

impl From<serde_json::Error> for FunctionError {
    fn from(error: serde_json::Error) -> Self {
        Self::new(FunctionErrorType::AnswerNotEncoded, &error)
    }
}

pub(super) type Reply = Result<Box<RawValue>, FunctionError>;

pub(super) fn encoded(report: &Report) -> Reply {
    Ok(RawValue::from_string(report::encode(report)?)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_error_is_logged_by_its_type_alone() {
        let error = FunctionError::new(FunctionErrorType::PolicyChangeRejected, &"a whole report");
        assert_eq!(format!("{error:?}"), "PolicyChangeRejected");
    }
}
