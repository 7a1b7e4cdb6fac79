//! What is decided about records, runs, lanes and targets: one row of docs/ledger.md after the other.

mod admission;
mod announcement;
mod counts;
mod digest;
mod document;
mod duty;
mod ending;
mod lane;
mod order;
mod page;
mod plan;
mod properties;
mod rejected;
mod target;
mod undo;
mod untouched;

use crate::parsing;
use policy_core::aws::RegionName;
use policy_core::origin::{IdentitySource, TriggerKind};
use policy_core::policy::{ChangeId, Configuration, InstanceId, Scope};
use policy_core::record::{
    ChangeRecord, Counts, LaneName, LanePart, LaneState, Millis, Mode, Order, PlanRef, RecordStatus,
    RecordedOrigin, RecordedResult, Relations, RunKey, RunName, TargetName, Who,
};
use policy_core::report::OutcomeKind;
use std::collections::BTreeSet;

/// When everything here happens.
pub(crate) const NOW: Millis = Millis(1_800_000_000_000);

pub(crate) fn id(text: &str) -> ChangeId {
    ChangeId::parse(text).unwrap()
}

/// So many seconds before or after [`NOW`].
pub(crate) fn at(seconds: i64) -> Millis {
    Millis(NOW.0.checked_add_signed(seconds * 1_000).unwrap())
}

pub(crate) fn lane(region: &str) -> LaneName {
    LaneName { account: Some(parsing::account("111122223333")), region: RegionName::parse(region).unwrap() }
}

pub(crate) fn held(bytes: i64, list: &[&str]) -> Configuration {
    Configuration {
        maximum_size_limit_in_bytes: Some(bytes),
        allowed_extensions: Some(list.iter().map(|name| (*name).to_owned()).collect()),
    }
}

/// A change that is carried out by lanes, all of them sent an hour ago.
pub(crate) fn change() -> ChangeRecord {
    let who = Who { principal: None, account: None, vouched_by: IdentitySource::Invoker };
    ChangeRecord {
        change_id: id("CHG-1"),
        token: "token".to_owned(),
        hash: "hash".to_owned(),
        chosen: true,
        is_batch: false,
        dry_run: false,
        checks_drift: false,
        run: 3,
        key: RunKey(at(-3_600)),
        order: Order { accepted: at(-7_200), change_id: id("CHG-1") },
        first: at(-7_200),
        status: RecordStatus::Running,
        mode: Mode::Lanes,
        submitted: at(-3_600),
        started: None,
        finished: None,
        origin: RecordedOrigin {
            trigger: TriggerKind::Bare,
            who,
            claimed_account: None,
            source_ip: None,
            service: "lambda.amazonaws.com".to_owned(),
            request_id: None,
        },
        reason: None,
        requested_by: None,
        plan: PlanRef::Own("{}".to_owned()),
        lanes: 2,
        sent: true,
        lanes_done: 0,
        targets: 2,
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

/// A lane that is open and has no delivery.
pub(crate) fn part(region: &str) -> LanePart {
    LanePart {
        name: lane(region),
        state: LaneState::Open,
        delivery: None,
        deliveries: 1,
        stalled: 0,
        moved: None,
        planned: Some(1),
        done: 0,
        resolved: None,
        counts: Counts::default(),
        hash: None,
        error: None,
    }
}

pub(crate) fn target(scope: Scope) -> TargetName {
    TargetName { lane: lane("us-east-1"), instance: InstanceId::parse(parsing::ID).unwrap(), scope }
}

/// A result for good, of a target that was read before and after.
pub(crate) fn recorded(outcome: OutcomeKind) -> RecordedResult {
    RecordedResult {
        target: target(Scope::Chat),
        change_id: id("CHG-1"),
        outcome,
        done: true,
        before: Some(held(5, &["csv", "pdf"])),
        after: Some(held(7, &["pdf"])),
        error: None,
        attempts: 1,
        request_id: None,
        last_modified: None,
        at: NOW,
        who: None,
        declared_by: None,
        token: "intent".to_owned(),
    }
}

pub(crate) fn run(change: &str, seconds: i64) -> RunName {
    RunName { change_id: id(change), key: RunKey(at(seconds)) }
}
