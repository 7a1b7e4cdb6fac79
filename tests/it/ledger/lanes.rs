//! Lanes as they are planned, and the unfinished work of a lane.

use super::samples::{LANE, NOW, OTHER_LANE, after, by_lanes, counts, delivery, lane, order, run};
use super::table::Table;
use connect_attachment_policy::ledger::{LaneEnded, Seen, WorkEntry};
use policy_core::record::{LaneName, LanePart, LaneState, Order};
use policy_core::report::OutcomeKind;
use sandbox::ledger::Operation;

fn open(text: &str, planned: Option<u32>) -> LanePart {
    LanePart {
        name: lane(text),
        state: LaneState::Open,
        delivery: None,
        deliveries: 0,
        stalled: 0,
        moved: None,
        planned,
        done: 0,
        resolved: None,
        counts: counts(&[]),
        hash: None,
        error: None,
    }
}

/// Lanes of as many Regions as asked for.
fn many(count: u32) -> Vec<(LaneName, Option<u32>)> {
    (1..=count).map(|number| (lane(&format!("111122223333/eu-west-{number:03}")), None)).collect()
}

#[tokio::test]
async fn a_lane_is_planned_together_with_its_work() {
    let table = Table::new().await;
    let lanes = [(lane(LANE), Some(7)), (lane(OTHER_LANE), None)];
    table.plan_lanes(&run("X"), &order("X"), &lanes, after(1)).await.unwrap();
    let expected = vec![open(LANE, Some(7)), open(OTHER_LANE, None)];
    assert_eq!(table.lanes(&run("X")).await.unwrap(), expected);
    assert_eq!(table.lane(&run("X"), &lane(OTHER_LANE)).await.unwrap(), Some(open(OTHER_LANE, None)));
    assert_eq!(table.lane(&run("Y"), &lane(LANE)).await.unwrap(), None);
    assert!(table.lanes(&run("Y")).await.unwrap().is_empty());
    let entry = |targets| WorkEntry { run: run("X"), targets, since: after(1) };
    assert_eq!(table.work(&lane(LANE)).await.unwrap(), [entry(Some(7))]);
    assert_eq!(table.work(&lane(OTHER_LANE)).await.unwrap(), [entry(None)]);
}

#[tokio::test]
async fn a_lane_that_is_there_is_left_alone_and_the_others_are_added() {
    let table = Table::new().await;
    table.record(&by_lanes("X", 2), NOW).await.unwrap();
    let (first, second) = (lane(LANE), lane(OTHER_LANE));
    table.plan_lanes(&run("X"), &order("X"), &[(first.clone(), Some(7))], NOW).await.unwrap();
    table.begin_delivery(&run("X"), &first, &delivery("d"), NOW).await.unwrap();
    let seen = Seen { delivery: Some("d".to_owned()), stalled: None };
    let ended = counts(&[(OutcomeKind::Applied, 7)]);
    let end = table.ends_lane("X", &first, &seen, LaneState::Done, &ended);
    assert_eq!(end.await.unwrap(), LaneEnded::Now);
    let before = table.lane(&run("X"), &first).await.unwrap();
    let both = [(first.clone(), Some(9)), (second.clone(), Some(3))];
    for _ in 0..2 {
        table.plan_lanes(&run("X"), &order("X"), &both, after(5)).await.unwrap();
        assert_eq!(table.lane(&run("X"), &first).await.unwrap(), before);
        assert_eq!(table.lane(&run("X"), &second).await.unwrap(), Some(open(OTHER_LANE, Some(3))));
        // no work comes back for a lane that has ended
        assert!(!table.has_work(&first).await.unwrap());
        assert_eq!(table.work(&second).await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn any_number_of_lanes_is_planned_25_at_once() {
    let table = Table::new().await;
    let lanes = many(75);
    table.plan_lanes(&run("X"), &order("X"), &lanes, NOW).await.unwrap();
    let transactions: Vec<_> = table.requests().iter().map(|(operation, _)| *operation).collect();
    assert_eq!(transactions, [Operation::TransactWriteItems; 3]);
    let planned = table.lanes(&run("X")).await.unwrap();
    let names: Vec<_> = planned.iter().map(|part| part.name.clone()).collect();
    assert_eq!(names, lanes.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>());
    table.requests();
    table.plan_lanes(&run("X"), &order("X"), &lanes[..26], after(1)).await.unwrap();
    // one of 25 that fails, each of them alone; then the one that is left, once in a batch and once alone
    assert_eq!(table.requests().len(), 28);
}

#[tokio::test]
async fn a_lanes_work_is_in_the_order_of_the_changes() {
    let table = Table::new().await;
    let lane = lane(LANE);
    assert!(!table.has_work(&lane).await.unwrap());
    for (text, accepted) in [("C", 1), ("B", 2), ("A", 2)] {
        let order = Order { accepted: after(accepted), ..order(text) };
        table.plan_lanes(&run(text), &order, &[(lane.clone(), None)], NOW).await.unwrap();
    }
    assert!(table.has_work(&lane).await.unwrap());
    let work = table.work(&lane).await.unwrap();
    let ids: Vec<_> = work.iter().map(|entry| entry.run.change_id.as_str()).collect();
    assert_eq!(ids, ["C", "A", "B"]);
}
