//! Lambda's `Invoke` in front of a function, for any payload.
//!
//! The operation of the service model (`lambda`, rest-json) as the page "Invoke" of AWS's API
//! reference describes it, so that boto3, the AWS CLI or a test can send what a queue, a bus or a
//! state machine would. A function is found by any form of its name, with any signature: the sandbox
//! knows no secrets.
//!
//! Invocations of a function that is one process queue for it; Lambda would start another one.
//!
//! `cargo lambda watch` 1.9.2 has an `Invoke` too, which does not replace this one. It answers a
//! function error with status 500 and without `X-Amz-Function-Error`, which to AWS's clients is an error
//! of the service. It ignores `X-Amz-Invocation-Type` (`DryRun` and `Event` run
//! at once and are waited for), `X-Amz-Log-Type` and the qualifier, knows no ARNs, and passes on
//! payloads of any size that need not be JSON.

mod answer;
mod function_name;
mod refusal;

use crate::identifier::uuid;
use crate::lambda::{Callable, Invoke, LARGEST_PAYLOAD};
use crate::loopback::{Port, Server};
use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use axum::routing::post;
use bytes::Bytes;
use refusal::Refusal;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

/// The largest payload of an asynchronous invocation, in bytes: 1 MB ("Invoke").
pub const LARGEST_EVENT: usize = 1_048_576;

/// The name of the one function, as in its environment ([`Launch::new`](crate::lambda::Launch::new)).
const NAME: &str = "connect-attachment-policy";

/// A running `Invoke` endpoint; dropping it stops it. The functions go on.
#[derive(Debug)]
pub struct InvokeApi {
    server: Server,
}

impl InvokeApi {
    /// Serves the one function `connect-attachment-policy` on 127.0.0.1; port 0 takes any free one.
    ///
    /// If the function's process has ended, the next invocation starts another one, as in Lambda.
    ///
    /// # Errors
    ///
    /// The port is taken.
    pub async fn start(function: impl Into<Callable>, port: u16) -> io::Result<Self> {
        Self::start_several([(NAME.to_owned(), function.into())], port).await
    }

    /// The same with several functions, each by its name. One may have two names.
    ///
    /// # Errors
    ///
    /// The port is taken.
    pub async fn start_several(
        functions: impl IntoIterator<Item = (String, Callable)>,
        port: u16,
    ) -> io::Result<Self> {
        let functions: Arc<BTreeMap<_, _>> = Arc::new(functions.into_iter().collect());
        let port = Port::take(port).await?;
        let router = Router::new()
            .route("/2015-03-31/functions/{name}/invocations", post(invoke))
            .fallback(unknown)
            .with_state(functions);
        Ok(Self { server: port.serve(router) })
    }

    /// `http://127.0.0.1:PORT`, for `AWS_ENDPOINT_URL_LAMBDA`; without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        self.server.url()
    }
}

/// The query of a request.
#[derive(Deserialize)]
struct Which {
    #[serde(rename = "Qualifier")]
    qualifier: Option<String>,
}

/// The invocation type: the header `X-Amz-Invocation-Type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    RequestResponse,
    Event,
    DryRun,
}

async fn unknown() -> Response {
    answer::refused(&Refusal::unknown_operation(), &uuid())
}

async fn invoke(
    State(functions): State<Arc<BTreeMap<String, Callable>>>,
    Path(name): Path<String>,
    Query(which): Query<Which>,
    request: Request,
) -> Response {
    let request_id = uuid();
    let (head, body) = request.into_parts();
    let body = to_bytes(body, LARGEST_PAYLOAD).await;
    let body = body.map_err(|_| Refusal::too_large(LARGEST_PAYLOAD));
    let admitted = function_name::find(&name, which.qualifier.as_deref(), &functions)
        .and_then(|function| Ok((function.clone(), admit(&head.headers, body?)?)));
    match admitted {
        Ok((_, (Kind::DryRun, _))) => answer::would_run(&request_id),
        Ok((function, (Kind::Event, payload))) => {
            let id = request_id.clone();
            // Once only: Lambda's two retries would follow after one and three minutes.
            tokio::spawn(async move { run(&function, &payload, id).await });
            answer::queued(&request_id)
        }
        Ok((function, (Kind::RequestResponse, payload))) => {
            let with_log = head.headers.get("x-amz-log-type").is_some_and(|kind| kind == "Tail");
            match run(&function, &payload, request_id.clone()).await {
                Ok(invocation) => answer::of(&invocation, function.timeout(), with_log),
                Err(error) => answer::refused(&Refusal::not_started(&error), &request_id),
            }
        }
        Err(refusal) => answer::refused(&refusal, &request_id),
    }
}

/// Admits a payload that is JSON and small enough; an empty one is the event `{}`.
fn admit(headers: &HeaderMap, payload: Bytes) -> Result<(Kind, Bytes), Refusal> {
    let kind = match headers.get("x-amz-invocation-type").map(HeaderValue::as_bytes) {
        None | Some(b"RequestResponse") => Kind::RequestResponse,
        Some(b"Event") => Kind::Event,
        Some(b"DryRun") => Kind::DryRun,
        Some(other) => return Err(Refusal::unknown_type(&String::from_utf8_lossy(other))),
    };
    if kind == Kind::Event && payload.len() > LARGEST_EVENT {
        return Err(Refusal::too_large(LARGEST_EVENT));
    }
    if payload.is_empty() {
        return Ok((kind, Bytes::from_static(b"{}")));
    }
    match serde_json::from_slice::<serde::de::IgnoredAny>(&payload) {
        Ok(_) => Ok((kind, payload)),
        Err(error) => Err(Refusal::not_json(&error)),
    }
}

async fn run(
    function: &Callable,
    payload: &[u8],
    request_id: String,
) -> io::Result<crate::lambda::Invocation> {
    let options = Invoke { request_id: Some(request_id), ..Invoke::default() };
    function.invoke(payload, options).await
}
