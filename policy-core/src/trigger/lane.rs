//! A lane's message: a pointer to a recorded change's part in one account and Region. Everything else is in the
//! ledger, so that nothing in a message can be forged.

use super::envelope::{Envelope, NotAccepted};
use crate::origin::TriggerKind;
use crate::policy::ChangeId;
use crate::record::{LaneName, RunKey, RunName};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// Which part of which run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LanePointer {
    /// The run.
    pub run: RunName,
    /// Its part.
    pub lane: LaneName,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Body<'a> {
    #[serde(borrow)]
    change_id: Cow<'a, str>,
    #[serde(borrow)]
    run: Cow<'a, str>,
    #[serde(borrow)]
    lane: Cow<'a, str>,
}

/// Whether a message's body has the mark of a pointer: no document and no event has such a key.
pub(super) fn is_pointer(envelope: &Envelope<'_>) -> bool {
    envelope.has("lane")
}

pub(super) fn decode(envelope: &Envelope<'_>, body: &RawValue) -> Result<LanePointer, NotAccepted> {
    envelope.once(TriggerKind::Lane, &["changeId", "run", "lane"])?;
    let body: Body<'_> = serde_json::from_str(body.get())
        .map_err(|error| NotAccepted::shape(TriggerKind::Lane, "the message", &error))?;
    let malformed = |name| NotAccepted::malformed(TriggerKind::Lane, format_args!("`{name}` is invalid"));
    let change_id = ChangeId::parse(&body.change_id).ok_or_else(|| malformed("changeId"))?;
    let key = RunKey::parse(&body.run).ok_or_else(|| malformed("run"))?;
    let lane = LaneName::parse(&body.lane).ok_or_else(|| malformed("lane"))?;
    Ok(LanePointer { run: RunName { change_id, key }, lane })
}

impl LanePointer {
    /// The message's body.
    ///
    /// # Errors
    /// Never for these types; kept so that no caller has to panic.
    pub fn encode(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(&Body {
            change_id: self.run.change_id.as_str().into(),
            run: self.run.key.to_string().into(),
            lane: self.lane.to_string().into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(body: &str) -> Result<LanePointer, NotAccepted> {
        let raw: &RawValue = serde_json::from_str(body).unwrap();
        let envelope = Envelope::open(raw).unwrap();
        assert!(is_pointer(&envelope), "{body}");
        decode(&envelope, raw)
    }

    #[test]
    fn a_pointer_is_read_as_it_was_written() {
        let pointer = LanePointer {
            run: RunName::parse("CHG-1/a#1732500000123").unwrap(),
            lane: LaneName::parse("111122223333/eu-central-1").unwrap(),
        };
        let body = pointer.encode().unwrap();
        assert_eq!(
            body,
            r#"{"changeId":"CHG-1/a","run":"1732500000123","lane":"111122223333/eu-central-1"}"#
        );
        assert_eq!(decoded(&body), Ok(pointer));
    }

    #[test]
    fn what_is_not_a_whole_pointer_is_malformed() {
        for (body, message) in [
            (r#"{"lane":"self/us-east-1"}"#, "the message does not have the documented structure"),
            (
                r#"{"changeId":"a","run":"0000000000001","lane":"self/us-east-1","more":1}"#,
                "the message does not have the documented structure",
            ),
            (r#"{"changeId":"","run":"0000000000001","lane":"self/us-east-1"}"#, "`changeId` is invalid"),
            (r#"{"changeId":"a","run":"1","lane":"self/us-east-1"}"#, "`run` is invalid"),
            (r#"{"changeId":"a","run":"0000000000001","lane":"us-east-1"}"#, "`lane` is invalid"),
            (
                r#"{"changeId":"a","run":"0000000000001","lane":"self/us-east-1","lane":"self/us-east-1"}"#,
                "`lane` appears more than once",
            ),
        ] {
            let Err(NotAccepted::Malformed { kind: TriggerKind::Lane, message: said }) = decoded(body) else {
                panic!("{body}");
            };
            assert!(said.starts_with(message), "{body}: {said}");
        }
    }
}
