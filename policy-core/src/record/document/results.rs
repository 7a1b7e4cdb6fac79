//! The results of a record as JSON.

use crate::failure::Failure;
use crate::policy::{ChangeId, Configuration, Scope};
use crate::record::{Millis, RecordedError, RecordedResult, TargetName, Untouched};
use crate::report::OutcomeKind;
use serde::Serialize;

#[derive(Serialize)]
pub(in super::super) struct ErrorDocument<'a> {
    code: &'a str,
    message: &'a str,
    retryable: bool,
}

pub(in super::super) fn error_of(error: &RecordedError) -> ErrorDocument<'_> {
    ErrorDocument { code: &error.code, message: &error.message, retryable: error.retryable }
}

fn error_of_failure(failure: &Failure) -> ErrorDocument<'_> {
    ErrorDocument { code: failure.code(), message: failure.message(), retryable: failure.is_retryable() }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ResultDocument<'a> {
    change_id: &'a ChangeId,
    instance_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    instance_arn: Option<String>,
    attachment_scope: Scope,
    outcome: OutcomeKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<&'a Configuration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<&'a Configuration>,
    attempts: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_modified_time: Option<Millis>,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<Millis>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ErrorDocument<'a>>,
}

impl<'a> ResultDocument<'a> {
    /// A target of which nothing is known but its name.
    fn named(target: &'a TargetName, change_id: &'a ChangeId, outcome: OutcomeKind) -> Self {
        Self {
            change_id,
            instance_id: target.instance.as_str(),
            instance_arn: target.instance().arn(),
            attachment_scope: target.scope,
            outcome,
            before: None,
            after: None,
            attempts: 0,
            request_id: None,
            last_modified_time: None,
            at: None,
            error: None,
        }
    }

    pub(super) fn of(result: &'a RecordedResult) -> Self {
        Self {
            before: result.before.as_ref(),
            after: result.after.as_ref(),
            attempts: result.attempts,
            request_id: result.request_id.as_deref(),
            last_modified_time: result.last_modified,
            at: Some(result.at),
            error: result.error.as_ref().map(error_of),
            ..Self::named(&result.target, &result.change_id, result.outcome)
        }
    }

    pub(super) fn of_untouched(untouched: &'a Untouched) -> Self {
        let Untouched { target, change_id, standing } = untouched;
        let error = standing.why.as_ref().map(error_of_failure);
        Self { error, ..Self::named(target, change_id, standing.outcome) }
    }
}
