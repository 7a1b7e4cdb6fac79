//! The part of an answer that expectations are about.

use super::Trigger;
use crate::lambda::Answer;
use serde_json::Value;
use std::fmt;

/// At most so many characters of a function error's message are shown.
const LONGEST_MESSAGE: usize = 300;

#[derive(Debug)]
pub(super) enum Actual {
    Http {
        status: u64,
        /// The status of the report in the body, if there is a report.
        report: Option<String>,
    },
    /// A report of this status.
    Report(String),
    /// A batch response with this many failures.
    Batch(usize),
    /// What was put at a `ResponseURL`.
    Resource {
        status: String,
        /// Whether it has the attributes of a change.
        is_of_change: bool,
    },
    Error {
        name: String,
        message: String,
        /// The status of the report in the message, if there is a report.
        report: Option<String>,
    },
    /// None of these, in words.
    Other(String),
}

impl Actual {
    pub(super) fn of(trigger: Trigger, answer: &Answer) -> Self {
        match answer {
            Answer::Response(bytes) => match serde_json::from_slice(bytes) {
                Ok(document) => Self::of_document(trigger, &document),
                Err(_) => Self::Other("an answer that is not JSON".into()),
            },
            Answer::Error { error_type, error_message } => Self::Error {
                name: error_type.clone(),
                message: error_message.clone(),
                report: report_in(error_message),
            },
            Answer::InitError { error_type, error_message } => {
                Self::Other(format!("a failed start: {error_type}: {error_message}"))
            }
            Answer::Exited(Some(code)) => Self::Other(format!("a process that exited with code {code}")),
            Answer::Exited(None) => Self::Other("a process that a signal ended".into()),
            Answer::TimedOut => Self::Other("no answer before the deadline".into()),
        }
    }

    fn of_document(trigger: Trigger, document: &Value) -> Self {
        match trigger {
            Trigger::Http | Trigger::Rest => {
                let Some(status) = document.get("statusCode").and_then(Value::as_u64) else {
                    return Self::Other("an answer without a `statusCode`".into());
                };
                let body = document.get("body").and_then(Value::as_str);
                Self::Http { status, report: body.and_then(report_in) }
            }
            Trigger::Sqs => match document.get("batchItemFailures").and_then(Value::as_array) {
                Some(failures) => Self::Batch(failures.len()),
                None => Self::Other("an answer without `batchItemFailures`".into()),
            },
            Trigger::Cloudformation => match document.get("Status").and_then(Value::as_str) {
                Some(status) => {
                    Self::Resource { status: status.to_owned(), is_of_change: document.get("Data").is_some() }
                }
                None => Self::Other("an answer without a `Status`".into()),
            },
            Trigger::EventBridge | Trigger::Bare => match status(document) {
                Some(status) => Self::Report(status),
                None => Self::Other("an answer without a `status`".into()),
            },
        }
    }
}

/// The status of the report that a text is, or that a problem document (RFC 9457) holds as `report`.
fn report_in(text: &str) -> Option<String> {
    let document: Value = serde_json::from_str(text).ok()?;
    status(document.get("report").unwrap_or(&document))
}

/// A report's status is a word; a problem document's is a number.
fn status(document: &Value) -> Option<String> {
    document.get("status").and_then(Value::as_str).map(str::to_owned)
}

impl fmt::Display for Actual {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http { status, report: Some(report) } => write!(f, "HTTP {status} (`{report}`)"),
            Self::Http { status, report: None } => write!(f, "HTTP {status} without a report"),
            Self::Report(status) => write!(f, "a report of status `{status}`"),
            Self::Batch(1) => f.write_str("a batch response with 1 failure"),
            Self::Batch(failed) => write!(f, "a batch response with {failed} failures"),
            Self::Resource { status, is_of_change: true } => {
                write!(f, "`{status}` for CloudFormation, after a change")
            }
            Self::Resource { status, is_of_change: false } => {
                write!(f, "`{status}` for CloudFormation, before any change")
            }
            Self::Error { name, message, .. } => {
                let message: String = message.chars().take(LONGEST_MESSAGE).collect();
                write!(f, "the function error `{name}`: {message}")
            }
            Self::Other(words) => f.write_str(words),
        }
    }
}
