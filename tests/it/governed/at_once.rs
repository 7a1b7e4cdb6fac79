//! Runs within one invocation whose end somebody else has to find out.

use super::stage::{CHANGES, PARKED, Stage, request};
use crate::world::{ONE, THREE, TWO, World, chat};
use sandbox::connect::Operation;
use sandbox::ledger::{Fault, Rule};
use serde_json::{Value, json};
use std::time::Duration;

/// Longer than any test.
const NEVER: Fault = Fault::Late(Duration::from_hours(1));
/// After the time of an inline run's holder, and after a lease.
const LATER: Duration = Duration::from_secs(121);

/// A bare change whose invocation is killed when it stores the outcome of its first update.
async fn killed_after_an_update(stage: &Stage, change: &Value) {
    stage.ledger.fault(Rule::new(NEVER).on(sandbox::ledger::Operation::TransactWriteItems));
    tokio::select! {
        _ = stage.world.invoke(change) => panic!("it was to be killed"),
        () = stage.ledger.until(|entries| entries.iter().any(|entry| entry.fault.is_some())) => {}
    }
    stage.ledger.clear_faults();
}

fn lanes(stage: &Stage) -> usize {
    let is_lane = |item: &&Value| item["sk"]["S"].as_str().unwrap().starts_with("lane#");
    stage.ledger.items().unwrap().iter().filter(is_lane).count()
}

fn intents(stage: &Stage) -> usize {
    stage.ledger.items().unwrap().iter().filter(|item| item.get("intent").is_some()).count()
}

/// A record, read by another process.
async fn record(world: &World, id: &str) -> Value {
    let get = request("GET", &format!("/policy-changes/{id}"), "", &Value::Null);
    let answer = world.invoke(&get).await.unwrap();
    serde_json::from_str(answer["body"].as_str().unwrap()).unwrap()
}

async fn sweep(world: &World) {
    world.invoke(&json!({"sweep": true})).await.unwrap();
}

/// A run that is carried out at once has no lanes, whoever asks for it meanwhile.
#[tokio::test]
async fn what_is_carried_out_at_once_is_answered_202_meanwhile_and_no_lane_is_planned_for_it() {
    let stage = Stage::new().await;
    let change = chat(ONE, &json!({"changeId": "CHG-1"}));
    killed_after_an_update(&stage, &change).await;
    let (status, headers, _) = stage.http("POST", "/policy-changes", &change).await;
    assert_eq!((status, &headers["location"]), (202, &json!("/policy-changes/CHG-1")));
    assert_eq!((lanes(&stage), stage.queues.messages(CHANGES).len()), (0, 0));
    // nobody comes back; the sweep finds what was sent
    let later = stage.process(&[]);
    later.clock.advance(LATER);
    sweep(&later).await;
    let record = stage.record("CHG-1").await;
    assert_eq!(
        (&record["status"], &record["run"], &record["summary"]),
        (&json!("succeeded"), &json!(1), &json!({"applied": 1}))
    );
    assert_eq!(record["results"][0]["before"]["maximumSizeLimitInBytes"], 20_971_520);
    assert_eq!(stage.world.updates(), 1);
}

/// An id that AWS gave: its repetition takes a dead invocation's run over, and tells a living one's caller to wait.
#[tokio::test]
async fn the_repetition_of_an_invocation_continues_its_run() {
    let stage = Stage::new().await;
    let change = json!({"instanceIds": [ONE, TWO], "attachmentScope": "CHAT", "maximumSize": "10 MB"});
    killed_after_an_update(&stage, &change).await;
    let (kind, report) = stage.world.error(&change).await;
    assert_eq!(
        (kind.as_str(), &report["status"]),
        ("PolicyChangeIncomplete", &json!("incomplete")),
        "{report}"
    );
    let later = stage.process(&[]);
    later.clock.advance(LATER);
    let report = later.report(&change).await;
    assert_eq!(
        (&report["status"], &report["summary"]),
        (&json!("succeeded"), &json!({"applied": 2})),
        "{report}"
    );
    let record = stage.record(report["changeId"].as_str().unwrap()).await;
    assert_eq!((&record["run"], &record["summary"]), (&json!(1), &json!({"applied": 2})));
    assert_eq!((stage.world.updates(), intents(&stage)), (2, 0));
}

/// With `If-Match` a change is never queued, so that its caller waits for the other one.
#[tokio::test]
async fn a_target_that_somebody_else_is_at_is_a_503_to_a_change_with_if_match() {
    let stage = Stage::new().await;
    killed_after_an_update(&stage, &chat(ONE, &json!({"changeId": "OTHER"}))).await;
    let path = format!("/instances/{ONE}/attachment-policies/CHAT");
    let (_, headers, _) = stage.http("GET", &path, &Value::Null).await;
    let body = json!(json!({"maximumSize": "9 MB"}).to_string());
    let mut request = request("PATCH", &path, "", &body);
    request["headers"]["if-match"] = headers["etag"].clone();
    let answer = stage.world.invoke(&request).await.unwrap();
    let problem: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
    assert_eq!(
        (&answer["statusCode"], &problem["type"]),
        (&json!(503), &json!("urn:problem-type:connect-attachment-policy:target-busy"))
    );
    assert!(answer["headers"]["retry-after"].is_string());
    assert_eq!(problem["report"]["results"][0]["error"]["code"], "TargetBusy");
    assert_eq!((lanes(&stage), stage.queues.messages(CHANGES).len(), stage.world.updates()), (0, 0, 1));
}

/// Nobody can prove it, so that it is not done: whoever settles it puts it on record.
#[tokio::test]
async fn an_update_whose_outcome_is_not_in_the_audit_keeps_its_intent_and_its_run_open() {
    let stage = Stage::new().await;
    stage.world.pipe.close_after(r#""event_code":"intent""#);
    let change =
        json!({"instanceIds": [ONE], "attachmentScope": "CHAT", "maximumSize": "10 MB", "changeId": "CHG-1"});
    let (kind, report) = stage.world.error(&change).await;
    assert_eq!(kind, "PolicyChangeIncomplete");
    assert_eq!(
        (&report["results"][0]["outcome"], &report["results"][0]["error"]["code"]),
        (&json!("applied"), &json!("AuditUnavailable"))
    );
    let later = stage.process(&[]);
    assert_eq!((&record(&later, "CHG-1").await["status"], intents(&stage)), (&json!("running"), 1));
    later.clock.advance(LATER);
    sweep(&later).await;
    assert_eq!(record(&later, "CHG-1").await["status"], "succeeded");
    assert_eq!((later.audited(), intents(&stage)), (vec!["outcome applied".to_owned()], 0));
}

/// A lane ends after its intents, and an intent after its line in the audit.
#[tokio::test]
async fn a_lane_whose_open_intent_cannot_be_put_on_record_does_not_end() {
    let stage = Stage::new().await;
    let change = json!({"instanceIds": [ONE, TWO], "attachmentScope": "CHAT", "maximumSize": "10 MB", "changeId": "CHG-1"});
    stage.take_in(&change).await;
    stage.world.pipe.close_after(r#""event_code":"intent""#);
    stage.deliver(CHANGES, Duration::from_secs(30)).await.unwrap();
    assert_eq!(stage.world.calls(Operation::UpdateAttachedFilesConfiguration).len(), 1);
    let cancel = request("POST", "/policy-changes/CHG-1/cancel", "", &Value::Null);
    let (blind, later) = (stage.process(&[]), stage.process(&[]));
    assert_eq!(later.invoke(&cancel).await.unwrap()["statusCode"], 202);
    blind.pipe.close();
    for world in [&blind, &later] {
        world.clock.advance(LATER);
    }
    sweep(&blind).await;
    let lane_state = || {
        let items = stage.ledger.items().unwrap();
        let lane = items.iter().find(|item| item.get("state").is_some()).unwrap();
        lane["state"]["S"].as_str().unwrap().to_owned()
    };
    assert_eq!((lane_state().as_str(), intents(&stage)), ("open", 1));
    // it comes back a minute later
    later.clock.advance(LATER);
    sweep(&later).await;
    assert_eq!((lane_state().as_str(), intents(&stage)), ("cancelled", 0));
    assert_eq!(later.audited(), ["cancel", "outcome applied"]);
    // the second target was begun too, and nothing was sent without its line
    let record = stage.record("CHG-1").await;
    assert_eq!(
        (&record["status"], &record["summary"]),
        (&json!("cancelled"), &json!({"applied": 1, "failed": 1}))
    );
    assert_eq!(stage.queues.messages(PARKED).len(), 0);
}

/// What it found is on record, so that it can be applied.
#[tokio::test]
async fn a_dry_run_that_the_sweep_makes_final_has_its_hash() {
    let stage = Stage::new().await;
    let is_final =
        |body: &Value| body["UpdateExpression"].as_str().is_some_and(|text| text.contains("#finished"));
    stage.ledger.fault(Rule::new(Fault::Internal).of(is_final));
    let change = chat(ONE, &json!({"changeId": "DRY", "dryRun": true}));
    let report = stage.world.report(&change).await;
    stage.ledger.clear_faults();
    assert_eq!(stage.record("DRY").await["status"], "running");
    let later = stage.process(&[]);
    later.clock.advance(LATER);
    sweep(&later).await;
    let record = stage.record("DRY").await;
    assert_eq!((&record["status"], &record["plan"]), (&json!("planned"), &report["plan"]));
    let (status, _, _) =
        stage.http("POST", "/policy-changes/DRY/apply", &json!({"plan": report["plan"]})).await;
    assert_eq!(status, 202);
}

/// Two lanes store the ends of their intents at the same time.
#[tokio::test]
async fn a_change_of_two_regions_is_carried_out_at_once_and_its_record_is_final() {
    let there = sandbox::connect::Instance {
        region: "eu-west-2".to_owned(),
        ..sandbox::connect::Instance::numbered(9)
    };
    let here = sandbox::connect::Instance::numbered(1);
    let (one, other) = (here.arn(), there.arn());
    let options = sandbox::connect::Options { instances: vec![here, there], ..Default::default() };
    let stage = Stage::with(options, &[]).await;
    let slow = sandbox::ledger::Fault::Slow(Duration::from_millis(30));
    stage.ledger.fault(sandbox::ledger::Rule::new(slow).on(sandbox::ledger::Operation::TransactWriteItems));
    let change = json!({
        "instanceIds": [one, other], "attachmentScope": "*", "maximumSize": "10 MB", "changeId": "CHG-1",
    });
    let (status, _, report) = stage.http("POST", "/policy-changes", &change).await;
    assert_eq!((status, &report["summary"]), (200, &json!({"applied": 8})), "{report}");
    let record = stage.record("CHG-1").await;
    assert_eq!(
        (&record["status"], &record["summary"]),
        (&json!("succeeded"), &json!({"applied": 8})),
        "{record:#}"
    );
}

/// Nobody comes back to the targets that it had not reached, so that the sweep writes their lines.
#[tokio::test]
async fn of_an_invocation_that_died_every_target_has_its_line() {
    let stage = Stage::new().await;
    let change = json!({
        "instanceIds": [ONE, TWO, THREE], "attachmentScope": "CHAT", "maximumSize": "10 MB", "changeId": "CHG-1",
    });
    // at the intent of the second target
    let begins = Rule::new(Fault::NeverAnswered).on(sandbox::ledger::Operation::UpdateItem).nth(2);
    let request = stage.http("POST", "/policy-changes", &change);
    assert!(stage.unless_it_dies(begins, request).await.is_none());
    stage.world.clock.advance(Duration::from_mins(3));
    stage.sweep().await;
    let record = stage.record("CHG-1").await;
    assert_eq!(record["summary"], json!({"applied": 1, "failed": 1, "pending": 1}), "{record:#}");
    let lines = stage.world.audit().into_iter().filter(|event| event["metadata"]["event_code"] == "outcome");
    let mut lines: Vec<_> = lines
        .map(|event| {
            (event["unmapped"]["outcome"].clone(), event["status_code"].clone(), event["message"].clone())
        })
        .collect();
    let (outcome, code, message) = lines.pop().unwrap();
    assert_eq!((outcome, code), (json!("pending"), json!("NoTimeLeft")), "{message}");
    assert_eq!(lines.iter().map(|line| &line.0).collect::<Vec<_>>(), ["applied", "failed"]);
}
