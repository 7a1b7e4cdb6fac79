use super::{STACK, parsed, payload, rules};
use policy_core::declare::{Answer, Attributes, MAX_ANSWER, Reason, Verdict};
use policy_core::policy::{ChangeId, Declaration, Rejected, Violation};
use proptest::prelude::*;
use serde_json::{Value, json};

fn failed(reason: Reason) -> Answer {
    Answer { verdict: Verdict::Failed, reason, attributes: None }
}

fn violations_of(properties: &Value) -> Vec<Violation> {
    let id = ChangeId::parse("c").unwrap();
    match Declaration::parse(&properties.to_string(), &id, &rules()) {
        Err(Rejected::Violations { violations, .. }) => violations,
        other => panic!("{other:?}"),
    }
}

/// The largest request that is accepted, with an id that doubles when it is written.
fn largest() -> String {
    payload(
        "Delete",
        &json!({
            "StackId": "s".repeat(512),
            "LogicalResourceId": "l".repeat(255),
            "RequestId": "r".repeat(128),
            "PhysicalResourceId": "\"".repeat(1_024),
        }),
    )
}

#[test]
fn an_answer_has_what_cloudformation_reads_and_what_a_template_reads() {
    let text = payload("Create", &json!({}));
    let attributes =
        Attributes { change_id: ChangeId::parse("c-1").unwrap(), targets: 4, applied: 3, unchanged: 1 };
    let answer = Answer {
        verdict: Verdict::Success,
        reason: Reason::of("3 of 4 targets were updated"),
        attributes: Some(attributes),
    };
    let body: Value = serde_json::from_str(&answer.body(&parsed(&text).unwrap().addressee())).unwrap();
    assert_eq!(
        body,
        json!({
            "Status": "SUCCESS",
            "Reason": "3 of 4 targets were updated",
            "PhysicalResourceId": "attachment-policy-06b3ee9e366fc0ad5ba6aa1fd3acb288",
            "StackId": STACK,
            "RequestId": "7d1f7f2e-6a5b-4a63-8f4d-0b1c2d3e4f50",
            "LogicalResourceId": "Policy",
            "Data": {"ChangeId": "c-1", "Targets": 4, "Applied": 3, "Unchanged": 1},
        })
    );
}

#[test]
fn violations_are_said_in_words() {
    let violations = violations_of(&json!({
        "InstanceIds": ["*"], "AttachmentScopes": ["CHAT"], "MaximumSize": "10 MB", "DryRun": "true",
    }));
    let text = payload("Create", &json!({}));
    let body = failed(Reason::of_violations(&violations)).body(&parsed(&text).unwrap().addressee());
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(body["Status"], "FAILED");
    assert_eq!(
        body["Reason"],
        "The properties break the rules, and nothing was changed: the properties must have extensions \
         (`allowedExtensions`); `/DryRun` is not allowed in a declaration"
    );
    assert!(body.get("Data").is_none());
}

#[test]
fn a_thousand_violations_fit() {
    let extensions: Vec<_> = (0..1_000).map(|n| format!("not an extension \"{n}\"")).collect();
    let violations = violations_of(&json!({
        "InstanceIds": ["*"], "AttachmentScopes": ["CHAT"], "MaximumSize": "10 MB",
        "AllowedExtensions": extensions,
    }));
    assert_eq!(violations.len(), 257);
    let text = payload("Create", &json!({}));
    let body = failed(Reason::of_violations(&violations)).body(&parsed(&text).unwrap().addressee());
    assert!((3_900..=MAX_ANSWER).contains(&body.len()), "{}", body.len());
    let body: Value = serde_json::from_str(&body).unwrap();
    let reason = body["Reason"].as_str().unwrap();
    let shown = reason.matches("`/AllowedExtensions").count();
    assert!(shown > 10, "{reason}");
    assert!(reason.ends_with(&format!(" ({} more are not shown)", 257 - shown)), "{reason}");
}

#[test]
fn the_same_work_has_the_same_answer() {
    let text = payload("Create", &json!({}));
    let answer = failed(Reason::of("frozen"));
    assert_eq!(
        answer.body(&parsed(&text).unwrap().addressee()),
        answer.body(&parsed(&text).unwrap().addressee())
    );
}

#[test]
fn the_longest_ids_leave_room_for_a_reason() {
    let text = largest();
    let attributes = Attributes {
        change_id: ChangeId::parse(&"c".repeat(128)).unwrap(),
        targets: u64::MAX,
        applied: u64::MAX,
        unchanged: u64::MAX,
    };
    let reason = Reason::of("\"".repeat(10_000));
    let answer = Answer { verdict: Verdict::Success, reason, attributes: Some(attributes) };
    let body = answer.body(&parsed(&text).unwrap().addressee());
    assert!(body.len() <= MAX_ANSWER, "{}", body.len());
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(body["PhysicalResourceId"], "\"".repeat(1_024));
    assert_eq!(body["Reason"], format!("{}…", "\"".repeat(300)));
}

proptest! {
    /// Whatever a reason says, the answer is read whole by CloudFormation.
    #[test]
    fn every_answer_fits(
        texts in prop::collection::vec((".{0,80}", "(?s).{0,400}"), 0..40),
        text in "(?s).{0,400}",
        is_largest in any::<bool>(),
    ) {
        let request = if is_largest { largest() } else { payload("Create", &json!({})) };
        let request = parsed(&request).unwrap();
        let violations: Vec<_> = texts.into_iter().map(|(pointer, message)| Violation {
            pointer, message, code: policy_core::policy::ViolationCode::WrongType,
        }).collect();
        for reason in [Reason::of(text), Reason::of_violations(&violations)] {
            let body = failed(reason).body(&request.addressee());
            prop_assert!(body.len() <= MAX_ANSWER);
            let body: Value = serde_json::from_str(&body).unwrap();
            prop_assert_eq!(&body["LogicalResourceId"], request.logical_id.as_str());
            prop_assert!(!body["Reason"].as_str().unwrap().contains(char::is_control));
        }
    }
}
