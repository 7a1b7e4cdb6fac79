//! Drift: a governed target that somebody has changed elsewhere, as CloudTrail says so.

mod copies;
mod ended;
mod relative;
mod unread;

use super::stage::{INTAKE, Stage};
use crate::world::{ONE, TWO, World, chat};
use sandbox::bus::{Event, Fault, Rule};
use sandbox::connect::{self, Configuration, Operation, Options, Scope};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::time::Duration;

const MEGABYTE: i64 = 1_048_576;
const ALL: [(&str, &str); 1] = [("ACCEPTED_TRIGGERS", "http,bare,eventbridge,sqs,lane,sweep,cloudtrail")];

async fn stage() -> Stage {
    Stage::with(Options::default(), &ALL).await
}

/// What CloudTrail says, of one shape of `userIdentity`.
fn seen(identity: &str) -> Value {
    let name = format!("event-bridge.rejected.cloudtrail-{identity}.json");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("events").join(name);
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn of(instance: &str, id: &str) -> Value {
    let mut event = seen("iam-user");
    event["detail"]["requestParameters"]["InstanceId"] = json!(instance);
    event["detail"]["eventID"] = json!(id);
    event
}

/// Somebody sets the size of an instance's CHAT.
fn change_elsewhere(stage: &Stage, instance: &str, megabytes: i64) {
    let held = stage.world.connect.configuration(instance, Scope::Chat).unwrap();
    let held = Configuration { maximum_size_limit_in_bytes: megabytes * MEGABYTE, ..held };
    stage.world.connect.put(instance, Scope::Chat, held);
}

/// Whether the message is done, or comes again.
async fn is_checked(stage: &Stage, event: &Value) -> bool {
    stage.receive(event.to_string(), INTAKE).await["batchItemFailures"] == json!([])
}

fn drifts(stage: &Stage) -> Vec<Event> {
    let events = stage.bus.events().into_iter();
    events.filter(|event| event.detail_type == "Attachment Policy Drift Detected").collect()
}

/// The audit's findings: code, expected and observed size.
fn findings(world: &World) -> Vec<Value> {
    let size = |value: &Value| value["maximumSizeLimitInBytes"].as_i64().map(|bytes| bytes / MEGABYTE);
    let found = world.audit().into_iter().filter(|event| event["class_uid"] == 2003);
    found
        .map(|event| {
            let data = &event["resources"][0]["data"];
            json!([event["metadata"]["event_code"], size(&data["expected"]), size(&data["observed"])])
        })
        .collect()
}

async fn govern(stage: &Stage, instance: &str) {
    assert_eq!(
        stage.world.report(&chat(instance, &json!({"changeId": "CHG-1"}))).await["status"],
        "succeeded"
    );
}

#[tokio::test]
async fn a_change_from_elsewhere_is_reported_once_until_it_ends() {
    let stage = stage().await;
    govern(&stage, ONE).await;
    assert!(is_checked(&stage, &seen("iam-user")).await);
    assert_eq!((drifts(&stage).len(), findings(&stage.world)), (0, vec![]));
    change_elsewhere(&stage, ONE, 5);
    for _ in 0..3 {
        // late, twice, in any order: what is held decides
        assert!(is_checked(&stage, &seen("iam-user")).await);
    }
    let [event] = &drifts(&stage)[..] else { panic!("{:?}", drifts(&stage)) };
    let mut detail = event.detail.clone();
    for name in ["driftId", "detectedAt"] {
        assert!(detail.as_object_mut().unwrap().remove(name).unwrap().is_string(), "{name}");
    }
    let extensions = |side: &str| detail[side]["allowedExtensions"].clone();
    assert_eq!(
        detail,
        json!({
            "instanceId": ONE, "instanceArn": format!("arn:aws:connect:us-east-1:111122223333:instance/{ONE}"),
            "attachmentScope": "CHAT", "governed": true,
            "expected": {"maximumSizeLimitInBytes": 10 * MEGABYTE},
            "observed": {"maximumSizeLimitInBytes": 5 * MEGABYTE, "allowedExtensions": extensions("observed")},
            "cause": {"eventId": "e0f0b7a4-1f39-4f7a-8c0e-5b1f5a2d9001", "at": "2026-11-23T10:00:12Z", "type": "IAMUser",
                "principal": "arn:aws:iam::111122223333:user/Alice", "account": "111122223333", "sourceIp": "192.0.2.10"},
        })
    );
    assert!(stage.world.pipe.text().contains(r#""TargetsDrifted":1,"#));
    // another value is another drift; put back, it has ended; and then it can begin again
    change_elsewhere(&stage, ONE, 7);
    assert!(is_checked(&stage, &seen("root")).await);
    change_elsewhere(&stage, ONE, 10);
    assert!(is_checked(&stage, &seen("root")).await && is_checked(&stage, &seen("root")).await);
    change_elsewhere(&stage, ONE, 7);
    assert!(is_checked(&stage, &seen("root")).await);
    assert_eq!(
        findings(&stage.world),
        [
            json!(["drift", 10, 5]),
            json!(["drift", 10, 7]),
            json!(["drift-ended", null, null]),
            json!(["drift", 10, 7]),
        ]
    );
    assert_eq!(drifts(&stage).len(), 3);
    // a change to what is there accepts it
    stage.world.report(&chat(ONE, &json!({"maximumSize": "7 MB"}))).await;
    assert!(is_checked(&stage, &seen("root")).await);
    assert_eq!(drifts(&stage).len(), 3);
}

#[tokio::test]
async fn whoever_did_it_is_named_as_cloudtrail_names_them() {
    let stage = stage().await;
    govern(&stage, ONE).await;
    let shapes = ["iam-user", "assumed-role", "sso", "service", "root"];
    let expected = [
        json!([
            "IAMUser",
            "arn:aws:iam::111122223333:user/Alice",
            "111122223333",
            "192.0.2.10",
            "192.0.2.10",
            null
        ]),
        json!([
            "AssumedRole",
            "arn:aws:sts::111122223333:assumed-role/ConnectAdmin/ada",
            "111122223333",
            "192.0.2.11",
            "192.0.2.11",
            null
        ]),
        json!([
            "IdentityCenterUser",
            "544894e8-80c1-707f-60e3-3ba6510dfac1",
            "111122223333",
            "192.0.2.12",
            "192.0.2.12",
            null
        ]),
        json!([
            "AWSService",
            "cloudformation.amazonaws.com",
            null,
            "cloudformation.amazonaws.com",
            null,
            "cloudformation.amazonaws.com"
        ]),
        json!([
            "Root",
            "arn:aws:iam::111122223333:root",
            "111122223333",
            "198.51.100.7",
            "198.51.100.7",
            null
        ]),
    ];
    for (size, (shape, expected)) in (1..).zip(shapes.into_iter().zip(expected)) {
        change_elsewhere(&stage, ONE, size);
        assert!(is_checked(&stage, &seen(shape)).await, "{shape}");
        let cause = drifts(&stage).last().unwrap().detail["cause"].clone();
        let audit = stage.world.audit().pop().unwrap();
        let evidence = &audit["evidences"][0];
        let endpoint = &evidence["src_endpoint"];
        assert_eq!(
            json!([
                cause["type"],
                cause["principal"],
                cause["account"],
                cause["sourceIp"],
                endpoint["ip"],
                endpoint["svc_name"]
            ]),
            expected,
            "{shape}"
        );
        assert_eq!(evidence["actor"]["user"]["uid"], cause["principal"], "{shape}");
        assert_eq!(evidence["data"]["eventId"], cause["eventId"], "{shape}");
    }
}

#[tokio::test]
async fn a_target_that_nobody_governs_is_reported_as_such() {
    let stage = stage().await;
    change_elsewhere(&stage, TWO, 5);
    assert!(is_checked(&stage, &of(TWO, "e-1")).await);
    let [event] = &drifts(&stage)[..] else { panic!("{:?}", drifts(&stage)) };
    assert_eq!(
        (&event.detail["governed"], &event.detail["driftId"], event.detail.get("expected")),
        (&json!(false), &json!("e-1"), None)
    );
    assert_eq!(event.detail["observed"]["maximumSizeLimitInBytes"], 5 * MEGABYTE);
    assert_eq!(findings(&stage.world), [json!(["drift", null, 5])]);
    assert_eq!(stage.world.audit()[0]["unmapped"]["governed"], false);
}

/// The item is compared before and after the read, and nobody says anything while a change is under way.

#[tokio::test]
async fn a_change_in_progress_is_no_drift() {
    let stage = stage().await;
    govern(&stage, ONE).await;
    // its process is killed after the update took effect
    let update = Operation::UpdateAttachedFilesConfiguration;
    stage.world.connect.script(update, [Some(connect::Fault::ResetAfter)]);
    stage
        .world
        .connect
        .always(Operation::DescribeAttachedFilesConfiguration, Some(connect::Fault::ResetBefore));
    let killed = stage.process(&[("CONNECT_MAX_ATTEMPTS", "1"), ALL[0]]);
    let listed = json!({"instanceId": ONE, "attachmentScopes": ["CHAT", "TASK"], "maximumSize": "8 MB", "changeId": "CHG-2"});
    let _ = killed.invoke(&listed).await;
    stage.world.connect.always(Operation::DescribeAttachedFilesConfiguration, None);
    assert!(!is_checked(&stage, &seen("iam-user")).await, "an intent is open");
    assert_eq!(drifts(&stage).len(), 0);
    for _ in 0..3 {
        stage.world.clock.advance(Duration::from_secs(121));
        stage.sweep().await;
    }
    assert!(is_checked(&stage, &seen("iam-user")).await);
    assert_eq!((drifts(&stage).len(), findings(&stage.world)), (0, vec![]));
}

#[tokio::test]
async fn what_cannot_be_read_comes_again_and_an_instance_that_is_gone_ends_its_drift() {
    let stage = stage().await;
    govern(&stage, ONE).await;
    change_elsewhere(&stage, ONE, 5);
    let read = Operation::DescribeAttachedFilesConfiguration;
    stage.world.connect.always(read, Some(connect::Fault::AccessDenied));
    assert!(!is_checked(&stage, &seen("iam-user")).await);
    stage.world.connect.always(read, None);
    assert!(is_checked(&stage, &seen("iam-user")).await);
    stage.world.connect.always(read, Some(connect::Fault::NotFound));
    assert!(is_checked(&stage, &seen("iam-user")).await && is_checked(&stage, &seen("iam-user")).await);
    assert_eq!(findings(&stage.world), [json!(["drift", 10, 5]), json!(["drift-ended", null, null])]);
}

#[tokio::test]
async fn a_drift_that_the_bus_has_not_taken_is_put_again_and_is_in_the_audit_once() {
    let stage = stage().await;
    govern(&stage, ONE).await;
    change_elsewhere(&stage, ONE, 5);
    stage.bus.fault(Rule::new(Fault::EntryFailed));
    assert!(is_checked(&stage, &seen("iam-user")).await);
    assert_eq!(drifts(&stage).len(), 0);
    // how long it has been owed is in every sweep, also before its time has come again
    for _ in 0..2 {
        stage.world.clock.advance(Duration::from_mins(20));
        stage.sweep().await;
    }
    let last =
        stage.world.pipe.text().lines().rfind(|line| line.contains("OldestEventAge")).unwrap().to_owned();
    assert!(last.contains(r#""OldestEventAge":24"#), "{last}");
    // whatever becomes of the target meanwhile
    stage.world.report(&chat(ONE, &json!({"changeId": "CHG-9", "maximumSize": "9 MB"}))).await;
    stage.bus.clear_faults();
    stage.world.clock.advance(Duration::from_secs(61));
    stage.sweep().await;
    let [event] = &drifts(&stage)[..] else { panic!("{:?}", drifts(&stage)) };
    assert_eq!(event.detail["expected"]["maximumSizeLimitInBytes"], 10 * MEGABYTE);
    assert_eq!(findings(&stage.world).len(), 1);
    assert_eq!(stage.ledger.items().unwrap().iter().filter(|item| item.get("owed").is_some()).count(), 0);
}

/// Without `cloudtrail` the event is refused as ever; and what else comes to a function that looks at calls only.
#[tokio::test]
async fn only_a_function_that_is_to_looks_at_calls() {
    let stage = Stage::new().await;
    stage.world.invoke(&seen("root")).await.unwrap();
    assert_eq!(stage.world.audited(), ["refusal"]);
    let looks = stage.process(&[("ACCEPTED_TRIGGERS", "sweep,cloudtrail")]);
    assert_eq!(looks.invoke(&seen("root")).await.unwrap(), json!({"checked": true}));
    let mut other = seen("root");
    other["detail"]["eventName"] = json!("DeleteInstance");
    let document =
        json!({"id": "e-1", "detail-type": "t", "source": "com.example", "detail": chat(ONE, &json!({}))});
    for event in [&other, &document] {
        let (kind, _) = crate::world::failed(looks.invoke(event).await);
        assert_eq!(kind, "TriggerNotAccepted", "{event}");
    }
    assert_eq!(looks.updates(), 0);
}

/// What a change is about to overwrite is reported first, unless it was.
#[tokio::test]
async fn a_change_that_comes_to_a_drift_reports_it_before_it_overwrites_it() {
    let stage = stage().await;
    govern(&stage, ONE).await;
    change_elsewhere(&stage, ONE, 5);
    let change = chat(ONE, &json!({"changeId": "CHG-2", "maximumSize": "8 MB"}));
    stage.world.report(&change).await;
    let codes: Vec<_> = stage.world.audited();
    assert_eq!(codes, ["intent", "outcome applied", "drift", "intent", "outcome applied"]);
    assert_eq!(findings(&stage.world), [json!(["drift", 10, 5])]);
    assert!(stage.world.pipe.text().contains(r#""TargetsDrifted":1,"#));
    stage.world.clock.advance(Duration::from_secs(61));
    stage.sweep().await;
    let [event] = &drifts(&stage)[..] else { panic!("{:?}", drifts(&stage)) };
    assert_eq!((&event.detail["changeId"], event.detail.get("cause")), (&json!("CHG-2"), None));
    // it was reported, so CloudTrail's word comes too late; and one that was seen first is not reported again
    assert!(is_checked(&stage, &seen("iam-user")).await);
    change_elsewhere(&stage, ONE, 6);
    assert!(is_checked(&stage, &seen("iam-user")).await);
    stage.world.report(&chat(ONE, &json!({"changeId": "CHG-3", "maximumSize": "7 MB"}))).await;
    // by a worker, and a change of the other member leaves the drift what it is
    change_elsewhere(&stage, ONE, 4);
    let list = json!({"instanceId": ONE, "attachmentScope": "CHAT", "allowedExtensions": ["pdf"], "changeId": "CHG-4"});
    stage.take_in(&list).await;
    stage.work().await;
    assert!(is_checked(&stage, &seen("iam-user")).await);
    // what is asked for is there: nothing is overwritten
    stage.world.report(&chat(ONE, &json!({"changeId": "CHG-5", "maximumSize": "4 MB"}))).await;
    assert_eq!(
        findings(&stage.world),
        [json!(["drift", 10, 5]), json!(["drift", 8, 6]), json!(["drift", 7, 4])]
    );
    stage.world.clock.advance(Duration::from_secs(61));
    stage.sweep().await;
    assert_eq!(drifts(&stage).len(), 3);
}
