//! Recognises a payload's envelope by its distinguishing keys, never by trial deserialisation.

use super::envelope::{Envelope, NotAccepted};
use super::{Trigger, event_bridge, http, sqs, widget};
use crate::origin::{Invocation, TriggerKind};
use crate::policy::document;
use serde_json::value::RawValue;

/// The payload types whose distinguishing keys are present.
fn marks(envelope: &Envelope<'_>) -> Vec<Mark> {
    let mut found = Vec::new();
    let rest = envelope.has("httpMethod") && envelope.has("requestContext");
    if envelope.get("version") == Some("\"2.0\"") && envelope.has("requestContext") {
        found.push(Mark::HttpV2);
    } else if rest {
        found.push(Mark::HttpV1);
    }
    if envelope.has("detail-type") && envelope.has("source") {
        found.push(Mark::EventBridge);
    }
    if envelope.has("Records") {
        found.push(Mark::Records);
    }
    if envelope.has("sweep") {
        found.push(Mark::Sweep);
    }
    if envelope.has("RequestType") && envelope.has("ResponseURL") {
        found.push(Mark::Cloudformation);
    }
    let is_change = is_change(envelope);
    if widget::is_asked(envelope, is_change) {
        found.push(Mark::Widget);
    }
    if is_change {
        found.push(Mark::Bare);
    }
    found
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    HttpV2,
    HttpV1,
    EventBridge,
    Records,
    Bare,
    Sweep,
    Cloudformation,
    Widget,
}

impl Mark {
    const fn name(self) -> &'static str {
        match self {
            Self::HttpV2 => "an HTTP API request (2.0)",
            Self::HttpV1 => "a REST API request (1.0)",
            Self::EventBridge => "an EventBridge event",
            Self::Records => "a batch of records",
            Self::Bare => "a policy change",
            Self::Sweep => "the schedule of the sweep",
            Self::Cloudformation => "a request of a CloudFormation custom resource",
            Self::Widget => "a dashboard's widget",
        }
    }
}

/// A bare change carries a field that only a policy change has.
fn is_change(envelope: &Envelope<'_>) -> bool {
    envelope.names().any(document::is_mark)
}

/// Recognises and decodes a payload.
///
/// # Errors
/// The payload is unrecognised or malformed. The message describes what was received.
pub fn recognise<'a>(payload: &'a RawValue, invocation: &Invocation) -> Result<Trigger<'a>, NotAccepted> {
    let Some(envelope) = Envelope::open(payload) else {
        let seen = match payload.get().as_bytes().first() {
            Some(b'[') => "an array",
            Some(b'"') => "a string",
            Some(b'n') => "null",
            Some(b't' | b'f') => "a boolean",
            _ => "a number",
        };
        return Err(NotAccepted::Unrecognised(format!("{seen}, not an object")));
    };
    let marks = marks(&envelope);
    match marks.as_slice() {
        [Mark::HttpV2] => http::decode::version_2(payload, &envelope, invocation)
            .map(|request| Trigger::Http(Box::new(request))),
        [Mark::HttpV1] => http::decode::version_1(payload, &envelope, invocation)
            .map(|request| Trigger::Http(Box::new(request))),
        [Mark::EventBridge] => {
            event_bridge::decode(&envelope, invocation).map(|event| Trigger::EventBridge(Box::new(event)))
        }
        [Mark::Records] => sqs::decode(&envelope, invocation).map(Trigger::Sqs),
        [Mark::Bare] => Ok(Trigger::Bare(payload)),
        [Mark::Cloudformation] => Ok(Trigger::Cloudformation(payload)),
        [Mark::Sweep] => match envelope.get("sweep") {
            Some("true") => Ok(Trigger::Sweep),
            _ => Err(NotAccepted::malformed(TriggerKind::Sweep, "`sweep` must be true")),
        },
        [Mark::Widget] => widget::decode(&envelope, payload).map(Trigger::Widget),
        [] => Err(NotAccepted::Unrecognised(format!(
            "{}; it is not an API Gateway, EventBridge or SQS payload, and not a policy change",
            envelope.keys()
        ))),
        several => {
            let names: Vec<_> = several.iter().map(|mark| mark.name()).collect();
            Err(NotAccepted::Unrecognised(format!(
                "it matches more than one payload type: {}",
                names.join(" and ")
            )))
        }
    }
}
