//! A function's answer as an HTTP response.

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, HeaderName, HeaderValue, SET_COOKIE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

/// An answer that cannot become a response; callers get 502.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// Makes the response that AWS's page "Invoking Lambda function URLs" describes.
///
/// JSON without a `statusCode` is itself the body of a 200 of type `application/json`.
pub(super) fn to_http(answer: &[u8]) -> Result<Response, Malformed> {
    let document: Value = serde_json::from_slice(answer).map_err(|_| Malformed)?;
    match document.get("statusCode") {
        Some(status) => structured(&document, status),
        None => Ok(respond(StatusCode::OK, HeaderMap::new(), answer.to_vec())),
    }
}

fn structured(document: &Value, status: &Value) -> Result<Response, Malformed> {
    let status = status
        .as_u64()
        .and_then(|status| u16::try_from(status).ok())
        .filter(|status| (200..=599).contains(status))
        .and_then(|status| StatusCode::from_u16(status).ok())
        .ok_or(Malformed)?;
    let mut headers = HeaderMap::new();
    if let Some(given) = present(document, "headers") {
        add_headers(&mut headers, given.as_object().ok_or(Malformed)?)?;
    }
    if let Some(cookies) = present(document, "cookies") {
        for cookie in cookies.as_array().ok_or(Malformed)? {
            headers.append(SET_COOKIE, header_value(cookie)?);
        }
    }
    let encoded = document.get("isBase64Encoded").and_then(Value::as_bool);
    let body = match present(document, "body") {
        None => Vec::new(),
        Some(Value::String(text)) if encoded == Some(true) => STANDARD.decode(text).map_err(|_| Malformed)?,
        Some(Value::String(text)) => text.clone().into_bytes(),
        Some(_) => return Err(Malformed),
    };
    Ok(respond(status, headers, body))
}

/// A member that is present and not null.
fn present<'a>(document: &'a Value, name: &str) -> Option<&'a Value> {
    document.get(name).filter(|value| !value.is_null())
}

fn add_headers(headers: &mut HeaderMap, given: &Map<String, Value>) -> Result<(), Malformed> {
    for (name, value) in given {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| Malformed)?;
        headers.append(name, header_value(value)?);
    }
    Ok(())
}

fn header_value(value: &Value) -> Result<HeaderValue, Malformed> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(_) | Value::Bool(_) => value.to_string(),
        _ => return Err(Malformed),
    };
    HeaderValue::from_str(&text).map_err(|_| Malformed)
}

fn respond(status: StatusCode, mut headers: HeaderMap, body: Vec<u8>) -> Response {
    headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::to_bytes;
    use serde_json::json;

    async fn text(response: Response) -> String {
        let bytes = to_bytes(response.into_body(), 1_000).await.expect("a body");
        String::from_utf8(bytes.into()).expect("text")
    }

    fn http(answer: &Value) -> Result<Response, Malformed> {
        to_http(answer.to_string().as_bytes())
    }

    #[tokio::test]
    async fn a_structured_answer_becomes_a_response() {
        let answer = json!({
            "statusCode": 207,
            "headers": {"Content-Type": "text/plain", "retry-after": 3},
            "cookies": ["a=1", "b=2"],
            "body": "aGVsbG8=",
            "isBase64Encoded": true
        });
        let response = http(&answer).expect("a response");
        assert_eq!(response.status(), 207);
        let headers = response.headers().clone();
        assert_eq!(headers["content-type"], "text/plain");
        assert_eq!(headers["retry-after"], "3");
        let cookies: Vec<_> = headers.get_all("set-cookie").iter().collect();
        assert_eq!(cookies, ["a=1", "b=2"]);
        assert_eq!(text(response).await, "hello");
    }

    #[tokio::test]
    async fn json_without_a_status_is_the_body_of_a_200() {
        let response = to_http(b"{\"a\": 1}").expect("a response");
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "application/json");
        assert_eq!(text(response).await, "{\"a\": 1}");
    }

    #[test]
    fn an_answer_that_cannot_become_a_response_is_malformed() {
        for answer in [
            json!({"statusCode": 99}),
            json!({"statusCode": "200"}),
            json!({"statusCode": 200, "body": {}}),
            json!({"statusCode": 200, "headers": []}),
            json!({"statusCode": 200, "headers": {"a b": "c"}}),
            json!({"statusCode": 200, "headers": {"a": "b\nc"}}),
            json!({"statusCode": 200, "body": "?", "isBase64Encoded": true}),
        ] {
            assert_eq!(http(&answer).err(), Some(Malformed), "{answer}");
        }
        assert_eq!(to_http(b"no").err(), Some(Malformed));
    }
}
