//! Answers as HTTP responses.

use std::{
    convert::Infallible,
    io,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, combinators::BoxBody};
use hyper::{
    HeaderMap, Response,
    body::{Body, Frame, SizeHint},
    header::{CONTENT_TYPE, HeaderName, HeaderValue},
};
use serde_json::Value;

use super::{document, refusal::Refusal};
use crate::connections::Answer;

/// The header that names an error.
pub(super) const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");

const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");

const RETRY_AFTER: HeaderName = HeaderName::from_static("x-amz-retry-after");

/// The body of an answer of the wrong content type.
const PAGE: &str = "<!DOCTYPE html><html><body><h1>Welcome</h1></body></html>\n";

/// The answer of an operation that succeeded.
pub(super) fn json(document: &Value, request_id: &str) -> Answer {
    answer("application/json", document.to_string(), request_id)
}

/// An error: its name in a header, its message in the body.
pub(super) fn refusal(refusal: &Refusal, request_id: &str) -> Answer {
    let mut answer = json(&document::refusal(refusal), request_id);
    *answer.status_mut() = refusal.status;
    if let Some(name) = refusal.name {
        answer.headers_mut().insert(ERROR_TYPE, HeaderValue::from_static(name));
    }
    if let Some(wait) = refusal.retry_after_ms {
        answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from(wait));
    }
    answer
}

/// A successful answer that is a web page.
pub(super) fn html(request_id: &str) -> Answer {
    answer("text/html", PAGE.to_owned(), request_id)
}

/// A successful answer whose connection ends in the middle of its body.
pub(super) fn truncated(document: &Value, request_id: &str) -> Answer {
    let whole = document.to_string();
    json(document, request_id).map(|_| BoxBody::new(Cut::in_the_middle(&whole)))
}

fn answer(content_type: &'static str, body: String, request_id: &str) -> Answer {
    let body = Full::new(Bytes::from(body)).map_err(|never: Infallible| match never {});
    let mut answer = Response::new(BoxBody::new(body));
    let headers: &mut HeaderMap = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    if let Ok(request_id) = HeaderValue::from_str(request_id) {
        headers.insert(REQUEST_ID, request_id);
    }
    answer
}

/// A body that promises its whole length, sends half of it and fails.
#[derive(Debug)]
struct Cut {
    half: Option<Bytes>,
    flushed: bool,
    promised: u64,
}

impl Cut {
    fn in_the_middle(whole: &str) -> Self {
        let bytes = whole.as_bytes();
        let half = bytes.get(..bytes.len() / 2).map(Bytes::copy_from_slice);
        Self { half, flushed: false, promised: bytes.len() as u64 }
    }
}

impl Body for Cut {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if let Some(half) = self.half.take() {
            return Poll::Ready(Some(Ok(Frame::data(half))));
        }
        // The server drops what it has not sent when a body fails. Waiting once lets it send.
        if !self.flushed {
            self.flushed = true;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Some(Err(io::Error::other("the body is cut here"))))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.promised)
    }
}
