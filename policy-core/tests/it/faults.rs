//! Documents with several faults: every one is reported, in the order of the document.

mod parts;

use crate::parsing::{ID, at, defaults, rules, violations, violations_of};
use parts::{Part, every_instance, instances, others, part, relative_values, scopes, values};
use policy_core::policy::{Form, InstanceId, Scope};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::json;
use serde_json::value::RawValue;
use std::collections::HashMap;

/// A document's text and its violations. By hand, since `serde_json` would sort the members.
#[derive(Debug, Clone)]
struct Faulty {
    text: String,
    expected: Vec<(String, String)>,
}

/// One part of each group, with the members in any order.
fn faulty(groups: Vec<Vec<Part>>) -> impl Strategy<Value = Faulty> {
    let parts: Vec<_> = groups.into_iter().map(select).collect();
    parts.prop_flat_map(|parts| {
        let members: Vec<_> = parts.iter().flat_map(|part| part.members.clone()).collect();
        let expected = parts.iter().flat_map(|part| part.expected.clone());
        let expected: Vec<_> = expected.map(|(pointer, code)| at(pointer, code)).collect();
        Just(members).prop_shuffle().prop_map(move |members| {
            let members: Vec<_> =
                members.iter().map(|(key, value)| format!("{}:{value}", json!(key))).collect();
            Faulty { text: format!("{{{}}}", members.join(",")), expected: expected.clone() }
        })
    })
}

fn change(instances: Vec<Part>) -> impl Strategy<Value = Faulty> {
    let mut groups = vec![instances, scopes(), [values(), relative_values()].concat()];
    groups.extend(others());
    faulty(groups)
}

fn id(number: usize) -> String {
    format!("{number:08x}-0000-4000-8000-00000000000f")
}

prop_compose! {
    /// Up to four changes of different instances, then two of one instance; and faults of the whole.
    fn batch()(
        changes in (1..=4_usize).prop_flat_map(|count| (0..count).map(|n| change(instances(&id(n)))).collect::<Vec<_>>()),
        overlapping in any::<bool>(),
        own in select(vec![
            ("", vec![]),
            (r#""changeId":"a b","#, vec![("/changeId", "InvalidChangeId")]),
            (r#""changeId":null,"kolour":1,"#, vec![("/changeId", "NullValue"), ("/kolour", "UnknownField")]),
        ]),
    ) -> Faulty {
        let mut changes = changes;
        if overlapping {
            let text = format!(r#"{{"instanceId":"{ID}","attachmentScope":"TASK","maximumSize":"0 MB"}}"#);
            let expected = vec![at("/maximumSize", "SizeOutOfRange")];
            changes.push(Faulty { text: text.clone(), expected: expected.clone() });
            changes.push(Faulty { text, expected: [expected, vec![at("", "OverlappingTarget")]].concat() });
        }
        let mut expected: Vec<_> = own.1.iter().map(|(pointer, code)| at(pointer, code)).collect();
        for (number, change) in changes.iter().enumerate() {
            let below = |(pointer, code): &(String, String)| at(&format!("/changes/{number}{pointer}"), code);
            expected.extend(change.expected.iter().map(below));
        }
        let texts: Vec<_> = changes.into_iter().map(|change| change.text).collect();
        Faulty { text: format!(r#"{{{}"changes":[{}]}}"#, own.0, texts.join(",")), expected }
    }
}

/// A PATCH whose body has fields of the target, too.
fn patch() -> impl Strategy<Value = Faulty> {
    let mut groups = vec![[values(), relative_values()].concat()];
    groups.extend(["instanceId", "instanceTags", "attachmentScopes"].map(|field| {
        let pointer = ["/", field].concat().leak();
        vec![part(&[], &[]), part(&[(field, json!("*"))], &[(pointer, "UnexpectedField")])]
    }));
    groups.extend(others());
    faulty(groups)
}

fn sorted(mut violations: Vec<(String, String)>) -> Vec<(String, String)> {
    violations.sort();
    violations
}

/// Whether the pointers are in the order of the text, computed without the code under test.
fn is_in_order(text: &str, found: &[(String, String)]) -> bool {
    let raw: &RawValue = serde_json::from_str(text).unwrap();
    let places: Vec<_> = found.iter().map(|(pointer, _)| place(raw.get(), pointer)).collect();
    places.is_sorted()
}

/// The byte at which the value of a pointer begins.
fn place(text: &str, pointer: &str) -> usize {
    let mut at = text;
    for token in pointer.split('/').skip(1) {
        at = if let Ok(index) = token.parse::<usize>() {
            serde_json::from_str::<Vec<&RawValue>>(at).unwrap()[index].get()
        } else {
            serde_json::from_str::<HashMap<String, &RawValue>>(at).unwrap()[token].get()
        };
    }
    at.as_ptr().addr() - text.as_ptr().addr()
}

proptest! {
    #[test]
    fn every_fault_of_one_change_is_reported_in_order(
        faulty in prop_oneof![4 => change(instances(ID)), 1 => change(every_instance())],
    ) {
        let found = violations(&faulty.text);
        prop_assert!(is_in_order(&faulty.text, &found), "{found:?} in {}", faulty.text);
        prop_assert_eq!(sorted(found), sorted(faulty.expected), "{}", faulty.text);
    }

    #[test]
    fn every_fault_of_every_change_is_reported_in_order(faulty in batch()) {
        let found = violations(&faulty.text);
        prop_assert!(is_in_order(&faulty.text, &found), "{found:?} in {}", faulty.text);
        prop_assert_eq!(sorted(found), sorted(faulty.expected), "{}", faulty.text);
    }

    #[test]
    fn every_fault_of_a_patch_is_reported_in_order(faulty in patch()) {
        let form = Form::Values {
            instance: rules().home.instance(InstanceId::parse(ID).unwrap()),
            scope: Scope::Chat,
            if_match: None,
        };
        let found = violations_of(&faulty.text, &form, &defaults("default"));
        prop_assert!(is_in_order(&faulty.text, &found), "{found:?} in {}", faulty.text);
        prop_assert_eq!(sorted(found), sorted(faulty.expected), "{}", faulty.text);
    }
}

#[test]
fn an_invalid_change_id_hides_nothing_after_it() {
    let text = r#"{"changeId":"a b","instanceId":"x","reason":1}"#;
    let expected = [
        at("", "MissingScope"),
        at("", "MissingValues"),
        at("/changeId", "InvalidChangeId"),
        at("/instanceId", "InvalidInstance"),
        at("/reason", "WrongType"),
    ];
    assert_eq!(violations(text), expected);
    let expected =
        [at("/changeId", "InvalidChangeId"), at("/changes", "EmptyList"), at("/z", "UnknownField")];
    assert_eq!(violations(r#"{"changeId":"a b","changes":[],"z":1}"#), expected);
}

#[test]
fn too_many_changes_or_targets_hide_nothing_after_them() {
    let valid = |number: usize, more: &str| {
        format!(r#"{{"instanceId":"{}","attachmentScope":"CHAT","maximumSize":"1 MB"{more}}}"#, id(number))
    };
    let mut changes: Vec<_> = (0..100).map(|number| valid(number, "")).collect();
    changes.push(valid(100, r#","force":1"#));
    let text = format!(r#"{{"changes":[{}]}}"#, changes.join(","));
    assert_eq!(violations(&text), [at("/changes", "TooManyEntries"), at("/changes/100/force", "WrongType")]);

    let ids: Vec<_> = (0..251).map(id).collect();
    let many = format!(r#"{{"instanceIds":{},"attachmentScope":"*","maximumSize":"0 MB"}}"#, json!(ids));
    assert_eq!(violations(&many), [at("", "TooManyTargets"), at("/maximumSize", "SizeOutOfRange")]);
    let text = format!(r#"{{"changes":[{many},{},{}]}}"#, valid(3, ""), valid(300, r#","force":1"#));
    let expected = [
        at("/changes/0", "TooManyTargets"),
        at("/changes/0/maximumSize", "SizeOutOfRange"),
        at("/changes/1", "OverlappingTarget"),
        at("/changes/2/force", "WrongType"),
    ];
    assert_eq!(violations(&text), expected);
}
