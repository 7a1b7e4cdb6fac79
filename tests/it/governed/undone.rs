//! What an undo puts back: also where settings, other runs and other changes have come between.

use super::stage::{CHANGES, Stage, request};
use crate::world::{ONE, THREE, TWO, World, chat};
use sandbox::connect::{Configuration, Fault, Operation, Options, Scope};
use serde_json::{Value, json};
use std::time::Duration;

const MEGABYTE: i64 = 1_048_576;

fn size(stage: &Stage, instance: &str, scope: Scope) -> i64 {
    stage.world.connect.configuration(instance, scope).unwrap().maximum_size_limit_in_bytes / MEGABYTE
}

/// Undoes a change at another process of the stack.
async fn undo_by(process: &World, id: &str) -> Value {
    let path = format!("/policy-changes/{id}/undo");
    let body = json!(json!({"changeId": "UNDO"}).to_string());
    let answer = process.invoke(&request("POST", &path, "", &body)).await.unwrap();
    assert_eq!(answer["statusCode"], 202, "{answer}");
    answer
}

/// A change that brings a target within the guardrails, which lowers its size, and the undo of it under `later` ones.
async fn enforced_and_undone(guardrails: &[(&str, &str)], later: &[(&str, &str)]) {
    let stage = Stage::with(Options::default(), guardrails).await;
    let enforce =
        json!({"instanceId": ONE, "attachmentScope": "CHAT", "enforceGuardrails": true, "changeId": "CHG-1"});
    let (status, _, report) = stage.http("POST", "/policy-changes", &enforce).await;
    assert_eq!((status, &report["summary"]), (200, &json!({"applied": 1})), "{report}");
    assert_eq!(size(&stage, ONE, Scope::Chat), 10);
    let process = stage.process(later);
    undo_by(&process, "CHG-1").await;
    stage.work_by(&process).await;
    let record = stage.record("UNDO").await;
    assert_eq!((&record["status"], &record["summary"]), (&json!("succeeded"), &json!({"applied": 1})));
    assert_eq!(size(&stage, ONE, Scope::Chat), 20);
}

#[tokio::test]
async fn enforced_guardrails_are_undone_once_there_is_none_any_more() {
    Box::pin(enforced_and_undone(&[("POLICY_MAX_SIZE_BYTES", "10485760")], &[])).await;
}

#[tokio::test]
async fn enforced_guardrails_are_undone_once_one_of_two_is_gone() {
    let both = [("POLICY_MAX_SIZE_BYTES", "10485760"), ("POLICY_BLOCKED_EXTENSIONS", "exe")];
    Box::pin(enforced_and_undone(&both, &both[1..])).await;
}

#[tokio::test]
async fn an_empty_list_is_undone_where_it_is_allowed_no_longer() {
    let stage = Stage::with(Options::default(), &[("POLICY_ALLOW_EMPTY_EXTENSIONS", "true")]).await;
    let empty =
        json!({"instanceId": ONE, "attachmentScope": "CHAT", "allowedExtensions": [], "changeId": "CHG-1"});
    assert_eq!(stage.http("POST", "/policy-changes", &empty).await.0, 200);
    let process = stage.process(&[]);
    undo_by(&process, "CHG-1").await;
    stage.work_by(&process).await;
    assert_eq!(stage.record("UNDO").await["summary"], json!({"applied": 1}));
}

/// A ticket number in every entry is what somebody writes first.
#[tokio::test]
async fn of_changes_that_share_an_id_each_target_gets_back_what_its_own_change_named() {
    let stage = Stage::new().await;
    let held = stage.world.connect.configuration(ONE, Scope::Task).unwrap();
    let batch = json!({"changeId": "B", "changes": [
        {"changeId": "CHG-1", "instanceId": ONE, "attachmentScope": "CHAT", "maximumSize": "10 MB"},
        {"changeId": "CHG-1", "instanceId": ONE, "attachmentScope": "TASK", "allowedExtensions": ["pdf"]},
    ]});
    let (status, _, report) = stage.http("POST", "/policy-changes", &batch).await;
    assert_eq!((status, &report["status"]), (200, &json!("succeeded")), "{report}");
    let (status, _, _) = stage.http("POST", "/policy-changes/B/undo", &json!({"changeId": "UNDO"})).await;
    assert_eq!(status, 202);
    stage.work().await;
    assert_eq!(stage.record("UNDO").await["summary"], json!({"applied": 2}));
    assert_eq!(size(&stage, ONE, Scope::Chat), 20);
    let now = stage.world.connect.configuration(ONE, Scope::Task).unwrap();
    assert_eq!(
        (now.maximum_size_limit_in_bytes, now.extensions),
        (held.maximum_size_limit_in_bytes, held.extensions)
    );
}

#[tokio::test]
async fn a_change_is_undone_although_it_was_looked_at_again_by_a_dry_run() {
    let stage = Stage::new().await;
    let change = chat(ONE, &json!({"changeId": "CHG-1"}));
    assert_eq!(stage.http("POST", "/policy-changes", &change).await.0, 200);
    let (status, _, report) = stage.http("POST", "/policy-changes?dryRun=true", &change).await;
    assert_eq!((status, &report["summary"]), (200, &json!({"unchanged": 1})), "{report}");
    let (status, _, _) = stage.http("POST", "/policy-changes/CHG-1/undo", &json!({"changeId": "UNDO"})).await;
    assert_eq!(status, 202);
    stage.work().await;
    assert_eq!(stage.record("UNDO").await["summary"], json!({"applied": 1}));
    assert_eq!(size(&stage, ONE, Scope::Chat), 20);
    // a dry run alone has nothing to undo
    let dry = chat(TWO, &json!({"changeId": "DRY"}));
    assert_eq!(stage.http("POST", "/policy-changes?dryRun=true", &dry).await.0, 200);
    let (status, _, refused) = stage.http("POST", "/policy-changes/DRY/undo", &Value::Null).await;
    assert_eq!(status, 409);
    assert_eq!(refused["type"], "urn:problem-type:connect-attachment-policy:nothing-to-undo");
}

#[tokio::test]
async fn the_dry_run_of_an_undo_shows_what_the_undo_leaves_alone() {
    let stage = Stage::new().await;
    let first = json!({"instanceIds": [ONE, TWO], "attachmentScope": "CHAT", "maximumSize": "10 MB", "changeId": "CHG-1"});
    assert_eq!(stage.http("POST", "/policy-changes", &first).await.0, 200);
    let since = json!({"instanceId": ONE, "attachmentScope": "CHAT", "allowedExtensions": ["pdf"], "changeId": "SINCE"});
    assert_eq!(stage.http("POST", "/policy-changes", &since).await.0, 200);
    for (id, query, summary) in [
        ("LOOK", "?dryRun=true", json!({"planned": 1, "superseded": 1})),
        ("UNDO", "", json!({"applied": 1, "superseded": 1})),
    ] {
        let path = format!("/policy-changes/CHG-1/undo{query}");
        assert_eq!(stage.http("POST", &path, &json!({"changeId": id})).await.0, 202);
        stage.work().await;
        let record = stage.record(id).await;
        assert_eq!(record["summary"], summary, "{record:#}");
        assert_eq!(record["results"][0]["error"]["code"], "ChangedSince");
    }
}

#[tokio::test]
async fn a_dry_run_is_applied_with_its_limit_of_failures() {
    let stage = Stage::new().await;
    let change = json!({
        "instanceIds": [ONE, TWO, THREE], "attachmentScope": "CHAT", "maximumSize": "10 MB", "stopAfterFailures": 1,
        "changeId": "DRY",
    });
    let (status, _, report) = stage.http("POST", "/policy-changes?dryRun=true", &change).await;
    assert_eq!((status, &report["summary"]), (200, &json!({"planned": 3})), "{report}");
    let update = Operation::UpdateAttachedFilesConfiguration;
    stage.world.connect.always(update, Some(Fault::AccessDenied));
    let apply = json!({"plan": report["plan"]});
    let (status, headers, _) = stage.http("POST", "/policy-changes/DRY/apply", &apply).await;
    assert_eq!(status, 202);
    stage.work().await;
    let (_, _, record) = stage.http("GET", headers["location"].as_str().unwrap(), &Value::Null).await;
    assert_eq!(
        (&record["status"], &record["summary"]),
        (&json!("failed"), &json!({"failed": 1, "skipped": 2}))
    );
}

/// An undo of two targets, of which the first is put back; the second one failed until its lane was parked.
async fn half_undone() -> Stage {
    let variables = [("MAX_STALLED_DELIVERIES", "1"), ("CONNECT_MAX_ATTEMPTS", "1")];
    let stage = Stage::with(Options::default(), &variables).await;
    let change = json!({
        "instanceIds": [ONE, TWO], "attachmentScope": "CHAT", "maximumSize": "10 MB", "changeId": "CHG-1",
    });
    assert_eq!(stage.http("POST", "/policy-changes", &change).await.0, 200);
    let update = Operation::UpdateAttachedFilesConfiguration;
    stage.world.connect.script(update, [None]);
    stage.world.connect.always(update, Some(Fault::Throttle));
    undo_again(&stage).await;
    for _ in 0..3 {
        stage.deliver(CHANGES, Duration::from_secs(30)).await;
        stage.queues.advance(Duration::from_mins(15));
    }
    assert_eq!(stage.record("UNDO").await["status"], "incomplete");
    assert_eq!([ONE, TWO].map(|instance| size(&stage, instance, Scope::Chat)), [20, 10]);
    stage.world.connect.always(update, None);
    stage
}

/// The same request each time.
async fn undo_again(stage: &Stage) {
    let (status, headers, _) =
        stage.http("POST", "/policy-changes/CHG-1/undo", &json!({"changeId": "UNDO"})).await;
    assert_eq!((status, &headers["location"]), (202, &json!("/policy-changes/UNDO")));
}

#[tokio::test]
async fn an_undo_that_is_sent_again_goes_on_with_what_is_left() {
    let stage = Box::pin(half_undone()).await;
    undo_again(&stage).await;
    stage.work().await;
    let record = stage.record("UNDO").await;
    assert_eq!(
        (&record["status"], &record["run"], &record["summary"]),
        (&json!("succeeded"), &json!(2), &json!({"applied": 1, "unchanged": 1}))
    );
    // it has ended well, so that there is nothing to do again
    undo_again(&stage).await;
    stage.work().await;
    let record = stage.record("UNDO").await;
    assert_eq!((&record["status"], &record["run"]), (&json!("succeeded"), &json!(2)));
    assert_eq!([ONE, TWO].map(|instance| size(&stage, instance, Scope::Chat)), [20, 20]);
}

#[tokio::test]
async fn an_undo_that_is_sent_again_leaves_alone_what_was_changed_since() {
    let stage = Box::pin(half_undone()).await;
    // as the change that is undone had left it
    let held = stage.world.connect.configuration(ONE, Scope::Chat).unwrap();
    let held = Configuration { maximum_size_limit_in_bytes: 10 * MEGABYTE, ..held };
    stage.world.connect.put(ONE, Scope::Chat, held);
    undo_again(&stage).await;
    stage.work().await;
    let record = stage.record("UNDO").await;
    assert_eq!(record["summary"], json!({"applied": 1, "superseded": 1}), "{record:#}");
    assert_eq!([ONE, TWO].map(|instance| size(&stage, instance, Scope::Chat)), [10, 20]);
}
