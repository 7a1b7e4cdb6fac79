//! Records, intents and results to store.

use policy_core::origin::{IdentitySource, TriggerKind};
use policy_core::policy::{ChangeId, Configuration, Scope, Violation, ViolationCode};
use policy_core::record::{
    ChangeRecord, Counts, Delivery, Halt, Halted, Handover, Holder, Intent, LEASE, LaneName, Members, Millis,
    Mode, Order, PlanRef, RecordStatus, RecordedError, RecordedOrigin, RecordedResult, Relations, RunKey,
    RunName, TargetName, Who,
};
use policy_core::report::OutcomeKind;
use std::collections::BTreeSet;

/// 2026-03-15T12:00:00Z
pub(super) const NOW: Millis = Millis(1_773_576_000_000);
pub(super) const LANE: &str = "111122223333/eu-central-1";
pub(super) const OTHER_LANE: &str = "444455556666/eu-west-2";

pub(super) fn after(seconds: u64) -> Millis {
    Millis(NOW.0 + seconds * 1_000)
}

pub(super) fn id(text: &str) -> ChangeId {
    ChangeId::parse(text).unwrap()
}

pub(super) fn lane(text: &str) -> LaneName {
    LaneName::parse(text).unwrap()
}

pub(super) fn run(text: &str) -> RunName {
    RunName { change_id: id(text), key: RunKey(NOW) }
}

pub(super) fn order(text: &str) -> Order {
    Order { accepted: NOW, change_id: id(text) }
}

pub(super) fn who(principal: &str) -> Who {
    Who {
        principal: Some(principal.to_owned()),
        account: Some("111122223333".to_owned()),
        vouched_by: IdentitySource::ApiGatewayIam,
    }
}

/// An inline run that its holder carries out.
pub(super) fn inline(text: &str) -> ChangeRecord {
    ChangeRecord {
        change_id: id(text),
        token: format!("token of {text}"),
        hash: "a".repeat(64),
        chosen: true,
        is_batch: false,
        dry_run: false,
        checks_drift: false,
        run: 1,
        key: RunKey(NOW),
        order: order(text),
        first: NOW,
        status: RecordStatus::Running,
        mode: Mode::Inline,
        submitted: NOW,
        started: Some(NOW),
        finished: None,
        origin: RecordedOrigin {
            trigger: TriggerKind::Http,
            who: who("arn:aws:iam::111122223333:user/anna"),
            claimed_account: Some("444455556666".to_owned()),
            source_ip: Some("192.0.2.1".to_owned()),
            service: "apigateway.amazonaws.com".to_owned(),
            request_id: Some("JKJaXmPLvHcESHA=".to_owned()),
        },
        reason: Some("ticket 7".to_owned()),
        requested_by: Some("Anna".to_owned()),
        plan: PlanRef::Own(r#"{"document":{}}"#.to_owned()),
        lanes: 1,
        sent: false,
        lanes_done: 0,
        targets: 1,
        counts: Counts::default(),
        failures: 0,
        stop_after: None,
        halt: None,
        holder: Some(holder("mine")),
        plan_hash: None,
        relations: Relations::default(),
        declared: None,
        replays: BTreeSet::new(),
        violations: Vec::new(),
        announce: false,
        expires: None,
    }
}

/// A run by lanes that nobody has begun.
pub(super) fn by_lanes(text: &str, lanes: u32) -> ChangeRecord {
    ChangeRecord {
        status: RecordStatus::Accepted,
        mode: Mode::Lanes,
        started: None,
        holder: None,
        lanes,
        targets: 0,
        ..inline(text)
    }
}

/// A document with a violation.
pub(super) fn rejected(text: &str) -> ChangeRecord {
    let violation = Violation {
        pointer: "/maximumSize".to_owned(),
        code: ViolationCode::InvalidSize,
        message: "must be a number and a unit".to_owned(),
    };
    ChangeRecord {
        status: RecordStatus::Rejected,
        finished: Some(NOW),
        holder: None,
        lanes: 0,
        targets: 0,
        plan: PlanRef::Own(String::new()),
        violations: vec![violation],
        ..inline(text)
    }
}

/// A run that succeeded, as it is read.
pub(super) fn succeeded(text: &str) -> ChangeRecord {
    ChangeRecord {
        status: RecordStatus::Succeeded,
        finished: Some(NOW),
        holder: None,
        counts: counts(&[(OutcomeKind::Applied, 1)]),
        ..inline(text)
    }
}

/// The same record's next run.
pub(super) fn next(old: &ChangeRecord) -> ChangeRecord {
    ChangeRecord {
        token: format!("{} again", old.token),
        run: old.run + 1,
        key: RunKey::next(Some(old.key), after(10)),
        order: Order { accepted: after(10), change_id: old.change_id.clone() },
        status: RecordStatus::Running,
        submitted: after(10),
        started: Some(after(10)),
        finished: None,
        holder: Some(holder("next")),
        counts: Counts::default(),
        expires: None,
        ..old.clone()
    }
}

pub(super) fn holder(token: &str) -> Holder {
    Holder { token: token.to_owned(), until: after(93) }
}

pub(super) fn delivery(token: &str) -> Delivery {
    Delivery { token: token.to_owned(), until: after(965) }
}

pub(super) fn cancelled(at: Millis) -> Halt {
    Halt {
        as_what: Halted::Cancelled,
        at,
        who: who("arn:aws:iam::111122223333:user/bert"),
        reason: Some("too early".to_owned()),
    }
}

pub(super) fn counts(counts: &[(OutcomeKind, u32)]) -> Counts {
    Counts { outcomes: counts.iter().copied().collect(), retry: 0 }
}

/// A target of the instance with that number.
pub(super) fn target(number: u32, scope: Scope) -> TargetName {
    TargetName::parse(&format!("{LANE}#{number:08}-0000-4000-8000-000000000001#{scope}")).unwrap()
}

pub(super) fn holds(size: i64, extensions: &[&str]) -> Configuration {
    Configuration {
        maximum_size_limit_in_bytes: Some(size),
        allowed_extensions: Some(extensions.iter().map(|extension| (*extension).to_owned()).collect()),
    }
}

pub(super) fn size(size: i64) -> Configuration {
    Configuration { maximum_size_limit_in_bytes: Some(size), allowed_extensions: None }
}

pub(super) const BOTH: Members = Members { size: true, extensions: true };
pub(super) const SIZE: Members = Members { size: true, extensions: false };

/// An intent to send a size, of a run that was accepted at `accepted`.
pub(super) fn intent(token: &str, of: &str, accepted: Millis) -> Intent {
    Intent {
        token: token.to_owned(),
        begun: NOW,
        until: NOW.plus(LEASE),
        run: run(of),
        reported_as: id(&format!("{of}/3")),
        order: Order { accepted, change_id: id(of) },
        named: SIZE,
        values: size(7),
        before: holds(5, &["csv", "PDF"]),
        was_size: None,
        was_extensions: None,
        handover: Handover::Stays,
    }
}

/// What became of a target.
pub(super) fn result(target: &TargetName, of: &str, outcome: OutcomeKind) -> RecordedResult {
    let is_bad = matches!(outcome, OutcomeKind::Failed | OutcomeKind::Unknown | OutcomeKind::Blocked);
    let error = RecordedError {
        code: "NotTaken".to_owned(),
        message: "the update did not take effect".to_owned(),
        retryable: outcome == OutcomeKind::Failed,
    };
    RecordedResult {
        target: target.clone(),
        change_id: id(of),
        outcome,
        done: !matches!(outcome, OutcomeKind::Failed | OutcomeKind::Unknown),
        before: Some(holds(5, &["csv", "PDF"])),
        after: Some(holds(7, &[])),
        error: is_bad.then_some(error),
        attempts: 2,
        request_id: Some("request".to_owned()),
        last_modified: Some(after(1)),
        at: after(2),
        who: Some(who("arn:aws:iam::111122223333:user/anna")),
        declared_by: None,
        token: "intent".to_owned(),
    }
}
