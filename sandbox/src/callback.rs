//! What CloudFormation waits at: presigned URLs of Amazon S3 for the answers of custom resources.
//!
//! A URL is signed with version 2, whose signed string has the `Content-Type`, and CloudFormation signs an empty one
//! ("Custom resource response objects", CloudFormation User Guide; "Signing and authenticating REST requests", Amazon S3):
//! a request with another one, or without a length, is refused here as it is there. The signature itself is not checked.

use crate::loopback::{Port, Server};
use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

/// The longest answer that CloudFormation reads.
pub const LONGEST: usize = 4_096;

/// The bucket; dropping it stops it.
#[derive(Debug)]
pub struct Callback {
    server: Server,
    state: Arc<Mutex<Bucket>>,
}

/// An answer that arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrived {
    /// The object's name, as it was in the URL.
    pub object: String,
    /// What was put there.
    pub body: String,
}

#[derive(Debug, Default)]
struct Bucket {
    arrived: Vec<Arrived>,
    refused: usize,
    status: Option<u16>,
}

impl Callback {
    /// Serves on 127.0.0.1; port 0 takes any free one.
    ///
    /// # Errors
    ///
    /// The port is taken.
    pub async fn start(port: u16) -> io::Result<Self> {
        let port = Port::take(port).await?;
        let state = Arc::<Mutex<Bucket>>::default();
        let routes = Router::new().fallback(put).with_state(Arc::clone(&state));
        Ok(Self { server: port.serve(routes), state })
    }

    /// A URL for the answer to a request.
    #[must_use]
    pub fn url(&self, request: &str) -> String {
        let object =
            format!("arn%3Aaws%3Acloudformation%3Aus-east-1%3A111122223333%3Astack/s/1%7CPolicy%7C{request}");
        format!(
            "{}/{object}?AWSAccessKeyId=AKIDEXAMPLE&Expires=1&Signature=secret%2B{request}%3D",
            self.server.url()
        )
    }

    /// Every answer so far.
    #[must_use]
    pub fn arrived(&self) -> Vec<Arrived> {
        self.lock().arrived.clone()
    }

    /// How many requests were refused.
    #[must_use]
    pub fn refused(&self) -> usize {
        self.lock().refused
    }

    /// Refuses every request with this status; `None`: takes them again.
    pub fn refuse(&self, status: Option<u16>) {
        self.lock().status = status;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Bucket> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn put(State(state): State<Arc<Mutex<Bucket>>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let is_signed_so = head.headers.get(header::CONTENT_TYPE).is_none_or(axum::http::HeaderValue::is_empty);
    let has_length = head.headers.contains_key(header::CONTENT_LENGTH);
    let body = to_bytes(body, LONGEST).await.ok().and_then(|body| String::from_utf8(body.to_vec()).ok());
    let mut bucket = state.lock().unwrap_or_else(PoisonError::into_inner);
    let refusal = match (&body, bucket.status) {
        (_, Some(status)) => StatusCode::from_u16(status).ok(),
        _ if head.method != Method::PUT => Some(StatusCode::METHOD_NOT_ALLOWED),
        _ if !is_signed_so => Some(StatusCode::FORBIDDEN),
        _ if !has_length => Some(StatusCode::LENGTH_REQUIRED),
        (None, _) => Some(StatusCode::BAD_REQUEST),
        (Some(_), _) => None,
    };
    if let Some(status) = refusal {
        bucket.refused += 1;
        return status.into_response();
    }
    let object = head.uri.path().trim_start_matches('/').to_owned();
    bucket.arrived.push(Arrived { object, body: body.unwrap_or_default() });
    StatusCode::OK.into_response()
}
