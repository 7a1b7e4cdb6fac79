//! The production binary through Lambda's Runtime API.

use crate::world::{ONE, chat, launch};
use sandbox::connect::{Connect, Fault, Operation, Options, Scope};
use sandbox::lambda::{Answer, Function, Invocation};
use serde_json::{Value, json};

fn json_lines(lines: &[String]) -> Vec<Value> {
    lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn report(invocation: &Invocation) -> Value {
    match &invocation.outcome {
        Answer::Response(bytes) => serde_json::from_slice(bytes).unwrap(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_change_goes_in_connect_is_updated_and_the_audit_says_so() {
    let connect = Connect::start(Options::default()).await.unwrap();
    let function = Function::start(launch(&connect)).await.unwrap();
    let invocation = function.invoke(chat(ONE, &json!({"changeId": "CHG-7"})).to_string().as_bytes()).await;
    assert_eq!(report(&invocation)["status"], "succeeded");
    assert_eq!(connect.configuration(ONE, Scope::Chat).unwrap().maximum_size_limit_in_bytes, 10_485_760);
    let lines = json_lines(&invocation.output);
    let audit: Vec<_> = lines.iter().filter(|line| line["logger"] == "audit").collect();
    assert_eq!(audit.len(), 2);
    for line in &audit {
        assert_eq!(
            (&line["level"], &line["event"]["metadata"]["correlation_uid"]),
            (&json!("INFO"), &json!("CHG-7"))
        );
        assert_eq!(line["event"]["unmapped"]["lambdaRequestId"], invocation.request_id);
        time::OffsetDateTime::parse(
            line["timestamp"].as_str().unwrap(),
            &time::format_description::well_known::Rfc3339,
        )
        .unwrap();
    }
    // what was applied is unchanged next time: nothing is kept between invocations but the connection
    let again = function.invoke(chat(ONE, &json!({})).to_string().as_bytes()).await;
    assert_eq!(report(&again)["results"][0]["outcome"], "unchanged");
}

#[tokio::test]
async fn function_errors_carry_their_type_and_the_report() {
    let connect = Connect::start(Options::default()).await.unwrap();
    let function = Function::start(launch(&connect)).await.unwrap();
    let invocation = function.invoke(br#"{"instanceId":"x"}"#).await;
    let Answer::Error { error_type, error_message } = &invocation.outcome else {
        panic!("{:?}", invocation.outcome)
    };
    let report: Value = serde_json::from_str(error_message).unwrap();
    assert_eq!((error_type.as_str(), &report["status"]), ("PolicyChangeRejected", &json!("rejected")));
}

#[tokio::test]
async fn throttling_is_retried_by_the_binary_too() {
    let connect = Connect::start(Options::default()).await.unwrap();
    connect
        .script(Operation::UpdateAttachedFilesConfiguration, [Some(Fault::Throttle), Some(Fault::Throttle)]);
    let function = Function::start(launch(&connect)).await.unwrap();
    let invocation = function.invoke(chat(ONE, &json!({})).to_string().as_bytes()).await;
    assert_eq!(report(&invocation)["results"][0]["attempts"], 3);
}

#[tokio::test]
async fn no_audit_line_is_lost_to_a_log_level_or_format() {
    let connect = Connect::start(Options::default()).await.unwrap();
    for level in ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"] {
        for format in ["JSON", "Text"] {
            let launch =
                launch(&connect).env("AWS_LAMBDA_LOG_LEVEL", level).env("AWS_LAMBDA_LOG_FORMAT", format);
            let function = Function::start(launch).await.unwrap();
            let payload = chat(ONE, &json!({"force": true})).to_string();
            let invocation = function.invoke(payload.as_bytes()).await;
            let audit: Vec<Value> = invocation
                .output
                .iter()
                .filter_map(|line| serde_json::from_str::<Value>(line).ok())
                .filter(|line| line["logger"] == "audit")
                .collect();
            assert_eq!(audit.len(), 2, "{level} {format}");
            let expected = if ["WARN", "ERROR", "FATAL"].contains(&level) { level } else { "INFO" };
            assert!(audit.iter().all(|line| line["level"] == expected), "{level} {format}");
        }
    }
}

#[tokio::test]
async fn wrong_settings_stop_the_start_and_are_all_named() {
    let connect = Connect::start(Options::default()).await.unwrap();
    let launch = launch(&connect)
        .env("CONNECT_BURST", "0")
        .env("CONNECT_QUOTA", "both")
        .env("SSL_CERT_FILE", "no/such/file");
    let function = Function::start(launch).await.unwrap();
    let invocation = function.invoke(b"{}").await;
    assert!(!matches!(invocation.outcome, Answer::Response(_)), "{:?}", invocation.outcome);
    let said = function.output().join("\n");
    assert!(said.contains("CONNECT_BURST must be 1 to 1000, not `0`; CONNECT_QUOTA must be"), "{said}");
    assert!(said.contains("; SSL_CERT_FILE names `no/such/file`, which cannot be read"), "{said}");
}

#[tokio::test]
async fn at_debug_each_update_is_a_span_of_its_target_within_the_request() {
    let connect = Connect::start(Options::default()).await.unwrap();
    let function = Function::start(launch(&connect).env("AWS_LAMBDA_LOG_LEVEL", "DEBUG")).await.unwrap();
    let invocation = function.invoke(chat(ONE, &json!({})).to_string().as_bytes()).await;
    let lines = json_lines(&invocation.output);
    let updated: Vec<_> = lines.iter().filter(|line| line["message"] == "updated").collect();
    assert_eq!(updated.len(), 1);
    assert_eq!((&updated[0]["level"], &updated[0]["outcome"]), (&json!("DEBUG"), &json!("Applied")));
    let spans = updated[0]["spans"].as_array().unwrap();
    assert_eq!(spans[0]["requestId"], invocation.request_id);
    assert!(spans[0]["xrayTraceId"].is_string());
    assert_eq!(spans[1], json!({"name": "target", "instance": ONE, "scope": "CHAT"}));
}

/// Rust opens `/dev/null` in place of a closed standard output.
#[test]
fn a_standard_output_that_leads_nowhere_stops_the_start() {
    let function = std::process::Command::new(env!("CARGO_BIN_EXE_connect-attachment-policy"))
        .stdout(std::process::Stdio::null())
        .output()
        .unwrap();
    assert_eq!(function.status.code(), Some(1));
    let said = String::from_utf8(function.stderr).unwrap();
    assert!(said.contains("standard output is /dev/null: the audit would be lost"), "{said}");
}
