//! What a change may be combined with: a dry run, `force`, conditions; and an answer that is lost.

use super::{GUARDED, MB, UPDATE, bodies, body, held, hold, of_chat, values};
use crate::governed::stage::Stage;
use crate::http::{policies, request, send, slug};
use crate::world::{ONE, TWO, World, outcomes};
use sandbox::connect::{Configuration, Fault, Options, Scope};
use serde_json::json;
use time::OffsetDateTime;
use time::macros::datetime;

/// One attempt a call.
const ONCE: [(&str, &str); 1] = [("CONNECT_MAX_ATTEMPTS", "1")];

#[tokio::test]
async fn a_dry_run_plans_the_computed_values_and_sends_nothing() {
    let world = World::new().await;
    hold(&world, ONE, Scope::Chat, 20, &["csv", "pdf"]);
    hold(&world, TWO, Scope::Chat, 5, &["pdf", "png"]);
    let change = json!({"instanceIds": [ONE, TWO], "attachmentScope": "CHAT", "dryRun": true,
        "maximumSizeAtMost": "10 MB", "addExtensions": ["png"], "removeExtensions": ["csv"]});
    let report = world.report(&change).await;
    assert_eq!((&report["status"], outcomes(&report)), (&json!("planned"), vec!["planned", "unchanged"]));
    let planned = &report["results"][0];
    assert_eq!(planned["before"], values(20, &["csv", "pdf"]));
    assert_eq!(planned["after"], values(10, &["pdf", "png"]));
    assert_eq!((world.updates(), held(&world, ONE, Scope::Chat)), (0, values(20, &["csv", "pdf"])));
}

#[tokio::test]
async fn force_sends_the_members_that_the_change_names_as_computed() {
    let world = World::new().await;
    hold(&world, ONE, Scope::Chat, 5, &["csv", "pdf"]);
    for fields in [
        json!({"removeExtensions": ["zip"], "force": true}),
        json!({"maximumSizeAtMost": "10 MB", "force": true}),
        json!({"maximumSizeAtMost": "10 MB", "addExtensions": ["png"], "force": true}),
    ] {
        assert_eq!(outcomes(&world.report(&of_chat(ONE, &fields)).await), ["applied"], "{fields}");
    }
    let pinned =
        [body(None, Some(&["csv", "pdf"])), body(Some(5), None), body(Some(5), Some(&["csv", "pdf", "png"]))];
    assert_eq!(bodies(&world), pinned);
}

#[tokio::test]
async fn if_unmodified_since_guards_targets_whose_computed_values_differ() {
    let world = World::new().await;
    let set = |instance, at: OffsetDateTime, extensions: &[&str]| {
        let extensions = extensions.iter().map(|&extension| extension.to_owned()).collect();
        let held = Configuration { maximum_size_limit_in_bytes: 5 * MB, extensions, last_modified: Some(at) };
        world.connect.put(instance, Scope::Chat, held);
    };
    let newer = datetime!(2026-06-01 12:00:01 UTC);
    let change = json!({"instanceIds": [ONE, TWO], "attachmentScope": "CHAT", "removeExtensions": ["csv"],
        "ifUnmodifiedSince": "2026-06-01T12:00:00Z"});

    set(ONE, datetime!(2026-06-01 12:00 UTC), &["csv", "pdf"]);
    set(TWO, newer, &["csv", "pdf"]);
    let (kind, report) = world.error(&change).await;
    assert_eq!((kind.as_str(), outcomes(&report)), ("PolicyChangeFailed", vec!["applied", "superseded"]));
    assert_eq!(report["results"][1]["error"]["code"], "ModifiedSince");
    assert_eq!(held(&world, TWO, Scope::Chat), values(5, &["csv", "pdf"]));

    // a target that needs no update is unchanged, whenever it was set
    set(ONE, newer, &["pdf"]);
    set(TWO, newer, &["png"]);
    assert_eq!(outcomes(&world.report(&change).await), ["unchanged", "unchanged"]);
    assert_eq!(world.updates(), 1);
}

#[tokio::test]
async fn a_patch_takes_relative_values_and_if_match_guards_them() {
    let world = World::new().await;
    hold(&world, ONE, Scope::Chat, 20, &["csv", "pdf"]);
    let path = format!("{}/CHAT", policies(ONE));
    let tag = send(&world, &request("GET", &path, None)).await.2["etag"].clone();
    let fields = json!({"maximumSizeAtMost": "10 MB", "addExtensions": ["png"], "removeExtensions": ["csv"]});
    let mut change = request("PATCH", &path, Some(&fields.to_string()));

    change["headers"]["if-match"] = json!("\"another\"");
    let (status, problem, _) = send(&world, &change).await;
    assert_eq!((status, slug(&problem), world.updates()), (412, "precondition-failed", 0));

    change["headers"]["if-match"] = tag;
    let (status, report, _) = send(&world, &change).await;
    assert_eq!((status, &report["results"][0]["after"]), (200, &values(10, &["pdf", "png"])));
    // its own update changed the tag
    assert_eq!(send(&world, &change).await.0, 412);
}

#[tokio::test]
async fn a_lost_answer_is_settled_by_a_look_at_the_computed_values() {
    for (fault, outcome, held_then) in [
        (Fault::ResetAfter, "applied", values(10, &["pdf", "png"])),
        (Fault::ResetBefore, "failed", values(20, &["csv", "pdf"])),
    ] {
        let world = World::with(Options::default(), &ONCE).await;
        hold(&world, ONE, Scope::Chat, 20, &["csv", "pdf"]);
        world.connect.script(UPDATE, [Some(fault)]);
        let change = of_chat(
            ONE,
            &json!({"maximumSizeAtMost": "10 MB", "addExtensions": ["png"], "removeExtensions": ["csv"]}),
        );
        let report = match world.invoke(&change).await {
            Ok(report) => report,
            failure @ Err(_) => crate::world::failed(failure).1,
        };
        let result = &report["results"][0];
        assert_eq!(outcomes(&report), [outcome], "{fault}");
        assert_eq!(
            (&result["before"], &result["after"]),
            (&values(20, &["csv", "pdf"]), &held_then),
            "{fault}"
        );
        assert_eq!(world.audited(), ["intent".to_owned(), format!("outcome {outcome}")], "{fault}");

        let again = world.report(&change).await;
        let settled = if outcome == "applied" { "unchanged" } else { "applied" };
        assert_eq!(outcomes(&again), [settled], "{fault}");
        assert_eq!(held(&world, ONE, Scope::Chat), values(10, &["pdf", "png"]), "{fault}");
    }
}

/// The read-back finds the values, which were there before.
#[tokio::test]
async fn a_forced_update_without_an_answer_is_unknown_where_nothing_was_to_change() {
    let world = World::with(Options::default(), &ONCE).await;
    hold(&world, ONE, Scope::Chat, 5, &["pdf"]);
    world.connect.script(UPDATE, [Some(Fault::ResetBefore)]);
    let change = of_chat(ONE, &json!({"removeExtensions": ["csv"], "force": true}));
    let (kind, report) = world.error(&change).await;
    assert_eq!((kind.as_str(), outcomes(&report)), ("PolicyChangeIncomplete", vec!["unknown"]));
    assert_eq!(report["results"][0]["error"]["code"], "ConnectionFailed");
}

/// The function remembers nothing: a repetition starts from what the target holds then, whoever set it.
#[tokio::test]
async fn a_repetition_starts_from_what_the_target_holds_then() {
    let world = World::new().await;
    hold(&world, ONE, Scope::Chat, 20, &["csv", "pdf"]);
    let change = of_chat(ONE, &json!({"addExtensions": ["png"], "removeExtensions": ["csv"]}));
    assert_eq!(outcomes(&world.report(&change).await), ["applied"]);
    hold(&world, ONE, Scope::Chat, 7, &["csv", "docx"]);
    let report = world.report(&change).await;
    assert_eq!(report["results"][0]["after"], values(7, &["docx", "png"]));
}

#[tokio::test]
async fn a_queued_change_stays_relative_and_is_computed_when_it_is_carried_out() {
    let stage = Stage::with(Options::default(), &GUARDED).await;
    let change = json!({"instanceIds": [ONE, TWO], "attachmentScope": "*", "addExtensions": [".PNG"],
        "removeExtensions": ["csv"], "maximumSizeAtMost": "10 MB", "enforceGuardrails": true, "changeId": "CHG-1"});
    stage.take_in(&change).await;
    let document = &stage.record("CHG-1").await["document"];
    for (name, value) in [
        ("addExtensions", json!(["png"])),
        ("removeExtensions", json!(["csv"])),
        ("maximumSizeAtMost", json!(10 * MB)),
        ("enforceGuardrails", json!(true)),
    ] {
        assert_eq!(document[name], value, "{document}");
    }
    hold(&stage.world, ONE, Scope::Chat, 20, &["csv", "exe", "pdf"]);
    hold(&stage.world, TWO, Scope::Chat, 5, &["docx"]);
    stage.work().await;
    assert_eq!(stage.record("CHG-1").await["summary"], json!({"applied": 8}));
    assert_eq!(held(&stage.world, ONE, Scope::Chat), values(10, &["pdf", "png"]));
    assert_eq!(held(&stage.world, TWO, Scope::Chat), values(5, &["docx", "png"]));
}

/// Computed from what its lane holds once everything before it is done: by whichever way it comes.
#[tokio::test]
async fn a_relative_change_that_would_fit_waits_behind_unfinished_work_of_its_lane() {
    let stage = Stage::new().await;
    hold(&stage.world, ONE, Scope::Chat, 20, &["csv", "pdf"]);
    stage.take_in(&of_chat(ONE, &json!({"allowedExtensions": ["docx"], "changeId": "FIRST"}))).await;
    let relative = of_chat(ONE, &json!({"addExtensions": ["png"], "changeId": "SECOND"}));
    let (status, headers, _) = stage.http("POST", "/policy-changes", &relative).await;
    assert_eq!((status, &headers["location"]), (202, &json!("/policy-changes/SECOND")));
    assert_eq!(stage.world.updates(), 0);
    stage.work().await;
    assert_eq!(held(&stage.world, ONE, Scope::Chat), values(20, &["docx", "png"]));
    // with nothing before it, it is carried out at once
    let third = of_chat(ONE, &json!({"removeExtensions": ["docx"], "changeId": "THIRD"}));
    assert_eq!(stage.http("POST", "/policy-changes", &third).await.0, 200);
    assert_eq!(held(&stage.world, ONE, Scope::Chat), values(20, &["png"]));
}
