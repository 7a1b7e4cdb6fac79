//! What takes longer than its invocation: recorded, and carried out by workers.

use super::stage::{CHANGES, INTAKE, PARKED, Stage};
use crate::world::{ONE, THREE, TWO, chat, failed, outcomes};
use sandbox::connect::{Operation, Options};
use sandbox::queue::{self, Fault, Rule};
use serde_json::{Value, json};
use std::time::Duration;

/// Twelve updates take a quarter of an hour.
const SLOW: [(&str, &str); 2] = [("CONNECT_REQUESTS_PER_SECOND", "0.02"), ("CONNECT_BURST", "2")];

fn everything(id: &str) -> Value {
    json!({"instanceIds": [ONE, TWO, THREE], "attachmentScope": "*", "maximumSize": "10 MB", "changeId": id})
}

fn count(lines: &[String], word: &str) -> usize {
    lines.iter().filter(|line| *line == word).count()
}

#[tokio::test]
async fn a_change_that_takes_too_long_is_recorded_and_queued_once() {
    let stage = Stage::with(Options::default(), &SLOW).await;
    for _ in 0..2 {
        let answer = stage.world.invoke(&everything("CHG-1")).await.unwrap();
        assert_eq!(
            (&answer["status"], &answer["changeId"]),
            (&json!("accepted"), &json!("CHG-1")),
            "{answer}"
        );
        assert_eq!(stage.queues.messages(CHANGES).len(), 1);
    }
    let sends = |entry: &queue::Entry| entry.operation == Some(queue::Operation::SendMessageBatch);
    assert_eq!(stage.queues.journal().iter().filter(|entry| sends(entry)).count(), 1);
    assert_eq!((stage.world.updates(), stage.world.audited()), (0, vec!["accepted".to_owned(); 2]));
    assert!(stage.world.pipe.text().contains(r#""RejectedChanges":0,"AcceptedChanges":1,"#));
    let record = stage.record("CHG-1").await;
    assert_eq!((&record["status"], &record["run"]), (&json!("accepted"), &json!(1)));
    let worker = stage.process(&[]);
    stage.work_by(&worker).await;
    assert_eq!(stage.record("CHG-1").await["summary"], json!({"applied": 12}));
}

#[tokio::test]
async fn a_dry_run_that_takes_too_long_is_queued_too_and_changes_nothing() {
    let stage = Stage::with(Options::default(), &SLOW).await;
    let (status, headers, _) = stage.http("POST", "/policy-changes?dryRun=true", &everything("DRY")).await;
    assert_eq!((status, &headers["location"]), (202, &json!("/policy-changes/DRY")));
    let worker = stage.process(&[]);
    stage.work_by(&worker).await;
    let record = stage.record("DRY").await;
    assert_eq!(
        (&record["status"], &record["dryRun"], &record["summary"]),
        (&json!("planned"), &json!(true), &json!({"planned": 12}))
    );
    // the hash by which it is applied
    assert_eq!(record["plan"].as_str().unwrap().len(), 64);
    assert_eq!(stage.world.updates(), 0);
}

/// A condition of the request's own header is about now: as much is done as time allows.
#[tokio::test]
async fn a_change_with_if_match_is_never_queued() {
    let stage = Stage::with(Options::default(), &SLOW).await;
    let path = format!("/instances/{ONE}/attachment-policies/CHAT");
    let (_, headers, _) = stage.http("GET", &path, &Value::Null).await;
    let tag = headers["etag"].as_str().unwrap().to_owned();
    // the quota of the next minutes is used up
    stage.http("GET", &path, &Value::Null).await;
    let mut request =
        super::stage::request("PATCH", &path, "", &json!(json!({"maximumSize": "10 MB"}).to_string()));
    request["headers"]["if-match"] = json!(tag);
    let answer = stage.world.invoke(&request).await.unwrap();
    let body: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
    assert_eq!(
        (&answer["statusCode"], &body["report"]["summary"]),
        (&json!(503), &json!({"pending": 1})),
        "{body}"
    );
    assert!(answer["headers"]["retry-after"].is_string());
    assert_eq!((stage.queues.messages(CHANGES).len(), stage.world.updates()), (0, 0));
    // its record says the same, and is final
    let record = stage.record(body["report"]["changeId"].as_str().unwrap()).await;
    assert_eq!((&record["status"], &record["summary"]), (&json!("incomplete"), &json!({"pending": 1})));
}

#[tokio::test]
async fn a_change_is_queued_only_where_it_or_finding_its_instances_takes_too_long() {
    let variables = [("CONNECT_REQUESTS_PER_SECOND", "1"), ("CONNECT_BURST", "8")];
    let instances: Vec<_> = (1..=20).map(sandbox::connect::Instance::numbered).collect();
    let stage = Stage::with(Options { instances, ..Options::default() }, &variables).await;
    assert_eq!(outcomes(&stage.world.report(&chat(ONE, &json!({"changeId": "FITS"}))).await), ["applied"]);
    assert_eq!(stage.queues.messages(CHANGES).len(), 0);
    let tagged = chat("*", &json!({"instanceTags": {"stage": "prod"}}));
    let answer = stage.world.invoke_within(&tagged, Duration::from_secs(8)).await.unwrap();
    assert_eq!((&answer["status"], stage.queues.messages(CHANGES).len()), (&json!("accepted"), 1));
    // no tag was read
    assert_eq!(stage.world.calls(Operation::DescribeInstance).len(), 0);
}

/// The record is what counts: a message that was not taken is sent by the sweep.
#[tokio::test]
async fn where_the_queue_takes_nothing_a_change_is_accepted_all_the_same() {
    let stage = Stage::with(Options::default(), &SLOW).await;
    stage.queues.fault(Rule::new(Fault::Unavailable));
    let answer = stage.world.invoke(&everything("CHG-1")).await.unwrap();
    assert_eq!((&answer["status"], stage.queues.messages(CHANGES).len()), (&json!("accepted"), 0));
    stage.queues.clear_faults();
    let worker = stage.process(&[]);
    worker.clock.advance(Duration::from_secs(61));
    assert_eq!(worker.invoke(&json!({"sweep": true})).await.unwrap(), json!({"swept": 1}));
    stage.work_by(&worker).await;
    assert_eq!(stage.record("CHG-1").await["summary"], json!({"applied": 12}));
}

/// By a queue and by EventBridge nobody waits for an answer: what cannot be, is parked for a person.
#[tokio::test]
async fn other_values_under_a_recorded_id_are_parked_as_rejected() {
    let stage = Stage::new().await;
    stage.take_in(&chat(ONE, &json!({"changeId": "CHG-1"}))).await;
    let other = chat(ONE, &json!({"changeId": "CHG-1", "maximumSize": "9 MB"}));
    stage.take_in(&other).await;
    let event = json!({"id": "e-1", "detail-type": "t", "source": "com.example", "account": "111122223333",
        "detail": other});
    let report = stage.world.invoke(&event).await.unwrap();
    assert_eq!(
        (&report["status"], &report["violations"][0]["code"]),
        (&json!("rejected"), &json!("ChangeIdReused")),
        "{report}"
    );
    let parked = stage.queues.messages(PARKED);
    assert_eq!(
        parked.iter().map(|message| message.body.clone()).collect::<Vec<_>>(),
        [other, event].map(|body| body.to_string())
    );
    for message in &parked {
        let of = |name: &str| message.attributes[name].string_value.clone().unwrap();
        assert_eq!((of("changeId").as_str(), of("status").as_str()), ("CHG-1", "rejected"));
        assert!(of("reasons").contains("ChangeIdReused"), "{}", of("reasons"));
    }
    assert_eq!((stage.queues.messages(INTAKE).len(), stage.queues.messages(CHANGES).len()), (0, 1));
    stage.work().await;
    assert_eq!(stage.record("CHG-1").await["results"][0]["after"]["maximumSizeLimitInBytes"], 10_485_760);
    assert_eq!(count(&stage.world.audited(), "refusal"), 2);
}

/// A dry run and a real run never stand for each other; what came by a queue tries again.
#[tokio::test]
async fn while_a_change_runs_a_dry_run_of_it_comes_again_later() {
    let stage = Stage::new().await;
    let change = chat(ONE, &json!({"changeId": "CHG-1"}));
    stage.take_in(&change).await;
    let dry_run = chat(ONE, &json!({"changeId": "CHG-1", "dryRun": true}));
    let answer = stage.receive(dry_run.to_string(), INTAKE).await;
    assert_eq!(answer["batchItemFailures"], json!([{"itemIdentifier": "m-1"}]));
    let (kind, report) = failed(stage.world.invoke(&dry_run).await);
    assert_eq!(
        (kind.as_str(), &report["status"]),
        ("PolicyChangeIncomplete", &json!("incomplete")),
        "{report}"
    );
    assert_eq!(stage.queues.messages(PARKED).len(), 0);
    stage.work().await;
    stage.take_in(&dry_run).await;
    stage.work().await;
    let record = stage.record("CHG-1").await;
    assert_eq!(
        (&record["run"], &record["dryRun"], &record["summary"]),
        (&json!(2), &json!(true), &json!({"unchanged": 1}))
    );
}

#[tokio::test]
async fn the_changes_of_a_document_are_one_record_and_an_incomplete_one_holds_back_the_later_ones_of_its_lane()
 {
    let variables = [("CONNECT_MAX_ATTEMPTS", "1")];
    let stage = Stage::with(Options::default(), &variables).await;
    let (first, second) = (chat(ONE, &json!({"changeId": "A"})), chat(TWO, &json!({"maximumSize": "9 MB"})));
    let document = json!({"changes": [first, second], "changeId": "CHG-1"});
    stage.take_in(&document).await;
    let update = Operation::UpdateAttachedFilesConfiguration;
    stage.world.connect.script(update, [Some(sandbox::connect::Fault::Throttle)]);
    let delivered = stage.deliver(CHANGES, Duration::from_secs(30)).await.unwrap();
    assert_eq!((delivered.failures.len(), stage.world.updates()), (1, 1));
    stage.queues.advance(Duration::from_secs(15));
    stage.work().await;
    let record = stage.record("CHG-1").await;
    assert_eq!(
        (&record["status"], &record["summary"]),
        (&json!("succeeded"), &json!({"applied": 2})),
        "{record:#}"
    );
    let sizes: Vec<_> = stage
        .world
        .calls(update)
        .iter()
        .map(|entry| entry.body.as_ref().unwrap()["MaximumSizeLimitInBytes"].as_i64().unwrap())
        .collect();
    assert_eq!(sizes, [10_485_760, 10_485_760, 9_437_184]);
}
