//! Which envelope a payload is, told by its own marks, never by trial deserialisation.

use super::{Trigger, event_bridge, http, sqs};
use crate::origin::{Invocation, Kind};
use crate::policy::document;
use serde::Deserializer;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// Why a payload goes no further. Both say what was seen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAccepted {
    /// It carries the marks of no trigger, or of several.
    #[error("unrecognised payload: {0}")]
    Unrecognised(String),
    /// It is this trigger's envelope, but broken.
    #[error("malformed {} payload: {message}", kind.as_str())]
    Malformed {
        /// Whose marks it carries.
        kind: Kind,
        /// What is wrong with it.
        message: String,
    },
}

impl NotAccepted {
    pub(super) fn malformed(kind: Kind, message: impl fmt::Display) -> Self {
        Self::Malformed {
            kind,
            message: message.to_string(),
        }
    }
}

/// The top level of a payload: its keys and their raw values, in order.
#[derive(Debug, Default)]
pub(super) struct Envelope<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Envelope<'a> {
    /// `None`: not an object.
    pub(super) fn open(payload: &'a RawValue) -> Option<Self> {
        let mut deserializer = serde_json::Deserializer::from_str(payload.get());
        deserializer.deserialize_map(EnvelopeVisitor).ok()
    }

    /// The key's raw text, the last one where it stands twice (as AWS's own parsers take it).
    pub(super) fn get(&self, key: &str) -> Option<&'a str> {
        self.0
            .iter()
            .rev()
            .find(|(name, _)| name == key)
            .map(|(_, value)| value.get())
    }

    fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// Whether the key holds an object.
    fn is_object(&self, key: &str) -> bool {
        self.get(key).is_some_and(|raw| raw.starts_with('{'))
    }

    /// Whether the key stands more than once.
    fn repeats(&self, key: &str) -> bool {
        self.0.iter().filter(|(name, _)| name == key).count() > 1
    }

    fn keys(&self) -> String {
        const SHOWN: usize = 8;
        let mut keys: Vec<String> = self
            .0
            .iter()
            .take(SHOWN)
            .map(|(key, _)| format!("`{}`", short(key)))
            .collect();
        if self.0.len() > SHOWN {
            keys.push(format!("and {} more", self.0.len() - SHOWN));
        }
        if keys.is_empty() {
            "no keys".to_owned()
        } else {
            format!("the keys {}", keys.join(", "))
        }
    }
}

struct EnvelopeVisitor;

impl<'de> Visitor<'de> for EnvelopeVisitor {
    type Value = Envelope<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        /// A real envelope has a few dozen keys; a longer object is none, and is not collected.
        const MAX_KEYS: usize = 256;
        let mut entries = Vec::new();
        while entries.len() < MAX_KEYS {
            match access.next_entry::<Cow<'de, str>, &'de RawValue>()? {
                Some(entry) => entries.push(entry),
                None => return Ok(Envelope(entries)),
            }
        }
        while access.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Envelope(entries))
    }
}

/// The marks by which each envelope is known.
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
    if is_change(envelope) {
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
}

impl Mark {
    const fn name(self) -> &'static str {
        match self {
            Self::HttpV2 => "an HTTP API request (2.0)",
            Self::HttpV1 => "a REST API request (1.0)",
            Self::EventBridge => "an EventBridge event",
            Self::Records => "a batch of records",
            Self::Bare => "a policy change",
        }
    }
}

/// A bare change carries a field that only a policy change has.
fn is_change(envelope: &Envelope<'_>) -> bool {
    let lowered = |key: &str| {
        let mut chars = key.chars();
        let first = chars.next().map(|c| c.to_ascii_lowercase());
        first.into_iter().chain(chars).collect::<String>()
    };
    envelope.0.iter().any(|(key, _)| {
        let key = lowered(key);
        key == "changes" || document::FIELDS.contains(&key.as_str())
    })
}

/// Recognises and decodes a payload.
///
/// # Errors
/// It is no trigger's, or broken; both say what was seen.
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
        [] => Err(NotAccepted::Unrecognised(format!(
            "{}; none marks an API Gateway, EventBridge or SQS payload or a policy change",
            envelope.keys()
        ))),
        several => {
            let names: Vec<_> = several.iter().map(|mark| mark.name()).collect();
            Err(NotAccepted::Unrecognised(format!(
                "the marks of {}",
                names.join(" and ")
            )))
        }
    }
}

impl Envelope<'_> {
    /// Whether this is an EventBridge envelope (of an SQS message's body).
    pub(super) fn is_event(&self) -> bool {
        self.has("detail-type") && self.has("source")
    }

    /// Refuses an envelope whose decisive keys stand twice: parsers differ about which one counts.
    pub(super) fn once(&self, kind: Kind, keys: &[&str]) -> Result<(), NotAccepted> {
        match keys.iter().find(|key| self.repeats(key)) {
            Some(key) => Err(NotAccepted::malformed(kind, format_args!("`{key}` stands twice"))),
            None => Ok(()),
        }
    }

    /// Refuses an envelope whose key holds no object.
    pub(super) fn object(&self, kind: Kind, key: &str) -> Result<(), NotAccepted> {
        if self.is_object(key) {
            Ok(())
        } else {
            Err(NotAccepted::malformed(kind, format_args!("`{key}` is no object")))
        }
    }
}

fn short(key: &str) -> String {
    key.chars().take(40).collect()
}
