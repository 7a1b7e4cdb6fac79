//! HTTP in front of a function, as a Lambda function URL.
//!
//! Requests become events of payload format 2.0 and answers become responses, as AWS's page
//! "Invoking Lambda function URLs" describes them. Every caller is the IAM user `sandbox`, as if
//! the URL had `AuthType: AWS_IAM` and the signature had been checked.
//!
//! `cargo lambda watch` 1.9.2 has a function URL too, which does not replace this one. Its events name
//! no caller (no `authorizer`, `accountId` is null), keep cookies and a header of its own among the
//! headers, and count `timeEpoch` in seconds. It answers 500 to a response without `cookies` and to
//! every function error (here as in AWS: 502), and takes bodies of any size. A function that audits who
//! asked for a change would have nothing to audit. It has no events of REST APIs, but neither has this
//! module: those are files of `events/`, sent through `invoke_api`.

mod answer;
mod event;

use crate::identifier::uuid;
use crate::lambda::{Answer, Callable, Invoke, LARGEST_PAYLOAD};
use crate::loopback::{Port, Server};
use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use std::io;
use time::OffsetDateTime;

/// A running function URL; dropping it stops it. The function goes on.
#[derive(Debug)]
pub struct FunctionUrl {
    server: Server,
}

impl FunctionUrl {
    /// Serves on 127.0.0.1; port 0 takes any free one.
    ///
    /// If the function's process has ended, the next request starts another one, as in Lambda.
    ///
    /// # Errors
    ///
    /// The port is taken.
    pub async fn start(function: impl Into<Callable>, port: u16) -> io::Result<Self> {
        let port = Port::take(port).await?;
        let router = Router::new().fallback(forward).with_state(function.into());
        Ok(Self { server: port.serve(router) })
    }

    /// `http://127.0.0.1:PORT`, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        self.server.url()
    }
}

/// One request: to an event, through the function, to a response.
async fn forward(State(function): State<Callable>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let Ok(body) = to_bytes(body, LARGEST_PAYLOAD).await else {
        return too_large();
    };
    let request_id = uuid();
    let now = OffsetDateTime::now_utc();
    let event = event::of(&head, &body, &request_id, now).to_string();
    if event.len() > LARGEST_PAYLOAD {
        return too_large();
    }
    let options = Invoke { request_id: Some(request_id.clone()), ..Invoke::default() };
    let invoked = function.invoke(event.as_bytes(), options).await;
    let mut response = match invoked.map(|invocation| invocation.outcome) {
        Ok(Answer::Response(bytes)) => answer::to_http(&bytes).unwrap_or_else(|_| bad_gateway()),
        _ => bad_gateway(),
    };
    if let Ok(id) = HeaderValue::from_str(&request_id) {
        response.headers_mut().insert("x-amzn-requestid", id);
    }
    response
}

/// What a caller of a function URL gets if the function fails in any way.
fn bad_gateway() -> Response {
    (StatusCode::BAD_GATEWAY, "Internal Server Error").into_response()
}

fn too_large() -> Response {
    let message = format!(
        r#"{{"Message":"Request must be smaller than {LARGEST_PAYLOAD} bytes for the InvokeFunction operation"}}"#
    );
    let json = [("content-type", "application/json")];
    (StatusCode::PAYLOAD_TOO_LARGE, json, message).into_response()
}
