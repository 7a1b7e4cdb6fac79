//! The parts of a change, valid and in every way invalid.

use serde_json::{Value, json};

/// Some members of a change, and the violations that they cause, each by its pointer within the change.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub(super) members: Vec<(&'static str, Value)>,
    pub(super) expected: Vec<(&'static str, &'static str)>,
}

pub(super) fn part(members: &[(&'static str, Value)], expected: &[(&'static str, &'static str)]) -> Part {
    Part { members: members.to_vec(), expected: expected.to_vec() }
}

/// One field, at which each of these values causes the one violation.
fn faults(field: &'static str, pointer: &'static str, values: &[(Value, &'static str)]) -> Vec<Part> {
    values.iter().map(|(value, code)| part(&[(field, value.clone())], &[(pointer, code)])).collect()
}

/// Which instances: valid twice, then every way to get them wrong.
pub(super) fn instances(id: &str) -> Vec<Part> {
    let foreign = format!("arn:aws:connect:us-east-1:777788889999:instance/{id}");
    let mut parts = vec![part(&[("instanceId", json!(id))], &[]), part(&[("instanceIds", json!([id]))], &[])];
    parts.extend(faults(
        "instanceId",
        "/instanceId",
        &[
            (json!("x"), "InvalidInstance"),
            (json!(5), "WrongType"),
            (json!(null), "NullValue"),
            (json!([]), "EmptyList"),
            (json!(foreign), "NoRoleForAccount"),
        ],
    ));
    parts.extend([
        part(&[], &[("", "MissingInstance")]),
        part(
            &[("instanceIds", json!(["x", id, 7]))],
            &[("/instanceIds/0", "InvalidInstance"), ("/instanceIds/2", "WrongType")],
        ),
        part(&[("instanceIds", json!([id, "*"]))], &[("/instanceIds/1", "InvalidInstance")]),
        part(
            &[("instanceId", json!("x")), ("instanceIds", json!(["y"]))],
            &[
                ("/instanceId", "InvalidInstance"),
                ("/instanceIds", "ConflictingFields"),
                ("/instanceIds/0", "InvalidInstance"),
            ],
        ),
        part(
            &[("instanceId", json!(id)), ("instanceTags", json!({"a": "b"}))],
            &[("/instanceTags", "InvalidTags")],
        ),
        part(&[("instanceTags", json!(5))], &[("", "MissingInstance"), ("/instanceTags", "WrongType")]),
        part(
            &[("instanceId", json!(null)), ("instanceTags", json!({}))],
            &[("/instanceId", "NullValue"), ("/instanceTags", "InvalidTags")],
        ),
    ]);
    parts
}

/// `"*"`. No other change of a batch may use the same scope.
pub(super) fn every_instance() -> Vec<Part> {
    let with =
        |tags: Value, expected: &[_]| part(&[("instanceId", json!("*")), ("instanceTags", tags)], expected);
    vec![
        with(json!({"a": ["b"]}), &[]),
        with(
            json!({"a": [1, "b"], "c": null}),
            &[("/instanceTags/a/0", "WrongType"), ("/instanceTags/c", "NullValue")],
        ),
        with(json!([]), &[("/instanceTags", "WrongType")]),
    ]
}

pub(super) fn scopes() -> Vec<Part> {
    let mut parts = vec![part(&[("attachmentScope", json!("CHAT"))], &[])];
    parts.extend(faults(
        "attachmentScope",
        "/attachmentScope",
        &[(json!("FAX"), "InvalidScope"), (json!({}), "WrongType"), (json!(null), "NullValue")],
    ));
    parts.extend([
        part(&[], &[("", "MissingScope")]),
        part(
            &[("attachmentScope", json!("FAX")), ("attachmentScopes", json!([true]))],
            &[
                ("/attachmentScope", "InvalidScope"),
                ("/attachmentScopes", "ConflictingFields"),
                ("/attachmentScopes/0", "WrongType"),
            ],
        ),
    ]);
    parts
}

pub(super) fn values() -> Vec<Part> {
    let mut too_many: Vec<Value> = (0..257).map(|n| json!(format!("e{n}"))).collect();
    too_many[3] = json!("tar.gz");
    vec![
        part(&[("maximumSize", json!("10 MB"))], &[]),
        part(&[], &[("", "MissingValues")]),
        part(&[("maximumSize", json!("10"))], &[("/maximumSize", "InvalidSize")]),
        part(
            &[("maximumSize", json!("1 GB")), ("maximumSizeLimitInBytes", json!(0))],
            &[
                ("/maximumSize", "ConflictingFields"),
                ("/maximumSize", "SizeOutOfRange"),
                ("/maximumSizeLimitInBytes", "SizeOutOfRange"),
            ],
        ),
        part(
            &[("maximumSizeLimitInBytes", json!(1.5)), ("allowedExtensions", json!(["pdf", "*.exe", 1]))],
            &[
                ("/maximumSizeLimitInBytes", "InvalidSize"),
                ("/allowedExtensions/1", "InvalidExtension"),
                ("/allowedExtensions/2", "WrongType"),
            ],
        ),
        part(
            &[("allowedExtensions", json!(too_many))],
            &[("/allowedExtensions", "TooManyEntries"), ("/allowedExtensions/3", "InvalidExtension")],
        ),
        part(&[("allowedExtensions", json!([]))], &[("/allowedExtensions", "EmptyExtensionList")]),
        part(
            &[
                (
                    "extensionConfiguration",
                    json!({"allowedExtensions": [{"extension": null, "x": 1}], "y": 2}),
                ),
                ("maximumSize", json!(null)),
            ],
            &[
                ("/extensionConfiguration/allowedExtensions/0/extension", "NullValue"),
                ("/extensionConfiguration/allowedExtensions/0/x", "UnknownField"),
                ("/extensionConfiguration/y", "UnknownField"),
                ("/maximumSize", "NullValue"),
            ],
        ),
    ]
}

/// Relative values, and absolute ones beside them.
pub(super) fn relative_values() -> Vec<Part> {
    vec![
        part(&[("addExtensions", json!(["pdf"])), ("maximumSizeAtMost", json!("5 MB"))], &[]),
        part(
            &[
                ("addExtensions", json!(["tar.gz", 1])),
                ("removeExtensions", json!([])),
                ("maximumSizeAtMost", json!(0)),
            ],
            &[
                ("/addExtensions/0", "InvalidExtension"),
                ("/addExtensions/1", "WrongType"),
                ("/removeExtensions", "EmptyList"),
                ("/maximumSizeAtMost", "SizeOutOfRange"),
            ],
        ),
        part(
            &[
                ("allowedExtensions", json!(["*.exe"])),
                ("addExtensions", json!(["png"])),
                ("removeExtensions", json!([".PNG"])),
                ("maximumSize", json!("1 GB")),
                ("maximumSizeAtMost", json!(null)),
            ],
            &[
                ("/allowedExtensions/0", "InvalidExtension"),
                ("/addExtensions", "ConflictingFields"),
                // beside the absolute list, and with an extension in common
                ("/removeExtensions", "ConflictingFields"),
                ("/removeExtensions", "ConflictingFields"),
                ("/maximumSize", "SizeOutOfRange"),
                ("/maximumSizeAtMost", "ConflictingFields"),
                ("/maximumSizeAtMost", "NullValue"),
            ],
        ),
        part(
            &[("enforceGuardrails", json!(true)), ("removeExtensions", json!("svg"))],
            &[("/enforceGuardrails", "NoGuardrails"), ("/removeExtensions", "WrongType")],
        ),
        part(
            &[("enforceGuardrails", json!(false)), ("maximumSizeAtMost", json!("ten"))],
            &[("/maximumSizeAtMost", "InvalidSize")],
        ),
        part(&[("enforceGuardrails", json!(false))], &[("", "MissingValues")]),
    ]
}

/// The fields that any change may have: absent half of the time.
pub(super) fn others() -> Vec<Vec<Part>> {
    let fields = [
        ("changeId", "/changeId", [(json!("a b"), "InvalidChangeId"), (json!(1), "WrongType")]),
        (
            "ifUnmodifiedSince",
            "/ifUnmodifiedSince",
            [(json!("yesterday"), "InvalidTimestamp"), (json!(null), "NullValue")],
        ),
        ("reason", "/reason", [(json!("x".repeat(1_025)), "TooLong"), (json!([]), "WrongType")]),
        ("requestedBy", "/requestedBy", [(json!("x".repeat(257)), "TooLong"), (json!({}), "WrongType")]),
        ("dryRun", "/dryRun", [(json!("true"), "WrongType"), (json!(null), "NullValue")]),
        ("force", "/force", [(json!(1), "WrongType"), (json!(null), "NullValue")]),
        ("colour", "/colour", [(json!(1), "UnknownField"), (json!(null), "UnknownField")]),
    ];
    let of = |(field, pointer, values): (_, _, [_; 2])| {
        let mut parts = vec![part(&[], &[]), part(&[], &[])];
        parts.extend(faults(field, pointer, &values));
        parts
    };
    fields.into_iter().map(of).collect()
}
