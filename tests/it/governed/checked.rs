//! `{"checkDrift": true}`: every target of the ledger is compared with what it should hold.

mod continued;
mod order;

use super::stage::{CHANGES, Stage};
use crate::world::{ONE, THREE, TWO, World, chat, failed};
use sandbox::bus::Event;
use sandbox::connect::{Configuration, Instance, Operation, Options, Scope};
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
