//! The top level of a payload, and the reasons to reject a payload.

use crate::origin::TriggerKind;
use serde::Deserializer;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// Why a payload is rejected. The message describes what was received.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAccepted {
    /// It matches no trigger, or more than one.
    #[error("unrecognised payload: {0}")]
    Unrecognised(String),
    /// It is an envelope of this trigger, but malformed.
    #[error("malformed {} payload: {message}", kind.name())]
    Malformed {
        /// Whose marks it carries.
        kind: TriggerKind,
        /// What is wrong with it.
        message: String,
    },
}

impl NotAccepted {
    /// A member has an unexpected type. The message has the position but not serde's text, which would repeat
    /// the value: it may be a header or a token.
    pub(super) fn shape(kind: TriggerKind, what: &str, error: &serde_json::Error) -> Self {
        let (line, column) = (error.line(), error.column());
        Self::malformed(
            kind,
            format_args!("{what} does not have the documented structure (line {line}, column {column})"),
        )
    }

    pub(super) fn malformed(kind: TriggerKind, message: impl fmt::Display) -> Self {
        Self::Malformed { kind, message: message.to_string() }
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

    /// The raw text of a key. If the key is repeated, the last value, as AWS's own parsers take it.
    pub(super) fn get(&self, key: &str) -> Option<&'a str> {
        self.0.iter().rev().find(|(name, _)| name == key).map(|(_, value)| value.get())
    }

    /// Every key, in order.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| &**name)
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// Whether the key holds an object.
    fn is_object(&self, key: &str) -> bool {
        self.get(key).is_some_and(|raw| raw.starts_with('{'))
    }

    /// Whether the key appears more than once.
    fn repeats(&self, key: &str) -> bool {
        self.0.iter().filter(|(name, _)| name == key).count() > 1
    }

    /// The first keys, for a person.
    pub(super) fn keys(&self) -> String {
        const SHOWN: usize = 8;
        let mut keys: Vec<String> =
            self.0.iter().take(SHOWN).map(|(key, _)| format!("`{}`", short(key))).collect();
        if self.0.len() > SHOWN {
            keys.push(format!("and {} more", self.0.len() - SHOWN));
        }
        if keys.is_empty() { "no keys".to_owned() } else { format!("the keys {}", keys.join(", ")) }
    }
}

struct EnvelopeVisitor;

impl<'de> Visitor<'de> for EnvelopeVisitor {
    type Value = Envelope<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        /// A real envelope has a few dozen keys. A longer object is not an envelope and is not collected
        /// further.
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

impl Envelope<'_> {
    /// Whether this is an EventBridge envelope (of an SQS message's body).
    pub(super) fn is_event(&self) -> bool {
        self.has("detail-type") && self.has("source")
    }

    /// Rejects an envelope that repeats a key this function depends on: parsers differ about which value
    /// counts.
    pub(super) fn once(&self, kind: TriggerKind, keys: &[&str]) -> Result<(), NotAccepted> {
        match keys.iter().find(|key| self.repeats(key)) {
            Some(key) => Err(NotAccepted::malformed(kind, format_args!("`{key}` appears more than once"))),
            None => Ok(()),
        }
    }

    /// Rejects an envelope that is large outside its body. The rest becomes maps of headers, parameters and
    /// claims: 6 MB of them take many times that in memory, and of more than 24,576 headers
    /// `http::HeaderMap` panics.
    pub(super) fn brief(&self, kind: TriggerKind, payload: &RawValue) -> Result<(), NotAccepted> {
        /// API Gateway takes at most 10,240 bytes of request line and headers ("Quotas for HTTP APIs",
        /// "Quotas for REST APIs"); a dozen times that leaves room for claims and for both forms of headers.
        const MAX_AROUND: usize = 131_072;
        let body = self.get("body").map_or(0, str::len);
        match payload.get().len().saturating_sub(body) {
            ..=MAX_AROUND => Ok(()),
            around => {
                let message = format_args!("{around} bytes outside `body`; the limit is {MAX_AROUND}");
                Err(NotAccepted::malformed(kind, message))
            }
        }
    }

    /// Rejects an envelope whose key is not an object.
    pub(super) fn object(&self, kind: TriggerKind, key: &str) -> Result<(), NotAccepted> {
        if self.is_object(key) {
            Ok(())
        } else {
            Err(NotAccepted::malformed(kind, format_args!("`{key}` is not an object")))
        }
    }
}

fn short(key: &str) -> String {
    key.chars().take(40).collect()
}
