//! As what a target without a result stands.

use super::{NOW, change, part, target};
use policy_core::origin::IdentitySource;
use policy_core::policy::{InstanceId, Scope};
use policy_core::record::{
    ChangeRecord, Halt, Halted, LanePart, LaneState, Mode, RecordStatus, Standing, TargetName, Who,
    end_of_page,
};

fn told(change: &ChangeRecord, lane: Option<LaneState>) -> (&'static str, Option<&'static str>) {
    let lane = lane.map(|state| LanePart { state, ..part("us-east-1") });
    let standing = Standing::in_lane(change, lane.as_ref());
    (standing.outcome.name(), standing.why.map(|why| why.code.name()))
}

#[test]
fn it_follows_from_where_its_lane_stands() {
    for (state, expected) in [
        (None, ("pending", None)),
        (Some(LaneState::Open), ("pending", None)),
        (Some(LaneState::Done), ("pending", None)),
        (Some(LaneState::Parked), ("pending", Some("LaneParked"))),
        (Some(LaneState::Cancelled), ("skipped", Some("Cancelled"))),
        (Some(LaneState::Stopped), ("skipped", Some("StoppedAfterFailures"))),
        (Some(LaneState::Superseded), ("superseded", Some("NewerChange"))),
    ] {
        assert_eq!(told(&change(), state), expected, "{state:?}");
    }
}

#[test]
fn of_a_run_that_is_carried_out_at_once_it_follows_from_its_end() {
    let who = || Who { principal: None, account: None, vouched_by: IdentitySource::Nobody };
    let inline = |status, halted: Option<Halted>| ChangeRecord {
        mode: Mode::Inline,
        status,
        halt: halted.map(|as_what| Halt { as_what, at: NOW, who: who(), reason: None }),
        ..change()
    };
    for (status, halted, expected) in [
        (RecordStatus::Running, None, ("pending", None)),
        // ordered, and not ended yet
        (RecordStatus::Running, Some(Halted::Cancelled), ("pending", None)),
        (RecordStatus::Incomplete, None, ("pending", None)),
        (RecordStatus::Cancelled, Some(Halted::Cancelled), ("skipped", Some("Cancelled"))),
        (RecordStatus::Failed, Some(Halted::Superseded), ("superseded", Some("NewerChange"))),
    ] {
        assert_eq!(told(&inline(status, halted), None), expected, "{status:?}");
    }
    let stopped =
        |status, halted, failures| ChangeRecord { stop_after: Some(2), failures, ..inline(status, halted) };
    for (status, halted, failures, expected) in [
        (RecordStatus::Running, None, 2, ("pending", None)),
        (RecordStatus::Incomplete, None, 1, ("pending", None)),
        (RecordStatus::Partial, None, 2, ("skipped", Some("StoppedAfterFailures"))),
        (RecordStatus::Failed, None, 3, ("skipped", Some("StoppedAfterFailures"))),
        (RecordStatus::Cancelled, Some(Halted::Cancelled), 2, ("skipped", Some("Cancelled"))),
    ] {
        assert_eq!(told(&stopped(status, halted, failures), None), expected, "{status:?} {failures}");
    }
}

fn numbered(number: usize) -> TargetName {
    let instance = InstanceId::parse(&format!("0000000{number}-0000-4000-8000-000000000001")).unwrap();
    TargetName { instance, ..target(Scope::Chat) }
}

/// Of what was superseded some have a result, and others were never begun.
#[test]
fn a_page_of_two_lists_ends_where_the_nearer_one_was_read_to() {
    let targets: Vec<_> = (0..6).map(numbered).collect();
    let all = || targets.iter();
    for (ends, limit, expected) in [
        ([None, None], 6, None),
        ([None, None], 5, Some(4)),
        ([Some(3), None], 6, Some(3)),
        ([Some(3), Some(1)], 6, Some(1)),
        ([None, Some(4)], 3, Some(2)),
    ] {
        let ends = ends.map(|end: Option<usize>| end.map(|end| &targets[end]));
        // in no order
        let read = all().rev();
        assert_eq!(end_of_page(ends, read, limit), expected.map(|end: usize| &targets[end]), "{limit}");
    }
}
