//! `stopAfterFailures` where workers carry a change out.

use super::super::stage::{CHANGES, Stage};
use super::{after, audited, change, pairs, updated};
use crate::world::{NOWHERE, ONE, THREE, TWO};
use sandbox::connect::{Fault, Instance, Operation, Options};
use sandbox::ledger;
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;

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

/// What became of an update is sometimes known only after its lease: a failure that is found out then counts too.
#[tokio::test]
async fn a_failure_that_is_found_out_later_counts() {
    let stage = Stage::with(Options::default(), &[("CONNECT_MAX_ATTEMPTS", "1")]).await;
    let update = Operation::UpdateAttachedFilesConfiguration;
    stage.world.connect.script(update, [Some(Fault::ResetBefore), Some(Fault::Throttle)]);
    stage.take_in(&change(&[ONE, TWO, THREE], &after(1))).await;
    // the first is sent without an answer, the second is throttled, the third is applied; then the first has to wait
    stage.deliver(CHANGES, Duration::from_secs(30)).await.unwrap();
    assert_eq!(updated(&stage.world), [ONE, TWO, THREE]);
    stage.world.connect.remove_instance(ONE);
    stage.world.clock.advance(Duration::from_secs(61));
    stage.queues.advance(Duration::from_mins(1));
    stage.work().await;
    // the second was begun and failed for now: that stays its outcome, and it is not tried again
    let record = stage.record("CHG-1").await;
    assert_eq!((&record["status"], &record["lanes"][0]["state"]), (&json!("incomplete"), &json!("stopped")));
    let codes: Vec<_> =
        record["results"].as_array().unwrap().iter().map(|r| r["error"]["code"].as_str()).collect();
    assert_eq!(codes, [Some("ResourceNotFoundException"), Some("ThrottlingException"), None], "{record:#}");
    assert_eq!(updated(&stage.world), [ONE, TWO, THREE]);
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
