//! Cancel, apply and freeze.

use super::stage::{CHANGES, Stage};
use crate::world::{ONE, THREE, TWO, chat};
use sandbox::connect::Operation;
use serde_json::{Value, json};
use std::time::Duration;

fn problem(name: &str) -> Value {
    json!(format!("urn:problem-type:connect-attachment-policy:{name}"))
}

fn everything(id: &str) -> Value {
    json!({"instanceIds": [ONE, TWO, THREE], "attachmentScope": "*", "maximumSize": "10 MB", "changeId": id})
}

#[tokio::test]
async fn a_cancelled_change_skips_what_is_not_begun() {
    let stage = Stage::new().await;
    stage.take_in(&everything("CHG-1")).await;
    let (status, headers, _) =
        stage.http("POST", "/policy-changes/CHG-1/cancel", &json!({"reason": "wrong"})).await;
    assert_eq!((status, &headers["location"]), (202, &json!("/policy-changes/CHG-1")));
    stage.work().await;
    let record = stage.record("CHG-1").await;
    assert_eq!(
        (&record["status"], &record["summary"]),
        (&json!("cancelled"), &json!({"skipped": 12})),
        "{record:#}"
    );
    assert_eq!(
        (&record["cancelled"]["reason"], &record["cancelled"]["vouchedBy"]),
        (&json!("wrong"), &json!("api-gateway-iam"))
    );
    let skipped = stage.world.audited().into_iter().filter(|line| line == "outcome skipped").count();
    assert_eq!((skipped, stage.world.updates()), (12, 0));
    let (status, _, refused) = stage.http("POST", "/policy-changes/CHG-1/cancel", &Value::Null).await;
    assert_eq!((status, &refused["type"]), (409, &problem("change-final")));
}

#[tokio::test]
async fn cancelled_under_way_every_target_has_one_line_in_the_audit() {
    let options = sandbox::connect::Options { latency: Duration::from_millis(30), ..Default::default() };
    let stage = Stage::with(options, &[]).await;
    stage.take_in(&everything("CHG-1")).await;
    let cancel = async {
        while stage.world.updates() < 2 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        stage.http("POST", "/policy-changes/CHG-1/cancel", &Value::Null).await.0
    };
    let (delivered, cancelled) = tokio::join!(stage.deliver(CHANGES, Duration::from_secs(30)), cancel);
    assert_eq!((delivered.is_some(), cancelled), (true, 202));
    let record = stage.record("CHG-1").await;
    let count = |outcome: &str| record["summary"][outcome].as_u64().unwrap_or(0);
    assert_eq!(
        (&record["status"], count("applied") + count("skipped")),
        (&json!("cancelled"), 12),
        "{record:#}"
    );
    assert!(count("applied") >= 2 && count("skipped") > 0, "{}", record["summary"]);
    let lines = stage.world.audited();
    let of =
        |outcome: &str| lines.iter().filter(|line| **line == format!("outcome {outcome}")).count() as u64;
    assert_eq!((of("applied"), of("skipped")), (count("applied"), count("skipped")));
}

#[tokio::test]
async fn an_undo_is_a_change_with_an_id_of_its_own() {
    let stage = Stage::new().await;
    stage.http("POST", "/policy-changes", &chat(ONE, &json!({"changeId": "CHG-1"}))).await;
    let own = json!({"changeId": "CHG-1"});
    let (status, _, refused) = stage.http("POST", "/policy-changes/CHG-1/undo", &own).await;
    assert_eq!((status, &refused["type"]), (409, &problem("change-id-reused")), "{refused}");
    let record = stage.record("CHG-1").await;
    assert_eq!((&record["run"], record.get("undoneBy")), (&json!(1), None));
}

#[tokio::test]
async fn what_has_not_ended_is_undone_or_applied_later() {
    let stage = Stage::new().await;
    stage.take_in(&everything("CHG-1")).await;
    stage.take_in(&chat(ONE, &json!({"changeId": "DRY", "dryRun": true}))).await;
    let plan = json!({"plan": "0".repeat(64)});
    let mut answers = vec![
        stage.http("POST", "/policy-changes/CHG-1/undo", &Value::Null).await,
        stage.http("POST", "/policy-changes/DRY/apply", &plan).await,
    ];
    stage.work().await;
    // a dry run of an undo, and the undo itself under the same id
    let undo = json!({"changeId": "UNDO"});
    assert_eq!(stage.http("POST", "/policy-changes/CHG-1/undo?dryRun=true", &undo).await.0, 202);
    answers.push(stage.http("POST", "/policy-changes/CHG-1/undo", &undo).await);
    for (status, headers, refused) in answers {
        assert_eq!((status, &refused["type"]), (409, &problem("change-running")), "{refused}");
        assert_eq!(headers["retry-after"], "5", "{refused}");
    }
    stage.work().await;
    assert_eq!(stage.http("POST", "/policy-changes/CHG-1/undo", &undo).await.0, 202);
}

#[tokio::test]
async fn a_recorded_dry_run_is_carried_out_as_planned_or_not_at_all() {
    let stage = Stage::new().await;
    let change = json!({"instanceIds": [ONE, TWO], "attachmentScope": "CHAT", "maximumSize": "10 MB", "changeId": "DRY"});
    let (status, _, report) = stage.http("POST", "/policy-changes?dryRun=true", &change).await;
    assert_eq!((status, &report["status"]), (200, &json!("planned")));
    let plan = report["plan"].as_str().unwrap();
    assert_eq!(stage.record("DRY").await["plan"], plan);
    for (body, status, kind) in
        [(Value::Null, 422, "rejected"), (json!({"plan": "0".repeat(64)}), 409, "plan-differs")]
    {
        let answer = stage.http("POST", "/policy-changes/DRY/apply", &body).await;
        assert_eq!((answer.0, &answer.2["type"]), (status, &problem(kind)), "{body}");
    }
    // one of the two is changed after the plan
    let between = chat(TWO, &json!({"changeId": "BETWEEN", "maximumSize": "5 MB"}));
    assert_eq!(stage.http("POST", "/policy-changes", &between).await.0, 200);
    let (status, headers, applied) =
        stage.http("POST", "/policy-changes/DRY/apply", &json!({"plan": plan})).await;
    assert_eq!((status, &applied["applies"]), (202, &json!("DRY")));
    stage.work().await;
    let (_, _, record) = stage.http("GET", headers["location"].as_str().unwrap(), &Value::Null).await;
    assert_eq!(record["summary"], json!({"applied": 1, "superseded": 1}), "{record:#}");
    assert_eq!(record["results"][1]["error"]["code"], "ChangedSince");
    assert_eq!(stage.record("DRY").await["appliedBy"], record["changeId"]);
}

/// While it runs and after its end, so that a request whose answer was lost can be sent again.
#[tokio::test]
async fn a_plan_that_is_applied_again_under_one_id_is_one_change_with_one_run() {
    let stage = Stage::new().await;
    let other = chat(TWO, &json!({"changeId": "OTHER"}));
    assert_eq!(stage.http("POST", "/policy-changes", &other).await.0, 200);
    let dry_run = chat(ONE, &json!({"changeId": "DRY"}));
    let (_, _, report) = stage.http("POST", "/policy-changes?dryRun=true", &dry_run).await;
    let apply = |id: &str| json!({"plan": report["plan"], "changeId": id});
    for _ in 0..2 {
        for _ in 0..2 {
            let (status, headers, applied) =
                stage.http("POST", "/policy-changes/DRY/apply", &apply("APPLY")).await;
            assert_eq!((status, &headers["location"]), (202, &json!("/policy-changes/APPLY")), "{applied}");
            assert_eq!((&applied["changeId"], &applied["run"]), (&json!("APPLY"), &json!(1)));
        }
        stage.work().await;
        let record = stage.record("APPLY").await;
        assert_eq!((&record["run"], &record["summary"]), (&json!(1), &json!({"applied": 1})), "{record:#}");
    }
    assert_eq!((stage.record("DRY").await["appliedBy"].clone(), stage.world.updates()), (json!("APPLY"), 2));
    for id in ["DRY", "OTHER"] {
        let (status, _, refused) = stage.http("POST", "/policy-changes/DRY/apply", &apply(id)).await;
        assert_eq!((status, &refused["type"]), (409, &problem("change-id-reused")), "{id}");
    }
    let (status, _, refused) = stage.http("POST", "/policy-changes/DRY/apply", &apply("x/apply")).await;
    assert_eq!((status, &refused["type"]), (422, &problem("rejected")));
    let violation = &refused["violations"][0];
    assert_eq!((&violation["code"], &violation["pointer"]), (&json!("InvalidChangeId"), &json!("/changeId")));
    let (_, _, list) = stage.http("GET", "/policy-changes", &Value::Null).await;
    assert_eq!(list["policyChanges"].as_array().unwrap().len(), 3, "{list}");
}

#[tokio::test]
async fn a_plan_older_than_seven_days_is_not_applied() {
    let stage = Stage::new().await;
    let (_, _, report) =
        stage.http("POST", "/policy-changes?dryRun=true", &chat(ONE, &json!({"changeId": "DRY"}))).await;
    stage.world.clock.advance(Duration::from_hours(7 * 24 + 1));
    let answer = stage.http("POST", "/policy-changes/DRY/apply", &json!({"plan": report["plan"]})).await;
    assert_eq!((answer.0, &answer.2["type"]), (409, &problem("plan-expired")));
}

#[tokio::test]
async fn frozen_nothing_begins_and_thawed_what_was_recorded_goes_on() {
    let stage = Stage::new().await;
    let (status, _, freeze) = stage.http("PUT", "/freeze", &json!({"reason": "incident"})).await;
    assert_eq!((status, &freeze["frozen"], &freeze["reason"]), (200, &json!(true), &json!("incident")));
    assert_eq!(freeze["principal"], "arn:aws:iam::111122223333:user/ada");
    let (status, headers, refused) = stage.http("POST", "/policy-changes", &chat(ONE, &json!({}))).await;
    assert_eq!((status, &refused["type"]), (503, &problem("frozen")));
    assert!(headers["retry-after"].is_string());
    // the intake records, the lane waits without counting as stalled
    stage.take_in(&everything("CHG-1")).await;
    let delivered = stage.deliver(CHANGES, Duration::from_secs(30)).await.unwrap();
    assert_eq!(delivered.failures.len(), 1);
    assert!(stage.deliver(CHANGES, Duration::from_secs(30)).await.is_none());
    assert_eq!(stage.record("CHG-1").await["lanes"][0]["deliveries"], 0);
    // cancelling and reading still work
    stage.take_in(&chat(ONE, &json!({"changeId": "CHG-2"}))).await;
    assert_eq!(stage.http("GET", "/freeze", &Value::Null).await.2["frozen"], true);
    assert_eq!(stage.http("DELETE", "/freeze", &Value::Null).await.2, json!({"frozen": false}));
    stage.queues.advance(Duration::from_mins(10));
    stage.work().await;
    assert_eq!(stage.record("CHG-1").await["summary"], json!({"applied": 12}));
    let lines = stage.world.audited();
    assert_eq!(lines.iter().filter(|line| *line == "freeze" || *line == "thaw").count(), 2);
}

#[tokio::test]
async fn while_it_drains_accepted_changes_end_and_nothing_new_is_taken() {
    let stage = Stage::new().await;
    stage.take_in(&everything("CHG-1")).await;
    assert_eq!(stage.http("PUT", "/freeze", &json!({"drain": true})).await.0, 200);
    let answer = stage.receive(everything("CHG-2").to_string(), super::stage::INTAKE).await;
    assert_eq!(answer["batchItemFailures"].as_array().unwrap().len(), 1);
    stage.work().await;
    assert_eq!(stage.record("CHG-1").await["status"], "succeeded");
    assert_eq!(stage.http("GET", "/policy-changes/CHG-2", &Value::Null).await.0, 404);
}

#[tokio::test]
async fn an_undo_leaves_alone_what_was_changed_since() {
    let stage = Stage::new().await;
    stage.take_in(&everything("CHG-1")).await;
    stage.work().await;
    let since = chat(ONE, &json!({"changeId": "SINCE", "maximumSize": "5 MB"}));
    assert_eq!(stage.http("POST", "/policy-changes", &since).await.0, 200);
    let (status, headers, _) =
        stage.http("POST", "/policy-changes/CHG-1/undo", &json!({"changeId": "UNDO"})).await;
    assert_eq!((status, &headers["location"]), (202, &json!("/policy-changes/UNDO")));
    stage.work().await;
    let record = stage.record("UNDO").await;
    assert_eq!(record["summary"], json!({"applied": 11, "superseded": 1}), "{record:#}");
    let describe = stage.world.calls(Operation::UpdateAttachedFilesConfiguration).len();
    assert_eq!(describe, 12 + 1 + 11);
}
