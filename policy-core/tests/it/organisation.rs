//! Whole accounts and Regions: what a selector means, how it is counted, and how it comes back from its normal form.

mod compared;
mod properties;

use crate::parsing::{ID, account, at, defaults, refusal, with};
use policy_core::aws::RegionName;
use policy_core::policy::{
    Document, Form, Home, Instances, LaneName, PolicyChange, Rejected, Rules, document,
};
use policy_core::record::{InLane, in_lane};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const OWN: &str = "111122223333";
const SPOKES: [&str; 2] = ["222233334444", "444455556666"];

fn region(name: &str) -> RegionName {
    RegionName::parse(name).unwrap()
}

/// A function in `us-east-1` of [`OWN`] with two roles and two Regions, and a ledger.
fn rules() -> Rules {
    Rules {
        role_accounts: SPOKES.map(account).into(),
        regions: [region("eu-west-2"), region("us-east-1")].into(),
        governed: true,
        ..Rules::at(Home { region: region("us-east-1"), account: Some(account(OWN)) })
    }
}

fn all(region: &str, account: &str) -> String {
    format!("arn:aws:connect:{region}:{account}:instance/*")
}

fn parse_by(document: &Value, rules: &Rules) -> Result<Document, Rejected> {
    document::parse(&document.to_string(), &Form::Submission, &defaults("default"), rules)
}

fn change_by(instances: &Value, rules: &Rules) -> PolicyChange {
    parse_by(&with("instanceIds", instances.clone()), rules).unwrap().changes.remove(0)
}

fn change(instances: &Value) -> PolicyChange {
    change_by(instances, &rules())
}

/// Where the change means every instance.
fn places(change: &PolicyChange) -> Vec<String> {
    let Instances::All { places, .. } = &change.instances else { panic!("{change:?}") };
    places.lanes().iter().map(ToString::to_string).collect()
}

/// The pointer and the code of each violation.
fn violations_by(document: &Value, rules: &Rules) -> Vec<(String, String)> {
    let found = refusal(parse_by(document, rules));
    found.into_iter().map(|violation| at(&violation.pointer, violation.code.name())).collect()
}

#[test]
fn a_star_stands_for_every_account_and_every_region() {
    for (instances, expected) in [
        (json!("*"), vec!["111122223333/us-east-1"]),
        (json!(["*", "*"]), vec!["111122223333/us-east-1"]),
        (json!(all("us-east-1", OWN)), vec!["111122223333/us-east-1"]),
        (json!(all("*", OWN)), vec!["111122223333/eu-west-2", "111122223333/us-east-1"]),
        (
            json!(all("us-east-1", "*")),
            vec!["111122223333/us-east-1", "222233334444/us-east-1", "444455556666/us-east-1"],
        ),
        // a Region that is named need not be one of the settings
        (json!(all("sa-east-1", SPOKES[0])), vec!["222233334444/sa-east-1"]),
        (
            json!(all("*", "*")),
            vec![
                "111122223333/eu-west-2",
                "111122223333/us-east-1",
                "222233334444/eu-west-2",
                "222233334444/us-east-1",
                "444455556666/eu-west-2",
                "444455556666/us-east-1",
            ],
        ),
        (
            json!([all("us-east-1", SPOKES[1]), "*", all("eu-west-2", OWN), all("us-east-1", OWN)]),
            vec!["111122223333/eu-west-2", "111122223333/us-east-1", "444455556666/us-east-1"],
        ),
        (
            json!([all("us-east-1", "*"), all("us-east-1", SPOKES[0]), all("*", OWN)]),
            vec![
                "111122223333/eu-west-2",
                "111122223333/us-east-1",
                "222233334444/us-east-1",
                "444455556666/us-east-1",
            ],
        ),
    ] {
        assert_eq!(places(&change(&instances)), expected, "{instances}");
    }
    let encoded = all("*", "*").replace(':', "%3A").replace('/', "%2f").replace('*', "%2a");
    assert_eq!(change(&json!(encoded)), change(&json!(all("*", "*"))));
}

#[test]
fn without_settings_only_the_own_account_and_region_is_meant() {
    let plain = Rules::at(rules().home);
    for instances in [json!("*"), json!(all("*", "*")), json!([all("*", OWN), all("us-east-1", "*")])] {
        assert_eq!(places(&change_by(&instances, &plain)), ["111122223333/us-east-1"], "{instances}");
        assert_eq!(change_by(&instances, &plain), change_by(&json!("*"), &plain));
    }
    // a role of the own account makes no second one of it
    let own_role = Rules { role_accounts: [account(OWN)].into(), ..plain };
    assert_eq!(places(&change_by(&json!(all("*", "*")), &own_role)), ["111122223333/us-east-1"]);
}

#[test]
fn every_partition_has_its_own_regions() {
    for (partition, own, other) in [
        ("aws", "us-east-1", "ap-southeast-2"),
        ("aws-cn", "cn-north-1", "cn-northwest-1"),
        ("aws-us-gov", "us-gov-west-1", "us-gov-east-1"),
        ("aws-eusc", "eusc-de-east-1", "eusc-de-east-2"),
    ] {
        let rules = Rules {
            regions: [region(own), region(other)].into(),
            ..Rules::at(Home { region: region(own), account: Some(account(OWN)) })
        };
        let change = change_by(&json!(format!("arn:{partition}:connect:*:*:instance/*")), &rules);
        let expected: BTreeSet<_> = [own, other].map(|region| format!("{OWN}/{region}")).into();
        assert_eq!(places(&change).into_iter().collect::<BTreeSet<_>>(), expected);
        let normal = serde_json::to_value(&change).unwrap();
        let arns = expected.iter().map(|lane| {
            let region = lane.split_once('/').unwrap().1;
            format!("arn:{partition}:connect:{region}:{OWN}:instance/*")
        });
        assert_eq!(normal["instanceIds"], json!(arns.collect::<Vec<_>>()));
        let foreign = if partition == "aws" { "aws-cn" } else { "aws" };
        let document = with("instanceId", json!(format!("arn:{foreign}:connect:*:*:instance/*")));
        assert_eq!(violations_by(&document, &rules), [at("/instanceId", "InvalidInstance")]);
        let found = refusal(parse_by(&document, &rules));
        let message =
            format!("means every Region of CONNECT_REGIONS, and none of them is in partition `{foreign}`");
        assert_eq!(found[0].message, message);
    }
}

#[test]
fn what_is_no_selector_is_refused_where_it_stands() {
    for bad in [
        "arn:aws:connect:us-east-1:*:instance/*/x",
        "arn:aws:connect:us-east-1:*:instance/",
        "arn:aws:connect:us-east-1:*:instance/00000001-*",
        "arn:aws:connect:*:*:*",
        "arn:aws:connect::111122223333:instance/*",
        "arn:aws:connect:us-east-1::instance/*",
        "arn:aws:connect:eu-*:*:instance/*",
        "arn:aws:connect:us-east-1:1111*:instance/*",
        "arn:aws:connect:us-east-1:11112222333:instance/*",
        "arn:aws:connect:**:*:instance/*",
        "arn:*:connect:*:*:instance/*",
        "arn:aws-cn:connect:us-east-1:*:instance/*",
        "arn:aws:connect:cn-north-1:*:instance/*",
        "arn:aws:lambda:*:*:instance/*",
        "arn:aws:*:*:*:instance/*",
        "arn:aws:connect:*:*:instance/%2A",
        "aws:connect:*:*:instance/*",
        "%2a",
        "**",
    ] {
        let bad = bad.replace("%2A", "%252A");
        let document = with("instanceIds", json!(["*", bad]));
        let found = violations_by(&document, &rules());
        assert_eq!(found, [at("/instanceIds/1", "InvalidInstance")], "{bad}");
    }
    let found = refusal(parse_by(&with("instanceId", json!("all")), &rules()));
    assert_eq!(
        found[0].message,
        "must be an instance id (a UUID), an instance ARN, `*`, or \
         `arn:aws:connect:{region}:{account}:instance/*`, where Region and account may be `*`"
    );
}

#[test]
fn an_account_that_is_named_is_the_own_one_or_has_a_role() {
    let document =
        with("instanceIds", json!([all("*", "*"), all("us-east-1", "777788889999"), all("*", OWN)]));
    let found = refusal(parse_by(&document, &rules()));
    let found: Vec<_> =
        found.iter().map(|v| (v.pointer.as_str(), v.code.name(), v.message.as_str())).collect();
    let message = "is in account 777788889999, for which CONNECT_ROLE_ARNS has no role";
    assert_eq!(found, [("/instanceIds/1", "NoRoleForAccount", message)]);
    // tags are no second mistake, though nothing is left that they could be about
    let mut alone = with("instanceId", json!(all("*", "777788889999")));
    alone["instanceTags"] = json!({"team": "a"});
    assert_eq!(violations_by(&alone, &rules()), [at("/instanceId", "NoRoleForAccount")]);
}

/// Outside Lambda nobody says in which account the function runs.
#[test]
fn every_account_means_nothing_to_a_function_that_does_not_know_its_own() {
    let home = Home { account: None, ..rules().home };
    let rules = Rules { home, ..rules() };
    let document = with("instanceIds", json!([all("us-east-1", "*"), "*", all("*", OWN)]));
    let found = refusal(parse_by(&document, &rules));
    let message = "means every account, and this function does not know its own; name the account";
    assert_eq!(
        found.iter().map(|v| (v.pointer.as_str(), v.message.as_str())).collect::<Vec<_>>(),
        [("/instanceIds/0", message)]
    );
    let change = change_by(&json!(["*", all("*", OWN)]), &rules);
    assert_eq!(places(&change), ["111122223333/eu-west-2", "111122223333/us-east-1", "self/us-east-1"]);
    let normal = serde_json::to_value(&change).unwrap();
    assert_eq!(normal["instanceIds"], json!([all("eu-west-2", OWN), all("us-east-1", OWN), "*"]));
    assert_eq!(parse_by(&normal, &rules).unwrap().changes, [change]);
}

#[test]
fn single_instances_do_not_stand_beside_them() {
    let arn = format!("arn:aws:connect:sa-east-1:{OWN}:instance/{ID}");
    for (instances, pointer) in [
        (json!([ID, all("*", "*")]), "/instanceIds/1"),
        (json!([all("*", "*"), "*", arn]), "/instanceIds/0"),
        (json!(["*", ID]), "/instanceIds/0"),
    ] {
        let document = with("instanceIds", instances.clone());
        let found = violations_by(&document, &rules());
        assert_eq!(found, [at(pointer, "InvalidInstance")], "{instances}");
    }
    let found = refusal(parse_by(&with("instanceIds", json!([ID, "*"])), &rules()));
    let message = "means every instance there, so no single instance may stand beside it; send those as another \
        change";
    assert_eq!(found[0].message, message);
}

#[test]
fn tags_are_about_whole_accounts_and_regions_only() {
    let mut change = with("instanceIds", json!([all("*", OWN), "*"]));
    change["instanceTags"] = json!({"team": ["a", "b"]});
    let parsed = parse_by(&change, &rules()).unwrap().changes.remove(0);
    let Instances::All { tags, .. } = &parsed.instances else { panic!("{parsed:?}") };
    assert_eq!(*tags, [("team".to_owned(), ["a".to_owned(), "b".to_owned()].into())].into());
    let abroad = LaneName { account: Some(account(OWN)), region: region("eu-west-2") };
    assert_eq!(in_lane(&parsed, &abroad), InLane::Star { tags });
    change["instanceIds"] = json!([ID]);
    assert_eq!(violations_by(&change, &rules()), [at("/instanceTags", "InvalidTags")]);
}

#[test]
fn each_account_and_region_counts_as_an_instance() {
    let spokes = |count: usize| {
        let accounts = (0..count).map(|n| account(&format!("{n:012}")));
        Rules { role_accounts: accounts.collect(), ..rules() }
    };
    let document = |scopes: Value| {
        let mut change = with("instanceId", json!(all("*", "*")));
        change["attachmentScope"] = scopes;
        change
    };
    // 1,249 roles and the own account in 2 Regions with 4 scopes
    let most = spokes(1_249);
    assert_eq!(violations_by(&document(json!("*")), &most), []);
    let too_many = |document: &Value, rules: &Rules, targets: usize, limit: usize| {
        let found = refusal(parse_by(document, rules));
        let message = format!("must have at most {limit} targets (instances × scopes), not {targets}");
        let found: Vec<_> = found.into_iter().map(|v| (v.pointer, v.code.name(), v.message)).collect();
        assert_eq!(found, [(String::new(), "TooManyTargets", message)]);
    };
    too_many(&document(json!("*")), &spokes(1_250), 10_008, 10_000);
    // it says how many even if nobody wants to hold them all
    too_many(&document(json!("CHAT")), &spokes(20_000), 40_002, 10_000);
    let standalone = |roles| Rules { governed: false, ..spokes(roles) };
    assert_eq!(violations_by(&document(json!(["CHAT", "TASK"])), &standalone(249)), []);
    too_many(&document(json!(["CHAT", "TASK"])), &standalone(250), 1_004, 1_000);
    // what two selectors share is counted once
    let both =
        with("instanceIds", json!([all("*", "*"), all("us-east-1", "*"), all("sa-east-1", "000000000001")]));
    assert_eq!(violations_by(&both, &spokes(4_998)), []);
    too_many(&both, &spokes(4_999), 10_001, 10_000);
}
