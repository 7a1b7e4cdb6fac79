//! The event about a run that has ended: what is in it, and that it comes whatever happens to the bus.

use super::stage::{CHANGES, INTAKE, Stage, request};
use crate::world::{NOWHERE, ONE, THREE, TWO, World, chat};
use futures_util::future::join_all;
use sandbox::bus::{Event, Fault, NAME, Rule};
use sandbox::connect::Options;
use serde_json::{Value, json};
use std::time::Duration;

/// Longer than an event is left to whoever made its run final.
const LATER: Duration = Duration::from_secs(61);

/// What the bus has taken: id, run and status.
fn told(stage: &Stage) -> Vec<(String, u64, String)> {
    let of = |event: &Event| {
        let text = |name: &str| event.detail[name].as_str().unwrap().to_owned();
        (text("changeId"), event.detail["run"].as_u64().unwrap(), text("status"))
    };
    stage.bus.events().iter().map(of).collect()
}

fn one(id: &str, run: u64, status: &str) -> (String, u64, String) {
    (id.to_owned(), run, status.to_owned())
}

/// How many items owe something.
fn owing(stage: &Stage) -> usize {
    stage.ledger.items().unwrap().iter().filter(|item| item.get("owed").is_some()).count()
}

/// Which targets an event names, and how each ended.
fn named(event: &Event) -> Vec<String> {
    let name = |result: &Value| {
        let of = |name: &str| result[name].as_str().unwrap_or_default().to_owned();
        let error = result["error"]["code"].as_str().unwrap_or_default();
        format!("{} {} {error}", of("attachmentScope"), of("outcome")).trim_end().to_owned()
    };
    event.detail["results"].as_array().unwrap().iter().map(name).collect()
}

#[tokio::test]
async fn the_end_of_a_run_is_an_event_with_what_became_of_it() {
    let guardrail = [("POLICY_BLOCKED_EXTENSIONS", "exe")];
    let stage = Stage::with(Options::default(), &guardrail).await;
    let document = json!({"changeId": "CHG-1", "changes": [
        {"instanceId": ONE, "attachmentScope": "CHAT", "maximumSize": "10 MB", "reason": "why", "requestedBy": "desk"},
        {"instanceId": ONE, "attachmentScope": "TASK", "allowedExtensions": ["exe"]},
        {"instanceId": NOWHERE, "attachmentScope": "TASK", "maximumSize": "10 MB"},
    ]});
    let (status, _, report) = stage.http("POST", "/policy-changes", &document).await;
    assert_eq!((status, &report["status"]), (207, &json!("partial")), "{report}");
    let [event] = &stage.bus.events()[..] else { panic!("{:?}", stage.bus.events()) };
    assert_eq!(
        (event.source.as_str(), event.detail_type.as_str(), event.bus.as_str()),
        ("connect-attachment-policy", "Attachment Policy Change Completed", NAME)
    );
    let record = stage.record("CHG-1").await;
    let mut detail = event.detail.clone();
    assert_eq!(detail["results"].as_array_mut().unwrap().len(), 2);
    let left_out = |result: &&Value| result["outcome"] != "applied";
    let results: Vec<_> = record["results"].as_array().unwrap().iter().filter(left_out).cloned().collect();
    let sorted = |results: &[Value]| {
        let mut texts: Vec<_> = results.iter().map(Value::to_string).collect();
        texts.sort();
        texts
    };
    assert_eq!(sorted(detail["results"].as_array().unwrap()), sorted(&results));
    detail["results"] = json!([]);
    assert_eq!(
        detail,
        json!({
            "changeId": "CHG-1", "run": 1, "status": "partial", "dryRun": false,
            "summary": {"applied": 1, "blocked": 1, "failed": 1},
            "origin": {
                "trigger": "http", "principal": "arn:aws:iam::111122223333:user/ada", "account": "111122223333",
                "vouchedBy": "api-gateway-iam", "sourceIp": "192.0.2.1", "source": "apigateway.amazonaws.com",
                "requestId": "JKJaXmPLvHcESHA=",
            },
            "reason": "why", "requestedBy": "desk",
            "submittedAt": record["submittedAt"], "finishedAt": record["finishedAt"],
            "results": [], "truncated": false,
        })
    );
    assert_eq!(owing(&stage), 0);
}

#[tokio::test]
async fn however_a_run_ends_its_targets_that_are_not_as_asked_are_named() {
    let stage = Stage::with(Options::default(), &[("MAX_STALLED_DELIVERIES", "1")]).await;
    let two = |id: &str| json!({"instanceIds": [ONE], "attachmentScopes": ["CHAT", "TASK"], "maximumSize": "10 MB", "changeId": id});
    // a dry run, and then as planned by lanes
    stage.take_in(&json!({"instanceId": ONE, "attachmentScope": "CHAT", "maximumSize": "10 MB", "dryRun": true, "changeId": "DRY"})).await;
    stage.work().await;
    stage.take_in(&two("DONE")).await;
    stage.work().await;
    // cancelled before it began
    stage.take_in(&two("CANCELLED")).await;
    let cancel = request("POST", "/policy-changes/CANCELLED/cancel", "", &Value::Null);
    stage.world.invoke(&cancel).await.unwrap();
    stage.work().await;
    // given up: nobody can find out which instances there are
    stage.take_in(&json!({"instanceId": "*", "attachmentScope": "EMAIL", "maximumSize": "9 MB", "changeId": "PARKED"})).await;
    let list = sandbox::connect::Operation::ListInstances;
    stage.world.connect.always(list, Some(sandbox::connect::Fault::AccessDenied));
    for _ in 0..3 {
        stage.queues.advance(Duration::from_mins(20));
        stage.deliver(CHANGES, Duration::from_secs(30)).await;
    }
    assert_eq!(
        told(&stage),
        [
            one("DRY", 1, "planned"),
            one("DONE", 1, "succeeded"),
            one("CANCELLED", 1, "cancelled"),
            one("PARKED", 1, "incomplete"),
        ]
    );
    let events = stage.bus.events();
    assert_eq!(named(&events[0]), ["CHAT planned"]);
    assert_eq!(named(&events[1]), [""; 0]);
    assert_eq!(named(&events[2]), ["CHAT skipped Cancelled", "TASK skipped Cancelled"]);
    // nobody knows the targets, but what kept the lane is said
    let reason = &events[3].detail["reasons"][0];
    assert_eq!(
        (&reason["lane"], &reason["code"]),
        (&json!("111122223333/us-east-1"), &json!("LaneParked")),
        "{reason}"
    );
    assert!(reason["message"].as_str().unwrap().contains("AccessDeniedException"), "{reason}");
    assert_eq!(owing(&stage), 0);
}

/// A change as it comes by each way, up to its end; its answer.
async fn carried_out(stage: &Stage, way: &str) -> Value {
    let change = chat(ONE, &json!({"changeId": "CHG-1"}));
    match way {
        "http" => json!(stage.http("POST", "/policy-changes", &change).await.0),
        "bare" => stage.world.invoke(&change).await.unwrap()["status"].clone(),
        _ => {
            stage.take_in(&change).await;
            json!(stage.deliver(CHANGES, Duration::from_secs(30)).await.unwrap().failures)
        }
    }
}

/// Whatever the bus does, the change is what it is, and its event comes: at least once, and the same each time.
#[tokio::test]
async fn an_event_that_the_bus_has_not_taken_is_owed_and_put_again_by_the_sweep() {
    let faults = [
        Fault::Unavailable,
        Fault::Throttled,
        Fault::Internal,
        Fault::EntryFailed,
        Fault::Closed,
        Fault::AnswerLost,
        Fault::NeverAnswered,
    ];
    let cells = faults.into_iter().flat_map(|fault| ["http", "bare", "lane"].map(|way| (fault, way)));
    let played = cells.map(|(fault, way)| async move {
        let stage = Stage::new().await;
        stage.bus.fault(Rule::new(fault));
        let answer = carried_out(&stage, way).await;
        let expected = match way {
            "http" => json!(200),
            "bare" => json!("succeeded"),
            _ => json!([]),
        };
        assert_eq!(answer, expected, "{fault:?} {way}");
        assert_eq!(stage.record("CHG-1").await["status"], "succeeded", "{fault:?} {way}");
        assert_eq!(owing(&stage), 1, "{fault:?} {way}");
        // not before somebody has had a minute for it
        assert_eq!(stage.sweep().await, json!({"swept": 0}));
        stage.bus.clear_faults();
        stage.world.clock.advance(LATER);
        assert_eq!(stage.sweep().await, json!({"swept": 1}), "{fault:?} {way}");
        assert_eq!(owing(&stage), 0, "{fault:?} {way}");
        let events = stage.bus.events();
        let is_taken = matches!(fault, Fault::AnswerLost | Fault::NeverAnswered);
        assert_eq!(events.len() > 1, is_taken, "{fault:?} {way}: {}", events.len());
        assert!(events.iter().all(|event| event.text == events[0].text), "{fault:?} {way}");
        assert_eq!(told(&stage)[0], one("CHG-1", 1, "succeeded"));
    });
    join_all(played).await;
}

/// One try an invocation, then later and later: an outage leaves the sweep its time for everything else.
#[tokio::test]
async fn while_the_bus_is_down_a_sweep_tries_once_and_says_how_long_events_are_owed() {
    let stage = Stage::new().await;
    stage.bus.fault(Rule::new(Fault::EntryFailed));
    for id in ["A", "B", "C"] {
        stage.http("POST", "/policy-changes", &chat(ONE, &json!({"changeId": id}))).await;
    }
    let tried = || stage.bus.journal().len();
    assert_eq!(tried(), 3);
    stage.world.clock.advance(Duration::from_mins(10));
    assert_eq!(stage.sweep().await, json!({"swept": 3}));
    assert_eq!((tried(), owing(&stage)), (4, 3));
    let text = stage.world.pipe.text();
    let (_, age) = text.rsplit_once(r#""OldestEventAge":"#).unwrap();
    let age: u64 = age.split(',').next().unwrap().parse().unwrap();
    // and as long as the sweep took to get there
    assert!((600..660).contains(&age), "{age}");
    // ten minutes old: ten minutes later
    stage.world.clock.advance(Duration::from_mins(9));
    assert_eq!(stage.sweep().await, json!({"swept": 0}));
    stage.bus.clear_faults();
    stage.world.clock.advance(LATER);
    assert_eq!(stage.sweep().await, json!({"swept": 3}));
    assert_eq!((stage.bus.events().len(), owing(&stage)), (3, 0));
}

#[tokio::test]
async fn the_next_run_puts_the_event_of_the_run_before_or_leaves_it_to_the_sweep() {
    let stage = Stage::new().await;
    let run =
        || async { stage.http("POST", "/policy-changes", &chat(ONE, &json!({"changeId": "X"}))).await.0 };
    stage.bus.fault(Rule::new(Fault::EntryFailed).first(1));
    assert_eq!(run().await, 200);
    assert_eq!(told(&stage), []);
    assert_eq!(run().await, 200);
    assert_eq!(told(&stage), [one("X", 1, "succeeded"), one("X", 2, "succeeded")]);
    // the bus stays down over two runs: each takes its debt with it
    stage.bus.fault(Rule::new(Fault::EntryFailed));
    assert_eq!((run().await, run().await), (200, 200));
    assert_eq!(owing(&stage), 2);
    stage.bus.clear_faults();
    stage.world.clock.advance(LATER);
    assert_eq!(stage.sweep().await, json!({"swept": 2}));
    let mut all = told(&stage);
    all.sort();
    let expected: Vec<_> = (1..=4).map(|run| one("X", run, "succeeded")).collect();
    assert_eq!((all, owing(&stage)), (expected, 0));
}

/// A message that comes again meets a final run that owes its event.
#[tokio::test]
async fn who_meets_a_run_that_owes_its_event_puts_it() {
    let stage = Stage::new().await;
    stage.bus.fault(Rule::new(Fault::EntryFailed).first(1));
    let event = json!({"id": "e-1", "detail-type": "t", "source": "com.example", "account": "111122223333",
        "detail": chat(ONE, &json!({}))});
    stage.receive(event.to_string(), INTAKE).await;
    let lane = stage.queues.messages(CHANGES)[0].body.clone();
    stage.work().await;
    assert_eq!((told(&stage), owing(&stage)), (vec![], 1));
    // the lane's message again
    stage.receive(lane, CHANGES).await;
    assert_eq!((told(&stage), owing(&stage)), (vec![one("e-1", 1, "succeeded")], 0));
    // and the event itself, of another run that owes
    let other = json!({"id": "e-2", "detail-type": "t", "source": "com.example", "account": "111122223333",
        "detail": chat(TWO, &json!({}))});
    stage.bus.fault(Rule::new(Fault::EntryFailed).first(1));
    stage.receive(other.to_string(), INTAKE).await;
    stage.work().await;
    assert_eq!(owing(&stage), 1);
    stage.receive(other.to_string(), INTAKE).await;
    assert_eq!((told(&stage)[1].clone(), owing(&stage)), (one("e-2", 1, "succeeded"), 0));
}

#[tokio::test]
async fn without_a_bus_any_more_nothing_is_owed() {
    let stage = Stage::new().await;
    stage.bus.fault(Rule::new(Fault::EntryFailed));
    stage.http("POST", "/policy-changes", &chat(ONE, &json!({"changeId": "A"}))).await;
    let without: World = stage.process(&[("OUTCOME_BUS", "")]);
    without.clock.advance(LATER);
    assert_eq!(without.invoke(&json!({"sweep": true})).await.unwrap(), json!({"swept": 1}));
    assert_eq!(owing(&stage), 0);
    without.invoke(&chat(THREE, &json!({"changeId": "B"}))).await.unwrap();
    assert_eq!((owing(&stage), stage.bus.events().len()), (0, 0));
}
