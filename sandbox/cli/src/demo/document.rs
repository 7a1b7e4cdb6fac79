//! A scene as a JSON document, for programs.

use super::payload::Payload;
use super::scene::Scene;
use sandbox::connect::{Configuration, Entry, Scope};
use sandbox::lambda::Answer;
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    file: String,
    trigger: &'static str,
    ending: &'static str,
    as_expected: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    mismatch: Option<Value>,
    answer: Given<'a>,
    changes: Vec<Changed<'a>>,
    calls: &'a [Entry],
    audit: Vec<Line<'a>>,
    log: Vec<Line<'a>>,
    duration_ms: u128,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase", tag = "kind")]
enum Given<'a> {
    Response {
        document: Line<'a>,
    },
    #[serde(rename_all = "camelCase")]
    Error {
        error_type: &'a str,
        error_message: &'a str,
    },
    #[serde(rename_all = "camelCase")]
    InitError {
        error_type: &'a str,
        error_message: &'a str,
    },
    #[serde(rename_all = "camelCase")]
    Exited {
        exit_code: Option<i32>,
    },
    TimedOut,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Changed<'a> {
    instance_id: &'a str,
    attachment_scope: Scope,
    before: &'a Configuration,
    after: &'a Configuration,
}

/// JSON as it was written, or text that is not JSON.
#[derive(Serialize)]
#[serde(untagged)]
enum Line<'a> {
    Json(&'a RawValue),
    Text(String),
}

impl<'a> Line<'a> {
    fn of(bytes: &'a [u8]) -> Self {
        serde_json::from_slice(bytes)
            .map_or_else(|_| Self::Text(String::from_utf8_lossy(bytes).into_owned()), Self::Json)
    }
}

/// The document, on one line.
pub(super) fn of(payload: &Payload, scene: &Scene) -> serde_json::Result<String> {
    serde_json::to_string(&Document {
        file: payload.path.display().to_string(),
        trigger: payload.expectation.trigger.name(),
        ending: payload.expectation.ending.name(),
        as_expected: scene.mismatch.is_none(),
        mismatch: scene
            .mismatch
            .as_ref()
            .map(|mismatch| json!({"expected": mismatch.expected, "actual": mismatch.actual})),
        answer: given(&scene.answer),
        changes: scene
            .changes
            .iter()
            .map(|change| Changed {
                instance_id: &change.instance_id,
                attachment_scope: change.scope,
                before: &change.before,
                after: &change.after,
            })
            .collect(),
        calls: &scene.calls,
        audit: written(&scene.audit),
        log: written(&scene.log),
        duration_ms: scene.duration.as_millis(),
    })
}

fn written(lines: &[String]) -> Vec<Line<'_>> {
    lines.iter().map(|line| Line::of(line.as_bytes())).collect()
}

fn given(answer: &Answer) -> Given<'_> {
    match answer {
        Answer::Response(bytes) => Given::Response { document: Line::of(bytes) },
        Answer::Error { error_type, error_message } => Given::Error { error_type, error_message },
        Answer::InitError { error_type, error_message } => Given::InitError { error_type, error_message },
        Answer::Exited(exit_code) => Given::Exited { exit_code: *exit_code },
        Answer::TimedOut => Given::TimedOut,
    }
}
