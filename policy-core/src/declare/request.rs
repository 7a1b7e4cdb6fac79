//! One request of CloudFormation.

use super::response_url::{Hosts, NotAnswerable, ResponseUrl};
use crate::policy::{ChangeId, OnDelete};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::fmt::Write;

/// What becomes of the resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum RequestType {
    /// It is new.
    Create,
    /// Its properties change; also back, in a rollback.
    Update,
    /// It goes; also one whose Create failed.
    Delete,
}

/// A request that can be answered.
#[derive(Debug)]
pub struct Request<'a> {
    /// What is asked.
    pub kind: RequestType,
    /// The stack's ARN, as the request claims.
    pub stack_id: String,
    /// The resource's name in the stack's template.
    pub logical_id: String,
    /// The same again where a request is delivered twice.
    pub request_id: String,
    /// Where the answer goes.
    pub response_url: ResponseUrl,
    /// The properties, as they were sent.
    pub properties: &'a RawValue,
    sent_physical_id: Option<String>,
    /// `None`: it is no number of seconds.
    timeout: Option<u32>,
}

/// Whom an answer names: what a request says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addressee {
    /// The stack's ARN.
    pub stack_id: String,
    /// The resource's name in the stack's template.
    pub logical_id: String,
    /// The request.
    pub request_id: String,
    /// The resource's physical id.
    pub physical_id: String,
}

/// Why a payload is no request. The text never has a value of it: one of them is a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// It does not have the structure of a request.
    #[error("the request does not have the documented structure (line {line}, column {column})")]
    Shape {
        /// Where reading stopped.
        line: usize,
        /// Where reading stopped.
        column: usize,
    },
    /// An id could not be put into an answer.
    #[error("`{0}` is invalid")]
    Id(&'static str),
    /// The answer has nowhere to go.
    #[error(transparent)]
    Url(#[from] NotAnswerable),
}

/// A resource's timeout with which nothing can be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadTimeout {
    /// It leaves too little time for work and an answer.
    #[error("`ServiceTimeout` must be at least {MIN_TIMEOUT} seconds, not {0}")]
    TooShort(u32),
    /// It is no number of seconds that CloudFormation waits.
    #[error("`ServiceTimeout` must be a whole number of seconds from {MIN_TIMEOUT} to {MAX_TIMEOUT}")]
    NotSeconds,
}

/// CloudFormation's own, in seconds: the longest, and what it waits without one.
const MAX_TIMEOUT: u32 = 3_600;
const MIN_TIMEOUT: u32 = 180;
/// How long before the timeout a resource is given up, so that the answer still arrives.
const IN_HAND: u32 = 90;

/// What every physical id of this resource begins with.
const PREFIX: &str = "attachment-policy-";

const MAX_STACK_ID: usize = 512;
const MAX_LOGICAL_ID: usize = 255;
const MAX_REQUEST_ID: usize = 128;
/// CloudFormation's own, in bytes.
const MAX_PHYSICAL_ID: usize = 1_024;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Payload<'a> {
    request_type: RequestType,
    #[serde(rename = "ResponseURL", borrow)]
    response_url: Cow<'a, str>,
    stack_id: String,
    request_id: String,
    logical_resource_id: String,
    physical_resource_id: Option<String>,
    #[serde(borrow)]
    resource_properties: &'a RawValue,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Timeout<'a> {
    #[serde(borrow)]
    service_timeout: Option<&'a RawValue>,
}

/// Whether a payload only asks whether the function starts, as a deployment does. It has nowhere to answer.
pub fn is_start_check(payload: &str) -> bool {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Asked<'p> {
        #[serde(borrow)]
        request_type: Cow<'p, str>,
    }
    serde_json::from_str::<Asked<'_>>(payload).is_ok_and(|asked| asked.request_type == "StartCheck")
}

impl<'a> Request<'a> {
    /// From a payload.
    ///
    /// # Errors
    /// It is no request, or its answer has nowhere to go.
    pub fn parse(payload: &'a str, hosts: Hosts) -> Result<Self, Malformed> {
        let payload: Payload<'a> = serde_json::from_str(payload)
            .map_err(|error| Malformed::Shape { line: error.line(), column: error.column() })?;
        let plain = |name, text: String, limit| {
            let fits = (1..=limit).contains(&text.len())
                && text.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\');
            if fits { Ok(text) } else { Err(Malformed::Id(name)) }
        };
        let sent_physical_id = payload.physical_resource_id;
        if sent_physical_id
            .as_ref()
            .is_some_and(|id| id.is_empty() || id.len() > MAX_PHYSICAL_ID || id.contains(char::is_control))
        {
            return Err(Malformed::Id("PhysicalResourceId"));
        }
        // the template's rule for names of resources; in the ledger `#` parts the name from a generation
        if !payload.logical_resource_id.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err(Malformed::Id("LogicalResourceId"));
        }
        Ok(Self {
            kind: payload.request_type,
            stack_id: plain("StackId", payload.stack_id, MAX_STACK_ID)?,
            logical_id: plain("LogicalResourceId", payload.logical_resource_id, MAX_LOGICAL_ID)?,
            request_id: plain("RequestId", payload.request_id, MAX_REQUEST_ID)?,
            response_url: ResponseUrl::parse(&payload.response_url, hosts)?,
            properties: payload.resource_properties,
            sent_physical_id,
            timeout: timeout(payload.resource_properties),
        })
    }

    /// The resource's physical id. A Delete echoes the one that it came with, since CloudFormation fails one that is
    /// answered with another. Any other request has the one that the names give, so that no answer means a replacement.
    pub fn physical_id(&self) -> Cow<'_, str> {
        match (&self.sent_physical_id, self.kind) {
            (Some(sent), RequestType::Delete) => Cow::Borrowed(sent),
            _ => Cow::Owned(derived(&self.stack_id, &self.logical_id)),
        }
    }

    /// Whom its answer names.
    pub fn addressee(&self) -> Addressee {
        Addressee {
            stack_id: self.stack_id.clone(),
            logical_id: self.logical_id.clone(),
            request_id: self.request_id.clone(),
            physical_id: self.physical_id().into_owned(),
        }
    }

    /// The id of the change that a generation becomes: an id that AWS gave, so to speak, since both names are its.
    pub fn change_id(&self, generation: u32) -> ChangeId {
        let id = derived(&self.stack_id, &self.logical_id);
        let names = id.strip_prefix(PREFIX).unwrap_or(&id);
        ChangeId::from_request(&format!("declared-{names}-{generation}")).unwrap_or_default()
    }

    /// What is to become of the values when the resource goes. Whatever cannot be read leaves them.
    pub fn on_delete(&self) -> OnDelete {
        #[derive(Deserialize)]
        struct Properties<'p> {
            #[serde(rename = "OnDelete", alias = "onDelete", borrow)]
            on_delete: Option<Cow<'p, str>>,
        }
        let properties = serde_json::from_str::<Properties<'_>>(self.properties.get());
        match properties.ok().and_then(|properties| properties.on_delete).as_deref() {
            Some("Restore") => OnDelete::Restore,
            _ => OnDelete::Retain,
        }
    }

    /// How many seconds the work may take until the resource is given up. A Delete takes any timeout: it must be able
    /// to end what a Create was refused for.
    ///
    /// # Errors
    /// The timeout is no number of seconds that CloudFormation accepts, or it is too short.
    pub fn seconds(&self) -> Result<u32, BadTimeout> {
        let timeout = match (self.timeout, self.kind) {
            (timeout, RequestType::Delete) => timeout.unwrap_or(MAX_TIMEOUT),
            (None, _) => return Err(BadTimeout::NotSeconds),
            (Some(short), _) if short < MIN_TIMEOUT => return Err(BadTimeout::TooShort(short)),
            (Some(timeout), _) => timeout,
        };
        // of a short one half, since a Delete must have some time
        Ok(timeout.saturating_sub(IN_HAND).max(timeout / 2))
    }

    /// Whether CloudFormation knows the id that every answer to a Create or an Update has: one of them has arrived.
    pub fn knows_its_id(&self) -> bool {
        self.sent_physical_id.as_ref().is_some_and(|sent| *sent == derived(&self.stack_id, &self.logical_id))
    }
}

/// The id that a stack and a name in it give.
fn derived(stack_id: &str, logical_id: &str) -> String {
    let mut id = PREFIX.to_owned();
    for byte in Sha256::digest(format!("{stack_id}\n{logical_id}")).iter().take(16) {
        // writing to a String cannot fail
        let _ = write!(id, "{byte:02x}");
    }
    id
}

/// `ServiceTimeout` of the properties, which CloudFormation sends as digits; `None`: it is no number of seconds.
fn timeout(properties: &RawValue) -> Option<u32> {
    // properties that are no object are refused by the rules for properties
    let Ok(Timeout { service_timeout: Some(raw) }) = serde_json::from_str(properties.get()) else {
        return Some(MAX_TIMEOUT);
    };
    let seconds = raw.get().trim_matches('"').parse().ok()?;
    (1..=MAX_TIMEOUT).contains(&seconds).then_some(seconds)
}
