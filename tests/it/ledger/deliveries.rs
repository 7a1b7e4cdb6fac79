//! A lane's deliveries, from the first to the lane's end.

use super::samples::{LANE, NOW, after, by_lanes, counts, delivery, id, lane, order, run};
use super::table::Table;
use connect_attachment_policy::ledger::{Begun, LaneEnded, LedgerError, Seen};
use policy_core::record::{ChangeRecord, Counts, LanePart, LaneState, RecordedError, RunKey};
use policy_core::report::OutcomeKind;

impl Table {
    /// With one lane of a change by two.
    async fn with_a_lane() -> Self {
        let table = Self::new().await;
        table.record(&by_lanes("X", 2), NOW).await.unwrap();
        table.plan_lanes(&run("X"), &order("X"), &[(lane(LANE), Some(7))], NOW).await.unwrap();
        table
    }

    async fn begins(&self, token: &str) -> LanePart {
        match self.begin_delivery(&run("X"), &lane(LANE), &delivery(token), after(1)).await.unwrap() {
            Begun::Open(part) => part,
            other => panic!("{other:?}"),
        }
    }

    async fn part(&self) -> LanePart {
        self.lane(&run("X"), &lane(LANE)).await.unwrap().unwrap()
    }

    async fn ends(&self, seen: &Seen, state: LaneState, counts: &Counts) -> Result<LaneEnded, LedgerError> {
        self.ends_lane("X", &lane(LANE), seen, state, counts).await
    }
}

fn by(token: &str) -> Seen {
    Seen { delivery: Some(token.to_owned()), stalled: None }
}

#[tokio::test]
async fn a_delivery_is_counted_as_it_begins() {
    let table = Table::with_a_lane().await;
    assert_eq!(table.last_delivery(&lane(LANE)).await.unwrap(), None);
    let first = table.begins("a").await;
    assert_eq!((first.delivery, first.deliveries, first.stalled), (Some(delivery("a")), 1, 1));
    assert_eq!(table.last_delivery(&lane(LANE)).await.unwrap(), Some(after(1)));
    // an earlier try of the same write
    let again = table.begins("a").await;
    assert_eq!((again.deliveries, again.stalled), (1, 1));
    let second = table.begins("b").await;
    assert_eq!(second, table.part().await);
    assert_eq!((second.delivery, second.deliveries, second.stalled), (Some(delivery("b")), 2, 2));
}

#[tokio::test]
async fn a_lane_that_nobody_planned_or_that_has_ended_takes_no_delivery() {
    let table = Table::with_a_lane().await;
    let begin = |text: &'static str| {
        let table = &table;
        async move { table.begin_delivery(&run(text), &lane(LANE), &delivery("z"), after(8)).await.unwrap() }
    };
    assert_eq!(begin("forged").await, Begun::NoSuchLane);
    assert!(table.item("change#forged", &format!("lane#{NOW}#{LANE}")).is_null());
    // the group had a delivery all the same
    assert_eq!(table.last_delivery(&lane(LANE)).await.unwrap(), Some(after(8)));
    table.begins("a").await;
    assert_eq!(table.ends(&by("a"), LaneState::Done, &counts(&[])).await.unwrap(), LaneEnded::Now);
    let there = table.part().await;
    assert_eq!(begin("X").await, Begun::Ended(there.clone()));
    assert_eq!(table.part().await, there);
}

#[tokio::test]
async fn progress_is_that_of_the_delivery_that_has_the_lane() {
    let table = Table::with_a_lane().await;
    table.begins("a").await;
    assert!(table.progressed(&run("X"), &lane(LANE), "a", 3, after(2)).await.unwrap());
    let part = table.part().await;
    assert_eq!((part.stalled, part.moved, part.done, part.deliveries), (0, Some(after(2)), 3, 1));
    table.begins("b").await;
    assert!(!table.progressed(&run("X"), &lane(LANE), "a", 4, after(3)).await.unwrap());
    let part = table.part().await;
    assert_eq!((part.stalled, part.moved, part.done), (1, Some(after(2)), 3));
    table.ends(&by("b"), LaneState::Done, &counts(&[])).await.unwrap();
    assert!(!table.progressed(&run("X"), &lane(LANE), "b", 4, after(3)).await.unwrap());
    assert!(!table.progressed(&run("forged"), &lane(LANE), "b", 4, after(3)).await.unwrap());
}

#[tokio::test]
async fn a_star_is_resolved_once() {
    let table = Table::with_a_lane().await;
    table.begins("a").await;
    let resolve = |token: &'static str, name: &'static str, planned| {
        let table = &table;
        async move { table.resolved(&run("X"), &lane(LANE), token, name, planned).await.unwrap() }
    };
    assert!(!resolve("b", "of b", 9).await);
    for _ in 0..2 {
        assert!(resolve("a", "of a", 8).await);
    }
    assert!(!resolve("a", "of a again", 9).await);
    let part = table.part().await;
    assert_eq!((part.resolved.as_deref(), part.planned), (Some("of a"), Some(8)));
}

#[tokio::test]
async fn a_delivery_leaves_the_lane_unless_another_has_it() {
    let table = Table::with_a_lane().await;
    table.begins("a").await;
    table.begins("b").await;
    assert!(!table.leave(&run("X"), &lane(LANE), "a", 1, None).await.unwrap());
    for _ in 0..2 {
        assert!(table.leave(&run("X"), &lane(LANE), "b", 2, None).await.unwrap());
    }
    let part = table.part().await;
    assert_eq!((part.delivery, part.done, part.deliveries), (None, 2, 2));
}

#[tokio::test]
async fn a_lane_keeps_why_its_last_delivery_left_something() {
    let table = Table::with_a_lane().await;
    let stuck = |retryable| RecordedError {
        code: "CredentialsUnusable".to_owned(),
        message: "no role".to_owned(),
        retryable,
    };
    for (token, error) in [("a", Some(stuck(true))), ("b", Some(stuck(false))), ("c", None)] {
        table.begins(token).await;
        assert!(table.leave(&run("X"), &lane(LANE), token, 0, error.as_ref()).await.unwrap());
        assert_eq!(table.part().await.error, error, "{token}");
    }
}

#[tokio::test]
async fn a_lanes_end_is_counted_once_in_the_change_and_takes_its_work() {
    let table = Table::with_a_lane().await;
    table.begins("a").await;
    let mut ended = counts(&[(OutcomeKind::Applied, 5), (OutcomeKind::Failed, 2)]);
    ended.retry = 1;
    assert_eq!(table.ends(&by("a"), LaneState::Done, &ended).await.unwrap(), LaneEnded::Now);
    let part = table.part().await;
    assert_eq!((part.state, &part.counts, part.hash.as_deref()), (LaneState::Done, &ended, Some("hash")));
    assert!(!table.has_work(&lane(LANE)).await.unwrap());
    let change = || async { table.change(&id("X"), NOW).await.unwrap().unwrap() };
    assert_eq!((change().await.lanes_done, change().await.counts), (1, ended.clone()));
    // an earlier try of the same write, on another connection too; then somebody else
    assert_eq!(table.ends(&by("a"), LaneState::Done, &ended).await.unwrap(), LaneEnded::Now);
    let other = counts(&[(OutcomeKind::Applied, 1)]);
    assert_eq!(table.ends(&by("a"), LaneState::Done, &other).await.unwrap(), LaneEnded::Now);
    assert_eq!(table.ends(&by("b"), LaneState::Done, &other).await.unwrap(), LaneEnded::Already);
    assert_eq!(table.ends(&by("a"), LaneState::Parked, &other).await.unwrap(), LaneEnded::Already);
    assert_eq!((change().await.lanes_done, change().await.counts), (1, ended));
    let item = table.item("change#X", &format!("lane#{NOW}#{LANE}"));
    assert_eq!(item["ttl"]["N"], (NOW.0 / 1_000 + 407 * 86_400).to_string());
    assert_eq!(table.item("change#X", "change")["due"]["N"], after(69).0.to_string());
}

#[tokio::test]
async fn the_counts_of_all_lanes_are_added_up() {
    let table = Table::with_a_lane().await;
    let second = lane("111122223333/eu-west-2");
    table.plan_lanes(&run("X"), &order("X"), &[(second.clone(), None)], NOW).await.unwrap();
    let first = counts(&[(OutcomeKind::Applied, 5), (OutcomeKind::Skipped, 2)]);
    let more = counts(&[(OutcomeKind::Applied, 1), (OutcomeKind::Blocked, 4)]);
    table.ends(&Seen::default(), LaneState::Cancelled, &first).await.unwrap();
    let seen = Seen::default();
    let end = table.ends_lane("X", &second, &seen, LaneState::Cancelled, &more);
    assert_eq!(end.await.unwrap(), LaneEnded::Now);
    let change = table.change(&id("X"), NOW).await.unwrap().unwrap();
    assert_eq!((change.lanes_done, change.counts), (2, first.plus(&more)));
}

#[tokio::test]
async fn a_lane_that_has_moved_since_it_was_seen_is_not_ended() {
    let none = counts(&[]);
    let table = Table::with_a_lane().await;
    let at = |delivery: Option<&str>, stalled| Seen { delivery: delivery.map(str::to_owned), stalled };
    table.begins("a").await;
    for seen in [at(None, None), at(Some("b"), None), at(Some("a"), Some(2)), at(None, Some(1))] {
        assert_eq!(
            table.ends(&seen, LaneState::Parked, &none).await.unwrap(),
            LaneEnded::TakenOver,
            "{seen:?}"
        );
    }
    assert_eq!(table.part().await.state, LaneState::Open);
    assert!(table.has_work(&lane(LANE)).await.unwrap());
    assert_eq!(table.ends(&at(Some("a"), Some(1)), LaneState::Parked, &none).await.unwrap(), LaneEnded::Now);
    assert_eq!(table.part().await.state, LaneState::Parked);

    // nobody has begun it: seen without a delivery
    let table = Table::with_a_lane().await;
    assert_eq!(table.ends(&at(None, Some(0)), LaneState::Parked, &none).await.unwrap(), LaneEnded::Now);
}

#[tokio::test]
async fn a_lane_without_its_item_or_its_run_is_half_a_restored_table() {
    let table = Table::new().await;
    let gone = table.ends(&Seen::default(), LaneState::Done, &counts(&[])).await.unwrap_err();
    let item = format!("change#X lane#{NOW}#{LANE}");
    assert_eq!(gone.to_string(), format!("the ledger's item `{item}` is not there"));

    let other_run = ChangeRecord { key: RunKey(after(1)), ..by_lanes("X", 2) };
    table.record(&other_run, NOW).await.unwrap();
    table.plan_lanes(&run("X"), &order("X"), &[(lane(LANE), Some(7))], NOW).await.unwrap();
    let gone = table.ends(&Seen::default(), LaneState::Done, &counts(&[])).await.unwrap_err();
    assert_eq!(gone.to_string(), "the ledger's item `change#X change` is not there");
}
