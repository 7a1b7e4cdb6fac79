//! HTTP in front of a function, as a Lambda function URL.
//!
//! Requests become events of payload format 2.0 and answers become responses, as AWS's page
//! "Invoking Lambda function URLs" describes them. Whoever calls is taken for the IAM user
//! `sandbox`: the URL behaves as one with `AuthType: AWS_IAM` behind which the signature has
//! already been checked.

mod answer;
mod event;

use crate::identifier::uuid;
use crate::lambda::{Answer, Function, Invoke, LARGEST_PAYLOAD};
use crate::loopback::{Port, Server};
use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use std::io;
use std::sync::Arc;
use time::OffsetDateTime;

/// A running function URL; dropping it stops it, and leaves the function running.
#[derive(Debug)]
pub struct FunctionUrl {
    server: Server,
}

impl FunctionUrl {
    /// Listens on loopback; port 0 takes any that is free.
    ///
    /// A function whose process has ended is started again by the next request, as Lambda
    /// does.
    ///
    /// # Errors
    ///
    /// If the port cannot be had.
    pub async fn start(function: Arc<Function>, port: u16) -> io::Result<Self> {
        let port = Port::take(port).await?;
        let router = Router::new().fallback(forward).with_state(function);
        Ok(Self { server: port.serve(router) })
    }

    /// `http://127.0.0.1:PORT`, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        self.server.url()
    }
}

/// One request: to an event, through the function, to a response.
async fn forward(State(function): State<Arc<Function>>, request: Request) -> Response {
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
    let outcome = match function.ensure_running().await {
        Ok(()) => function.invoke_with(event.as_bytes(), options).await.outcome,
        Err(_) => Answer::Exited(None),
    };
    let mut response = match outcome {
        Answer::Response(bytes) => answer::to_http(&bytes).unwrap_or_else(|_| bad_gateway()),
        _ => bad_gateway(),
    };
    if let Ok(id) = HeaderValue::from_str(&request_id) {
        response.headers_mut().insert("x-amzn-requestid", id);
    }
    response
}

/// What callers of a function URL see of any failure of the function.
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
