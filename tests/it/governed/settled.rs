//! An update whose outcome nobody stored: what the next visitor finds, and what the audit says then.

use super::stage::{CHANGES, Stage};
use crate::world::{ONE, chat};
use sandbox::connect::{Fault, Operation, Options};
use serde_json::{Value, json};
use std::time::Duration;

/// From now on updates take effect, their answers are lost, and nobody can look.
fn lose_updates(stage: &Stage) {
    let connect = stage.world.connect.clone();
    connect.always(Operation::UpdateAttachedFilesConfiguration, Some(Fault::ResetAfter));
    stage.world.pipe.watch(move |line| {
        if line.contains(r#""event_code":"intent""#) {
            connect.always(Operation::DescribeAttachedFilesConfiguration, Some(Fault::ResetBefore));
        }
    });
}

fn find_again(stage: &Stage) {
    stage.world.pipe.watch(|_| {});
    for operation in
        [Operation::UpdateAttachedFilesConfiguration, Operation::DescribeAttachedFilesConfiguration]
    {
        stage.world.connect.always(operation, None);
    }
}

#[tokio::test]
async fn a_lost_update_is_settled_by_a_later_read_and_the_audit_says_so() {
    let stage = Stage::with(Options::default(), &[("CONNECT_MAX_ATTEMPTS", "1")]).await;
    lose_updates(&stage);
    stage.take_in(&chat(ONE, &json!({"changeId": "CHG-1", "reason": "why"}))).await;
    assert_eq!(stage.deliver(CHANGES, Duration::from_secs(30)).await.unwrap().failures.len(), 1);
    let record = stage.record("CHG-1").await;
    assert_eq!((&record["status"], &record["results"][0]["outcome"]), (&json!("running"), &json!("unknown")));
    find_again(&stage);
    // after its lease
    stage.world.clock.advance(Duration::from_secs(61));
    stage.queues.advance(Duration::from_mins(2));
    stage.work().await;
    let record = stage.record("CHG-1").await;
    assert_eq!((&record["status"], &record["summary"]), (&json!("succeeded"), &json!({"applied": 1})));
    assert_eq!(record["results"][0]["before"]["maximumSizeLimitInBytes"], 20_971_520);
    assert_eq!(stage.world.updates(), 1);
    let outcomes: Vec<_> = stage
        .world
        .audit()
        .into_iter()
        .filter(|event| event["metadata"]["event_code"] == "outcome")
        .map(|event| {
            let told = &event["unmapped"];
            let id = &event["metadata"]["correlation_uid"];
            json!([id, told["outcome"], told["settled"], told["reason"], event["actor"]["user"]["uid"]])
        })
        .collect();
    assert_eq!(
        outcomes,
        [json!(["CHG-1", "unknown", null, "why", "AIDA"]), json!(["CHG-1", "applied", true, "why", "AIDA"])]
    );
}

/// A worker dies after an update, and a guardrail blocks the change before its lane is delivered again.
#[tokio::test]
async fn what_was_applied_before_a_guardrail_came_is_reported_as_applied() {
    let stage = Stage::with(Options::default(), &[("CONNECT_MAX_ATTEMPTS", "1")]).await;
    stage.take_in(&chat(ONE, &json!({"changeId": "CHG-1"}))).await;
    let closes = sandbox::ledger::Rule::new(sandbox::ledger::Fault::NeverAnswered)
        .on(sandbox::ledger::Operation::TransactWriteItems);
    let delivery = stage.deliver(CHANGES, Duration::from_secs(30));
    assert!(stage.unless_it_dies(closes, delivery).await.is_none());
    assert_eq!(stage.world.updates(), 1);
    let process = stage.process(&[("POLICY_MAX_SIZE_BYTES", "1048576")]);
    process.clock.advance(Duration::from_mins(30));
    stage.queues.advance(Duration::from_mins(30));
    stage.work_by(&process).await;
    let record = stage.record("CHG-1").await;
    assert_eq!(
        (&record["status"], &record["summary"]),
        (&json!("succeeded"), &json!({"applied": 1})),
        "{record:#}"
    );
    assert!(stage.ledger.items().unwrap().iter().all(|item| item.get("intent").is_none()));
}

/// Its run ended without it, and nobody changes the target again.
#[tokio::test]
async fn what_was_given_up_is_settled_by_the_next_check() {
    let stage = Stage::with(Options::default(), &[("CONNECT_MAX_ATTEMPTS", "1")]).await;
    stage
        .http("POST", "/policy-changes", &chat(ONE, &json!({"changeId": "BEFORE", "maximumSize": "5 MB"})))
        .await;
    lose_updates(&stage);
    stage.http("POST", "/policy-changes", &chat(ONE, &json!({"changeId": "CHG-1"}))).await;
    for _ in 0..2 {
        stage.world.clock.advance(Duration::from_mins(16));
        stage.sweep().await;
    }
    assert_eq!(stage.record("CHG-1").await["status"], "incomplete");
    find_again(&stage);
    let check =
        json!({"checkDrift": true, "instanceId": ONE, "attachmentScope": "CHAT", "changeId": "CHECK"});
    assert_eq!(stage.http("POST", "/policy-changes", &check).await.0, 202);
    stage.work().await;
    let record = stage.record("CHECK").await;
    assert_eq!(
        (&record["status"], &record["summary"]),
        (&json!("planned"), &json!({"unchanged": 1})),
        "{record:#}"
    );
    let path = format!("/instances/{ONE}/attachment-policies/CHAT/history");
    let (_, _, history) = stage.http("GET", &path, &Value::Null).await;
    assert_eq!(history["history"][0]["outcome"], "applied", "{history:#}");
    // its run has ended without it, and it is undone all the same
    let (status, headers, _) = stage.http("POST", "/policy-changes/CHG-1/undo", &Value::Null).await;
    assert_eq!(status, 202);
    stage.work().await;
    let (_, _, undone) = stage.http("GET", headers["location"].as_str().unwrap(), &Value::Null).await;
    assert_eq!(undone["summary"], json!({"applied": 1}), "{undone:#}");
}
