//! The largest document: 10,000 targets in 20 lanes, and one target more.

use super::super::stage::CHANGES;
use super::{spread, wide};
use sandbox::connect::Instance;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

const ACCOUNTS: [&str; 4] = ["111122223333", "222233334444", "444455556666", "555566667777"];
const REGIONS: [&str; 5] = ["ap-southeast-2", "eu-central-1", "eu-west-2", "us-east-1", "us-west-2"];
/// In each lane; each has four targets.
const IN_A_LANE: usize = 125;

fn change(instances: &[Instance]) -> Value {
    let named: Vec<String> = instances.iter().map(Instance::arn).collect();
    json!({"instanceIds": named, "attachmentScope": "*", "maximumSize": "10 MB", "changeId": "LARGE"})
}

#[tokio::test]
async fn ten_thousand_targets_are_twenty_lanes_and_one_more_is_too_many() {
    let mut all = spread(&ACCOUNTS, &REGIONS, IN_A_LANE);
    let (stage, _sts) = wide(all.clone(), &ACCOUNTS, &REGIONS).await;
    let (status, headers, report) = stage.http("POST", "/policy-changes", &change(&all)).await;
    assert_eq!((status, &headers["location"]), (202, &json!("/policy-changes/LARGE")), "{report}");
    let record = stage.record("LARGE").await;
    assert_eq!(record["progress"], json!({"targets": 10_000, "done": 0}), "{record}");
    let groups: BTreeSet<String> =
        stage.queues.messages(CHANGES).into_iter().filter_map(|message| message.group).collect();
    assert_eq!(groups.len(), 20);

    // a lane begins, and its time is up
    let delivered = stage.deliver(CHANGES, Duration::from_secs(3)).await.unwrap();
    assert_eq!(delivered.failures.len(), 1);
    let applied = stage.world.updates();
    assert!((1..500).contains(&applied), "{applied}");
    // nobody wants the rest
    let (status, _, cancelled) = stage.http("POST", "/policy-changes/LARGE/cancel", &Value::Null).await;
    assert_eq!(status, 202, "{cancelled}");
    stage.work().await;
    let record = stage.record("LARGE").await;
    assert_eq!(
        (&record["status"], &record["summary"]),
        (&json!("cancelled"), &json!({"applied": applied, "skipped": 10_000 - applied}))
    );
    let lanes = record["lanes"].as_array().unwrap().iter();
    let mut ends: BTreeMap<&str, usize> = BTreeMap::new();
    for lane in lanes {
        assert_eq!(lane["targets"], 500);
        *ends.entry(lane["state"].as_str().unwrap()).or_default() += 1;
    }
    assert_eq!(ends, BTreeMap::from([("cancelled", 20)]));

    all.push(Instance::numbered(9_999));
    let (status, _, refused) = stage.http("POST", "/policy-changes", &change(&all)).await;
    assert_eq!((status, &refused["violations"][0]["code"]), (422, &json!("TooManyTargets")), "{refused}");
}
