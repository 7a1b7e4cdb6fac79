//! What a submission means where its id has a record already.

use super::stage::{CHANGES, INTAKE, PARKED, Stage, request};
use crate::world::{ONE, TWO, chat};
use sandbox::ledger::{Fault, Rule};
use serde_json::{Value, json};

const ADA: &str = "arn:aws:iam::111122223333:user/ada";

fn problem(name: &str) -> Value {
    json!(format!("urn:problem-type:connect-attachment-policy:{name}"))
}

#[tokio::test]
async fn an_id_that_the_caller_chose_may_run_again_and_is_a_record_with_two_runs() {
    let stage = Stage::new().await;
    let change = chat(ONE, &json!({"changeId": "CHG-1"}));
    for outcome in ["applied", "unchanged"] {
        let (status, _, report) = stage.http("POST", "/policy-changes", &change).await;
        assert_eq!((status, &report["results"][0]["outcome"]), (200, &json!(outcome)));
    }
    assert_eq!(stage.record("CHG-1").await["run"], 2);
    let (status, _, first) = stage.http("GET", "/policy-changes/CHG-1?run=1", &Value::Null).await;
    assert_eq!((status, &first["run"], &first["summary"]), (200, &json!(1), &json!({"applied": 1})));
    let (status, _, none) = stage.http("GET", "/policy-changes/CHG-1?run=3", &Value::Null).await;
    assert_eq!((status, &none["type"]), (404, &problem("change-not-found")));
}

#[tokio::test]
async fn while_it_runs_the_same_change_is_answered_202_and_another_one_409() {
    let stage = Stage::new().await;
    let change = chat(ONE, &json!({"changeId": "CHG-1"}));
    stage.take_in(&change).await;
    let other_words = chat(ONE, &json!({"changeId": "CHG-1", "reason": "again", "force": true}));
    for same in [&change, &other_words] {
        let (status, headers, _) = stage.http("POST", "/policy-changes", same).await;
        assert_eq!((status, &headers["location"]), (202, &json!("/policy-changes/CHG-1")));
    }
    for other in [
        chat(TWO, &json!({"changeId": "CHG-1"})),
        chat(ONE, &json!({"changeId": "CHG-1", "maximumSize": "9 MB"})),
    ] {
        let (status, _, refused) = stage.http("POST", "/policy-changes", &other).await;
        assert_eq!((status, &refused["type"]), (409, &problem("change-id-reused")), "{refused}");
        assert_eq!(refused["violations"][0]["code"], "ChangeIdReused");
    }
    let (status, _, refused) = stage.http("POST", "/policy-changes?dryRun=true", &change).await;
    assert_eq!((status, &refused["type"]), (409, &problem("change-running")));
    assert_eq!(stage.world.updates(), 0);
    assert_eq!(stage.queues.messages(CHANGES).len(), 1);
}

/// What is under way does not check the condition, so that the change is neither queued nor taken for the same.
#[tokio::test]
async fn while_it_runs_the_same_change_with_if_match_is_a_409_until_it_has_ended() {
    let stage = Stage::new().await;
    stage.take_in(&chat(ONE, &json!({"changeId": "CHG-1"}))).await;
    let values = json!({"maximumSize": "10 MB", "changeId": "CHG-1"}).to_string();
    let target = format!("/instances/{ONE}/attachment-policies/CHAT");
    let mut patch = request("PATCH", &target, "", &json!(values));
    for tag in ["\"another\"", "*"] {
        patch["headers"]["if-match"] = json!(tag);
        let answer = stage.world.invoke(&patch).await.unwrap();
        let refused: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
        assert_eq!(
            (&answer["statusCode"], &refused["type"]),
            (&json!(409), &problem("change-running")),
            "{refused}"
        );
        assert_eq!(refused["report"]["error"]["code"], "ChangeRunning");
        assert_eq!(answer["headers"]["retry-after"], "5");
    }
    assert_eq!((stage.record("CHG-1").await["run"].clone(), stage.world.updates()), (json!(1), 0));
    assert_eq!(stage.queues.messages(CHANGES).len(), 1);
    stage.work().await;
    assert_eq!(stage.world.invoke(&patch).await.unwrap()["statusCode"], 200);
}

/// The answer says when to come back, and the audit who asked: one line, of a batch too.
#[tokio::test]
async fn what_is_not_begun_for_now_is_a_refusal() {
    let stage = Stage::new().await;
    stage.take_in(&chat(ONE, &json!({"changeId": "CHG-1"}))).await;
    let of = |id: &str| chat(ONE, &json!({"changeId": id}));
    let batch = json!({"changeId": "CHG-2", "changes": [chat(ONE, &json!({})), chat(TWO, &json!({}))]});
    for (path, change, id, status, seconds, code, name) in [
        ("?dryRun=true", of("CHG-1"), "CHG-1", 409, "5", "ChangeRunning", "change-running"),
        ("", of("CHG-3"), "CHG-3", 503, "5", "LedgerUnavailable", "ledger-unavailable"),
        ("", batch, "CHG-2", 503, "60", "Frozen", "frozen"),
    ] {
        match code {
            "LedgerUnavailable" => stage.ledger.fault(Rule::new(Fault::Internal)),
            "Frozen" => assert_eq!(stage.http("PUT", "/freeze", &Value::Null).await.0, 200),
            _ => {}
        }
        let before = stage.world.audit().len();
        let (answered, headers, refused) =
            stage.http("POST", &format!("/policy-changes{path}"), &change).await;
        stage.ledger.clear_faults();
        assert_eq!((answered, &refused["type"]), (status, &problem(name)), "{refused}");
        assert_eq!(headers["retry-after"], seconds, "{name}");
        let audit = stage.world.audit();
        let lines: Vec<_> = audit[before..].iter().map(|event| &event["metadata"]).collect();
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert_eq!((&lines[0]["event_code"], &lines[0]["correlation_uid"]), (&json!("refusal"), &json!(id)));
        let line = &audit[before];
        assert_eq!((&line["status_code"], &line["actor"]["user"]["uid"]), (&json!(code), &json!(ADA)));
        assert_eq!(line["unmapped"]["reasons"].as_array().map(Vec::len), Some(1), "{line}");
    }
    assert_eq!(stage.world.updates(), 0);
}

#[tokio::test]
async fn a_message_that_comes_twice_is_one_run() {
    let stage = Stage::new().await;
    let change = chat(ONE, &json!({}));
    for _ in 0..2 {
        stage.take_in(&change).await;
    }
    stage.work().await;
    // after its end, too: the answer is the recorded one, and nothing runs again
    stage.take_in(&change).await;
    stage.work().await;
    let record = stage.record("m-1").await;
    assert_eq!((&record["run"], &record["summary"]), (&json!(1), &json!({"applied": 1})));
}

/// Nobody carries it out later, so that its event and its message are done with.
#[tokio::test]
async fn what_comes_again_after_it_was_cancelled_is_not_a_success_and_does_not_come_a_third_time() {
    let stage = Stage::new().await;
    let event = json!({"id": "e-1", "detail-type": "t", "source": "com.example", "account": "111122223333",
        "detail": chat(ONE, &json!({}))});
    let accepted = stage.world.invoke(&event).await.unwrap();
    assert_eq!(accepted["status"], "accepted");
    stage.take_in(&chat(TWO, &json!({}))).await;
    for id in ["e-1", "m-1"] {
        assert_eq!(stage.http("POST", &format!("/policy-changes/{id}/cancel"), &Value::Null).await.0, 202);
    }
    stage.sweep().await;
    for id in ["e-1", "m-1"] {
        assert_eq!(stage.record(id).await["status"], "cancelled");
    }
    let again = stage.world.invoke(&event).await.unwrap();
    assert_eq!((&again["status"], &again["results"]), (&json!("failed"), &json!([])), "{again}");
    stage.take_in(&chat(TWO, &json!({}))).await;
    assert_eq!(stage.queues.messages(PARKED).len(), 0);
    assert_eq!((stage.record("m-1").await["run"].clone(), stage.world.updates()), (json!(1), 0));
}

#[tokio::test]
async fn an_id_that_cannot_be_a_path_is_a_violation() {
    let stage = Stage::new().await;
    for id in ["a//b", "..", "X/undo"] {
        let (status, _, refused) =
            stage.http("POST", "/policy-changes", &chat(ONE, &json!({"changeId": id}))).await;
        assert_eq!(status, 422, "{id}");
        assert_eq!(refused["violations"][0]["code"], "InvalidChangeId", "{id}");
        assert_eq!(refused["violations"][0]["pointer"], "/changeId", "{id}");
    }
}

#[tokio::test]
async fn an_older_change_does_not_overwrite_a_newer_one() {
    let stage = Stage::new().await;
    // accepted in 2024, but carried out after the other one
    stage.take_in(&chat(ONE, &json!({"changeId": "OLD", "maximumSize": "5 MB"}))).await;
    let newer = chat(ONE, &json!({"changeId": "NEW", "maximumSize": "9 MB"}));
    let (status, _, report) = stage.http("POST", "/policy-changes", &newer).await;
    assert_eq!((status, &report["status"]), (200, &json!("succeeded")));
    stage.work().await;
    let old = stage.record("OLD").await;
    assert_eq!((&old["status"], &old["summary"]), (&json!("failed"), &json!({"superseded": 1})));
    assert_eq!(old["results"][0]["error"]["code"], "NewerChange");
    assert_eq!(stage.world.updates(), 1);
}

/// A sender to the queue can choose the envelope's id.
#[tokio::test]
async fn an_event_whose_id_names_no_record_has_the_id_of_its_message() {
    for id in ["release/undo", "a//b", "..", "x/cancel", ""] {
        let stage = Stage::new().await;
        let event = json!({"id": id, "detail-type": "t", "source": "com.example", "account": "111122223333",
            "detail": chat(ONE, &json!({}))});
        let answer = stage.receive(event.to_string(), INTAKE).await;
        assert_eq!(answer["batchItemFailures"], json!([]), "{id}");
        stage.work().await;
        assert_eq!(stage.record("m-1").await["status"], "succeeded", "{id}");
    }
}

/// One change of the batch is a dry run, the other one is not.
#[tokio::test]
async fn a_dry_run_in_a_batch_is_in_no_history() {
    let stage = Stage::new().await;
    let looked = json!({"instanceId": TWO, "attachmentScope": "CHAT", "maximumSize": "5 MB", "dryRun": true});
    let batch = json!({"changeId": "CHG-1", "changes": [chat(ONE, &json!({})), looked]});
    let (status, _, report) = stage.http("POST", "/policy-changes", &batch).await;
    assert_eq!((status, &report["changes"][1]["summary"]), (200, &json!({"planned": 1})), "{report}");
    for (instance, results) in [(ONE, 1), (TWO, 0)] {
        let path = format!("/instances/{instance}/attachment-policies/CHAT/history");
        let (_, _, history) = stage.http("GET", &path, &Value::Null).await;
        assert_eq!(history["history"].as_array().unwrap().len(), results, "{history}");
    }
}
