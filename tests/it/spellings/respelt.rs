//! Ids, extensions, sizes and whole payloads, written in ways that somebody could hope to get through with.
//! Everything here is a piece of JSON text.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

pub(super) const ALLOWED: &str = "a0b1c2d3-e4f5-4a6b-8c7d-9e8f7a6b5c4d";
/// Exists too, and is like it but for its last digit.
pub(super) const OTHER: &str = "a0b1c2d3-e4f5-4a6b-8c7d-9e8f7a6b5c4e";

/// A payload, whole.
#[derive(Debug, Clone)]
pub(super) struct Attempt {
    pub(super) payload: String,
}

/// Letters and signs that look like ours, or are taken for ours by some Unicode folding.
fn look_alike(c: char) -> char {
    match c {
        'a' => '\u{430}',
        'c' => '\u{441}',
        'e' => '\u{435}',
        'x' => '\u{445}',
        'k' => '\u{212a}',
        '-' => '\u{2010}',
        '/' => '\u{2044}',
        ':' => '\u{a789}',
        '0'..='9' | 'b'..='z' => char::from_u32(u32::from(c) + 0xFEE0).unwrap(),
        other => other,
    }
}

/// One text in one of many clothes.
fn dressed(text: &str, way: usize, bits: u64) -> String {
    let bit = |n: usize| bits >> (n % 64) & 1 == 1;
    let each = |change: &dyn Fn(char) -> String| -> String {
        text.chars().enumerate().map(|(n, c)| if bit(n) { change(c) } else { c.to_string() }).collect()
    };
    let hidden = ["\u{200b}", "\u{ad}", "\u{202e}", "\u{feff}", "\u{0}", "\u{301}"]
        [usize::try_from(bits % 6).unwrap()];
    match way {
        0..=3 => text.to_owned(),
        4..=6 => each(&|c| c.to_ascii_uppercase().to_string()),
        7 => each(&|c| format!("%{:02x}", u32::from(c))),
        8 => each(&|c| format!("%25{:02X}", u32::from(c))),
        9 => each(&|c| look_alike(c).to_string()),
        10 => each(&|c| format!("{c}{hidden}")),
        11 => format!(" \t{text}\n"),
        12 => format!("\u{a0}{text}\u{3000}"),
        13 => BASE64_STANDARD.encode(text),
        14 => format!("{text}\u{0}"),
        15 => format!(".{text}"),
        16 => format!("..{text}."),
        17 => format!("pdf,{text}"),
        18 => format!("{{{text}}}"),
        _ => each(&|c| c.to_uppercase().to_string()),
    }
}

/// As a JSON string, some characters by their escapes.
fn quoted(text: &str, bits: u64) -> String {
    let units = text.encode_utf16().enumerate();
    let escaped = |n: usize, unit: u16| {
        let plain =
            char::from_u32(unit.into()).filter(|c| c.is_ascii() && !c.is_control() && !"\"\\".contains(*c));
        match plain.filter(|_| bits >> (n % 64) & 1 == 1) {
            Some(c) => c.to_string(),
            None => format!("\\u{unit:04x}"),
        }
    };
    format!("\"{}\"", units.map(|(n, unit)| escaped(n, unit)).collect::<String>())
}

/// A word such as an extension.
pub(super) fn word(text: &'static str) -> impl Strategy<Value = String> {
    (0..20_usize, any::<u64>(), any::<u64>())
        .prop_map(|(way, bits, escapes)| quoted(&dressed(text, way, bits), escapes))
}

fn arn(id: &str, form: usize) -> String {
    let of = |partition: &str, region: &str, account: &str, resource: &str| {
        format!("arn:{partition}:connect:{region}:{account}:{resource}/{id}")
    };
    match form {
        0 | 1 => of("aws", "us-east-1", "111122223333", "instance"),
        2 => of("aws", "us-west-2", "111122223333", "instance"),
        3 => of("aws", "us-east-1", "444455556666", "instance"),
        4 => of("aws-cn", "us-east-1", "111122223333", "instance"),
        5 => of("aws", "US-EAST-1", "111122223333", "Instance"),
        6 => format!("{}/../{OTHER}", of("aws", "us-east-1", "111122223333", "instance")),
        7 => format!("{ALLOWED}/../{id}"),
        8 => format!("{ALLOWED},{id}"),
        9 => format!("urn:uuid:{id}"),
        10 => id.replace('-', ""),
        _ => id.to_owned(),
    }
}

/// The other instance mostly, and the allowed one so that something gets through; plain ones among them.
fn id() -> impl Strategy<Value = String> {
    (select(vec![ALLOWED, OTHER, OTHER]), 0..24_usize, 0..20_usize, any::<u64>())
        .prop_map(|(id, form, way, bits)| dressed(&arn(id, form), way, bits))
}

/// An instance as a JSON string.
pub(super) fn instance() -> impl Strategy<Value = String> {
    (id(), any::<u64>()).prop_map(|(text, escapes)| quoted(&text, escapes))
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

/// Anything somebody could send.
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
