//! SQS: a batch of messages, each a policy change or a whole EventBridge envelope.

use super::envelope::{Envelope, NotAccepted};
use super::event_bridge::{self, Event};
use super::lane::{self, LanePointer};
use crate::origin::{IdentitySource, Invocation, Origin, TriggerKind};
use crate::policy::ChangeId;
use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsMessage};
use serde_json::value::RawValue;
use time::OffsetDateTime;

/// One message of a batch, decoded by itself so that a bad one fails alone.
#[derive(Debug)]
pub struct Record {
    /// What `batchItemFailures` names it by.
    pub message_id: String,
    /// What `ChangeMessageVisibility` names it by.
    pub receipt_handle: Option<String>,
    /// `ApproximateReceiveCount`, 1 at the first delivery.
    pub receive_count: u32,
    /// Its queue.
    pub queue_arn: Option<String>,
    /// Whether its queue is FIFO: then later records wait for this one.
    pub fifo: bool,
    /// Who sent it.
    pub origin: Origin,
    /// The message's body.
    pub body: String,
}

/// What a message's body holds.
#[derive(Debug)]
pub enum Content<'a> {
    /// A change document.
    Document(&'a str),
    /// An EventBridge envelope, as a rule with a queue as its target delivers it.
    Event(Box<Event<'a>>),
    /// A pointer to a recorded change's part in one account and Region.
    Lane(LanePointer),
}

/// The largest batch of an event source mapping ("Using Lambda with Amazon SQS", `BatchSize`).
const MAX_RECORDS: usize = 10_000;

/// Decodes a batch. SQS sends none that is empty; the start check of a deployment does, to learn whether the function
/// starts.
pub(super) fn decode(envelope: &Envelope<'_>, invocation: &Invocation) -> Result<Vec<Record>, NotAccepted> {
    envelope.once(TriggerKind::Sqs, &["Records"])?;
    let records = envelope.get("Records").unwrap_or_default();
    let records: Vec<&RawValue> = serde_json::from_str(records)
        .map_err(|_| NotAccepted::malformed(TriggerKind::Sqs, "`Records` is not an array"))?;
    if records.len() > MAX_RECORDS {
        let count = records.len();
        return Err(NotAccepted::malformed(
            TriggerKind::Sqs,
            format_args!("`Records` has {count} entries; SQS sends at most {MAX_RECORDS}"),
        ));
    }
    records.into_iter().enumerate().map(|(index, raw)| record(index, raw, invocation)).collect()
}

fn record(index: usize, raw: &RawValue, invocation: &Invocation) -> Result<Record, NotAccepted> {
    let fields = Envelope::open(raw).ok_or_else(|| {
        NotAccepted::malformed(TriggerKind::Sqs, format_args!("`Records[{index}]` is not an object"))
    })?;
    match fields.get("eventSource").or_else(|| fields.get("EventSource")) {
        Some("\"aws:sqs\"") => {}
        other => {
            let source =
                other.map_or_else(|| "(none)".to_owned(), |source| source.chars().take(60).collect());
            return Err(NotAccepted::Unrecognised(format!(
                "the records' event source is {source}; only \"aws:sqs\" is accepted"
            )));
        }
    }
    let message: SqsMessage = serde_json::from_str(raw.get())
        .map_err(|error| NotAccepted::shape(TriggerKind::Sqs, &format!("`Records[{index}]`"), &error))?;
    let missing =
        |name| NotAccepted::malformed(TriggerKind::Sqs, format_args!("`Records[{index}]` has no `{name}`"));
    let message_id = message.message_id.ok_or_else(|| missing("messageId"))?;
    let receive_count =
        message.attributes.get("ApproximateReceiveCount").and_then(|count| count.parse().ok());
    let origin = Origin {
        kind: TriggerKind::Sqs,
        principal: message.attributes.get("SenderId").cloned(),
        account: None,
        claimed_account: None,
        vouched_by: IdentitySource::SqsSender,
        source_ip: None,
        service: "sqs.amazonaws.com".to_owned(),
        request_id: Some(message_id.clone()),
        received_at: message.attributes.get("SentTimestamp").and_then(|sent| sent_at(sent)),
        invocation: invocation.clone(),
    };
    Ok(Record {
        message_id,
        receipt_handle: message.receipt_handle,
        receive_count: receive_count.unwrap_or(1),
        fifo: message.event_source_arn.as_deref().is_some_and(is_fifo),
        queue_arn: message.event_source_arn,
        origin,
        body: message.body.unwrap_or_default(),
    })
}

impl Record {
    /// Whether the body points at a lane.
    pub fn is_pointer(&self) -> bool {
        matches!(self.content(), Ok(Content::Lane(_)))
    }

    /// What the body holds.
    ///
    /// # Errors
    /// It is an EventBridge envelope or a pointer to a lane, but broken.
    pub fn content(&self) -> Result<Content<'_>, NotAccepted> {
        let document = Content::Document(&self.body);
        let Ok(body) = serde_json::from_str::<&RawValue>(&self.body) else {
            return Ok(document);
        };
        match Envelope::open(body) {
            Some(envelope) if envelope.is_event() => {
                let mut event = event_bridge::decode(&envelope, &self.origin.invocation)?;
                // only the queue's sender is verified: anyone who may send to the queue can forge an event
                let stamped = std::mem::replace(&mut event.origin, self.origin.clone());
                event.origin.service = stamped.service;
                event.origin.claimed_account = stamped.account;
                // where it is no id for a change, that of the message stays
                if ChangeId::from_request(&event.id).is_some() {
                    event.origin.request_id = Some(event.id.clone());
                }
                Ok(Content::Event(Box::new(event)))
            }
            Some(envelope) if lane::is_pointer(&envelope) => lane::decode(&envelope, body).map(Content::Lane),
            _ => Ok(document),
        }
    }
}

/// `SentTimestamp`: milliseconds since the epoch (`ReceiveMessage`, Amazon SQS API).
fn sent_at(milliseconds: &str) -> Option<OffsetDateTime> {
    let milliseconds: i128 = milliseconds.parse::<u64>().ok()?.into();
    OffsetDateTime::from_unix_timestamp_nanos(milliseconds * 1_000_000).ok()
}

/// FIFO queues are known by their name's suffix, in lower case.
fn is_fifo(arn: &str) -> bool {
    arn.as_bytes().ends_with(b".fifo")
}

/// The batch's answer: the messages that SQS must deliver again.
pub fn answer(failures: Vec<String>) -> SqsBatchResponse {
    let mut response = SqsBatchResponse::default();
    for id in failures {
        let mut failure = BatchItemFailure::default();
        failure.item_identifier = id;
        response.batch_item_failures.push(failure);
    }
    response
}
