//! Documents with relative values that are invalid: nothing is read and nothing is sent.

use super::{GUARDED, of_chat};
use crate::world::{ONE, World, outcomes};
use sandbox::connect::Options;
use serde_json::{Value, json};

/// The violations of a change of ONE's CHAT, by pointer and code.
async fn violations(world: &World, fields: &Value) -> Vec<(String, String)> {
    let (kind, report) = world.error(&of_chat(ONE, fields)).await;
    assert_eq!((kind.as_str(), &report["status"]), ("PolicyChangeRejected", &json!("rejected")), "{fields}");
    assert_eq!(world.connect.journal().len(), 0, "{fields}");
    let text = |violation: &Value, name| violation[name].as_str().unwrap().to_owned();
    let listed = report["violations"].as_array().unwrap().iter();
    listed.map(|violation| (text(violation, "pointer"), text(violation, "code"))).collect()
}

#[tokio::test]
async fn conflicting_and_invalid_relative_values_are_rejected_at_the_relative_field() {
    let world = World::with(Options::default(), &GUARDED).await;
    let long: Vec<String> = (0..257).map(|n| format!("x{n}")).collect();
    for (fields, pointer, code) in [
        (
            json!({"allowedExtensions": ["pdf"], "addExtensions": ["png"]}),
            "/addExtensions",
            "ConflictingFields",
        ),
        (
            json!({"ExtensionConfiguration": {"AllowedExtensions": ["pdf"]}, "RemoveExtensions": ["png"]}),
            "/RemoveExtensions",
            "ConflictingFields",
        ),
        (
            json!({"maximumSize": "5 MB", "maximumSizeAtMost": "9 MB"}),
            "/maximumSizeAtMost",
            "ConflictingFields",
        ),
        (
            json!({"maximumSizeLimitInBytes": 5, "maximumSizeAtMost": 9}),
            "/maximumSizeAtMost",
            "ConflictingFields",
        ),
        (
            json!({"addExtensions": ["pdf", "png"], "removeExtensions": [".PNG"]}),
            "/removeExtensions",
            "ConflictingFields",
        ),
        (json!({"addExtensions": []}), "/addExtensions", "EmptyList"),
        (json!({"removeExtensions": []}), "/removeExtensions", "EmptyList"),
        (json!({"addExtensions": long}), "/addExtensions", "TooManyEntries"),
        (json!({"removeExtensions": ["pdf", "tar.gz"]}), "/removeExtensions/1", "InvalidExtension"),
        (json!({"addExtensions": "pdf"}), "/addExtensions", "WrongType"),
        (json!({"addExtensions": null}), "/addExtensions", "NullValue"),
        (json!({"maximumSizeAtMost": "101 MB"}), "/maximumSizeAtMost", "SizeOutOfRange"),
        (json!({"maximumSizeAtMost": 0}), "/maximumSizeAtMost", "SizeOutOfRange"),
        (json!({"maximumSizeAtMost": "ten"}), "/maximumSizeAtMost", "InvalidSize"),
        (json!({"maximumSizeAtMost": true}), "/maximumSizeAtMost", "WrongType"),
        (json!({"enforceGuardrails": "true"}), "/enforceGuardrails", "WrongType"),
        (json!({"enforceGuardrails": false}), "", "MissingValues"),
        (json!({"addExtension": ["pdf"], "maximumSize": "5 MB"}), "/addExtension", "UnknownField"),
    ] {
        let expected = (pointer.to_owned(), code.to_owned());
        assert_eq!(violations(&world, &fields).await, [expected], "{fields}");
    }
}

#[tokio::test]
async fn guardrails_cannot_be_enforced_where_there_are_none_about_values() {
    let refused = [("/enforceGuardrails".to_owned(), "NoGuardrails".to_owned())];
    for settings in [&[][..], &[("POLICY_ALLOWED_INSTANCES", ONE)]] {
        let world = World::with(Options::default(), settings).await;
        assert_eq!(violations(&world, &json!({"enforceGuardrails": true})).await, refused, "{settings:?}");
        let sized = json!({"enforceGuardrails": true, "maximumSize": "5 MB"});
        assert_eq!(violations(&world, &sized).await, refused, "{settings:?}");
        // false is the same as absent
        let report =
            world.report(&of_chat(ONE, &json!({"enforceGuardrails": false, "maximumSize": "5 MB"}))).await;
        assert_eq!(outcomes(&report), ["applied"], "{settings:?}");
    }
}

/// It can only lower, so what EMAIL may hold at most is no limit for it.
#[tokio::test]
async fn a_size_at_most_may_be_above_the_limit_of_email_and_warns_below_a_megabyte() {
    let world = World::new().await;
    let change = json!({"instanceId": ONE, "attachmentScope": "EMAIL", "maximumSizeAtMost": "50 MB"});
    assert_eq!(outcomes(&world.report(&change).await), ["unchanged"]);
    let report = world.report(&of_chat(ONE, &json!({"maximumSizeAtMost": "1048575"}))).await;
    assert_eq!(report["results"][0]["after"]["maximumSizeLimitInBytes"], 1_048_575);
    assert_eq!(report["warnings"][0]["code"], "SizeBelowDocumentedRange");
    assert_eq!(report["warnings"][0]["pointer"], "/maximumSizeAtMost");
}
