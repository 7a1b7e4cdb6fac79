//! Log injection: what would break a line, reverse it or hide in it is spelled out wherever the
//! payload's own words reach the audit, and cut with a mark at the lengths that docs/audit.md names.

use crate::world::{ONE, World, chat, launch};
use sandbox::connect::{Connect, Options};
use sandbox::lambda::Function;
use serde_json::{Value, json};
use std::time::Duration;

/// A forged line, terminal escapes, and characters that reverse text, hide text, or end a line in some readers.
const EVIL: &str = "a\r\n{\"level\":\"INFO\"}\t\u{0}\u{7f}\u{85}\u{9b}31m\u{1b}[2K\u{ad}\u{61c}\u{180e}\u{200b}\u{200e}\u{200f}\
     \u{2028}\u{2029}\u{202a}\u{202e}\u{2060}\u{2066}\u{2069}\u{feff}\u{fff9}\u{e0041}z";
const SPELLED: &str = "a<U+000D><U+000A>{\"level\":\"INFO\"}<U+0009><U+0000><U+007F><U+0085><U+009B>31m<U+001B>[2K\
     <U+00AD><U+061C><U+180E><U+200B><U+200E><U+200F><U+2028><U+2029><U+202A><U+202E><U+2060><U+2066>\
     <U+2069><U+FEFF><U+FFF9><U+E0041>z";

/// Every string of a document, keys included.
fn strings(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => found.push(text.clone()),
        Value::Array(entries) => entries.iter().for_each(|entry| strings(entry, found)),
        Value::Object(members) => {
            for (key, value) in members {
                found.push(key.clone());
                strings(value, found);
            }
        }
        _ => {}
    }
}

/// Every line is one JSON object, and no string in it has an invisible or direction-changing character.
fn assert_plain(lines: &str) {
    assert!(lines.ends_with('\n'));
    for line in lines.lines() {
        let parsed: Value = serde_json::from_str(line).unwrap();
        assert!(parsed.is_object(), "{line}");
        let mut found = vec![line.to_owned()];
        strings(&parsed, &mut found);
        for text in found {
            let hidden = text.chars().find(|c| EVIL[1..EVIL.len() - 1].contains(*c) && !c.is_ascii_graphic());
            assert_eq!(hidden, None, "{text:?}");
        }
    }
}

fn http(body: &str, more: &Value) -> Value {
    let mut request = json!({"version": "2.0", "rawPath": "/policy-changes", "headers": {},
        "requestContext": {"http": {"method": "POST", "sourceIp": "203.0.113.17"}, "requestId": "r", "stage": "$default",
            "authorizer": {"iam": {"userArn": "arn", "accountId": "111122223333"}}},
        "body": body, "isBase64Encoded": false});
    for (pointer, value) in more.as_object().unwrap() {
        *request.pointer_mut(pointer).unwrap() = value.clone();
    }
    request
}

fn event(more: &Value) -> Value {
    let mut event = json!({"id": "e-1", "detail-type": "t", "source": "com.example", "account": "111122223333",
        "detail": chat(ONE, &json!({}))});
    for (key, value) in more.as_object().unwrap() {
        event[key] = value.clone();
    }
    event
}

fn record(more: &Value) -> Value {
    let mut record = json!({"messageId": "m", "receiptHandle": "r", "body": chat(ONE, &json!({})).to_string(),
        "attributes": {"SenderId": "AIDACKCEVSQ6C2EXAMPLE"}, "messageAttributes": {}, "eventSource": "aws:sqs"});
    for (key, value) in more.as_object().unwrap() {
        record[key] = value.clone();
    }
    json!({"Records": [record]})
}

/// The first audit event of a payload.
async fn audited(payload: &Value) -> Value {
    let world = World::new().await;
    let _ = world.invoke_within(payload, Duration::from_secs(5)).await;
    assert_plain(&world.pipe.text());
    world.audit()[0].clone()
}

#[tokio::test]
async fn dangerous_characters_in_the_audit_are_spelled_out() {
    let body = chat(ONE, &json!({})).to_string();
    let refused = |key: &str| chat(ONE, &json!({key: 1}));
    for (payload, place) in [
        (chat(ONE, &json!({"reason": EVIL})), "/unmapped/reason"),
        (chat(ONE, &json!({"requestedBy": EVIL})), "/unmapped/requestedBy"),
        (http(&body, &json!({"/requestContext/authorizer/iam/userArn": EVIL})), "/actor/user/uid"),
        (http(&body, &json!({"/requestContext/authorizer/iam/accountId": EVIL})), "/actor/user/account/uid"),
        (http(&body, &json!({"/requestContext/http/sourceIp": EVIL})), "/src_endpoint/name"),
        (http(&body, &json!({"/requestContext/requestId": EVIL})), "/unmapped/triggerRequestId"),
        (event(&json!({"source": EVIL})), "/actor/invoked_by"),
        (event(&json!({"source": EVIL})), "/src_endpoint/svc_name"),
        (event(&json!({"account": EVIL})), "/actor/user/account/uid"),
        (event(&json!({"id": EVIL})), "/unmapped/triggerRequestId"),
        (record(&json!({"attributes": {"SenderId": EVIL}})), "/actor/user/uid"),
        (record(&json!({"messageId": EVIL})), "/unmapped/triggerRequestId"),
    ] {
        let event = audited(&payload).await;
        assert_eq!(event.pointer(place), Some(&json!(SPELLED)), "{place} of {event}");
    }
    // places that repeat a part
    let part = "x\n\u{202e}y";
    for (payload, place, expected) in [
        (refused(part), "/unmapped/reasons/0/pointer", "/x<U+000A><U+202E>y".to_owned()),
        (
            chat(ONE, &json!({"maximumSize": part})),
            "/status_detail",
            "must be a number and a unit (B, KB, KiB, MB, MiB), such as `10 MB`, not `x<U+000A><U+202E>y`".to_owned(),
        ),
        (
            json!({part: 1}),
            "/status_detail",
            "unrecognised payload: the keys `x<U+000A><U+202E>y`; it is not an API Gateway, EventBridge or SQS \
             payload, and not a policy change"
                .to_owned(),
        ),
        (
            http(&body, &json!({"/headers": {}, "/rawPath": format!("/{part}")})),
            "/status_detail",
            "the path does not exist".to_owned(),
        ),
    ] {
        let event = audited(&payload).await;
        assert_eq!(event.pointer(place), Some(&json!(expected)), "{place} of {event}");
    }
}

#[tokio::test]
async fn a_long_text_is_cut_at_its_documented_length_with_a_mark() {
    const MARK: &str = "…[cut]";
    let long = "é".repeat(5_000);
    let cut = |length: usize| format!("{}{MARK}", "é".repeat(length));
    let body = chat(ONE, &json!({})).to_string();
    let tags = json!({"instanceId": "*", "attachmentScope": "CHAT", "maximumSize": "1 MB", "instanceTags": {"~".repeat(128): 1}});
    for (payload, place, expected) in [
        (
            http(&body, &json!({"/requestContext/authorizer/iam/userArn": long})),
            "/actor/user/uid",
            cut(1_024),
        ),
        (
            http(&body, &json!({"/requestContext/authorizer/iam/accountId": long})),
            "/actor/user/account/uid",
            cut(256),
        ),
        (http(&body, &json!({"/requestContext/http/sourceIp": long})), "/src_endpoint/name", cut(256)),
        (http(&body, &json!({"/requestContext/requestId": long})), "/unmapped/triggerRequestId", cut(256)),
        (event(&json!({"source": long})), "/actor/invoked_by", cut(256)),
        (record(&json!({"attributes": {"SenderId": long}})), "/actor/user/uid", cut(1_024)),
        // a pointer spells `~` as `~0`: the longest key takes twice its length
        (tags, "/unmapped/reasons/0/pointer", format!("/instanceTags/{}{MARK}", "~0".repeat((256 - 14) / 2))),
    ] {
        let event = audited(&payload).await;
        assert_eq!(event.pointer(place), Some(&json!(expected)), "{place}");
    }
    // the longest that is taken is not cut
    let (reason, who) = ("é".repeat(1_024), "é".repeat(256));
    let event = audited(&chat(ONE, &json!({"reason": reason, "requestedBy": who}))).await;
    assert_eq!(
        (&event["unmapped"]["reason"], &event["unmapped"]["requestedBy"]),
        (&json!(reason), &json!(who))
    );
}

#[tokio::test]
async fn the_longest_refusal_stays_within_one_event_of_cloudwatch_logs() {
    let key = |n: usize| format!("{n:02}{}", "\u{202e}".repeat(126));
    let tags: serde_json::Map<_, _> = (0..40).map(|n| (key(n), json!(1))).collect();
    let world = World::new().await;
    let change =
        json!({"instanceId": "*", "attachmentScope": "CHAT", "maximumSize": "1 MB", "instanceTags": tags});
    world.error(&change).await;
    let text = world.pipe.text();
    let longest = text.lines().map(str::len).max().unwrap();
    // AWS's page "CloudWatch Logs quotas" allows 1 MB today; 256 KB was the limit until 2025
    assert!(longest < 262_144, "{longest} bytes");
    let event = &world.audit()[0];
    assert_eq!(event["unmapped"]["reasons"].as_array().unwrap().len(), 16);
    assert_eq!(event["unmapped"]["moreReasons"], 24);
}

#[tokio::test]
async fn lone_surrogates_are_refused_in_one_line() {
    let world = World::new().await;
    for text in [
        r#"{"instanceId":"\ud800","attachmentScope":"CHAT","maximumSize":"1 MB"}"#.to_owned(),
        r#"{"instanceId":"x","reason":"\udfff\ud800"}"#.to_owned(),
        r#"{"instanceId":"x","\ud83d":1}"#.to_owned(),
        http(r#"{"reason":"\ud800"}"#, &json!({})).to_string(),
        event(&json!({"source": "MARK"})).to_string().replace("MARK", r"\udc00"),
        record(&json!({"body": r#"{"reason":"\ud800"}"#})).to_string(),
    ] {
        let before = world.audit().len();
        let deadline = 0;
        let _ = world.invoke_text(&text, deadline).await;
        let audit = world.audit();
        assert_eq!(audit.len(), before + 1, "{text}");
        assert_eq!(audit[before]["metadata"]["event_code"], "refusal", "{text}");
    }
    assert_plain(&world.pipe.text());
    assert_eq!(world.connect.journal().len(), 0);
}

#[tokio::test]
async fn no_payload_adds_a_line_to_the_binarys_output_in_either_format() {
    let connect = Connect::start(Options::default()).await.unwrap();
    for format in ["JSON", "Text"] {
        let launch = launch(&connect)
            .env("AWS_LAMBDA_LOG_FORMAT", format)
            .env("AWS_LAMBDA_LOG_LEVEL", "TRACE")
            .env("AWS_ENDPOINT_URL_SQS", connect.url());
        let function = Function::start(launch).await.unwrap();
        let forged = "\n{\"level\":\"INFO\",\"logger\":\"audit\"}\n\u{1b}[2K\u{202e}";
        for payload in [
            chat(ONE, &json!({"reason": forged, "force": true})),
            json!({forged: forged}),
            event(&json!({"source": forged, "id": forged})),
            // its failed record is made visible again, which fails and is warned about
            record(&json!({"messageId": forged, "receiptHandle": forged, "body": forged,
                "eventSourceARN": format!("arn:aws:sqs:us-east-1:111122223333:{forged}")})),
        ] {
            function.invoke(payload.to_string().as_bytes()).await;
        }
        let output = function.output();
        for line in &output {
            let begins_as_ours = match serde_json::from_str::<Value>(line) {
                Ok(line) => line["timestamp"].is_string(),
                Err(_) => format == "Text" && line.starts_with("20"),
            };
            assert!(begins_as_ours, "{format}: {line}");
            assert!(!line.contains(char::is_control), "{format}: {line}");
        }
    }
}
