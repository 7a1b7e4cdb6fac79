//! `{"checkDrift": true}`: every target of the ledger is compared with what it should hold, and changes go first.

use super::stage::{CHANGES, Stage};
use crate::world::{ONE, THREE, TWO, World, chat, failed};
use sandbox::bus::Event;
use sandbox::connect::{self, Configuration, Instance, Operation, Options, Scope};
use serde_json::{Value, json};
use std::time::Duration;

const MEGABYTE: i64 = 1_048_576;
const LIST: Operation = Operation::ListAttachedFilesConfigurations;
const DESCRIBE: Operation = Operation::DescribeAttachedFilesConfiguration;
const LEFT: Duration = Duration::from_secs(30);

/// CHAT of three instances and TASK of the first should hold 10 MB. None of the calls that made it so are left.
async fn governed(variables: &[(&str, &str)]) -> Stage {
    let stage = Box::pin(Stage::with(Options::default(), variables)).await;
    for (instances, scope) in [(vec![ONE, TWO, THREE], "CHAT"), (vec![ONE], "TASK")] {
        let change = json!({
            "instanceIds": instances, "attachmentScope": scope, "maximumSize": "10 MB", "changeId": format!("SET-{scope}"),
        });
        assert_eq!(stage.world.report(&change).await["status"], "succeeded");
    }
    stage.world.connect.clear_journal();
    stage
}

fn change_elsewhere(stage: &Stage, instance: &str, megabytes: i64) {
    let held = stage.world.connect.configuration(instance, Scope::Chat).unwrap();
    let held = Configuration { maximum_size_limit_in_bytes: megabytes * MEGABYTE, ..held };
    stage.world.connect.put(instance, Scope::Chat, held);
}

fn megabytes(stage: &Stage, instance: &str) -> i64 {
    let held = stage.world.connect.configuration(instance, Scope::Chat).unwrap();
    held.maximum_size_limit_in_bytes / MEGABYTE
}

/// A change of the other member: what comes through the intake here is older than what has set the size.
fn list_of(instance: &str) -> Value {
    json!({"instanceId": instance, "attachmentScope": "CHAT", "allowedExtensions": ["pdf"], "changeId": "CHG"})
}

fn check(id: &str) -> Value {
    json!({"checkDrift": true, "changeId": id, "reason": "every night"})
}

fn drifts(stage: &Stage) -> Vec<Event> {
    let events = stage.bus.events().into_iter();
    events.filter(|event| event.detail_type == "Attachment Policy Drift Detected").collect()
}

fn findings(world: &World) -> Vec<Value> {
    let found = world.audit().into_iter().filter(|event| event["class_uid"] == 2003);
    found.map(|event| event["metadata"]["event_code"].clone()).collect()
}

/// How often Amazon Connect was asked.
fn reads(stage: &Stage) -> (usize, usize) {
    (stage.world.calls(LIST).len(), stage.world.calls(DESCRIBE).len())
}

/// Time passes until whatever is to come again has come.
async fn later(stage: &Stage) {
    for _ in 0..4 {
        stage.world.clock.advance(Duration::from_secs(61));
        stage.queues.advance(Duration::from_mins(15));
        stage.sweep().await;
        stage.work().await;
    }
}

#[tokio::test]
async fn what_nobody_has_reported_is_found_and_said_once_and_can_be_put_back() {
    let stage = Box::pin(governed(&[])).await;
    change_elsewhere(&stage, ONE, 5);
    stage.take_in(&check("CHECK-1")).await;
    let accepted = stage.record("CHECK-1").await;
    assert_eq!(
        (&accepted["status"], &accepted["dryRun"], &accepted["document"]["checkDrift"]),
        (&json!("accepted"), &json!(true), &json!(true))
    );
    assert_eq!(reads(&stage), (0, 0), "the intake asks nobody");
    let [message] = &stage.queues.messages(CHANGES)[..] else { panic!() };
    assert_eq!(message.group.as_deref(), Some("check/111122223333/us-east-1"));
    stage.work().await;
    let record = stage.record("CHECK-1").await;
    assert_eq!(
        (&record["status"], &record["summary"], &record["progress"]),
        (&json!("planned"), &json!({"planned": 1, "unchanged": 3}), &json!({"targets": 4, "done": 4})),
        "{record:#}"
    );
    // one call for the instance with two scopes, one for each of the others
    assert_eq!((reads(&stage), stage.world.updates()), ((1, 2), 0));
    let (_, _, found) = stage.http("GET", "/policy-changes/CHECK-1?outcome=planned", &Value::Null).await;
    let size = |side: &str| found["results"][0][side]["maximumSizeLimitInBytes"].as_i64().unwrap() / MEGABYTE;
    assert_eq!(
        (found["results"][0]["instanceId"].as_str(), size("before"), size("after")),
        (Some(ONE), 5, 10)
    );
    let [event] = &drifts(&stage)[..] else { panic!("{:?}", drifts(&stage)) };
    assert_eq!((&event.detail["changeId"], event.detail.get("cause")), (&json!("CHECK-1"), None));
    assert!(stage.world.pipe.text().contains(r#""TargetsDrifted":1,"#));
    // the next check finds it too, and reports it no more; a check is in no history
    stage.take_in(&check("CHECK-2")).await;
    stage.work().await;
    assert_eq!(stage.record("CHECK-2").await["summary"], json!({"planned": 1, "unchanged": 3}));
    assert_eq!((drifts(&stage).len(), findings(&stage.world)), (1, vec![json!("drift")]));
    let history = format!("/instances/{ONE}/attachment-policies/CHAT/history");
    let (_, _, past) = stage.http("GET", &history, &Value::Null).await;
    assert_eq!(past["history"].as_array().unwrap().len(), 1);
    // what a check has found is a plan
    let plan = json!({"plan": record["plan"], "reason": "INC-9"});
    let (status, headers, _) = stage.http("POST", "/policy-changes/CHECK-1/apply", &plan).await;
    stage.work().await;
    let (_, _, applied) = stage.http("GET", headers["location"].as_str().unwrap(), &Value::Null).await;
    assert_eq!((status, &applied["summary"], megabytes(&stage, ONE)), (202, &json!({"applied": 1}), 10));
    let owed =
        |item: &Value| item.get("owed").is_some() || item["sk"]["S"].as_str().unwrap().starts_with("work#");
    assert_eq!(stage.ledger.items().unwrap().iter().filter(|item| owed(item)).count(), 0);
}

/// The plan of a check puts nothing back that somebody has accepted since.
#[tokio::test]
async fn a_drift_that_was_accepted_after_the_check_stays() {
    let stage = Box::pin(governed(&[])).await;
    change_elsewhere(&stage, ONE, 5);
    stage.take_in(&check("CHECK-1")).await;
    stage.work().await;
    let accepted = chat(ONE, &json!({"maximumSize": "5 MB", "changeId": "ACCEPT"}));
    assert_eq!(stage.world.report(&accepted).await["status"], "succeeded");
    let plan = json!({"plan": stage.record("CHECK-1").await["plan"]});
    let (_, headers, _) = stage.http("POST", "/policy-changes/CHECK-1/apply", &plan).await;
    stage.work().await;
    let (_, _, applied) = stage.http("GET", headers["location"].as_str().unwrap(), &Value::Null).await;
    assert_eq!(applied["results"][0]["error"]["code"], "ChangedSince");
    assert_eq!(megabytes(&stage, ONE), 5);
}

#[tokio::test]
async fn a_check_is_of_the_targets_that_it_names_and_the_ledger_knows() {
    let stage = Box::pin(governed(&[])).await;
    for (more, targets) in [
        (json!({"instanceId": TWO}), 1),
        (json!({"instanceIds": [ONE, TWO], "attachmentScope": "CHAT"}), 2),
        (json!({"attachmentScopes": ["TASK", "EMAIL"]}), 1),
        (json!({"instanceId": "*"}), 4),
        (json!({"instanceId": "arn:aws:connect:*:*:instance/*"}), 4),
        // nobody governs it
        (json!({"instanceId": ONE, "attachmentScope": "EMAIL"}), 0),
    ] {
        let mut document = more.clone();
        document["checkDrift"] = json!(true);
        document["changeId"] = json!(format!("CHECK-{targets}-{}", more.to_string().len()));
        let (status, headers, report) = stage.http("POST", "/policy-changes", &document).await;
        assert_eq!((status, &report["status"]), (202, &json!("accepted")), "{report}");
        stage.work().await;
        let (_, _, record) = stage.http("GET", headers["location"].as_str().unwrap(), &Value::Null).await;
        assert_eq!(
            (&record["status"], &record["progress"]["done"]),
            (&json!("planned"), &json!(targets)),
            "{more}: {record:#}"
        );
    }
    // bare, and an empty ledger
    let empty = Stage::new().await;
    assert_eq!(empty.world.invoke(&check("CHECK")).await.unwrap()["status"], "accepted");
    empty.work().await;
    let record = empty.record("CHECK").await;
    assert_eq!((&record["status"], &record["progress"]["done"]), (&json!("planned"), &json!(0)));
}

/// Also where `CONNECT_REGIONS` does not name the Region.
#[tokio::test]
async fn every_lane_that_the_ledger_knows_is_checked() {
    let abroad = Instance { region: "eu-west-2".to_owned(), ..Instance::numbered(7) };
    let options = Options { instances: vec![Instance::numbered(1), abroad.clone()], ..Options::default() };
    let stage = Box::pin(Stage::with(options, &[])).await;
    for (instance, id) in [(ONE.to_owned(), "A"), (abroad.arn(), "B")] {
        let change = json!({"instanceId": instance, "attachmentScope": "CHAT", "maximumSize": "10 MB", "changeId": id});
        assert_eq!(stage.world.report(&change).await["status"], "succeeded");
    }
    stage.take_in(&check("CHECK")).await;
    stage.work().await;
    let record = stage.record("CHECK").await;
    let lanes: Vec<_> = record["lanes"].as_array().unwrap().iter().map(|lane| &lane["lane"]).collect();
    assert_eq!(lanes, ["111122223333/eu-west-2", "111122223333/us-east-1"]);
    assert_eq!(record["summary"], json!({"unchanged": 2}));
    // the same id is the same check, although there is more to look at by now
    let third = chat(ONE, &json!({"attachmentScope": "TASK", "changeId": "C"}));
    assert_eq!(stage.world.report(&third).await["status"], "succeeded");
    stage.take_in(&check("CHECK")).await;
    stage.work().await;
    assert_eq!(stage.record("CHECK").await["summary"], json!({"unchanged": 3}));
}

#[tokio::test]
async fn a_check_waits_while_its_lane_has_changes_and_does_not_stall() {
    let stage = Box::pin(governed(&[])).await;
    stage.take_in(&check("CHECK")).await;
    stage.take_in(&list_of(ONE)).await;
    // whichever message comes first
    assert!(stage.deliver(CHANGES, LEFT).await.is_some() && stage.deliver(CHANGES, LEFT).await.is_some());
    assert_eq!(stage.record("CHG").await["status"], "succeeded");
    let waits = stage.record("CHECK").await;
    assert_eq!((&waits["status"], &waits["lanes"][0]["deliveries"]), (&json!("accepted"), &json!(0)));
    assert_eq!(reads(&stage), (0, 1), "the change's own read");
    stage.queues.advance(Duration::from_secs(61));
    stage.work().await;
    assert_eq!(stage.record("CHECK").await["summary"], json!({"unchanged": 4}));
}

#[tokio::test]
async fn a_change_that_comes_during_a_check_goes_first() {
    let stage = Box::pin(governed(&[])).await;
    stage.take_in(&check("CHECK")).await;
    // while the first instance is read
    stage.world.connect.script(LIST, [Some(connect::Fault::Slow(Duration::from_secs(3)))]);
    let mut calls = stage.world.connect.follow();
    let change = list_of(THREE);
    let (delivered, ()) = tokio::join!(stage.deliver(CHANGES, LEFT), async {
        calls.recv().await.unwrap();
        stage.take_in(&change).await;
    });
    assert_eq!(delivered.unwrap().failures.len(), 1, "the check comes again");
    assert_eq!(reads(&stage), (1, 0));
    stage.work().await;
    assert_eq!(stage.record("CHG").await["status"], "succeeded");
    assert_eq!(stage.record("CHECK").await["status"], "running");
    stage.queues.advance(Duration::from_secs(61));
    stage.work().await;
    assert_eq!(stage.record("CHECK").await["summary"], json!({"unchanged": 4}));
    // no instance was read twice, but by the change
    assert_eq!(reads(&stage), (1, 2 + 1));
}

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

#[tokio::test]
async fn a_change_in_progress_is_no_drift_and_is_looked_at_later() {
    let stage = Box::pin(governed(&[])).await;
    // its process is killed after the update took effect
    let update = Operation::UpdateAttachedFilesConfiguration;
    stage.world.connect.script(update, [Some(connect::Fault::ResetAfter)]);
    stage.world.connect.always(LIST, Some(connect::Fault::ResetBefore));
    stage.world.connect.always(DESCRIBE, Some(connect::Fault::ResetBefore));
    let killed = stage.process(&[("CONNECT_MAX_ATTEMPTS", "1")]);
    stage.world.connect.script(DESCRIBE, [None]);
    let _ = killed.invoke(&chat(TWO, &json!({"maximumSize": "8 MB", "changeId": "CHG"}))).await;
    stage.world.connect.always(LIST, None);
    stage.world.connect.always(DESCRIBE, None);
    assert_eq!(megabytes(&stage, TWO), 8);
    stage.take_in(&check("CHECK")).await;
    assert_eq!(stage.deliver(CHANGES, LEFT).await.unwrap().failures.len(), 1);
    assert_eq!(stage.record("CHECK").await["progress"]["done"], 3);
    later(&stage).await;
    assert_eq!(stage.record("CHECK").await["summary"], json!({"unchanged": 4}));
    assert_eq!((drifts(&stage).len(), findings(&stage.world)), (0, vec![]));
}

#[tokio::test]
async fn an_instance_that_is_gone_fails_for_good_and_ends_its_drift() {
    let stage = Box::pin(governed(&[])).await;
    change_elsewhere(&stage, TWO, 5);
    stage.take_in(&check("CHECK-1")).await;
    stage.work().await;
    stage.world.connect.remove_instance(TWO);
    stage.take_in(&check("CHECK-2")).await;
    stage.work().await;
    let record = stage.record("CHECK-2").await;
    assert_eq!(
        (&record["status"], &record["summary"]),
        (&json!("partial"), &json!({"unchanged": 3, "failed": 1}))
    );
    assert_eq!(findings(&stage.world), ["drift", "drift-ended"]);
    let (_, _, gone) = stage.http("GET", "/policy-changes/CHECK-2?outcome=failed", &Value::Null).await;
    assert_eq!(gone["results"][0]["error"]["code"], "ResourceNotFoundException");
}

#[tokio::test]
async fn a_check_waits_for_the_end_of_a_freeze_and_can_be_cancelled() {
    let stage = Box::pin(governed(&[])).await;
    stage.take_in(&check("CHECK")).await;
    assert_eq!(stage.http("PUT", "/freeze", &Value::Null).await.0, 200);
    assert_eq!(stage.http("POST", "/policy-changes", &check("OTHER")).await.0, 503);
    assert_eq!(stage.deliver(CHANGES, LEFT).await.unwrap().failures.len(), 1);
    assert_eq!(reads(&stage), (0, 0));
    assert_eq!(stage.http("POST", "/policy-changes/CHECK/cancel", &Value::Null).await.0, 202);
    assert_eq!(stage.http("DELETE", "/freeze", &Value::Null).await.0, 200);
    later(&stage).await;
    let record = stage.record("CHECK").await;
    assert_eq!((&record["status"], &record["summary"]), (&json!("cancelled"), &json!({"skipped": 4})));
    assert_eq!(reads(&stage), (0, 0));
    let (_, _, skipped) = stage.http("GET", "/policy-changes/CHECK?outcome=skipped", &Value::Null).await;
    assert_eq!(skipped["results"].as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn what_was_accepted_goes_on_while_the_function_drains() {
    let stage = Box::pin(governed(&[])).await;
    stage.take_in(&check("CHECK")).await;
    assert_eq!(stage.http("PUT", "/freeze", &json!({"drain": true})).await.0, 200);
    stage.work().await;
    assert_eq!(stage.record("CHECK").await["summary"], json!({"unchanged": 4}));
}

#[tokio::test]
async fn two_checks_follow_each_other_in_a_lane() {
    let stage = Box::pin(governed(&[])).await;
    stage.take_in(&check("CHECK-1")).await;
    stage.take_in(&check("CHECK-2")).await;
    stage.world.connect.script(LIST, [Some(connect::Fault::Slow(Duration::from_secs(1)))]);
    let mut calls = stage.world.connect.follow();
    let (first, second) = tokio::join!(stage.deliver(CHANGES, LEFT), async {
        calls.recv().await.unwrap();
        stage.deliver(CHANGES, LEFT).await
    });
    assert!(first.unwrap().failures.is_empty() && second.is_none(), "the second waits in the group");
    stage.work().await;
    for id in ["CHECK-1", "CHECK-2"] {
        assert_eq!(stage.record(id).await["summary"], json!({"unchanged": 4}));
    }
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

#[tokio::test]
async fn what_cannot_be_checked_is_refused() {
    let stage = Stage::new().await;
    let document =
        json!({"checkDrift": true, "maximumSize": "5 MB", "instanceTags": {"a": "b"}, "dryRun": true});
    let (status, _, refused) = stage.http("POST", "/policy-changes", &document).await;
    let found: Vec<_> = refused["violations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["pointer"].as_str().unwrap())
        .collect();
    assert_eq!((status, found), (422, vec!["/dryRun", "/instanceTags", "/maximumSize"]));
    assert!(refused["violations"].as_array().unwrap().iter().all(|one| one["code"] == "UnexpectedField"));
    let standalone = World::new().await;
    let (kind, report) = failed(standalone.invoke(&check("CHECK")).await);
    assert_eq!(
        (kind.as_str(), &report["violations"][0]["code"]),
        ("PolicyChangeRejected", &json!("NeedsLedger"))
    );
}
