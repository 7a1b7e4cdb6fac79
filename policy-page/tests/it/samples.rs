//! What a ledger could hold.

use policy_core::declare::{Claim, Owner};
use policy_core::origin::{IdentitySource, TriggerKind};
use policy_core::policy::{ChangeId, Configuration, Scope, Values};
use policy_core::record::{
    ChangeRecord, Counts, Freeze, Handover, Intent, LEASE, LaneName, LanePart, LaneState, Listed, Members,
    Millis, Mode, Order, Past, PlanRef, RecordStatus, RecordedError, RecordedOrigin, RecordedResult,
    Relations, RunKey, RunName, TargetName, TargetRecord, Who,
};
use policy_core::report::OutcomeKind;
use policy_core::trigger::widget::{Look, Theme};
use policy_page::Frame;
use std::collections::BTreeSet;
use time::UtcOffset;

/// 2026-03-15T12:00:00Z
pub(crate) const NOW: Millis = Millis(1_773_576_000_000);
pub(crate) const LANE: &str = "111122223333/eu-central-1";
pub(crate) const OTHER_LANE: &str = "444455556666/eu-west-2";
pub(crate) const MB: i64 = 1_048_576;

pub(crate) fn frame() -> Frame<'static> {
    let look = Look { theme: Theme::Light, offset: UtcOffset::UTC };
    Frame { look, endpoint: "arn:aws:lambda:eu-central-1:111122223333:function:widget", now: NOW }
}

pub(crate) fn id(text: &str) -> ChangeId {
    ChangeId::parse(text).unwrap()
}

pub(crate) fn who(principal: &str) -> Who {
    Who {
        principal: Some(principal.to_owned()),
        account: Some("111122223333".to_owned()),
        vouched_by: IdentitySource::ApiGatewayIam,
    }
}

pub(crate) fn run(text: &str) -> RunName {
    RunName { change_id: id(text), key: RunKey(NOW) }
}

/// A target of the instance with that number.
pub(crate) fn name(lane: &str, number: u32, scope: Scope) -> TargetName {
    TargetName::parse(&format!("{lane}#{number:08}-0000-4000-8000-000000000001#{scope}")).unwrap()
}

pub(crate) fn list(extensions: &[&str]) -> BTreeSet<String> {
    extensions.iter().map(|extension| (*extension).to_owned()).collect()
}

pub(crate) fn holds(size: i64, extensions: &[&str]) -> Configuration {
    Configuration { maximum_size_limit_in_bytes: Some(size), allowed_extensions: Some(list(extensions)) }
}

/// A target that should hold these values since CHG-1.
pub(crate) fn holding(held: Configuration) -> TargetRecord {
    TargetRecord {
        rev: 3,
        held,
        applied: Some(run("CHG-1")),
        applied_at: Some(NOW),
        last: Some(run("CHG-1")),
        ..TargetRecord::default()
    }
}

pub(crate) fn owner() -> Owner {
    let claim = |logical_id: &str| Claim {
        logical_id: logical_id.to_owned(),
        generation: 1,
        first: 1,
        declared: Values::default(),
    };
    Owner {
        stack_id: "arn:aws:cloudformation:eu-central-1:111122223333:stack/shops/0b2c".to_owned(),
        original: Configuration::default(),
        claims: vec![claim("Older"), claim("Policy")],
    }
}

pub(crate) fn intent(of: &str) -> Intent {
    Intent {
        token: "token".to_owned(),
        begun: NOW,
        until: NOW.plus(LEASE),
        run: run(of),
        reported_as: id(of),
        order: Order { accepted: NOW, change_id: id(of) },
        named: Members::ALL,
        values: holds(7 * MB, &[]),
        before: holds(5 * MB, &[]),
        was_size: None,
        was_extensions: None,
        handover: Handover::Stays,
    }
}

pub(crate) fn freeze(drain: bool) -> Freeze {
    let reason = Some("an audit of <all> instances".to_owned());
    Freeze { who: who("arn:aws:iam::111122223333:user/ada"), at: NOW, reason, drain }
}

pub(crate) fn counts(counts: &[(OutcomeKind, u32)]) -> Counts {
    Counts { outcomes: counts.iter().copied().collect(), retry: 0 }
}

fn origin() -> RecordedOrigin {
    RecordedOrigin {
        trigger: TriggerKind::Http,
        who: who("arn:aws:iam::111122223333:user/ada"),
        claimed_account: None,
        source_ip: Some("192.0.2.1".to_owned()),
        service: "apigateway.amazonaws.com".to_owned(),
        request_id: None,
    }
}

pub(crate) fn listed(text: &str, status: RecordStatus) -> Listed {
    Listed {
        change_id: id(text),
        run: 1,
        dry_run: false,
        status,
        submitted: NOW,
        started: Some(NOW),
        finished: status.is_final().then_some(NOW),
        origin: origin(),
        reason: Some("ticket 7".to_owned()),
        requested_by: Some("Anna".to_owned()),
        targets: 4,
        counts: counts(&[(OutcomeKind::Applied, 3), (OutcomeKind::Failed, 1)]),
        undoes: None,
        undone_by: None,
    }
}

/// A run by lanes.
pub(crate) fn change(text: &str, status: RecordStatus) -> ChangeRecord {
    ChangeRecord {
        change_id: id(text),
        token: "token".to_owned(),
        hash: "a".repeat(64),
        chosen: true,
        is_batch: false,
        dry_run: false,
        checks_drift: false,
        run: 1,
        key: RunKey(NOW),
        order: Order { accepted: NOW, change_id: id(text) },
        first: NOW,
        status,
        mode: Mode::Lanes,
        submitted: NOW,
        started: Some(NOW),
        finished: status.is_final().then_some(NOW),
        origin: origin(),
        reason: Some("ticket 7".to_owned()),
        requested_by: Some("Anna".to_owned()),
        plan: PlanRef::Own(String::new()),
        lanes: 2,
        sent: true,
        lanes_done: 0,
        targets: 8,
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

pub(crate) fn part(lane: &str, state: LaneState, planned: u32, done: u32) -> LanePart {
    LanePart {
        name: LaneName::parse(lane).unwrap(),
        state,
        delivery: None,
        deliveries: 1,
        stalled: 0,
        moved: Some(NOW),
        planned: Some(planned),
        done,
        resolved: None,
        counts: Counts::default(),
        hash: None,
        error: None,
    }
}

pub(crate) fn failure(code: &str, message: &str) -> RecordedError {
    RecordedError { code: code.to_owned(), message: message.to_owned(), retryable: false }
}

pub(crate) fn result(target: TargetName, outcome: OutcomeKind) -> RecordedResult {
    RecordedResult {
        target,
        change_id: id("CHG-1"),
        outcome,
        done: true,
        before: Some(holds(20 * MB, &["csv", "exe", "pdf"])),
        after: Some(holds(10 * MB, &["csv", "pdf", "png"])),
        error: None,
        attempts: 1,
        request_id: None,
        last_modified: None,
        at: NOW,
        who: None,
        declared_by: None,
        token: "token".to_owned(),
    }
}

pub(crate) fn past(of: &str, outcome: OutcomeKind) -> Past {
    Past {
        run: run(of),
        at: NOW,
        change_id: id(of),
        outcome,
        before: Some(holds(20 * MB, &["csv", "exe", "pdf"])),
        after: Some(holds(10 * MB, &["csv", "pdf", "png"])),
        error: None,
        who: Some(who("arn:aws:iam::111122223333:user/ada")),
    }
}
