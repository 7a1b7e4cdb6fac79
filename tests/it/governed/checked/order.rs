//! Changes go before a check, and a freeze stops it.

use super::super::stage::CHANGES;
use super::{DESCRIBE, LEFT, LIST, check, drifts, findings, governed, later, list_of, megabytes, reads};
use crate::world::{ONE, THREE, TWO, chat};
use sandbox::connect::{self, Operation};
use serde_json::{Value, json};
use std::time::Duration;

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
