//! A lane's deliveries.

use super::{NOW, at, part};
use policy_core::record::{Delivery, LanePart, LaneState, Millis, OnBegin, on_begin, retry_delay};
use std::time::Duration;

#[test]
fn the_delivery_after_the_last_one_parks_the_lane() {
    for (stalled, expected) in
        [(1, OnBegin::Work), (15, OnBegin::Work), (16, OnBegin::Park), (99, OnBegin::Park)]
    {
        assert_eq!(on_begin(&LanePart { stalled, ..part("us-east-1") }, 15), expected, "{stalled}");
    }
    for state in LaneState::ALL.iter().filter(|state| **state != LaneState::Open) {
        for stalled in [0, 99] {
            let ended = LanePart { state: *state, stalled, ..part("us-east-1") };
            assert_eq!(on_begin(&ended, 15), OnBegin::Ended, "{state}");
        }
    }
}

#[test]
fn a_message_stays_away_longer_each_time_and_at_most_a_quarter_of_an_hour() {
    let delays: Vec<_> = (0..9).map(|stalled| retry_delay(stalled).as_secs()).collect();
    assert_eq!(delays, [0, 15, 30, 60, 120, 240, 480, 900, 900]);
    assert_eq!(retry_delay(u32::MAX), Duration::from_mins(15));
}

#[test]
fn a_delivery_lives_until_it_is_surely_dead() {
    let with = |until| {
        let delivery = Some(Delivery { token: "d".to_owned(), until });
        LanePart { delivery, ..part("us-east-1") }.is_delivered(NOW)
    };
    assert!(with(NOW) && with(at(1)) && !with(Millis(NOW.0 - 1)));
    assert!(!part("us-east-1").is_delivered(NOW));
}

#[test]
fn a_lane_stalls_from_its_last_progress_and_not_while_others_have_their_turn() {
    let submitted = at(-100);
    let since = |deliveries, moved, last| {
        LanePart { deliveries, moved, ..part("us-east-1") }.stalls_since(submitted, last)
    };
    // taken up: from its own progress, whatever is delivered meanwhile
    assert_eq!(since(1, None, Some(at(-1))), submitted);
    assert_eq!(since(3, Some(at(-40)), Some(at(-1))), at(-40));
    // waiting: behind a change that has its turn, behind one that had it earlier, and where nobody ever had one
    assert_eq!(since(0, None, Some(at(-1))), at(-1));
    assert_eq!(since(0, None, Some(at(-200))), submitted);
    assert_eq!(since(0, None, None), submitted);
}
