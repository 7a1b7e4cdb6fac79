//! Whole organisations: a lane for each account and Region, each with its own message group, its own role, and its own
//! end.

use super::stage::{CHANGES, PARKED, Stage};
use crate::world::World;
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
async fn an_account_that_denies_its_role_is_parked_and_keeps_nobody_back() {
    let (stage, sts) = stage(&[("MAX_STALLED_DELIVERIES", "3"), ("CONNECT_MAX_ATTEMPTS", "1")]).await;
    sts.deny(ACCOUNTS[1]);
    stage.take_in(&change(&json!({}))).await;
    stage.work().await;
    // the others have ended by now
    let stuck: Vec<String> = lanes().into_iter().filter(|lane| lane.starts_with(ACCOUNTS[1])).collect();
    let record = stage.record("CHG-1").await;
    let states = by_lane(&record, |lane| lane["state"].clone());
    for (lane, state) in &states {
        assert_eq!(state, if stuck.contains(lane) { "open" } else { "done" }, "{lane}");
    }
    assert_eq!((&record["status"], record["progress"]["done"].as_u64()), (&json!("running"), Some(8)));
    let updates = stage.world.updates();
    assert_eq!(updates, 8);
    let why = by_lane(&record, |lane| lane["error"]["code"].clone());
    assert_eq!(why[&stuck[0]], "CredentialsUnusable");
    assert_eq!(why[&lanes()[5]], Value::Null);

    for delay in [15, 30] {
        stage.queues.advance(Duration::from_secs(delay));
        stage.work().await;
    }
    let record = stage.record("CHG-1").await;
    let stalled = by_lane(&record, |lane| lane["deliveriesWithoutProgress"].clone());
    assert_eq!((&stalled[&stuck[0]], &stalled[&stuck[1]]), (&json!(3), &json!(3)));
    assert_eq!(stage.queues.messages(PARKED).len(), 0);
    // the delivery after the last one does not try again
    let asked = sts.asked().len();
    stage.queues.advance(Duration::from_mins(1));
    stage.work().await;
    assert_eq!(sts.asked().len(), asked);
    let record = stage.record("CHG-1").await;
    assert_eq!(record["status"], "incomplete");
    // nobody knows how many instances there are: each scope counts once
    assert_eq!(record["summary"], json!({"applied": 8, "pending": 4}));
    let ends =
        by_lane(&record, |lane| json!([lane["state"], lane["error"]["code"], lane["error"]["retryable"]]));
    for lane in lanes() {
        let expected = if stuck.contains(&lane) {
            json!(["parked", "CredentialsUnusable", true])
        } else {
            json!(["done", null, null])
        };
        assert_eq!(ends[&lane], expected, "{lane}");
    }
    let parked = stage.queues.messages(PARKED);
    let reasons: BTreeSet<_> =
        parked.iter().map(|message| message.attributes["reasons"].string_value.clone().unwrap()).collect();
    for (lane, reasons) in stuck.iter().zip(&reasons) {
        let start = format!("LaneParked {lane}: 3 deliveries without progress; CredentialsUnusable: ");
        assert!(reasons.starts_with(&start), "{reasons}");
    }
    assert_eq!((parked.len(), reasons.len()), (2, 2));
    let audit = stage.world.audit();
    let ended = audit.iter().filter(|event| event["status_code"] == "LaneParked");
    let ended: Vec<_> =
        ended.map(|event| event["resources"][0]["uid"].as_str().unwrap().to_owned()).collect();
    let arn = |lane: &String| {
        format!("arn:aws:connect:{}:{}:instance/*", lane.split_once('/').unwrap().1, ACCOUNTS[1])
    };
    assert_eq!(ended.into_iter().collect::<BTreeSet<_>>(), stuck.iter().map(arn).collect());
    assert_eq!(stage.queues.messages(CHANGES).len(), 0);

    // once the role can be assumed, the same id runs again and does what is left
    sts.allow(ACCOUNTS[1]);
    stage.world.clock.advance(Duration::from_secs(1));
    stage.take_in(&change(&json!({}))).await;
    stage.work().await;
    let record = stage.record("CHG-1").await;
    assert_eq!((&record["run"], &record["summary"]), (&json!(2), &json!({"applied": 4, "unchanged": 8})));
    assert!(by_lane(&record, |lane| lane["error"].clone()).into_values().all(|error| error.is_null()));
}

#[tokio::test]
async fn named_instances_of_a_denied_account_say_in_the_record_why_their_lane_is_stuck() {
    let (stage, sts) = stage(&[("MAX_STALLED_DELIVERIES", "1"), ("CONNECT_MAX_ATTEMPTS", "1")]).await;
    sts.deny(ACCOUNTS[2]);
    let named: Vec<String> = instances().iter().map(Instance::arn).collect();
    let change =
        json!({"instanceIds": named, "attachmentScope": "CHAT", "maximumSize": "10 MB", "changeId": "CHG-1"});
    stage.take_in(&change).await;
    stage.work().await;
    stage.queues.advance(Duration::from_secs(15));
    stage.work().await;
    let record = stage.record("CHG-1").await;
    assert_eq!(
        (&record["status"], &record["summary"]),
        (&json!("incomplete"), &json!({"applied": 3, "failed": 3}))
    );
    let ends = by_lane(&record, |lane| json!([lane["state"], lane["error"]["code"]]));
    assert_eq!(ends[&lanes()[4]], json!(["parked", "CredentialsUnusable"]));
    assert_eq!(ends[&lanes()[3]], json!(["done", null]));
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

/// Without a ledger every place is asked side by side, and each that does not answer has results of its own.
#[tokio::test]
async fn standalone_a_place_that_does_not_answer_has_its_own_results() {
    let sts = Sts::start(0).await.unwrap();
    let set = organisation(&sts);
    let variables: Vec<_> = set.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let options = Options { instances: instances(), ..Options::default() };
    let world = World::with(options, &variables).await;
    sts.deny(ACCOUNTS[1]);
    let (kind, report) = world.error(&change(&json!({}))).await;
    assert_eq!((kind.as_str(), &report["status"]), ("PolicyChangeIncomplete", &json!("incomplete")));
    assert_eq!(report["summary"], json!({"applied": 8, "failed": 4}));
    let results = report["results"].as_array().unwrap();
    let of = |result: &Value| {
        let arn: Vec<&str> = result["instanceArn"].as_str().unwrap().split(':').collect();
        (format!("{}/{}", arn[4], arn[3]), result["outcome"].as_str().unwrap().to_owned())
    };
    let told: Vec<_> = results.iter().map(of).collect();
    assert!(told.is_sorted_by_key(|(lane, _)| lane), "in the order of the targets: {told:?}");
    for (lane, outcome) in &told {
        assert_eq!(outcome == "failed", lane.starts_with(ACCOUNTS[1]), "{lane}");
    }
    let failed: Vec<_> = results.iter().filter(|result| result["outcome"] == "failed").collect();
    let arn = format!("arn:aws:connect:eu-west-2:{}:instance/*", ACCOUNTS[1]);
    assert_eq!((&failed[0]["instanceId"], &failed[0]["instanceArn"]), (&json!("*"), &json!(arn)));
    assert_eq!(failed[0]["error"]["code"], "CredentialsUnusable");
    let audit = world.audit();
    let resource =
        audit.iter().map(|event| &event["resources"][0]).find(|resource| resource["name"] == "*").unwrap();
    assert_eq!((&resource["uid"], &resource["region"]), (&json!(arn), &json!("eu-west-2")));

    // a batch stops there, and what it has not begun is named by its places too
    let batch = json!({"changes": [change(&json!({})), change(&json!({"attachmentScopes": ["CASE"], "changeId": "CHG-2"}))]});
    let (_, report) = world.error(&batch).await;
    assert_eq!(report["changes"][1]["summary"], json!({"pending": 6}));
    let arns: BTreeSet<_> =
        report["changes"][1]["results"].as_array().unwrap().iter().map(|result| of(result).0).collect();
    assert_eq!(arns.into_iter().collect::<Vec<_>>(), lanes());

    sts.allow(ACCOUNTS[1]);
    let report = world.report(&change(&json!({}))).await;
    assert_eq!(report["summary"], json!({"applied": 4, "unchanged": 8}));
}

#[tokio::test]
async fn places_without_instances_are_a_warning_only_where_there_are_none_at_all() {
    let sts = Sts::start(0).await.unwrap();
    let set = organisation(&sts);
    let variables: Vec<_> = set.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let options = Options { instances: instances(), ..Options::default() };
    let world = World::with(options, &variables).await;
    let empty = json!({"instanceIds": ["arn:aws:connect:eu-west-2:111122223333:instance/*", "arn:aws:connect:sa-east-1:*:instance/*"]});
    for (more, message) in [
        (empty, "there is no ACTIVE instance in these accounts and Regions, so nothing was changed"),
        (
            json!({"instanceId": EVERYWHERE, "instanceTags": {"team": "none"}}),
            "no ACTIVE instance in these accounts and Regions has these tags, so nothing was changed",
        ),
    ] {
        let mut change = json!({"attachmentScope": "CHAT", "maximumSize": "10 MB"});
        change.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let report = world.report(&change).await;
        assert_eq!(report["status"], "succeeded");
        assert_eq!(
            report["warnings"],
            json!([{"pointer": "", "code": "NoInstanceMatches", "message": message}])
        );
    }
    let some = world.report(&change(&json!({}))).await;
    assert_eq!((&some["warnings"], &some["summary"]), (&json!([]), &json!({"applied": 12})));
}
