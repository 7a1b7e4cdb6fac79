//! Lambda's answers end at 6 MB: the report of a change over very many targets gets through all the same.

use crate::world::{NOWHERE, launch};
use sandbox::connect::{Connect, Instance, Operation, Options};
use sandbox::lambda::{Answer, Function, LARGEST_ANSWER};
use serde_json::{Value, json};

/// Times four scopes. A line of each would make 6.7 MB.
const INSTANCES: u32 = 4_500;

/// A guardrail blocks all of them, so that only the answer takes long.
async fn started() -> (Connect, Function) {
    let instances: Vec<_> = (1..=INSTANCES).map(Instance::numbered).collect();
    let connect = Connect::start(Options { instances, ..Options::default() }).await.unwrap();
    let launch = launch(&connect)
        .env("POLICY_ALLOWED_INSTANCES", NOWHERE)
        .env("CONNECT_REQUESTS_PER_SECOND", "1000")
        .env("CONNECT_BURST", "1000");
    let function = Function::start(launch).await.unwrap();
    (connect, function)
}

fn assert_told(report: &Value) {
    assert_eq!((&report["status"], &report["truncated"]), (&json!("failed"), &json!(true)));
    assert_eq!(report["summary"], json!({"blocked": INSTANCES * 4}));
    let listed = report["results"].as_array().unwrap();
    assert!(listed.len() > 1_000, "{} listed", listed.len());
    let first = Instance::numbered(1).id;
    assert!(listed[..4].iter().all(|result| result["instanceId"] == first && result["outcome"] == "blocked"));
}

#[tokio::test]
async fn a_report_over_18000_targets_is_answered_within_6_mb() {
    let (connect, function) = started().await;
    let change = json!({"instanceId": "*", "attachmentScope": "*", "maximumSize": "10 MB"});
    let invocation = function.invoke(change.to_string().as_bytes()).await;
    let Answer::Error { error_type, error_message } = invocation.outcome else { panic!() };
    assert_eq!(error_type, "PolicyChangeFailed", "{error_message}");
    assert_told(&serde_json::from_str(&error_message).unwrap());

    let request = json!({
        "version": "2.0", "rawPath": "/policy-changes", "headers": {"content-type": "application/json"},
        "requestContext": {"http": {"method": "POST", "path": "/policy-changes", "protocol": "HTTP/1.1",
            "sourceIp": "203.0.113.17", "userAgent": "t"}, "requestId": "r", "stage": "$default"},
        "body": change.to_string(), "isBase64Encoded": false,
    });
    let invocation = function.invoke(request.to_string().as_bytes()).await;
    let Answer::Response(bytes) = invocation.outcome else { panic!() };
    assert!(bytes.len() < LARGEST_ANSWER, "{}", bytes.len());
    let response: Value = serde_json::from_slice(&bytes).unwrap();
    let problem: Value = serde_json::from_str(response["body"].as_str().unwrap()).unwrap();
    assert_eq!(problem["status"], 403);
    assert_told(&problem["report"]);
    // every target is in the audit, also those that the answer leaves out
    let outcomes = invocation.output.iter().filter(|line| line.contains(r#""event_code":"outcome""#)).count();
    assert_eq!(outcomes, INSTANCES as usize * 4);
    let listings = |entry: &sandbox::connect::Entry| entry.operation == Some(Operation::ListInstances);
    assert!(connect.journal().iter().all(listings));
}
