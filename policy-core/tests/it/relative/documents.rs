//! What a relative document may say.

use super::{asking, enforceable};
use crate::parsing::{at, change, violations};
use policy_core::policy::MaxSize;
use serde_json::json;

#[test]
fn a_document_may_be_relative_only_and_has_a_normal_form() {
    let text = asking(&json!({"addExtensions": [".PDF", {"extension": "png"}], "RemoveExtensions": ["svg"],
        "maximumSizeAtMost": "10 MB"}));
    let parsed = change(&text);
    let normal = serde_json::to_value(&parsed).unwrap();
    assert_eq!(normal["addExtensions"], json!(["pdf", "png"]));
    assert_eq!(normal["removeExtensions"], json!(["svg"]));
    assert_eq!(normal["maximumSizeAtMost"], json!(10_485_760));
    assert_eq!((normal.get("allowedExtensions"), normal.get("enforceGuardrails")), (None, None));
    assert_eq!(change(&normal), parsed);
    for size in [json!(10_485_760), json!(10_485_760.0), json!("10485760"), json!("10240 KB")] {
        let other = asking(&json!({"addExtensions": ["png", "pdf"], "removeExtensions": ["svg"],
            "maximumSizeAtMost": size}));
        assert_eq!(change(&other), parsed, "{size}");
    }
    // it only lowers, so that the limit of EMAIL does not apply
    let lowering = change(&asking(&json!({"maximumSizeAtMost": "50 MB"})));
    assert_eq!(lowering.adjustments.max_size_at_most.map(MaxSize::bytes), Some(52_428_800));
    let small = change(&asking(&json!({"maximumSizeAtMost": "512 KB"})));
    let warning = &small.warnings[0];
    assert_eq!(
        (warning.pointer.as_str(), warning.code.name()),
        ("/maximumSizeAtMost", "SizeBelowDocumentedRange")
    );
}

#[test]
fn enforcing_needs_a_guardrail_and_false_asks_for_nothing() {
    let enforce = asking(&json!({"enforceGuardrails": true})).to_string();
    assert_eq!(violations(&enforce), [at("/enforceGuardrails", "NoGuardrails")]);
    assert!(enforceable(&enforce).adjustments.enforce_guardrails);
    let off = asking(&json!({"enforceGuardrails": false})).to_string();
    assert_eq!(violations(&off), [at("", "MissingValues")]);
    let with_size = change(&asking(&json!({"enforceGuardrails": false, "maximumSize": "1 MB"})));
    assert!(with_size.adjustments.is_empty());
}

#[test]
fn conflicting_and_invalid_values_have_their_code_and_pointer() {
    for (fields, expected) in [
        (
            json!({"addExtensions": ["a"], "allowedExtensions": ["b"]}),
            vec![at("/addExtensions", "ConflictingFields")],
        ),
        (
            json!({"extensionConfiguration": {"allowedExtensions": ["b"]}, "removeExtensions": ["a"]}),
            vec![at("/removeExtensions", "ConflictingFields")],
        ),
        (
            json!({"maximumSize": "1 MB", "maximumSizeAtMost": 5}),
            vec![at("/maximumSizeAtMost", "ConflictingFields")],
        ),
        (
            json!({"maximumSizeAtMost": 5, "MaximumSizeLimitInBytes": 5}),
            vec![at("/maximumSizeAtMost", "ConflictingFields")],
        ),
        (
            json!({"addExtensions": ["a", "B"], "removeExtensions": [".b", "A"]}),
            vec![at("/removeExtensions", "ConflictingFields")],
        ),
        (json!({"addExtensions": []}), vec![at("/addExtensions", "EmptyList")]),
        (json!({"removeExtensions": "svg"}), vec![at("/removeExtensions", "WrongType")]),
        (json!({"addExtensions": ["tar.gz"]}), vec![at("/addExtensions/0", "InvalidExtension")]),
        (json!({"maximumSizeAtMost": "10"}), vec![]),
        (json!({"maximumSizeAtMost": "ten"}), vec![at("/maximumSizeAtMost", "InvalidSize")]),
        (json!({"maximumSizeAtMost": true}), vec![at("/maximumSizeAtMost", "WrongType")]),
        (json!({"maximumSizeAtMost": 0}), vec![at("/maximumSizeAtMost", "SizeOutOfRange")]),
        (json!({"maximumSizeAtMost": null}), vec![at("/maximumSizeAtMost", "NullValue")]),
        (json!({"enforceGuardrails": "yes"}), vec![at("/enforceGuardrails", "WrongType")]),
        (
            json!({"enforceguardrails": true}),
            vec![at("", "MissingValues"), at("/enforceguardrails", "UnknownField")],
        ),
    ] {
        assert_eq!(violations(&asking(&fields).to_string()), expected, "{fields}");
    }
    let many: Vec<_> = (0..257).map(|n| format!("x{n}")).collect();
    let many = asking(&json!({"removeExtensions": many})).to_string();
    assert_eq!(violations(&many), [at("/removeExtensions", "TooManyEntries")]);
}
