//! Lane messages that nobody meant to deliver: a document among them, and one that comes while its first delivery runs.

use super::stage::{CHANGES, PARKED, Stage};
use crate::world::{ONE, THREE, TWO, chat};
use sandbox::connect::{Fault, Operation};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::pin::pin;
use std::time::Duration;
use tokio::time::sleep;

const UPDATE: Operation = Operation::UpdateAttachedFilesConfiguration;

/// A message of a lane's group.
fn message(body: &str) -> Value {
    json!({"Records": [{
        "messageId": "m-1", "receiptHandle": "r", "body": body, "eventSource": "aws:sqs",
        "eventSourceARN": format!("arn:aws:sqs:us-east-1:111122223333:{CHANGES}"), "awsRegion": "us-east-1",
        "attributes": {
            "ApproximateReceiveCount": "1", "SentTimestamp": "1732500000123", "SenderId": "AIDA",
            "MessageGroupId": "111122223333/us-east-1",
        },
        "messageAttributes": {},
    }]})
}

#[tokio::test]
async fn a_change_that_somebody_sends_to_a_lanes_group_is_refused_and_keeps_no_lane_back() {
    let stage = Stage::new().await;
    let worker = stage.process(&[("ACCEPTED_TRIGGERS", "lane")]);
    let change = chat(ONE, &json!({"changeId": "BY-HAND"})).to_string();
    let answer = worker.invoke(&message(&change)).await.unwrap();
    assert_eq!(answer["batchItemFailures"], json!([]));
    let parked = stage.queues.messages(PARKED);
    assert_eq!((parked.len(), parked[0].body.as_str()), (1, change.as_str()));
    let reasons = parked[0].attributes["reasons"].string_value.as_deref().unwrap();
    let why = "this function works on lanes only: its ACCEPTED_TRIGGERS does not include sqs";
    assert_eq!(reasons, format!("MalformedEnvelope at ``: {why}"));
    assert_eq!((worker.audited(), worker.updates()), (vec!["refusal".to_owned()], 0));
    let (status, _, _) = stage.http("GET", "/policy-changes/BY-HAND", &Value::Null).await;
    assert_eq!(status, 404);
}

fn has_begun_twice(stage: &Stage) -> bool {
    stage.ledger.items().unwrap().iter().any(|item| item["deliveries"]["N"] == "2")
}

/// Amazon SQS delivers a message again when its visibility timeout has passed, also while a process still works on it.
#[tokio::test]
async fn a_delivery_while_the_first_one_runs_takes_over_and_nothing_is_done_twice() {
    let stage = Stage::new().await;
    let change = json!({
        "instanceIds": [ONE, TWO, THREE], "attachmentScope": "*", "maximumSize": "10 MB", "changeId": "CHG-1",
    });
    stage.take_in(&change).await;
    let body = stage.queues.messages(CHANGES)[0].body.clone();
    let slow = Fault::Slow(Duration::from_millis(1_500));
    stage.world.connect.script(UPDATE, [None, None, Some(slow)]);
    let (first, second) = (stage.process(&[]), stage.process(&[]));
    second.clock.advance(Duration::from_secs(1));
    let mut delivery = pin!(stage.deliver_to(&first, CHANGES, Duration::from_secs(30)));
    // the first delivery waits for its third answer
    while first.updates() < 3 {
        tokio::select! {
            _ = &mut delivery => panic!("it did not wait"),
            () = sleep(Duration::from_millis(5)) => {}
        }
    }
    // it gets no further before the second one has begun
    let message = message(&body);
    let mut again = pin!(second.invoke(&message));
    while !has_begun_twice(&stage) {
        tokio::select! {
            _ = &mut again => panic!("it did not begin"),
            () = sleep(Duration::from_millis(5)) => {}
        }
    }
    // whichever of them ends the lane, the message of the other changes nothing
    let (delivered, again) = tokio::join!(delivery, again);
    assert!(delivered.is_some() && again.is_ok());
    stage.queues.advance(Duration::from_mins(30));
    stage.work().await;
    let record = stage.record("CHG-1").await;
    assert_eq!((&record["status"], &record["summary"]), (&json!("succeeded"), &json!({"applied": 12})));
    let mut updates: BTreeMap<_, usize> = BTreeMap::new();
    for entry in stage.world.calls(UPDATE) {
        *updates.entry((entry.instance_id, entry.scope)).or_default() += 1;
    }
    assert_eq!(updates.into_values().collect::<Vec<_>>(), [1; 12]);
    assert!(record["lanes"][0]["deliveries"].as_u64() >= Some(2), "{record:#}");
}

/// Its intake was killed before the message was deleted: the record says how the change ended, and nobody has to look at
/// the message.
#[tokio::test]
async fn a_message_that_comes_again_after_its_change_ended_badly_is_not_parked() {
    let stage = Stage::new().await;
    let change = json!({
        "instanceIds": [ONE, "99999999-0000-4000-8000-000000000009"], "attachmentScope": "CHAT",
        "maximumSize": "10 MB",
    });
    stage.take_in(&change).await;
    stage.work().await;
    stage.take_in(&change).await;
    let record = stage.record("m-1").await;
    assert_eq!((&record["status"], &record["run"]), (&json!("partial"), &json!(1)));
    assert_eq!((stage.queues.messages(PARKED).len(), stage.queues.messages(CHANGES).len()), (0, 0));
}
