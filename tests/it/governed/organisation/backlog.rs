//! What the sweep measures of lanes that are not done, for alarms and the dashboard.

use super::super::stage::{CHANGES, Stage};
use super::{ACCOUNTS, change, instances, lanes, stage};
use sandbox::connect::Instance;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// What the last sweep's lines say of all runs, and of each lane: its backlog and its age. Times in minutes.
async fn swept(stage: &Stage) -> (Value, BTreeMap<String, Value>) {
    let before = stage.world.pipe.text().lines().count();
    stage.sweep().await;
    let text = stage.world.pipe.text();
    let lines = text.lines().skip(before).map(|line| serde_json::from_str::<Value>(line).unwrap());
    let (of_lanes, others): (Vec<_>, Vec<_>) =
        lines.filter(|line| line["logger"] == "metrics").partition(|line| line["Lane"].is_string());
    let all = others.iter().find(|line| line["UnfinishedRuns"].is_u64()).unwrap();
    let minutes = |seconds: &Value| seconds.as_u64().unwrap() / 60;
    let ages = [&all["OldestRunAge"], &all["LongestStall"]].map(minutes);
    let all = json!([all["UnfinishedRuns"], all["RunsOverdue"], ages]);
    let of_lane = |line: &Value| {
        let metrics = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(metrics["Dimensions"], json!([["FunctionName", "Lane"]]));
        let units = json!([{"Name": "LaneBacklog", "Unit": "Count"}, {"Name": "LaneAge", "Unit": "Seconds"}]);
        assert_eq!(metrics["Metrics"], units);
        (line["Lane"].as_str().unwrap().to_owned(), json!([line["LaneBacklog"], minutes(&line["LaneAge"])]))
    };
    (all, of_lanes.iter().map(of_lane).collect())
}

#[tokio::test]
async fn each_lane_that_is_not_done_has_a_backlog_and_an_age() {
    let (stage, sts) = stage(&[("CONNECT_MAX_ATTEMPTS", "1")]).await;
    sts.deny(ACCOUNTS[1]);
    let named: Vec<String> = instances().iter().map(Instance::arn).collect();
    let more = json!({"instanceId": null, "instanceIds": named, "changeId": "NAMED"});
    let mut named = change(&more);
    named.as_object_mut().unwrap().remove("instanceId");
    stage.take_in(&named).await;
    stage.world.clock.advance(Duration::from_mins(2));
    let (status, _, report) =
        stage.http("POST", "/policy-changes", &change(&json!({"changeId": "ALL"}))).await;
    assert_eq!(status, 202, "{report}");
    stage.world.clock.advance(Duration::from_mins(1));

    // two scopes of each named instance, and one for the lane of each star
    let (all, by_lane) = swept(&stage).await;
    assert_eq!(all, json!([2, 0, [3, 3]]));
    let backlogs = [json!([1, 1]), json!([3, 3]), json!([3, 3]), json!([3, 3]), json!([3, 3]), json!([5, 3])];
    assert_eq!(by_lane, lanes().into_iter().zip(backlogs).collect());

    // what is stuck is left
    while stage.deliver(CHANGES, Duration::from_secs(30)).await.is_some() {}
    stage.world.clock.advance(Duration::from_mins(1));
    let (all, by_lane) = swept(&stage).await;
    assert_eq!(all, json!([2, 0, [4, 4]]));
    let stuck = lanes().into_iter().filter(|lane| lane.starts_with(ACCOUNTS[1]));
    assert_eq!(by_lane, stuck.map(|lane| (lane, json!([3, 4]))).collect());

    // none is left: no line of a lane
    sts.allow(ACCOUNTS[1]);
    stage.queues.advance(Duration::from_mins(1));
    stage.work().await;
    assert_eq!(swept(&stage).await, (json!([0, 0, [0, 0]]), BTreeMap::new()));
}
