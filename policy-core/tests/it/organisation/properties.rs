//! What holds for every combination of selectors, Regions and roles.

use super::{OWN, SPOKES, all, change_by, parse_by, region, rules};
use crate::parsing::{account, with};
use policy_core::aws::AccountId;
use policy_core::policy::{LaneName, Rules};
use policy_core::record::{InLane, hash_of, in_lane, lanes_of};
use proptest::prelude::*;
use serde_json::json;
use std::collections::BTreeSet;

fn some_region() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["*", "us-east-1", "eu-west-2", "eu-central-1", "sa-east-1"])
        .prop_map(str::to_owned)
}

fn some_account() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["*", OWN, SPOKES[0], SPOKES[1]]).prop_map(str::to_owned)
}

prop_compose! {
    /// Selectors with what they mean, and the rules by which they mean it.
    fn selectors()(
        chosen in proptest::collection::vec((some_region(), some_account()), 0..6),
        has_own in any::<bool>(),
        regions in proptest::sample::subsequence(vec!["ap-south-1", "eu-west-2", "us-east-1", "us-west-2"], 1..=4),
        roles in proptest::sample::subsequence(SPOKES.to_vec(), 0..=2),
    ) -> (Vec<String>, BTreeSet<String>, Rules) {
        let accounts: BTreeSet<&str> = roles.iter().copied().chain([OWN]).collect();
        let (mut written, mut meant) = (Vec::new(), BTreeSet::new());
        for (region, account) in &chosen {
            if account != "*" && !accounts.contains(account.as_str()) {
                continue;
            }
            written.push(all(region, account));
            for known in if region == "*" { regions.clone() } else { vec![region.as_str()] } {
                for owner in accounts.iter().filter(|owner| account == "*" || account == *owner) {
                    meant.insert(format!("{owner}/{known}"));
                }
            }
        }
        if has_own || written.is_empty() {
            written.push("*".to_owned());
            meant.insert(format!("{OWN}/us-east-1"));
        }
        let role_accounts: BTreeSet<AccountId> = roles.iter().copied().map(account).collect();
        let rules = Rules { role_accounts, regions: regions.iter().map(|name| region(name)).collect(), ..rules() };
        (written, meant, rules)
    }
}

proptest! {
    /// Lanes are fixed when the document is parsed: exactly Regions × accounts of each selector.
    #[test]
    fn lanes_are_exactly_the_accounts_and_regions_that_are_meant((written, meant, rules) in selectors()) {
        let change = change_by(&json!(written), &rules);
        let lanes: Vec<_> = lanes_of(std::slice::from_ref(&change)).iter().map(ToString::to_string).collect();
        prop_assert_eq!(lanes.iter().cloned().collect::<BTreeSet<_>>(), meant);
        prop_assert!(lanes.is_sorted_by(|a, b| a < b));
        for lane in lanes_of(std::slice::from_ref(&change)) {
            let is_star = matches!(in_lane(&change, &lane), InLane::Star { .. });
            prop_assert!(is_star, "{}", lane);
        }
        let elsewhere = LaneName { account: Some(account(OWN)), region: region("ca-central-1") };
        prop_assert_eq!(in_lane(&change, &elsewhere), InLane::Named(Vec::new()));
    }

    /// What a record keeps means the same whatever the settings are later, as long as the accounts have their roles.
    #[test]
    fn the_normal_form_is_the_same_change_whatever_regions_are_set_later(
        (written, _, rules) in selectors(),
        has_tags in any::<bool>(),
    ) {
        let mut document = with("instanceIds", json!(written));
        if has_tags {
            document["instanceTags"] = json!({"team": "a"});
        }
        let changes = parse_by(&document, &rules).unwrap().changes;
        let normal = serde_json::to_value(&changes[0]).unwrap();
        let later = Rules { regions: [region("ca-central-1")].into(), ..rules.clone() };
        for rules in [&rules, &later] {
            let again = parse_by(&normal, rules).unwrap().changes;
            prop_assert_eq!(&again, &changes);
            prop_assert_eq!(serde_json::to_value(&again[0]).unwrap(), normal.clone());
            prop_assert_eq!(hash_of(&again), hash_of(&changes));
        }
        let is_own = lanes_of(&changes).len() == 1 && lanes_of(&changes)[0].to_string() == format!("{OWN}/us-east-1");
        prop_assert_eq!(normal.get("instanceId") == Some(&json!("*")), is_own);
    }

    #[test]
    fn order_and_repetition_do_not_matter(
        ((written, _, rules), turn) in (selectors(), 0_usize..8),
    ) {
        let mut other = written.clone();
        other.extend(written.iter().rev().take(turn).cloned().collect::<Vec<_>>());
        let middle = turn % other.len();
        other.rotate_left(middle);
        prop_assert_eq!(change_by(&json!(other), &rules), change_by(&json!(written), &rules));
    }
}
