//! The bodies of requests about recorded changes.

use policy_core::policy::request::{Apply, Cancel, Freeze, Restore, Undo};
use policy_core::policy::{ChangeId, Violation};

fn found<T: std::fmt::Debug>(parsed: Result<T, Vec<Violation>>) -> Vec<(String, &'static str)> {
    parsed.unwrap_err().into_iter().map(|found| (found.pointer, found.code.name())).collect()
}

fn at(pointer: &str, code: &'static str) -> (String, &'static str) {
    (pointer.to_owned(), code)
}

#[test]
fn every_member_may_be_absent_except_the_plan() {
    for body in ["", " \n", "{}"] {
        assert_eq!(Undo::parse(body), Ok(Undo::default()));
        assert_eq!(Restore::parse(body), Ok(Restore::default()));
        assert_eq!(Cancel::parse(body), Ok(Cancel::default()));
        assert_eq!(Freeze::parse(body), Ok(Freeze::default()));
        assert_eq!(found(Apply::parse(body)), [at("", "MissingPlan")]);
    }
}

#[test]
fn every_member_is_read_in_both_spellings() {
    let undo = Undo { reason: Some("why".into()), change_id: ChangeId::parse("a/b"), force: true };
    for body in [
        r#"{"reason": "why", "changeId": "a/b", "force": true}"#,
        r#"{"Reason": "why", "ChangeId": "a/b", "Force": true}"#,
    ] {
        assert_eq!(Undo::parse(body), Ok(undo.clone()));
    }
    let restore = Restore { reason: Some("why".into()), change_id: ChangeId::parse("a/b") };
    assert_eq!(Restore::parse(r#"{"Reason": "why", "changeId": "a/b"}"#), Ok(restore));
    let apply = Apply { plan: "abc".into(), reason: Some("why".into()), change_id: ChangeId::parse("a/b") };
    assert_eq!(Apply::parse(r#"{"plan": "abc", "reason": "why", "ChangeId": "a/b"}"#), Ok(apply));
    assert_eq!(Cancel::parse(r#"{"reason": "why"}"#), Ok(Cancel { reason: Some("why".into()) }));
    let freeze = Freeze { reason: Some("why".into()), drain: true };
    assert_eq!(Freeze::parse(r#"{"reason": "why", "drain": true}"#), Ok(freeze));
}

#[test]
fn everything_that_is_wrong_is_said_at_once() {
    let body = r#"{"reason": null, "changeId": "x/undo", "force": "yes", "forse": true, "dryRun": true}"#;
    assert_eq!(
        found(Undo::parse(body)),
        [
            at("/reason", "NullValue"),
            at("/changeId", "InvalidChangeId"),
            at("/force", "WrongType"),
            at("/forse", "UnknownField"),
            at("/dryRun", "UnknownField"),
        ]
    );
    assert_eq!(
        found(Apply::parse(r#"{"plan": 1, "reason": ["why"], "changeId": "x/apply"}"#)),
        [at("/plan", "WrongType"), at("/reason", "WrongType"), at("/changeId", "InvalidChangeId")]
    );
    assert_eq!(
        found(Freeze::parse(r#"{"drain": true, "Drain": true, "reason": "a", "reason": "b"}"#)),
        [at("/Drain", "ConflictingFields"), at("/reason", "DuplicateKey")]
    );
    assert_eq!(found(Cancel::parse(r#"{"plan": "abc"}"#)), [at("/plan", "UnknownField")]);
    // the values are the ledger's
    assert_eq!(
        found(Restore::parse(r#"{"maximumSize": "1 MB", "force": true, "changeId": "x/apply"}"#)),
        [
            at("/maximumSize", "UnknownField"),
            at("/force", "UnknownField"),
            at("/changeId", "InvalidChangeId")
        ]
    );
}

#[test]
fn what_is_no_object_is_refused_as_a_whole() {
    for body in ["null", "[]", r#"["why", "X", true]"#, "5", r#""why""#] {
        let code = if body == "null" { "NullValue" } else { "WrongType" };
        assert_eq!(found(Undo::parse(body)), [at("", code)], "{body}");
        assert_eq!(found(Freeze::parse(body)), [at("", code)], "{body}");
    }
    for body in ["{", "{}{}", "reason", "{'reason': 1}"] {
        assert_eq!(found(Cancel::parse(body)), [at("", "NotJson")], "{body}");
    }
}

#[test]
fn a_reason_has_as_many_characters_as_that_of_a_change() {
    let body = |length| format!(r#"{{"reason": "{}"}}"#, "\\ud83d\\ude00".repeat(length));
    assert_eq!(Cancel::parse(&body(1_024)).unwrap().reason.unwrap().chars().count(), 1_024);
    assert_eq!(found(Cancel::parse(&body(1_025))), [at("/reason", "TooLong")]);
    let long = format!(r#"{{"reason": "{}"}}"#, "x".repeat(1_048_576));
    assert_eq!(found(Cancel::parse(&long)), [at("", "DocumentTooLarge")]);
}
