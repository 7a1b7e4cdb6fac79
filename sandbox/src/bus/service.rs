//! One request, from its arrival to its answer.

use super::NAME;
use super::entry::{Entry, Event};
use super::fault::{Fault, Operation};
use crate::aws_json::{self, Call};
use crate::connections::{Answer, HangUp, Respond};
use crate::faults::Plan;
use crate::identifier::uuid;
use crate::journal::Journal;
use hyper::StatusCode;
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use serde_json::{Value, json};
use std::future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use time::OffsetDateTime;

const NAMESPACE: &str = "com.amazonaws.events";
/// The most entries of a request, and the most bytes of them together ("`PutEvents`", Amazon EventBridge API, before
/// the limit was raised).
const MOST_ENTRIES: usize = 10;
const LARGEST: usize = 262_144;

/// What answers the requests.
#[derive(Debug)]
pub(super) struct Service {
    pub plan: Mutex<Plan<Fault>>,
    pub journal: Arc<Journal<Entry>>,
    pub events: Mutex<Vec<Event>>,
}

/// A refusal: status, name, message.
type Refusal = (StatusCode, &'static str, String);

impl Service {
    pub(super) fn events(&self) -> MutexGuard<'_, Vec<Event>> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn answer(&self, call: Call) -> Result<Answer, HangUp> {
        let fault =
            self.plan.lock().unwrap_or_else(PoisonError::into_inner).next(Operation::PutEvents, &call.body);
        let mut line = self.journal.open(Entry {
            sequence: 0,
            at: OffsetDateTime::now_utc(),
            attempt: call.attempt(),
            body: call.body.clone(),
            taken: 0,
            status: None,
            fault,
        });
        if fault == Some(Fault::Closed) {
            return Err(HangUp);
        }
        let outcome = match refusal(&call, fault) {
            Some(refusal) => Err(refusal),
            None => Ok(self.put(&call.body, fault == Some(Fault::EntryFailed))),
        };
        if let Ok((taken, _)) = &outcome {
            line.write(|entry| entry.taken = *taken);
        }
        match fault {
            Some(Fault::AnswerLost) => return Err(HangUp),
            Some(Fault::NeverAnswered) => future::pending().await,
            _ => {}
        }
        let (status, body) = match outcome {
            Ok((_, body)) => (StatusCode::OK, body),
            Err((status, name, message)) => (status, aws_json::error(NAMESPACE, name, &message)),
        };
        line.write(|entry| entry.status = Some(status.as_u16()));
        let mut answer = aws_json::answer(status, body.to_string(), &uuid());
        let of_protocol = HeaderValue::from_static("application/x-amz-json-1.1");
        answer.headers_mut().insert(CONTENT_TYPE, of_protocol);
        Ok(answer)
    }

    /// Takes the entries: how many, and the answer.
    fn put(&self, body: &Value, all_fail: bool) -> (usize, Value) {
        let mut answers = Vec::new();
        let mut taken = 0;
        for entry in body.get("Entries").and_then(Value::as_array).into_iter().flatten() {
            let event = if all_fail {
                Err(("InternalFailure", "internal failure".to_owned()))
            } else {
                event(entry).map_err(|(code, message)| (code, message.to_owned()))
            };
            answers.push(match event {
                Ok(event) => {
                    let id = event.id.clone();
                    self.events().push(event);
                    taken += 1;
                    json!({ "EventId": id })
                }
                Err((code, message)) => json!({ "ErrorCode": code, "ErrorMessage": message }),
            });
        }
        let failed = answers.len() - taken;
        (taken, json!({ "FailedEntryCount": failed, "Entries": answers }))
    }
}

impl Respond for Service {
    async fn respond(self: Arc<Self>, request: hyper::Request<Incoming>) -> Result<Answer, HangUp> {
        let call = Call::read(request).await?;
        self.answer(call).await
    }
}

/// Why the whole request is refused.
fn refusal(call: &Call, fault: Option<Fault>) -> Option<Refusal> {
    let refused = |status, name, message: &str| Some((status, name, message.to_owned()));
    match fault {
        Some(Fault::Throttled) => {
            return refused(StatusCode::BAD_REQUEST, "ThrottlingException", "Rate exceeded");
        }
        Some(Fault::Internal) => {
            return refused(StatusCode::INTERNAL_SERVER_ERROR, "InternalException", "internal failure");
        }
        Some(Fault::Unavailable) => {
            return refused(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable", "try again later");
        }
        _ => {}
    }
    if call.target() != Some(("AWSEvents", "PutEvents")) {
        return refused(StatusCode::BAD_REQUEST, "UnknownOperationException", "not served");
    }
    let signature = call.head.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    if !signature.is_some_and(|value| value.contains("/events/aws4_request")) {
        let message = "Missing Authentication Token";
        return refused(StatusCode::FORBIDDEN, "MissingAuthenticationToken", message);
    }
    let entries = call.body.get("Entries").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    if entries.is_empty() || entries.len() > MOST_ENTRIES {
        return refused(StatusCode::BAD_REQUEST, "ValidationException", "1 to 10 entries are taken");
    }
    if let Some(other) = entries.iter().find(|entry| !is_ours(text(entry, "EventBusName"))) {
        let message =
            format!("Event bus {} does not exist.", text(other, "EventBusName").unwrap_or("without a name"));
        return refused(StatusCode::BAD_REQUEST, "ResourceNotFoundException", &message);
    }
    if entries.iter().map(size).sum::<usize>() > LARGEST {
        let message = "Total size of the entries in the request is over the limit.";
        return refused(StatusCode::BAD_REQUEST, "ValidationException", message);
    }
    None
}

fn text<'e>(entry: &'e Value, name: &str) -> Option<&'e str> {
    entry.get(name)?.as_str()
}

fn is_ours(bus: Option<&str>) -> bool {
    bus.is_some_and(|bus| bus == NAME || bus.ends_with(&format!(":event-bus/{NAME}")))
}

/// An entry's size ("Calculating Amazon EventBridge `PutEvents` event entry size").
fn size(entry: &Value) -> usize {
    let of = |name: &str| text(entry, name).map_or(0, str::len);
    let time = if entry.get("Time").is_some() { 14 } else { 0 };
    time + of("Source") + of("DetailType") + of("Detail")
}

fn event(entry: &Value) -> Result<Event, (&'static str, &'static str)> {
    let required = |name: &str| text(entry, name).filter(|text| !text.is_empty());
    let (Some(source), Some(detail_type), Some(detail)) =
        (required("Source"), required("DetailType"), required("Detail"))
    else {
        return Err(("InvalidArgument", "Source, DetailType and Detail are required."));
    };
    if source.starts_with("aws.") {
        return Err(("NotAuthorizedForSourceException", "Not authorized for the source."));
    }
    let parsed: Value = serde_json::from_str(detail).unwrap_or_default();
    if !parsed.is_object() {
        return Err(("MalformedDetail", "Detail is malformed."));
    }
    #[expect(clippy::cast_precision_loss, reason = "seconds of this century")]
    let now = OffsetDateTime::now_utc().unix_timestamp() as f64;
    Ok(Event {
        id: uuid(),
        bus: text(entry, "EventBusName").unwrap_or_default().to_owned(),
        source: source.to_owned(),
        detail_type: detail_type.to_owned(),
        time: entry.get("Time").and_then(Value::as_f64).unwrap_or(now),
        detail: parsed,
        text: detail.to_owned(),
    })
}
