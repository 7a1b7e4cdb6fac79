//! Every row of the normalisation and violation tables, with the exact code and pointer.

use policy_core::policy::{
    ChangeId, Defaults, Document, Form, Home, Instance, InstanceId, Instances, PolicyChange, Rejected, Rules,
    Scope, document,
};
use serde_json::{Value, json};
use time::macros::datetime;

const ID: &str = "0123abcd-0000-4000-8000-00000000000f";

fn rules() -> Rules {
    Rules {
        home: Home { region: "us-east-1".into(), account: Some("111122223333".into()) },
        role_accounts: ["444455556666".to_owned()].into(),
        allow_empty_extensions: false,
    }
}

fn parse_text(text: &str, rules: &Rules) -> Result<Document, Rejected> {
    let change_id = ChangeId::parse("default").unwrap();
    let defaults = Defaults { change_id, if_unmodified_since: None, dry_run: false };
    document::parse(text, &Form::Submission, &defaults, rules)
}

fn parse(value: &Value) -> PolicyChange {
    parse_text(&value.to_string(), &rules()).unwrap().changes.remove(0)
}

/// A whole change with one field more, or replaced.
fn with(field: &str, value: Value) -> Value {
    let mut change =
        json!({"instanceId": ID, "attachmentScope": "CHAT", "maximumSizeLimitInBytes": 1_048_576});
    let others: &[&str] = match field {
        "instanceIds" => &["instanceId"],
        "attachmentScopes" => &["attachmentScope"],
        "maximumSize" => &["maximumSizeLimitInBytes"],
        _ => &[],
    };
    for other in others {
        change.as_object_mut().unwrap().remove(*other);
    }
    change[field] = value;
    change
}

fn problems(text: &str) -> Vec<(String, String)> {
    match parse_text(text, &rules()) {
        Err(Rejected::Violations { violations, .. }) => {
            violations.into_iter().map(|v| (v.pointer, v.code.name().to_owned())).collect()
        }
        other => panic!("{text}: {other:?}"),
    }
}

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
    assert_eq!((named[0].region.as_str(), named[0].account.as_deref()), ("eu-west-2", Some("444455556666")));
    assert_eq!(parse(&with("instanceId", json!("*"))).instances, Instances::All { tags: [].into() });
}

#[test]
fn tags_take_a_value_or_several() {
    let mut change = with("instanceId", json!("*"));
    change["instanceTags"] = json!({"stage": "prod", "team": ["a", "b", "a"]});
    let tags = [
        ("stage".to_owned(), ["prod".to_owned()].into()),
        ("team".to_owned(), ["a".to_owned(), "b".to_owned()].into()),
    ];
    assert_eq!(parse(&change).instances, Instances::All { tags: tags.into() });
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

/// Each row: a field, its value, the pointer and the code of the one violation.
#[test]
fn each_rule_has_its_code_and_pointer() {
    let many: Vec<String> = (0..257).map(|n| format!("e{n}")).collect();
    let foreign = format!("arn:aws:connect:us-east-1:777788889999:instance/{ID}");
    for (field, value, pointer, code) in [
        ("instanceId", json!("contact-centre"), "/instanceId", "InvalidInstance"),
        ("instanceId", json!(5), "/instanceId", "WrongType"),
        ("instanceId", json!([]), "/instanceId", "EmptyList"),
        ("instanceIds", json!([ID, "x"]), "/instanceIds/1", "InvalidInstance"),
        ("instanceIds", json!([ID, "*"]), "/instanceIds/1", "InvalidInstance"),
        ("instanceIds", json!([ID, null]), "/instanceIds/1", "NullValue"),
        ("instanceId", json!(foreign), "/instanceId", "NoRoleForAccount"),
        ("instanceTags", json!({"a": "b"}), "/instanceTags", "InvalidTags"),
        ("attachmentScope", json!("FAX"), "/attachmentScope", "InvalidScope"),
        ("attachmentScope", json!(true), "/attachmentScope", "WrongType"),
        ("attachmentScopes", json!(["CHAT", "VOICE"]), "/attachmentScopes/1", "InvalidScope"),
        ("maximumSizeLimitInBytes", json!(0), "/maximumSizeLimitInBytes", "SizeOutOfRange"),
        ("maximumSizeLimitInBytes", json!(-1), "/maximumSizeLimitInBytes", "SizeOutOfRange"),
        ("maximumSizeLimitInBytes", json!(104_857_601), "/maximumSizeLimitInBytes", "SizeOutOfRange"),
        ("maximumSizeLimitInBytes", json!(u64::MAX), "/maximumSizeLimitInBytes", "SizeOutOfRange"),
        ("maximumSizeLimitInBytes", json!(i64::MIN), "/maximumSizeLimitInBytes", "SizeOutOfRange"),
        ("maximumSizeLimitInBytes", json!(1e300), "/maximumSizeLimitInBytes", "SizeOutOfRange"),
        ("maximumSizeLimitInBytes", json!(1.5), "/maximumSizeLimitInBytes", "InvalidSize"),
        ("maximumSizeLimitInBytes", json!("10 MB"), "/maximumSizeLimitInBytes", "InvalidSize"),
        ("maximumSizeLimitInBytes", json!(null), "/maximumSizeLimitInBytes", "NullValue"),
        ("maximumSizeLimitInBytes", json!([]), "/maximumSizeLimitInBytes", "WrongType"),
        ("maximumSize", json!("10"), "/maximumSize", "InvalidSize"),
        ("maximumSize", json!(10), "/maximumSize", "WrongType"),
        ("maximumSize", json!("1 GB"), "/maximumSize", "SizeOutOfRange"),
        ("allowedExtensions", json!([]), "/allowedExtensions", "EmptyExtensionList"),
        ("allowedExtensions", json!("pdf"), "/allowedExtensions", "WrongType"),
        ("allowedExtensions", json!(["pdf", "tar.gz"]), "/allowedExtensions/1", "InvalidExtension"),
        ("allowedExtensions", json!(["*.pdf"]), "/allowedExtensions/0", "InvalidExtension"),
        ("allowedExtensions", json!([7]), "/allowedExtensions/0", "WrongType"),
        ("allowedExtensions", json!([null]), "/allowedExtensions/0", "NullValue"),
        (
            "allowedExtensions",
            json!([{"extension": "p df"}]),
            "/allowedExtensions/0/extension",
            "InvalidExtension",
        ),
        ("allowedExtensions", json!([{}]), "/allowedExtensions/0", "MissingValues"),
        ("allowedExtensions", json!([{"extension": null}]), "/allowedExtensions/0/extension", "NullValue"),
        ("allowedExtensions", json!(many), "/allowedExtensions", "TooManyEntries"),
        ("extensionConfiguration", json!([]), "/extensionConfiguration", "WrongType"),
        ("extensionConfiguration", json!({}), "/extensionConfiguration", "MissingValues"),
        (
            "ExtensionConfiguration",
            json!({"AllowedExtensions": []}),
            "/ExtensionConfiguration/AllowedExtensions",
            "EmptyExtensionList",
        ),
        ("changeId", json!("a b"), "/changeId", "InvalidChangeId"),
        ("changeId", json!("x".repeat(129)), "/changeId", "InvalidChangeId"),
        ("ifUnmodifiedSince", json!("yesterday"), "/ifUnmodifiedSince", "InvalidTimestamp"),
        ("ifUnmodifiedSince", json!("2026-11-23"), "/ifUnmodifiedSince", "InvalidTimestamp"),
        ("ifUnmodifiedSince", json!("9999-12-31T23:59:59-23:59"), "/ifUnmodifiedSince", "InvalidTimestamp"),
        ("reason", json!("x".repeat(1025)), "/reason", "TooLong"),
        ("requestedBy", json!("x".repeat(257)), "/requestedBy", "TooLong"),
        ("dryRun", json!("true"), "/dryRun", "WrongType"),
        ("force", json!(1), "/force", "WrongType"),
        ("allowedExtension", json!(["pdf"]), "/allowedExtension", "UnknownField"),
        ("a/b~c", json!(1), "/a~1b~0c", "UnknownField"),
        ("INSTANCEID", json!(ID), "/INSTANCEID", "UnknownField"),
        ("InstanceId", json!(ID), "/instanceId", "ConflictingFields"),
        ("MaximumSize", json!("1 MB"), "/MaximumSize", "ConflictingFields"),
    ] {
        let found = problems(&with(field, value.clone()).to_string());
        assert_eq!(found, [(pointer.to_owned(), code.to_owned())], "{field}: {value}");
    }
}

#[test]
fn both_forms_of_one_field_are_refused() {
    for (one, other, value) in [
        ("instanceId", "instanceIds", json!(ID)),
        ("attachmentScope", "attachmentScopes", json!("CHAT")),
        ("maximumSizeLimitInBytes", "maximumSize", json!("1 MB")),
    ] {
        let mut change = with("reason", json!("r"));
        change[other] = value;
        assert_eq!(
            problems(&change.to_string()),
            [(format!("/{other}"), "ConflictingFields".to_owned())],
            "{one}"
        );
    }
    let mut change = with("allowedExtensions", json!(["pdf"]));
    change["extensionConfiguration"] = json!({"allowedExtensions": ["pdf"]});
    assert_eq!(
        problems(&change.to_string()),
        [("/extensionConfiguration".into(), "ConflictingFields".into())]
    );
}

#[test]
fn every_problem_is_reported_at_once() {
    let found = problems("{}");
    let codes: Vec<_> = found.iter().map(|(_, code)| code.as_str()).collect();
    assert_eq!(codes, ["MissingInstance", "MissingScope", "MissingValues"]);
    let second = problems(&json!({"changes": [with("force", json!(true)), {}]}).to_string());
    assert_eq!(second.iter().map(|(p, _)| p.as_str()).collect::<Vec<_>>(), ["/changes/1"; 3]);
    let text = r#"{"instanceId":"x","instanceId":"y","attachmentScope":"FAX","maximumSize":null,"sise":1}"#;
    let expected = [
        ("/instanceId", "DuplicateKey"),
        ("/instanceId", "InvalidInstance"),
        ("/attachmentScope", "InvalidScope"),
        ("/maximumSize", "NullValue"),
        ("/sise", "UnknownField"),
    ];
    assert_eq!(problems(text), expected.map(|(p, c)| (p.to_owned(), c.to_owned())));
    assert_eq!(problems("[]"), [(String::new(), "WrongType".to_owned())]);
}

#[test]
fn an_unknown_field_names_the_nearest_known_one() {
    let refused = parse_text(&with("allowedExtension", json!([])).to_string(), &rules());
    let Err(Rejected::Violations { violations, .. }) = refused else { panic!("{refused:?}") };
    assert_eq!(violations[0].message, "is no field here; did you mean `allowedExtensions`?");
}

#[test]
fn email_ends_at_20_mb_and_below_1_mb_is_a_warning() {
    let mut change = json!({"instanceId": ID, "attachmentScopes": ["CHAT", "EMAIL"], "maximumSizeLimitInBytes": 20_971_521});
    assert_eq!(
        problems(&change.to_string()),
        [("/maximumSizeLimitInBytes".into(), "SizeTooLargeForEmail".into())]
    );
    change["maximumSizeLimitInBytes"] = json!(20_971_520);
    assert!(parse(&change).warnings.is_empty());
    let small = parse(&with("maximumSize", json!("512 KB")));
    assert_eq!(
        (small.warnings[0].pointer.as_str(), small.warnings[0].code.name()),
        ("/maximumSize", "SizeBelowDocumentedRange")
    );
}

#[test]
fn an_empty_extension_list_needs_the_setting() {
    let allowing = Rules { allow_empty_extensions: true, ..rules() };
    let text = with("allowedExtensions", json!([])).to_string();
    let changes = parse_text(&text, &allowing).unwrap().changes;
    assert_eq!(changes[0].values.extensions.as_ref().unwrap().iter().count(), 0);
}

#[test]
fn changes_keep_their_place_and_may_not_overlap() {
    let changes = json!({"changes": [with("force", json!(true)), with("attachmentScope", json!("CASE"))], "changeId": "CHG"});
    let document = parse_text(&changes.to_string(), &rules()).unwrap();
    let ids: Vec<_> = document.changes.iter().map(|c| c.change_id.to_string()).collect();
    assert_eq!((document.is_batch, ids), (true, vec!["CHG/0".to_owned(), "CHG/1".to_owned()]));
    let same = with("maximumSize", json!("5 MB"));
    let star = json!({"instanceId": "*", "attachmentScope": "chat", "maximumSize": "5 MB"});
    for (first, second, code) in [
        (&same, &same, "OverlappingTarget"),
        (&star, &same, "OverlappingTarget"),
        (&same, &star, "OverlappingTarget"),
    ] {
        let text = json!({"changes": [first, second]}).to_string();
        assert_eq!(problems(&text), [("/changes/1".into(), code.into())], "{text}");
    }
    let text =
        json!({"changes": [same, {"instanceId": ID, "attachmentScope": "TASK", "maximumSize": "0 MB"}]})
            .to_string();
    assert_eq!(problems(&text), [("/changes/1/maximumSize".into(), "SizeOutOfRange".into())]);
    for (changes, code) in [(json!([]), "EmptyList"), (json!({}), "WrongType")] {
        assert_eq!(problems(&json!({"changes": changes}).to_string()), [("/changes".into(), code.into())]);
    }
}

#[test]
fn what_is_not_json_is_told_apart() {
    for text in ["", "{", "{\"a\":1e999}", "{\"reason\":\"\\ud800\"}", "nul", &"[".repeat(500)] {
        assert!(matches!(parse_text(text, &rules()), Err(Rejected::NotJson(_))), "{text}");
    }
}

#[test]
fn a_refused_document_keeps_its_id() {
    for (text, id) in [
        (r#"{"changeId":"CHG-9"}"#, "CHG-9"),
        (r#"{"reason":"r","ChangeId":"CHG-9"}"#, "CHG-9"),
        (r#"{"changeId":"no id","changes":[]}"#, "default"),
        (r#"{"reason":"r"}"#, "default"),
    ] {
        match parse_text(text, &rules()) {
            Err(Rejected::Violations { change_id, .. }) => assert_eq!(change_id.as_str(), id, "{text}"),
            other => panic!("{text}: {other:?}"),
        }
    }
}
