//! `GetQueueAttributes`.

use super::{Done, Request, queue_of, read};
use crate::queue::refusal::Refusal;
use crate::queue::settings::arn;
use crate::queue::shelf::Shelf;
use crate::queue::store::{Now, Store};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// The names that not every queue has, and some that none has here.
const OPTIONAL: [&str; 9] = [
    "Policy",
    "KmsMasterKeyId",
    "KmsDataKeyReusePeriodSeconds",
    "RedriveAllowPolicy",
    "RedrivePolicy",
    "ContentBasedDeduplication",
    "FifoQueue",
    "DeduplicationScope",
    "FifoThroughputLimit",
];

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Wanted {
    #[serde(default)]
    attribute_names: Vec<String>,
}

pub(super) fn run(shelf: &Shelf, request: &Request<'_>) -> Result<Done, Refusal> {
    let wanted: Wanted = read(request.body)?;
    let mut attributes = shelf.look(&queue_of(request.body)?, attributes)?;
    for name in &wanted.attribute_names {
        if name != "All" && !attributes.contains_key(name) && !OPTIONAL.contains(&name.as_str()) {
            return Err(Refusal::unknown_attribute(name));
        }
    }
    attributes
        .retain(|name, _| wanted.attribute_names.iter().any(|wanted| wanted == "All" || wanted == name));
    if attributes.is_empty() {
        return Ok(Done::nothing());
    }
    Ok(Done::with(json!({"Attributes": attributes})))
}

/// The attributes of a queue, every value a text.
fn attributes(store: &Store, now: Now) -> Map<String, Value> {
    let settings = &store.settings;
    let (visible, in_flight, delayed) = store.counts(now);
    let created = store.created_ms / 1000;
    let mut attributes = vec![
        ("QueueArn", settings.arn()),
        ("ApproximateNumberOfMessages", visible.to_string()),
        ("ApproximateNumberOfMessagesNotVisible", in_flight.to_string()),
        ("ApproximateNumberOfMessagesDelayed", delayed.to_string()),
        ("CreatedTimestamp", created.to_string()),
        ("LastModifiedTimestamp", created.to_string()),
        ("VisibilityTimeout", settings.visibility_timeout.as_secs().to_string()),
        ("MaximumMessageSize", "1048576".to_owned()),
        ("MessageRetentionPeriod", settings.retention.as_secs().to_string()),
        ("DelaySeconds", "0".to_owned()),
        ("ReceiveMessageWaitTimeSeconds", settings.receive_wait.as_secs().to_string()),
        ("SqsManagedSseEnabled", "true".to_owned()),
    ];
    if settings.is_fifo() {
        attributes.extend([
            ("FifoQueue", "true".to_owned()),
            ("ContentBasedDeduplication", settings.content_based_deduplication.to_string()),
            ("DeduplicationScope", "queue".to_owned()),
            ("FifoThroughputLimit", "perQueue".to_owned()),
        ]);
    }
    if let Some(policy) = &settings.dead_letters {
        let policy = json!({
            "deadLetterTargetArn": arn(&policy.queue),
            "maxReceiveCount": policy.max_receives,
        });
        attributes.push(("RedrivePolicy", policy.to_string()));
    }
    attributes.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect()
}
