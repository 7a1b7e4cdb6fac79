//! The Runtime API's four routes.

use super::LARGEST_ANSWER;
use super::environment::Environment;
use super::exchange::patience;
use super::invocation::Answer;
use crate::identifier::epoch_ms;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// The routes of API version 2018-06-01, the only one there is.
pub(super) fn router(environment: Arc<Environment>) -> Router {
    Router::new()
        .route("/2018-06-01/runtime/invocation/next", get(next))
        .route("/2018-06-01/runtime/invocation/{id}/response", post(response))
        .route("/2018-06-01/runtime/invocation/{id}/error", post(error))
        .route("/2018-06-01/runtime/init/error", post(init_error))
        .with_state(environment)
}

/// Hands the next invocation over, waiting for one as long as it takes.
async fn next(State(environment): State<Arc<Environment>>) -> Response {
    let Some(asked) = environment.exchange.next().await else {
        return refusal(StatusCode::GONE, "ProcessEnded", "this process has ended");
    };
    let timeout = environment.launch.timeout;
    let configured = i64::try_from(timeout.as_millis()).unwrap_or(i64::MAX);
    let deadline_ms = asked.deadline_ms.unwrap_or_else(|| epoch_ms().saturating_add(configured));
    let id = asked.request_id;
    // Before anything is awaited: if the process ends now, the invocation ends with it.
    environment.exchange.hand_over(id.clone(), asked.done);
    // What the process has written so far belongs to no invocation, or to an earlier one.
    let first_line = environment.output.mark().await;
    let limit = patience(deadline_ms, timeout);
    let timer = tokio::spawn(kill_after(Arc::clone(&environment), id.clone(), limit));
    environment.exchange.begin(&id, first_line, timer.abort_handle());
    let response = Response::builder()
        .header(header::CONTENT_TYPE, "application/json")
        .header("Lambda-Runtime-Aws-Request-Id", &id)
        .header("Lambda-Runtime-Deadline-Ms", deadline_ms)
        .header("Lambda-Runtime-Invoked-Function-Arn", environment.launch.arn())
        .header("Lambda-Runtime-Trace-Id", &asked.trace_id)
        .body(Body::from(asked.payload));
    match response {
        Ok(response) => response,
        Err(error) => {
            // The caller chose an id or a trace id that no header can hold.
            let message = error.to_string();
            let response = refusal(StatusCode::INTERNAL_SERVER_ERROR, "ContainerError", &message);
            let answer = Answer::Error { error_type: "Sandbox.InvalidHeader".into(), error_message: message };
            finish(&environment, &id, answer).await;
            response
        }
    }
}

/// Ends an invocation that misses its deadline. As in Lambda, the process is killed unless it works
/// on several at once.
async fn kill_after(environment: Arc<Environment>, id: String, limit: Duration) {
    tokio::time::sleep(limit).await;
    let Some(taken) = environment.exchange.take(&id) else {
        return;
    };
    if environment.launch.concurrency == 1 {
        environment.kill().await;
    }
    let end_line = environment.output.mark().await;
    environment.exchange.finish(taken, Answer::TimedOut, end_line);
}

/// Takes the answer of an invocation.
async fn response(
    State(environment): State<Arc<Environment>>,
    Path(id): Path<String>,
    body: Body,
) -> Response {
    if !environment.exchange.works_on(&id) {
        return unknown_invocation();
    }
    match read(body).await {
        Ok(Sent::Whole(bytes)) => {
            if finish(&environment, &id, Answer::Response(bytes)).await {
                accepted()
            } else {
                unknown_invocation()
            }
        }
        Ok(Sent::TooLarge) => {
            let answer = Answer::Error {
                error_type: "Function.ResponseSizeTooLarge".into(),
                error_message: format!(
                    "Response payload size exceeded maximum allowed payload size \
                     ({LARGEST_ANSWER} bytes)."
                ),
            };
            finish(&environment, &id, answer).await;
            refusal(
                StatusCode::PAYLOAD_TOO_LARGE,
                "RequestEntityTooLarge",
                &format!("Exceeded maximum allowed payload size ({LARGEST_ANSWER} bytes)."),
            )
        }
        Err(error) => broken_body(&error),
    }
}

/// Takes the error of an invocation.
async fn error(
    State(environment): State<Arc<Environment>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    if !environment.exchange.works_on(&id) {
        return unknown_invocation();
    }
    let (error_type, error_message) = match read_error(&headers, body).await {
        Ok(error) => error,
        Err(error) => return broken_body(&error),
    };
    let answer = Answer::Error { error_type, error_message };
    if finish(&environment, &id, answer).await { accepted() } else { unknown_invocation() }
}

/// Takes the error of a process that cannot start.
async fn init_error(State(environment): State<Arc<Environment>>, headers: HeaderMap, body: Body) -> Response {
    let (error_type, error_message) = match read_error(&headers, body).await {
        Ok(error) => error,
        Err(error) => return broken_body(&error),
    };
    let end_line = environment.output.mark().await;
    let answer = Answer::InitError { error_type, error_message };
    environment.exchange.init_failed(answer, end_line);
    accepted()
}

/// Ends an invocation with everything the process has written; false if it is unknown.
async fn finish(environment: &Environment, id: &str, answer: Answer) -> bool {
    let end_line = environment.output.mark().await;
    let Some(taken) = environment.exchange.take(id) else {
        return false;
    };
    environment.exchange.finish(taken, answer, end_line);
    true
}

enum Sent {
    Whole(Vec<u8>),
    TooLarge,
}

/// Reads a body to its end, keeping no more than Lambda takes.
///
/// To its end even when it is too large: a client still writing would see a reset
/// connection instead of the status.
async fn read(mut body: Body) -> Result<Sent, axum::Error> {
    let mut kept = Vec::new();
    let mut length = 0;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else {
            continue;
        };
        length += data.len();
        if length <= LARGEST_ANSWER {
            kept.extend_from_slice(&data);
        }
    }
    Ok(if length <= LARGEST_ANSWER { Sent::Whole(kept) } else { Sent::TooLarge })
}

/// The type and the message of an error document.
async fn read_error(headers: &HeaderMap, body: Body) -> Result<(String, String), axum::Error> {
    let bytes = match read(body).await? {
        Sent::Whole(bytes) => bytes,
        Sent::TooLarge => Vec::new(),
    };
    let document: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let member = |name| document.get(name).and_then(Value::as_str).map(str::to_owned);
    let error_type = member("errorType").unwrap_or_else(|| {
        headers
            .get("Lambda-Runtime-Function-Error-Type")
            .and_then(|value| value.to_str().ok())
            .unwrap_or("Unhandled")
            .to_owned()
    });
    let error_message =
        member("errorMessage").unwrap_or_else(|| String::from_utf8_lossy(&bytes).into_owned());
    Ok((error_type, error_message))
}

fn accepted() -> Response {
    (StatusCode::ACCEPTED, Json(json!({"status": "OK"}))).into_response()
}

fn unknown_invocation() -> Response {
    refusal(StatusCode::BAD_REQUEST, "InvalidRequestID", "Invalid request ID")
}

fn broken_body(error: &axum::Error) -> Response {
    refusal(StatusCode::BAD_REQUEST, "InvalidRequest", &error.to_string())
}

fn refusal(status: StatusCode, error_type: &str, message: &str) -> Response {
    let document = json!({"errorType": error_type, "errorMessage": message});
    (status, Json(document)).into_response()
}
