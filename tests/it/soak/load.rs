//! What is asked: every trigger with every kind of document.

use crate::killed::Random;
use crate::world::{NOWHERE, ONE, THREE, TWO};
use serde_json::{Value, json};

const HTTP: &str = include_str!("../../../events/http.succeeded.json");
const REST: &str = include_str!("../../../events/rest.succeeded.json");
const EVENT: &str = include_str!("../../../events/event-bridge.succeeded.json");
const MESSAGES: &str = include_str!("../../../events/sqs.succeeded.json");

/// How it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Way {
    Bare,
    Http,
    Rest,
    Patch,
    EventBridge,
    Sqs,
    /// GET: no change, no audit.
    Read,
    /// No trigger's payload.
    Nonsense,
}

const WAYS: [Way; 8] =
    [Way::Bare, Way::Http, Way::Rest, Way::Patch, Way::EventBridge, Way::Sqs, Way::Read, Way::Nonsense];

/// One invocation.
pub(super) struct Asked {
    pub(super) way: Way,
    pub(super) payload: String,
    /// The changes with their own ids, in order: what the answer and the audit are to be about.
    pub(super) changes: Vec<Value>,
}

impl Asked {
    /// A change of one target that holds another value.
    pub(super) fn plain(number: u64) -> Self {
        let change = json!({"instanceId": ONE, "attachmentScope": "CHAT", "maximumSize": "9 MB",
            "changeId": format!("SOAK-{number}")});
        Self { way: Way::Bare, payload: change.to_string(), changes: vec![change] }
    }

    pub(super) fn random(random: &mut Random, number: u64) -> Self {
        // the rarer ones need no more than a share of the first's
        let way = WAYS[usize::try_from(random.below(50).min(49)).unwrap() * 8 / 50];
        let id = format!("SOAK-{number}");
        match way {
            Way::Bare | Way::Http | Way::Rest | Way::EventBridge => {
                let (document, changes) = document(random, &id);
                Self { way, payload: enveloped(way, &document.to_string(), &id), changes }
            }
            Way::Sqs => {
                let bodies: Vec<Value> =
                    (0..=random.below(3)).map(|n| change(random, &format!("{id}-{n}"))).collect();
                Self { way, payload: messages(&bodies, &id), changes: bodies }
            }
            Way::Patch => {
                let (instance, scope) = (instance(random), scope(random));
                let mut change = values(random);
                change["changeId"] = json!(id);
                let path = format!("/instances/{instance}/attachment-policies/{scope}");
                let mut request: Value = serde_json::from_str(HTTP).unwrap();
                request["requestContext"]["http"]["method"] = json!("PATCH");
                request["rawPath"] = json!(path);
                request["body"] = json!(change.to_string());
                if random.one_in(5) {
                    request["headers"]["if-match"] = json!("\"0123456789abcdef\"");
                }
                change["instanceId"] = json!(instance);
                change["attachmentScope"] = json!(scope);
                Self { way, payload: request.to_string(), changes: vec![change] }
            }
            Way::Read => {
                let mut request: Value = serde_json::from_str(HTTP).unwrap();
                request["requestContext"]["http"]["method"] = json!("GET");
                request["rawPath"] = json!(format!("/instances/{}/attachment-policies", instance(random)));
                request["body"] = Value::Null;
                Self { way, payload: request.to_string(), changes: Vec::new() }
            }
            Way::Nonsense => {
                let payload = json!({"hello": number, "world": [null, true]}).to_string();
                Self { way, payload, changes: Vec::new() }
            }
        }
    }
}

/// A document: one change, or several.
fn document(random: &mut Random, id: &str) -> (Value, Vec<Value>) {
    if !random.one_in(8) {
        let change = change(random, id);
        return (change.clone(), vec![change]);
    }
    // of different instances, so that none names the target of another
    let changes: Vec<Value> = [ONE, TWO, THREE]
        .into_iter()
        .enumerate()
        .map(|(index, instance)| {
            let mut change = values(random);
            change["instanceId"] = json!(instance);
            change["attachmentScope"] = json!(scope(random));
            change["changeId"] = json!(format!("{id}/{index}"));
            change
        })
        .collect();
    (json!({ "changes": changes }), changes)
}

fn change(random: &mut Random, id: &str) -> Value {
    let mut change = values(random);
    change["changeId"] = json!(id);
    match random.below(20) {
        0 => change["instanceId"] = json!("*"),
        1 => change["instanceIds"] = json!([ONE, TWO, THREE]),
        2..=3 => change["instanceIds"] = json!([ONE, NOWHERE]),
        _ => change["instanceId"] = json!(instance(random)),
    }
    match random.below(10) {
        0 => change["attachmentScope"] = json!("*"),
        1 => change["attachmentScopes"] = json!(["CHAT", "task"]),
        _ => change["attachmentScope"] = json!(scope(random)),
    }
    if random.one_in(10) {
        // invalid: another of the rules each time
        let (field, value) = [
            ("attachmentScope", json!("FAX")),
            ("maximumSize", json!(null)),
            ("instanceId", json!("centre")),
            ("sise", json!(1)),
        ][usize::try_from(random.below(4)).unwrap()]
        .clone();
        change[field] = value;
    }
    change
}

/// Values, and how they are to be taken.
fn values(random: &mut Random) -> Value {
    let mut change = json!({});
    if random.one_in(2) {
        change["maximumSizeLimitInBytes"] = json!((1 + random.below(4)) * 1_048_576);
    }
    if change.get("maximumSizeLimitInBytes").is_none() || random.one_in(3) {
        let known = ["csv", "docx", "jpg", "pdf", "png", "txt"];
        let kept: Vec<_> = known.into_iter().filter(|_| random.one_in(2)).collect();
        change["allowedExtensions"] = if kept.is_empty() { json!(["pdf"]) } else { json!(kept) };
    }
    match random.below(16) {
        0 => change["dryRun"] = json!(true),
        1 => change["force"] = json!(true),
        2 => change["ifUnmodifiedSince"] = json!("2026-01-01T00:00:00Z"),
        3 => change["ifUnmodifiedSince"] = json!("2999-01-01T00:00:00Z"),
        4 => change["allowedExtensions"] = json!(["pdf", ".EXE"]),
        _ => {}
    }
    change
}

fn instance(random: &mut Random) -> &'static str {
    [ONE, TWO, THREE][usize::try_from(random.below(3)).unwrap()]
}

fn scope(random: &mut Random) -> &'static str {
    ["EMAIL", "CHAT", "CASE", "TASK"][usize::try_from(random.below(4)).unwrap()]
}

fn enveloped(way: Way, document: &str, id: &str) -> String {
    let parsed = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let mut event = match way {
        Way::Http => parsed(HTTP),
        Way::Rest => parsed(REST),
        Way::EventBridge => parsed(EVENT),
        _ => return document.to_owned(),
    };
    if way == Way::EventBridge {
        event["id"] = json!(id);
        event["detail"] = parsed(document);
    } else {
        event["body"] = json!(document);
    }
    event.to_string()
}

/// A batch. Without receipts: there is no queue here to show a message again.
fn messages(bodies: &[Value], id: &str) -> String {
    let mut batch: Value = serde_json::from_str(MESSAGES).unwrap();
    let mut record = batch["Records"][0].take();
    record.as_object_mut().unwrap().remove("receiptHandle");
    record["eventSourceARN"] = json!("arn:aws:sqs:us-east-1:111122223333:attachment-policy-changes");
    let records = bodies.iter().enumerate().map(|(n, body)| {
        let mut record = record.clone();
        record["messageId"] = json!(format!("{id}-{n}"));
        record["body"] = json!(body.to_string());
        record
    });
    batch["Records"] = records.collect();
    batch.to_string()
}
