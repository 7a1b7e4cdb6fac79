//! Faults that fuzzing and its invariants found, each with the smallest document that shows it.

use crate::parsing::{at, defaults, violations, violations_of};
use policy_core::origin::Invocation;
use policy_core::policy::Form;
use policy_core::trigger::{self, Trigger};
use serde_json::value::RawValue;

/// It was accepted as a time of the year -1. No document can have such a time, so the change had no normal form and
/// could not be queued.
#[test]
fn a_time_before_the_year_0_in_utc_is_refused() {
    let text = r#"{"instanceId":"00000001-0000-4000-8000-000000000001","attachmentScope":"CHAT",
        "maximumSize":"1 MB","ifUnmodifiedSince":"0000-01-01T00:00:00+00:01"}"#;
    assert_eq!(violations(text), [at("/ifUnmodifiedSince", "InvalidTimestamp")]);
}

/// It pointed at `/changeId`, which is not there.
#[test]
fn a_change_id_too_long_for_its_changes_is_pointed_at_in_its_own_spelling_if_the_document_has_it() {
    let long = "x".repeat(127);
    let changes = r#""changes":[{"instanceId":"*","attachmentScope":"CHAT","maximumSize":"1 MB"}]"#;
    let id = |pointer: &str| [at(pointer, "InvalidChangeId")];
    assert_eq!(violations(&format!(r#"{{"changeId":"{long}",{changes}}}"#)), id("/changeId"));
    assert_eq!(violations(&format!(r#"{{"ChangeId":"{long}",{changes}}}"#)), id("/ChangeId"));
    // the trigger's own id, which no document holds
    assert_eq!(violations_of(&format!("{{{changes}}}"), &Form::Submission, &defaults(&long)), id(""));
}

/// Its time was passed on unchanged to the queue, although no document may have it.
#[test]
fn a_replayed_event_has_a_time_that_a_document_may_have() {
    let event = |time: &str| {
        let text = format!(
            r#"{{"id":"e","source":"s","detail-type":"d","detail":{{}},"replay-name":"r","time":"{time}"}}"#
        );
        let payload = RawValue::from_string(text).unwrap();
        match trigger::recognise(&payload, &Invocation::default()) {
            Ok(Trigger::EventBridge(event)) => Ok(event.replayed_from),
            Err(refused) => Err(refused.to_string()),
            other => panic!("{other:?}"),
        }
    };
    let expected = time::macros::datetime!(2026-11-23 08:00 UTC);
    assert_eq!(event("2026-11-23T09:00:00+01:00"), Ok(Some(expected)));
    for time in ["9999-12-31T23:59:59-23:59", "0000-01-01T00:00:00+00:01"] {
        assert_eq!(
            event(time),
            Err("malformed eventbridge payload: `time` is not an RFC 3339 time".to_owned())
        );
    }
}
