//! What the sweep does for a change: docs/ledger.md, "The sweep", row by row.

use super::{NOW, at, change, lane, part};
use policy_core::origin::IdentitySource;
use policy_core::record::{
    ChangeRecord, Delivery, Duty, Freeze, Halt, Halted, Holder, LaneName, LanePart, LaneState, Millis, Mode,
    RecordStatus, Who, duties,
};

const MAX_STALLED: u32 = 15;
const HERE: &str = "us-east-1";
const THERE: &str = "eu-west-1";

fn who() -> Who {
    Who { principal: None, account: None, vouched_by: IdentitySource::Nobody }
}

fn freeze(drain: bool) -> Freeze {
    Freeze { who: who(), at: NOW, reason: None, drain }
}

fn halted(as_what: Halted) -> ChangeRecord {
    let halt = Some(Halt { as_what, at: NOW, who: who(), reason: None });
    ChangeRecord { halt, ..change() }
}

/// A lane whose delivery lives until then.
fn delivered(region: &str, until: Millis) -> LanePart {
    LanePart { delivery: Some(Delivery { token: "d".to_owned(), until }), ..part(region) }
}

fn ended(region: &str, state: LaneState) -> LanePart {
    LanePart { state, ..part(region) }
}

/// What is due where each lane's group had a delivery a minute ago.
fn due(change: &ChangeRecord, lanes: &[LanePart]) -> Vec<Duty> {
    duties(change, lanes, |_| Some(at(-60)), None, MAX_STALLED, NOW)
}

fn end(region: &str, as_state: LaneState) -> Duty {
    Duty::EndLane { lane: lane(region), as_state }
}

fn wait(seconds: i64) -> Duty {
    Duty::Wait(at(seconds))
}

#[test]
fn a_final_change_owes_at_most_its_announcement() {
    let finals = RecordStatus::ALL.iter().filter(|status| status.is_final());
    for status in finals {
        for mode in [Mode::Inline, Mode::Lanes] {
            let with =
                |announce| ChangeRecord { status: *status, mode, announce, ..halted(Halted::Cancelled) };
            let open = [part(HERE)];
            assert_eq!(due(&with(false), &open), [], "{status}");
            assert_eq!(due(&with(true), &open), [Duty::Announce], "{status}");
            let frozen = duties(&with(true), &open, |_| None, Some(&freeze(false)), MAX_STALLED, NOW);
            assert_eq!(frozen, [Duty::Announce]);
        }
    }
}

#[test]
fn an_inline_run_is_settled_once_its_holder_is_surely_dead() {
    let with = |until: Option<Millis>| {
        let holder = until.map(|until| Holder { token: "h".to_owned(), until });
        ChangeRecord { mode: Mode::Inline, sent: false, holder, ..change() }
    };
    assert_eq!(due(&with(Some(at(30))), &[]), [Duty::Wait(Millis(at(30).0 + 1))]);
    assert_eq!(due(&with(Some(NOW)), &[]), [Duty::Wait(Millis(NOW.0 + 1))]);
    for change in [with(Some(Millis(NOW.0 - 1))), with(None)] {
        assert_eq!(due(&change, &[]), [Duty::SettleInline]);
        // settling changes nothing at Amazon Connect
        assert_eq!(
            duties(&change, &[], |_| None, Some(&freeze(false)), MAX_STALLED, NOW),
            [Duty::SettleInline]
        );
    }
    // cancelled while it is carried out: it ends itself at its next target
    let cancelled =
        ChangeRecord { mode: Mode::Inline, holder: with(Some(at(5))).holder, ..halted(Halted::Cancelled) };
    assert_eq!(due(&cancelled, &[]), [Duty::Wait(Millis(at(5).0 + 1))]);
}

#[test]
fn messages_that_are_not_out_after_a_minute_are_made_by_somebody_else() {
    let with =
        |submitted| ChangeRecord { sent: false, submitted, status: RecordStatus::Accepted, ..change() };
    // whatever lanes there are by then
    for lanes in [&[][..], &[part(HERE)], &[part(HERE), part(THERE)]] {
        assert_eq!(due(&with(at(-60)), lanes), [Duty::PutLanes]);
        assert_eq!(due(&with(at(-59)), lanes), [wait(1)]);
    }
    // nothing is sent in a freeze, unless accepted runs go on
    let frozen = |drain| duties(&with(at(-60)), &[], |_| None, Some(&freeze(drain)), MAX_STALLED, NOW);
    assert_eq!((frozen(false), frozen(true)), (vec![wait(300)], vec![Duty::PutLanes]));
}

#[test]
fn a_run_that_goes_on_is_looked_at_again_in_five_minutes() {
    assert_eq!(due(&change(), &[part(HERE), part(THERE)]), [wait(300)]);
    assert_eq!(due(&change(), &[delivered(HERE, at(5)), ended(THERE, LaneState::Done)]), [wait(300)]);
}

#[test]
fn a_message_is_sent_again_where_its_group_had_no_delivery_for_half_an_hour() {
    let ask = |lanes: &[LanePart], last: &dyn Fn(&LaneName) -> Option<Millis>, freeze: Option<&Freeze>| {
        duties(&change(), lanes, last, freeze, MAX_STALLED, NOW)
    };
    let both = [part(HERE), part(THERE)];
    let silent = |name: &LaneName| Some(if *name == lane(HERE) { at(-1_800) } else { at(-1_799) });
    assert_eq!(ask(&both, &silent, None), [Duty::Send(vec![lane(HERE)]), wait(300)]);
    // never: since the run was submitted, an hour ago
    assert_eq!(ask(&both, &|_| None, None), [Duty::Send(vec![lane(HERE), lane(THERE)]), wait(300)]);
    // a delivery before that says nothing about this run's messages
    let young = ChangeRecord { submitted: at(-1_799), ..change() };
    assert_eq!(duties(&young, &both, |_| Some(at(-9_000)), None, MAX_STALLED, NOW), [wait(300)]);
    // not for a lane that has ended, nor for one that is delivered
    let lanes = [ended(HERE, LaneState::Done), delivered(THERE, NOW)];
    assert_eq!(ask(&lanes, &|_| None, None), [wait(300)]);
    // a dead delivery is none
    let lanes = [ended(HERE, LaneState::Done), delivered(THERE, Millis(NOW.0 - 1))];
    assert_eq!(ask(&lanes, &|_| None, None), [Duty::Send(vec![lane(THERE)]), wait(300)]);
    assert_eq!(ask(&both, &|_| None, Some(&freeze(false))), [wait(300)]);
    let drained = ask(&both, &|_| None, Some(&freeze(true)));
    assert_eq!(drained, [Duty::Send(vec![lane(HERE), lane(THERE)]), wait(300)]);
}

#[test]
fn a_lane_that_stalls_is_parked_once_no_delivery_lives() {
    let stalled = |count, part: LanePart| LanePart { stalled: count, ..part };
    let parked = [end(HERE, LaneState::Parked), wait(300)];
    assert_eq!(due(&change(), &[stalled(15, part(HERE)), part(THERE)]), parked);
    assert_eq!(due(&change(), &[stalled(14, part(HERE)), part(THERE)]), [wait(300)]);
    assert_eq!(due(&change(), &[stalled(15, delivered(HERE, NOW)), part(THERE)]), [wait(300)]);
    let dead = stalled(15, delivered(HERE, Millis(NOW.0 - 1)));
    assert_eq!(due(&change(), &[dead.clone(), part(THERE)]), parked);
    assert_eq!(due(&change(), &[stalled(15, ended(HERE, LaneState::Parked)), part(THERE)]), [wait(300)]);
    // it is not sent again besides, and others are
    let lanes = [dead, part(THERE)];
    let all = duties(&change(), &lanes, |_| None, None, MAX_STALLED, NOW);
    assert_eq!(all, [end(HERE, LaneState::Parked), Duty::Send(vec![lane(THERE)]), wait(300)]);
    // deliveries of a freeze do not count, and nothing is parked in it
    assert_eq!(duties(&change(), &lanes, |_| None, Some(&freeze(false)), MAX_STALLED, NOW), [wait(300)]);
}

#[test]
fn a_halted_run_ends_every_lane_that_nobody_works_on() {
    let lanes = [part(HERE), delivered(THERE, NOW)];
    for (as_what, state) in
        [(Halted::Cancelled, LaneState::Cancelled), (Halted::Superseded, LaneState::Superseded)]
    {
        let expected = [end(HERE, state), wait(60)];
        assert_eq!(due(&halted(as_what), &lanes), expected);
        // in a freeze too: nothing is updated
        let frozen = duties(&halted(as_what), &lanes, |_| None, Some(&freeze(false)), MAX_STALLED, NOW);
        assert_eq!(frozen, expected);
        let dead = [ended(HERE, LaneState::Done), delivered(THERE, Millis(NOW.0 - 1))];
        assert_eq!(due(&halted(as_what), &dead), [end(THERE, state), wait(60)]);
        let both = [ended(HERE, state), ended(THERE, LaneState::Done)];
        assert_eq!(due(&halted(as_what), &both), [Duty::Finish]);
    }
}

/// Its messages are never sent, and a lane without an item could not be counted as ended.
#[test]
fn a_run_that_is_halted_before_its_lanes_gets_them_first() {
    let unsent = ChangeRecord { sent: false, ..halted(Halted::Cancelled) };
    for lanes in [&[][..], &[part(HERE)]] {
        assert_eq!(due(&unsent, lanes), [Duty::PutLanes, wait(0)]);
    }
    let both = [end(HERE, LaneState::Cancelled), end(THERE, LaneState::Cancelled), wait(60)];
    assert_eq!(due(&unsent, &[part(HERE), part(THERE)]), both);
}

#[test]
fn a_run_with_too_many_failures_is_stopped() {
    let with = |stop_after, failures| ChangeRecord { stop_after, failures, ..change() };
    let lanes = [part(HERE), delivered(THERE, NOW)];
    let stopped = [end(HERE, LaneState::Stopped), wait(60)];
    assert_eq!(due(&with(Some(3), 3), &lanes), stopped);
    assert_eq!(due(&with(Some(3), 4), &lanes), stopped);
    assert_eq!(due(&with(Some(3), 2), &lanes), [wait(300)]);
    assert_eq!(due(&with(None, 9), &lanes), [wait(300)]);
    // cancelled besides, it is cancelled
    let cancelled = ChangeRecord { stop_after: Some(1), failures: 1, ..halted(Halted::Cancelled) };
    assert_eq!(due(&cancelled, &lanes), [end(HERE, LaneState::Cancelled), wait(60)]);
}

#[test]
fn a_run_whose_lanes_have_all_ended_is_made_final() {
    let lanes = [ended(HERE, LaneState::Done), ended(THERE, LaneState::Parked)];
    let with = |lanes_done| ChangeRecord { lanes_done, ..change() };
    assert_eq!(due(&with(2), &lanes), [Duty::Finish]);
    assert_eq!(due(&with(1), &lanes), [wait(300)]);
    let frozen = duties(&with(2), &lanes, |_| None, Some(&freeze(false)), MAX_STALLED, NOW);
    assert_eq!(frozen, [Duty::Finish]);
    // not before its messages are out: a planner may still be at work
    let unsent = ChangeRecord { sent: false, submitted: NOW, lanes: 0, ..change() };
    assert_eq!(due(&unsent, &[]), [wait(60)]);
}
