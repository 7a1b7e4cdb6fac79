//! `SendMessage` and its batch.

use super::{Done, Request, batch, queue_of, read, seconds_of};
use crate::identifier::uuid;
use crate::queue::message::{Attribute, Message};
use crate::queue::refusal::Refusal;
use crate::queue::settings::Settings;
use crate::queue::shelf::Shelf;
use crate::queue::store::{Now, Store};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

/// The largest message, and the largest batch, in bytes, attributes included ("`SendMessage`": 1 MiB).
const LARGEST: usize = 1_048_576;
/// The most attributes of a message (developer guide, "Amazon SQS message quotas").
const MOST_ATTRIBUTES: usize = 10;
/// The longest delay, in seconds ("`SendMessage`": 15 minutes).
const LONGEST_DELAY: u64 = 900;

/// A message as it is sent: a body, or an entry of a batch.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Sent {
    message_body: Option<String>,
    message_group_id: Option<String>,
    message_deduplication_id: Option<String>,
    delay_seconds: Option<i64>,
    #[serde(default)]
    message_attributes: BTreeMap<String, Attribute>,
    #[serde(default)]
    message_system_attributes: BTreeMap<String, Attribute>,
}

pub(super) fn one(shelf: &Shelf, request: &Request<'_>) -> Result<Done, Refusal> {
    let sent: Sent = read(request.body)?;
    let body =
        shelf.with(&queue_of(request.body)?, |store, now| sent.put_into(store, request.sender, now))?;
    let messages = body.get("MessageId").and_then(Value::as_str).map(str::to_owned).into_iter().collect();
    Ok(Done { body, messages })
}

pub(super) fn batch(shelf: &Shelf, request: &Request<'_>) -> Result<Done, Refusal> {
    let mut length = 0;
    for (_, entry) in batch::entries(request)? {
        let sent: Sent = read(entry)?;
        length += sent.length();
    }
    if length > LARGEST {
        return Err(Refusal::batch_too_long(LARGEST, length));
    }
    batch::run(shelf, request, |store, now, sent: &Sent| sent.put_into(store, request.sender, now))
}

impl Sent {
    /// The bytes that count: the body's, and of each attribute the name's, the type's and the value's.
    fn length(&self) -> usize {
        let attributes = self.message_attributes.iter().map(|(name, attribute)| {
            let value = attribute.string_value.as_ref().map_or(0, String::len)
                + attribute.bytes().map_or(0, |bytes| bytes.len());
            name.len() + attribute.data_type.len() + value
        });
        self.message_body.as_ref().map_or(0, String::len) + attributes.sum::<usize>()
    }

    /// Sends it, if the queue takes it; the members of the answer.
    fn put_into(&self, store: &mut Store, sender: &str, now: Now) -> Result<Value, Refusal> {
        let (message, delay) = self.message(&store.settings, sender, now)?;
        let kept = store.send(message, delay, now);
        let mut answer = json!({"MessageId": kept.id, "MD5OfMessageBody": kept.md5_of_body()});
        let further =
            [("MD5OfMessageAttributes", kept.md5_of_attributes()), ("SequenceNumber", kept.sequence_number)];
        if let Some(answer) = answer.as_object_mut() {
            let further =
                further.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.into())));
            answer.extend(further);
        }
        Ok(answer)
    }

    fn message(&self, queue: &Settings, sender: &str, now: Now) -> Result<(Message, Duration), Refusal> {
        let body = self.message_body.clone().filter(|body| !body.is_empty());
        let body = body.ok_or_else(|| Refusal::missing("MessageBody"))?;
        if !body.chars().all(is_allowed) {
            return Err(Refusal::invalid_contents());
        }
        if self.length() > LARGEST {
            let reason = format!("Message must be shorter than {LARGEST} bytes.");
            return Err(Refusal::invalid(format!("One or more parameters are invalid. Reason: {reason}")));
        }
        self.check_attributes()?;
        let trace = self.message_system_attributes.get("AWSTraceHeader");
        Ok((
            Message {
                id: uuid(),
                group: self.group(queue)?,
                deduplication_id: self.deduplication_id(queue, &body)?,
                body,
                sequence_number: None,
                attributes: self.message_attributes.clone(),
                trace_header: trace.and_then(|attribute| attribute.string_value.clone()),
                sender_id: sender.to_owned(),
                sent_ms: now.epoch_ms,
                receives: 0,
                first_received_ms: None,
                dead_letter_source: None,
                in_flight: false,
            },
            self.delay(queue)?,
        ))
    }

    fn check_attributes(&self) -> Result<(), Refusal> {
        let count = self.message_attributes.len();
        if count > MOST_ATTRIBUTES {
            let message = format!(
                "Number of message attributes [{count}] exceeds the allowed maximum [{MOST_ATTRIBUTES}]."
            );
            return Err(Refusal::invalid(message));
        }
        for (name, attribute) in &self.message_attributes {
            let value = match attribute.data_type.split('.').next() {
                Some("String" | "Number") => attribute.string_value.as_ref().map(String::len),
                Some("Binary") => attribute.bytes().map(|bytes| bytes.len()),
                _ => {
                    let message = format!(
                        "The message attribute '{name}' has an invalid message attribute type, the set of supported \
                         type prefixes is Binary, Number, and String."
                    );
                    return Err(Refusal::invalid(message));
                }
            };
            if value.is_none_or(|length| length == 0) {
                let message = format!(
                    "The message attribute '{name}' must contain non-empty message attribute value for message \
                     attribute type '{}'.",
                    attribute.data_type
                );
                return Err(Refusal::invalid(message));
            }
        }
        Ok(())
    }

    /// The message group: of a FIFO queue always, of a standard one if it is given ("fair queues").
    fn group(&self, queue: &Settings) -> Result<Option<String>, Refusal> {
        match &self.message_group_id {
            Some(group) => word("MessageGroupId", group).map(Some),
            None if queue.is_fifo() => Err(Refusal::missing("MessageGroupId")),
            None => Ok(None),
        }
    }

    fn deduplication_id(&self, queue: &Settings, body: &str) -> Result<Option<String>, Refusal> {
        match &self.message_deduplication_id {
            Some(id) if queue.is_fifo() => word("MessageDeduplicationId", id).map(Some),
            Some(id) => Err(not_of_this_kind("MessageDeduplicationId", id)),
            None if !queue.is_fifo() => Ok(None),
            None if queue.content_based_deduplication => Ok(Some(sha256(body))),
            None => Err(Refusal::invalid(
                "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided \
                 explicitly",
            )),
        }
    }

    fn delay(&self, queue: &Settings) -> Result<Duration, Refusal> {
        match self.delay_seconds {
            Some(seconds) if queue.is_fifo() && seconds != 0 => {
                Err(not_of_this_kind("DelaySeconds", seconds))
            }
            Some(seconds) => seconds_of("DelaySeconds", seconds, LONGEST_DELAY),
            None => Ok(Duration::ZERO),
        }
    }
}

fn not_of_this_kind(parameter: &str, value: impl std::fmt::Display) -> Refusal {
    let reason = "The request include parameter that is not valid for this queue type";
    Refusal::invalid_value(parameter, value, reason)
}

/// A group or a deduplication id: 1 to 128 letters, digits and punctuation characters of ASCII.
fn word(parameter: &str, value: &str) -> Result<String, Refusal> {
    let allowed = value.bytes().all(|byte| byte.is_ascii_graphic());
    if allowed && (1..=128).contains(&value.len()) {
        return Ok(value.to_owned());
    }
    let reason =
        format!("{parameter} can only include alphanumeric and punctuation characters. 1 to 128 in length.");
    Err(Refusal::invalid_value(parameter, value, &reason))
}

/// The characters of a body ("`SendMessage`").
const fn is_allowed(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

fn sha256(text: &str) -> String {
    let mut id = String::with_capacity(64);
    for byte in Sha256::digest(text) {
        // Writing to a `String` cannot fail.
        let _ = write!(id, "{byte:02x}");
    }
    id
}
