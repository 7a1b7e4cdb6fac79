//! EventBridge: one event, its `detail` the change document.

use super::cloudtrail::{self, Call};
use super::envelope::{Envelope, NotAccepted};
use crate::origin::{IdentitySource, Invocation, Origin, TriggerKind};
use crate::policy::document;
use crate::record;
use std::borrow::Cow;
use time::OffsetDateTime;

/// CloudTrail's record of our own calls arrives under this source: a change must never feed itself. Nor must the event
/// about it.
const CONNECT_SOURCE: &str = "aws.connect";

/// An EventBridge event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event<'a> {
    /// The bus's account and the event's source.
    pub origin: Origin,
    /// `id`: the default change id.
    pub id: String,
    /// `detail`: an object's text, or the text a string held.
    pub document: Cow<'a, str>,
    /// A replayed event's `time`: newer changes of the same target supersede it.
    pub replayed_from: Option<OffsetDateTime>,
    /// A replayed event's `replay-name`, as much of it as a record keeps: each replay is a run of its own.
    pub replay: Option<String>,
    /// An update of a target that AWS `CloudTrail` has seen. `Err`: what it says is no such call, for this reason.
    pub call: Option<Result<Call, String>>,
    /// If set, the event is rejected for this reason, whatever it contains; a call unless the function looks at it.
    pub refused: Option<String>,
}

/// Decodes an event.
///
/// Read key by key rather than as one type: `replay-name` and a raw `detail` are in no published type.
pub(super) fn decode<'a>(envelope: &Envelope<'a>, invocation: &Invocation) -> Result<Event<'a>, NotAccepted> {
    let malformed = |message: String| NotAccepted::malformed(TriggerKind::EventBridge, message);
    envelope.once(
        TriggerKind::EventBridge,
        &["detail-type", "source", "detail", "id", "account", "time", "replay-name"],
    )?;
    let string = |key: &str| match envelope.get(key) {
        None | Some("null") => Ok(None),
        Some(raw) => serde_json::from_str::<String>(raw)
            .map(Some)
            .map_err(|_| malformed(format!("`{key}` is not a string"))),
    };
    let required = |key: &str| string(key)?.ok_or_else(|| malformed(format!("`{key}` is missing")));
    let source = required("source")?;
    let detail_type = required("detail-type")?;
    let id = required("id")?;
    let detail = envelope.get("detail").ok_or_else(|| malformed("`detail` is missing".to_owned()))?;
    let document = match detail.as_bytes().first() {
        Some(b'{') => Cow::Borrowed(detail),
        // some producers (Scheduler, input transformers) send a string that holds JSON
        Some(b'"') => {
            let text: String =
                serde_json::from_str(detail).map_err(|error| malformed(format!("`detail`: {error}")))?;
            Cow::Owned(text)
        }
        _ => {
            return Err(malformed("`detail` must be an object, or a string that contains one".to_owned()));
        }
    };
    // cut here, so that what is stored is what is compared
    let replay = string("replay-name")?.as_deref().map(record::cut);
    let replayed_from = match &replay {
        Some(_) => {
            let time = document::timestamp(&required("time")?);
            Some(time.ok_or_else(|| malformed("`time` is not an RFC 3339 time".to_owned()))?)
        }
        None => None,
    };
    let refused = [CONNECT_SOURCE, record::SOURCE].contains(&source.as_str()).then(|| {
        format!("events with the source `{source}` are rejected, because a change must not trigger itself")
    });
    let is_call = source == CONNECT_SOURCE && detail_type == cloudtrail::DETAIL_TYPE;
    let call = is_call.then(|| cloudtrail::decode(&document));
    let origin = Origin {
        kind: TriggerKind::EventBridge,
        principal: None,
        account: string("account")?,
        claimed_account: None,
        vouched_by: IdentitySource::EventBridge,
        source_ip: None,
        service: source,
        request_id: Some(id.clone()),
        received_at: None,
        invocation: invocation.clone(),
    };
    Ok(Event { origin, id, document, replayed_from, replay, call, refused })
}
