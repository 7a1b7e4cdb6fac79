use super::rules;
use policy_core::policy::{
    ChangeId, Declaration, Instances, MAX_SIZE, OnDelete, Rejected, Scope, ViolationCode,
};
use proptest::prelude::*;
use serde_json::{Value, json};

fn read(properties: &Value) -> Result<Declaration, Rejected> {
    Declaration::parse(&properties.to_string(), &ChangeId::parse("generation-1").unwrap(), &rules())
}

fn whole() -> Value {
    json!({
        "ServiceToken": "arn:aws:lambda:eu-central-1:111122223333:function:declare",
        "ServiceTimeout": "600",
        "InstanceIds": ["*"],
        "AttachmentScopes": ["CHAT", "TASK"],
        "MaximumSize": "10 MB",
        "AllowedExtensions": ["pdf", "png"],
    })
}

fn with(key: &str, value: impl Into<Value>) -> Value {
    let mut properties = whole();
    properties[key] = value.into();
    properties
}

fn without(keys: &[&str]) -> Value {
    let mut properties = whole();
    for key in keys {
        properties.as_object_mut().unwrap().remove(*key).unwrap();
    }
    properties
}

/// Code and pointer of each violation.
fn violations(result: Result<Declaration, Rejected>) -> Vec<(ViolationCode, String)> {
    match result {
        Err(Rejected::Violations { violations, change_id }) => {
            assert_eq!(change_id.as_str(), "generation-1");
            violations.into_iter().map(|violation| (violation.code, violation.pointer)).collect()
        }
        other => panic!("{other:?}"),
    }
}

fn one(properties: &Value) -> (ViolationCode, String) {
    let mut all = violations(read(properties));
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

#[test]
fn a_declaration_is_read_as_cloudformation_sends_it() {
    let Declaration { change, on_delete } = read(&whole()).unwrap();
    assert_eq!(on_delete, OnDelete::Retain);
    assert_eq!(change.change_id.as_str(), "generation-1");
    assert!(matches!(change.instances, Instances::All { .. }));
    assert_eq!(change.scopes, [Scope::Chat, Scope::Task]);
    assert_eq!(change.values.max_size.unwrap().bytes(), 10_485_760);
    assert_eq!(change.values.extensions.unwrap().iter().collect::<Vec<_>>(), ["pdf", "png"]);
    assert!(!change.dry_run && !change.force);
    assert_eq!(change.if_unmodified_since, None);
}

#[test]
fn scalars_arrive_as_strings() {
    let mut properties = without(&["MaximumSize"]);
    properties["MaximumSizeLimitInBytes"] = "5242880".into();
    properties["Force"] = "true".into();
    let change = read(&properties).unwrap().change;
    assert_eq!(change.values.max_size.unwrap().bytes(), 5_242_880);
    assert!(change.force);
    assert!(!read(&with("Force", "false")).unwrap().change.force);
    for wrong in ["True", "yes", "1", ""] {
        assert_eq!(one(&with("Force", wrong)), (ViolationCode::WrongType, "/Force".to_owned()), "{wrong}");
    }
    // a boolean that is text stays text elsewhere
    assert_eq!(read(&with("Reason", "true")).unwrap().change.reason.as_deref(), Some("true"));
}

#[test]
fn on_delete_retains_or_restores() {
    assert_eq!(read(&with("OnDelete", "Restore")).unwrap().on_delete, OnDelete::Restore);
    assert_eq!(read(&with("OnDelete", "Retain")).unwrap().on_delete, OnDelete::Retain);
    assert_eq!(read(&with("onDelete", "Restore")).unwrap().on_delete, OnDelete::Restore);
    let pointer = || "/OnDelete".to_owned();
    for wrong in ["restore", "Delete", "Snapshot", ""] {
        assert_eq!(one(&with("OnDelete", wrong)), (ViolationCode::WrongType, pointer()), "{wrong}");
    }
    assert_eq!(one(&with("OnDelete", true)), (ViolationCode::WrongType, pointer()));
    assert_eq!(one(&with("OnDelete", Value::Null)), (ViolationCode::NullValue, pointer()));
    let mut both = with("OnDelete", "Restore");
    both["onDelete"] = "Restore".into();
    assert_eq!(one(&both), (ViolationCode::ConflictingFields, "/onDelete".to_owned()));
}

#[test]
fn a_declaration_is_whole() {
    let missing = || (ViolationCode::MissingValues, String::new());
    assert_eq!(violations(read(&without(&["MaximumSize"]))), [missing()]);
    assert_eq!(violations(read(&without(&["AllowedExtensions"]))), [missing()]);
    assert_eq!(violations(read(&without(&["MaximumSize", "AllowedExtensions"]))), [missing(), missing()]);
    assert_eq!(one(&without(&["InstanceIds"])), (ViolationCode::MissingInstance, String::new()));
    assert_eq!(one(&without(&["AttachmentScopes"])), (ViolationCode::MissingScope, String::new()));
}

#[test]
fn what_only_a_change_can_say_is_refused() {
    for (key, value) in [
        ("AddExtensions", json!(["pdf"])),
        ("RemoveExtensions", json!(["pdf"])),
        ("MaximumSizeAtMost", json!("10 MB")),
        ("EnforceGuardrails", json!("true")),
        ("ChangeId", json!("mine")),
        ("IfUnmodifiedSince", json!("2026-11-23T09:00:00Z")),
        ("DryRun", json!("true")),
        ("StopAfterFailures", json!("1")),
    ] {
        assert_eq!(one(&with(key, value)), (ViolationCode::UnexpectedField, format!("/{key}")));
    }
}

#[test]
fn what_nobody_knows_is_refused() {
    for key in ["OnDeleted", "serviceToken", "Plan", "Changes", "MaxSize"] {
        assert_eq!(one(&with(key, "x")), (ViolationCode::UnknownField, format!("/{key}")));
    }
}

#[test]
fn violations_follow_the_properties_and_the_same_key_twice_is_one() {
    let text = r#"{"OnDelete":"No","MaximumSize":"10 MB","Colour":"red","AllowedExtensions":["p!df"],
        "AttachmentScopes":["CHAT"],"InstanceIds":["*"],"AttachmentScopes":["TASK"],"DryRun":"true"}"#;
    let id = ChangeId::parse("generation-1").unwrap();
    let found = violations(Declaration::parse(text, &id, &rules()));
    let found: Vec<_> = found.iter().map(|(code, pointer)| (*code, pointer.as_str())).collect();
    assert_eq!(
        found,
        [
            (ViolationCode::WrongType, "/OnDelete"),
            (ViolationCode::UnknownField, "/Colour"),
            (ViolationCode::InvalidExtension, "/AllowedExtensions/0"),
            (ViolationCode::DuplicateKey, "/AttachmentScopes"),
            (ViolationCode::UnexpectedField, "/DryRun"),
        ]
    );
}

#[test]
fn properties_that_are_no_object_are_refused() {
    assert_eq!(violations(read(&json!(["*"]))), [(ViolationCode::WrongType, String::new())]);
    let id = ChangeId::parse("generation-1").unwrap();
    assert!(matches!(Declaration::parse("{", &id, &rules()), Err(Rejected::NotJson(_))));
}

proptest! {
    /// What CloudFormation makes a string means what the number means.
    #[test]
    fn digits_mean_the_number(bytes in 1..=MAX_SIZE) {
        let sized = |value: Value| {
            let mut properties = without(&["MaximumSize"]);
            properties["MaximumSizeLimitInBytes"] = value;
            read(&properties).unwrap().change.values
        };
        prop_assert_eq!(sized(bytes.to_string().into()), sized(bytes.into()));
    }
}
