//! Lanes: their messages, their deliveries, their ends.

use super::stage::{CHANGES, PARKED, Stage};
use crate::world::{NOWHERE, ONE, THREE, TWO};
use sandbox::queue::{Fault, Operation, Rule};
use serde_json::{Value, json};
use std::time::Duration;

/// A change of twelve targets that waits for its lane.
async fn accepted(stage: &Stage, id: &str) {
    let change = json!({
        "instanceIds": [ONE, TWO, THREE], "attachmentScope": "*", "maximumSize": "10 MB", "changeId": id,
    });
    stage.take_in(&change).await;
}

#[tokio::test]
async fn a_message_that_points_at_nothing_is_parked_and_nothing_is_carried_out() {
    let stage = Stage::new().await;
    accepted(&stage, "CHG-1").await;
    let key = stage.queues.messages(CHANGES)[0].body.clone();
    let real: Value = serde_json::from_str(&key).unwrap();
    let forged = [
        json!({"changeId": "CHG-9", "run": real["run"], "lane": real["lane"]}),
        json!({"changeId": "CHG-1", "run": "1732500000123", "lane": real["lane"]}),
        json!({"changeId": "CHG-1", "run": real["run"], "lane": "444455556666/us-east-1"}),
        json!({"changeId": "CHG-1", "run": real["run"], "lane": "nowhere"}),
    ];
    for (count, body) in forged.iter().enumerate() {
        let answer = stage.receive(body.to_string(), CHANGES).await;
        assert_eq!(answer["batchItemFailures"], json!([]), "{body}");
        assert_eq!(stage.queues.messages(PARKED).len(), count + 1, "{body}");
    }
    assert_eq!(stage.world.updates(), 0);
    assert_eq!(stage.record("CHG-1").await["status"], "accepted");
    stage.work().await;
    assert_eq!(stage.record("CHG-1").await["summary"], json!({"applied": 12}));
}

#[tokio::test]
async fn a_message_that_comes_again_after_the_end_does_nothing() {
    let stage = Stage::new().await;
    accepted(&stage, "CHG-1").await;
    let body = stage.queues.messages(CHANGES)[0].body.clone();
    stage.work().await;
    for _ in 0..2 {
        assert_eq!(stage.receive(body.clone(), CHANGES).await["batchItemFailures"], json!([]));
    }
    assert_eq!(stage.world.updates(), 12);
    assert_eq!(stage.record("CHG-1").await["lanes"][0]["deliveries"], 1);
}

#[tokio::test]
async fn out_of_time_a_lane_goes_on_where_it_stopped_and_reads_nothing_again() {
    let pace = [("CONNECT_REQUESTS_PER_SECOND", "10"), ("CONNECT_BURST", "1")];
    let stage = Stage::with(sandbox::connect::Options::default(), &pace).await;
    accepted(&stage, "CHG-1").await;
    let mut deliveries = 0;
    // two seconds each, of which most is kept back: some targets of twelve
    while let Some(delivered) = stage.deliver(CHANGES, Duration::from_secs(2)).await {
        deliveries += 1;
        assert!(delivered.failures.len() <= 1 && deliveries < 12, "{deliveries}");
    }
    assert!(deliveries > 1, "it had time for all");
    let record = stage.record("CHG-1").await;
    assert_eq!((&record["status"], &record["summary"]), (&json!("succeeded"), &json!({"applied": 12})));
    assert_eq!(record["lanes"][0]["deliveries"], deliveries);
    assert_eq!(stage.world.updates(), 12);
}

#[tokio::test]
async fn what_failed_for_now_comes_back_later_and_ends_parked_after_deliveries_without_progress() {
    let variables = [("MAX_STALLED_DELIVERIES", "3"), ("CONNECT_MAX_ATTEMPTS", "1")];
    let stage = Stage::with(sandbox::connect::Options::default(), &variables).await;
    let update = sandbox::connect::Operation::UpdateAttachedFilesConfiguration;
    stage.world.connect.always(update, Some(sandbox::connect::Fault::Throttle));
    accepted(&stage, "CHG-1").await;
    for delay in [15, 30, 60] {
        let delivered = stage.deliver(CHANGES, Duration::from_secs(30)).await.unwrap();
        assert_eq!(delivered.failures.len(), 1);
        assert!(stage.deliver(CHANGES, Duration::from_secs(30)).await.is_none(), "it is hidden");
        stage.queues.advance(Duration::from_secs(delay));
    }
    assert_eq!(stage.record("CHG-1").await["lanes"][0]["deliveriesWithoutProgress"], 3);
    // the delivery after the last one ends the lane
    let delivered = stage.deliver(CHANGES, Duration::from_secs(30)).await.unwrap();
    assert_eq!(delivered.failures, Vec::<String>::new());
    let record = stage.record("CHG-1").await;
    assert_eq!((&record["status"], &record["lanes"][0]["state"]), (&json!("incomplete"), &json!("parked")));
    assert_eq!(record["summary"], json!({"failed": 12}));
    let parked = stage.queues.messages(PARKED);
    assert_eq!(parked.len(), 1);
    assert_eq!(parked[0].attributes["changeId"].string_value.as_deref(), Some("CHG-1"));
}

#[tokio::test]
async fn a_target_that_does_not_exist_fails_for_good_and_the_others_are_applied() {
    let stage = Stage::new().await;
    let change = json!({
        "instanceIds": [ONE, NOWHERE], "attachmentScope": "CHAT", "maximumSize": "10 MB", "changeId": "CHG-1",
    });
    stage.take_in(&change).await;
    stage.work().await;
    let record = stage.record("CHG-1").await;
    assert_eq!(
        (&record["status"], &record["summary"]),
        (&json!("partial"), &json!({"applied": 1, "failed": 1}))
    );
    let (_, _, failed) = stage.http("GET", "/policy-changes/CHG-1?outcome=failed", &Value::Null).await;
    assert_eq!(failed["results"].as_array().unwrap().len(), 1);
    assert_eq!(failed["results"][0]["error"]["code"], "ResourceNotFoundException");
}

#[tokio::test]
async fn a_run_whose_messages_were_lost_is_sent_again_by_the_sweep() {
    let stage = Stage::new().await;
    stage.queues.fault(Rule::new(Fault::Unavailable).on(Operation::SendMessageBatch));
    accepted(&stage, "CHG-1").await;
    assert_eq!(stage.queues.messages(CHANGES).len(), 0);
    stage.queues.clear_faults();
    // too early: its planner may still be at work
    stage.sweep().await;
    assert_eq!(stage.queues.messages(CHANGES).len(), 0);
    stage.world.clock.advance(Duration::from_secs(61));
    assert_eq!(stage.sweep().await, json!({"swept": 1}));
    assert_eq!(stage.queues.messages(CHANGES).len(), 1);
    stage.work().await;
    assert_eq!(stage.record("CHG-1").await["status"], "succeeded");
    stage.world.clock.advance(Duration::from_hours(1));
    assert_eq!(stage.sweep().await, json!({"swept": 0}));
}
