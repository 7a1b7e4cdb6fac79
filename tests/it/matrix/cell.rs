//! The table's columns.

use crate::sqs::Sqs;
use crate::world::{ONE, THREE, TWO};
use sandbox::connect::{Fault, Operation, Scope};
use std::time::Duration;

/// One cell: what goes wrong and where, what is asked by which way, and what is to come of it.
#[derive(Clone, Debug)]
pub(super) struct Cell {
    /// What goes wrong, as it is printed.
    pub(super) name: String,
    /// What happens to the next requests of an operation, in order.
    pub(super) script: Vec<(Operation, Vec<Option<Fault>>)>,
    /// What happens to every request of an operation after its script.
    pub(super) always: Vec<(Operation, Fault)>,
    /// What happens to any request, with its probability.
    pub(super) chance: Vec<(Fault, f64)>,
    /// Where the function finds Amazon Connect.
    pub(super) endpoint: Endpoint,
    /// What answers where the function finds SQS.
    pub(super) sqs: Sqs,
    /// The first instance is deleted when so many intents are on record, before the update is sent.
    pub(super) deleted_at_intent: Option<usize>,
    /// The environment, as an operator would set it.
    pub(super) settings: Vec<(&'static str, &'static str)>,
    /// What is left of the invocation's time.
    pub(super) left: Duration,
    /// Who asks. By a queue each instance is a message of its own.
    pub(super) via: Via,
    /// Which instances, in their order.
    pub(super) instances: &'static [&'static str],
    /// Which scopes, in their order.
    pub(super) scopes: &'static [Scope],
    /// What the trigger is answered.
    pub(super) answer: Answer,
    /// What becomes of each target, in the order of instances, then scopes.
    pub(super) targets: Vec<Target>,
    /// Why the one event that is parked failed.
    pub(super) parked: Option<String>,
    /// The messages made visible again, with their delay in seconds.
    pub(super) shown_again: Vec<(&'static str, u64)>,
}

impl Cell {
    /// A bare change of one scope of one instance to 10 MB, where nothing goes wrong.
    pub(super) fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            script: Vec::new(),
            always: Vec::new(),
            chance: Vec::new(),
            endpoint: Endpoint::Sandbox,
            sqs: Sqs::Takes,
            deleted_at_intent: None,
            settings: Vec::new(),
            left: Duration::from_secs(30),
            via: Via::Bare,
            instances: &[ONE],
            scopes: &[Scope::Chat],
            answer: succeeded(),
            targets: vec![applied(1)],
            parked: None,
            shown_again: Vec::new(),
        }
    }

    /// The same, of three instances.
    pub(super) fn of_three(name: impl Into<String>) -> Self {
        Self { instances: &[ONE, TWO, THREE], ..Self::named(name) }
    }

    /// The cell as it is printed: who asked, what went wrong, what came of it.
    pub(super) fn line(&self, is_as_in_the_table: bool, updates: usize, took: Duration) -> String {
        let mut groups: Vec<(usize, String)> = Vec::new();
        for target in &self.targets {
            let code = target.error.map_or("", |(code, _)| code);
            let text = format!("{} {code}", target.outcome.unwrap_or("untouched"));
            match groups.last_mut() {
                Some((count, last)) if *last == text => *count += 1,
                _ => groups.push((1, text)),
            }
        }
        let groups: Vec<_> = groups.iter().map(|(n, text)| format!("{n} {}", text.trim_end())).collect();
        let (mark, via) = (if is_as_in_the_table { "ok" } else { "NO" }, self.via.name());
        let (name, groups, took) = (&self.name, groups.join(", "), took.as_secs_f64());
        format!("{mark} {via:<11} {name:<49} {groups:<59} {updates:>2} updates {took:>4.1} s")
    }
}

/// Where the function finds Amazon Connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Endpoint {
    /// At the sandbox.
    Sandbox,
    /// Where nobody listens.
    Refused,
    /// At the sandbox, by HTTPS, which it does not speak.
    PlainBehindHttps,
    /// At the sandbox, by HTTPS, with a certificate of a CA that nobody trusts.
    Untrusted,
}

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Via {
    Bare,
    /// API Gateway REST.
    Http1,
    /// API Gateway HTTP and function URLs.
    Http2,
    EventBridge,
    Sqs,
    Fifo,
}

impl Via {
    /// As it is printed.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare",
            Self::Http1 => "HTTP 1.0",
            Self::Http2 => "HTTP 2.0",
            Self::EventBridge => "EventBridge",
            Self::Sqs => "SQS",
            Self::Fifo => "SQS FIFO",
        }
    }
}

/// What a trigger is answered; the words are the statuses of the report inside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// The report.
    Report(String),
    /// A function error of this type.
    Error(String, String),
    /// An HTTP status, the problem if it is one, and `Retry-After`.
    Http(u64, Option<String>, String, Option<String>),
    /// The messages that are to come again.
    Batch(Vec<String>),
}

pub(super) fn succeeded() -> Answer {
    Answer::Report("succeeded".to_owned())
}

/// The function error of a change that the same change again would help.
pub(super) fn incomplete() -> Answer {
    Answer::Error("PolicyChangeIncomplete".to_owned(), "incomplete".to_owned())
}

/// The function error of a change that failed for good, or in part.
pub(super) fn for_good(status: &str) -> Answer {
    Answer::Error("PolicyChangeFailed".to_owned(), status.to_owned())
}

/// A problem; one for now says when to come again.
pub(super) fn problem(code: u64, slug: &str, status: &str) -> Answer {
    let retry_after = (status == "incomplete").then(|| "1".to_owned());
    Answer::Http(code, Some(slug.to_owned()), status.to_owned(), retry_after)
}

/// The messages that are to come again.
pub(super) fn again(messages: &[&str]) -> Answer {
    Answer::Batch(messages.iter().map(|&id| id.to_owned()).collect())
}

/// What becomes of a target.
///
/// Its audit follows from it: the outcome, behind an intent where an update was sent.
#[derive(Clone, Debug)]
pub(super) struct Target {
    /// The word of the report and the audit; none for one that was left untouched.
    pub(super) outcome: Option<&'static str>,
    /// The code, and whether the same change again would help.
    pub(super) error: Option<(&'static str, bool)>,
    /// Updates sent; none where chance decides.
    pub(super) attempts: Option<u64>,
    /// What Connect holds in the end.
    pub(super) holds: Holds,
}

/// What Connect holds in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holds {
    /// What was asked, and nothing else has changed.
    Asked,
    /// What it held before.
    Before,
    /// Neither: Connect stored other values.
    Other,
    /// Nothing: the instance is gone.
    Gone,
}

impl Target {
    pub(super) const fn holding(self, holds: Holds) -> Self {
        Self { holds, ..self }
    }
}

pub(super) const fn applied(attempts: u64) -> Target {
    Target { outcome: Some("applied"), error: None, attempts: Some(attempts), holds: Holds::Asked }
}

pub(super) const fn applied_by_chance() -> Target {
    Target { attempts: None, ..applied(0) }
}

/// Failed for now.
pub(super) const fn failed_for_now(code: &'static str, attempts: u64) -> Target {
    let error = Some((code, true));
    Target { outcome: Some("failed"), error, attempts: Some(attempts), holds: Holds::Before }
}

/// Failed for good.
pub(super) const fn failed_for_good(code: &'static str, attempts: u64) -> Target {
    Target { error: Some((code, false)), ..failed_for_now(code, attempts) }
}

/// Unknown, though it took effect.
pub(super) const fn unknown(code: &'static str, attempts: u64) -> Target {
    Target { outcome: Some("unknown"), holds: Holds::Asked, ..failed_for_now(code, attempts) }
}

pub(super) const fn pending(code: &'static str) -> Target {
    Target { outcome: Some("pending"), ..failed_for_now(code, 0) }
}

/// A message behind one that is to come again, on a FIFO queue.
pub(super) const fn untouched() -> Target {
    Target { outcome: None, error: None, attempts: Some(0), holds: Holds::Before }
}
