//! `stopAfterFailures`: what is not begun any more once enough targets have failed for good or are blocked.

use super::stage::{CHANGES, Stage};
use crate::world::{NOWHERE, ONE, THREE, TWO, World, outcomes};
use sandbox::connect::{Fault, Instance, Operation, Options};
use sandbox::ledger;
use serde_json::{Value, json};
use std::collections::BTreeMap;
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
async fn by_lanes_the_others_stop_too() {
    let far = Instance { region: "eu-west-2".to_owned(), ..Instance::numbered(11) };
    let farther = Instance { region: "eu-west-2".to_owned(), ..Instance::numbered(12) };
    let mut options = Options::default();
    options.instances.extend([far.clone(), farther.clone()]);
    let stage = Stage::with(options, &[]).await;
    let gone = format!("arn:aws:connect:eu-west-2:111122223333:instance/{NOWHERE}");
    let change = change(&[&far.arn(), &gone, &farther.arn(), ONE, TWO], &after(1));
    stage.take_in(&change).await;
    stage.work().await;
    let record = stage.record("CHG-1").await;
    assert_eq!(
        (&record["status"], &record["summary"]),
        (&json!("partial"), &json!({"applied": 1, "failed": 1, "skipped": 3})),
        "{record:#}"
    );
    let lanes = record["lanes"].as_array().unwrap();
    let states: BTreeMap<_, _> =
        lanes.iter().map(|lane| (lane["lane"].as_str().unwrap(), lane["state"].as_str().unwrap())).collect();
    assert_eq!(states, [("111122223333/eu-west-2", "stopped"), ("111122223333/us-east-1", "stopped")].into());
    assert_eq!(updated(&stage.world), std::slice::from_ref(&far.id));
    // each target has one line, also those that nobody came to
    let expected = [
        (far.id.as_str(), "applied"),
        (NOWHERE, "failed"),
        (farther.id.as_str(), "skipped"),
        (ONE, "skipped"),
        (TWO, "skipped"),
    ];
    assert_eq!(audited(&stage.world), pairs(&expected));
    assert_eq!(stage.queues.messages(CHANGES).len(), 0);

    // the next run of the id begins at zero, and its limit is its own
    stage.world.clock.advance(Duration::from_secs(1));
    let mut again = change.clone();
    again["stopAfterFailures"] = json!(2);
    stage.take_in(&again).await;
    stage.work().await;
    let record = stage.record("CHG-1").await;
    assert_eq!(record["run"], 2);
    assert_eq!(record["summary"], json!({"applied": 3, "unchanged": 1, "failed": 1}));
}

/// Two lanes at once: once one of them has failed, the other begins at most one more.
#[tokio::test]
async fn another_lane_begins_at_most_one_more() {
    let elsewhere = |n| Instance { region: "eu-west-2".to_owned(), ..Instance::numbered(n) };
    let far: Vec<Instance> = (20..40).map(elsewhere).collect();
    let mut options = Options { latency: Duration::from_millis(20), ..Options::default() };
    options.instances.extend(far.iter().cloned());
    let stage = Stage::with(options, &[]).await;
    let mut all: Vec<String> = far.iter().map(Instance::arn).collect();
    all.extend([ONE, TWO, NOWHERE, THREE].map(str::to_owned));
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    stage.take_in(&change(&all, &after(1))).await;
    let left = Duration::from_secs(30);
    let (one, other) = tokio::join!(stage.deliver(CHANGES, left), stage.deliver(CHANGES, left));
    assert!(one.is_some() && other.is_some());
    stage.work().await;
    let record = stage.record("CHG-1").await;
    let count = |outcome: &str| record["summary"][outcome].as_u64().unwrap_or(0);
    assert_eq!((count("failed"), count("applied") + count("skipped")), (1, 23), "{record:#}");
    // when the ledger had counted the failure, how many updates had the other lane begun?
    let journal = stage.ledger.journal();
    let is = |entry: &ledger::Entry, operation, text: &str| {
        entry.executed && entry.operation == Some(operation) && entry.body.to_string().contains(text)
    };
    let counted = |entry: &ledger::Entry| is(entry, ledger::Operation::TransactWriteItems, "failures");
    let begun = |entry: &ledger::Entry| {
        is(entry, ledger::Operation::UpdateItem, "SET #intent = ")
            && entry.body.to_string().contains("eu-west-2#")
    };
    let at = journal.iter().position(counted).expect("a counted failure");
    let (before, later) = journal.split_at(at);
    let [before, later] = [before, later].map(|part| part.iter().filter(|entry| begun(entry)).count());
    assert!((1..20).contains(&before) && later <= 1, "{before} before, {later} later");
    assert_eq!(u64::try_from(before + later).unwrap() + 2, count("applied"));
}

#[tokio::test]
async fn what_failed_for_now_does_not_count() {
    let stage = Stage::with(Options::default(), &[("CONNECT_MAX_ATTEMPTS", "1")]).await;
    let update = Operation::UpdateAttachedFilesConfiguration;
    stage.world.connect.script(update, [Some(Fault::Throttle); 3]);
    stage.take_in(&change(&[ONE, TWO, THREE], &after(1))).await;
    stage.work().await;
    let record = stage.record("CHG-1").await;
    assert_eq!(record["progress"], json!({"targets": 3, "done": 0}));
    assert_eq!(record["lanes"][0]["error"]["code"], "ThrottlingException");
    stage.queues.advance(Duration::from_secs(15));
    stage.work().await;
    let record = stage.record("CHG-1").await;
    assert_eq!((&record["status"], &record["summary"]), (&json!("succeeded"), &json!({"applied": 3})));
}

/// A delivery that finds the run stopped does nothing but end its lane, even where nobody knows the instances yet.
#[tokio::test]
async fn a_lane_that_has_not_begun_ends_without_a_call() {
    let variables = [("CONNECT_REGIONS", "us-east-1,eu-west-2")];
    let stage = Stage::with(Options::default(), &variables).await;
    let batch = json!({"changes": [
        {"instanceId": NOWHERE, "attachmentScope": "CHAT", "maximumSize": "10 MB"},
        {"instanceId": "arn:aws:connect:eu-west-2:*:instance/*", "attachmentScopes": ["CHAT", "TASK"], "maximumSize": "10 MB"},
        {"instanceId": ONE, "attachmentScope": "TASK", "maximumSize": "10 MB"},
    ], "changeId": "CHG-1", "stopAfterFailures": 1});
    stage.take_in(&batch).await;
    let own = |body: &str| body.contains("us-east-1");
    let messages = stage.queues.messages(CHANGES);
    let first = messages.iter().find(|message| own(&message.body)).unwrap().body.clone();
    // as if the queue had delivered this lane first
    let answer = stage.receive(first, CHANGES).await;
    assert_eq!(answer["batchItemFailures"], json!([]));
    stage.world.connect.clear_journal();
    stage.work().await;
    assert_eq!(stage.world.connect.journal().len(), 0);
    let record = stage.record("CHG-1").await;
    assert_eq!(
        (&record["status"], &record["summary"]),
        (&json!("failed"), &json!({"failed": 1, "skipped": 3}))
    );
    assert_eq!(record["document"]["stopAfterFailures"], 1);
    let skipped = audited(&stage.world).into_iter().filter(|(_, outcome)| outcome == "skipped").count();
    assert_eq!(skipped, 3);
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
