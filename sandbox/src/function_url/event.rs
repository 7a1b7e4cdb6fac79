//! A request as an event of payload format 2.0.

use crate::lambda::access_key_id;
use axum::http::header::{CONTENT_TYPE, COOKIE, HeaderMap, USER_AGENT};
use axum::http::request::Parts;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::macros::format_description;

/// The account of the function and of its caller.
const ACCOUNT: u64 = 111_122_223_333;

/// Builds the event, with the members AWS's page "Invoking Lambda function URLs" shows.
///
/// A function URL keeps the percent-encoding of the path (an HTTP API would not). An empty body,
/// cookies or a query that the request lacks are absent.
pub(super) fn of(head: &Parts, body: &[u8], request_id: &str, now: OffsetDateTime) -> Value {
    let path = head.uri.path();
    let query = head.uri.query().unwrap_or_default();
    let user_agent = head.headers.get(USER_AGENT).map(|value| String::from_utf8_lossy(value.as_bytes()));
    let mut event = json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers(&head.headers),
        "requestContext": {
            "accountId": ACCOUNT.to_string(),
            "apiId": "sandbox",
            "authorizer": {"iam": {
                "accessKey": access_key_id(ACCOUNT),
                "accountId": ACCOUNT.to_string(),
                "callerId": "AIDASANDBOXSANDBOXSAN",
                "cognitoIdentity": null,
                "principalOrgId": null,
                "userArn": format!("arn:aws:iam::{ACCOUNT}:user/sandbox"),
                "userId": "AIDASANDBOXSANDBOXSAN",
            }},
            "domainName": "sandbox.lambda-url.us-east-1.on.aws",
            "domainPrefix": "sandbox",
            "http": {
                "method": head.method.as_str(),
                "path": path,
                "protocol": format!("{:?}", head.version),
                // It listens on loopback only.
                "sourceIp": "127.0.0.1",
                "userAgent": user_agent,
            },
            "requestId": request_id,
            "routeKey": "$default",
            "stage": "$default",
            "time": common_log_time(now),
            "timeEpoch": now.unix_timestamp_nanos() / 1_000_000,
        },
        "isBase64Encoded": false,
    });
    if let Some(members) = event.as_object_mut() {
        add_parameters(members, query);
        add_cookies(members, &head.headers);
        add_body(members, &head.headers, body);
    }
    event
}

/// Names in lower case, values of one name joined by commas; cookies are a member of the event.
fn headers(headers: &HeaderMap) -> Map<String, Value> {
    let joined = headers
        .keys()
        .filter(|name| **name != COOKIE)
        .map(|name| (name.to_string(), Value::from(values(headers, name).join(","))));
    let forwarded =
        [("x-forwarded-for", "127.0.0.1"), ("x-forwarded-port", "443"), ("x-forwarded-proto", "https")];
    joined.chain(forwarded.map(|(name, value)| (name.to_owned(), Value::from(value)))).collect()
}

fn values(headers: &HeaderMap, name: &axum::http::HeaderName) -> Vec<String> {
    headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).collect()
}

/// Decoded query parameters, values of one name joined by commas.
fn add_parameters(event: &mut Map<String, Value>, query: &str) {
    let mut parameters = Map::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = decoded(value);
        match parameters.get_mut(&decoded(name)) {
            Some(Value::String(joined)) => {
                joined.push(',');
                joined.push_str(&value);
            }
            _ => {
                parameters.insert(decoded(name), value.into());
            }
        }
    }
    if !parameters.is_empty() {
        event.insert("queryStringParameters".into(), parameters.into());
    }
}

fn decoded(text: &str) -> String {
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
}

fn add_cookies(event: &mut Map<String, Value>, headers: &HeaderMap) {
    let cookies: Vec<String> = values(headers, &COOKIE)
        .iter()
        .flat_map(|line| line.split(';'))
        .map(|cookie| cookie.trim().to_owned())
        .filter(|cookie| !cookie.is_empty())
        .collect();
    if !cookies.is_empty() {
        event.insert("cookies".into(), cookies.into());
    }
}

/// Text as it is, everything else in base64.
fn add_body(event: &mut Map<String, Value>, headers: &HeaderMap, body: &[u8]) {
    if body.is_empty() {
        return;
    }
    let (body, encoded) = match std::str::from_utf8(body) {
        Ok(text) if is_text(headers) => (text.to_owned(), false),
        _ => (STANDARD.encode(body), true),
    };
    event.insert("body".into(), body.into());
    event.insert("isBase64Encoded".into(), encoded.into());
}

/// The media types that API Gateway and function URLs pass on without base64.
fn is_text(headers: &HeaderMap) -> bool {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default();
    let essence = essence.trim().to_ascii_lowercase();
    essence.starts_with("text/")
        || ["application/json", "application/javascript", "application/xml"].contains(&essence.as_str())
}

/// `12/Mar/2020:19:03:58 +0000`
fn common_log_time(at: OffsetDateTime) -> String {
    let form = format_description!(
        "[day]/[month repr:short]/[year]:[hour]:[minute]:[second] [offset_hour sign:mandatory][offset_minute]"
    );
    at.format(&form).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Request;
    use time::macros::datetime;

    fn event(request: axum::http::request::Builder, body: &[u8]) -> Value {
        let (head, ()) = request.body(()).expect("a request").into_parts();
        of(&head, body, "id", datetime!(2020-03-12 19:03:58.390 UTC))
    }

    #[test]
    fn an_event_has_the_members_of_payload_2_0() {
        let request = Request::post("/a%2Fb?x=1&x=2&y=%20+z&empty")
            .header("User-Agent", "agent")
            .header("Content-Type", "application/json; charset=utf-8")
            .header("X-Two", "1")
            .header("x-two", "2");
        assert_eq!(
            event(request, br#"{"a":1}"#),
            json!({
                "version": "2.0",
                "routeKey": "$default",
                "rawPath": "/a%2Fb",
                "rawQueryString": "x=1&x=2&y=%20+z&empty",
                "headers": {
                    "content-type": "application/json; charset=utf-8",
                    "user-agent": "agent",
                    "x-forwarded-for": "127.0.0.1",
                    "x-forwarded-port": "443",
                    "x-forwarded-proto": "https",
                    "x-two": "1,2"
                },
                "queryStringParameters": {"x": "1,2", "y": "  z", "empty": ""},
                "requestContext": {
                    "accountId": "111122223333",
                    "apiId": "sandbox",
                    "authorizer": {"iam": {
                        "accessKey": access_key_id(ACCOUNT),
                        "accountId": "111122223333",
                        "callerId": "AIDASANDBOXSANDBOXSAN",
                        "cognitoIdentity": null,
                        "principalOrgId": null,
                        "userArn": "arn:aws:iam::111122223333:user/sandbox",
                        "userId": "AIDASANDBOXSANDBOXSAN"
                    }},
                    "domainName": "sandbox.lambda-url.us-east-1.on.aws",
                    "domainPrefix": "sandbox",
                    "http": {
                        "method": "POST",
                        "path": "/a%2Fb",
                        "protocol": "HTTP/1.1",
                        "sourceIp": "127.0.0.1",
                        "userAgent": "agent"
                    },
                    "requestId": "id",
                    "routeKey": "$default",
                    "stage": "$default",
                    "time": "12/Mar/2020:19:03:58 +0000",
                    "timeEpoch": 1_584_039_838_390_i64
                },
                "body": r#"{"a":1}"#,
                "isBase64Encoded": false
            })
        );
    }

    #[test]
    fn a_body_that_is_not_declared_text_or_not_utf_8_is_base64() {
        let form = Request::post("/").header("content-type", "application/x-www-form-urlencoded");
        let text = Request::post("/").header("content-type", "text/plain");
        for (request, body, sent) in [(form, b"a=1".as_slice(), "YT0x"), (text, b"\xFF", "/w==")] {
            let event = event(request, body);
            assert_eq!(event["body"], sent);
            assert_eq!(event["isBase64Encoded"], true);
        }
    }

    #[test]
    fn an_empty_body_no_cookies_and_no_query_are_absent() {
        let event = event(Request::get("/"), b"");
        for member in ["body", "cookies", "queryStringParameters"] {
            assert_eq!(event.get(member), None, "{member}");
        }
        assert_eq!(event["rawQueryString"], "");
    }

    #[test]
    fn cookies_are_not_among_the_headers() {
        let request = Request::get("/").header("cookie", "a=1; b=2").header("cookie", "c=3");
        let event = event(request, b"");
        assert_eq!(event["cookies"], json!(["a=1", "b=2", "c=3"]));
        assert_eq!(event["headers"].get("cookie"), None);
    }
}
