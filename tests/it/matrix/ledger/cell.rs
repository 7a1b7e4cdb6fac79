//! The columns of the ledger's table.

use super::verb::{Harm, Verb};
use std::fmt::Write;
use std::time::Duration;

/// By which way a change meets the fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// An HTTP request that is carried out at once.
    Http,
    /// One that takes too long.
    HttpQueued,
    /// One whose first target somebody else is at.
    HttpBusy,
    /// A bare change.
    Bare,
    /// An event of EventBridge.
    EventBridge,
    /// A document in the intake queue.
    Intake,
    /// A lane's message.
    Lane,
    /// A sweep that comes to a run without lanes.
    SweepUnsent,
    /// One that comes to an inline run whose invocation was killed between an update and its outcome.
    SweepKilled,
    /// One that comes to a cancelled run.
    SweepCancelled,
    /// One that comes to a run whose lanes have all ended.
    SweepEnded,
}

impl Way {
    /// As it is printed.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Http => "HTTP",
            Self::HttpQueued => "HTTP, queued",
            Self::HttpBusy => "HTTP, busy",
            Self::Bare => "bare",
            Self::EventBridge => "EventBridge",
            Self::Intake => "SQS intake",
            Self::Lane => "lane",
            Self::SweepUnsent => "sweep, unsent",
            Self::SweepKilled => "sweep, killed",
            Self::SweepCancelled => "sweep, cancelled",
            Self::SweepEnded => "sweep, ended",
        }
    }

    pub(super) const fn is_sweep(self) -> bool {
        matches!(self, Self::SweepUnsent | Self::SweepKilled | Self::SweepCancelled | Self::SweepEnded)
    }
}

/// What is to come of a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Expected {
    /// What the trigger is answered.
    pub(super) answer: &'static str,
    /// The audit of that invocation: what, and which target's.
    pub(super) audit: &'static str,
    /// The record's status once everything of that invocation has arrived.
    pub(super) then: &'static str,
    /// When everybody has come back: the run, its status, its targets' outcomes; the updates sent in all.
    pub(super) end: &'static str,
}

/// One cell: what goes wrong where, and what is to come of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cell {
    pub(super) way: Way,
    pub(super) verb: Verb,
    pub(super) harm: Harm,
    pub(super) expected: Expected,
}

impl Cell {
    pub(super) fn name(&self) -> String {
        let Self { way, verb, harm, .. } = self;
        format!("{}, {verb:?}, {}", way.name(), harm.name())
    }

    /// The cell as it is printed.
    pub(super) fn line(&self, is_as_in_the_table: bool, took: Duration) -> String {
        let mark = if is_as_in_the_table { "ok" } else { "NO" };
        let Expected { answer, end, .. } = self.expected;
        let mut line = format!(
            "{mark} {:<16} {:<13} {:<14} ",
            self.way.name(),
            format!("{:?}", self.verb),
            self.harm.name()
        );
        // writing to a String cannot fail
        let _ = write!(line, "{answer:<38} {end:<50} {:>4.1} s", took.as_secs_f64());
        line
    }
}

/// The rows of one verb: what is to come of what passes, of what fails without an effect, of what fails with one, and
/// of somebody else who comes first.
pub(super) struct Rows {
    pub(super) verb: Verb,
    pub(super) passes: Expected,
    pub(super) fails: Expected,
    /// Absent: of a read.
    pub(super) fails_done: Option<Expected>,
    /// Absent: nobody else can come between.
    pub(super) second: Option<Expected>,
}

impl Rows {
    pub(super) fn cells(&self, way: Way) -> Vec<Cell> {
        let cell = |harm: Harm| {
            let expected = match harm {
                Harm::Passing => Some(self.passes),
                Harm::Throttled | Harm::Unavailable => Some(self.fails),
                Harm::Unanswered if !self.verb.writes() => Some(self.fails),
                Harm::AnswersLost | Harm::Unanswered | Harm::TooLate => self.fails_done,
                Harm::SomebodyElse => self.second,
            };
            Some(Cell { way, verb: self.verb, harm, expected: expected? })
        };
        Harm::ALL.into_iter().filter(|harm| harm.can_happen_to(self.verb)).filter_map(cell).collect()
    }
}
