//! Computed values against the guardrails and the limits of a list.

use super::{GUARDED, bodies, body, held, hold, of_chat, values};
use crate::http::{policies, request, send, slug};
use crate::world::{ONE, THREE, TWO, World, outcomes};
use sandbox::connect::{Options, Scope};
use serde_json::{Value, json};

async fn guarded() -> World {
    World::with(Options::default(), &GUARDED).await
}

/// A change whose only target is blocked after it was read: the code, in the report and in the audit.
async fn blocked(world: &World, change: &Value, before: &Value) -> String {
    let already = world.audit().len();
    let (kind, report) = world.error(change).await;
    assert_eq!((kind.as_str(), &report["status"]), ("PolicyChangeFailed", &json!("failed")), "{change}");
    let result = &report["results"][0];
    assert_eq!((outcomes(&report), &result["before"]), (vec!["blocked"], before), "{change}");
    assert_eq!((result.get("after"), &result["attempts"]), (None, &json!(0)), "{change}");
    assert_eq!(result["error"]["retryable"], false, "{change}");
    let audit = &world.audit()[already..];
    assert_eq!((audit.len(), &audit[0]["unmapped"]["outcome"]), (1, &json!("blocked")), "{change}");
    let data = &audit[0]["resources"][0]["data"];
    assert_eq!((&data["before"], data.get("after")), (before, None), "{change}");
    assert_eq!(world.updates(), 0, "{change}");
    result["error"]["code"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_computed_value_that_breaks_a_guardrail_is_blocked_though_the_target_held_it() {
    let world = guarded().await;
    hold(&world, ONE, Scope::Chat, 20, &["EXE", "csv", "pdf"]);
    let before = values(20, &["EXE", "csv", "pdf"]);
    let off = of_chat(ONE, &json!({"removeExtensions": ["csv"]}));
    assert_eq!(blocked(&world, &off, &before).await, "ExtensionBlocked");
    // it is blocked although nothing would be sent
    let there = of_chat(ONE, &json!({"addExtensions": ["csv"]}));
    assert_eq!(blocked(&world, &there, &before).await, "ExtensionBlocked");
    let lower = of_chat(ONE, &json!({"maximumSizeAtMost": "18 MB"}));
    assert_eq!(blocked(&world, &lower, &before).await, "SizeBlocked");
    let planned = of_chat(ONE, &json!({"removeExtensions": ["csv"], "dryRun": true}));
    assert_eq!(blocked(&world, &planned, &before).await, "ExtensionBlocked");

    for (fields, after) in [
        (json!({"maximumSizeAtMost": "14 MB"}), values(14, &["EXE", "csv", "pdf"])),
        (json!({"removeExtensions": ["csv", "exe"]}), values(14, &["pdf"])),
    ] {
        assert_eq!(world.report(&of_chat(ONE, &fields)).await["results"][0]["after"], after, "{fields}");
    }
}

#[tokio::test]
async fn one_target_blocked_by_what_it_holds_leaves_the_others_applied() {
    let world = guarded().await;
    hold(&world, ONE, Scope::Chat, 5, &["csv", "exe"]);
    hold(&world, TWO, Scope::Chat, 5, &["csv", "pdf"]);
    let change = json!({"instanceIds": [ONE, TWO], "attachmentScope": "CHAT", "removeExtensions": ["csv"]});
    let (kind, report) = world.error(&change).await;
    assert_eq!((kind.as_str(), &report["status"]), ("PolicyChangeFailed", &json!("partial")));
    assert_eq!(outcomes(&report), ["blocked", "applied"]);
    assert_eq!(report["results"][0]["before"], values(5, &["csv", "exe"]));
    assert_eq!(report["results"][1]["after"], values(5, &["pdf"]));
}

#[tokio::test]
async fn adding_a_blocked_extension_is_blocked_before_any_call() {
    let world = guarded().await;
    let (kind, report) = world.error(&of_chat(ONE, &json!({"addExtensions": ["png", ".EXE"]}))).await;
    assert_eq!((kind.as_str(), outcomes(&report)), ("PolicyChangeFailed", vec!["blocked"]));
    assert_eq!(report["results"][0]["error"]["code"], "ExtensionBlocked");
    assert_eq!((report["results"][0].get("before"), world.connect.journal().len()), (None, 0));
}

#[tokio::test]
async fn enforcing_the_guardrails_is_applied_last_whatever_else_the_change_says() {
    let world = guarded().await;
    for (before, fields, after) in [
        ((5, &["csv"][..]), json!({"addExtensions": ["exe", "png"]}), values(5, &["csv", "png"])),
        (
            (5, &["csv", "svg"]),
            json!({"removeExtensions": ["csv"], "addExtensions": ["txt"]}),
            values(5, &["txt"]),
        ),
        ((20, &["csv"]), json!({"maximumSizeAtMost": "18 MB"}), values(15, &["csv"])),
        (
            (5, &["csv"]),
            json!({"maximumSize": "50 MB", "allowedExtensions": ["pdf", "exe"]}),
            values(15, &["pdf"]),
        ),
    ] {
        hold(&world, ONE, Scope::Chat, before.0, before.1);
        let mut change = of_chat(ONE, &fields);
        change["enforceGuardrails"] = json!(true);
        let report = world.report(&change).await;
        assert_eq!(
            (outcomes(&report), &report["results"][0]["after"]),
            (vec!["applied"], &after),
            "{fields}"
        );
        assert_eq!(held(&world, ONE, Scope::Chat), after, "{fields}");
        assert_eq!(outcomes(&world.report(&change).await), ["unchanged"], "{fields}");
    }
}

#[tokio::test]
async fn the_guardrails_alone_are_enforced_everywhere_by_one_change() {
    let world = guarded().await;
    hold(&world, ONE, Scope::Email, 20, &["exe", "pdf"]);
    hold(&world, TWO, Scope::Chat, 15, &["PDF", "SVG"]);
    hold(&world, THREE, Scope::Case, 100, &["pdf"]);
    hold(&world, THREE, Scope::Task, 1, &["pdf"]);
    let change = json!({"instanceId": "*", "attachmentScope": "*", "enforceGuardrails": true});
    let report = world.report(&change).await;
    // the other eight targets have the default of 20 MB
    assert_eq!(
        (&report["status"], &report["summary"]),
        (&json!("succeeded"), &json!({"applied": 11, "unchanged": 1}))
    );
    let sent = bodies(&world);
    assert_eq!(sent.iter().filter(|sent| **sent == body(Some(15), None)).count(), 9);
    assert!(sent.contains(&body(Some(15), Some(&["pdf"]))));
    assert!(sent.contains(&body(None, Some(&["pdf"]))));
    for (instance, scope) in [(ONE, Scope::Email), (TWO, Scope::Chat), (THREE, Scope::Case)] {
        assert_eq!(held(&world, instance, scope), values(15, &["pdf"]));
    }
    assert_eq!(outcomes(&world.report(&change).await), vec!["unchanged"; 12]);
}

#[tokio::test]
async fn only_the_member_that_a_guardrail_is_about_is_enforced() {
    for (setting, after) in [
        (("POLICY_BLOCKED_EXTENSIONS", "exe"), values(20, &["pdf"])),
        (("POLICY_MAX_SIZE_BYTES", "15728640"), values(15, &["EXE", "pdf"])),
    ] {
        let world = World::with(Options::default(), &[setting]).await;
        hold(&world, ONE, Scope::Chat, 20, &["EXE", "pdf"]);
        let report = world.report(&of_chat(ONE, &json!({"enforceGuardrails": true, "force": true}))).await;
        assert_eq!(report["results"][0]["after"], after, "{setting:?}");
        assert_eq!(bodies(&world)[0].as_object().unwrap().len(), 1, "{setting:?}");
    }
}

#[tokio::test]
async fn a_list_that_would_be_empty_is_blocked_unless_empty_lists_are_allowed() {
    let remove = json!({"removeExtensions": ["csv", "pdf"]});
    let world = World::new().await;
    hold(&world, ONE, Scope::Chat, 20, &["csv", "PDF"]);
    let before = values(20, &["PDF", "csv"]);
    assert_eq!(blocked(&world, &of_chat(ONE, &remove), &before).await, "WouldBeEmpty");
    let patch = request("PATCH", &format!("{}/CHAT", policies(ONE)), Some(&remove.to_string()));
    let (status, problem, headers) = send(&world, &patch).await;
    assert_eq!((status, slug(&problem), headers.get("retry-after")), (403, "blocked", None));
    assert_eq!(problem["report"]["results"][0]["error"]["code"], "WouldBeEmpty");

    let world = guarded().await;
    hold(&world, ONE, Scope::Chat, 5, &["exe", "svg"]);
    let enforced = of_chat(ONE, &json!({"enforceGuardrails": true}));
    assert_eq!(blocked(&world, &enforced, &values(5, &["exe", "svg"])).await, "WouldBeEmpty");

    let allowed = World::with(Options::default(), &[("POLICY_ALLOW_EMPTY_EXTENSIONS", "true")]).await;
    hold(&allowed, ONE, Scope::Chat, 20, &["csv", "pdf"]);
    let report = allowed.report(&of_chat(ONE, &remove)).await;
    assert_eq!(report["results"][0]["after"], values(20, &[]));
    assert_eq!(bodies(&allowed), [body(None, Some(&[]))]);
}

#[tokio::test]
async fn a_list_of_more_than_256_is_blocked_and_one_of_256_is_not() {
    let world = World::new().await;
    let many: Vec<String> = (0..250).map(|n| format!("x{n}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    hold(&world, ONE, Scope::Chat, 20, &many);
    let sorted: std::collections::BTreeSet<_> = many.iter().copied().collect();
    let before = values(20, &sorted.into_iter().collect::<Vec<_>>());
    let seven = json!(["a", "b", "c", "d", "e", "f", "g"]);
    let too_long = of_chat(ONE, &json!({"addExtensions": seven}));
    assert_eq!(blocked(&world, &too_long, &before).await, "WouldBeTooLong");
    let just = of_chat(ONE, &json!({"addExtensions": seven, "removeExtensions": ["x0"]}));
    let report = world.report(&just).await;
    assert_eq!(outcomes(&report), ["applied"]);
    assert_eq!(report["results"][0]["after"]["allowedExtensions"].as_array().unwrap().len(), 256);
}
