//! SQS batches, and queues that are out of reach (moto's are in conformance/).

use crate::sqs::{Queue, Sqs};
use crate::world::{NOWHERE, ONE, THREE, TWO, World, chat, failed};
use sandbox::connect::{Fault, Operation, Options};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

fn batch(bodies: &[String], queue: &str) -> Value {
    let record = |(n, body): (usize, &String)| {
        json!({"messageId": format!("m{n}"), "receiptHandle": format!("r{n}"), "body": body, "attributes":
            {"ApproximateReceiveCount": "1", "SenderId": "AIDACKCEVSQ6C2EXAMPLE"}, "messageAttributes": {},
            "eventSource": "aws:sqs", "eventSourceARN": format!("arn:aws:sqs:us-east-1:111122223333:{queue}")})
    };
    json!({"Records": bodies.iter().enumerate().map(record).collect::<Vec<_>>()})
}

fn failures(answer: &Value) -> Vec<&str> {
    answer["batchItemFailures"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| f["itemIdentifier"].as_str().unwrap())
        .collect()
}

fn body(instance: &str) -> String {
    chat(instance, &json!({})).to_string()
}

#[tokio::test]
async fn a_record_holds_a_change_or_a_whole_event_and_the_sender_vouches() {
    let world = World::new().await;
    let event = json!({"id": "e-1", "detail-type": "t", "source": "com.example", "account": "999999999999", "detail": chat(TWO, &json!({}))});
    let answer = world.invoke(&batch(&[body(ONE), event.to_string()], "changes.fifo")).await.unwrap();
    assert_eq!(answer, json!({"batchItemFailures": []}));
    let audit = world.audit();
    let ids: Vec<_> = audit.iter().map(|e| e["metadata"]["correlation_uid"].clone()).collect();
    assert_eq!(ids, ["m0", "m0", "e-1", "e-1"]);
    for event in &audit {
        assert_eq!(event["actor"]["idp"]["name"], "sqs-sender");
        assert_eq!(event["actor"]["user"], json!({"uid": "AIDACKCEVSQ6C2EXAMPLE"}));
    }
    // what the envelope says of its account is a claim: whoever sent the message could write any
    let claims: Vec<_> = audit.iter().map(|e| e["unmapped"].get("claimedAccount")).collect();
    let claimed = json!("999999999999");
    assert_eq!(claims, [None, None, Some(&claimed), Some(&claimed)]);
    assert_eq!(audit[2]["src_endpoint"]["svc_name"], "com.example");
}

#[tokio::test]
async fn on_a_standard_queue_each_record_fails_by_itself() {
    let world = World::new().await;
    let bodies = [body(NOWHERE), body(ONE), "{".to_owned(), body(TWO)];
    let answer = world.invoke(&batch(&bodies, "changes")).await.unwrap();
    assert_eq!((failures(&answer), world.updates()), (vec!["m0", "m2"], 2));
    assert_eq!(world.audited()[3], "refusal");
}

#[tokio::test]
async fn on_fifo_what_comes_after_a_failure_stays_untouched() {
    let world = World::with(Options::default(), &[("CONNECT_MAX_ATTEMPTS", "1")]).await;
    world.connect.script(Operation::UpdateAttachedFilesConfiguration, [None, Some(Fault::Throttle)]);
    let bodies = [body(ONE), body(TWO), body(THREE)];
    let answer = world.invoke(&batch(&bodies, "changes.fifo")).await.unwrap();
    assert_eq!((failures(&answer), world.updates()), (vec!["m1", "m2"], 2));
}

#[tokio::test]
async fn a_change_that_cannot_be_parked_is_incomplete() {
    let parked = [("PARKED_QUEUE_URL", "https://sqs.us-east-1.amazonaws.com/111122223333/parked")];
    let world = World::with(Options::default(), &parked).await;
    let event = json!({"id": "e", "detail-type": "t", "source": "s", "detail": {"instanceId": "x"}});
    let (kind, report) = failed(world.invoke(&event).await);
    assert_eq!((kind.as_str(), &report["status"]), ("PolicyChangeIncomplete", &json!("rejected")));
    let answer = world.invoke(&batch(&["{}".to_owned()], "changes")).await.unwrap();
    assert_eq!(failures(&answer), ["m0"]);
}

#[tokio::test]
async fn of_payloads_that_are_malformed_only_events_are_parked() {
    let queue = Queue::start(Sqs::Takes).await;
    let url = format!("{}/111122223333/parked", queue.url);
    let variables = [("PARKED_QUEUE_URL", url.as_str()), ("AWS_ENDPOINT_URL_SQS", queue.url.as_str())];
    let world = World::with(Options::default(), &variables).await;
    let event = json!({"id": 1, "detail-type": "t", "source": "s", "detail": {}});
    let report = world.invoke(&event).await.unwrap();
    assert_eq!(
        (&report["status"], &report["violations"][0]["code"]),
        (&json!("rejected"), &json!("MalformedEnvelope"))
    );
    let taken = queue.taken("SendMessage");
    assert_eq!((taken.len(), &taken[0]["MessageBody"]), (1, &json!(event.to_string())));
    let (kind, _) = failed(world.invoke(&json!({"Records": {}})).await);
    assert_eq!((kind.as_str(), queue.taken("SendMessage").len()), ("MalformedPayload", 1));
}

/// Of 8 seconds, calls to Amazon Connect get 5.7: a quarter is kept to make the message visible again.
#[tokio::test]
async fn an_update_without_an_answer_leaves_time_to_show_its_message_again() {
    let queue = Queue::start(Sqs::Takes).await;
    let world = World::with(Options::default(), &[("AWS_ENDPOINT_URL_SQS", queue.url.as_str())]).await;
    let slow = Fault::Slow(Duration::from_secs(20));
    world.connect.always(Operation::UpdateAttachedFilesConfiguration, Some(slow));
    let started = Instant::now();
    let answer = world.invoke_within(&batch(&[body(ONE)], "changes"), Duration::from_secs(8)).await.unwrap();
    let took = started.elapsed();
    assert_eq!((failures(&answer), queue.taken("ChangeMessageVisibility").len()), (vec!["m0"], 1));
    assert!(took < Duration::from_secs(7), "{took:?}");
    assert_eq!(world.audited(), ["intent", "outcome unknown"]);
}

/// 15 s, doubled at each delivery, up to 15 minutes.
#[tokio::test]
async fn a_message_that_failed_comes_back_later_each_time() {
    let queue = Queue::start(Sqs::Takes).await;
    let variables = [("AWS_ENDPOINT_URL_SQS", queue.url.as_str()), ("CONNECT_MAX_ATTEMPTS", "1")];
    let world = World::with(Options::default(), &variables).await;
    world.connect.always(Operation::UpdateAttachedFilesConfiguration, Some(Fault::Throttle));
    for (n, deliveries) in ["1", "2", "3", "6", "7", "4000000000"].into_iter().enumerate() {
        let mut batch = batch(&[body(ONE)], "changes");
        batch["Records"][0]["attributes"]["ApproximateReceiveCount"] = json!(deliveries);
        assert_eq!(failures(&world.invoke(&batch).await.unwrap()), ["m0"]);
        assert_eq!(queue.taken("ChangeMessageVisibility").len(), n + 1);
    }
    let delays: Vec<_> =
        queue.taken("ChangeMessageVisibility").iter().map(|body| body["VisibilityTimeout"].clone()).collect();
    assert_eq!(delays, [15, 30, 60, 480, 900, 900]);
}
