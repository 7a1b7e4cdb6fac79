//! Every limit of a document: at it, one beyond, and far beyond.

use crate::parsing::{at, violations};
use policy_core::policy::MAX_EXTENSIONS;
use policy_core::policy::document::{MAX_CHANGES, MAX_DOCUMENT, MAX_TARGETS};
use serde_json::{Value, json};

/// The first violation, or none.
fn first_violation(text: &str) -> Option<(String, String)> {
    violations(text).into_iter().next()
}

#[expect(clippy::unnecessary_wraps, reason = "compared with what may be none")]
fn refused(code: &str, pointer: &str) -> Option<(String, String)> {
    Some(at(pointer, code))
}

fn id(number: usize) -> String {
    format!("{number:08x}-0000-4000-8000-000000000001")
}

fn change(more: &Value) -> Value {
    let mut change = json!({"instanceId": id(1), "attachmentScope": "CHAT", "maximumSize": "1 MB"});
    change.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    change
}

#[test]
fn a_document_has_at_most_a_mebibyte() {
    let text = change(&json!({})).to_string();
    let padded = |length: usize| text.clone() + &" ".repeat(length - text.len());
    assert_eq!(first_violation(&padded(MAX_DOCUMENT)), None);
    for length in [MAX_DOCUMENT + 1, 2 * MAX_DOCUMENT] {
        assert_eq!(first_violation(&padded(length)), refused("DocumentTooLarge", ""), "{length}");
    }
}

#[test]
fn a_document_has_at_most_100_changes() {
    let of = |count: usize| {
        let changes: Vec<_> = (0..count).map(|n| change(&json!({"instanceId": id(n)}))).collect();
        json!({ "changes": changes }).to_string()
    };
    assert_eq!(first_violation(&of(MAX_CHANGES)), None);
    for count in [MAX_CHANGES + 1, 3 * MAX_CHANGES] {
        assert_eq!(first_violation(&of(count)), refused("TooManyEntries", "/changes"), "{count}");
    }
}

#[test]
fn a_change_and_all_changes_together_name_at_most_1000_targets() {
    let of = |first: usize, count: usize| {
        let ids: Vec<_> = (first..first + count).map(id).collect();
        let mut change = change(&json!({"instanceIds": ids, "attachmentScope": ["CHAT", "TASK"]}));
        change.as_object_mut().unwrap().remove("instanceId");
        change
    };
    assert_eq!(first_violation(&of(0, MAX_TARGETS / 2).to_string()), None);
    for instances in [MAX_TARGETS / 2 + 1, MAX_TARGETS] {
        assert_eq!(first_violation(&of(0, instances).to_string()), refused("TooManyTargets", ""));
    }
    let both = |second: usize| json!({"changes": [of(0, 300), of(300, second)]}).to_string();
    assert_eq!(first_violation(&both(200)), None);
    for second in [201, 450] {
        assert_eq!(first_violation(&both(second)), refused("TooManyTargets", "/changes"), "{second}");
    }
}

#[test]
fn a_list_has_at_most_256_extensions() {
    let of = |count: usize| {
        let list: Vec<_> = (0..count).map(|n| format!("e{n}")).collect();
        change(&json!({ "allowedExtensions": list })).to_string()
    };
    assert_eq!(first_violation(&of(MAX_EXTENSIONS)), None);
    for count in [MAX_EXTENSIONS + 1, 2 * MAX_EXTENSIONS] {
        assert_eq!(first_violation(&of(count)), refused("TooManyEntries", "/allowedExtensions"), "{count}");
    }
}

#[test]
fn texts_and_ids_have_their_lengths() {
    for (field, limit, code) in
        [("reason", 1_024, "TooLong"), ("requestedBy", 256, "TooLong"), ("changeId", 128, "InvalidChangeId")]
    {
        let of = |length: usize| change(&json!({ field: "x".repeat(length) })).to_string();
        assert_eq!(first_violation(&of(limit)), None, "{field}");
        for length in [limit + 1, 2 * limit] {
            assert_eq!(first_violation(&of(length)), refused(code, &format!("/{field}")), "{field} {length}");
        }
    }
    let tagged = |length: usize| {
        change(&json!({"instanceId": "*", "instanceTags": {"ü".repeat(length): "v"}})).to_string()
    };
    assert_eq!(first_violation(&tagged(128)), None);
    for length in [129, 200] {
        assert_eq!(first_violation(&tagged(length)), refused("InvalidTags", "/instanceTags"), "{length}");
    }
    // the id of the last change of a document is that of the document and its number
    let last = |length: usize| {
        let changes: Vec<_> = (0..MAX_CHANGES).map(|n| change(&json!({"instanceId": id(n)}))).collect();
        json!({"changeId": "x".repeat(length), "changes": changes}).to_string()
    };
    assert_eq!(first_violation(&last(125)), None);
    assert_eq!(first_violation(&last(126)), refused("InvalidChangeId", "/changeId"));
}

#[test]
fn sizes_have_their_range() {
    let of = |scope: &str, bytes: i64| {
        let mut change = change(&json!({"attachmentScope": scope, "maximumSizeLimitInBytes": bytes}));
        change.as_object_mut().unwrap().remove("maximumSize");
        first_violation(&change.to_string())
    };
    let pointer = "/maximumSizeLimitInBytes";
    for (scope, bytes, expected) in [
        ("CHAT", 0, refused("SizeOutOfRange", pointer)),
        ("CHAT", 1, None),
        ("CHAT", 104_857_600, None),
        ("CHAT", 104_857_601, refused("SizeOutOfRange", pointer)),
        ("EMAIL", 20_971_520, None),
        ("EMAIL", 20_971_521, refused("SizeTooLargeForEmail", pointer)),
        ("*", 20_971_521, refused("SizeTooLargeForEmail", pointer)),
        ("TASK", 20_971_521, None),
    ] {
        assert_eq!(of(scope, bytes), expected, "{scope} {bytes}");
    }
}

/// The first 256 that were found, and one line that says there are more.
#[test]
fn at_most_256_violations_are_listed() {
    for (unknown, listed) in [(255, 255), (256, 256), (257, 257), (1_000, 257)] {
        let fields: serde_json::Map<_, _> = (0..unknown).map(|n| (format!("f{n:04}"), json!(1))).collect();
        let found = violations(&change(&Value::Object(fields)).to_string());
        let last = if unknown > 256 { "TooManyViolations" } else { "UnknownField" };
        assert_eq!(found.len(), listed, "{unknown}");
        assert_eq!(found.last().unwrap().1, last);
    }
}
