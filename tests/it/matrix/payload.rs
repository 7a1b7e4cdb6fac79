//! A cell's change as its trigger sends it, and the trigger's answer read back.

use super::cell::{Answer, Cell, Via};
use lambda_runtime::Diagnostic;
use serde_json::{Value, json};

/// What is asked of every target, in bytes: 10 MB.
pub(super) const ASKED: i64 = 10_485_760;

/// The payload. By a queue each instance is a message of its own, `m0` and on.
pub(super) fn payload(cell: &Cell) -> Value {
    let change = change(cell, cell.instances).to_string();
    match cell.via {
        Via::Bare => self::change(cell, cell.instances),
        Via::Http1 => {
            let mut request: Value = from(include_str!("../../../events/rest.succeeded.json"));
            request["body"] = change.into();
            request
        }
        Via::Http2 => {
            let mut request: Value = from(include_str!("../../../events/http.succeeded.json"));
            request["body"] = change.into();
            request
        }
        Via::EventBridge => {
            let mut event: Value = from(include_str!("../../../events/event-bridge.succeeded.json"));
            event["detail"] = self::change(cell, cell.instances);
            event
        }
        Via::Sqs => batch(cell, "changes"),
        Via::Fifo => batch(cell, "changes.fifo"),
    }
}

fn from(file: &str) -> Value {
    serde_json::from_str(file).unwrap()
}

fn change(cell: &Cell, instances: &[&str]) -> Value {
    let scopes: Vec<String> = cell.scopes.iter().map(ToString::to_string).collect();
    json!({"instanceIds": instances, "attachmentScopes": scopes, "maximumSizeLimitInBytes": ASKED})
}

fn batch(cell: &Cell, queue: &str) -> Value {
    let record = |(n, instance): (usize, &&str)| {
        let mut file: Value = from(include_str!("../../../events/sqs.succeeded.json"));
        let mut record = file["Records"][0].take();
        record["messageId"] = format!("m{n}").into();
        record["receiptHandle"] = format!("r{n}").into();
        record["body"] = change(cell, &[instance]).to_string().into();
        record["eventSourceARN"] = format!("arn:aws:sqs:us-east-1:111122223333:{queue}").into();
        record
    };
    json!({"Records": cell.instances.iter().enumerate().map(record).collect::<Vec<_>>()})
}

/// The change's id and the whole event, as they are to be found in a parked message.
pub(super) fn parked(cell: &Cell, payload: &Value) -> (String, String) {
    match cell.via {
        // the message in the middle is the one that fails
        Via::Sqs | Via::Fifo => ("m1".to_owned(), text(&payload["Records"][1]["body"])),
        _ => (text(&payload["id"]), payload.to_string()),
    }
}

/// The answer, and the report in it.
pub(super) fn answered(via: Via, result: &Result<Value, Diagnostic>) -> (Answer, Option<Value>) {
    let answer = match result {
        Ok(answer) => answer,
        Err(error) => {
            let report: Value = serde_json::from_str(&error.error_message).unwrap();
            return (Answer::Error(error.error_type.clone(), text(&report["status"])), Some(report));
        }
    };
    match via {
        Via::Bare | Via::EventBridge => (Answer::Report(text(&answer["status"])), Some(answer.clone())),
        Via::Http1 | Via::Http2 => {
            let body: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
            let problem = body["type"].as_str().map(|uri| uri.rsplit(':').next().unwrap().to_owned());
            let report = if problem.is_some() { body["report"].clone() } else { body };
            let retry_after = answer["headers"]["retry-after"].as_str().map(str::to_owned);
            let status = answer["statusCode"].as_u64().unwrap();
            (Answer::Http(status, problem, text(&report["status"]), retry_after), Some(report))
        }
        Via::Sqs | Via::Fifo => {
            let failures = answer["batchItemFailures"].as_array().unwrap();
            let ids = failures.iter().map(|failure| text(&failure["itemIdentifier"]));
            (Answer::Batch(ids.collect()), None)
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}
