//! A file of the events directory: what its name says, and what it holds.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// One payload to send.
#[derive(Debug)]
pub(super) struct Payload {
    /// Where it was found, as it was named on the command line.
    pub path: PathBuf,
    pub trigger: Trigger,
    pub ending: Ending,
    /// As they are: a malformed payload may be anything.
    pub bytes: Vec<u8>,
}

/// Every payload of a directory, sorted by file name.
///
/// A file whose name is not understood is an error, so that none is forgotten.
pub(super) fn all(directory: &Path) -> io::Result<Vec<Payload>> {
    let unreadable = |error: io::Error| {
        let what = format!("cannot read `{}`: {error}", directory.display());
        io::Error::new(error.kind(), what)
    };
    let mut paths = Vec::new();
    for file in fs::read_dir(directory).map_err(unreadable)? {
        let path = file.map_err(unreadable)?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            paths.push(path);
        }
    }
    paths.sort();
    if paths.is_empty() {
        let what = format!("no payload `*.json` in `{}`", directory.display());
        return Err(io::Error::new(io::ErrorKind::NotFound, what));
    }
    paths.into_iter().map(read).collect()
}

fn read(path: PathBuf) -> io::Result<Payload> {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let (trigger, ending) = parse(&name).map_err(|problem| {
        let what = format!("`{}`: {problem}", path.display());
        io::Error::new(io::ErrorKind::InvalidData, what)
    })?;
    let bytes = fs::read(&path).map_err(|error| {
        let what = format!("cannot read `{}`: {error}", path.display());
        io::Error::new(error.kind(), what)
    })?;
    Ok(Payload { path, trigger, ending, bytes })
}

/// Reads `<trigger>.<status>[.<note>].json`.
fn parse(name: &str) -> Result<(Trigger, Ending), String> {
    let mut parts = name.split('.');
    let trigger = parts.next().unwrap_or_default();
    let ending = parts.next().unwrap_or_default();
    let trigger = Trigger::ALL
        .into_iter()
        .find(|known| known.name() == trigger)
        .ok_or_else(|| format!("a name begins with its trigger, one of {}", list(&Trigger::ALL)))?;
    let ending = Ending::ALL.into_iter().find(|known| known.name() == ending).ok_or_else(|| {
        format!("after its trigger, a name says how it ends, one of {}", list(&Ending::ALL))
    })?;
    Ok((trigger, ending))
}

fn list(known: &[impl fmt::Display]) -> String {
    let names: Vec<String> = known.iter().map(ToString::to_string).collect();
    names.join(", ")
}

/// What sends a payload of this shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trigger {
    Http,
    Rest,
    EventBridge,
    Sqs,
    Bare,
}

impl Trigger {
    const ALL: [Self; 5] = [Self::Http, Self::Rest, Self::EventBridge, Self::Sqs, Self::Bare];

    /// As in file names.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Rest => "rest",
            Self::EventBridge => "event-bridge",
            Self::Sqs => "sqs",
            Self::Bare => "bare",
        }
    }

    /// For somebody who has not met it.
    pub(super) const fn description(self) -> &'static str {
        match self {
            Self::Http => "an HTTP request, through an API Gateway HTTP API or a function URL",
            Self::Rest => "an HTTP request, through an API Gateway REST API",
            Self::EventBridge => "an event from EventBridge",
            Self::Sqs => "messages from an SQS queue",
            Self::Bare => "a policy change by itself: `aws lambda invoke`, Step Functions, Scheduler",
        }
    }
}

impl fmt::Display for Trigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.name())
    }
}

/// How an invocation is to end: a report's status, or a payload that is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    Succeeded,
    Planned,
    Accepted,
    Rejected,
    Failed,
    Partial,
    Incomplete,
    Malformed,
    Unrecognised,
}

impl Ending {
    pub(super) const ALL: [Self; 9] = [
        Self::Succeeded,
        Self::Planned,
        Self::Accepted,
        Self::Rejected,
        Self::Failed,
        Self::Partial,
        Self::Incomplete,
        Self::Malformed,
        Self::Unrecognised,
    ];

    /// As in file names and reports.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Planned => "planned",
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
            Self::Failed => "failed",
            Self::Partial => "partial",
            Self::Incomplete => "incomplete",
            Self::Malformed => "malformed",
            Self::Unrecognised => "unrecognised",
        }
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_the_trigger_and_the_ending() {
        assert_eq!(parse("http.succeeded.json"), Ok((Trigger::Http, Ending::Succeeded)));
        assert_eq!(
            parse("event-bridge.rejected.string-detail.json"),
            Ok((Trigger::EventBridge, Ending::Rejected))
        );
    }

    #[test]
    fn a_name_that_is_not_understood_says_what_would_be() {
        assert_eq!(
            parse("kafka.succeeded.json"),
            Err("a name begins with its trigger, one of `http`, `rest`, `event-bridge`, `sqs`, `bare`".into())
        );
        assert!(parse("bare.json").is_err_and(|problem| problem.contains("`unrecognised`")));
    }
}
