//! What holds for every input.

use crate::parsing::parse;
use policy_core::origin::Invocation;
use policy_core::policy::Rejected;
use policy_core::policy::document::Field;
use policy_core::report::{Status, Verdict};
use policy_core::trigger;
use proptest::collection::{btree_set, vec};
use proptest::prelude::*;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

prop_compose! {
    fn instance()(n in 0..4_u32) -> String {
        format!("{n:08x}-ABCD-4000-8000-00000000000f")
    }
}

prop_compose! {
    /// A document that is accepted, in the API's camelCase.
    fn valid()(
        instances in vec(instance(), 1..4),
        scopes in vec(prop::sample::select(vec!["EMAIL", "CHAT", "CASE", "TASK", "*"]), 1..4),
        size in 1_048_576..=20_971_520_u32,
        extensions in btree_set("[a-z0-9_-]{1,10}", 1..6),
        reason in ".{0,40}",
        force in any::<bool>(),
    ) -> Map<String, Value> {
        let change = json!({
            "instanceIds": instances, "attachmentScopes": scopes, "maximumSizeLimitInBytes": size,
            "allowedExtensions": extensions, "reason": reason, "force": force, "changeId": "CHG-1",
        });
        change.as_object().unwrap().clone()
    }
}

/// Any JSON, with the names of our fields likelier than others.
fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_filter_map("finite", |f| serde_json::Number::from_f64(f).map(Value::Number)),
        ".{0,12}".prop_map(Value::from),
        instance().prop_map(Value::from),
        Just(Value::from("CHAT")),
    ];
    leaf.prop_recursive(4, 48, 6, |inner| {
        let known = prop::sample::select(Field::ALL).prop_map(|field| field.name().to_owned());
        let envelope = vec![
            "changes",
            "Records",
            "detail",
            "detail-type",
            "source",
            "requestContext",
            "version",
            "httpMethod",
            "body",
        ];
        let key = prop_oneof![known, prop::sample::select(envelope).prop_map(str::to_owned), ".{0,8}"];
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Value::from),
            vec((key, inner), 0..6).prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

fn verdicts() -> impl Strategy<Value = Vec<Verdict>> {
    vec(prop::sample::select(vec![Verdict::Done, Verdict::NotYet, Verdict::NotForGood]), 0..8)
}

fn pascal(key: &str) -> String {
    key[..1].to_uppercase() + &key[1..]
}

/// Letters in upper or lower case as the bits say.
fn recased(text: &str, bits: u64) -> String {
    let upper = |n: usize| bits >> (n % 64) & 1 == 1;
    let letters = text.chars().enumerate();
    letters.map(|(n, c)| if upper(n) { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() }).collect()
}

fn texts(list: &Value) -> Vec<String> {
    list.as_array().unwrap().iter().map(|entry| entry.as_str().unwrap().to_owned()).collect()
}

/// An instance of this account and Region by its id, its ARN or its encoded ARN.
fn named(id: &str, bits: u64) -> String {
    let id = recased(id, bits >> 2);
    let arn = format!("arn:aws:connect:us-east-1:111122223333:instance/{id}");
    match bits % 4 {
        0 => id,
        1 => arn,
        2 => arn.replace(':', "%3A").replace('/', "%2f"),
        _ => arn.bytes().fold(String::new(), |all, byte| all + &format!("%{byte:02x}")),
    }
}

/// An extension as a string or in the API's own form, with dot, spaces and capitals.
fn extension(name: &str, bits: u64) -> Value {
    let name = recased(name, bits >> 4);
    let dot = if bits & 1 == 0 { "" } else { "." };
    let space = if bits & 2 == 0 { "" } else { " \t" };
    let text = format!("{space}{dot}{name}{space}");
    match bits >> 2 & 3 {
        0 => json!({"extension": text}),
        1 => json!({"Extension": text}),
        _ => json!(text),
    }
}

/// The same value in another order or spelling; lists whose order matters keep it.
fn otherwise(key: &str, value: &Value, bits: &[u64]) -> Value {
    let bits = |n: usize| bits[n % bits.len()].rotate_left(u32::try_from(n).unwrap());
    let each = |spell: &dyn Fn(&str, u64) -> Value| -> Vec<Value> {
        texts(value).iter().enumerate().map(|(n, text)| spell(text, bits(n))).collect()
    };
    match key {
        "instanceIds" => each(&|id, bits| json!(named(id, bits))).into(),
        "attachmentScopes" => each(&|scope, bits| json!(recased(scope, bits))).into(),
        "allowedExtensions" => {
            let mut list = each(&|name, bits| extension(name, bits));
            // one of them twice, in another spelling, and all in another order
            list.push(extension(&texts(value)[0], !bits(0)));
            let turn = usize::try_from(bits(1) % 64).unwrap() % list.len();
            list.rotate_left(turn);
            list.into()
        }
        "maximumSizeLimitInBytes" => match bits(0) % 4 {
            0 => value.clone(),
            1 => json!(value.as_f64().unwrap()),
            2 => json!(value.to_string()),
            _ => json!(format!("000{value}")),
        },
        _ => value.clone(),
    }
}

prop_compose! {
    /// A document's text, and the same in another order and spelling of keys and values. By hand, since
    /// `serde_json`'s objects are sorted.
    fn respelt()(document in valid())(
        entries in Just(document.clone().into_iter().collect::<Vec<_>>()).prop_shuffle(),
        flips in any::<u32>(),
        bits in vec(any::<u64>(), 5),
        document in Just(document),
    ) -> (String, String) {
        let members: Vec<String> = entries.iter().enumerate().map(|(n, (key, value))| {
            let value = otherwise(key, value, &bits);
            let is_pascal = flips >> n & 1 == 1;
            let (key, value) = match (key.as_str(), flips >> 30) {
                ("allowedExtensions", 1) => ("extensionConfiguration", json!({"allowedExtensions": value})),
                ("allowedExtensions", 2) => ("extensionConfiguration", json!({"AllowedExtensions": value})),
                (key, _) => (key, value),
            };
            let key = if is_pascal { pascal(key) } else { key.to_owned() };
            format!("{}:{value}", json!(key))
        }).collect();
        (Value::Object(document).to_string(), format!("{{{}}}", members.join(",")))
    }
}

proptest! {
    #[test]
    fn a_normalised_document_parses_to_itself(document in valid()) {
        let parsed = parse(&Value::Object(document).to_string()).unwrap();
        let canonical = serde_json::to_string(&parsed.changes[0]).unwrap();
        let again = parse(&canonical).unwrap();
        prop_assert_eq!(&again.changes, &parsed.changes);
        prop_assert_eq!(serde_json::to_string(&again.changes[0]).unwrap(), canonical);
    }

    #[test]
    fn order_case_and_spelling_do_not_matter((plain, spelled) in respelt()) {
        prop_assert_eq!(parse(&spelled).unwrap(), parse(&plain).unwrap());
    }

    #[test]
    fn violations_point_at_existing_places(value in anything()) {
        if let Err(Rejected::Violations { violations, .. }) = parse(&value.to_string()) {
            prop_assert!(!violations.is_empty());
            for violation in violations {
                prop_assert!(value.pointer(&violation.pointer).is_some(), "{} in {value}", violation.pointer);
            }
        }
    }

    #[test]
    fn no_payload_makes_recognition_panic(value in anything()) {
        let raw = RawValue::from_string(value.to_string()).unwrap();
        let _ = trigger::recognise(&raw, &Invocation::default());
    }

    #[test]
    fn no_text_makes_parsing_panic(text in ".{0,200}") {
        let _ = parse(&text);
    }

    /// The order and number of verdicts do not matter.
    #[test]
    fn a_status_does_not_depend_on_order_or_number(
        (verdicts, shuffled) in verdicts().prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle())),
        dry_run in any::<bool>(),
    ) {
        let status = Status::of(verdicts.clone(), dry_run);
        prop_assert_eq!(Status::of(shuffled.clone(), dry_run), status);
        prop_assert_eq!(Status::of([verdicts, shuffled].concat(), dry_run), status);
    }

    #[test]
    fn one_more_target_never_makes_a_status_better_than_the_target_is(
        verdicts in verdicts(),
        dry_run in any::<bool>(),
    ) {
        let succeeds = |status| matches!(status, Status::Succeeded | Status::Planned);
        let before = Status::of(verdicts.clone(), dry_run);
        let with = |more| Status::of([verdicts.clone(), vec![more]].concat(), dry_run);
        prop_assert_eq!(with(Verdict::NotYet), Status::Incomplete);
        prop_assert!(!succeeds(with(Verdict::NotForGood)));
        prop_assert_eq!(succeeds(with(Verdict::Done)), succeeds(before));
        // an incomplete status stays incomplete, and a success stays visible
        prop_assert_eq!(with(Verdict::Done) == Status::Incomplete, before == Status::Incomplete);
        prop_assert!(with(Verdict::Done) != Status::Failed);
    }

    #[test]
    fn the_status_of_equal_parts_is_their_own(
        (one, other) in (verdicts(), verdicts()),
        dry_run in any::<bool>(),
    ) {
        let parts = [Status::of(one.clone(), dry_run), Status::of(other.clone(), dry_run)];
        let whole = Status::of([one, other].concat(), dry_run);
        if parts[0] == parts[1] {
            prop_assert_eq!(whole, parts[0]);
        }
        prop_assert_eq!(whole == Status::Incomplete, parts.contains(&Status::Incomplete));
    }

    #[test]
    fn a_dry_run_is_planned_exactly_where_a_run_would_succeed(verdicts in verdicts()) {
        let (planned, run) = (Status::of(verdicts.clone(), true), Status::of(verdicts, false));
        if run == Status::Succeeded {
            prop_assert_eq!(planned, Status::Planned);
        } else {
            prop_assert_eq!(planned, run);
        }
    }
}
