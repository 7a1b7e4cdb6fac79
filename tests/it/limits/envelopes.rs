//! Envelopes: long, deep, broken, with duplicate keys, and with bodies that are not text.

use super::{Case, DOCUMENT, Ends, Explanation, LARGEST, NO_JSON, array, filled, one, with};
use crate::world::ONE;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

pub(super) const POST: &str = "POST /policy-changes HTTP/1.1\r\nContent-Type: application/json";

pub(super) fn cases() -> Vec<Case> {
    let mut cases = not_utf_8();
    cases.extend(http());
    cases.extend(twice());
    cases.extend(paths());
    cases.extend(events());
    cases.extend(records());
    cases
}

fn http_2(body: &Value, more: &str) -> String {
    let event = json!({
        "version": "2.0", "rawPath": "/policy-changes", "headers": {"content-type": "application/json"},
        "requestContext": {"http": {"method": "POST", "path": "/policy-changes", "protocol": "HTTP/1.1",
            "sourceIp": "203.0.113.17", "userAgent": "t"}, "requestId": "r", "stage": "$default"},
        "body": body, "isBase64Encoded": false,
    });
    event.to_string().replacen('{', &format!("{{{more}"), 1)
}

fn malformed(text: &str) -> Ends {
    Ends::Http(400, "malformed-envelope", Explanation::Text(format!("malformed http payload: {text}")))
}

fn not_utf_8() -> Vec<Case> {
    let runtime = |what: &str| {
        let text = "failed to deserialize the incoming data into the function's payload type: ";
        Ends::Error(NO_JSON, Explanation::Text(format!("{text}{what}\n")))
    };
    let broken = [b"{\"instanceId\":\"".as_slice(), b"\xC3\x28", b"\"}"].concat();
    let overlong = [b"{\"instanceId\":\"".as_slice(), b"\xC0\xAF", b"\"}"].concat();
    let body = Explanation::Text("the body is not valid UTF-8".into());
    let surrogate = with("reason", r#""\ud800""#);
    vec![
        Case::invoke("not UTF-8", broken.clone(), runtime("invalid unicode code point at line 1 column 16")),
        Case::invoke(
            "an overlong slash",
            overlong,
            runtime("invalid unicode code point at line 1 column 16"),
        ),
        Case::invoke("nothing", "", runtime("EOF while parsing a value at line 1 column 0")),
        Case::url("not UTF-8, through HTTP", POST, broken, Ends::Http(400, "invalid-body", body)),
        Case::url("UTF-16, through HTTP", POST, b"\xFF\xFE{\0}\0".as_slice(), {
            Ends::Http(400, "invalid-body", Explanation::Text("the body is not valid UTF-8".into()))
        }),
        Case::url(
            "a lone surrogate, through HTTP",
            POST,
            surrogate,
            Ends::Http(400, "not-json", one("", "NotJson")),
        ),
        Case::url(
            "4 MB that are not UTF-8, through HTTP",
            POST,
            vec![0xFF; 4_000_000],
            Ends::Http(400, "invalid-body", Explanation::Text("the body is not valid UTF-8".into())),
        ),
    ]
}

fn http() -> Vec<Case> {
    let too_large = || Ends::Http(413, "too-large", one("", "DocumentTooLarge"));
    let around = |bytes: usize| malformed(&format!("{bytes} bytes outside `body`; the limit is 131072"));
    let long = filled(&with("reason", r#""…""#), 5_000_000);
    let headers: Vec<String> = (0..400_000).map(|n| format!(r#""h{n:06}":"""#)).collect();
    let headers = http_2(&json!("{}"), "")
        .replace(r#"{"content-type":"application/json"}"#, &format!("{{{}}}", headers.join(",")));
    let context = |raw: &str| {
        http_2(&json!("{}"), "")
            .replace(r#""stage":"#, &format!(r#""authorizer":{{"lambda":{{"x":{raw}}}}},"stage":"#))
    };
    let wide = context(&array("0", 3_000_000));
    let deep = context(&format!("{}{}", "[".repeat(50_000), "]".repeat(50_000)));
    let encoded = BASE64_STANDARD.encode(filled(&with("reason", r#""…""#), 4_500_000));
    let encoded =
        http_2(&json!(encoded), "").replace(r#""isBase64Encoded":false"#, r#""isBase64Encoded":true"#);
    let besides = |payload: &str, body: usize| payload.len() - body;
    vec![
        Case::url("5 MB, through HTTP", POST, long, too_large()),
        Case::invoke("6 MB of base64", encoded, too_large()),
        Case::invoke("400,000 headers", headers.clone(), around(besides(&headers, 4))),
        Case::invoke("an authoriser's 3,000,000 numbers, 6 MB", wide.clone(), around(besides(&wide, 4))),
        Case::invoke(
            "an authoriser's 50,000 levels",
            deep,
            malformed("the request does not have the documented structure (line 1, column 411)"),
        ),
        Case::url(
            "500,000 levels, through HTTP",
            POST,
            with("instanceId", &"[".repeat(500_000)),
            Ends::Http(400, "not-json", one("", "NotJson")),
        ),
    ]
}

/// Parsers differ about which of two equal keys counts, so both are refused.
fn twice() -> Vec<Case> {
    let change = json!(with("force", "true"));
    let http = |more: &str, key: &str| {
        (http_2(&change, more), malformed(&format!("`{key}` appears more than once")))
    };
    let (body, body_ends) = http(r#""body":"{}","#, "body");
    let (encoded, encoded_ends) = http(r#""isBase64Encoded":true,"#, "isBase64Encoded");
    let (escaped, escaped_ends) = http(r#""\u0062ody":"{}","#, "body");
    let (context, context_ends) = http(r#""requestContext":{},"#, "requestContext");
    let event = |more: &str| format!(r#"{{{more}"id":"1","detail-type":"t","source":"s","detail":{{}}}}"#);
    let of = |kind: &str, key: &str| {
        Ends::Error(
            "MalformedPayload",
            Explanation::Text(format!("malformed {kind} payload: `{key}` appears more than once")),
        )
    };
    vec![
        Case::invoke("two bodies", body, body_ends),
        Case::invoke("two bodies, one escaped", escaped, escaped_ends),
        Case::invoke("base64 and not", encoded, encoded_ends),
        Case::invoke("two contexts", context, context_ends),
        Case::invoke("two details", event(r#""detail":{},"#), of("eventbridge", "detail")),
        Case::invoke("two sources", event(r#""source":"aws.connect","#), of("eventbridge", "source")),
        Case::invoke("two lists of records", r#"{"Records":[],"Records":[]}"#, of("sqs", "Records")),
    ]
}

/// Paths with tricks in them. A function URL keeps their encoding, and none of them names an instance.
fn paths() -> Vec<Case> {
    let not_found = |text: &str| Ends::Http(404, "not-found", Explanation::Text(text.to_owned()));
    let no_instance =
        || not_found("the path does not have a valid instance: use an id (a UUID) or an instance ARN");
    let no_scope = || not_found("the path does not have a valid scope: use EMAIL, CHAT, CASE or TASK");
    macro_rules! get {
        ($path:literal) => {
            concat!("GET /instances/", $path, " HTTP/1.1")
        };
    }
    let get = |head: &'static str, ends: Ends| Case::url("a path", head, "", ends);
    vec![
        get(get!("../attachment-policies"), no_instance()),
        get(get!("%2e%2e%2f/attachment-policies"), no_instance()),
        get(get!("00000001-0000-4000-8000-000000000001%2fCHAT/attachment-policies"), no_instance()),
        get(get!("00000001-0000-4000-8000-000000000001%00/attachment-policies"), no_instance()),
        get(get!("00000001-0000-4000-8000-000000000001/../attachment-policies"), no_instance()),
        get(
            get!("00000001-0000-4000-8000-000000000001/attachment-policies/../attachment-policies"),
            no_instance(),
        ),
        get(get!("%2530000001-0000-4000-8000-000000000001/attachment-policies"), no_instance()),
        get(get!("*/attachment-policies"), no_instance()),
        get(get!("00000001-0000-4000-8000-000000000001/attachment-policies/CHAT%2f.."), no_scope()),
        get(get!("00000001-0000-4000-8000-000000000001/attachment-policies/*"), no_scope()),
        get(get!("00000001-0000-4000-8000-000000000001/attachment-policies/CHAT/EMAIL"), no_scope()),
    ]
}

fn events() -> Vec<Case> {
    let event = |detail: &str| {
        format!(
            r#"{{"version":"0","id":"e","detail-type":"t","source":"s","account":"111122223333","detail":{detail}}}"#
        )
    };
    let change = with("reason", r#""…""#);
    let rejected = |pointer: &str, code| Ends::Error("PolicyChangeRejected", one(pointer, code));
    let text = json!(filled(&change, DOCUMENT)).to_string();
    vec![
        Case::invoke("1 MB, an event", event(&filled(&change, DOCUMENT)), rejected("/reason", "TooLong")),
        Case::invoke("1 MB, an event's text", event(&text), rejected("/reason", "TooLong")),
        Case::invoke(
            "6 MB, an event",
            event(&filled(&change, LARGEST - 200)),
            rejected("", "DocumentTooLarge"),
        ),
        Case::invoke(
            "an event's 500,000 levels",
            event(&format!(r#"{{"instanceId":{}{}}}"#, "[".repeat(500_000), "]".repeat(500_000))),
            rejected("", "NotJson"),
        ),
    ]
}

fn records() -> Vec<Case> {
    let record = |n: usize, body: &Value, more: &str| {
        format!(
            r#"{{"messageId":"m{n}","body":{body},{more}"eventSource":"aws:sqs","eventSourceARN":"arn:aws:sqs:us-east-1:111122223333:changes"}}"#
        )
    };
    let batch = |records: &[String]| format!(r#"{{"Records":[{}]}}"#, records.join(","));
    let short = |count: usize| {
        let records: Vec<String> =
            (0..count).map(|n| record(n, &json!(format!("{{\"instanceId\":\"{n}\"}}")), "")).collect();
        batch(&records)
    };
    let long = json!(filled(&with("reason", r#""…""#), DOCUMENT));
    let six: Vec<String> = (0..5).map(|n| record(n, &long, "")).collect();
    let attributes: Vec<String> =
        (0..150_000).map(|n| format!(r#""a{n:06}":{{"dataType":"String"}}"#)).collect();
    let attributes = format!(r#""messageAttributes":{{{}}},"#, attributes.join(","));
    let over = |text: &str| {
        Ends::Error("MalformedPayload", Explanation::Text(format!("malformed sqs payload: {text}")))
    };
    vec![
        Case::invoke("5 records of 1 MB", batch(&six), Ends::Batch(5, "TooLong")),
        Case::invoke("10,000 records", short(10_000), Ends::Batch(10_000, "MissingScope")),
        Case::invoke(
            "10,001 records",
            short(10_001),
            over("`Records` has 10001 entries; SQS sends at most 10000"),
        ),
        Case::invoke(
            "2,000,000 empty records, 6 MB",
            format!(r#"{{"Records":{}}}"#, array("{}", 2_000_000)),
            over("`Records` has 2000000 entries; SQS sends at most 10000"),
        ),
        Case::invoke(
            "a record's 150,000 attributes",
            batch(&[record(0, &json!(format!("{{\"instanceId\":\"{ONE}\"}}")), &attributes)]),
            Ends::Batch(1, "MissingScope"),
        ),
    ]
}
