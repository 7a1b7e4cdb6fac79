//! Relative values and enforced guardrails: what each target becomes, computed by hand.
//!
//! policy-core compares the computation with a model of sets; here it is seen from outside, in reports, in the
//! audit and in what Amazon Connect receives.

mod conditions;
mod guardrails;
mod refused;

use crate::world::{ONE, THREE, TWO, World, outcomes};
use sandbox::connect::{Configuration, Fault, Operation, Options, Scope};
use serde_json::{Value, json};

const MB: i64 = 1_048_576;
const UPDATE: Operation = Operation::UpdateAttachedFilesConfiguration;
/// Two guardrails that are about values: 15 MB, and two extensions.
const GUARDED: [(&str, &str); 2] =
    [("POLICY_BLOCKED_EXTENSIONS", "exe,svg"), ("POLICY_MAX_SIZE_BYTES", "15728640")];

/// Gives a target what it holds before a change.
fn hold(world: &World, instance: &str, scope: Scope, megabytes: i64, extensions: &[&str]) {
    let extensions = extensions.iter().map(|&extension| extension.to_owned()).collect();
    let size = megabytes * MB;
    let held = Configuration { maximum_size_limit_in_bytes: size, extensions, last_modified: None };
    world.connect.put(instance, scope, held);
}

/// As a report shows it.
fn values(megabytes: i64, extensions: &[&str]) -> Value {
    json!({"maximumSizeLimitInBytes": megabytes * MB, "allowedExtensions": extensions})
}

/// As Amazon Connect keeps it.
fn held(world: &World, instance: &str, scope: Scope) -> Value {
    let held = world.connect.configuration(instance, scope).unwrap();
    json!({"maximumSizeLimitInBytes": held.maximum_size_limit_in_bytes, "allowedExtensions": held.extensions})
}

/// A change of one instance's CHAT.
fn of_chat(instance: &str, fields: &Value) -> Value {
    let mut change = json!({"instanceId": instance, "attachmentScope": "CHAT"});
    for (name, value) in fields.as_object().unwrap() {
        change[name] = value.clone();
    }
    change
}

/// The body of an update: a size, a list, or both.
fn body(megabytes: Option<i64>, extensions: Option<&[&str]>) -> Value {
    let mut body = json!({});
    if let Some(megabytes) = megabytes {
        body["MaximumSizeLimitInBytes"] = json!(megabytes * MB);
    }
    if let Some(extensions) = extensions {
        let list: Vec<_> = extensions.iter().map(|extension| json!({"Extension": extension})).collect();
        body["ExtensionConfiguration"] = json!({"AllowedExtensions": list});
    }
    body
}

/// The bodies of the updates so far.
fn bodies(world: &World) -> Vec<Value> {
    world.calls(UPDATE).into_iter().map(|entry| entry.body.unwrap()).collect()
}

/// One target of the table below.
struct Row {
    instance: &'static str,
    scope: Scope,
    before: (i64, &'static [&'static str]),
    after: (i64, &'static [&'static str]),
    /// What is sent: only the members that change.
    sent: Option<(Option<i64>, Option<&'static [&'static str]>)>,
}

/// Add pdf and png, remove csv and zip, at most 12 MB, and no exe or svg.
const BY_HAND: [Row; 6] = [
    Row {
        instance: ONE,
        scope: Scope::Chat,
        before: (20, &["csv", "exe", "pdf"]),
        after: (12, &["pdf", "png"]),
        sent: Some((Some(12), Some(&["pdf", "png"]))),
    },
    Row {
        instance: ONE,
        scope: Scope::Task,
        before: (5, &["csv", "zip"]),
        after: (5, &["pdf", "png"]),
        sent: Some((None, Some(&["pdf", "png"]))),
    },
    Row {
        instance: TWO,
        scope: Scope::Chat,
        before: (12, &["pdf", "png"]),
        after: (12, &["pdf", "png"]),
        sent: None,
    },
    Row {
        instance: TWO,
        scope: Scope::Task,
        before: (100, &["PDF", "SVG", "heic"]),
        after: (12, &["heic", "pdf", "png"]),
        sent: Some((Some(12), Some(&["heic", "pdf", "png"]))),
    },
    Row {
        instance: THREE,
        scope: Scope::Chat,
        before: (8, &["docx", "svg", "zip"]),
        after: (8, &["docx", "pdf", "png"]),
        sent: Some((None, Some(&["docx", "pdf", "png"]))),
    },
    Row {
        instance: THREE,
        scope: Scope::Task,
        before: (20, &["pdf", "png", "txt"]),
        after: (12, &["pdf", "png", "txt"]),
        sent: Some((Some(12), None)),
    },
];

#[tokio::test]
async fn all_four_together_give_each_target_what_a_person_computes_and_once_is_enough() {
    let world = World::with(Options::default(), &GUARDED).await;
    for row in &BY_HAND {
        hold(&world, row.instance, row.scope, row.before.0, row.before.1);
    }
    let change = json!({
        "instanceIds": [ONE, TWO, THREE], "attachmentScopes": ["CHAT", "TASK"],
        "addExtensions": ["pdf", ".PNG"], "removeExtensions": ["csv", {"extension": "zip"}],
        "maximumSizeAtMost": "12 MB", "enforceGuardrails": true,
    });

    let report = world.report(&change).await;
    assert_eq!(
        (&report["status"], &report["summary"]),
        (&json!("succeeded"), &json!({"applied": 5, "unchanged": 1}))
    );
    for (row, result) in BY_HAND.iter().zip(report["results"].as_array().unwrap()) {
        let place = (&result["instanceId"], &result["attachmentScope"]);
        assert_eq!(place, (&json!(row.instance), &json!(row.scope.to_string())));
        assert_eq!(result["before"], values(row.before.0, row.before.1), "{place:?}");
        let changed = row.sent.map(|_| values(row.after.0, row.after.1));
        assert_eq!(result.get("after"), changed.as_ref(), "{place:?}");
        assert_eq!(result["outcome"], if changed.is_some() { "applied" } else { "unchanged" }, "{place:?}");
        assert_eq!(held(&world, row.instance, row.scope), values(row.after.0, row.after.1), "{place:?}");
    }
    let sent: Vec<_> = BY_HAND.iter().filter_map(|row| row.sent).collect();
    let sent: Vec<_> = sent.into_iter().map(|(size, list)| body(size, list)).collect();
    assert_eq!(bodies(&world), sent);

    let again = world.report(&change).await;
    assert_eq!((&again["status"], outcomes(&again)), (&json!("succeeded"), vec!["unchanged"; 6]));
    assert_eq!(world.updates(), 5);
}

#[tokio::test]
async fn the_audit_has_the_computed_values_in_the_intent_and_in_the_outcome() {
    let world = World::new().await;
    hold(&world, ONE, Scope::Chat, 20, &["csv", "pdf"]);
    let change = of_chat(ONE, &json!({"addExtensions": ["png"], "removeExtensions": ["csv"]}));
    assert_eq!(outcomes(&world.report(&change).await), ["applied"]);
    assert_eq!(world.audited(), ["intent", "outcome applied"]);
    for event in world.audit() {
        let data = &event["resources"][0]["data"];
        assert_eq!(data["before"], values(20, &["csv", "pdf"]));
        assert_eq!(data["after"], values(20, &["pdf", "png"]));
    }
}

#[tokio::test]
async fn a_before_sent_back_undoes_a_relative_change() {
    let world = World::new().await;
    hold(&world, ONE, Scope::Chat, 20, &["csv", "pdf"]);
    let change = of_chat(ONE, &json!({"removeExtensions": ["csv"], "maximumSizeAtMost": 5_242_880}));
    let report = world.report(&change).await;
    assert_eq!(held(&world, ONE, Scope::Chat), values(5, &["pdf"]));
    let undone = world.report(&of_chat(ONE, &report["results"][0]["before"])).await;
    assert_eq!(outcomes(&undone), ["applied"]);
    assert_eq!(held(&world, ONE, Scope::Chat), values(20, &["csv", "pdf"]));
}

#[tokio::test]
async fn relative_and_absolute_values_stand_together_where_they_are_of_different_members() {
    let world = World::new().await;
    hold(&world, ONE, Scope::Chat, 20, &["csv", "pdf"]);
    let report =
        world.report(&of_chat(ONE, &json!({"maximumSize": "8 MB", "removeExtensions": ["csv"]}))).await;
    assert_eq!(report["results"][0]["after"], values(8, &["pdf"]));
    let report = world
        .report(&of_chat(ONE, &json!({"maximumSizeAtMost": "10 MB", "allowedExtensions": ["txt"]})))
        .await;
    assert_eq!(report["results"][0]["after"], values(8, &["txt"]));
    assert_eq!(bodies(&world), [body(Some(8), Some(&["pdf"])), body(None, Some(&["txt"]))]);
}

/// AWS does not say whether the case of an extension matters.
#[tokio::test]
async fn an_extension_that_connect_spells_in_upper_case_is_the_same_extension() {
    let world = World::new().await;
    hold(&world, ONE, Scope::Chat, 20, &["PDF", "Zip", "csv"]);
    let there = world.report(&of_chat(ONE, &json!({"addExtensions": ["pdf"]}))).await;
    assert_eq!((outcomes(&there), world.updates()), (vec!["unchanged"], 0));
    let absent = world.report(&of_chat(ONE, &json!({"removeExtensions": ["PNG"]}))).await;
    assert_eq!((outcomes(&absent), world.updates()), (vec!["unchanged"], 0));
    let removed = world.report(&of_chat(ONE, &json!({"removeExtensions": ["zip"]}))).await;
    assert_eq!(removed["results"][0]["before"], values(20, &["PDF", "Zip", "csv"]));
    assert_eq!(removed["results"][0]["after"], values(20, &["csv", "pdf"]));
    assert_eq!(held(&world, ONE, Scope::Chat), values(20, &["csv", "pdf"]));
}

#[tokio::test]
async fn several_relative_changes_of_a_document_are_carried_out_in_order() {
    let world = World::new().await;
    hold(&world, ONE, Scope::Chat, 20, &["csv", "pdf"]);
    hold(&world, TWO, Scope::Chat, 4, &["pdf"]);
    let changes = json!({"changes": [
        of_chat(ONE, &json!({"maximumSizeAtMost": "5 MB"})),
        of_chat(TWO, &json!({"addExtensions": ["csv"]})),
    ]});
    let report = world.report(&changes).await;
    assert_eq!(report["changes"][0]["results"][0]["after"], values(5, &["csv", "pdf"]));
    assert_eq!(report["changes"][1]["results"][0]["after"], values(4, &["csv", "pdf"]));
    assert_eq!(bodies(&world), [body(Some(5), None), body(None, Some(&["csv", "pdf"]))]);
}

/// Each attempt sends the same computed values, so that an update that took effect twice does no harm.
#[tokio::test]
async fn an_update_that_is_sent_twice_sends_the_same_values() {
    let world = World::new().await;
    hold(&world, ONE, Scope::Chat, 20, &["csv", "pdf"]);
    world.connect.script(UPDATE, [Some(Fault::ResetAfter)]);
    let report = world.report(&of_chat(ONE, &json!({"addExtensions": ["png"]}))).await;
    let result = &report["results"][0];
    assert_eq!((outcomes(&report), &result["attempts"]), (vec!["applied"], &json!(2)));
    assert_eq!(result["before"], values(20, &["csv", "pdf"]));
    assert_eq!(bodies(&world), vec![body(None, Some(&["csv", "pdf", "png"])); 2]);
}
