//! `stopAfterFailures`: what is not begun any more once enough targets have failed for good or are blocked.

mod lanes;

use super::stage::Stage;
use crate::world::{NOWHERE, ONE, THREE, TWO, World, outcomes};
use sandbox::connect::{Instance, Operation, Options};
use sandbox::ledger;
use serde_json::{Value, json};
use std::time::Duration;

/// A second instance that does not exist.
const NOBODY: &str = "99999999-0000-4000-8000-00000000000a";

fn change(instances: &[&str], more: &Value) -> Value {
    let mut change = json!({
        "instanceIds": instances, "attachmentScope": "CHAT", "maximumSize": "10 MB", "changeId": "CHG-1",
    });
    change.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    change
}

fn after(failures: u32) -> Value {
    json!({"stopAfterFailures": failures})
}

/// The instances whose updates Connect received, in order.
fn updated(world: &World) -> Vec<String> {
    let calls = world.calls(Operation::UpdateAttachedFilesConfiguration);
    calls.into_iter().map(|entry| entry.instance_id.unwrap()).collect()
}

/// The outcome lines of the audit, by instance.
fn audited(world: &World) -> Vec<(String, String)> {
    let audit = world.audit();
    let ended = audit.iter().filter(|event| event["metadata"]["event_code"] == "outcome");
    let mut lines: Vec<_> = ended
        .map(|event| {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            (text(&event["resources"][0]["name"]), text(&event["unmapped"]["outcome"]))
        })
        .collect();
    lines.sort();
    lines
}

fn pairs(of: &[(&str, &str)]) -> Vec<(String, String)> {
    let mut pairs: Vec<_> =
        of.iter().map(|(id, outcome)| ((*id).to_owned(), (*outcome).to_owned())).collect();
    pairs.sort();
    pairs
}

#[tokio::test]
async fn at_once_the_rest_is_skipped_and_a_later_run_counts_from_zero() {
    let stage = Stage::new().await;
    let all = [ONE, NOWHERE, TWO, NOBODY, THREE];
    let (status, _, report) = stage.http("POST", "/policy-changes", &change(&all, &after(1))).await;
    assert_eq!((status, &report["status"]), (207, &json!("partial")), "{report}");
    assert_eq!(outcomes(&report), ["applied", "failed", "skipped", "skipped", "skipped"]);
    assert_eq!(report["results"][2]["error"]["code"], "StoppedAfterFailures");
    assert_eq!(report["results"][2]["error"]["retryable"], false);
    assert_eq!(updated(&stage.world), [ONE]);
    let expected =
        [(ONE, "applied"), (NOWHERE, "failed"), (TWO, "skipped"), (NOBODY, "skipped"), (THREE, "skipped")];
    assert_eq!(audited(&stage.world), pairs(&expected));
    let record = stage.record("CHG-1").await;
    assert_eq!(
        (&record["status"], &record["summary"]),
        (&json!("partial"), &json!({"applied": 1, "failed": 1, "skipped": 3}))
    );
    assert_eq!(record["document"]["stopAfterFailures"], 1);
    let (_, _, skipped) = stage.http("GET", "/policy-changes/CHG-1?outcome=skipped", &Value::Null).await;
    assert_eq!(outcomes(&skipped), ["skipped"; 3]);
    assert_eq!(skipped["results"][0]["error"]["code"], "StoppedAfterFailures");

    // the limit is no part of what tells changes apart, and each run begins to count anew
    for (failures, expected) in [
        (1, ["unchanged", "failed", "skipped", "skipped", "skipped"]),
        (2, ["unchanged", "failed", "applied", "failed", "skipped"]),
        (3, ["unchanged", "failed", "unchanged", "failed", "applied"]),
    ] {
        stage.world.clock.advance(Duration::from_secs(1));
        let (_, _, report) = stage.http("POST", "/policy-changes", &change(&all, &after(failures))).await;
        assert_eq!(outcomes(&report), expected, "{failures}");
    }
    let record = stage.record("CHG-1").await;
    assert_eq!((&record["run"], &record["document"]["stopAfterFailures"]), (&json!(4), &json!(3)));
}

#[tokio::test]
async fn without_it_every_target_is_begun() {
    let stage = Stage::new().await;
    let all = [NOWHERE, ONE, NOBODY, TWO];
    let (_, _, report) = stage.http("POST", "/policy-changes", &change(&all, &json!({}))).await;
    assert_eq!(outcomes(&report), ["failed", "applied", "failed", "applied"]);
    assert_eq!(stage.record("CHG-1").await["document"].get("stopAfterFailures"), None);
}

/// A guardrail blocks a target before any call; it counts when its turn comes, and not before.
#[tokio::test]
async fn blocked_targets_count_in_their_turn() {
    let allowed = format!("{ONE},{THREE}");
    for at_once in [true, false] {
        let stage = Stage::with(Options::default(), &[("POLICY_ALLOWED_INSTANCES", &allowed)]).await;
        let change = change(&[ONE, TWO, THREE], &after(1));
        if at_once {
            let (_, _, report) = stage.http("POST", "/policy-changes", &change).await;
            assert_eq!(outcomes(&report), ["applied", "blocked", "skipped"]);
        } else {
            stage.take_in(&change).await;
            stage.work().await;
        }
        let record = stage.record("CHG-1").await;
        assert_eq!(record["summary"], json!({"applied": 1, "blocked": 1, "skipped": 1}), "{at_once}");
        assert_eq!(updated(&stage.world), [ONE]);
        let (_, _, blocked) = stage.http("GET", "/policy-changes/CHG-1?outcome=blocked", &Value::Null).await;
        assert_eq!(blocked["results"][0]["error"]["code"], "InstanceNotAllowed");
    }
}

/// What a target holds may break a guardrail too: that is known only once it is read.
#[tokio::test]
async fn computed_values_that_are_blocked_count() {
    let options = Options { instances: (1..=4).map(Instance::numbered).collect(), ..Options::default() };
    let stage = Stage::with(options, &[("POLICY_BLOCKED_EXTENSIONS", "rtf")]).await;
    let clean = json!({"instanceId": ONE, "attachmentScope": "CHAT", "allowedExtensions": ["pdf"], "changeId": "CHG-0"});
    stage.http("POST", "/policy-changes", &clean).await;
    stage.world.clock.advance(Duration::from_secs(1));
    let add = json!({
        "instanceIds": [TWO, ONE, THREE, Instance::numbered(4).id], "attachmentScope": "CHAT",
        "addExtensions": ["md"], "changeId": "CHG-1", "stopAfterFailures": 2,
    });
    let (_, _, report) = stage.http("POST", "/policy-changes", &add).await;
    assert_eq!(outcomes(&report), ["blocked", "applied", "blocked", "skipped"], "{report}");
}

#[tokio::test]
async fn a_dry_run_stops_as_the_run_would() {
    let stage = Stage::with(Options::default(), &[("POLICY_ALLOWED_INSTANCES", ONE)]).await;
    let change = change(&[ONE, TWO, THREE], &json!({"stopAfterFailures": 1, "dryRun": true}));
    let (_, _, report) = stage.http("POST", "/policy-changes", &change).await;
    assert_eq!(outcomes(&report), ["planned", "blocked", "skipped"]);
    assert_eq!(stage.world.updates(), 0);
}

#[tokio::test]
async fn without_a_ledger_it_is_refused() {
    let world = World::new().await;
    let (kind, report) = world.error(&change(&[ONE], &after(1))).await;
    assert_eq!(kind, "PolicyChangeRejected");
    assert_eq!(
        report["violations"],
        json!([{"pointer": "/stopAfterFailures", "code": "NeedsLedger",
            "message": "needs the ledger, which counts failures; this function has none (LEDGER_TABLE)"}])
    );
    assert_eq!(world.connect.journal().len(), 0);
}

/// A run that was carried out at once, stopped, and then killed before its end was stored.
#[tokio::test]
async fn a_run_that_was_stopped_and_killed_ends_with_the_rest_skipped() {
    let stage = Stage::new().await;
    let finish = ledger::Rule::new(ledger::Fault::Internal)
        .on(ledger::Operation::UpdateItem)
        .of(|body| body.to_string().contains("finished"));
    stage.ledger.fault(finish);
    let (_, _, report) =
        stage.http("POST", "/policy-changes", &change(&[NOWHERE, ONE, TWO], &after(1))).await;
    assert_eq!(outcomes(&report), ["failed", "skipped", "skipped"]);
    assert_eq!(stage.record("CHG-1").await["status"], "running");
    stage.ledger.clear_faults();
    stage.world.clock.advance(Duration::from_mins(5));
    assert_eq!(stage.sweep().await, json!({"swept": 1}));
    let record = stage.record("CHG-1").await;
    assert_eq!(
        (&record["status"], &record["summary"]),
        (&json!("failed"), &json!({"failed": 1, "skipped": 2}))
    );
}
