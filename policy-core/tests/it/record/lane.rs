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
