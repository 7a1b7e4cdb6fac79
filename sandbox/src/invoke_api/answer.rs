//! The answers of `Invoke`.

use super::refusal::Refusal;
use crate::lambda::{Answer, Invocation};
use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use std::time::Duration;

/// How much of the log an answer carries: its last 4 KB (page "Invoke", `LogType`).
const LOG_TAIL: usize = 4_096;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");
const FUNCTION_ERROR: HeaderName = HeaderName::from_static("x-amz-function-error");
const EXECUTED_VERSION: HeaderName = HeaderName::from_static("x-amz-executed-version");
const LOG_RESULT: HeaderName = HeaderName::from_static("x-amz-log-result");

/// The function's own answer, or its error as a document; both with status 200.
pub(super) fn of(invocation: &Invocation, timeout: Duration, with_log: bool) -> Response {
    let id = &invocation.request_id;
    let (payload, failed) = match &invocation.outcome {
        Answer::Response(bytes) => (bytes.clone(), false),
        Answer::Error { error_type, error_message } | Answer::InitError { error_type, error_message } => {
            (document(error_type, error_message), true)
        }
        Answer::Exited(code) => {
            let why = match code {
                Some(0) => "Runtime exited without providing a reason".to_owned(),
                Some(code) => format!("Runtime exited with error: exit status {code}"),
                None => "Runtime exited with error: signal: killed".to_owned(),
            };
            let message = format!("RequestId: {id} Error: {why}");
            (document("Runtime.ExitError", &message), true)
        }
        Answer::TimedOut => {
            let seconds = timeout.as_secs_f64();
            let message = format!("RequestId: {id} Error: Task timed out after {seconds:.2} seconds");
            (document("Sandbox.Timedout", &message), true)
        }
    };
    let mut response = answer(StatusCode::OK, payload, id);
    let headers = response.headers_mut();
    headers.insert(EXECUTED_VERSION, HeaderValue::from_static("$LATEST"));
    if failed {
        headers.insert(FUNCTION_ERROR, HeaderValue::from_static("Unhandled"));
    }
    if with_log {
        insert(headers, LOG_RESULT, &log(&invocation.output));
    }
    response
}

/// The event was accepted; nobody waits for its end.
pub(super) fn queued(request_id: &str) -> Response {
    answer(StatusCode::ACCEPTED, Vec::new(), request_id)
}

/// A dry run: the invocation would be accepted.
pub(super) fn would_run(request_id: &str) -> Response {
    answer(StatusCode::NO_CONTENT, Vec::new(), request_id)
}

/// The invocation never reached the function.
pub(super) fn refused(refusal: &Refusal, request_id: &str) -> Response {
    let by = if refusal.status.is_client_error() { "User" } else { "Server" };
    let document = json!({"Type": by, "Message": refusal.message});
    let mut response = answer(refusal.status, document.to_string().into_bytes(), request_id);
    let name = HeaderValue::from_static(refusal.name);
    response.headers_mut().insert(ERROR_TYPE, name);
    response
}

fn answer(status: StatusCode, payload: Vec<u8>, request_id: &str) -> Response {
    let mut response = Response::new(Body::from(payload));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    if status != StatusCode::NO_CONTENT {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    insert(headers, REQUEST_ID, request_id);
    response
}

fn insert(headers: &mut HeaderMap, name: HeaderName, text: &str) {
    if let Ok(value) = HeaderValue::from_str(text) {
        headers.insert(name, value);
    }
}

fn document(error_type: &str, error_message: &str) -> Vec<u8> {
    json!({"errorType": error_type, "errorMessage": error_message}).to_string().into_bytes()
}

/// The end of an invocation's log, in base64.
fn log(lines: &[String]) -> String {
    let whole: String = lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect();
    let bytes = whole.as_bytes();
    STANDARD.encode(bytes.get(bytes.len().saturating_sub(LOG_TAIL)..).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_is_its_last_4_kb() {
        assert_eq!(log(&[]), "");
        assert_eq!(log(&["a".to_owned(), "b".to_owned()]), STANDARD.encode("a\nb\n"));
        let long = ["x".repeat(5_000), "end".to_owned()];
        let tail = STANDARD.decode(log(&long)).expect("base64");
        assert_eq!(tail.len(), 4_096);
        assert!(tail.ends_with(b"x\nend\n"));
    }
}
