//! `checkDrift`: a document that only looks, its fields, its normal form and its hash.

use crate::parsing::{ID, at, defaults, refusal, rules, with};
use policy_core::policy::{
    Document, Form, InstanceId, Instances, PolicyChange, Rejected, Rules, Scope, document,
};
use policy_core::record::{Plan, Task, hash_of, lanes_of};
use serde_json::{Value, json};

fn governed() -> Rules {
    Rules { governed: true, ..rules() }
}

fn parsed(document: &Value) -> Result<Document, Rejected> {
    document::parse(&document.to_string(), &Form::Submission, &defaults("default"), &governed())
}

fn check(more: &Value) -> PolicyChange {
    let mut document = json!({"checkDrift": true});
    document.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let Document { mut changes, is_batch: false, stop_after: None, .. } = parsed(&document).unwrap() else {
        panic!("{document}")
    };
    let change = changes.remove(0);
    assert!(change.checks_drift && change.dry_run && change.values.is_empty() && changes.is_empty());
    change
}

fn found(document: &Value) -> Vec<(String, String)> {
    let refused = refusal(parsed(document));
    refused.into_iter().map(|violation| at(&violation.pointer, violation.code.name())).collect()
}

#[test]
fn a_check_is_of_what_it_names_or_of_everything() {
    let every = check(&json!({}));
    let Instances::All { places, tags } = &every.instances else { panic!("{every:?}") };
    assert!(!places.are_known() && tags.is_empty() && lanes_of(std::slice::from_ref(&every)).is_empty());
    assert_eq!(every.scopes, Scope::ALL);
    let narrow = check(&json!({
        "InstanceIds": [ID], "AttachmentScope": "chat", "changeId": "C", "reason": "why", "requestedBy": "ada",
    }));
    assert_eq!((narrow.scopes.as_slice(), narrow.change_id.as_str()), (&[Scope::Chat][..], "C"));
    assert_eq!((narrow.reason.as_deref(), narrow.requested_by.as_deref()), (Some("why"), Some("ada")));
    assert_eq!(lanes_of(&[narrow]).len(), 1);
    let own = check(&json!({"instanceId": "*"}));
    let Instances::All { places, .. } = &own.instances else { panic!("{own:?}") };
    assert!(places.is_own() && places.are_known());
}

#[test]
fn it_is_true_and_needs_a_ledger() {
    for value in [json!(false), json!("true"), json!(1), json!([true])] {
        assert_eq!(found(&json!({"checkDrift": value})), [at("/checkDrift", "WrongType")], "{value}");
    }
    assert_eq!(found(&json!({"checkDrift": null})), [at("/checkDrift", "NullValue")]);
    let standalone = document::parse(r#"{"CheckDrift":true}"#, &Form::Submission, &defaults("c"), &rules());
    let refused = refusal(standalone);
    assert_eq!((refused[0].pointer.as_str(), refused[0].code.name()), ("/CheckDrift", "NeedsLedger"));
}

#[test]
fn every_field_that_it_does_not_have_is_said_at_once() {
    let document = json!({
        "checkDrift": true, "maximumSize": "5 MB", "addExtensions": ["pdf"], "dryRun": true, "force": false,
        "ifUnmodifiedSince": "2026-01-01T00:00:00Z", "stopAfterFailures": 0, "instanceTags": {"a": "b"}, "plan": "x",
        "checkdrift": true, "attachmentScope": "VOICE",
    });
    let unexpected = |pointer| at(pointer, "UnexpectedField");
    assert_eq!(
        found(&document),
        [
            unexpected("/addExtensions"),
            at("/attachmentScope", "InvalidScope"),
            at("/checkdrift", "UnknownField"),
            unexpected("/dryRun"),
            unexpected("/force"),
            unexpected("/ifUnmodifiedSince"),
            unexpected("/instanceTags"),
            unexpected("/maximumSize"),
            unexpected("/plan"),
            unexpected("/stopAfterFailures"),
        ]
    );
    let message = &refusal(parsed(&json!({"checkDrift": true, "force": true})))[0].message;
    assert_eq!(message, "is not allowed with `checkDrift`, which changes nothing");
    assert_eq!(
        refusal(parsed(&json!({"checkDrift": true, "instanceIdd": "*"})))[0].message,
        "is not a known field; did you mean `instanceId`?"
    );
    for both in [
        json!({"checkDrift": true, "CheckDrift": true}),
        json!({"checkDrift": true, "instanceId": ID, "instanceIds": ID}),
    ] {
        assert_eq!(found(&both)[0].1, "ConflictingFields", "{both}");
    }
}

#[test]
fn it_stands_alone() {
    let batch = json!({"changes": [with("force", json!(true))], "checkDrift": true});
    assert_eq!(found(&batch), [at("/checkDrift", "UnknownField")]);
    let within = json!({"changes": [with("checkDrift", json!(true))]});
    assert_eq!(found(&within), [at("/changes/0/checkDrift", "UnknownField")]);
    let instance = rules().home.instance(InstanceId::parse(ID).unwrap());
    let form = Form::Values { instance, scope: Scope::Chat, if_match: None };
    let text = r#"{"checkDrift":true,"maximumSize":"1 MB"}"#;
    let refused = refusal(document::parse(text, &form, &defaults("default"), &governed()));
    assert_eq!((refused[0].pointer.as_str(), refused[0].code.name()), ("/checkDrift", "UnknownField"));
}

#[test]
fn its_plan_comes_back_as_it_was() {
    for more in [
        json!({}),
        json!({"instanceId": "*"}),
        json!({"instanceId": "arn:aws:connect:*:*:instance/*", "attachmentScope": "TASK", "reason": "why"}),
        json!({"instanceIds": [ID], "requestedBy": "ada", "changeId": "C"}),
    ] {
        let changes = vec![check(&more)];
        let lanes = lanes_of(&changes);
        let task = Task::Document(changes);
        let plan = Plan { task, lanes, is_batch: false, stop_after: None, restores: true };
        let text = plan.encode().unwrap();
        assert!(text.contains(r#""checkDrift":true"#) && !text.contains("dryRun"), "{text}");
        let id = policy_core::policy::ChangeId::parse("default").unwrap();
        assert_eq!(Plan::decode(&text, &governed(), &id).unwrap(), plan, "{more}");
    }
}

#[test]
fn its_hash_is_that_of_no_change_and_of_no_other_check() {
    let hash = |more: &Value| hash_of(&[check(more)]);
    let hashes = [
        hash(&json!({})),
        hash(&json!({"instanceId": "*"})),
        hash(&json!({"instanceId": ID})),
        hash(&json!({"instanceId": ID, "attachmentScope": "CHAT"})),
        hash_of(&[PolicyChange { checks_drift: false, ..check(&json!({"instanceId": ID})) }]),
    ];
    let unique: std::collections::BTreeSet<_> = hashes.iter().collect();
    assert_eq!(unique.len(), hashes.len());
    assert_eq!(hash(&json!({"reason": "a", "changeId": "b"})), hashes[0]);
}
