//! Whether an answer is the one that a payload's name announces.

use super::payload::{Ending, Trigger};
use sandbox::lambda::Answer;
use serde_json::Value;

/// An answer that is not the one expected, both in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mismatch {
    pub expected: String,
    pub came: String,
}

/// What is to come.
#[derive(Debug)]
enum Expected {
    /// An HTTP response with one of these statuses.
    Http(&'static [std::ops::RangeInclusive<u64>], &'static str),
    /// A report of this status.
    Report(&'static str),
    /// A function error of this type.
    Error(&'static str),
    /// An SQS answer, with failed messages or without.
    Batch { failures: bool },
}

impl Expected {
    /// The table of endings and triggers: how each trigger hears of each ending.
    fn of(trigger: Trigger, ending: Ending) -> Self {
        match (trigger, ending) {
            (_, Ending::Unrecognised) => Self::Error("UnrecognisedPayload"),
            (Trigger::Http | Trigger::Rest, ending) => match ending {
                Ending::Succeeded | Ending::Planned => Self::Http(&[200..=200], "HTTP 200"),
                Ending::Accepted => Self::Http(&[202..=202], "HTTP 202"),
                Ending::Rejected => Self::Http(&[422..=422], "HTTP 422"),
                Ending::Malformed => Self::Http(&[400..=400], "HTTP 400"),
                Ending::Partial => Self::Http(&[207..=207], "HTTP 207"),
                Ending::Incomplete => {
                    Self::Http(&[207..=207, 429..=429, 502..=504], "HTTP 207, 429, 502, 503 or 504")
                }
                Ending::Failed | Ending::Unrecognised => {
                    Self::Http(&[400..=599], "an HTTP status from 400 on")
                }
            },
            (Trigger::Sqs, ending) => Self::Batch {
                failures: !matches!(ending, Ending::Succeeded | Ending::Planned | Ending::Accepted),
            },
            (Trigger::EventBridge | Trigger::Bare, ending) => match ending {
                Ending::Succeeded | Ending::Planned | Ending::Accepted => Self::Report(ending.name()),
                Ending::Rejected => Self::Error("PolicyChangeRejected"),
                Ending::Failed | Ending::Partial => Self::Error("PolicyChangeFailed"),
                Ending::Incomplete => Self::Error("PolicyChangeIncomplete"),
                Ending::Malformed | Ending::Unrecognised => Self::Error("MalformedPayload"),
            },
        }
    }

    fn words(&self) -> String {
        match self {
            Self::Http(_, words) => (*words).to_owned(),
            Self::Report(status) => format!("a report of status `{status}`"),
            Self::Error(name) => format!("the function error `{name}`"),
            Self::Batch { failures: true } => "a batch with failures".to_owned(),
            Self::Batch { failures: false } => "a batch without failures".to_owned(),
        }
    }
}

/// What a payload of this name is to be answered, in words.
pub(super) fn words(trigger: Trigger, ending: Ending) -> String {
    Expected::of(trigger, ending).words()
}

/// Compares an answer with what its payload's name announces.
pub(super) fn check(trigger: Trigger, ending: Ending, answer: &Answer) -> Result<(), Mismatch> {
    let expected = Expected::of(trigger, ending);
    let met = match (&expected, Came::of(trigger, answer)) {
        (Expected::Http(statuses, _), Came::Http { status, report }) => {
            statuses.iter().any(|range| range.contains(&status))
                && report.is_none_or(|report| report == ending.name())
        }
        (Expected::Report(expected), Came::Report(status)) => status == *expected,
        (Expected::Error(expected), Came::Error { name, .. }) => name == *expected,
        (Expected::Batch { failures }, Came::Batch(failed)) => *failures == (failed > 0),
        _ => false,
    };
    if met {
        return Ok(());
    }
    Err(Mismatch {
        expected: match &expected {
            Expected::Http(..) if ending != Ending::Malformed => {
                format!("{} (`{}`)", expected.words(), ending.name())
            }
            _ => expected.words(),
        },
        came: Came::of(trigger, answer).words(),
    })
}

/// What came, as far as expectations go.
#[derive(Debug)]
enum Came {
    Http {
        status: u64,
        /// The report's status; a problem document has a number there, and no such word.
        report: Option<String>,
    },
    Report(String),
    Batch(usize),
    Error {
        name: String,
        message: String,
    },
    Other(String),
}

impl Came {
    fn of(trigger: Trigger, answer: &Answer) -> Self {
        let bytes = match answer {
            Answer::Response(bytes) => bytes,
            Answer::Error { error_type, error_message } => {
                return Self::Error { name: error_type.clone(), message: error_message.clone() };
            }
            Answer::InitError { error_type, error_message } => {
                return Self::Other(format!("a start that failed: {error_type}: {error_message}"));
            }
            Answer::Exited(Some(code)) => {
                return Self::Other(format!("an end of the process with code {code}"));
            }
            Answer::Exited(None) => return Self::Other("an end of the process by a signal".into()),
            Answer::TimedOut => return Self::Other("no answer before the deadline".into()),
        };
        let Ok(document) = serde_json::from_slice::<Value>(bytes) else {
            return Self::Other("an answer that is not JSON".into());
        };
        let word = |document: &Value| {
            let word = document.get("status").and_then(Value::as_str);
            word.map(str::to_owned)
        };
        match trigger {
            Trigger::Http | Trigger::Rest => {
                let Some(status) = document.get("statusCode").and_then(Value::as_u64) else {
                    return Self::Other("an answer without a `statusCode`".into());
                };
                let body = document.get("body").and_then(Value::as_str);
                let body = body.and_then(|body| serde_json::from_str::<Value>(body).ok());
                let report = body.as_ref().and_then(word);
                Self::Http { status, report }
            }
            Trigger::Sqs => {
                let failures = document.get("batchItemFailures").and_then(Value::as_array);
                failures.map_or_else(
                    || Self::Other("an answer without `batchItemFailures`".into()),
                    |failures| Self::Batch(failures.len()),
                )
            }
            Trigger::EventBridge | Trigger::Bare => word(&document)
                .map_or_else(|| Self::Other("an answer without a `status`".into()), Self::Report),
        }
    }

    fn words(&self) -> String {
        match self {
            Self::Http { status, report } => match report {
                Some(report) => format!("HTTP {status} (`{report}`)"),
                None => format!("HTTP {status}"),
            },
            Self::Report(status) => format!("a report of status `{status}`"),
            Self::Batch(failed) => format!("a batch with {failed} failures"),
            Self::Error { name, message } => {
                let message: String = message.chars().take(300).collect();
                format!("the function error `{name}`: {message}")
            }
            Self::Other(words) => words.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn response(document: &Value) -> Answer {
        Answer::Response(document.to_string().into_bytes())
    }

    fn http(status: u64, body: &Value) -> Answer {
        response(&json!({"statusCode": status, "body": body.to_string()}))
    }

    fn error(name: &str) -> Answer {
        Answer::Error { error_type: name.into(), error_message: "why".into() }
    }

    #[test]
    fn every_ending_is_met_by_the_answer_of_its_trigger() {
        use Ending::*;
        let report = |status: &str| response(&json!({"status": status}));
        let batch = |failures: Value| response(&json!({"batchItemFailures": failures}));
        for (trigger, ending, answer) in [
            (Trigger::Http, Succeeded, http(200, &json!({"status": "succeeded"}))),
            (Trigger::Http, Succeeded, http(200, &json!({"maximumSizeLimitInBytes": 1}))),
            (Trigger::Rest, Planned, http(200, &json!({"status": "planned"}))),
            (Trigger::Http, Accepted, http(202, &json!({"status": "accepted"}))),
            (Trigger::Http, Rejected, http(422, &json!({"status": 422}))),
            (Trigger::Http, Malformed, http(400, &json!({"status": 400}))),
            (Trigger::Http, Failed, http(404, &json!({"status": 404}))),
            (Trigger::Http, Failed, http(502, &json!({"status": "failed"}))),
            (Trigger::Http, Partial, http(207, &json!({"status": "partial"}))),
            (Trigger::Http, Incomplete, http(503, &json!({"status": 503}))),
            (Trigger::Http, Unrecognised, error("UnrecognisedPayload")),
            (Trigger::Bare, Succeeded, report("succeeded")),
            (Trigger::EventBridge, Planned, report("planned")),
            (Trigger::Bare, Rejected, error("PolicyChangeRejected")),
            (Trigger::Bare, Failed, error("PolicyChangeFailed")),
            (Trigger::EventBridge, Partial, error("PolicyChangeFailed")),
            (Trigger::EventBridge, Incomplete, error("PolicyChangeIncomplete")),
            (Trigger::Bare, Malformed, error("MalformedPayload")),
            (Trigger::Bare, Unrecognised, error("UnrecognisedPayload")),
            (Trigger::Sqs, Succeeded, batch(json!([]))),
            (Trigger::Sqs, Rejected, batch(json!([{"itemIdentifier": "1"}]))),
        ] {
            assert_eq!(check(trigger, ending, &answer), Ok(()), "{trigger} {ending}");
        }
    }

    #[test]
    fn a_mismatch_says_what_was_expected_and_what_came() {
        for (trigger, ending, answer, expected, came) in [
            (
                Trigger::Http,
                Ending::Rejected,
                http(200, &json!({"status": "succeeded"})),
                "HTTP 422 (`rejected`)",
                "HTTP 200 (`succeeded`)",
            ),
            (
                Trigger::Http,
                Ending::Succeeded,
                http(200, &json!({"status": "planned"})),
                "HTTP 200 (`succeeded`)",
                "HTTP 200 (`planned`)",
            ),
            (
                Trigger::Bare,
                Ending::Planned,
                error("PolicyChangeRejected"),
                "a report of status `planned`",
                "the function error `PolicyChangeRejected`: why",
            ),
            (
                Trigger::Bare,
                Ending::Rejected,
                Answer::Exited(Some(1)),
                "the function error `PolicyChangeRejected`",
                "an end of the process with code 1",
            ),
            (
                Trigger::Sqs,
                Ending::Succeeded,
                response(&json!({"batchItemFailures": [{}]})),
                "a batch without failures",
                "a batch with 1 failures",
            ),
            (Trigger::Http, Ending::Malformed, Answer::TimedOut, "HTTP 400", "no answer before the deadline"),
        ] {
            let mismatch = Mismatch { expected: expected.into(), came: came.into() };
            assert_eq!(check(trigger, ending, &answer), Err(mismatch));
        }
    }
}
