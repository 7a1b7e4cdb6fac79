//! A scene as a page for a person, at most 96 columns wide.

use super::audit::steps;
use super::json::fill;
use super::payload::{Payload, description};
use super::scene::{Change, Scene};
use super::section::{MARGIN, Section, WIDTH};
use crate::palette::Palette;
use crate::serve::call::short;
use sandbox::expectation::Trigger;
use sandbox::lambda::Answer;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// At most so many lines of the function's log are shown after an unexpected answer.
const LOG: usize = 12;

/// The payload. It is printed first, so that a person sees what is waited for.
pub(super) fn heading(payload: &Payload, number: usize, count: usize, palette: Palette) -> String {
    let name = payload.path.file_name().unwrap_or_default();
    let name = name.to_string_lossy();
    let place = format!("{number}/{count}");
    let rule = WIDTH.saturating_sub(name.chars().count() + place.len() + 6);
    let mut page = format!(
        "{} {} {} {}\n",
        palette.dim("──"),
        palette.bold(&name),
        palette.dim("─".repeat(rule)),
        palette.dim(place)
    );
    let mut section = Section::new(&mut page, palette, "Sent");
    section.line(description(payload.expectation.trigger));
    section.line(&palette.dim(payload.path.display().to_string()));
    let (request, change) = asked(payload);
    if let Some(request) = request {
        section.line(&request);
    }
    section.document(&change);
    page
}

/// The results.
pub(super) fn outcome(payload: &Payload, scene: &Scene, palette: Palette) -> String {
    let mut page = String::new();
    answer(&mut page, payload, scene, palette);
    changed(&mut page, scene, palette);
    audit(&mut page, scene, palette);
    if scene.mismatch.is_some() {
        log(&mut page, scene, palette);
    }
    page
}

/// The request line, if there is one, and the change document, or the whole payload if it cannot be
/// found.
fn asked(payload: &Payload) -> (Option<String>, String) {
    let whole = || String::from_utf8_lossy(&payload.bytes).trim().to_owned();
    let Ok(event) = serde_json::from_slice::<Value>(&payload.bytes) else {
        return (None, whole());
    };
    let at = |pointer: &str| event.pointer(pointer).and_then(Value::as_str);
    let inner = |pointer: &str| match event.pointer(pointer) {
        Some(Value::String(text)) => Some(text.clone()),
        Some(Value::Null) | None => None,
        Some(document) => Some(document.to_string()),
    };
    match payload.expectation.trigger {
        Trigger::Http | Trigger::Rest => {
            let method = at("/requestContext/http/method").or_else(|| at("/httpMethod"));
            let path = at("/rawPath").or_else(|| at("/path"));
            let request = method.zip(path).map(|(method, path)| format!("{method} {path}"));
            (request, inner("/body").unwrap_or_default())
        }
        Trigger::EventBridge => {
            let kind = at("/source").zip(at("/detail-type"));
            let request = kind.map(|(source, kind)| format!("“{kind}” from {source}"));
            (request, detail(&payload.bytes).unwrap_or_else(whole))
        }
        Trigger::Sqs => {
            let records = event.pointer("/Records").and_then(Value::as_array);
            let count = records.map_or(0, Vec::len);
            let request = match count {
                1 => "1 message, its body:".to_owned(),
                _ => format!("{count} messages, the first one's body:"),
            };
            (Some(request), inner("/Records/0/body").unwrap_or_else(whole))
        }
        Trigger::Bare => (None, whole()),
        Trigger::Cloudformation => {
            let kind = at("/RequestType").zip(at("/LogicalResourceId"));
            let request = kind.map(|(kind, name)| match kind {
                "Create" => format!("{kind} of `{name}`"),
                _ => format!("{kind} of `{name}`, which a Create has made"),
            });
            (request, properties(&payload.bytes).unwrap_or_else(whole))
        }
    }
}

/// The properties of a resource, in their own order.
fn properties(request: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Request<'a> {
        #[serde(borrow, rename = "ResourceProperties")]
        properties: &'a RawValue,
    }
    let request: Request<'_> = serde_json::from_slice(request).ok()?;
    Some(request.properties.get().to_owned())
}

/// An event's `detail`, its members in their own order; the text, if it is a string.
fn detail(event: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Event<'a> {
        #[serde(borrow)]
        detail: &'a RawValue,
    }
    let event: Event<'_> = serde_json::from_slice(event).ok()?;
    let raw = event.detail.get();
    Some(serde_json::from_str(raw).unwrap_or_else(|_| raw.to_owned()))
}

fn answer(page: &mut String, payload: &Payload, scene: &Scene, palette: Palette) {
    let mut section = Section::new(page, palette, "Answer");
    let (summary, document) = match &scene.answer {
        Answer::Response(bytes) => response(payload.expectation.trigger, bytes),
        Answer::Error { error_type, error_message } => {
            (format!("function error {error_type}"), error_message.clone())
        }
        Answer::InitError { error_type, error_message } => {
            (format!("the function did not start: {error_type}"), error_message.clone())
        }
        Answer::Exited(Some(code)) => (format!("the process ended with code {code}"), String::new()),
        Answer::Exited(None) => ("the process was ended by a signal".to_owned(), String::new()),
        Answer::TimedOut => ("none before the deadline".to_owned(), String::new()),
    };
    let took = palette.dim(format!("({} ms)", scene.duration.as_millis()));
    let verdict = match &scene.mismatch {
        None => palette.good("✓ as expected"),
        Some(_) => palette.bad(format!("✗ expected {}", payload.expectation)),
    };
    section.line(&format!("{}  {verdict}  {took}", palette.bold(summary)));
    section.document(&document);
}

/// A summary of a response, and its document.
fn response(trigger: Trigger, bytes: &[u8]) -> (String, String) {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let answer: Value = serde_json::from_slice(bytes).unwrap_or_default();
    let word = |document: &Value| {
        let status = document.get("status").and_then(Value::as_str);
        status.map(|status| format!(" {status}")).unwrap_or_default()
    };
    match (trigger, answer.get("statusCode")) {
        (Trigger::Http | Trigger::Rest, Some(status)) => {
            let body = answer.get("body").and_then(Value::as_str);
            let body = body.unwrap_or_default().to_owned();
            let report: Value = serde_json::from_str(&body).unwrap_or_default();
            (format!("HTTP {status}{}", word(&report)), body)
        }
        (Trigger::Sqs, _) => ("batch response".to_owned(), text),
        (Trigger::Cloudformation, _) => {
            let status = answer.get("Status").and_then(Value::as_str).unwrap_or_default();
            (format!("for CloudFormation {status}"), text)
        }
        _ => (format!("report{}", word(&answer)), text),
    }
}

fn changed(page: &mut String, scene: &Scene, palette: Palette) {
    let mut section = Section::new(page, palette, "Changed");
    let mut operations = BTreeMap::new();
    for call in &scene.calls {
        let name = match call.operation {
            Some(operation) => short(operation),
            None => call.method.as_str(),
        };
        *operations.entry(name).or_insert(0) += 1;
    }
    let calls = operations.iter().map(|(name, count)| format!("{count} {name}"));
    let calls = match operations.len() {
        0 => "(not called)".to_owned(),
        _ => format!("(calls: {})", calls.collect::<Vec<_>>().join(", ")),
    };
    if scene.changes.is_empty() {
        section.line(&format!("nothing at Amazon Connect  {}", palette.dim(calls)));
        return;
    }
    section.line(
        &palette.dim(format!("{:<10} {:<6} {:<18} file types  {calls}", "instance", "scope", "largest file")),
    );
    for change in &scene.changes {
        change_lines(&mut section, change, palette);
    }
}

fn change_lines(section: &mut Section<'_>, change: &Change, palette: Palette) {
    let difference = &change.difference;
    let left = format!("{:<10} {:<6} ", change.alias, change.scope);
    let size = format!("{:<18} ", difference.size);
    let room = WIDTH.saturating_sub(MARGIN + left.chars().count() + size.chars().count());
    let mut types = fill(&difference.types(), " ", room);
    if types.is_empty() {
        types.push("as before".to_owned());
    }
    let margin = " ".repeat(left.chars().count() + size.chars().count());
    let size = if difference.resized { palette.bold(size) } else { size };
    for (number, row) in types.iter().enumerate() {
        let painted: Vec<String> = row
            .split(' ')
            .map(|word| match word.chars().next() {
                Some('+') => palette.good(word),
                Some('−') => palette.bad(word),
                _ => palette.dim(word),
            })
            .collect();
        let painted = painted.join(" ");
        if number == 0 {
            section.line(&format!("{left}{size}{painted}"));
        } else {
            section.line(&format!("{margin}{painted}"));
        }
    }
}

fn audit(page: &mut String, scene: &Scene, palette: Palette) {
    let mut section = Section::new(page, palette, "Audit");
    if scene.audit.is_empty() {
        section.line(&palette.careful("no line"));
    }
    for step in scene.audit.iter().flat_map(|line| steps(line)) {
        section.line(&step.line(palette));
    }
}

/// The function's log; shown only after an unexpected answer.
fn log(page: &mut String, scene: &Scene, palette: Palette) {
    let mut section = Section::new(page, palette, "Log");
    let hidden = scene.log.len().saturating_sub(LOG);
    if hidden > 0 {
        section.line(&palette.dim(format!("{hidden} lines before these")));
    }
    if scene.log.is_empty() {
        section.line(&palette.dim("empty"));
    }
    for text in scene.log.iter().skip(hidden) {
        section.line(text);
    }
}
