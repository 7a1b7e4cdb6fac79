//! The messages of violations: what would be right, and what was written, in one line.

use crate::parsing::{change as parsed, parse, refusal};
use policy_core::policy::document::{Field, ObjectKind};
use serde_json::{Value, json};

/// The first problem of a change with one field more, or another one: its pointer and its message.
fn first(field: &str, value: &Value) -> (String, String) {
    let mut change = json!({"instanceId": "00000001-0000-4000-8000-000000000001", "attachmentScope": "CHAT",
        "allowedExtensions": ["pdf"]});
    change[field] = value.clone();
    let first = &refusal(parse(&change.to_string()))[0];
    (first.pointer.clone(), first.message.clone())
}

#[test]
fn a_wrong_type_is_named() {
    for (value, kind) in [
        (json!(true), "a boolean"),
        (json!(1), "a number"),
        (json!(1.5), "a number"),
        (json!([]), "an array"),
        (json!({}), "an object"),
    ] {
        assert_eq!(first("reason", &value).1, format!("must be a string, not {kind}"));
    }
    assert_eq!(first("force", &json!("yes")).1, "must be true or false, not a string");
    assert_eq!(first("instanceId", &json!([null])).1, "must be a string, not null");
    assert_eq!(first("reason", &json!(null)).1, "must not be null");
    let value = first("maximumSize", &json!(null)).1;
    assert_eq!(
        value,
        "must not be null; omit the field to keep the current value (Amazon Connect cannot reset it)"
    );
}

#[test]
fn an_unknown_field_is_compared_with_the_known_ones_and_named_unless_it_is_long() {
    assert_eq!(first("REASONS", &json!(1)).1, "is not a known field; did you mean `reason`?");
    assert_eq!(first("colour", &json!(1)).1, "is not a known field");
    let (at, beyond) = ("k".repeat(64), "k".repeat(65));
    assert_eq!(first(&at, &json!(1)), (format!("/{at}"), "is not a known field".to_owned()));
    assert_eq!(
        first(&beyond, &json!(1)),
        (String::new(), "has an unknown field with a name of 65 bytes".to_owned())
    );
}

/// Whatever the typing error: one letter missing, twice, wrong, or swapped with the next.
#[test]
fn a_known_field_with_one_typing_error_is_suggested() {
    for name in Field::ALL.iter().filter(|field| field.belongs_to(ObjectKind::Change)).map(|f| f.name()) {
        for at in 1..name.len() - 1 {
            let (before, rest) = name.split_at(at);
            let (letter, after) = rest.split_at(1);
            let (next, last) = after.split_at(1);
            for typed in [
                format!("{before}{after}"),
                format!("{before}{letter}{letter}{after}"),
                format!("{before}x{after}"),
                format!("{before}{next}{letter}{last}"),
            ] {
                if Field::named(&typed).is_none() {
                    let message = first(&typed, &json!(1)).1;
                    assert!(
                        message.starts_with("is not a known field; did you mean `"),
                        "{typed}: {message}"
                    );
                }
            }
        }
    }
    for other in ["colour", "size", "comment", "scope", "tags", "priority"] {
        assert_eq!(first(other, &json!(1)).1, "is not a known field", "{other}");
    }
}

#[test]
fn what_was_written_is_repeated_up_to_64_characters() {
    let (at, beyond) = ("ü".repeat(64), "ü".repeat(65));
    let message = |text: &str| first("maximumSize", &json!(text)).1;
    assert!(message(&at).ends_with(&format!("not `{at}`")), "{}", message(&at));
    assert!(message(&beyond).ends_with(&format!("not `{at}…`")), "{}", message(&beyond));
}

#[test]
fn two_spellings_of_one_field_name_the_first() {
    let (pointer, message) = first("AllowedExtensions", &json!(["pdf"]));
    assert_eq!(
        (pointer.as_str(), message.as_str()),
        ("/allowedExtensions", "conflicts with `/AllowedExtensions`; keep only one")
    );
    let (pointer, message) = first("instanceIds", &json!([]));
    assert_eq!(
        (pointer.as_str(), message.as_str()),
        ("/instanceIds", "conflicts with `/instanceId`; keep only one")
    );
}

#[test]
fn a_length_is_reported_with_its_limit() {
    assert_eq!(first("reason", &json!("ü".repeat(1_025))).1, "must be at most 1024 characters, not 1025");
}

#[test]
fn a_violation_reads_as_one_line() {
    assert_eq!(refusal(parse("[]"))[0].to_string(), "WrongType at ``: must be an object, not an array");
}

#[test]
fn an_overlap_names_the_target_and_the_earlier_change() {
    let change = json!({"instanceId": "00000001-0000-4000-8000-000000000001", "attachmentScope": "CHAT",
        "maximumSize": "1 MB"});
    let text = json!({"changes": [change, change]}).to_string();
    assert_eq!(
        refusal(parse(&text))[0].message,
        "has the same target as `/changes/0`: CHAT of `00000001-0000-4000-8000-000000000001`"
    );
}

/// Below 1 MB is a warning, at it none.
#[test]
fn a_small_size_is_warned_of_below_the_documented_minimum_only() {
    let warned = |bytes: u32| {
        let text = json!({"instanceId": "00000001-0000-4000-8000-000000000001", "attachmentScope": "CHAT",
            "maximumSizeLimitInBytes": bytes});
        parsed(&text).warnings.len()
    };
    assert_eq!([warned(1), warned(1_048_575), warned(1_048_576)], [1, 1, 0]);
}
