//! Which request to the table is which, as it is seen from outside.

use serde_json::Value;

pub(super) fn reads_the_declaration(body: &Value) -> bool {
    of_declaration(body) && !of_answer(body) && reads(body)
}

pub(super) fn reads_the_freeze(body: &Value) -> bool {
    pk(&body["Key"]) == "freeze"
}

pub(super) fn reads_the_work_of_a_lane(body: &Value) -> bool {
    body.get("KeyConditionExpression").is_some() && body.to_string().contains(r#""work#"#)
}

pub(super) fn takes(body: &Value) -> bool {
    writes(body, "Put", of_declaration)
}

pub(super) fn puts_lanes(body: &Value) -> bool {
    writes(body, "Put", |put| sk(&put["Item"]).starts_with("lane#"))
}

pub(super) fn notes_what_was_sent(body: &Value) -> bool {
    updates(body, "#sent")
}

/// Begins an update of a target: stores its intent.
pub(super) fn begins(body: &Value) -> bool {
    !reads(body) && body.to_string().contains(r#""begun""#)
}

/// Ends an update of a target: stores its outcome.
pub(super) fn closes(body: &Value) -> bool {
    writes(body, "Update", |update| pk(&update["Key"]).starts_with("target#"))
}

/// Gives a target to whose it is then, without an update.
pub(super) fn hands_over(body: &Value) -> bool {
    pk(&body["Key"]).starts_with("target#") && !reads(body) && !begins(body)
}

pub(super) fn ends_a_lane(body: &Value) -> bool {
    body["TransactItems"]
        .as_array()
        .is_some_and(|writes| writes.iter().any(|write| write.get("Delete").is_some()))
}

/// Makes a change final.
pub(super) fn finishes(body: &Value) -> bool {
    updates(body, "#finished")
}

pub(super) fn reads_the_answer(body: &Value) -> bool {
    of_declaration(body) && of_answer(body) && reads(body)
}

pub(super) fn decides(body: &Value) -> bool {
    writes(body, "Update", of_declaration)
}

/// Stores that the answer has arrived.
pub(super) fn forgets_the_url(body: &Value) -> bool {
    of_declaration(body) && body["UpdateExpression"].as_str().is_some_and(|text| text.contains("REMOVE"))
}

fn pk(key: &Value) -> &str {
    key["pk"]["S"].as_str().unwrap_or_default()
}

fn sk(key: &Value) -> &str {
    key["sk"]["S"].as_str().unwrap_or_default()
}

fn keys(body: &Value) -> &Value {
    if body["Item"].is_null() { &body["Key"] } else { &body["Item"] }
}

fn of_declaration(body: &Value) -> bool {
    pk(keys(body)).starts_with("declaration#")
}

fn of_answer(body: &Value) -> bool {
    sk(keys(body)).contains('#')
}

fn reads(body: &Value) -> bool {
    body.get("UpdateExpression").is_none()
}

fn updates(body: &Value, name: &str) -> bool {
    body["UpdateExpression"].as_str().is_some_and(|text| text.split([' ', ',']).any(|word| word == name))
}

/// Whether a transaction has such a write.
fn writes(body: &Value, kind: &str, is: fn(&Value) -> bool) -> bool {
    body["TransactItems"].as_array().is_some_and(|writes| writes.iter().any(|write| is(&write[kind])))
}
