//! A payload is a policy change by any field that only a document has.

use policy_core::origin::Invocation;
use policy_core::policy::document::Field;
use policy_core::trigger::{NotAccepted, Trigger, recognise};
use serde_json::value::RawValue;

fn is_bare(key: &str) -> bool {
    let payload = RawValue::from_string(format!(r#"{{"{key}":null}}"#)).unwrap();
    match recognise(&payload, &Invocation::default()) {
        Ok(Trigger::Bare(_)) => true,
        Err(NotAccepted::Unrecognised(_)) => false,
        other => panic!("{key}: {other:?}"),
    }
}

#[test]
fn every_field_of_a_change_of_a_batch_or_of_a_check_marks_a_document_in_both_spellings() {
    let of_others = [Field::Extension, Field::Plan, Field::Drain];
    for field in Field::ALL.iter().filter(|field| !of_others.contains(field)) {
        let name = field.name();
        let pascal = name[..1].to_ascii_uppercase() + &name[1..];
        assert!(is_bare(name) && is_bare(&pascal), "{name}");
    }
}

#[test]
fn a_field_of_another_object_and_an_unknown_key_mark_nothing() {
    for key in ["extension", "Extension", "plan", "Drain", "INSTANCEID", "hello"] {
        assert!(!is_bare(key), "{key}");
    }
}
