//! Unusual spellings of sizes and whole payloads, as an attacker might try them. Ids and extensions are written as in
//! the tests of policy-core. Everything here is a piece of JSON text.

#[path = "../../../policy-core/tests/it/spellings/dressed.rs"]
mod dressed;

pub(super) use dressed::{ALLOWED, OTHER};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use dressed::{id, instance, word};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

/// A payload, whole.
#[derive(Debug, Clone)]
pub(super) struct Attempt {
    pub(super) payload: String,
}

/// The members that select instances: one, several, all, both forms, a key twice.
fn selector() -> impl Strategy<Value = String> {
    (0..14_usize, instance(), instance()).prop_map(|(form, one, two)| match form {
        0..=3 => format!(r#""instanceId":{one}"#),
        4 => format!(r#""InstanceId":{one}"#),
        5 => format!(r#""instanceIds":[{one},{two}]"#),
        6 => format!(r#""instanceIds":["{ALLOWED}",{one}]"#),
        7 | 8 => r#""instanceId":"*""#.to_owned(),
        9 => r#""instanceId":"*","instanceTags":{"stage":"prod"}"#.to_owned(),
        10 => format!(r#""instanceId":"{ALLOWED}","instanceId":{one}"#),
        11 => format!(r#""instanceId":{one},"instanceId":"{ALLOWED}""#),
        12 => format!(r#""instanceId":"{ALLOWED}","instanceIds":[{one}]"#),
        _ => format!(r#""instanceId":"{ALLOWED}","\u0049nstanceId":{one}"#),
    })
}

/// The members that say what is to hold: within the guardrails, or beyond them by a size or an extension.
fn values() -> impl Strategy<Value = String> {
    let sizes = select(vec![
        r#""maximumSizeLimitInBytes":5242880"#,
        r#""maximumSizeLimitInBytes":5242881"#,
        r#""maximumSizeLimitInBytes":5242881.0"#,
        r#""maximumSizeLimitInBytes":5.242881e6"#,
        r#""maximumSizeLimitInBytes":"5242881""#,
        r#""MaximumSizeLimitInBytes":"0000005242881""#,
        r#""maximumSize":"5121 KB""#,
        r#""maximumSize":"5.5MiB""#,
        r#""maximumSize":"1 MB","maximumSize":"6 MB""#,
        r#""maximumSizeLimitInBytes":1048576,"maximumSize":"6 MB""#,
        r#""maximumSizeLimitInBytes":4300210176"#,
    ]);
    let lists = (0..5_usize, word("exe")).prop_map(|(form, written)| match form {
        0 => r#""allowedExtensions":["csv"]"#.to_owned(),
        1 => format!(r#""allowedExtensions":["pdf",{written}]"#),
        2 => format!(r#""AllowedExtensions":[{{"Extension":{written}}}]"#),
        3 => format!(r#""extensionConfiguration":{{"allowedExtensions":[{written}]}}"#),
        _ => format!(r#""allowedExtensions":["pdf"],"allowedExtensions":[{written}]"#),
    });
    let plain = Just(r#""maximumSize":"4 MB","force":true"#.to_owned());
    prop_oneof![2 => sizes.prop_map(str::to_owned), 2 => lists, 3 => plain]
}

fn scope() -> impl Strategy<Value = &'static str> {
    select(vec![r#""attachmentScope":"CHAT""#, r#""AttachmentScope":"cHaT""#, r#""attachmentScopes":"*""#])
}

fn request(method: &str, path: &str, body: Option<(&str, bool)>, version: u8) -> Value {
    let (text, is_base64) = body.unwrap_or_default();
    let sent = if is_base64 { BASE64_STANDARD.encode(text) } else { text.to_owned() };
    let mut event = json!({"headers": {"content-type": "application/json"}, "isBase64Encoded": is_base64,
        "requestContext": {"requestId": "r", "stage": "prod"}});
    event["body"] = if body.is_some() { json!(sent) } else { Value::Null };
    if version == 2 {
        event["version"] = json!("2.0");
        event["rawPath"] = json!(path);
        event["requestContext"]["http"] = json!({"method": method, "path": path, "protocol": "HTTP/1.1",
            "sourceIp": "203.0.113.17", "userAgent": "t"});
    } else {
        event["httpMethod"] = json!(method);
        event["path"] = json!(path);
        event["resource"] = json!("/{proxy+}");
    }
    event
}

fn event(detail: &Value) -> Value {
    json!({"version": "0", "id": "e", "detail-type": "t", "source": "s", "account": "111122223333",
        "time": "2026-11-23T09:00:00Z", "region": "us-east-1", "resources": [], "detail": detail})
}

fn batch(body: &str) -> Value {
    json!({"Records": [{"messageId": "m", "body": body, "attributes": {"ApproximateReceiveCount": "1"},
        "eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:us-east-1:111122223333:changes"}]})
}

/// One document through one of the ways in, or its instance in a path.
fn carried(document: &str, id: &str, values: &str, way: usize) -> String {
    let policies = format!("/instances/{id}/attachment-policies");
    let versions = if way.is_multiple_of(2) { 2 } else { 1 };
    let is_base64 = way % 4 < 2;
    match way {
        // raw: an event's `detail` must keep what serde_json would not, such as a key twice
        0..=3 => document.to_owned(),
        4 | 5 => event(&json!("…")).to_string().replace("\"…\"", document),
        6 | 7 => event(&json!(document)).to_string(),
        8 | 9 => batch(document).to_string(),
        10 | 11 => batch(&event(&json!("…")).to_string().replace("\"…\"", document)).to_string(),
        12..=15 => request("POST", "/policy-changes", Some((document, is_base64)), versions).to_string(),
        16..=19 => {
            let path = format!("{policies}/CHAT");
            request("PATCH", &path, Some((&format!("{{{values}}}"), is_base64)), versions).to_string()
        }
        20 | 21 => request("GET", &policies, None, versions).to_string(),
        22 | 23 => request("GET", &format!("/prod{policies}/chat"), None, versions).to_string(),
        _ => format!(r#"{{"changes":[{document}]}}"#),
    }
}

/// Any payload that somebody could send.
pub(super) fn attempt() -> impl Strategy<Value = Attempt> {
    (selector(), values(), scope(), id(), 0..26_usize, any::<bool>()).prop_map(
        |(selector, values, scope, id, way, is_first)| {
            let document = if is_first {
                format!("{{{selector},{scope},{values}}}")
            } else {
                format!("{{{values},{scope},{selector}}}")
            };
            Attempt { payload: carried(&document, &id, &values, way) }
        },
    )
}
