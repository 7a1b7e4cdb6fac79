//! A check that was interrupted goes on with what is left, and says nothing twice.

use super::super::stage::CHANGES;
use super::{DESCRIBE, LEFT, LIST, change_elsewhere, check, drifts, findings, governed, later, reads};
use crate::world::{ONE, TWO};
use sandbox::connect;
use serde_json::json;
use std::time::Duration;

/// What is done is not looked at again, whatever ended the delivery.
#[tokio::test]
async fn what_could_not_be_read_comes_again_and_nothing_else() {
    let stage = Box::pin(governed(&[("CONNECT_MAX_ATTEMPTS", "1")])).await;
    stage.take_in(&check("CHECK")).await;
    stage.world.connect.script(DESCRIBE, [Some(connect::Fault::ResetBefore)]);
    let delivered = stage.deliver(CHANGES, LEFT).await.unwrap();
    assert_eq!((delivered.failures.len(), reads(&stage)), (1, (1, 2)));
    let running = stage.record("CHECK").await;
    assert_eq!(
        (&running["status"], &running["progress"]["done"], &running["lanes"][0]["error"]["code"]),
        (&json!("running"), &json!(3), &json!("ConnectionFailed")),
        "{running:#}"
    );
    later(&stage).await;
    assert_eq!(stage.record("CHECK").await["summary"], json!({"unchanged": 4}));
    assert_eq!(reads(&stage), (1, 3));
}

/// A worker that is killed while it reads the third instance: its message comes back.
#[tokio::test]
async fn a_check_goes_on_where_it_was_killed() {
    let stage = Box::pin(governed(&[])).await;
    change_elsewhere(&stage, ONE, 5);
    stage.take_in(&check("CHECK")).await;
    stage.world.connect.script(DESCRIBE, [None, Some(connect::Fault::Silent)]);
    let mut calls = stage.world.connect.follow();
    tokio::select! {
        _ = stage.deliver(CHANGES, LEFT) => panic!("it has ended"),
        () = async {
            for _ in 0..3 {
                calls.recv().await.unwrap();
            }
        } => {}
    }
    assert_eq!((reads(&stage), drifts(&stage).len()), ((1, 2), 1));
    stage.world.clock.advance(Duration::from_mins(31));
    stage.queues.advance(Duration::from_mins(31));
    stage.work().await;
    let record = stage.record("CHECK").await;
    assert_eq!(record["summary"], json!({"planned": 1, "unchanged": 3}), "{record:#}");
    // the third instance alone was read again, and the drift was said once
    assert_eq!(
        (reads(&stage), drifts(&stage).len(), findings(&stage.world)),
        ((1, 3), 1, vec![json!("drift")])
    );
}

/// The message is delivered to a second worker while the first one is at its first instance.
#[tokio::test]
async fn two_deliveries_of_a_check_say_a_drift_once() {
    let stage = Box::pin(governed(&[])).await;
    change_elsewhere(&stage, ONE, 5);
    stage.take_in(&check("CHECK")).await;
    let body = stage.queues.messages(CHANGES)[0].body.clone();
    let second = stage.process(&[]);
    stage.world.connect.script(LIST, [Some(connect::Fault::Slow(Duration::from_secs(2)))]);
    let mut calls = stage.world.connect.follow();
    let (first, answer) = tokio::join!(stage.deliver(CHANGES, LEFT), async {
        calls.recv().await.unwrap();
        let arn = format!("arn:aws:sqs:us-east-1:111122223333:{CHANGES}");
        let message = json!({"Records": [{
            "messageId": "m-2", "receiptHandle": "r", "body": body, "eventSource": "aws:sqs", "eventSourceARN": arn,
            "attributes": {"ApproximateReceiveCount": "2", "SentTimestamp": "1732500000123", "SenderId": "AIDA"},
            "messageAttributes": {}, "awsRegion": "us-east-1",
        }]});
        second.invoke(&message).await.unwrap()
    });
    assert!(first.is_some() && answer["batchItemFailures"] == json!([]), "the second ends the lane");
    later(&stage).await;
    assert_eq!(stage.record("CHECK").await["summary"], json!({"planned": 1, "unchanged": 3}));
    assert_eq!(drifts(&stage).len(), 1);
    let said = findings(&stage.world).len() + findings(&second).len();
    assert_eq!(said, 1);
}

/// What can never be read ends the check `incomplete`; a target that was governed meanwhile is looked at.
#[tokio::test]
async fn a_lane_without_progress_is_parked() {
    let stage = Box::pin(governed(&[("CONNECT_MAX_ATTEMPTS", "1"), ("MAX_STALLED_DELIVERIES", "2")])).await;
    stage.take_in(&check("CHECK")).await;
    stage.world.connect.always(DESCRIBE, Some(connect::Fault::ResetBefore));
    assert_eq!(stage.deliver(CHANGES, LEFT).await.unwrap().failures.len(), 1);
    stage.world.connect.always(DESCRIBE, None);
    let more =
        json!({"instanceId": TWO, "attachmentScope": "TASK", "maximumSize": "10 MB", "changeId": "MORE"});
    assert_eq!(stage.world.report(&more).await["status"], "succeeded");
    stage.world.connect.always(DESCRIBE, Some(connect::Fault::ResetBefore));
    later(&stage).await;
    later(&stage).await;
    let record = stage.record("CHECK").await;
    assert_eq!(
        (&record["status"], &record["summary"], &record["lanes"][0]["state"]),
        (&json!("incomplete"), &json!({"unchanged": 4, "pending": 1}), &json!("parked")),
        "{record:#}"
    );
}

/// A lost message is sent again, and to the group of checks.
#[tokio::test]
async fn a_check_whose_message_was_lost_is_taken_up_by_the_sweep() {
    let stage = Box::pin(governed(&[])).await;
    stage.queues.fault(sandbox::queue::Rule::new(sandbox::queue::Fault::Unavailable));
    stage.take_in(&check("CHECK")).await;
    stage.queues.clear_faults();
    assert_eq!(stage.queues.messages(CHANGES).len(), 0);
    stage.world.clock.advance(Duration::from_secs(61));
    stage.sweep().await;
    let [message] = &stage.queues.messages(CHANGES)[..] else { panic!() };
    assert_eq!(message.group.as_deref(), Some("check/111122223333/us-east-1"));
    stage.work().await;
    assert_eq!(stage.record("CHECK").await["summary"], json!({"unchanged": 4}));
}

/// Its attempts alone would take the whole delivery.
#[tokio::test]
async fn an_instance_that_does_not_answer_keeps_no_other_from_being_checked() {
    let stage = Box::pin(governed(&[])).await;
    stage.take_in(&check("CHECK")).await;
    // of the first instance two scopes are asked for
    stage.world.connect.always(LIST, Some(connect::Fault::Silent));
    let delivered = stage.deliver(CHANGES, LEFT).await.unwrap();
    assert_eq!(delivered.failures.len(), 1);
    let running = stage.record("CHECK").await;
    assert_eq!(
        (&running["status"], &running["progress"]["done"], &running["lanes"][0]["error"]["code"]),
        (&json!("running"), &json!(2), &json!("DeadlineExceeded")),
        "{running:#}"
    );
}
