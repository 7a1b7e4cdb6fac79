//! Every row of the violation table, with the exact code and pointer.

use crate::parsing::{ID, at, change as parsed, parse, refusal, violations, with};
use policy_core::policy::Rejected;
use serde_json::json;

/// Each row: a field, its value, the pointer and the code of the one violation.
#[test]
fn each_rule_has_its_code_and_pointer() {
    let many: Vec<String> = (0..257).map(|n| format!("e{n}")).collect();
    let foreign = format!("arn:aws:connect:us-east-1:777788889999:instance/{ID}");
    for (field, value, pointer, code) in [
        ("instanceId", json!("contact-centre"), "/instanceId", "InvalidInstance"),
        ("instanceId", json!(5), "/instanceId", "WrongType"),
        ("instanceId", json!([]), "/instanceId", "EmptyList"),
        ("instanceIds", json!([ID, "x"]), "/instanceIds/1", "InvalidInstance"),
        ("instanceIds", json!([ID, "*"]), "/instanceIds/1", "InvalidInstance"),
        ("instanceIds", json!([ID, null]), "/instanceIds/1", "NullValue"),
        ("instanceId", json!(foreign), "/instanceId", "NoRoleForAccount"),
        ("instanceTags", json!({"a": "b"}), "/instanceTags", "InvalidTags"),
        ("attachmentScope", json!("FAX"), "/attachmentScope", "InvalidScope"),
        ("attachmentScope", json!(true), "/attachmentScope", "WrongType"),
        ("attachmentScopes", json!(["CHAT", "VOICE"]), "/attachmentScopes/1", "InvalidScope"),
        ("maximumSizeLimitInBytes", json!(0), "/maximumSizeLimitInBytes", "SizeOutOfRange"),
        ("maximumSizeLimitInBytes", json!(-1), "/maximumSizeLimitInBytes", "SizeOutOfRange"),
        ("maximumSizeLimitInBytes", json!(104_857_601), "/maximumSizeLimitInBytes", "SizeOutOfRange"),
        ("maximumSizeLimitInBytes", json!(u64::MAX), "/maximumSizeLimitInBytes", "SizeOutOfRange"),
        ("maximumSizeLimitInBytes", json!(i64::MIN), "/maximumSizeLimitInBytes", "SizeOutOfRange"),
        ("maximumSizeLimitInBytes", json!(1e300), "/maximumSizeLimitInBytes", "SizeOutOfRange"),
        ("maximumSizeLimitInBytes", json!(1.5), "/maximumSizeLimitInBytes", "InvalidSize"),
        ("maximumSizeLimitInBytes", json!("10 MB"), "/maximumSizeLimitInBytes", "InvalidSize"),
        ("maximumSizeLimitInBytes", json!(null), "/maximumSizeLimitInBytes", "NullValue"),
        ("maximumSizeLimitInBytes", json!([]), "/maximumSizeLimitInBytes", "WrongType"),
        ("maximumSize", json!("10"), "/maximumSize", "InvalidSize"),
        ("maximumSize", json!(10), "/maximumSize", "WrongType"),
        ("maximumSize", json!("1 GB"), "/maximumSize", "SizeOutOfRange"),
        ("allowedExtensions", json!([]), "/allowedExtensions", "EmptyExtensionList"),
        ("allowedExtensions", json!("pdf"), "/allowedExtensions", "WrongType"),
        ("allowedExtensions", json!(["pdf", "tar.gz"]), "/allowedExtensions/1", "InvalidExtension"),
        ("allowedExtensions", json!(["*.pdf"]), "/allowedExtensions/0", "InvalidExtension"),
        ("allowedExtensions", json!([7]), "/allowedExtensions/0", "WrongType"),
        ("allowedExtensions", json!([null]), "/allowedExtensions/0", "NullValue"),
        (
            "allowedExtensions",
            json!([{"extension": "p df"}]),
            "/allowedExtensions/0/extension",
            "InvalidExtension",
        ),
        ("allowedExtensions", json!([{}]), "/allowedExtensions/0", "MissingValues"),
        ("allowedExtensions", json!([{"extension": null}]), "/allowedExtensions/0/extension", "NullValue"),
        ("allowedExtensions", json!(many), "/allowedExtensions", "TooManyEntries"),
        ("extensionConfiguration", json!([]), "/extensionConfiguration", "WrongType"),
        ("extensionConfiguration", json!({}), "/extensionConfiguration", "MissingValues"),
        (
            "ExtensionConfiguration",
            json!({"AllowedExtensions": []}),
            "/ExtensionConfiguration/AllowedExtensions",
            "EmptyExtensionList",
        ),
        ("changeId", json!("a b"), "/changeId", "InvalidChangeId"),
        ("changeId", json!("x".repeat(129)), "/changeId", "InvalidChangeId"),
        ("ifUnmodifiedSince", json!("yesterday"), "/ifUnmodifiedSince", "InvalidTimestamp"),
        ("ifUnmodifiedSince", json!("2026-11-23"), "/ifUnmodifiedSince", "InvalidTimestamp"),
        ("ifUnmodifiedSince", json!("9999-12-31T23:59:59-23:59"), "/ifUnmodifiedSince", "InvalidTimestamp"),
        ("reason", json!("x".repeat(1025)), "/reason", "TooLong"),
        ("requestedBy", json!("x".repeat(257)), "/requestedBy", "TooLong"),
        ("dryRun", json!("true"), "/dryRun", "WrongType"),
        ("force", json!(1), "/force", "WrongType"),
        ("allowedExtension", json!(["pdf"]), "/allowedExtension", "UnknownField"),
        ("a/b~c", json!(1), "/a~1b~0c", "UnknownField"),
        ("INSTANCEID", json!(ID), "/INSTANCEID", "UnknownField"),
        ("InstanceId", json!(ID), "/instanceId", "ConflictingFields"),
        ("MaximumSize", json!("1 MB"), "/MaximumSize", "ConflictingFields"),
    ] {
        let found = violations(&with(field, value.clone()).to_string());
        assert_eq!(found, [at(pointer, code)], "{field}: {value}");
    }
}

#[test]
fn both_forms_of_one_field_are_refused() {
    for (one, other, value) in [
        ("instanceId", "instanceIds", json!(ID)),
        ("attachmentScope", "attachmentScopes", json!("CHAT")),
        ("maximumSizeLimitInBytes", "maximumSize", json!("1 MB")),
    ] {
        let mut change = with("reason", json!("r"));
        change[other] = value;
        assert_eq!(violations(&change.to_string()), [at(&format!("/{other}"), "ConflictingFields")], "{one}");
    }
    let mut change = with("allowedExtensions", json!(["pdf"]));
    change["extensionConfiguration"] = json!({"allowedExtensions": ["pdf"]});
    assert_eq!(violations(&change.to_string()), [at("/extensionConfiguration", "ConflictingFields")]);
}

#[test]
fn every_problem_is_reported_at_once() {
    let found = violations("{}");
    let codes: Vec<_> = found.iter().map(|(_, code)| code.as_str()).collect();
    assert_eq!(codes, ["MissingInstance", "MissingScope", "MissingValues"]);
    let second = violations(&json!({"changes": [with("force", json!(true)), {}]}).to_string());
    assert_eq!(second.iter().map(|(p, _)| p.as_str()).collect::<Vec<_>>(), ["/changes/1"; 3]);
    let text = r#"{"instanceId":"x","instanceId":"y","attachmentScope":"FAX","maximumSize":null,"sise":1}"#;
    let expected = [
        ("/instanceId", "DuplicateKey"),
        ("/instanceId", "InvalidInstance"),
        ("/attachmentScope", "InvalidScope"),
        ("/maximumSize", "NullValue"),
        ("/sise", "UnknownField"),
    ];
    assert_eq!(violations(text), expected.map(|(p, c)| at(p, c)));
    assert_eq!(violations("[]"), [at("", "WrongType")]);
}

#[test]
fn an_unknown_field_names_the_nearest_known_one() {
    let refused = refusal(parse(&with("allowedExtension", json!([])).to_string()));
    assert_eq!(refused[0].message, "is not a known field; did you mean `allowedExtensions`?");
}

#[test]
fn email_ends_at_20_mb_and_below_1_mb_is_a_warning() {
    let mut change = json!({"instanceId": ID, "attachmentScopes": ["CHAT", "EMAIL"], "maximumSizeLimitInBytes": 20_971_521});
    assert_eq!(violations(&change.to_string()), [at("/maximumSizeLimitInBytes", "SizeTooLargeForEmail")]);
    change["maximumSizeLimitInBytes"] = json!(20_971_520);
    assert!(parsed(&change).warnings.is_empty());
    let small = parsed(&with("maximumSize", json!("512 KB")));
    assert_eq!(
        (small.warnings[0].pointer.as_str(), small.warnings[0].code.name()),
        ("/maximumSize", "SizeBelowDocumentedRange")
    );
}

#[test]
fn text_that_is_not_json_is_reported_as_such() {
    for text in ["", "{", "{\"a\":1e999}", "{\"reason\":\"\\ud800\"}", "nul", &"[".repeat(500)] {
        assert!(matches!(parse(text), Err(Rejected::NotJson(_))), "{text}");
    }
}

#[test]
fn a_refused_document_keeps_its_id() {
    for (text, id) in [
        (r#"{"changeId":"CHG-9"}"#, "CHG-9"),
        (r#"{"reason":"r","ChangeId":"CHG-9"}"#, "CHG-9"),
        (r#"{"changeId":"no id","changes":[]}"#, "default"),
        (r#"{"reason":"r"}"#, "default"),
    ] {
        match parse(text) {
            Err(Rejected::Violations { change_id, .. }) => assert_eq!(change_id.as_str(), id, "{text}"),
            other => panic!("{text}: {other:?}"),
        }
    }
}
