//! What one invocation did.

use policy_core::record::{LaneName, RecordStatus};
use policy_core::report::{OutcomeKind, Report, Status, TargetResult};
use std::collections::BTreeMap;
use std::time::Duration;

/// What one invocation did, summed over its changes.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Tally {
    outcomes: BTreeMap<OutcomeKind, u64>,
    rejected: u64,
    pub(super) accepted: u64,
    pub(super) parked_lanes: u64,
    pub(super) drifted: u64,
    pub(super) overdue_answers: u64,
    pub(super) ended: BTreeMap<RecordStatus, u64>,
    pub(super) unfinished: Option<Unfinished>,
}

impl Tally {
    /// Adds what became of one document.
    pub fn add(&mut self, report: &Report) {
        match report.status() {
            Status::Rejected => self.rejected += 1,
            Status::Accepted => self.accepted += 1,
            _ => {}
        }
        self.add_results(report.results());
    }

    /// Adds targets that ended.
    pub fn add_results<'r>(&mut self, results: impl IntoIterator<Item = &'r TargetResult>) {
        for result in results {
            *self.outcomes.entry(result.outcome.kind()).or_default() += 1;
        }
    }

    /// Adds a payload that was refused before there was a document.
    pub fn add_refusal(&mut self) {
        self.rejected += 1;
    }

    /// Adds a lane that ended without its targets being done.
    pub fn add_parked_lane(&mut self) {
        self.parked_lanes += 1;
    }

    /// Adds targets that were found not to hold what they should.
    pub fn add_drifts(&mut self, drifts: u32) {
        self.drifted += u64::from(drifts);
    }

    /// Adds an answer to CloudFormation that is overdue, or was given up.
    pub fn add_overdue_answer(&mut self) {
        self.overdue_answers += 1;
    }

    /// Adds a run that was made final.
    pub fn add_ended_run(&mut self, status: RecordStatus) {
        *self.ended.entry(status).or_default() += 1;
    }

    /// Sets what a sweep found.
    pub fn set_unfinished(&mut self, unfinished: Unfinished) {
        self.unfinished = Some(unfinished);
    }

    /// How many targets ended like this.
    pub fn count(&self, kind: OutcomeKind) -> u64 {
        self.outcomes.get(&kind).copied().unwrap_or_default()
    }

    /// How many changes were refused.
    pub fn rejected(&self) -> u64 {
        self.rejected
    }
}

/// What a sweep found unfinished.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Unfinished {
    pub(super) runs: u64,
    pub(super) overdue: u64,
    pub(super) oldest: Duration,
    pub(super) longest_stall: Duration,
    pub(super) oldest_event: Duration,
    pub(super) lanes: BTreeMap<LaneName, Backlog>,
}

/// The unfinished work of one account and Region.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Backlog {
    pub(super) targets: u64,
    pub(super) age: Duration,
}

impl Unfinished {
    /// Adds a run of that age.
    pub fn add(&mut self, age: Duration, is_overdue: bool) {
        self.runs += 1;
        self.overdue += u64::from(is_overdue);
        self.oldest = self.oldest.max(age);
    }

    /// Adds an event that is owed for so long.
    pub fn add_event(&mut self, age: Duration) {
        self.oldest_event = self.oldest_event.max(age);
    }

    /// Adds its part in a lane: the targets that are left, how old it is, and how long it has had no progress.
    pub fn add_lane(&mut self, lane: LaneName, targets: u32, age: Duration, stall: Duration) {
        let backlog = self.lanes.entry(lane).or_default();
        backlog.targets += u64::from(targets);
        backlog.age = backlog.age.max(age);
        self.longest_stall = self.longest_stall.max(stall);
    }
}
