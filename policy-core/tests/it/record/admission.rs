//! A submission that finds a record under its id: docs/ledger.md, "Admission", row by row.

use super::{NOW, at, change, id};
use policy_core::record::{
    Admission, ChangeRecord, Holder, MAX_REPLAYS, Millis, Mode, Order, RecordStatus, RunKey, Submitted, admit,
};

const CHOSEN: Submitted<'_> = Submitted { hash: "hash", chosen: true, dry_run: false, replay: None, at: NOW };
/// The id is one that AWS gave.
const GIVEN: Submitted<'_> = Submitted { chosen: false, ..CHOSEN };
const REPLAYED: Submitted<'_> = Submitted { replay: Some("again"), ..GIVEN };

const FINAL: [RecordStatus; 6] = [
    RecordStatus::Planned,
    RecordStatus::Succeeded,
    RecordStatus::Incomplete,
    RecordStatus::Partial,
    RecordStatus::Failed,
    RecordStatus::Cancelled,
];
const UNFINISHED: [RecordStatus; 2] = [RecordStatus::Accepted, RecordStatus::Running];

fn with(status: RecordStatus) -> ChangeRecord {
    ChangeRecord { status, ..change() }
}

fn inline(holder: Option<Millis>) -> ChangeRecord {
    let holder = holder.map(|until| Holder { token: "holder".to_owned(), until });
    ChangeRecord { mode: Mode::Inline, holder, ..change() }
}

/// The fourth run, with a key of now.
fn next(accepted: Millis) -> Admission {
    Admission::NextRun { run: 4, key: RunKey(NOW), order: Order { accepted, change_id: id("CHG-1") } }
}

#[test]
fn other_targets_or_values_never_come_under_a_used_id() {
    for status in UNFINISHED.into_iter().chain(FINAL) {
        for new in [CHOSEN, GIVEN, REPLAYED] {
            for dry_run in [false, true] {
                let new = Submitted { hash: "other", dry_run, ..new };
                assert_eq!(admit(&with(status), &new, NOW), Admission::Reused, "{status} {new:?}");
            }
        }
    }
}

/// Nothing was done for it, and there are no targets to compare.
#[test]
fn a_rejected_document_keeps_nobody_from_sending_a_better_one() {
    let new = Submitted { hash: "other", dry_run: true, ..GIVEN };
    assert_eq!(admit(&with(RecordStatus::Rejected), &new, NOW), next(NOW));
}

#[test]
fn a_dry_run_and_a_real_run_do_not_meet() {
    for status in UNFINISHED {
        for new in [CHOSEN, GIVEN, REPLAYED] {
            let new = Submitted { dry_run: true, ..new };
            assert_eq!(admit(&with(status), &new, NOW), Admission::Busy, "{status} {new:?}");
            let old = ChangeRecord { dry_run: true, ..with(status) };
            assert_eq!(admit(&old, &Submitted { dry_run: false, ..new }, NOW), Admission::Busy);
            assert_ne!(admit(&old, &new, NOW), Admission::Busy);
        }
    }
    // once one has ended, the other may begin
    assert_eq!(admit(&with(RecordStatus::Succeeded), &Submitted { dry_run: true, ..CHOSEN }, NOW), next(NOW));
}

#[test]
fn a_chosen_id_meets_its_run_or_begins_the_next() {
    for status in UNFINISHED {
        assert_eq!(admit(&with(status), &CHOSEN, NOW), Admission::Running, "{status}");
    }
    assert_eq!(admit(&inline(Some(at(5))), &CHOSEN, NOW), Admission::Running);
    for status in FINAL {
        assert_eq!(admit(&with(status), &CHOSEN, NOW), next(NOW), "{status}");
    }
}

/// Its order is later than that of the run before, whatever the clocks say.
#[test]
fn a_new_run_of_a_chosen_id_has_a_later_place_and_a_later_key() {
    let old = ChangeRecord {
        order: Order { accepted: at(9), change_id: id("CHG-1") },
        key: RunKey(at(7)),
        ..with(RecordStatus::Succeeded)
    };
    let expected = Admission::NextRun {
        run: 4,
        key: RunKey(Millis(at(7).0 + 1)),
        order: Order { accepted: Millis(at(9).0 + 1), change_id: id("CHG-1") },
    };
    assert_eq!(admit(&old, &CHOSEN, NOW), expected);
    // its own time is late enough
    let new = Submitted { at: at(10), ..CHOSEN };
    let Admission::NextRun { order, .. } = admit(&old, &new, NOW) else { panic!("no run") };
    assert_eq!(order.accepted, at(10));
}

#[test]
fn a_repetition_of_an_id_that_aws_gave_continues_or_takes_over() {
    for status in UNFINISHED {
        assert_eq!(admit(&with(status), &GIVEN, NOW), Admission::Continue, "{status}");
    }
    assert_eq!(admit(&inline(None), &GIVEN, NOW), Admission::Continue);
    assert_eq!(admit(&inline(Some(NOW)), &GIVEN, NOW), Admission::Later);
    assert_eq!(admit(&inline(Some(Millis(NOW.0 - 1))), &GIVEN, NOW), Admission::Continue);
    // a holder of a run that is carried out by lanes means nothing
    let lanes = ChangeRecord { mode: Mode::Lanes, ..inline(Some(at(60))) };
    assert_eq!(admit(&lanes, &GIVEN, NOW), Admission::Continue);
    assert_eq!(admit(&inline(Some(at(5))), &REPLAYED, NOW), Admission::Later);
}

#[test]
fn a_repetition_of_a_final_run_gets_its_answer_and_an_incomplete_one_runs_again_in_its_old_place() {
    for status in FINAL {
        let expected =
            if status == RecordStatus::Incomplete { next(at(-7_200)) } else { Admission::Recorded };
        assert_eq!(admit(&with(status), &GIVEN, NOW), expected, "{status}");
    }
}

#[test]
fn each_replay_runs_once_in_the_old_place() {
    for status in FINAL {
        // also where the producer chose the id: a replay brings old values
        for chosen in [false, true] {
            let new = Submitted { chosen, ..REPLAYED };
            assert_eq!(admit(&with(status), &new, NOW), next(at(-7_200)), "{status}");
            let had = ChangeRecord { replays: ["again".to_owned()].into(), ..with(status) };
            let expected =
                if status == RecordStatus::Incomplete { next(at(-7_200)) } else { Admission::Recorded };
            assert_eq!(admit(&had, &new, NOW), expected, "{status}");
        }
    }
}

#[test]
fn a_record_takes_a_hundred_replays() {
    let names = |count: usize| (0..count).map(|n| format!("replay-{n}")).collect();
    let with = |count| ChangeRecord { replays: names(count), ..with(RecordStatus::Succeeded) };
    assert_eq!(MAX_REPLAYS, 100);
    assert_eq!(admit(&with(99), &REPLAYED, NOW), next(at(-7_200)));
    assert_eq!(admit(&with(100), &REPLAYED, NOW), Admission::TooManyReplays);
    // one that it had is no further one
    let new = Submitted { replay: Some("replay-7"), ..GIVEN };
    assert_eq!(admit(&with(100), &new, NOW), Admission::Recorded);
}
