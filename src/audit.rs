//! The audit log: what is recorded and when. The promise: no update is sent before its intent has been
//! handed to the log pipe whole, even if the process is killed at any instant.

mod finding;
mod ocsf;
mod settlement;
mod text;

pub use finding::Finding;
pub use settlement::Settlement;

use crate::telemetry::{LogLevel, LogPipe};
use ocsf::Event;
use policy_core::origin::Origin;
use policy_core::policy::{ChangeId, Configuration, Home, Instance, PolicyChange, Scope, Values, Violation};
use policy_core::report::TargetResult;
use serde::Serialize;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// The version and commit of this function, in every line.
pub const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "+", env!("BUILD_COMMIT"));

const NANOSECONDS_IN_MICROSECOND: i128 = 1_000;

/// Writes audit lines.
#[derive(Debug)]
pub struct Audit {
    pipe: LogPipe,
    level: &'static str,
    clock: fn() -> OffsetDateTime,
    sequence: AtomicU64,
}

/// The change that is being processed, and who requested it.
#[derive(Debug, Clone, Copy)]
pub struct AuditedChange<'a> {
    /// Who asked and from where.
    pub origin: &'a Origin,
    /// The change.
    pub change: &'a PolicyChange,
    /// Where this function runs.
    pub home: &'a Home,
}

/// What is done to a recorded change, or to all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// A change is ended early.
    Cancel,
    /// A change is undone by another.
    Undo,
    /// A recorded dry run is carried out.
    Apply,
    /// A stack's resource is declared, changed or deleted.
    Declare,
    /// A target's owner ends, by whom its stack does not matter.
    Release,
    /// Nothing begins any more.
    Freeze,
    /// Nothing new is taken, and accepted runs go on to their end.
    Drain,
    /// Changes begin again.
    Thaw,
}

impl Action {
    /// `event_code`, and the operation in this function's own words.
    const fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Cancel => ("cancel", "CancelPolicyChange"),
            Self::Undo => ("undo", "UndoPolicyChange"),
            Self::Apply => ("apply", "ApplyPolicyChange"),
            Self::Declare => ("declare", "DeclarePolicies"),
            Self::Release => ("release", "ReleaseDeclaration"),
            Self::Freeze => ("freeze", "FreezePolicyChanges"),
            Self::Drain => ("drain", "DrainPolicyChanges"),
            Self::Thaw => ("thaw", "ThawPolicyChanges"),
        }
    }
}

/// Why something was refused, short enough for a log line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// Where in the document; empty: all of it.
    pub pointer: String,
    /// The stable code.
    pub code: String,
    /// What is allowed, or what is wrong.
    pub message: String,
}

impl From<&Violation> for Reason {
    fn from(violation: &Violation) -> Self {
        Self {
            pointer: violation.pointer.clone(),
            code: violation.code.name().to_owned(),
            message: violation.message.clone(),
        }
    }
}

#[derive(Serialize)]
struct Line<E> {
    timestamp: String,
    level: &'static str,
    logger: &'static str,
    event: E,
}

impl Audit {
    /// An audit that writes to `pipe`, at a level that Lambda's filter lets through.
    pub fn new(pipe: LogPipe, level: LogLevel, clock: fn() -> OffsetDateTime) -> Self {
        let level = level.of_audit();
        // Lambda invokes again with the same request id, in another process: no two of them start in one microsecond
        let start = clock().unix_timestamp_nanos() / NANOSECONDS_IN_MICROSECOND;
        Self { pipe, level, clock, sequence: AtomicU64::new(u64::try_from(start).unwrap_or_default()) }
    }

    /// The intent of one update with these values, before it is sent.
    ///
    /// # Errors
    /// A full or closed pipe: then the update must not be sent.
    pub fn intent(
        &self,
        audited: AuditedChange<'_>,
        instance: &Instance,
        scope: Scope,
        before: &Configuration,
        values: &Values,
    ) -> io::Result<()> {
        let after = before.after(values);
        self.write(audited.origin, |stamp| Event::intent(stamp, audited, instance, scope, before, after))
    }

    /// The outcome of one target.
    ///
    /// # Errors
    /// A full or closed pipe.
    pub fn outcome(&self, audited: AuditedChange<'_>, result: &TargetResult) -> io::Result<()> {
        self.write(audited.origin, |stamp| Event::outcome(stamp, audited, result))
    }

    /// A change that was queued: nothing has been changed yet.
    ///
    /// # Errors
    /// A full or closed pipe.
    pub fn accepted(&self, audited: AuditedChange<'_>) -> io::Result<()> {
        self.write(audited.origin, |stamp| Event::accepted(stamp, audited))
    }

    /// A payload that was rejected: nothing was changed.
    ///
    /// # Errors
    /// A full or closed pipe.
    pub fn refusal(
        &self,
        origin: &Origin,
        home: &Home,
        change_id: &ChangeId,
        reasons: &[Reason],
    ) -> io::Result<()> {
        self.write(origin, |stamp| Event::refusal(stamp, origin, home, change_id, reasons))
    }

    /// Something that was done to a recorded change, or to all of them. `of`: the change that `change_id` undoes, or
    /// the dry run that it carries out.
    ///
    /// # Errors
    /// A full or closed pipe.
    pub fn action(
        &self,
        origin: &Origin,
        home: &Home,
        change_id: &ChangeId,
        (action, of): (Action, Option<&ChangeId>),
        reason: Option<&str>,
    ) -> io::Result<()> {
        self.write(origin, |stamp| Event::action(stamp, origin, home, change_id, (action, of), reason))
    }

    /// What became of an update whose process never said so.
    ///
    /// # Errors
    /// A full or closed pipe.
    pub fn settled(&self, settlement: &Settlement<'_>) -> io::Result<()> {
        let origin = settlement.origin();
        let result = settlement.result.reported();
        self.write(&origin, |stamp| Event::settled(stamp, settlement, &origin, &result))
    }

    /// A drift that was found, or that has ended.
    ///
    /// # Errors
    /// A full or closed pipe.
    pub fn finding(&self, origin: &Origin, home: &Home, finding: Finding<'_>) -> io::Result<()> {
        self.write(origin, |stamp| finding::Event::of(stamp, origin, home, finding))
    }

    fn write<E: Serialize>(&self, origin: &Origin, event: impl FnOnce(ocsf::Stamp) -> E) -> io::Result<()> {
        let now = (self.clock)();
        let sequence = self.sequence.fetch_add(1, Ordering::Relaxed);
        let uid = format!("{}/{sequence}", origin.invocation.request_id);
        let line = Line {
            timestamp: now.format(&Rfc3339).map_err(io::Error::other)?,
            level: self.level,
            logger: "audit",
            event: event(ocsf::Stamp { now, uid }),
        };
        self.pipe.write_json(&line)
    }
}
