//! Names that are also keys: their text parses to themselves, and sorts as they do.

use super::{NOW, at, id, run};
use policy_core::aws::{AccountId, RegionName};
use policy_core::policy::{ChangeId, InstanceId, Scope};
use policy_core::record::{LaneName, Millis, Order, RunKey, RunName, TargetName};
use proptest::prelude::*;
use proptest::sample::select;
use std::time::Duration;
use time::macros::datetime;

fn millis() -> impl Strategy<Value = Millis> {
    prop_oneof![0..=9_999_999_999_999_u64, 1_799_999_999_990..1_800_000_000_010_u64].prop_map(Millis)
}

fn change_id() -> impl Strategy<Value = ChangeId> {
    prop_oneof!["[A-Za-z0-9._:/-]{1,128}", "X/[0-9]{1,2}"].prop_map(|text| id(&text))
}

fn region() -> impl Strategy<Value = RegionName> {
    prop_oneof!["[a-z]{2,4}-[a-z]{1,9}-[0-9]{1,2}", "us-east-1[0-9]?"]
        .prop_map(|text| RegionName::parse(&text).unwrap())
}

fn lane() -> impl Strategy<Value = LaneName> {
    let account = proptest::option::of("[0-9]{12}".prop_map(|text| AccountId::parse(&text).unwrap()));
    (account, region()).prop_map(|(account, region)| LaneName { account, region })
}

fn target() -> impl Strategy<Value = TargetName> {
    let instance = "[0-9a-f]{8}-0000-4000-8000-00000000000[0-3]";
    (lane(), instance, select(Scope::ALL.to_vec())).prop_map(|(lane, instance, scope)| TargetName {
        lane,
        instance: InstanceId::parse(&instance).unwrap(),
        scope,
    })
}

proptest! {
    #[test]
    fn an_order_is_its_text(
        (one, other) in (millis(), millis()),
        (id, other_id) in (change_id(), change_id()),
    ) {
        let order = Order { accepted: one, change_id: id };
        let other = Order { accepted: other, change_id: other_id };
        prop_assert_eq!(Order::parse(&order.to_string()), Some(order.clone()));
        prop_assert_eq!(order.to_string().cmp(&other.to_string()), order.cmp(&other));
        // ties go to the greater id
        let tied = Order { accepted: one, ..other };
        prop_assert_eq!(order.to_string().cmp(&tied.to_string()), order.change_id.as_str().cmp(tied.change_id.as_str()));
    }

    #[test]
    fn a_run_is_its_text(id in change_id(), (one, other) in (millis(), millis())) {
        let (key, other) = (RunKey(one), RunKey(other));
        prop_assert_eq!(RunKey::parse(&key.to_string()), Some(key));
        prop_assert_eq!(key.to_string().cmp(&other.to_string()), key.cmp(&other));
        let name = RunName { change_id: id, key };
        prop_assert_eq!(RunName::parse(&name.to_string()), Some(name));
    }

    /// A page of results goes on where the text says.
    #[test]
    fn a_target_is_its_text(one in target(), other in target(), scope in select(Scope::ALL.to_vec())) {
        prop_assert_eq!(TargetName::parse(&one.to_string()), Some(one.clone()));
        prop_assert_eq!(LaneName::parse(&one.lane.to_string()), Some(one.lane.clone()));
        let instance = one.instance();
        prop_assert_eq!(TargetName::of(&instance, one.scope), one.clone());
        for other in [&other, &TargetName { lane: other.lane.clone(), ..one.clone() }, &TargetName { scope, ..one.clone() }] {
            prop_assert_eq!(one.to_string().cmp(&other.to_string()), one.cmp(other), "{} {}", one, other);
        }
        prop_assert_eq!(one.lane.to_string().cmp(&other.lane.to_string()), one.lane.cmp(&other.lane));
    }

    #[test]
    fn a_key_is_greater_than_the_one_before_and_not_before_now(previous in proptest::option::of(millis()), now in millis()) {
        let key = RunKey::next(previous.map(RunKey), now);
        prop_assert!(key.0 >= now);
        prop_assert!(previous.is_none_or(|previous| key.0 > previous));
        // and no greater than that asks
        prop_assert!(key.0 == now || previous == Some(Millis(key.0.0 - 1)));
    }
}

#[test]
fn what_is_no_name_is_none() {
    for bad in
        ["", "1800000000000", "#a", "180000000000#a", "18000000000000#a", "+800000000000#a", "1800000000000#"]
    {
        assert_eq!(Order::parse(bad), None, "{bad}");
    }
    for bad in ["", "a#180000000000", "a#b#1800000000000", "#1800000000000", "a#1800000000000#"] {
        assert_eq!(RunName::parse(bad), None, "{bad}");
    }
    let good = super::target(Scope::Chat).to_string();
    assert_eq!(good, "111122223333/us-east-1#0123abcd-0000-4000-8000-00000000000f#CHAT");
    for bad in
        ["", "self", &format!("{good}#"), &good.replace("CHAT", "chat"), &good.replace("us-east-1", "*")]
    {
        assert_eq!(TargetName::parse(bad), None, "{bad}");
    }
    for bad in ["us-east-1", "me/us-east-1", "/us-east-1", "self/", "self/us-east-1/"] {
        assert_eq!(LaneName::parse(bad), None, "{bad}");
    }
}

#[test]
fn a_lane_of_an_unknown_account_says_so() {
    let own = LaneName { account: None, region: RegionName::parse("eu-west-1").unwrap() };
    assert_eq!(
        (own.to_string().as_str(), LaneName::parse("self/eu-west-1")),
        ("self/eu-west-1", Some(own.clone()))
    );
    assert!(own > super::lane("us-west-2"));
}

#[test]
fn times_are_whole_milliseconds() {
    let noon = datetime!(2027-01-15 08:00 UTC);
    assert_eq!((Millis::of(noon), NOW.time()), (NOW, Some(noon)));
    assert_eq!(Millis::of(noon + Duration::from_micros(1_999)), Millis(NOW.0 + 1));
    assert_eq!(Millis::of(datetime!(1969-12-31 23:59:59 UTC)), Millis(0));
    assert_eq!(Millis::of(datetime!(2300-01-01 0:00 UTC)).to_string(), "9999999999999");
    assert_eq!(Millis(u64::MAX).time(), None);
    assert_eq!((NOW.plus(Duration::from_secs(7)), NOW.since(at(-7))), (at(7), Duration::from_secs(7)));
    assert_eq!(NOW.since(at(7)), Duration::ZERO);
    assert_eq!(
        (NOW.to_string().as_str(), Millis(7).to_string().as_str()),
        ("1800000000000", "0000000000007")
    );
    assert_eq!(run("CHG-1", 0).to_string(), "CHG-1#1800000000000");
}
