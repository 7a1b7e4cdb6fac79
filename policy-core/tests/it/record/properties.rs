//! What holds for every record, whatever is in it.

use super::{NOW, at, change, id, part};
use policy_core::origin::IdentitySource;
use policy_core::record::{
    Admission, ChangeRecord, Delivery, Duty, Freeze, Halt, Halted, Holder, LanePart, LaneState, Mode, Order,
    RecordStatus, RunKey, Submitted, Who, admit, duties,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

fn who() -> Who {
    Who { principal: None, account: None, vouched_by: IdentitySource::Nobody }
}

prop_compose! {
    fn record()(
        status in select(RecordStatus::ALL),
        mode in select(vec![Mode::Inline, Mode::Lanes]),
        dry_run in any::<bool>(),
        holder in option::of(-3..3_i64),
        (key, accepted, submitted) in (-3..3_i64, -3..3_i64, -4_000..4_i64),
        replays in subsequence(vec!["a", "b"], 0..=2),
        halt in option::of(select(vec![Halted::Cancelled, Halted::Superseded])),
        (sent, announce) in any::<(bool, bool)>(),
        (lanes_done, failures, stop_after) in (0..4_u32, 0..3_u32, option::of(1..3_u32)),
    ) -> ChangeRecord {
        ChangeRecord {
            status,
            mode,
            dry_run,
            holder: holder.map(|until| Holder { token: "h".to_owned(), until: at(until) }),
            key: RunKey(at(key)),
            order: Order { accepted: at(accepted), change_id: id("CHG-1") },
            submitted: at(submitted),
            replays: replays.into_iter().map(str::to_owned).collect(),
            halt: halt.map(|as_what| Halt { as_what, at: NOW, who: who(), reason: None }),
            sent,
            announce,
            lanes_done,
            failures,
            stop_after,
            ..change()
        }
    }
}

prop_compose! {
    fn lanes()(
        parts in vec((select(LaneState::ALL), option::of(-3..3_i64), 0..18_u32), 0..3),
    ) -> Vec<LanePart> {
        let regions = ["us-east-1", "eu-west-1", "eu-west-2"];
        regions.iter().zip(parts).map(|(region, (state, until, stalled))| LanePart {
            state,
            delivery: until.map(|until| Delivery { token: "d".to_owned(), until: at(until) }),
            stalled,
            ..part(region)
        }).collect()
    }
}

proptest! {
    #[test]
    fn a_new_run_comes_after_the_one_before_and_only_when_that_has_ended(
        old in record(),
        hash in select(vec!["hash", "other"]),
        (chosen, dry_run) in any::<(bool, bool)>(),
        replay in option::of(select(vec!["a", "b", "c"])),
        submitted in -3..3_i64,
    ) {
        let new = Submitted { hash, chosen, dry_run, replay, at: at(submitted) };
        match admit(&old, &new, NOW) {
            Admission::NextRun { run, key, order } => {
                prop_assert!(old.status.is_final());
                prop_assert_eq!(run, old.run + 1);
                prop_assert!(key > old.key && key.0 >= NOW);
                prop_assert_eq!(&order.change_id, &old.change_id);
                // a new place is a later one, and a repetition keeps its own
                prop_assert!(order.accepted >= old.order.accepted);
                let is_new = order.accepted > old.order.accepted;
                prop_assert_eq!(is_new, old.status == RecordStatus::Rejected || (chosen && replay.is_none()));
            }
            Admission::Reused => prop_assert!(hash == "other" && old.status != RecordStatus::Rejected),
            Admission::Busy => prop_assert!(!old.status.is_final() && old.dry_run != dry_run),
            Admission::Running | Admission::Continue | Admission::Later => {
                prop_assert!(!old.status.is_final() && old.dry_run == dry_run);
            }
            Admission::Recorded => prop_assert!(old.status.is_final() && (!chosen || replay.is_some())),
            Admission::TooManyReplays => prop_assert!(false, "three are not too many"),
        }
    }

    /// Whoever does what is due twice, or while others are at work, breaks nothing.
    #[test]
    fn what_is_due_leaves_the_living_and_the_ended_alone(
        change in record(),
        lanes in lanes(),
        drain in option::of(any::<bool>()),
        silence in option::of(0..4_000_i64),
    ) {
        let freeze = drain.map(|drain| Freeze { who: who(), at: NOW, reason: None, drain });
        let last = |_: &_| silence.map(|seconds| at(-seconds));
        let due = duties(&change, &lanes, last, freeze.as_ref(), 15, NOW);
        let is_idle = |name: &_| lanes.iter().any(|part| {
            part.name == *name && part.state == LaneState::Open && !part.is_delivered(NOW)
        });
        for duty in &due {
            match duty {
                Duty::EndLane { lane, as_state } => {
                    prop_assert!(is_idle(lane) && *as_state != LaneState::Open && *as_state != LaneState::Done);
                    prop_assert!(*as_state != LaneState::Parked || drain != Some(false));
                }
                Duty::Send(silent) => {
                    prop_assert!(!silent.is_empty() && silent.iter().all(is_idle));
                    prop_assert!(drain != Some(false) && change.halt.is_none() && change.sent);
                }
                Duty::Announce => prop_assert!(change.status.is_final() && change.announce && due.len() == 1),
                Duty::SettleInline => prop_assert!(change.mode == Mode::Inline && due.len() == 1),
                Duty::Finish => prop_assert!(change.mode == Mode::Lanes && due.len() == 1),
                Duty::PutLanes => prop_assert!(change.mode == Mode::Lanes),
                Duty::Wait(until) => prop_assert!(*until >= NOW && due.last() == Some(duty)),
            }
        }
        // nothing unfinished is forgotten
        prop_assert_eq!(due.is_empty(), change.status.is_final() && !change.announce);
    }
}
