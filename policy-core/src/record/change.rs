//! A change's record: what was decided, where it stands, how its newest run ended.

use super::{Counts, Declared, Halted, Millis, Order, RecordStatus, RunKey, RunName};
use crate::origin::{IdentitySource, TriggerKind};
use crate::policy::{ChangeId, Violation};
use std::collections::BTreeSet;

/// A verified identity, and who verified it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Who {
    /// An ARN, a subject, a sender id.
    pub principal: Option<String>,
    /// Its account.
    pub account: Option<String>,
    /// Who verified it.
    pub vouched_by: IdentitySource,
}

/// Where a change came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedOrigin {
    /// What invoked the function.
    pub trigger: TriggerKind,
    /// Who asked.
    pub who: Who,
    /// The account that an event names, where the envelope came through a queue.
    pub claimed_account: Option<String>,
    /// The caller's address.
    pub source_ip: Option<String>,
    /// The service that handed the request over, or the event's source.
    pub service: String,
    /// The id that API Gateway, EventBridge or SQS gave it.
    pub request_id: Option<String>,
}

/// How a run is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Within the invocation that accepted it.
    Inline,
    /// By a worker for each lane.
    Lanes,
}

/// Where the plan of a run is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlanRef {
    /// In the item itself.
    Own(String),
    /// In so many parts of that name.
    Parts {
        /// SHA-256 of the plan's text, in hexadecimal.
        name: String,
        /// How many.
        count: u32,
    },
}

/// The invocation that carries out an inline run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Its own token.
    pub token: String,
    /// When it is surely dead: its deadline and 65 seconds.
    pub until: Millis,
}

/// The order to end a run early.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Halt {
    /// As what.
    pub as_what: Halted,
    /// When.
    pub at: Millis,
    /// Who asked for it.
    pub who: Who,
    /// Why.
    pub reason: Option<String>,
}

/// The freeze: no change begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Freeze {
    /// Who froze.
    pub who: Who,
    /// When.
    pub at: Millis,
    /// Why.
    pub reason: Option<String>,
    /// Whether accepted runs go on to their end.
    pub drain: bool,
}

/// What a change has to do with others; of several the latest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Relations {
    /// The change that this one undoes.
    pub undoes: Option<ChangeId>,
    /// The change that undoes this one.
    pub undone_by: Option<ChangeId>,
    /// The dry run that this one applies.
    pub applies: Option<ChangeId>,
    /// The change that applies this dry run.
    pub applied_by: Option<ChangeId>,
}

/// A change and its newest run.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is an attribute of the item")]
pub struct ChangeRecord {
    /// Its id.
    pub change_id: ChangeId,
    /// The token of who wrote the run.
    pub token: String,
    /// SHA-256 of targets and values in canonical order.
    pub hash: String,
    /// Whether the caller chose the id.
    pub chosen: bool,
    /// Whether the document is `{"changes": […]}`.
    pub is_batch: bool,
    /// Whether nothing is to be changed.
    pub dry_run: bool,
    /// Whether it compares targets with what they should hold.
    pub checks_drift: bool,
    /// The newest run's number, from 1.
    pub run: u32,
    /// Its key.
    pub key: RunKey,
    /// Its place in the order.
    pub order: Order,
    /// When the record was first submitted.
    pub first: Millis,
    /// Where the run stands.
    pub status: RecordStatus,
    /// How it is carried out.
    pub mode: Mode,
    /// When the run was submitted.
    pub submitted: Millis,
    /// When it was begun.
    pub started: Option<Millis>,
    /// When it ended.
    pub finished: Option<Millis>,
    /// Where it came from.
    pub origin: RecordedOrigin,
    /// Why, in the requester's words.
    pub reason: Option<String>,
    /// Who, in the requester's words.
    pub requested_by: Option<String>,
    /// What is to be done.
    pub plan: PlanRef,
    /// Planned lanes.
    pub lanes: u32,
    /// Whether every lane has its item and its message.
    pub sent: bool,
    /// Finished lanes.
    pub lanes_done: u32,
    /// Targets, as far as they are known.
    pub targets: u32,
    /// How the targets of finished lanes ended.
    pub counts: Counts,
    /// Targets that failed for good or are blocked, where `stop_after` counts them.
    pub failures: u32,
    /// `stopAfterFailures`.
    pub stop_after: Option<u32>,
    /// The order to end early.
    pub halt: Option<Halt>,
    /// Who carries out an inline run.
    pub holder: Option<Holder>,
    /// Of a final dry run: the hash of what it found.
    pub plan_hash: Option<String>,
    /// Other changes.
    pub relations: Relations,
    /// The generation of a declared resource that it carries out.
    pub declared: Option<Declared>,
    /// `replay-name`s that had a run.
    pub replays: BTreeSet<String>,
    /// Of a rejected event: why, at most 20.
    pub violations: Vec<Violation>,
    /// Whether the outcome event is owed.
    pub announce: bool,
    /// When the record expires; a run that is not final does not.
    pub expires: Option<Millis>,
}

impl ChangeRecord {
    /// A record of one run that nobody has begun, whose lanes are to be carried out.
    pub fn accepted(
        order: Order,
        (token, hash): (String, String),
        origin: RecordedOrigin,
        plan: PlanRef,
        now: Millis,
    ) -> Self {
        Self {
            change_id: order.change_id.clone(),
            token,
            hash,
            chosen: false,
            is_batch: false,
            dry_run: false,
            checks_drift: false,
            run: 1,
            key: RunKey::next(None, now),
            order,
            first: now,
            status: RecordStatus::Accepted,
            mode: Mode::Lanes,
            submitted: now,
            started: None,
            finished: None,
            origin,
            reason: None,
            requested_by: None,
            plan,
            lanes: 0,
            sent: false,
            lanes_done: 0,
            targets: 0,
            counts: Counts::default(),
            failures: 0,
            stop_after: None,
            halt: None,
            holder: None,
            plan_hash: None,
            relations: Relations::default(),
            declared: None,
            replays: BTreeSet::new(),
            violations: Vec::new(),
            announce: false,
            expires: None,
        }
    }

    /// The newest run.
    pub fn run_name(&self) -> RunName {
        RunName { change_id: self.change_id.clone(), key: self.key }
    }
}
