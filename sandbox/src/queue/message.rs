//! A message, and the digests that clients check.

use md5::{Context, Digest};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// A value that a sender put beside the body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Attribute {
    /// `String`, `Number` or `Binary`, perhaps with a label of the sender's behind a full stop.
    pub data_type: String,
    /// The value of the first two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub string_value: Option<String>,
    /// The value of the third, in base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub binary_value: Option<String>,
}

/// A message as it is in a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its id, which stays the same however often it is received.
    pub id: String,
    /// What was sent.
    pub body: String,
    /// The message group.
    pub group: Option<String>,
    /// The deduplication id that was given, or made of the content.
    pub deduplication_id: Option<String>,
    /// Its place among the messages of its queue, of a FIFO queue's only.
    pub sequence_number: Option<String>,
    /// What was sent beside the body.
    pub attributes: BTreeMap<String, Attribute>,
    /// The X-Ray trace header that was sent.
    pub trace_header: Option<String>,
    /// Who sent it.
    pub sender_id: String,
    /// When, in milliseconds since the epoch.
    pub sent_ms: i64,
    /// How often it was received.
    pub receives: u32,
    /// When it was first received, in milliseconds since the epoch.
    pub first_received_ms: Option<i64>,
    /// The ARN of the queue that it came from, if it is a dead letter.
    pub dead_letter_source: Option<String>,
    /// Whether somebody has received it, and neither deleted it nor lost it yet.
    pub in_flight: bool,
}

impl Message {
    /// The MD5 of the body, in hexadecimal.
    #[must_use]
    pub fn md5_of_body(&self) -> String {
        hexadecimal(md5::compute(&self.body))
    }

    /// The MD5 of the attributes, in hexadecimal; `None` without any.
    #[must_use]
    pub fn md5_of_attributes(&self) -> Option<String> {
        md5_of_attributes(&self.attributes)
    }

    /// What the service knows about it, by the names of "`ReceiveMessage`" in the API reference.
    #[must_use]
    pub fn system_attributes(&self) -> Map<String, Value> {
        let known = [
            ("SenderId", Some(self.sender_id.clone())),
            ("SentTimestamp", Some(self.sent_ms.to_string())),
            ("ApproximateReceiveCount", Some(self.receives.to_string())),
            ("ApproximateFirstReceiveTimestamp", self.first_received_ms.map(|at| at.to_string())),
            ("SequenceNumber", self.sequence_number.clone()),
            ("MessageDeduplicationId", self.deduplication_id.clone()),
            ("MessageGroupId", self.group.clone()),
            ("AWSTraceHeader", self.trace_header.clone()),
            ("DeadLetterQueueSourceArn", self.dead_letter_source.clone()),
        ];
        known.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.into()))).collect()
    }
}

/// The MD5 of attributes: by their names, each part behind its length in four bytes (developer guide, "Calculating the
/// MD5 message digest for message attributes").
fn md5_of_attributes(attributes: &BTreeMap<String, Attribute>) -> Option<String> {
    if attributes.is_empty() {
        return None;
    }
    let mut digest = Context::new();
    for (name, attribute) in attributes {
        part(&mut digest, name.as_bytes());
        part(&mut digest, attribute.data_type.as_bytes());
        if let Some(text) = &attribute.string_value {
            digest.consume([1]);
            part(&mut digest, text.as_bytes());
        } else if let Some(bytes) = attribute.bytes() {
            digest.consume([2]);
            part(&mut digest, &bytes);
        }
    }
    Some(hexadecimal(digest.compute()))
}

fn part(digest: &mut Context, bytes: &[u8]) {
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    digest.consume(length.to_be_bytes());
    digest.consume(bytes);
}

fn hexadecimal(digest: Digest) -> String {
    format!("{digest:x}")
}

impl Attribute {
    /// The bytes of a binary value.
    pub(super) fn bytes(&self) -> Option<Vec<u8>> {
        use base64::Engine;
        base64::engine::general_purpose::STANDARD.decode(self.binary_value.as_ref()?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_of_attributes_is_that_of_their_names_types_and_values() {
        let text = |value: &str| Attribute {
            data_type: "String".to_owned(),
            string_value: Some(value.to_owned()),
            binary_value: None,
        };
        let binary = Attribute {
            data_type: "Binary".to_owned(),
            string_value: None,
            binary_value: Some("AQID".to_owned()),
        };
        assert_eq!(md5_of_attributes(&BTreeMap::new()), None);
        let attributes = BTreeMap::from([("b".to_owned(), binary), ("a".to_owned(), text("x"))]);
        // The same bytes, laid out by hand.
        let laid_out = [
            &b"\0\0\0\x01a\0\0\0\x06String\x01\0\0\0\x01x"[..],
            &b"\0\0\0\x01b\0\0\0\x06Binary\x02\0\0\0\x03\x01\x02\x03"[..],
        ]
        .concat();
        assert_eq!(md5_of_attributes(&attributes), Some(hexadecimal(md5::compute(laid_out))));
    }
}
