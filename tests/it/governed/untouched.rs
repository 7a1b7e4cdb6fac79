//! `?outcome=pending` and `?outcome=skipped`: the targets of a plan that have no result.

use super::stage::{CHANGES, Stage, request};
use crate::world::{ONE, THREE, TWO, chat};
use sandbox::connect::{Operation, Options};
use serde_json::{Value, json};
use std::time::Duration;

const SCOPES: [&str; 4] = ["CASE", "CHAT", "EMAIL", "TASK"];

fn everything(id: &str) -> Value {
    json!({"instanceIds": [THREE, ONE, TWO], "attachmentScope": "*", "maximumSize": "10 MB", "changeId": id})
}

/// The results of a page, each as `instanceId scope`, and where the next page begins.
async fn page(stage: &Stage, path: &str) -> (Vec<String>, Option<String>) {
    let (status, _, body) = stage.http("GET", path, &Value::Null).await;
    assert_eq!(status, 200, "{path}: {body:#}");
    (names(&body["results"]), body["nextToken"].as_str().map(str::to_owned))
}

fn names(results: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let results = results.as_array().unwrap().iter();
    results
        .map(|result| format!("{} {}", text(&result["instanceId"]), text(&result["attachmentScope"])))
        .collect()
}

/// Every target of these instances, in the order of a record's results.
fn all(instances: &[&str]) -> Vec<String> {
    instances.iter().flat_map(|id| SCOPES.map(|scope| format!("{id} {scope}"))).collect()
}

#[tokio::test]
async fn what_is_not_begun_is_pending_until_it_has_a_result() {
    let pace = [("CONNECT_REQUESTS_PER_SECOND", "10"), ("CONNECT_BURST", "1")];
    let stage = Stage::with(Options::default(), &pace).await;
    stage.take_in(&everything("CHG-1")).await;
    let pending = "/policy-changes/CHG-1?outcome=pending";
    let (_, headers, body) = stage.http("GET", pending, &Value::Null).await;
    assert_eq!((names(&body["results"]), &body["nextToken"]), (all(&[ONE, TWO, THREE]), &Value::Null));
    assert!(headers["retry-after"].is_string());
    assert_eq!(
        body["results"][0],
        json!({
            "changeId": "CHG-1",
            "instanceId": ONE,
            "instanceArn": format!("arn:aws:connect:us-east-1:111122223333:instance/{ONE}"),
            "attachmentScope": "CASE",
            "outcome": "pending",
            "attempts": 0,
        })
    );
    assert_eq!(page(&stage, "/policy-changes/CHG-1").await.0, Vec::<String>::new());
    // a delivery that has time for some of them
    stage.deliver(CHANGES, Duration::from_secs(2)).await.unwrap();
    let (done, _) = page(&stage, "/policy-changes/CHG-1?outcome=applied").await;
    let (left, next) = page(&stage, pending).await;
    assert!(!done.is_empty() && !left.is_empty(), "{done:?} {left:?}");
    let mut together = [done, left].concat();
    together.sort();
    assert_eq!((together, next), (all(&[ONE, TWO, THREE]), None));
    stage.work().await;
    assert_eq!(page(&stage, pending).await, (Vec::new(), None));
    assert_eq!(page(&stage, "/policy-changes/CHG-1?outcome=skipped").await, (Vec::new(), None));
}

#[tokio::test]
async fn what_a_cancelled_change_did_not_begin_is_skipped() {
    let stage = Stage::new().await;
    let changes = json!({"changeId": "CHG-1", "changes": [
        {"instanceId": TWO, "attachmentScope": "TASK", "maximumSize": "10 MB"},
        {"instanceId": ONE, "attachmentScopes": ["CHAT", "CASE"], "maximumSize": "5 MB"},
    ]});
    stage.take_in(&changes).await;
    assert_eq!(stage.http("POST", "/policy-changes/CHG-1/cancel", &Value::Null).await.0, 202);
    // ordered, and not ended yet
    assert_eq!(page(&stage, "/policy-changes/CHG-1?outcome=pending").await.0.len(), 3);
    stage.work().await;
    let (_, _, body) = stage.http("GET", "/policy-changes/CHG-1?outcome=skipped", &Value::Null).await;
    let told: Vec<_> = body["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|result| (&result["changeId"], &result["attachmentScope"], &result["error"]["code"]))
        .map(|(id, scope, code)| [id, scope, code].map(|value| value.as_str().unwrap()).join(" "))
        .collect();
    assert_eq!(told, ["CHG-1/1 CASE Cancelled", "CHG-1/1 CHAT Cancelled", "CHG-1/0 TASK Cancelled"]);
    assert_eq!(body["summary"], json!({"skipped": 3}));
    assert_eq!(page(&stage, "/policy-changes/CHG-1?outcome=pending").await, (Vec::new(), None));
}

#[tokio::test]
async fn a_parked_lane_says_why_its_targets_are_pending() {
    let stage = Stage::with(Options::default(), &[("MAX_STALLED_DELIVERIES", "1")]).await;
    stage.take_in(&chat(ONE, &json!({"changeId": "CHG-1"}))).await;
    // a delivery without time for anything, not even to show its message again; and the one that gives up
    assert_eq!(stage.deliver(CHANGES, Duration::from_millis(100)).await.unwrap().failures.len(), 1);
    stage.queues.advance(Duration::from_mins(31));
    assert_eq!(stage.deliver(CHANGES, Duration::from_secs(30)).await.unwrap().failures.len(), 0);
    let (_, _, body) = stage.http("GET", "/policy-changes/CHG-1?outcome=pending", &Value::Null).await;
    assert_eq!((&body["status"], &body["summary"]), (&json!("incomplete"), &json!({"pending": 1})));
    assert_eq!(body["results"][0]["error"]["code"], "LaneParked");
}

#[tokio::test]
async fn many_are_shown_on_pages_of_a_hundred() {
    let stage = Stage::new().await;
    let ids: Vec<String> = (10..40).map(|n| format!("000000{n}-0000-4000-8000-000000000001")).collect();
    let abroad = format!("arn:aws:connect:eu-central-1:111122223333:instance/{ONE}");
    let named: Vec<&str> = ids.iter().map(String::as_str).chain([abroad.as_str()]).collect();
    let change =
        json!({"instanceIds": named, "attachmentScope": "*", "maximumSize": "10 MB", "changeId": "CHG-1"});
    stage.take_in(&change).await;
    let mut path = "/policy-changes/CHG-1?outcome=pending".to_owned();
    let (mut shown, mut sizes) = (Vec::new(), Vec::new());
    loop {
        let (some, next) = page(&stage, &path).await;
        sizes.push(some.len());
        shown.extend(some);
        match next {
            Some(next) => path = format!("/policy-changes/CHG-1?outcome=pending&nextToken={next}"),
            None => break,
        }
    }
    assert_eq!(sizes, [100, 24]);
    // the lane of eu-central-1 comes before that of us-east-1
    let ids: Vec<&str> = [ONE].into_iter().chain(ids.iter().map(String::as_str)).collect();
    assert_eq!(shown, all(&ids));
}

#[tokio::test]
async fn what_a_star_means_is_known_once_its_lane_has_asked() {
    let pace = [("CONNECT_REQUESTS_PER_SECOND", "10"), ("CONNECT_BURST", "1")];
    let stage = Stage::with(Options::default(), &pace).await;
    let change =
        json!({"instanceId": "*", "attachmentScope": "*", "maximumSize": "10 MB", "changeId": "CHG-1"});
    stage.take_in(&change).await;
    let pending = "/policy-changes/CHG-1?outcome=pending";
    assert_eq!(page(&stage, pending).await, (Vec::new(), None));
    assert_eq!(stage.world.calls(Operation::ListInstances).len(), 0, "reading asks nothing");
    stage.deliver(CHANGES, Duration::from_secs(2)).await.unwrap();
    let (left, _) = page(&stage, pending).await;
    let (done, _) = page(&stage, "/policy-changes/CHG-1").await;
    assert_eq!(left.len() + done.len(), 12, "{left:?} {done:?}");
    assert_eq!(stage.world.calls(Operation::ListInstances).len(), 1);
}

#[tokio::test]
async fn what_a_request_had_no_time_for_is_known_afterwards() {
    let options = Options { latency: Duration::from_millis(500), ..Options::default() };
    let stage = Stage::with(options, &[]).await;
    let change =
        json!({"instanceId": "*", "attachmentScope": "*", "maximumSize": "10 MB", "changeId": "CHG-1"});
    let sent = request("POST", "/policy-changes", "", &json!(change.to_string()));
    let answer = stage.world.invoke_within(&sent, Duration::from_secs(4)).await.unwrap();
    let report: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
    assert_eq!(report["status"], "incomplete", "{report:#}");
    let is_pending = |result: &&Value| result["outcome"] == "pending";
    let left: Vec<Value> = report["results"].as_array().unwrap().iter().filter(is_pending).cloned().collect();
    let mut left = names(&Value::Array(left));
    left.sort();
    let (told, next) = page(&stage, "/policy-changes/CHG-1?outcome=pending").await;
    assert!(!left.is_empty(), "{report:#}");
    assert_eq!((told, next), (left, None));
}

#[tokio::test]
async fn an_undo_has_the_targets_that_its_change_applied() {
    let stage = Stage::new().await;
    stage.take_in(&everything("CHG-1")).await;
    stage.work().await;
    let (status, headers, _) = stage.http("POST", "/policy-changes/CHG-1/undo", &Value::Null).await;
    assert_eq!(status, 202);
    let path = format!("{}?outcome=pending", headers["location"].as_str().unwrap());
    assert_eq!(page(&stage, &path).await, (all(&[ONE, TWO, THREE]), None));
}

#[tokio::test]
async fn each_run_has_its_own() {
    let stage = Stage::new().await;
    stage.take_in(&everything("CHG-1")).await;
    stage.http("POST", "/policy-changes/CHG-1/cancel", &Value::Null).await;
    stage.work().await;
    stage.take_in(&everything("CHG-1")).await;
    assert_eq!(page(&stage, "/policy-changes/CHG-1?outcome=pending").await.0.len(), 12);
    assert_eq!(page(&stage, "/policy-changes/CHG-1?outcome=skipped").await.0.len(), 0);
    assert_eq!(page(&stage, "/policy-changes/CHG-1?run=1&outcome=skipped").await.0.len(), 12);
}
