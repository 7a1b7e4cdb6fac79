//! What a target should hold is put back: a change like any other, whose values are the ledger's.

use super::stage::Stage;
use crate::world::{ONE, TWO, World, chat, outcomes};
use sandbox::connect::{self, Configuration, Operation, Options, Scope};
use serde_json::{Value, json};
use std::time::Duration;

const MEGABYTE: i64 = 1_048_576;

fn path(instance: &str, rest: &str) -> String {
    format!("/instances/{instance}/attachment-policies/CHAT/{rest}")
}

/// ONE's CHAT should hold 10 MB, and somebody else has set another size.
async fn drifted(megabytes: i64) -> Stage {
    let stage = Stage::new().await;
    govern(&stage, 10, "CHG-1").await;
    change_elsewhere(&stage, megabytes);
    stage
}

async fn govern(stage: &Stage, megabytes: i64, id: &str) {
    let change = chat(ONE, &json!({"maximumSize": format!("{megabytes} MB"), "changeId": id}));
    assert_eq!(stage.world.report(&change).await["status"], "succeeded");
}

fn change_elsewhere(stage: &Stage, megabytes: i64) {
    let held = stage.world.connect.configuration(ONE, Scope::Chat).unwrap();
    let held = Configuration { maximum_size_limit_in_bytes: megabytes * MEGABYTE, ..held };
    stage.world.connect.put(ONE, Scope::Chat, held);
}

fn megabytes(stage: &Stage) -> i64 {
    let held = stage.world.connect.configuration(ONE, Scope::Chat).unwrap();
    held.maximum_size_limit_in_bytes / MEGABYTE
}

fn problem(kind: &str) -> Value {
    json!(format!("urn:problem-type:connect-attachment-policy:{kind}"))
}

/// The first result's outcome and error.
fn ended(record: &Value) -> Value {
    let result = &record["results"][0];
    json!([result["outcome"], result["error"]["code"]])
}

#[tokio::test]
async fn a_drift_is_put_back_on_record_and_can_be_undone() {
    let stage = Box::pin(drifted(5)).await;
    let body = json!({"reason": "INC-9", "changeId": "CHG-9"});
    let (status, _, report) = stage.http("POST", &path(ONE, "restore"), &body).await;
    assert_eq!((status, outcomes(&report)), (200, vec!["applied"]), "{report}");
    let size =
        |side: &str| report["results"][0][side]["maximumSizeLimitInBytes"].as_i64().unwrap() / MEGABYTE;
    assert_eq!((size("before"), size("after"), megabytes(&stage)), (5, 10, 10));
    // the member that no change has set is not sent
    let codes = stage.world.audited();
    assert_eq!(codes, ["intent", "outcome applied", "drift", "intent", "outcome applied"]);
    let record = stage.record("CHG-9").await;
    assert_eq!(
        (&record["status"], &record["reason"], &record["origin"]["principal"]),
        (&json!("succeeded"), &json!("INC-9"), &json!("arn:aws:iam::111122223333:user/ada"))
    );
    let document = &record["document"];
    assert_eq!(
        (&document["maximumSizeLimitInBytes"], document.get("allowedExtensions")),
        (&json!(10 * MEGABYTE), None)
    );
    let (_, _, past) = stage.http("GET", &path(ONE, "history"), &Value::Null).await;
    assert_eq!(past["history"][0]["record"], "CHG-9");
    // an undo puts back what the restore replaced
    let (status, _, _) = stage.http("POST", "/policy-changes/CHG-9/undo", &Value::Null).await;
    stage.work().await;
    assert_eq!((status, megabytes(&stage)), (202, 5));
    let (status, _, report) = stage.http("POST", &path(ONE, "restore"), &json!({"changeId": "CHG-10"})).await;
    assert_eq!((status, outcomes(&report)), (200, vec!["unchanged"]), "the undo set what is held now");
}

#[tokio::test]
async fn what_holds_what_it_should_is_unchanged_and_what_nobody_governs_is_not_found() {
    let stage = Box::pin(drifted(10)).await;
    let sent = stage.world.updates();
    let (status, _, report) = stage.http("POST", &path(ONE, "restore"), &Value::Null).await;
    assert_eq!((status, &report["status"], outcomes(&report)), (200, &json!("succeeded"), vec!["unchanged"]));
    let (status, _, refused) = stage.http("POST", &path(TWO, "restore"), &Value::Null).await;
    assert_eq!((status, &refused["type"]), (404, &problem("target-not-governed")));
    let elsewhere =
        "arn%3Aaws%3Aconnect%3Aus-east-1%3A999999999999%3Ainstance%2F00000001-0000-4000-8000-000000000001";
    let (status, _, refused) = stage.http("POST", &path(elsewhere, "restore"), &Value::Null).await;
    assert_eq!((status, &refused["type"]), (404, &problem("instance-not-found")));
    let values = json!({"maximumSize": "1 MB"});
    let (status, _, refused) = stage.http("POST", &path(ONE, "restore"), &values).await;
    assert_eq!((status, &refused["violations"][0]["pointer"]), (422, &json!("/maximumSize")));
    let (status, headers, refused) = stage.http("GET", &path(ONE, "restore"), &Value::Null).await;
    assert_eq!(
        (status, &refused["type"], &headers["allow"]),
        (405, &problem("method-not-allowed"), &json!("POST"))
    );
    let mut conditional = super::stage::request("POST", &path(ONE, "restore"), "", &Value::Null);
    conditional["headers"]["if-match"] = json!("*");
    assert_eq!(stage.world.invoke(&conditional).await.unwrap()["statusCode"], 412);
    assert_eq!(stage.world.updates(), sent);
    // the values belong to a recorded change with others
    govern(&stage, 8, "CHG-2").await;
    let (status, _, refused) = stage.http("POST", &path(ONE, "restore"), &json!({"changeId": "CHG-1"})).await;
    assert_eq!((status, &refused["type"]), (409, &problem("change-id-reused")));
    assert_eq!(stage.http("PUT", "/freeze", &Value::Null).await.0, 200);
    let (status, _, refused) = stage.http("POST", &path(ONE, "restore"), &Value::Null).await;
    assert_eq!((status, &refused["type"]), (503, &problem("frozen")));
    let standalone = World::new().await;
    let request = super::stage::request("POST", &path(ONE, "restore"), "", &Value::Null);
    assert_eq!(standalone.invoke(&request).await.unwrap()["statusCode"], 404);
}

/// The plan of a dry run is no way to put back what nobody wants any more.
#[tokio::test]
async fn a_dry_run_is_applied_unless_the_drift_was_accepted_meanwhile() {
    for (accepted, ends) in [(false, json!(["applied", null])), (true, json!(["superseded", "ChangedSince"]))]
    {
        let stage = Box::pin(drifted(5)).await;
        let asked = format!("{}?dryRun=true", path(ONE, "restore"));
        let (status, _, report) = stage.http("POST", &asked, &json!({"changeId": "DRY"})).await;
        assert_eq!((status, outcomes(&report), megabytes(&stage)), (200, vec!["planned"], 5));
        if accepted {
            govern(&stage, 5, "CHG-2").await;
        }
        let plan = json!({"plan": report["plan"]});
        let (status, headers, _) = stage.http("POST", "/policy-changes/DRY/apply", &plan).await;
        assert_eq!(status, 202);
        stage.work().await;
        let (_, _, record) = stage.http("GET", headers["location"].as_str().unwrap(), &Value::Null).await;
        assert_eq!((ended(&record), megabytes(&stage)), (ends, if accepted { 5 } else { 10 }));
    }
}

/// A change that is under way ends first; what the target should hold is then another value.
#[tokio::test]
async fn a_change_that_was_under_way_is_not_overwritten_by_older_values() {
    let stage = Stage::with(Options::default(), &[]).await;
    govern(&stage, 10, "CHG-1").await;
    // its process is killed after the update took effect
    stage
        .world
        .connect
        .script(Operation::UpdateAttachedFilesConfiguration, [Some(connect::Fault::ResetAfter)]);
    let read = Operation::DescribeAttachedFilesConfiguration;
    stage.world.connect.always(read, Some(connect::Fault::ResetBefore));
    let killed = stage.process(&[("CONNECT_MAX_ATTEMPTS", "1")]);
    let both = json!({"instanceId": ONE, "attachmentScopes": ["CHAT", "TASK"], "maximumSize": "8 MB", "changeId": "CHG-2"});
    let _ = killed.invoke(&both).await;
    stage.world.connect.always(read, None);
    let (status, headers, report) =
        stage.http("POST", &path(ONE, "restore"), &json!({"changeId": "CHG-9"})).await;
    assert_eq!((status, &headers["location"]), (202, &json!("/policy-changes/CHG-9")), "{report}");
    stage.world.clock.advance(Duration::from_secs(61));
    for _ in 0..5 {
        stage.world.clock.advance(Duration::from_secs(61));
        stage.sweep().await;
        stage.queues.advance(Duration::from_mins(15));
        stage.work().await;
    }
    assert_eq!(ended(&stage.record("CHG-9").await), json!(["superseded", "ChangedSince"]));
    assert_eq!(megabytes(&stage), 8);
}
