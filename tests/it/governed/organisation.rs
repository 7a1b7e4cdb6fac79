//! Whole organisations: a lane for each account and Region, each with its own message group, its own role, and its own
//! end.

mod backlog;
mod large;
mod many;
mod standalone;
mod stuck;

use super::stage::{CHANGES, Stage};
use sandbox::connect::{Connect, Instance, Operation, Options, Scope};
use sandbox::sts::Sts;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

const ACCOUNTS: [&str; 3] = ["111122223333", "222233334444", "444455556666"];
const REGIONS: [&str; 2] = ["eu-west-2", "us-east-1"];
const EVERYWHERE: &str = "arn:aws:connect:*:*:instance/*";

/// Three accounts in two Regions with an instance each, a second one in the last of them, and none in the first.
fn instances() -> Vec<Instance> {
    let places = ACCOUNTS.iter().flat_map(|account| REGIONS.iter().map(move |region| (account, region)));
    let mut instances: Vec<Instance> = places
        .zip(1..)
        .map(|((account, region), n)| Instance {
            account: (*account).to_owned(),
            region: (*region).to_owned(),
            ..Instance::numbered(n)
        })
        .collect();
    instances.push(Instance { id: Instance::numbered(9).id, ..instances.last().unwrap().clone() });
    instances.remove(0);
    instances
}

/// Every place, as a lane is named, in order.
fn lanes() -> Vec<String> {
    let lanes =
        ACCOUNTS.iter().flat_map(|account| REGIONS.iter().map(move |region| format!("{account}/{region}")));
    lanes.collect()
}

fn organisation(sts: &Sts) -> Vec<(&'static str, String)> {
    let role = |account: &&str| format!("arn:aws:iam::{account}:role/spoke");
    vec![
        ("CONNECT_ROLE_ARNS", ACCOUNTS[1..].iter().map(role).collect::<Vec<_>>().join(",")),
        ("CONNECT_REGIONS", REGIONS.join(",")),
        ("AWS_ENDPOINT_URL_STS", sts.url()),
        // what STS denies is not asked for again and again
        ("AWS_MAX_ATTEMPTS", "1".to_owned()),
    ]
}

async fn stage(more: &[(&str, &str)]) -> (Stage, Sts) {
    let sts = Sts::start(0).await.unwrap();
    let set = organisation(&sts);
    let set = set.iter().map(|(name, value)| (*name, value.as_str()));
    let variables: Vec<_> = set.chain(more.iter().copied()).collect();
    let options = Options { instances: instances(), ..Options::default() };
    (Stage::with(options, &variables).await, sts)
}

/// So many instances in each account and Region.
fn spread(accounts: &[&str], regions: &[&str], each: usize) -> Vec<Instance> {
    let places = accounts.iter().flat_map(|account| regions.iter().map(move |region| (account, region)));
    let of = |((account, region), n): ((&&str, &&str), u32)| Instance {
        account: (*account).to_owned(),
        region: (*region).to_owned(),
        ..Instance::numbered(n)
    };
    places.flat_map(|place| std::iter::repeat_n(place, each)).zip(1..).map(of).collect()
}

/// A stack whose home is the first of the accounts, without a quota that anybody would notice.
async fn wide(instances: Vec<Instance>, accounts: &[&str], regions: &[&str]) -> (Stage, Sts) {
    let sts = Sts::start(0).await.unwrap();
    let roles: Vec<String> =
        accounts[1..].iter().map(|account| format!("arn:aws:iam::{account}:role/spoke")).collect();
    let (roles, regions) = (roles.join(","), regions.join(","));
    let variables = [
        ("CONNECT_ROLE_ARNS", roles.as_str()),
        ("CONNECT_REGIONS", &regions),
        ("AWS_ENDPOINT_URL_STS", &sts.url()),
        ("CONNECT_REQUESTS_PER_SECOND", "1000"),
        ("CONNECT_BURST", "50"),
    ];
    (Stage::with(Options { instances, ..Options::default() }, &variables).await, sts)
}

fn change(more: &Value) -> Value {
    let mut change = json!({
        "instanceId": EVERYWHERE, "attachmentScopes": ["CHAT", "TASK"], "maximumSize": "10 MB", "changeId": "CHG-1",
    });
    change.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    change
}

/// What a record says of its lanes, by name.
fn by_lane(record: &Value, of: impl Fn(&Value) -> Value) -> BTreeMap<String, Value> {
    let lanes = record["lanes"].as_array().unwrap();
    lanes.iter().map(|lane| (lane["lane"].as_str().unwrap().to_owned(), of(lane))).collect()
}

fn sizes(connect: &Connect, scope: Scope) -> BTreeSet<u64> {
    let size =
        |instance: &Instance| connect.configuration(&instance.id, scope).unwrap().maximum_size_limit_in_bytes;
    instances().iter().map(|instance| u64::try_from(size(instance)).unwrap()).collect()
}

#[tokio::test]
async fn each_account_and_region_is_a_lane_of_its_own() {
    let (stage, sts) = stage(&[]).await;
    let (status, headers, report) = stage.http("POST", "/policy-changes", &change(&json!({}))).await;
    assert_eq!((status, &report["status"]), (202, &json!("accepted")), "{report}");
    assert_eq!(headers["location"], "/policy-changes/CHG-1");
    // which instances there are is each worker's to find out
    assert_eq!((stage.world.connect.journal().len(), sts.asked().len()), (0, 0));
    let messages = stage.queues.messages(CHANGES);
    let groups: BTreeSet<_> = messages.iter().map(|message| message.group.clone().unwrap()).collect();
    assert_eq!((messages.len(), groups.into_iter().collect::<Vec<_>>()), (6, lanes()));
    let accepted = stage.record("CHG-1").await;
    assert_eq!(by_lane(&accepted, |lane| lane["state"].clone()).into_keys().collect::<Vec<_>>(), lanes());
    let arn = |lane: &String| {
        let (account, region) = lane.split_once('/').unwrap();
        format!("arn:aws:connect:{region}:{account}:instance/*")
    };
    assert_eq!(accepted["document"]["instanceIds"], json!(lanes().iter().map(arn).collect::<Vec<_>>()));

    stage.work().await;
    let record = stage.record("CHG-1").await;
    assert_eq!(
        (&record["status"], &record["summary"]),
        (&json!("succeeded"), &json!({"applied": 12})),
        "{record:#}"
    );
    let targets = by_lane(&record, |lane| json!([lane["state"], lane["targets"], lane["deliveries"]]));
    let expected = [0, 2, 2, 2, 2, 4].map(|targets| json!(["done", targets, 1]));
    assert_eq!(targets, lanes().into_iter().zip(expected).collect());
    assert_eq!(sizes(&stage.world.connect, Scope::Task), [10_485_760].into());
    // every call was signed by its own account, for its own Region
    let of: BTreeMap<_, _> = instances().into_iter().map(|i| (i.id, (i.account, i.region))).collect();
    for entry in stage.world.calls(Operation::UpdateAttachedFilesConfiguration) {
        assert_eq!((entry.account, entry.region), of[&entry.instance_id.unwrap()]);
    }
    let asked: BTreeSet<_> = sts.asked().into_iter().collect();
    assert_eq!(asked.len(), 2, "{asked:?}");
}

#[tokio::test]
async fn what_comes_through_the_intake_is_the_same() {
    let (stage, _sts) = stage(&[]).await;
    stage.take_in(&change(&json!({}))).await;
    assert_eq!(stage.queues.messages(CHANGES).len(), 6);
    stage.work().await;
    assert_eq!(stage.record("CHG-1").await["summary"], json!({"applied": 12}));
}

#[tokio::test]
async fn one_that_means_the_own_place_alone_is_carried_out_at_once() {
    let stage = Stage::new().await;
    let own = "arn:aws:connect:us-east-1:111122223333:instance/*";
    for (id, selector, outcome) in [("CHG-1", EVERYWHERE, "applied"), ("CHG-2", own, "unchanged")] {
        let change = json!({"instanceId": selector, "attachmentScope": "CHAT", "maximumSize": "10 MB", "changeId": id});
        let (status, _, report) = stage.http("POST", "/policy-changes", &change).await;
        assert_eq!((status, &report["summary"]), (200, &json!({outcome: 3})), "{report}");
        assert_eq!(stage.record(id).await["document"]["instanceId"], "*");
    }
}

#[tokio::test]
async fn tags_guardrails_and_relative_values_hold_everywhere() {
    let (one, other) = (Instance::numbered(4).id, Instance::numbered(6).id);
    let (stage, _sts) = stage(&[
        ("POLICY_ALLOWED_INSTANCES", &format!("{one},{other}")),
        ("POLICY_MAX_SIZE_BYTES", "5242880"),
    ])
    .await;
    let mut tagged = instances();
    for instance in tagged.iter_mut().filter(|instance| [&one, &other].contains(&&instance.id)) {
        instance.tags.insert("team".to_owned(), "north".to_owned());
        stage.world.connect.add_instance(instance.clone());
    }
    let of = |id: &str, more: Value| {
        let mut change = json!({"instanceId": EVERYWHERE, "attachmentScope": "CHAT", "changeId": id});
        change.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        change
    };
    let enforce = json!({"instanceTags": {"team": "north"}, "enforceGuardrails": true});
    for (id, more, summary) in [
        ("0-tags", enforce.clone(), json!({"applied": 2})),
        ("1-again", enforce, json!({"unchanged": 2})),
        ("2-blocked", json!({"maximumSize": "4 MB"}), json!({"applied": 2, "blocked": 4})),
        ("3-large", json!({"instanceTags": {"team": "north"}, "maximumSize": "6 MB"}), json!({"blocked": 2})),
        (
            "4-late",
            json!({"instanceTags": {"team": "north"}, "maximumSize": "3 MB", "ifUnmodifiedSince": "2020-01-01T00:00:00Z"}),
            json!({"superseded": 2}),
        ),
    ] {
        stage.world.clock.advance(Duration::from_secs(1));
        stage.take_in(&of(id, more)).await;
        stage.work().await;
        let record = stage.record(id).await;
        assert_eq!(record["summary"], summary, "{id}");
        assert_eq!(record["lanes"].as_array().unwrap().len(), 6);
    }
}

#[tokio::test]
async fn a_dry_run_over_all_is_applied_as_planned_and_undone() {
    let (stage, _sts) = stage(&[]).await;
    let planned = change(&json!({"dryRun": true, "changeId": "plan"}));
    let (status, _, _) = stage.http("POST", "/policy-changes", &planned).await;
    assert_eq!(status, 202);
    stage.work().await;
    let record = stage.record("plan").await;
    assert_eq!((&record["status"], &record["summary"]), (&json!("planned"), &json!({"planned": 12})));
    assert_eq!(stage.world.updates(), 0);
    let apply = json!({"plan": record["plan"]});
    let (status, headers, _) = stage.http("POST", "/policy-changes/plan/apply", &apply).await;
    assert_eq!(status, 202);
    stage.work().await;
    let location = headers["location"].as_str().unwrap();
    let (_, _, applied) = stage.http("GET", location, &Value::Null).await;
    assert_eq!((&applied["status"], &applied["summary"]), (&json!("succeeded"), &json!({"applied": 12})));
    let undo = json!({"changeId": "undo"});
    let (status, _, _) = stage.http("POST", &format!("{location}/undo"), &undo).await;
    assert_eq!(status, 202);
    stage.work().await;
    assert_eq!(sizes(&stage.world.connect, Scope::Chat), [20_971_520].into());
}

#[tokio::test]
async fn an_id_is_of_the_places_that_it_was_accepted_for() {
    let (stage, _sts) = stage(&[]).await;
    stage.take_in(&change(&json!({}))).await;
    stage.work().await;
    let fewer = change(&json!({"instanceId": "arn:aws:connect:us-east-1:*:instance/*"}));
    let (status, _, problem) = stage.http("POST", "/policy-changes", &fewer).await;
    assert_eq!(status, 409, "{problem}");
    assert_eq!(problem["type"], "urn:problem-type:connect-attachment-policy:change-id-reused");
    let listed: Vec<String> = lanes()
        .iter()
        .rev()
        .map(|lane| lane.split_once('/').unwrap())
        .map(|(account, region)| format!("arn:aws:connect:{region}:{account}:instance/*"))
        .collect();
    let (status, _, _) = stage.http("POST", "/policy-changes", &change(&json!({"instanceId": listed}))).await;
    assert_eq!(status, 202, "the same places, written otherwise");
}
