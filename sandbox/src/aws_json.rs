//! AWS JSON 1.0, the protocol of the table and the queues.
//!
//! Every request is `POST /` with the operation in `X-Amz-Target`; an error has its name in `__type` of the body
//! (the Smithy specification's page "AWS JSON 1.0 protocol").

use crate::connections::{Answer, HangUp};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::http::request::Parts;
use hyper::{HeaderMap, Request, Response, StatusCode};
use serde_json::{Value, json};
use std::convert::Infallible;

/// The largest body that is read, in bytes: what DynamoDB takes (page "Quotas in Amazon DynamoDB": 16 MB).
const LARGEST_BODY: usize = 16 * 1024 * 1024;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");

/// A request that was read whole.
pub(crate) struct Call {
    pub head: Parts,
    pub bytes: Bytes,
    /// `null` if the bytes are not JSON.
    pub body: Value,
}

impl Call {
    /// Reads a whole request; hangs up if its client has left, or if it is far too large.
    pub(crate) async fn read(request: Request<Incoming>) -> Result<Self, HangUp> {
        let (head, body) = request.into_parts();
        let bytes = Limited::new(body, LARGEST_BODY).collect().await.map_err(|_| HangUp)?.to_bytes();
        let body = serde_json::from_slice(&bytes).unwrap_or_default();
        Ok(Self { head, bytes, body })
    }

    /// The service's name and the operation's: `DynamoDB_20120810.PutItem` has both.
    pub(crate) fn target(&self) -> Option<(&str, &str)> {
        self.head.headers.get("x-amz-target")?.to_str().ok()?.split_once('.')
    }

    /// The client's count of its attempts at this call: `attempt` of `amz-sdk-request: attempt=2; max=3`.
    pub(crate) fn attempt(&self) -> Option<u32> {
        attempt(&self.head.headers)
    }
}

/// Reads `attempt` of the header `amz-sdk-request: attempt=2; max=3`.
pub(crate) fn attempt(headers: &HeaderMap) -> Option<u32> {
    let header = headers.get("amz-sdk-request")?.to_str().ok()?;
    header.split(';').find_map(|pair| pair.trim().strip_prefix("attempt=")?.parse().ok())
}

/// An answer of this status and body.
pub(crate) fn answer(status: StatusCode, body: impl Into<Bytes>, request_id: &str) -> Answer {
    let body = Full::new(body.into()).map_err(|never: Infallible| match never {}).boxed();
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-amz-json-1.0"));
    if let Ok(request_id) = HeaderValue::from_str(request_id) {
        headers.insert(REQUEST_ID, request_id);
    }
    answer
}

/// The body of an error: its name, which carries the service's namespace, and its message.
pub(crate) fn error(namespace: &str, name: &str, message: &str) -> Value {
    json!({ "__type": format!("{namespace}#{name}"), "message": message })
}

/// The name of the error in a body, without its namespace.
pub(crate) fn error_name(body: &Value) -> Option<String> {
    let name = body.get("__type")?.as_str()?;
    Some(name.rsplit_once('#').map_or(name, |(_, name)| name).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_attempt_is_read_at_any_place_in_its_header() {
        let of = |header| attempt(&HeaderMap::from_iter([("amz-sdk-request".parse().unwrap(), header)]));
        assert_eq!(of(HeaderValue::from_static("attempt=1; max=3")), Some(1));
        assert_eq!(of(HeaderValue::from_static("ttl=20261123T101500Z; attempt=12; max=20")), Some(12));
        assert_eq!(of(HeaderValue::from_static("max=3")), None);
        assert_eq!(attempt(&HeaderMap::new()), None);
    }

    #[test]
    fn an_error_is_found_again_by_its_name() {
        let body = error("com.amazonaws.sqs", "QueueDoesNotExist", "no such queue");
        assert_eq!(error_name(&body).as_deref(), Some("QueueDoesNotExist"));
        assert_eq!(error_name(&json!({ "__type": "Bare" })).as_deref(), Some("Bare"));
        assert_eq!(error_name(&json!({})), None);
    }
}
