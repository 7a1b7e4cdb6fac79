//! What the parts of a payload's file name say.

use std::fmt;

/// A file name that does not begin with a trigger and an ending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UnknownName {
    /// The first part is not a trigger.
    Trigger,
    /// The second part is not an ending.
    Ending,
}

impl fmt::Display for UnknownName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Trigger => write!(f, "a name must begin with a trigger, one of {}", list(&Trigger::ALL)),
            Self::Ending => {
                write!(f, "the second part of a name must be an ending, one of {}", list(&Ending::ALL))
            }
        }
    }
}

impl std::error::Error for UnknownName {}

fn list(known: &[impl fmt::Display]) -> String {
    let names: Vec<String> = known.iter().map(ToString::to_string).collect();
    names.join(", ")
}

/// Reads `<trigger>.<ending>[.<note>].json`.
pub(super) fn read(name: &str) -> Result<(Trigger, Ending), UnknownName> {
    let mut parts = name.split('.');
    let trigger = parts.next().unwrap_or_default();
    let ending = parts.next().unwrap_or_default();
    let trigger = Trigger::ALL.into_iter().find(|known| known.name() == trigger);
    let trigger = trigger.ok_or(UnknownName::Trigger)?;
    let ending = Ending::ALL.into_iter().find(|known| known.name() == ending);
    Ok((trigger, ending.ok_or(UnknownName::Ending)?))
}

/// What sends a payload of this shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trigger {
    /// An API Gateway HTTP API or a function URL: payload format 2.0.
    Http,
    /// An API Gateway REST API: payload format 1.0.
    Rest,
    /// EventBridge.
    EventBridge,
    /// An SQS event source mapping.
    Sqs,
    /// Whoever invokes the function directly with a policy change.
    Bare,
    /// A custom resource of a CloudFormation stack.
    Cloudformation,
}

impl Trigger {
    /// Every trigger, in the order in which messages list them.
    pub const ALL: [Self; 6] =
        [Self::Http, Self::Rest, Self::EventBridge, Self::Sqs, Self::Bare, Self::Cloudformation];

    /// The name in file names.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Rest => "rest",
            Self::EventBridge => "event-bridge",
            Self::Sqs => "sqs",
            Self::Bare => "bare",
            Self::Cloudformation => "cloudformation",
        }
    }
}

impl fmt::Display for Trigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.name())
    }
}

/// How an invocation ends: with a report of this status, or before there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Every target holds the values.
    Succeeded,
    /// A dry run.
    Planned,
    /// Queued whole.
    Accepted,
    /// The document is invalid.
    Rejected,
    /// No target succeeded.
    Failed,
    /// Some targets succeeded.
    Partial,
    /// The same change may do more later.
    Incomplete,
    /// The payload is of a known kind and cannot be read.
    Malformed,
    /// The payload is of no known kind.
    Unrecognised,
}

impl Ending {
    /// Every ending, in the order in which messages list them.
    pub const ALL: [Self; 9] = [
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

    /// The name in file names and, of a report's status, in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
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
