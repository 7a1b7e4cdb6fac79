//! Two changes of whole accounts and Regions: where they meet, and when they are the same.

use super::{OWN, SPOKES, all, change, parse_by, rules, violations_by};
use crate::parsing::{ID, refusal};
use policy_core::record::hash_of;
use serde_json::{Value, json};

#[test]
fn two_changes_of_a_document_overlap_only_where_they_meet() {
    let one = |instances: Value, scope: &str| json!({"instanceIds": instances, "attachmentScope": scope, "maximumSize": "5 MB"});
    let single =
        |region: &str, account: &str| json!([format!("arn:aws:connect:{region}:{account}:instance/{ID}")]);
    for (first, second, of) in [
        (
            one(json!(all("*", "*")), "CHAT"),
            one(json!(["*"]), "CHAT"),
            "CHAT of `*` in 111122223333/us-east-1",
        ),
        (
            one(json!(all("eu-west-2", "*")), "CHAT"),
            one(json!(all("*", SPOKES[0])), "*"),
            "CHAT of `*` in 222233334444/eu-west-2",
        ),
        (
            one(json!(all("*", "*")), "TASK"),
            one(single("eu-west-2", SPOKES[1]), "TASK"),
            "TASK of `0123abcd-0000-4000-8000-00000000000f`",
        ),
        (
            one(single("eu-west-2", SPOKES[1]), "TASK"),
            one(json!(all("*", SPOKES[1])), "TASK"),
            "TASK of `*` in 444455556666/eu-west-2",
        ),
    ] {
        let found = refusal(parse_by(&json!({"changes": [first, second]}), &rules()));
        let found: Vec<_> = found.into_iter().map(|v| (v.pointer, v.code.name(), v.message)).collect();
        let message = format!("has the same target as `/changes/0`: {of}");
        assert_eq!(found, [("/changes/1".to_owned(), "OverlappingTarget", message)]);
    }
    for (first, second) in [
        (one(json!(all("*", "*")), "CHAT"), one(json!(all("*", "*")), "TASK")),
        (one(json!("*"), "CHAT"), one(json!(all("*", SPOKES[0])), "CHAT")),
        (one(json!("*"), "CHAT"), one(single("eu-west-2", OWN), "CHAT")),
        (one(single("sa-east-1", SPOKES[0]), "CHAT"), one(json!(all("*", "*")), "CHAT")),
    ] {
        assert_eq!(violations_by(&json!({"changes": [first, second]}), &rules()), []);
    }
}

#[test]
fn the_same_places_have_the_same_hash_and_others_another() {
    let hash = |instances: Value| hash_of(&[change(&instances)]);
    assert_eq!(hash(json!(all("us-east-1", OWN))), hash(json!("*")));
    let everywhere = hash(json!(all("*", "*")));
    let listed = json!([all("*", SPOKES[1]), all("eu-west-2", "*"), all("us-east-1", "*")]);
    assert_eq!(hash(listed), everywhere);
    // sha256sum's: a release that gives another hash to the same change refuses its repetition
    assert_eq!(
        hash(json!([all("*", OWN)])),
        policy_core::record::parts(
            r#"[{"places":["111122223333/eu-west-2","111122223333/us-east-1"],"tags":{},"scopes":["CHAT"],"size":1048576}]"#
        )
        .0
    );
    let mut hashes = vec![
        everywhere,
        hash(json!("*")),
        hash(json!(all("*", OWN))),
        hash(json!(all("us-east-1", "*"))),
        hash(json!(all("us-east-1", SPOKES[0]))),
        hash(json!(all("eu-west-2", SPOKES[0]))),
    ];
    hashes.sort();
    hashes.dedup();
    assert_eq!(hashes.len(), 6);
}
