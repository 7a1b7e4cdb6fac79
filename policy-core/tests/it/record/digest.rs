//! The hashes that tell changes and plans apart. They are stored: a release that gives another hash to the same change
//! refuses its repetition.

use super::{held, lane, recorded};
use crate::parsing::{ID, change, parse, with};
use policy_core::policy::{PolicyChange, Scope};
use policy_core::record::{RecordedResult, hash_of, lane_hash, parts, plan_hash};
use policy_core::report::OutcomeKind;
use proptest::prelude::*;
use serde_json::{Value, json};

const OTHER: &str = "11111111-0000-4000-8000-00000000000f";

fn hash(document: &Value) -> String {
    hash_of(&parse(&document.to_string()).unwrap().changes)
}

/// A change with every kind of value.
fn whole() -> Value {
    json!({
        "instanceIds": [ID, OTHER], "attachmentScopes": ["CHAT", "TASK"], "maximumSizeAtMost": "5 MB",
        "addExtensions": ["pdf", "png"], "removeExtensions": ["csv"],
    })
}

/// SHA-256 of a text, as parts are named by it.
fn sha256(text: &str) -> String {
    parts(text).0
}

#[test]
fn a_hash_stays_what_it_is() {
    let other = with("attachmentScope", json!("TASK"));
    let asked = |more: &str| {
        let instance = "111122223333/us-east-1#0123abcd-0000-4000-8000-00000000000f";
        format!(r#"{{"instances":["{instance}"{more}}}"#)
    };
    let whole_text = asked(
        r#","111122223333/us-east-1#11111111-0000-4000-8000-00000000000f"],"scopes":["CHAT","TASK"],"size_at_most":5242880,"add":["pdf","png"],"remove":["csv"]"#,
    );
    assert_eq!(hash(&whole()), sha256(&format!("[{whole_text}]")));
    let all = json!({
        "instanceId": "*", "instanceTags": {"team": ["b", "a"]}, "attachmentScope": "CHAT", "maximumSize": "5 MB",
        "allowedExtensions": ["png", "pdf"],
    });
    let all_text =
        r#"{"tags":{"team":["a","b"]},"scopes":["CHAT"],"size":5242880,"extensions":["pdf","png"]}"#;
    assert_eq!(hash(&all), sha256(&format!("[{all_text}]")));
    let other_text = asked(r#"],"scopes":["TASK"],"size":1048576"#);
    assert_eq!(hash(&json!({"changes": [other, all]})), sha256(&format!("[{other_text},{all_text}]")));
    let mut enforcing = change(&other);
    enforcing.adjustments.enforce_guardrails = true;
    let text = asked(r#"],"scopes":["TASK"],"size":1048576,"enforce_guardrails":true"#);
    assert_eq!(hash_of(&[enforcing]), sha256(&format!("[{text}]")));
}

/// The document that carries everything out is another one than the one that only looked at a part.
#[test]
fn which_changes_of_a_batch_are_dry_runs_counts_where_not_all_are() {
    let batch = |dry: [bool; 2]| {
        let scopes = ["CHAT", "TASK"].into_iter().zip(dry);
        let changes = scopes.map(|(scope, dry)| json!({"instanceId": ID, "attachmentScope": scope, "maximumSize": "5 MB", "dryRun": dry}));
        hash(&json!({"changes": changes.collect::<Vec<_>>()}))
    };
    assert_eq!(batch([true, true]), batch([false, false]));
    let all = [batch([false, false]), batch([true, false]), batch([false, true])];
    assert_eq!(all.iter().collect::<std::collections::BTreeSet<_>>().len(), 3);
}

#[test]
fn conditions_reasons_and_ids_do_not_count() {
    for (field, value) in [
        ("changeId", json!("other")),
        ("ifUnmodifiedSince", json!("2026-01-01T00:00:00Z")),
        ("reason", json!("because")),
        ("requestedBy", json!("me")),
        ("dryRun", json!(true)),
        ("force", json!(true)),
    ] {
        let mut other = whole();
        other[field] = value;
        assert_eq!(hash(&other), hash(&whole()), "{field}");
    }
}

#[test]
fn the_order_and_the_spelling_of_targets_do_not_count() {
    let mut other = whole();
    let arn = format!("arn:aws:connect:us-east-1:111122223333:instance/{ID}");
    other["instanceIds"] = json!([OTHER, arn]);
    other["attachmentScopes"] = json!(["task", "chat"]);
    other["addExtensions"] = json!([".PNG", "pdf"]);
    other["maximumSizeAtMost"] = json!(5_242_880);
    assert_eq!(hash(&other), hash(&whole()));
}

#[test]
fn every_target_and_value_counts() {
    let mut hashes = vec![hash(&whole())];
    let mut add = |field: &str, value: Value| {
        let mut other = whole();
        other[field] = value;
        hashes.push(hash(&other));
    };
    add("instanceIds", json!([ID]));
    add("instanceIds", json!([ID, format!("arn:aws:connect:eu-west-1:111122223333:instance/{OTHER}")]));
    add("instanceIds", json!([ID, format!("arn:aws:connect:us-east-1:444455556666:instance/{OTHER}")]));
    add("attachmentScopes", json!(["CHAT"]));
    add("attachmentScopes", json!(["CHAT", "EMAIL"]));
    add("maximumSizeAtMost", json!("6 MB"));
    add("addExtensions", json!(["pdf"]));
    add("removeExtensions", json!(["csv", "exe"]));
    // lists that change places, and one that is added and not set
    let one = |field: &str, value: Value| json!({"instanceId": ID, "attachmentScope": "CHAT", field: value});
    for document in [
        one("addExtensions", json!(["pdf"])),
        one("removeExtensions", json!(["pdf"])),
        one("allowedExtensions", json!(["pdf"])),
        one("maximumSizeAtMost", json!("1 MB")),
        one("maximumSize", json!("1 MB")),
    ] {
        hashes.push(hash(&document));
    }
    let all = |tags: Value| json!({"instanceId": "*", "instanceTags": tags, "attachmentScope": "CHAT", "maximumSize": "1 MB"});
    hashes.push(hash(&json!({"instanceId": "*", "attachmentScope": "CHAT", "maximumSize": "1 MB"})));
    for tags in [json!({"a": "b"}), json!({"b": "a"}), json!({"a": ["b", "c"]}), json!({"a": "b", "c": "d"})]
    {
        hashes.push(hash(&all(tags)));
    }
    // a batch is its changes in their order
    let (one, other) = (one("maximumSize", json!("1 MB")), with("attachmentScope", json!("TASK")));
    hashes.push(hash(&json!({"changes": [one, other]})));
    hashes.push(hash(&json!({"changes": [other, one]})));
    let mut enforcing = change(&whole());
    enforcing.adjustments.enforce_guardrails = true;
    hashes.push(hash_of(&[enforcing]));
    let count = hashes.len();
    hashes.sort();
    hashes.dedup();
    assert_eq!(hashes.len(), count);
}

#[test]
fn one_change_is_the_same_in_a_batch_of_one() {
    assert_eq!(hash(&json!({"changes": [whole()]})), hash(&whole()));
}

fn results() -> Vec<RecordedResult> {
    let of = |scope| RecordedResult { target: super::target(scope), ..recorded(OutcomeKind::Planned) };
    vec![of(Scope::Chat), of(Scope::Task)]
}

#[test]
fn a_plan_is_what_was_found_and_not_when_or_for_whom() {
    let hash = lane_hash(&results());
    let target = "111122223333/us-east-1#0123abcd-0000-4000-8000-00000000000f";
    let found = r#"["planned",{"maximumSizeLimitInBytes":5,"allowedExtensions":["csv","pdf"]},{"maximumSizeLimitInBytes":7,"allowedExtensions":["pdf"]}]"#;
    let text = format!(r#"[["{target}#CHAT",{found}],["{target}#TASK",{found}]]"#);
    assert_eq!(hash, sha256(&text));
    let mut other = results();
    other.reverse();
    other[0].token = "other".to_owned();
    other[0].at = super::at(9);
    other[0].attempts = 7;
    assert_eq!(lane_hash(&other), hash);
    let changed = |change: &dyn Fn(&mut RecordedResult)| {
        let mut other = results();
        change(&mut other[1]);
        lane_hash(&other)
    };
    let mut hashes = vec![
        hash,
        lane_hash(&[]),
        lane_hash(&results()[..1]),
        changed(&|result| result.outcome = OutcomeKind::Unchanged),
        changed(&|result| result.before = Some(held(5, &["pdf"]))),
        changed(&|result| result.after = Some(held(7, &["csv", "pdf"]))),
        changed(&|result| result.after = None),
        changed(&|result| result.target = super::target(Scope::Email)),
    ];
    let count = hashes.len();
    hashes.sort();
    hashes.dedup();
    assert_eq!(hashes.len(), count);
}

#[test]
fn a_plan_of_several_lanes_does_not_depend_on_their_order() {
    let (one, other) = (lane("us-east-1"), lane("eu-west-1"));
    let hash = plan_hash([(&one, "a"), (&other, "b")].into_iter());
    assert_eq!(hash, sha256(r#"{"111122223333/eu-west-1":"b","111122223333/us-east-1":"a"}"#));
    assert_eq!(plan_hash([(&other, "b"), (&one, "a")].into_iter()), hash);
    assert_ne!(plan_hash([(&one, "b"), (&other, "a")].into_iter()), hash);
    assert_ne!(plan_hash([(&one, "a")].into_iter()), hash);
}

proptest! {
    /// What a record keeps is the normal form: the change that is read from it has the same hash.
    #[test]
    fn the_normal_form_has_the_same_hash(
        scopes in proptest::sample::subsequence(vec!["EMAIL", "CHAT", "CASE", "TASK"], 1..=4).prop_shuffle(),
        names in proptest::collection::vec("[a-zA-Z0-9]{1,10}", 1..5),
        size in proptest::option::of(1..=20_971_520_u32),
    ) {
        let mut document = json!({"instanceIds": [OTHER, ID], "attachmentScopes": scopes, "allowedExtensions": names});
        if let Some(size) = size {
            document["maximumSizeLimitInBytes"] = json!(size);
        }
        let parsed: Vec<PolicyChange> = parse(&document.to_string()).unwrap().changes;
        let normal = serde_json::to_value(&parsed[0]).unwrap();
        prop_assert_eq!(hash(&normal), hash_of(&parsed));
    }
}
