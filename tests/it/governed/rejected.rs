//! Documents that are rejected where nobody waits for an answer: their records, and their events.

use super::stage::{INTAKE, PARKED, Stage};
use crate::world::{ONE, chat};
use sandbox::ledger;
use serde_json::{Value, json};

/// A document with two violations.
fn wrong(id: &str) -> Value {
    json!({"changeId": id, "instanceId": ONE, "attachmentScope": "FAX", "maximumSize": "10 XB"})
}

fn event(id: &str, detail: &Value) -> Value {
    json!({"id": id, "detail-type": "t", "source": "com.example", "account": "111122223333", "detail": detail})
}

/// Changes and their runs, as the bus heard of them, with the codes of their reasons.
fn told(stage: &Stage) -> Vec<String> {
    let of = |event: &sandbox::bus::Event| {
        let detail = &event.detail;
        let reasons = detail["reasons"].as_array().into_iter().flatten();
        let reasons: Vec<_> = reasons.map(|reason| reason["code"].as_str().unwrap()).collect();
        let (id, status) = (detail["changeId"].as_str().unwrap(), detail["status"].as_str().unwrap());
        format!("{id}/{} {status} {}", detail["run"], reasons.join(" ")).trim_end().to_owned()
    };
    stage.bus.events().iter().map(of).collect()
}

#[tokio::test]
async fn a_rejected_document_has_a_record_and_an_event_and_a_better_one_is_its_next_run() {
    let stage = Stage::new().await;
    for _ in 0..2 {
        // parked is not recorded twice
        stage.take_in(&wrong("CHG-1")).await;
    }
    let record = stage.record("CHG-1").await;
    assert_eq!(
        (&record["status"], &record["run"], &record["progress"]),
        (&json!("rejected"), &json!(1), &json!({"targets": 0, "done": 0}))
    );
    let codes: Vec<_> =
        record["violations"].as_array().unwrap().iter().map(|of| of["code"].clone()).collect();
    assert_eq!(codes, ["InvalidScope", "InvalidSize"]);
    assert_eq!(record["origin"]["principal"], "AIDA");
    assert_eq!(told(&stage), ["CHG-1/1 rejected InvalidScope InvalidSize"]);
    let reason = &stage.bus.events()[0].detail["reasons"][0];
    assert_eq!(*reason, record["violations"][0]);
    // another mistake, and then none
    stage.take_in(&json!({"changeId": "CHG-1", "instanceId": ONE, "attachmentScope": "CHAT"})).await;
    stage.take_in(&chat(ONE, &json!({"changeId": "CHG-1"}))).await;
    stage.work().await;
    assert_eq!(told(&stage)[1..], ["CHG-1/2 rejected MissingValues", "CHG-1/3 succeeded"]);
    let (status, _, first) = stage.http("GET", "/policy-changes/CHG-1?run=1", &Value::Null).await;
    assert_eq!((status, &first["violations"][1]["code"]), (200, &json!("InvalidSize")));
    assert_eq!(stage.queues.messages(PARKED).len(), 3);
    // neither can be undone before, nor is it listed as anything else
    stage.take_in(&wrong("CHG-2")).await;
    let (status, _, problem) = stage.http("POST", "/policy-changes/CHG-2/undo", &Value::Null).await;
    assert_eq!(
        (status, &problem["type"]),
        (409, &json!("urn:problem-type:connect-attachment-policy:nothing-to-undo"))
    );
    let (_, _, list) = stage.http("GET", "/policy-changes?status=rejected", &Value::Null).await;
    assert_eq!(
        (list["policyChanges"].as_array().unwrap().len(), &list["policyChanges"][0]["changeId"]),
        (1, &json!("CHG-2"))
    );
}

#[tokio::test]
async fn where_the_id_belongs_to_another_change_the_event_has_a_record_of_its_own() {
    let stage = Stage::new().await;
    stage.take_in(&chat(ONE, &json!({"changeId": "CHG-1"}))).await;
    stage.work().await;
    let other = event("e-1", &chat(ONE, &json!({"changeId": "CHG-1", "maximumSize": "9 MB"})));
    for _ in 0..2 {
        stage.receive(other.to_string(), INTAKE).await;
    }
    assert_eq!(stage.record("CHG-1").await["status"], "succeeded");
    assert_eq!(stage.record("e-1").await["violations"][0]["code"], "ChangeIdReused");
    // also what has no id that could be read
    stage.receive("[]".to_owned(), INTAKE).await;
    assert_eq!(stage.record("m-1").await["violations"][0]["code"], "WrongType");
    assert_eq!(
        told(&stage),
        ["CHG-1/1 succeeded", "e-1/1 rejected ChangeIdReused", "m-1/1 rejected WrongType"]
    );
}

#[tokio::test]
async fn over_http_and_directly_the_caller_has_the_answer_and_there_is_no_record() {
    let stage = Stage::new().await;
    assert_eq!(stage.http("POST", "/policy-changes", &wrong("CHG-1")).await.0, 422);
    assert!(stage.world.invoke(&wrong("CHG-1")).await.is_err());
    assert_eq!(stage.http("GET", "/policy-changes/CHG-1", &Value::Null).await.0, 404);
    assert_eq!(told(&stage), [""; 0]);
    // by EventBridge without a queue there is one
    let report = stage.world.invoke(&event("e-1", &wrong("CHG-1"))).await.unwrap();
    assert_eq!(report["status"], "rejected");
    assert_eq!(told(&stage), ["CHG-1/1 rejected InvalidScope InvalidSize"]);
}

/// No event of this function can feed it, on whichever way it comes back: it is refused, and the refusal makes none.
#[tokio::test]
async fn what_the_function_says_itself_is_refused_and_not_answered_by_an_event() {
    let stage = Stage::new().await;
    stage.take_in(&wrong("CHG-1")).await;
    stage.take_in(&chat(ONE, &json!({"changeId": "CHG-2"}))).await;
    stage.work().await;
    let said = stage.bus.events();
    assert_eq!(said.len(), 2);
    for own in said {
        let whole = json!({"id": "e-1", "detail-type": own.detail_type, "source": own.source, "account": "111122223333",
            "detail": own.detail});
        // the whole event; its detail as a rule with an input path sends it; under another name
        let renamed = event("e-2", &own.detail);
        for body in [&whole, &own.detail, &renamed] {
            let audited = stage.world.audited().len();
            stage.receive(body.to_string(), INTAKE).await;
            assert_eq!(stage.world.audited()[audited..], ["refusal"], "{body}");
        }
        stage.world.invoke(&whole).await.unwrap();
    }
    let what_connect_did = json!({"id": "e-3", "detail-type": "AWS API Call via CloudTrail", "source": "aws.connect",
        "account": "111122223333", "detail": {}});
    stage.receive(what_connect_did.to_string(), INTAKE).await;
    assert_eq!((stage.bus.events().len(), stage.world.updates()), (2, 1));
    for id in ["e-1", "e-2", "e-3", "m-1"] {
        assert_eq!(stage.http("GET", &format!("/policy-changes/{id}"), &Value::Null).await.0, 404, "{id}");
    }
}

/// Where it cannot be recorded now, it comes again, and is parked then.
#[tokio::test]
async fn a_rejection_that_cannot_be_recorded_comes_again() {
    let stage = Stage::new().await;
    stage.ledger.fault(ledger::Rule::new(ledger::Fault::Internal).on(ledger::Operation::PutItem));
    let answer = stage.receive(wrong("CHG-1").to_string(), INTAKE).await;
    assert_eq!(answer["batchItemFailures"], json!([{"itemIdentifier": "m-1"}]));
    let (kind, _) = crate::world::failed(stage.world.invoke(&event("e-1", &wrong("CHG-1"))).await);
    assert_eq!((kind.as_str(), stage.queues.messages(PARKED).len()), ("PolicyChangeIncomplete", 0));
    stage.ledger.clear_faults();
    stage.take_in(&wrong("CHG-1")).await;
    assert_eq!((told(&stage).len(), stage.queues.messages(PARKED).len()), (1, 1));
}

/// The longest message that SQS takes has no room for attributes beside it.
#[tokio::test]
async fn a_document_as_long_as_a_message_can_be_is_parked_without_its_reasons() {
    let stage = Stage::new().await;
    for (short_of, attributes) in
        [(0, vec![]), (100, vec!["changeId", "status"]), (2_000, vec!["changeId", "reasons", "status"])]
    {
        let start = r#"{"changeId":"CHG-1","filler":""#;
        let body = format!("{start}{}\"}}", "x".repeat(1_048_576 - short_of - start.len() - 2));
        let answer = stage.receive(body.clone(), INTAKE).await;
        assert_eq!(answer["batchItemFailures"], json!([]), "{short_of}");
        let parked = stage.queues.messages(PARKED).pop().unwrap();
        let mut names: Vec<_> = parked.attributes.keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!((parked.body.len(), names), (body.len(), attributes), "{short_of}");
    }
}
