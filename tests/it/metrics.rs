//! What an invocation writes besides its audit: one line of metrics before the answer, and one summary.

use crate::world::{ONE, TWO, World, chat, launch};
use sandbox::connect::{Connect, Fault, Operation, Options};
use sandbox::lambda::{Answer, Function};
use serde_json::{Value, json};
use std::time::Duration;

/// The metric lines so far, with what time decides replaced by its type.
fn metrics(lines: &str) -> Vec<Value> {
    let lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let mut metrics: Vec<Value> = lines.filter(|line| line["logger"] == "metrics").collect();
    for line in &mut metrics {
        assert!(line["_aws"]["Timestamp"].as_u64().unwrap() > 1_700_000_000_000);
        line["_aws"]["Timestamp"] = "milliseconds".into();
        line["timestamp"] = line["timestamp"].as_str().map(|_| "RFC 3339").into();
        line["InvocationDuration"] = line["InvocationDuration"].as_u64().map(|_| "number").into();
        if let Some(latencies) = line.get_mut("ConnectLatency") {
            let count = latencies.as_array().unwrap().iter().filter(|ms| ms.is_u64()).count();
            *latencies = format!("{count} numbers").into();
        }
    }
    metrics
}

fn definitions(names: &[&str]) -> Value {
    let unit = |name: &str| match name {
        "InvocationDuration" | "ConnectLatency" | "QuotaWait" => "Milliseconds",
        _ => "Count",
    };
    names.iter().map(|name| json!({"Name": name, "Unit": unit(name)})).collect()
}

const ALWAYS: [&str; 16] = [
    "TargetsApplied",
    "TargetsUnchanged",
    "TargetsPlanned",
    "TargetsSuperseded",
    "TargetsBlocked",
    "TargetsFailed",
    "TargetsUnknown",
    "TargetsPending",
    "TargetsSkipped",
    "RejectedChanges",
    "AcceptedChanges",
    "UpdateAttempts",
    "ThrottledCalls",
    "ColdStarts",
    "InvocationDuration",
    "QuotaWait",
];

#[tokio::test]
async fn the_line_counts_targets_attempts_and_throttled_calls() {
    let variables = [("AWS_LAMBDA_FUNCTION_NAME", "attachment-policy")];
    let world = World::with(Options::default(), &variables).await;
    let update = Operation::UpdateAttachedFilesConfiguration;
    world.connect.script(update, [Some(Fault::Throttle), None]);
    let change = json!({"instanceIds": [ONE, TWO], "attachmentScope": "CHAT", "maximumSize": "10 MB"});
    world.report(&change).await;
    let mut names = ALWAYS.to_vec();
    names.push("ConnectLatency");
    let expected = json!({
        "_aws": {
            "Timestamp": "milliseconds",
            "CloudWatchMetrics": [{
                "Namespace": "ConnectAttachmentPolicy",
                "Dimensions": [["FunctionName"]],
                "Metrics": definitions(&names),
            }],
        },
        "timestamp": "RFC 3339",
        "level": "INFO",
        "logger": "metrics",
        "FunctionName": "attachment-policy",
        "Trigger": "bare",
        "requestId": "11111111-2222-3333-4444-555555555555",
        "xrayTraceId": "1-6744f3a0-0123456789abcdef01234567",
        "TargetsApplied": 2,
        "TargetsUnchanged": 0,
        "TargetsPlanned": 0,
        "TargetsSuperseded": 0,
        "TargetsBlocked": 0,
        "TargetsFailed": 0,
        "TargetsUnknown": 0,
        "TargetsPending": 0,
        "TargetsSkipped": 0,
        "RejectedChanges": 0,
        "AcceptedChanges": 0,
        "UpdateAttempts": 3,
        "ThrottledCalls": 1,
        "ColdStarts": 1,
        "InvocationDuration": "number",
        "QuotaWait": 0,
        "ConnectLatency": "2 numbers",
    });
    assert_eq!(metrics(&world.pipe.text()), [expected]);
}

/// At a call a second the second update waits for what the first left of the second, which is the quota's time and not
/// Amazon Connect's.
#[tokio::test]
async fn the_wait_for_the_quota_is_a_metric_of_its_own() {
    let variables = [("CONNECT_REQUESTS_PER_SECOND", "1"), ("CONNECT_BURST", "1")];
    let world = World::with(Options::default(), &variables).await;
    let change = json!({"instanceId": ONE, "attachmentScopes": ["CHAT", "TASK"], "maximumSize": "10 MB"});
    world.report(&change).await;
    let waited = metrics(&world.pipe.text())[0]["QuotaWait"].as_u64().unwrap();
    assert!((300..=1_000).contains(&waited), "{waited} ms");
}

/// The read before the update takes two seconds.
#[tokio::test]
async fn a_latency_is_of_the_update_alone() {
    let world = World::new().await;
    let slow = |milliseconds| [Some(Fault::Slow(Duration::from_millis(milliseconds)))];
    world.connect.script(Operation::DescribeAttachedFilesConfiguration, slow(2_000));
    world.connect.script(Operation::UpdateAttachedFilesConfiguration, slow(300));
    world.report(&chat(ONE, &json!({}))).await;
    let text = world.pipe.text();
    let mut lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let line = lines.find(|line| line["logger"] == "metrics").unwrap();
    let latency = line["ConnectLatency"][0].as_u64().unwrap();
    assert!((300..2_000).contains(&latency), "{latency} ms");
    assert!(line["InvocationDuration"].as_u64().unwrap() >= 2_300, "{line}");
}

#[tokio::test]
async fn a_refusal_is_counted_and_a_payload_of_no_trigger_is_too() {
    let world = World::new().await;
    world.error(&json!({"instanceId": "x"})).await;
    world.error(&json!({"hello": "world"})).await;
    let lines = metrics(&world.pipe.text());
    let seen: Vec<_> =
        lines.iter().map(|line| (&line["Trigger"], &line["RejectedChanges"], &line["ColdStarts"])).collect();
    assert_eq!(seen, [(&json!("bare"), &json!(1), &json!(1)), (&json!("none"), &json!(1), &json!(0))]);
    for line in &lines {
        // no call, no latency: a metric needs a value
        assert_eq!(line["_aws"]["CloudWatchMetrics"][0]["Metrics"], definitions(&ALWAYS));
        assert_eq!(line.get("ConnectLatency"), None);
    }
}

#[tokio::test]
async fn no_dimension_grows_with_the_instances_and_latencies_end_at_a_hundred() {
    let instances: Vec<_> = (1..=30).map(sandbox::connect::Instance::numbered).collect();
    let options = Options { instances, ..Options::default() };
    let world = World::with(options, &[]).await;
    let change = json!({"instanceId": "*", "attachmentScope": "*", "maximumSize": "10 MB"});
    world.report(&change).await;
    let lines = metrics(&world.pipe.text());
    assert_eq!(lines[0]["TargetsApplied"], 120);
    // EMF takes at most 100 values of one metric
    assert_eq!(lines[0]["ConnectLatency"], "100 numbers");
    let dimensions = &lines[0]["_aws"]["CloudWatchMetrics"][0]["Dimensions"];
    assert_eq!(*dimensions, json!([["FunctionName"]]));
}

#[tokio::test]
async fn at_info_an_invocation_writes_its_audit_its_metrics_and_one_summary() {
    let connect = Connect::start(Options::default()).await.unwrap();
    let function = Function::start(launch(&connect)).await.unwrap();
    let mut cold_starts = Vec::new();
    for (payload, audit, applied_and_rejected) in [
        (chat(ONE, &json!({})), vec!["intent", "outcome"], (1, 0)),
        (chat(ONE, &json!({})), vec!["outcome"], (0, 0)),
        (json!({"instanceId": "x"}), vec!["refusal"], (0, 1)),
        (json!({"hello": "world"}), vec!["refusal"], (0, 1)),
    ] {
        let invocation = function.invoke(payload.to_string().as_bytes()).await;
        assert!(!matches!(invocation.outcome, Answer::Exited(_)));
        // these lines were written before the answer: the sandbox cuts there
        let lines: Vec<Value> =
            invocation.output.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
        let kinds: Vec<&str> = lines
            .iter()
            .map(|line| match line["logger"].as_str() {
                Some("audit") => line["event"]["metadata"]["event_code"].as_str().unwrap(),
                Some(logger) => logger,
                None => line["message"].as_str().unwrap(),
            })
            .collect();
        let expected: Vec<&str> = audit.into_iter().chain(["metrics", "invocation handled"]).collect();
        assert_eq!(kinds, expected, "{payload}");
        for line in &lines {
            assert_eq!(line["level"], "INFO", "{line}");
            assert!(line["timestamp"].is_string(), "{line}");
        }
        let trace = lines[0]["event"]["trace"]["uid"].as_str().unwrap();
        let request = &invocation.request_id;
        for line in &lines {
            let text = line.to_string();
            assert!(text.contains(trace) && text.contains(request), "{text}");
        }
        let summary = &lines[lines.len() - 1];
        let (applied, rejected) = applied_and_rejected;
        assert_eq!((&summary["applied"], &summary["rejected"]), (&json!(applied), &json!(rejected)));
        cold_starts.push(lines[lines.len() - 2]["ColdStarts"].clone());
    }
    assert_eq!(cold_starts, [1, 0, 0, 0]);
    assert_eq!(function.errors(), "");
}
