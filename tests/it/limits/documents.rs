//! Documents: their length, their arrays, their depth, their keys and names.

use super::{Case, DOCUMENT, Ends, Explanation, LARGEST, array, filled, many, rejected, with};
use crate::world::ONE;
use serde_json::json;

pub(super) fn cases() -> Vec<Case> {
    let mut cases = lengths();
    cases.extend(arrays());
    cases.extend(depths());
    cases.extend(keys());
    cases.push(names());
    cases
}

fn lengths() -> Vec<Case> {
    let reason = with("reason", r#""…""#);
    let list = with("allowedExtensions", r#"["…"]"#);
    vec![
        Case::invoke("6 MB, one string", filled(&reason, LARGEST), rejected("", "DocumentTooLarge")),
        Case::invoke("1 MB and a byte", filled(&reason, DOCUMENT + 1), rejected("", "DocumentTooLarge")),
        Case::invoke("1 MB, one string", filled(&reason, DOCUMENT), rejected("/reason", "TooLong")),
        Case::invoke(
            "1 MB, one extension",
            filled(&list, DOCUMENT),
            rejected("/allowedExtensions/0", "InvalidExtension"),
        ),
        Case::invoke(
            "1 MB, an instance",
            filled(&with("instanceId", r#""…""#), DOCUMENT),
            rejected("/instanceId", "InvalidInstance"),
        ),
        Case::invoke(
            "1 MB, percent-encoded",
            with("instanceId", &format!("\"{}\"", "%41".repeat(349_000))),
            rejected("/instanceId", "InvalidInstance"),
        ),
        Case::invoke(
            "1 MB of spaces round a scope",
            with("attachmentScope", &format!("\"{}\"", " ".repeat(1_000_000))),
            rejected("/attachmentScope", "InvalidScope"),
        ),
    ]
}

fn arrays() -> Vec<Case> {
    let ids: Vec<String> = (0..10_000).map(|n| format!("{n:08x}-0000-4000-8000-000000000000")).collect();
    let region = |n: u32| format!("eu-{}-{n}", ["west", "east"][n as usize % 2]);
    let places: Vec<String> =
        (0..10_000).map(|n| format!("arn:aws:connect:{}:*:instance/*", region(n))).collect();
    vec![
        Case::invoke(
            "10,000 instances",
            with("instanceIds", &json!(ids).to_string()),
            rejected("", "TooManyTargets"),
        ),
        Case::invoke(
            "10,000 times no instance",
            with("instanceIds", &array("\"x\"", 10_000)),
            many("/instanceIds/0", "InvalidInstance"),
        ),
        Case::invoke(
            "10,000 times every instance, and one",
            with("instanceIds", &array("\"*\"", 10_000).replace(']', &format!(",\"{ONE}\"]"))),
            rejected("/instanceIds/0", "InvalidInstance"),
        ),
        Case::invoke(
            "10,000 times every instance of an account without a role",
            with("instanceIds", &array("\"arn:aws:connect:*:000000000000:instance/*\"", 10_000)),
            many("/instanceIds/0", "NoRoleForAccount"),
        ),
        Case::invoke(
            "10,000 Regions",
            with("instanceIds", &json!(places).to_string()),
            rejected("", "TooManyTargets"),
        ),
        Case::invoke(
            "10,000 scopes",
            with("attachmentScopes", &array("\"FAX\"", 10_000)),
            many("/attachmentScopes/0", "InvalidScope"),
        ),
        Case::invoke(
            "10,000 extensions",
            with("allowedExtensions", &array("\"pdf\"", 10_000)),
            rejected("/allowedExtensions", "TooManyEntries"),
        ),
        Case::invoke(
            "10,000 changes",
            format!(r#"{{"changes":{}}}"#, array("{}", 10_000)),
            too_many_empty_changes(),
        ),
        Case::invoke(
            "520,000 numbers",
            with("instanceIds", &array("0", 520_000)),
            many("/instanceIds/0", "WrongType"),
        ),
        Case::invoke(
            "340,000 empty arrays",
            with("reason", &array("[]", 340_000)),
            rejected("/reason", "WrongType"),
        ),
        Case::invoke(
            "a tag of 500,000 characters and 170,000 values",
            format!(
                r#"{{"instanceId":"*","attachmentScope":"CHAT","maximumSize":"1 MB","instanceTags":{{"{}":{}}}}}"#,
                "k".repeat(500_000),
                array("\"\"", 170_000)
            ),
            rejected("/instanceTags", "InvalidTags"),
        ),
        Case::invoke(
            "a tag with 500,000 values",
            format!(
                r#"{{"instanceId":"*","attachmentScope":"CHAT","maximumSize":"1 MB","instanceTags":{{"{}":{}}}}}"#,
                "k".repeat(128),
                array("0", 500_000)
            ),
            many(&format!("/instanceTags/{}/0", "k".repeat(128)), "WrongType"),
        ),
    ]
}

/// `serde_json` goes 128 levels deep. A member that is not read is skipped without going deeper.
fn depths() -> Vec<Case> {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let objects = |depth: usize| format!("{}1{}", r#"{"a":"#.repeat(depth), "}".repeat(depth));
    let too_deep = || rejected("", "NotJson");
    vec![
        Case::invoke("126 levels", with("instanceId", &nested(126)), rejected("/instanceId/0", "WrongType")),
        Case::invoke("127 levels", with("instanceId", &nested(127)), too_deep()),
        Case::invoke("500,000 levels", with("instanceId", &nested(500_000)), too_deep()),
        Case::invoke("170,000 levels of objects", with("instanceTags", &objects(170_000)), too_deep()),
        Case::invoke(
            "3,000,000 levels, 6 MB",
            nested(3_000_000),
            Ends::Error(
                "UnrecognisedPayload",
                Explanation::Text("unrecognised payload: an array, not an object".into()),
            ),
        ),
        Case::invoke(
            "1,000,000 levels of objects, 6 MB",
            objects(1_000_000),
            Ends::Error(
                "UnrecognisedPayload",
                Explanation::Text(
                    "unrecognised payload: the keys `a`; it is not an API Gateway, EventBridge or SQS payload, \
                     and not a policy change"
                        .into(),
                ),
            ),
        ),
    ]
}

fn keys() -> Vec<Case> {
    let twice = format!(
        r#"{{"instanceId":"{ONE}","instanceId":"{ONE}","attachmentScope":"CHAT","maximumSize":"1 MB"}}"#
    );
    let escaped = twice.replacen("instanceId", r"\u0069nstanceI\u0064", 1);
    let unknown: Vec<String> = (0..80_000).map(|n| format!(r#""a{n:06}":0"#)).collect();
    let unrecognised: Vec<String> = (0..500_000).map(|n| format!(r#""a{n:06}":0"#)).collect();
    let nested = format!(
        r#"{{"instanceId":"{ONE}","attachmentScope":"CHAT","extensionConfiguration":{{"allowedExtensions":["pdf"],"allowedExtensions":["exe"]}}}}"#
    );
    vec![
        Case::invoke("a key twice", twice, rejected("/instanceId", "DuplicateKey")),
        Case::invoke("a key twice, once escaped", escaped, rejected("/instanceId", "DuplicateKey")),
        Case::invoke(
            "a key in both spellings",
            with("instanceId", &format!(r#""{ONE}","InstanceId":"{ONE}""#)),
            rejected("/InstanceId", "ConflictingFields"),
        ),
        Case::invoke(
            "a key twice, further in",
            nested,
            rejected("/extensionConfiguration/allowedExtensions", "DuplicateKey"),
        ),
        Case::invoke(
            "80,000 times one key",
            with("force", &format!("true{}", r#","force":true"#.repeat(80_000))),
            many("/force", "DuplicateKey"),
        ),
        Case::invoke(
            "80,000 unknown keys",
            with("force", &format!("true,{}", unknown.join(","))),
            many("/a000000", "UnknownField"),
        ),
        Case::invoke(
            "a key of 1,000,000 characters",
            with("force", &format!(r#"true,"{}":0"#, "k".repeat(1_000_000))),
            rejected("", "UnknownField"),
        ),
        Case::invoke(
            "500,000 keys of nobody's, 6 MB",
            format!("{{{}}}", unrecognised.join(",")),
            Ends::Error(
                "UnrecognisedPayload",
                Explanation::Text(
                    "unrecognised payload: the keys `a000000`, `a000001`, `a000002`, `a000003`, `a000004`, \
                     `a000005`, `a000006`, `a000007`, and 248 more; it is not an API Gateway, EventBridge or \
                     SQS payload, and not a policy change"
                        .into(),
                ),
            ),
        ),
    ]
}

/// Ids that would change the path if they became part of it.
fn names() -> Case {
    let arn = format!("arn:aws:connect:us-east-1:111122223333:instance/{ONE}");
    let written = [
        "..".to_owned(),
        "../../instance".to_owned(),
        format!("{ONE}/../{ONE}"),
        format!("{ONE}/CHAT"),
        format!("{ONE}%2FCHAT"),
        format!("{ONE}%2f..%2f"),
        format!("%2e%2e%2f{ONE}"),
        format!("{ONE}?maxResults=1"),
        format!("{ONE}%3Fx"),
        format!("{ONE}#"),
        format!("{ONE}\\"),
        format!("{ONE}\u{0}"),
        format!("{ONE}%00"),
        format!("{ONE}\r\nX-Header: 1"),
        format!("{arn}/.."),
        format!("{arn}/contact/1"),
        arn.replace('/', "%252F"),
        arn.replace("instance/", "instance//"),
        arn.replace("us-east-1", "us-east-1/../x"),
        arn.replace("us-east-1", "us-east-1.example.org"),
        format!("\u{2f}{ONE}"),
        ONE.replace('-', "\u{2010}"),
        ONE.replace('0', "\u{ff10}"),
        format!("%E2%80%8B{ONE}"),
    ];
    let violations = (0..written.len()).map(|n| (format!("/instanceIds/{n}"), "InvalidInstance")).collect();
    let payload = with("instanceIds", &json!(written).to_string());
    let ends = Ends::Error("PolicyChangeRejected", Explanation::Violations(violations));
    Case::invoke("ids with separators, plain and encoded", payload, ends)
}

/// The list is too long, and each change of it lacks three things: the first 256 violations are listed.
fn too_many_empty_changes() -> Ends {
    let codes = ["MissingInstance", "MissingScope", "MissingValues"];
    let lacking = (0..85).flat_map(|n| codes.map(|code| (format!("/changes/{n}"), code)));
    let first = [("/changes".to_owned(), "TooManyEntries")];
    let last = [(String::new(), "TooManyViolations")];
    let explanation = Explanation::Violations(first.into_iter().chain(lacking).chain(last).collect());
    Ends::Error("PolicyChangeRejected", explanation)
}
