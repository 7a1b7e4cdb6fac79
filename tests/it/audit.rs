//! What an auditor reads: messages, times, and the reasons of a refusal.

use crate::world::{NOWHERE, ONE, THREE, TWO, World, chat};
use sandbox::connect::{Configuration, Fault, Operation, Options, Scope};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;
use time::OffsetDateTime;
use time::macros::datetime;

fn milliseconds(at: OffsetDateTime) -> i64 {
    i64::try_from(at.unix_timestamp_nanos() / 1_000_000).unwrap()
}

fn messages(world: &World) -> Vec<String> {
    world.audit().iter().map(|event| event["message"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn every_outcome_has_its_message() {
    let variables = [("POLICY_MAX_SIZE_BYTES", "15728640"), ("CONNECT_MAX_ATTEMPTS", "1")];
    let world = World::with(Options::default(), &variables).await;
    let update = Operation::UpdateAttachedFilesConfiguration;
    world.report(&chat(ONE, &json!({}))).await;
    world.report(&chat(ONE, &json!({}))).await;
    world.report(&chat(TWO, &json!({"dryRun": true}))).await;
    let old = json!({"maximumSize": "9 MB", "ifUnmodifiedSince": "2020-01-01T00:00:00Z"});
    world.report(&chat(ONE, &old)).await;
    world.error(&chat(ONE, &json!({"maximumSize": "16 MB"}))).await;
    world.error(&chat(NOWHERE, &json!({}))).await;
    world.connect.script(update, [Some(Fault::ResetBefore)]);
    world.error(&json!({"changes": [chat(ONE, &json!({"force": true})), chat(THREE, &json!({}))]})).await;
    let expected = [
        format!("about to update CHAT of {ONE}"),
        format!("updated CHAT of {ONE}"),
        format!("did not need to update CHAT of {ONE}"),
        format!("would update CHAT of {TWO}"),
        format!("did not update (superseded) CHAT of {ONE}"),
        format!("did not update (blocked) CHAT of {ONE}"),
        format!("failed to update CHAT of {NOWHERE}"),
        format!("about to update CHAT of {ONE}"),
        format!("may have updated CHAT of {ONE}"),
        format!("did not reach CHAT of {THREE}"),
    ];
    assert_eq!(messages(&world), expected);
}

#[tokio::test]
async fn times_are_milliseconds_since_1970() {
    let world = World::new().await;
    let modified = datetime!(2026-06-01 12:00:00.25 UTC);
    let held = Configuration {
        maximum_size_limit_in_bytes: 5_242_880,
        extensions: vec![],
        last_modified: Some(modified),
    };
    world.connect.put(ONE, Scope::Chat, held);
    let earliest = milliseconds(OffsetDateTime::now_utc());
    world.report(&chat(ONE, &json!({"dryRun": true}))).await;
    let latest = milliseconds(OffsetDateTime::now_utc());
    let [event] = &world.audit()[..] else { panic!("one target") };
    assert!((earliest..=latest).contains(&event["time"].as_i64().unwrap()), "{event}");
    assert_eq!(event["resources"][0]["data"]["lastModifiedTime"], milliseconds(modified));
}

/// The `duration` of each outcome, in milliseconds.
fn durations(world: &World) -> Vec<u64> {
    let outcomes = world.audit().into_iter().filter(|event| event["metadata"]["event_code"] == "outcome");
    outcomes.map(|event| event["duration"].as_u64().unwrap()).collect()
}

/// The second update waits two seconds for the quota, and the List of both scopes takes a second.
#[tokio::test]
async fn a_duration_has_neither_the_wait_for_the_quota_nor_a_read_that_scopes_share() {
    let variables = [("CONNECT_REQUESTS_PER_SECOND", "0.5"), ("CONNECT_BURST", "1")];
    let world = World::with(Options::default(), &variables).await;
    world
        .connect
        .script(Operation::ListAttachedFilesConfigurations, [Some(Fault::Slow(Duration::from_secs(1)))]);
    let change = json!({"instanceId": ONE, "attachmentScopes": ["CHAT", "TASK"], "maximumSize": "10 MB"});
    world.report(&change).await;
    let durations = durations(&world);
    assert_eq!(durations.len(), 2);
    assert!(durations.iter().all(|duration| *duration < 1_000), "{durations:?}");
}

#[tokio::test]
async fn a_duration_has_the_targets_own_read_and_its_own_update() {
    let world = World::new().await;
    let slow = || [Some(Fault::Slow(Duration::from_millis(300)))];
    world.connect.script(Operation::DescribeAttachedFilesConfiguration, slow());
    world.connect.script(Operation::UpdateAttachedFilesConfiguration, slow());
    world.report(&chat(ONE, &json!({}))).await;
    let durations = durations(&world);
    assert!(durations.len() == 1 && durations[0] >= 600, "{durations:?}");
}

/// 16 reasons are listed and any more are counted.
#[tokio::test]
async fn a_refusal_lists_sixteen_reasons_and_counts_the_rest() {
    for (faults, more) in [(1, None), (16, None), (17, Some(1)), (40, Some(24))] {
        let world = World::new().await;
        let mut change = chat(ONE, &json!({}));
        for n in 0..faults {
            change[format!("field{n}")] = json!(n);
        }
        world.error(&change).await;
        let unmapped = &world.audit()[0]["unmapped"];
        assert_eq!(unmapped["reasons"].as_array().unwrap().len(), faults.min(16));
        assert_eq!(unmapped.get("moreReasons").and_then(Value::as_u64), more, "{faults}");
    }
}

/// Lambda repeats an asynchronous invocation that failed, with the same request id and often in another process.
#[tokio::test]
async fn a_repeated_invocation_has_lines_with_ids_of_their_own() {
    let first = World::new().await;
    let second = first.beside(&[]);
    first.report(&chat(ONE, &json!({}))).await;
    second.report(&chat(ONE, &json!({"force": true}))).await;
    let lines = [first.audit(), second.audit()].concat();
    let requests: BTreeSet<_> =
        lines.iter().map(|line| line["unmapped"]["lambdaRequestId"].as_str().unwrap()).collect();
    let ids: BTreeSet<_> = lines.iter().map(|line| line["metadata"]["uid"].as_str().unwrap()).collect();
    assert_eq!((lines.len(), requests.len(), ids.len()), (4, 1, 4), "{ids:?}");
}
