//! `ReceiveMessage`.

use super::{Done, Request, queue_of, read, seconds_of};
use crate::queue::message::{Attribute, Message};
use crate::queue::refusal::Refusal;
use crate::queue::shelf::Shelf;
use crate::queue::store::{LONGEST_INVISIBILITY, Received};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// The most messages of an answer.
const MOST: usize = 10;
/// The longest wait, in seconds.
const LONGEST_WAIT: u64 = 20;
/// The names that `MessageSystemAttributeNames` may have.
const KNOWN: [&str; 10] = [
    "All",
    "SenderId",
    "SentTimestamp",
    "ApproximateReceiveCount",
    "ApproximateFirstReceiveTimestamp",
    "SequenceNumber",
    "MessageDeduplicationId",
    "MessageGroupId",
    "AWSTraceHeader",
    "DeadLetterQueueSourceArn",
];

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Wanted {
    max_number_of_messages: Option<i64>,
    visibility_timeout: Option<i64>,
    wait_time_seconds: Option<i64>,
    /// The older name of the next one.
    #[serde(default)]
    attribute_names: Vec<String>,
    #[serde(default)]
    message_system_attribute_names: Vec<String>,
    #[serde(default)]
    message_attribute_names: Vec<String>,
}

pub(super) async fn run(shelf: &Shelf, request: &Request<'_>) -> Result<Done, Refusal> {
    let queue = queue_of(request.body)?;
    let wanted: Wanted = read(request.body)?;
    let at_most = wanted.max_number_of_messages.unwrap_or(1);
    let at_most =
        usize::try_from(at_most).ok().filter(|count| (1..=MOST).contains(count)).ok_or_else(|| {
            Refusal::invalid_value("MaxNumberOfMessages", at_most, "Must be between 1 and 10, if provided.")
        })?;
    let longest = LONGEST_INVISIBILITY.as_secs();
    let invisible =
        wanted.visibility_timeout.map(|seconds| seconds_of("VisibilityTimeout", seconds, longest));
    let wait = wanted.wait_time_seconds.map(|seconds| seconds_of("WaitTimeSeconds", seconds, LONGEST_WAIT));
    let unknown = wanted.system().find(|name| !KNOWN.contains(name));
    if let Some(unknown) = unknown {
        return Err(Refusal::unknown_attribute(unknown));
    }
    let received = shelf.receive(&queue, at_most, invisible.transpose()?, wait.transpose()?).await?;
    if received.is_empty() {
        return Ok(Done::nothing());
    }
    let messages = received.iter().map(|received| received.message.id.clone()).collect();
    let list: Vec<Value> = received.iter().map(|received| wanted.document(received)).collect();
    Ok(Done { body: json!({"Messages": list}), messages })
}

impl Wanted {
    fn system(&self) -> impl Iterator<Item = &str> {
        self.attribute_names.iter().chain(&self.message_system_attribute_names).map(String::as_str)
    }

    fn document(&self, received: &Received) -> Value {
        let message = &received.message;
        let mut document = json!({
            "MessageId": message.id,
            "ReceiptHandle": received.handle,
            "MD5OfBody": message.md5_of_body(),
            "Body": message.body,
        });
        let mut system = message.system_attributes();
        system.retain(|name, _| self.system().any(|wanted| wanted == "All" || wanted == name));
        let (attributes, digest) = self.attributes(message);
        if let Some(document) = document.as_object_mut() {
            if !system.is_empty() {
                document.insert("Attributes".to_owned(), system.into());
            }
            if !attributes.is_empty() {
                document.insert("MessageAttributes".to_owned(), attributes.into());
                document.insert("MD5OfMessageAttributes".to_owned(), digest.into());
            }
        }
        document
    }

    /// The attributes asked for, and their digest.
    fn attributes(&self, message: &Message) -> (Map<String, Value>, Option<String>) {
        let mut shown = message.clone();
        shown.attributes.retain(|name, _| self.asks_for(name));
        let digest = shown.md5_of_attributes();
        let document = |attribute: &Attribute| serde_json::to_value(attribute).unwrap_or_default();
        let shown = shown.attributes.iter().map(|(name, attribute)| (name.clone(), document(attribute)));
        (shown.collect(), digest)
    }

    /// By its name, by how it begins (`bar.*`), or with all others (`All`, `.*`).
    fn asks_for(&self, name: &str) -> bool {
        self.message_attribute_names.iter().any(|wanted| {
            let prefix = wanted.strip_suffix(".*");
            wanted == "All" || wanted == name || prefix.is_some_and(|prefix| name.starts_with(prefix))
        })
    }
}
