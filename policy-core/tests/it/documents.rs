//! Every row of the normalisation table: different forms of the same document have the same meaning.

use crate::parsing::{ID, account, change as parse, defaults, rules, with};
use policy_core::policy::{Form, IfMatch, Instance, InstanceId, Instances, Places, Rules, Scope, document};
use serde_json::json;
use time::macros::datetime;

fn home(id: &str) -> Instance {
    rules().home.instance(InstanceId::parse(id).unwrap())
}

#[test]
fn instances_are_normalised_to_lower_case_uuids_with_region_and_account() {
    let arn = format!("arn:aws:connect:us-east-1:111122223333:instance/{}", ID.to_uppercase());
    let encoded = arn.replace(':', "%3A").replace('/', "%2F");
    for value in [json!(ID), json!(ID.to_uppercase()), json!(arn), json!(encoded), json!([ID, arn, encoded])]
    {
        for field in ["instanceId", "instanceIds"] {
            assert_eq!(
                parse(&with(field, value.clone())).instances,
                Instances::Named(vec![home(ID)]),
                "{value}"
            );
        }
    }
    let foreign = format!("arn:aws:connect:eu-west-2:444455556666:instance/{ID}");
    let Instances::Named(named) = parse(&with("instanceId", json!(foreign))).instances else { panic!() };
    assert_eq!((named[0].region.as_str(), named[0].account), ("eu-west-2", Some(account("444455556666"))));
    assert_eq!(
        parse(&with("instanceId", json!("*"))).instances,
        Instances::All { places: Places::own(&rules().home), tags: [].into() }
    );
}

#[test]
fn tags_take_a_value_or_several() {
    let mut change = with("instanceId", json!("*"));
    change["instanceTags"] = json!({"stage": "prod", "team": ["a", "b", "a"]});
    let tags = [
        ("stage".to_owned(), ["prod".to_owned()].into()),
        ("team".to_owned(), ["a".to_owned(), "b".to_owned()].into()),
    ];
    assert_eq!(
        parse(&change).instances,
        Instances::All { places: Places::own(&rules().home), tags: tags.into() }
    );
}

#[test]
fn scopes_are_upper_case_in_order_and_unique() {
    for (value, scopes) in [
        (json!("chat"), vec![Scope::Chat]),
        (json!(["Task", "CHAT", "task"]), vec![Scope::Task, Scope::Chat]),
        (json!("*"), Scope::ALL.to_vec()),
        (json!(["CASE", "*"]), vec![Scope::Case, Scope::Email, Scope::Chat, Scope::Task]),
    ] {
        for field in ["attachmentScope", "attachmentScopes"] {
            assert_eq!(parse(&with(field, value.clone())).scopes, scopes, "{value}");
        }
    }
}

#[test]
fn sizes_are_bytes_in_every_form() {
    for (field, value, bytes) in [
        ("maximumSizeLimitInBytes", json!(1_048_576), 1_048_576),
        ("maximumSizeLimitInBytes", json!(1_048_576.0), 1_048_576),
        ("maximumSizeLimitInBytes", json!("1048576"), 1_048_576),
        ("maximumSizeLimitInBytes", json!(104_857_600), 104_857_600),
        ("maximumSize", json!("10 MB"), 10_485_760),
        ("maximumSize", json!("10MiB"), 10_485_760),
        ("maximumSize", json!("2048 KB"), 2_097_152),
    ] {
        let size = parse(&with(field, value.clone())).values.max_size.unwrap();
        assert_eq!(size.bytes(), bytes, "{value}");
    }
}

#[test]
fn extensions_are_trimmed_undotted_lowered_unique_and_sorted_in_every_form() {
    let written = json!([" .PDF", "docx", {"extension": "pdf"}, {"Extension": ".Csv "}]);
    let forms = [
        ("allowedExtensions", written.clone()),
        ("AllowedExtensions", written.clone()),
        ("extensionConfiguration", json!({"allowedExtensions": written})),
        ("ExtensionConfiguration", json!({"AllowedExtensions": written})),
    ];
    for (field, value) in forms {
        let extensions = parse(&with(field, value)).values.extensions.unwrap();
        assert_eq!(extensions.iter().collect::<Vec<_>>(), ["csv", "docx", "pdf"], "{field}");
    }
}

#[test]
fn the_other_fields_are_taken_as_given() {
    let change = parse(&json!({
        "InstanceId": ID, "AttachmentScope": "CHAT", "MaximumSizeLimitInBytes": 1_048_576,
        "ChangeId": "CHG-1/a.b:c_d", "IfUnmodifiedSince": "2026-11-23T10:00:00+01:00",
        "Reason": "ü".repeat(1024), "RequestedBy": "r".repeat(256), "DryRun": true, "Force": true,
    }));
    assert_eq!(change.change_id.as_str(), "CHG-1/a.b:c_d");
    assert_eq!(change.if_unmodified_since, Some(datetime!(2026-11-23 09:00 UTC)));
    assert_eq!(change.reason.unwrap().chars().count(), 1024);
    assert_eq!((change.requested_by.unwrap().len(), change.dry_run, change.force), (256, true, true));
    let silent = parse(&with("attachmentScope", json!("CHAT")));
    assert_eq!((silent.change_id.as_str(), silent.dry_run, silent.force), ("default", false, false));
}

#[test]
fn an_empty_extension_list_needs_the_setting() {
    let allowing = Rules { allow_empty_extensions: true, ..rules() };
    let text = with("allowedExtensions", json!([])).to_string();
    let changes = document::parse(&text, &Form::Submission, &defaults("default"), &allowing).unwrap().changes;
    assert_eq!(changes[0].values.extensions.as_ref().unwrap().iter().count(), 0);
}

#[test]
fn a_patch_has_its_target_and_its_condition_from_the_path_and_the_headers() {
    let text = r#"{"maximumSize":"10 MB","reason":"r"}"#;
    for if_match in [None, Some(IfMatch::parse("*"))] {
        let form = Form::Values { instance: home(ID), scope: Scope::Case, if_match: if_match.clone() };
        let document = document::parse(text, &form, &defaults("default"), &rules()).unwrap();
        let change = &document.changes[0];
        assert_eq!(
            (&change.instances, &change.scopes[..]),
            (&Instances::Named(vec![home(ID)]), &[Scope::Case][..])
        );
        assert_eq!((&change.if_match, document.is_batch), (&if_match, false));
    }
}
