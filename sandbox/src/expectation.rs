//! The answer that a payload's file name announces: `<trigger>.<ending>[.<note>].json`.
//!
//! The one place that knows it. The demo, `sandbox check` (and with it every client of
//! `conformance/`) and the function's own tests judge the payloads of `events/` by it. It is written
//! against the function's documentation, not its code.

mod actual;
mod name;

pub use name::{Ending, Trigger, UnknownName};

use crate::lambda::Answer;
use actual::Actual;
use std::fmt;
use std::ops::RangeInclusive;

/// The two statuses that CloudFormation knows.
const SUCCESS: &str = "SUCCESS";
const FAILED: &str = "FAILED";

/// What a payload is and how its invocation has to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expectation {
    /// What sends a payload of this shape.
    pub trigger: Trigger,
    /// How the invocation ends.
    pub ending: Ending,
}

/// An answer that is not the expected one, both in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// The answer that the name announces.
    pub expected: String,
    /// The answer that was given.
    pub actual: String,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {}, but got {}", self.expected, self.actual)
    }
}

impl std::error::Error for Mismatch {}

/// How a trigger's caller sees an ending.
#[derive(Debug)]
enum Shape {
    /// An HTTP response with one of these statuses, and the same in words.
    Http(&'static [RangeInclusive<u64>], &'static str),
    /// A report.
    Report,
    /// A function error of this type.
    Error(&'static str),
    /// An answer to SQS, with failed messages or without.
    Batch { failures: bool },
    /// What CloudFormation gets at the `ResponseURL`: a status, with the attributes of a change or without.
    Resource { status: &'static str, is_of_change: bool },
}

impl Expectation {
    /// Reads a file's name.
    ///
    /// # Errors
    ///
    /// The name does not begin with a known trigger and a known ending.
    pub fn of_file(name: &str) -> Result<Self, UnknownName> {
        let (trigger, ending) = name::read(name)?;
        Ok(Self { trigger, ending })
    }

    /// Compares an answer with what the name announces.
    ///
    /// # Errors
    ///
    /// The answer is another one.
    pub fn check(self, answer: &Answer) -> Result<(), Mismatch> {
        let actual = Actual::of(self.trigger, answer);
        if self.is_met_by(&actual) {
            Ok(())
        } else {
            Err(Mismatch { expected: self.to_string(), actual: actual.to_string() })
        }
    }

    fn is_met_by(self, actual: &Actual) -> bool {
        match (self.shape(), actual) {
            (Shape::Http(statuses, _), Actual::Http { status, report }) => {
                statuses.iter().any(|range| range.contains(status)) && self.accepts(report.as_deref())
            }
            (Shape::Report, Actual::Report(status)) => status == self.ending.name(),
            (Shape::Error(expected), Actual::Error { name, report, .. }) => {
                name == expected && self.accepts(report.as_deref())
            }
            (Shape::Batch { failures }, Actual::Batch(failed)) => failures == (*failed > 0),
            // a Delete that sets nothing succeeds without a change
            (Shape::Resource { status: SUCCESS, .. }, Actual::Resource { status, .. }) => status == SUCCESS,
            (
                Shape::Resource { status, is_of_change },
                Actual::Resource { status: given, is_of_change: of },
            ) => status == given && is_of_change == *of,
            _ => false,
        }
    }

    /// Whether an answer may carry a report of this status, or none.
    fn accepts(self, report: Option<&str>) -> bool {
        match report {
            Some(status) => status == self.ending.name(),
            // A read has no report. A refused document may have its violations instead.
            None => match self.ending {
                Ending::Succeeded | Ending::Malformed | Ending::Unrecognised => true,
                Ending::Rejected => matches!(self.trigger, Trigger::Http | Trigger::Rest),
                _ => false,
            },
        }
    }

    /// The table of triggers and endings.
    const fn shape(self) -> Shape {
        match (self.trigger, self.ending) {
            (_, Ending::Unrecognised) => Shape::Error("UnrecognisedPayload"),
            (Trigger::Http | Trigger::Rest, ending) => match ending {
                Ending::Succeeded | Ending::Planned => Shape::Http(&[200..=200], "HTTP 200"),
                Ending::Accepted => Shape::Http(&[202..=202], "HTTP 202"),
                Ending::Rejected => Shape::Http(&[422..=422], "HTTP 422"),
                Ending::Malformed => Shape::Http(&[400..=400], "HTTP 400"),
                Ending::Partial => Shape::Http(&[207..=207], "HTTP 207"),
                Ending::Incomplete => {
                    Shape::Http(&[207..=207, 429..=429, 502..=504], "HTTP 207, 429, 502, 503 or 504")
                }
                Ending::Failed | Ending::Unrecognised => {
                    Shape::Http(&[400..=599], "an HTTP status of 400 or more")
                }
            },
            (Trigger::Sqs, ending) => Shape::Batch {
                failures: !matches!(ending, Ending::Succeeded | Ending::Planned | Ending::Accepted),
            },
            (Trigger::Cloudformation, ending) => match ending {
                Ending::Succeeded | Ending::Planned | Ending::Accepted => {
                    Shape::Resource { status: SUCCESS, is_of_change: true }
                }
                Ending::Rejected => Shape::Resource { status: FAILED, is_of_change: false },
                Ending::Failed | Ending::Partial | Ending::Incomplete => {
                    Shape::Resource { status: FAILED, is_of_change: true }
                }
                Ending::Malformed | Ending::Unrecognised => Shape::Error("MalformedPayload"),
            },
            (Trigger::EventBridge | Trigger::Bare, ending) => match ending {
                Ending::Succeeded | Ending::Planned | Ending::Accepted => Shape::Report,
                Ending::Rejected => Shape::Error("PolicyChangeRejected"),
                Ending::Failed | Ending::Partial => Shape::Error("PolicyChangeFailed"),
                Ending::Incomplete => Shape::Error("PolicyChangeIncomplete"),
                Ending::Malformed | Ending::Unrecognised => Shape::Error("MalformedPayload"),
            },
        }
    }
}

impl fmt::Display for Expectation {
    /// The announced answer, in words.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ending = self.ending;
        match self.shape() {
            Shape::Http(_, words) if ending == Ending::Malformed => f.write_str(words),
            Shape::Http(_, words) => write!(f, "{words} ({ending})"),
            Shape::Report => write!(f, "a report of status {ending}"),
            Shape::Error(name) if self.accepts(None) => write!(f, "the function error `{name}`"),
            Shape::Error(name) => write!(f, "the function error `{name}` with a report of status {ending}"),
            Shape::Batch { failures: true } => f.write_str("a batch response with failures"),
            Shape::Batch { failures: false } => f.write_str("a batch response without failures"),
            Shape::Resource { status: SUCCESS, .. } => f.write_str("`SUCCESS` for CloudFormation"),
            Shape::Resource { status, is_of_change: true } => {
                write!(f, "`{status}` for CloudFormation, after a change")
            }
            Shape::Resource { status, is_of_change: false } => {
                write!(f, "`{status}` for CloudFormation, before any change")
            }
        }
    }
}

#[cfg(test)]
mod tests;
