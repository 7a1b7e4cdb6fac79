use super::*;
use aws_config::BehaviorVersion;
use policy_core::aws::AccountId;
use policy_core::policy::InstanceId;

const ROLE: &str = "arn:aws:iam::444455556666:role/attachment-policy";

/// It also has a role for the function's own account, which is never assumed.
fn connect(requests_per_second: f64, burst: u32, shared_quota: bool) -> Connect {
    let accounts = ["111122223333", "444455556666"].map(|account| AccountId::parse(account).unwrap());
    let settings = ConnectSettings {
        requests_per_second,
        burst,
        shared_quota,
        roles: accounts.map(|account| (account, RoleArn::parse(ROLE).unwrap())).into(),
        ..ConnectSettings::default()
    };
    let http = aws_smithy_http_client::Builder::new().build_http();
    let config = SdkConfig::builder().behavior_version(BehaviorVersion::latest()).build();
    Connect::new(config, http, settings)
}

fn home() -> Home {
    Home { region: RegionName::parse("us-east-1").unwrap(), account: AccountId::parse("111122223333") }
}

#[test]
fn only_an_instance_of_another_account_is_reached_by_its_accounts_role() {
    let connect = connect(2.0, 5, false);
    let ours = home().instance(InstanceId::parse("00000001-0000-4000-8000-000000000001").unwrap());
    assert_eq!(connect.key(&ours, &home()), connect.lane_key(&LaneName::home(&home()), &home()));
    let theirs = Instance { account: AccountId::parse("444455556666"), ..ours.clone() };
    assert_eq!(connect.key(&theirs, &home()).access, Access::Role(RoleArn::parse(ROLE).unwrap()));
    let other = AccountId::parse("777788889999");
    let nobodys = Instance { account: other, ..ours };
    assert_eq!(connect.key(&nobodys, &home()).access, Access::Nobodys(other.unwrap()));
    let unknown = Home { account: None, ..home() };
    assert_eq!(connect.key(&nobodys, &unknown).access, Access::Own);
    assert_eq!(connect.key(&theirs, &unknown).access, Access::Role(RoleArn::parse(ROLE).unwrap()));
}

#[test]
fn a_retry_backs_off_between_one_call_and_a_whole_burst_of_the_quota() {
    let retries = connect(2.0, 5, false).retries();
    assert_eq!(retries.initial_backoff(), Duration::from_millis(500));
    assert_eq!(retries.max_backoff(), Duration::from_millis(2_500));
    assert_eq!(retries.max_attempts(), 6);
}

#[tokio::test(start_paused = true)]
async fn an_estimate_is_the_time_of_the_slower_kind_and_with_a_shared_quota_of_both() {
    let lane = |rate, shared| {
        let connect = connect(rate, 1, shared);
        connect.lane(&connect.lane_key(&LaneName::home(&home()), &home()))
    };
    let seconds = Duration::from_secs;
    // the first call does not wait
    assert_eq!(lane(1.0, false).estimate(3, 0, 4), seconds(3));
    assert_eq!(lane(1.0, false).estimate(5, 0, 4), seconds(4));
    assert_eq!(lane(1.0, true).estimate(3, 0, 4), seconds(6));
    // reads of one scope have a quota of their own, beside those of several
    assert_eq!(lane(1.0, false).estimate(3, 5, 4), seconds(4));
    assert_eq!(lane(1.0, true).estimate(1, 5, 4), seconds(9));
    assert_eq!(lane(1.0, false).estimate_tags(8), seconds(7));
    // where the quota is not the limit, each call takes its latency
    assert_eq!(lane(1_000.0, false).estimate(3, 0, 4), USUAL_LATENCY * 4);
    assert_eq!(lane(1_000.0, false).estimate(5, 0, 4), USUAL_LATENCY * 5);
}

/// The STS of an opt-in Region answers only accounts that have enabled it; the one of the function's Region answers
/// all.
#[test]
fn a_role_for_any_region_is_assumed_in_the_functions_own() {
    let own = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-west-2"))
        .build();
    let role = AssumedRole::new(&own, ROLE);
    assert_eq!(role.region(), Some("eu-west-2"));
}
