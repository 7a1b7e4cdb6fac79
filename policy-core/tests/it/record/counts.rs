//! How many targets ended how, and the status that follows.

use policy_core::record::{Counts, Halted, RecordStatus, final_status};
use policy_core::report::{OutcomeKind, Status, Verdict};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

fn counts(ends: &[(OutcomeKind, bool)]) -> Counts {
    let mut counts = Counts::default();
    for (outcome, retryable) in ends {
        counts.add(*outcome, *retryable);
    }
    counts
}

#[test]
fn what_ended_only_for_now_is_counted_once() {
    use OutcomeKind::{Applied, Failed, Pending, Unknown};
    let counts = counts(&[
        (Applied, false),
        (Failed, true),
        (Failed, false),
        // applied, but not on record
        (Applied, true),
        (Unknown, true),
        (Pending, true),
        (Pending, true),
    ]);
    assert_eq!((counts.count(Applied), counts.count(Failed), counts.count(Pending)), (2, 2, 2));
    assert_eq!((counts.retry, counts.not_yet(), counts.total()), (2, 5, 7));
    assert_eq!(counts.count(OutcomeKind::Skipped), 0);
}

#[test]
fn the_status_follows_the_table_of_reports() {
    use OutcomeKind::{Applied, Blocked, Failed, Pending, Planned, Skipped, Superseded, Unchanged, Unknown};
    let status = |ends: &[(OutcomeKind, bool)], dry_run| final_status(&counts(ends), None, dry_run);
    assert_eq!(status(&[], false), RecordStatus::Succeeded);
    assert_eq!(status(&[], true), RecordStatus::Planned);
    assert_eq!(status(&[(Applied, false), (Unchanged, false)], false), RecordStatus::Succeeded);
    assert_eq!(status(&[(Planned, false), (Unchanged, false)], true), RecordStatus::Planned);
    for outcome in [Superseded, Blocked, Failed, Skipped] {
        assert_eq!(status(&[(outcome, false)], false), RecordStatus::Failed, "{outcome}");
        for done in [Applied, Unchanged, Planned] {
            assert_eq!(status(&[(done, false), (outcome, false)], false), RecordStatus::Partial, "{outcome}");
        }
    }
    for outcome in [(Failed, true), (Applied, true), (Unknown, false), (Pending, false)] {
        let all = [(Applied, false), (Blocked, false), outcome];
        assert_eq!(status(&all, false), RecordStatus::Incomplete, "{outcome:?}");
    }
}

/// A cancelled run is cancelled, though everything may have been done by then. One that a newer generation ended is what
/// it is.
#[test]
fn a_halt_decides_only_where_somebody_cancelled() {
    let applied = counts(&[(OutcomeKind::Applied, false)]);
    let pending = counts(&[(OutcomeKind::Pending, true)]);
    for counts in [&applied, &pending, &Counts::default()] {
        assert_eq!(final_status(counts, Some(Halted::Cancelled), false), RecordStatus::Cancelled);
        assert_eq!(final_status(counts, Some(Halted::Superseded), false), final_status(counts, None, false));
    }
}

#[test]
fn a_reports_statuses_are_a_records() {
    use Status::{Accepted, Failed, Incomplete, Partial, Planned, Rejected, Succeeded};
    for status in [Rejected, Accepted, Planned, Succeeded, Incomplete, Partial, Failed] {
        assert_eq!(RecordStatus::of(status).name(), status.name());
    }
    let open: Vec<_> = RecordStatus::ALL.iter().filter(|status| !status.is_final()).collect();
    assert_eq!(open, [&RecordStatus::Accepted, &RecordStatus::Running]);
}

/// Ends as they come: what is unknown or pending is always to be tried again.
fn ends() -> impl Strategy<Value = Vec<(OutcomeKind, bool)>> {
    vec((select(OutcomeKind::ALL), any::<bool>()), 0..8)
}

fn verdict((outcome, retryable): (OutcomeKind, bool)) -> Verdict {
    use OutcomeKind::{Applied, Blocked, Failed, Pending, Planned, Skipped, Superseded, Unchanged, Unknown};
    match outcome {
        Unknown | Pending => Verdict::NotYet,
        _ if retryable => Verdict::NotYet,
        Applied | Unchanged | Planned => Verdict::Done,
        Superseded | Blocked | Failed | Skipped => Verdict::NotForGood,
    }
}

proptest! {
    #[test]
    fn the_status_of_counts_is_that_of_the_targets_one_by_one(ends in ends(), dry_run in any::<bool>()) {
        let one_by_one = Status::of(ends.iter().copied().map(verdict), dry_run);
        prop_assert_eq!(final_status(&counts(&ends), None, dry_run), RecordStatus::of(one_by_one));
        let not_yet = ends.iter().filter(|end| verdict(**end) == Verdict::NotYet).count();
        prop_assert_eq!(usize::try_from(counts(&ends).not_yet()).unwrap(), not_yet);
        prop_assert_eq!(usize::try_from(counts(&ends).total()).unwrap(), ends.len());
    }

    /// Lanes are counted by themselves, and the change has their sum.
    #[test]
    fn the_counts_of_two_lanes_are_those_of_both_together(one in ends(), other in ends()) {
        let both = [one.clone(), other.clone()].concat();
        prop_assert_eq!(counts(&one).plus(&counts(&other)), counts(&both));
        prop_assert_eq!(counts(&other).plus(&counts(&one)), counts(&both));
        prop_assert_eq!(counts(&one).plus(&Counts::default()), counts(&one));
    }
}
