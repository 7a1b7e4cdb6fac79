//! A place that cannot be reached: its lane is parked, with its reasons, and keeps no other back.

use super::super::stage::{CHANGES, PARKED};
use super::{ACCOUNTS, REGIONS, by_lane, change, instances, lanes, stage};
use sandbox::connect::{Fault, Instance};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

#[tokio::test]
async fn an_account_that_denies_its_role_is_parked_and_keeps_nobody_back() {
    let (stage, sts) = stage(&[("MAX_STALLED_DELIVERIES", "3"), ("CONNECT_MAX_ATTEMPTS", "1")]).await;
    sts.deny(ACCOUNTS[1]);
    stage.take_in(&change(&json!({}))).await;
    stage.work().await;
    // the others have ended by now
    let stuck: Vec<String> = lanes().into_iter().filter(|lane| lane.starts_with(ACCOUNTS[1])).collect();
    let record = stage.record("CHG-1").await;
    let states = by_lane(&record, |lane| lane["state"].clone());
    for (lane, state) in &states {
        assert_eq!(state, if stuck.contains(lane) { "open" } else { "done" }, "{lane}");
    }
    assert_eq!((&record["status"], record["progress"]["done"].as_u64()), (&json!("running"), Some(8)));
    let updates = stage.world.updates();
    assert_eq!(updates, 8);
    let why = by_lane(&record, |lane| lane["error"]["code"].clone());
    assert_eq!(why[&stuck[0]], "CredentialsUnusable");
    assert_eq!(why[&lanes()[5]], Value::Null);

    for delay in [15, 30] {
        stage.queues.advance(Duration::from_secs(delay));
        stage.work().await;
    }
    let record = stage.record("CHG-1").await;
    let stalled = by_lane(&record, |lane| lane["deliveriesWithoutProgress"].clone());
    assert_eq!((&stalled[&stuck[0]], &stalled[&stuck[1]]), (&json!(3), &json!(3)));
    assert_eq!(stage.queues.messages(PARKED).len(), 0);
    // the delivery after the last one does not try again
    let asked = sts.asked().len();
    stage.queues.advance(Duration::from_mins(1));
    stage.work().await;
    assert_eq!(sts.asked().len(), asked);
    let record = stage.record("CHG-1").await;
    assert_eq!(record["status"], "incomplete");
    // nobody knows how many instances there are: each scope counts once
    assert_eq!(record["summary"], json!({"applied": 8, "pending": 4}));
    let ends =
        by_lane(&record, |lane| json!([lane["state"], lane["error"]["code"], lane["error"]["retryable"]]));
    for lane in lanes() {
        let expected = if stuck.contains(&lane) {
            json!(["parked", "CredentialsUnusable", true])
        } else {
            json!(["done", null, null])
        };
        assert_eq!(ends[&lane], expected, "{lane}");
    }
    let parked = stage.queues.messages(PARKED);
    let reasons: BTreeSet<_> =
        parked.iter().map(|message| message.attributes["reasons"].string_value.clone().unwrap()).collect();
    for (lane, reasons) in stuck.iter().zip(&reasons) {
        let start = format!("LaneParked {lane}: 3 deliveries without progress; CredentialsUnusable: ");
        assert!(reasons.starts_with(&start), "{reasons}");
    }
    assert_eq!((parked.len(), reasons.len()), (2, 2));
    let audit = stage.world.audit();
    let ended = audit.iter().filter(|event| event["status_code"] == "LaneParked");
    let ended: Vec<_> =
        ended.map(|event| event["resources"][0]["uid"].as_str().unwrap().to_owned()).collect();
    let arn = |lane: &String| {
        format!("arn:aws:connect:{}:{}:instance/*", lane.split_once('/').unwrap().1, ACCOUNTS[1])
    };
    assert_eq!(ended.into_iter().collect::<BTreeSet<_>>(), stuck.iter().map(arn).collect());
    assert_eq!(stage.queues.messages(CHANGES).len(), 0);

    // once the role can be assumed, the same id runs again and does what is left
    sts.allow(ACCOUNTS[1]);
    stage.world.clock.advance(Duration::from_secs(1));
    stage.take_in(&change(&json!({}))).await;
    stage.work().await;
    let record = stage.record("CHG-1").await;
    assert_eq!((&record["run"], &record["summary"]), (&json!(2), &json!({"applied": 4, "unchanged": 8})));
    assert!(by_lane(&record, |lane| lane["error"].clone()).into_values().all(|error| error.is_null()));
}

#[tokio::test]
async fn named_instances_of_a_denied_account_say_in_the_record_why_their_lane_is_stuck() {
    let (stage, sts) = stage(&[("MAX_STALLED_DELIVERIES", "1"), ("CONNECT_MAX_ATTEMPTS", "1")]).await;
    sts.deny(ACCOUNTS[2]);
    let named: Vec<String> = instances().iter().map(Instance::arn).collect();
    let change =
        json!({"instanceIds": named, "attachmentScope": "CHAT", "maximumSize": "10 MB", "changeId": "CHG-1"});
    stage.take_in(&change).await;
    stage.work().await;
    stage.queues.advance(Duration::from_secs(15));
    stage.work().await;
    let record = stage.record("CHG-1").await;
    assert_eq!(
        (&record["status"], &record["summary"]),
        (&json!("incomplete"), &json!({"applied": 3, "failed": 3}))
    );
    let ends = by_lane(&record, |lane| json!([lane["state"], lane["error"]["code"]]));
    assert_eq!(ends[&lanes()[4]], json!(["parked", "CredentialsUnusable"]));
    assert_eq!(ends[&lanes()[3]], json!(["done", null]));
}

/// A role that nobody may assume, a Region that answers nothing, and a quota that is used up for ever.
#[tokio::test]
async fn lanes_that_are_stuck_for_three_reasons_are_parked_with_them_and_the_others_end() {
    let (stage, sts) = stage(&[("MAX_STALLED_DELIVERIES", "1"), ("CONNECT_MAX_ATTEMPTS", "1")]).await;
    let [throttled, denied, silent] = ACCOUNTS;
    sts.deny(denied);
    stage.world.connect.always_in(silent, REGIONS[0], Some(Fault::Silent));
    stage.world.connect.always_in(throttled, REGIONS[1], Some(Fault::Throttle));
    stage.take_in(&change(&json!({}))).await;
    let left = Duration::from_secs(12);
    while stage.deliver(CHANGES, left).await.is_some() {}
    let reasons = |record: &Value| by_lane(record, |lane| json!([lane["state"], lane["error"]["code"]]));
    let expected = |stuck: &str| {
        let codes = [
            None,
            Some("ThrottlingException"),
            Some("CredentialsUnusable"),
            Some("CredentialsUnusable"),
            Some("ConnectionFailed"),
            None,
        ];
        let end = |code: Option<&str>| json!([if code.is_some() { stuck } else { "done" }, code]);
        lanes().into_iter().zip(codes.map(end)).collect()
    };
    let record = stage.record("CHG-1").await;
    assert_eq!((&record["status"], reasons(&record)), (&json!("running"), expected("open")));
    assert_eq!((&record["summary"], &record["progress"]["done"]), (&json!({"applied": 4}), &json!(4)));

    stage.queues.advance(Duration::from_secs(15));
    while stage.deliver(CHANGES, left).await.is_some() {}
    let record = stage.record("CHG-1").await;
    assert_eq!((&record["status"], reasons(&record)), (&json!("incomplete"), expected("parked")));
    assert_eq!(record["summary"], json!({"applied": 4, "pending": 8}));
    assert_eq!(stage.queues.messages(PARKED).len(), 4);
}

/// The account's role is taken out of the settings while the change is under way.
#[tokio::test]
async fn an_account_without_a_role_any_more_ends_in_its_own_lanes_only() {
    let (stage, sts) = stage(&[]).await;
    stage.take_in(&change(&json!({}))).await;
    let role = format!("arn:aws:iam::{}:role/spoke", ACCOUNTS[2]);
    let process = stage.process(&[
        ("CONNECT_ROLE_ARNS", role.as_str()),
        ("CONNECT_REGIONS", &REGIONS.join(",")),
        ("AWS_ENDPOINT_URL_STS", &sts.url()),
        ("MAX_STALLED_DELIVERIES", "1"),
        ("CONNECT_MAX_ATTEMPTS", "1"),
    ]);
    stage.work_by(&process).await;
    let record = stage.record("CHG-1").await;
    let why = by_lane(&record, |lane| lane["error"]["code"].clone());
    for lane in lanes() {
        let expected = if lane.starts_with(ACCOUNTS[1]) { json!("CredentialsUnusable") } else { Value::Null };
        assert_eq!(why[&lane], expected, "{lane}");
    }
    // with our own credentials `*` would have meant our own instances
    assert_eq!(stage.world.updates(), 8);
    stage.queues.advance(Duration::from_secs(15));
    stage.work_by(&process).await;
    let record = stage.record("CHG-1").await;
    assert_eq!(
        (&record["status"], &record["summary"]),
        (&json!("incomplete"), &json!({"applied": 8, "pending": 4}))
    );
    // what ran there is undone where it can be reached
    let undo = json!({"changeId": "UNDO"});
    assert_eq!(stage.http("POST", "/policy-changes/CHG-1/undo", &undo).await.0, 202);
    stage.work_by(&process).await;
    assert_eq!(stage.record("UNDO").await["summary"], json!({"applied": 8}));
}
