//! What holds for every input.

use connect_attachment_policy::origin::Invocation;
use connect_attachment_policy::policy::{
    ChangeId, Defaults, Document, Form, Guardrails, Home, Rejected, Rules, Values, document,
};
use connect_attachment_policy::report::{Status, Verdict};
use connect_attachment_policy::trigger;
use proptest::collection::{btree_set, vec};
use proptest::prelude::*;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

fn rules() -> Rules {
    let home = Home { region: "us-east-1".into(), account: Some("111122223333".into()) };
    Rules { home, ..Rules::default() }
}

fn parse(text: &str) -> Result<Document, Rejected> {
    let change_id = ChangeId::parse("default").unwrap();
    let defaults = Defaults { change_id, if_unmodified_since: None, dry_run: false };
    document::parse(text, &Form::Submission, &defaults, &rules())
}

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
        let known = prop::sample::select(document::FIELDS.to_vec()).prop_map(str::to_owned);
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

fn pascal(key: &str) -> String {
    key[..1].to_uppercase() + &key[1..]
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
    fn order_case_and_spelling_mean_the_same(document in valid(), flips in any::<u16>()) {
        let plain = parse(&Value::Object(document.clone()).to_string()).unwrap();
        let mut entries: Vec<_> = document.into_iter().collect();
        entries.reverse();
        let spelled = entries.into_iter().enumerate().map(|(n, (key, value))| {
            let key = if flips & (1 << n) == 0 { key } else { pascal(&key) };
            let value = match (key.to_lowercase().as_str(), value) {
                ("attachmentscopes", Value::Array(scopes)) => {
                    scopes.iter().map(|s| s.as_str().unwrap().to_lowercase()).collect()
                }
                ("allowedextensions", Value::Array(list)) => {
                    list.iter().rev().map(|e| json!({"Extension": format!(" .{}", e.as_str().unwrap().to_uppercase())})).collect()
                }
                ("instanceids", Value::Array(ids)) => ids.iter().map(|i| i.as_str().unwrap().to_lowercase()).collect(),
                (_, value) => value,
            };
            (key, value)
        });
        let text = Value::Object(spelled.collect()).to_string();
        prop_assert_eq!(parse(&text).unwrap(), plain);
    }

    #[test]
    fn violations_point_at_what_exists(value in anything()) {
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

    #[test]
    fn a_blocked_extension_is_blocked_in_every_spelling(upper in any::<bool>(), dots in 0..3_usize, spaces in " {0,3}", form in 0..4) {
        let name = if upper { "EXE" } else { "eXe" };
        let written = format!("{spaces}{}{name}{spaces}", ".".repeat(dots));
        let values = match form {
            0 => json!({"allowedExtensions": [written]}),
            1 => json!({"AllowedExtensions": [{"Extension": written}]}),
            2 => json!({"extensionConfiguration": {"allowedExtensions": [written]}}),
            _ => json!({"ExtensionConfiguration": {"AllowedExtensions": [{"extension": written}]}}),
        };
        let mut change = json!({"instanceId": "00000001-0000-4000-8000-000000000001", "attachmentScope": "CHAT"});
        change.as_object_mut().unwrap().extend(values.as_object().unwrap().clone());
        let guardrails = Guardrails {
            blocked_extensions: connect_attachment_policy::policy::ExtensionSet::parse(["exe"]).unwrap(),
            ..Guardrails::default()
        };
        match parse(&change.to_string()) {
            // what would be allowed under another name is refused as no extension at all
            Err(Rejected::Violations { violations, .. }) => prop_assert_eq!(violations[0].code.name(), "InvalidExtension"),
            Ok(document) => {
                let instance = rules().home.instance(
                    connect_attachment_policy::policy::InstanceId::parse("00000001-0000-4000-8000-000000000001").unwrap(),
                );
                let values: &Values = &document.changes[0].values;
                prop_assert_eq!(guardrails.check(&instance, values).unwrap_err().code(), "ExtensionBlocked");
            }
            Err(other) => prop_assert!(false, "{other:?}"),
        }
    }

    #[test]
    fn the_status_is_total_and_incomplete_before_partial_before_failed(
        verdicts in vec(prop::sample::select(vec![Verdict::Done, Verdict::NotYet, Verdict::NotForGood]), 0..8),
        dry_run in any::<bool>(),
    ) {
        let has = |verdict| verdicts.contains(&verdict);
        let expected = if has(Verdict::NotYet) {
            Status::Incomplete
        } else if has(Verdict::NotForGood) {
            if has(Verdict::Done) { Status::Partial } else { Status::Failed }
        } else if dry_run {
            Status::Planned
        } else {
            Status::Succeeded
        };
        prop_assert_eq!(Status::of(verdicts, dry_run), expected);
    }
}
