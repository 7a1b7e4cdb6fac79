//! A batch as an event.

use crate::queue::{Attribute, Received, arn};
use serde_json::{Map, Value, json};

/// The event, with the members that "Using Lambda with Amazon SQS" shows.
pub(super) fn of(queue: &str, batch: &[Received]) -> Value {
    let records: Vec<Value> = batch.iter().map(|received| record(queue, received)).collect();
    json!({"Records": records})
}

fn record(queue: &str, received: &Received) -> Value {
    let message = &received.message;
    let attributes = message.attributes.iter().map(|(name, value)| (name.clone(), attribute(value)));
    let mut record = json!({
        "messageId": message.id,
        "receiptHandle": received.handle,
        "body": message.body,
        "attributes": message.system_attributes(),
        "messageAttributes": attributes.collect::<Map<_, _>>(),
        "md5OfBody": message.md5_of_body(),
        "eventSource": "aws:sqs",
        "eventSourceARN": arn(queue),
        "awsRegion": "us-east-1",
    });
    if let (Some(digest), Some(record)) = (message.md5_of_attributes(), record.as_object_mut()) {
        record.insert("md5OfMessageAttributes".to_owned(), digest.into());
    }
    record
}

fn attribute(attribute: &Attribute) -> Value {
    let mut document = json!({
        "dataType": attribute.data_type,
        "stringListValues": [],
        "binaryListValues": [],
    });
    let values = [("stringValue", &attribute.string_value), ("binaryValue", &attribute.binary_value)];
    if let Some(document) = document.as_object_mut() {
        for (name, value) in values {
            document.extend(value.iter().map(|value| (name.to_owned(), value.clone().into())));
        }
    }
    document
}
