//! Which trigger a payload belongs to, and the messages for payloads of no trigger.

use crate::world::{ONE, World, chat, failed};
use sandbox::connect::Options;
use serde_json::{Value, json};
use std::time::Duration;

async fn refused(world: &World, payload: Value) -> (String, String) {
    let (kind, message) = failed(world.invoke(&payload).await);
    (kind, message.as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn a_payload_of_no_trigger_is_unrecognised_and_the_message_says_what_it_has() {
    let world = World::new().await;
    for (payload, seen) in [
        (json!([]), "unrecognised payload: an array, not an object"),
        (json!("x"), "unrecognised payload: a string, not an object"),
        (json!(null), "unrecognised payload: null, not an object"),
        (json!(5), "unrecognised payload: a number, not an object"),
        (
            json!({}),
            "unrecognised payload: no keys; it is not an API Gateway, EventBridge or SQS payload, and not a policy change",
        ),
        (
            json!({"Type": "Notification", "Message": "{}"}),
            "unrecognised payload: the keys `Message`, `Type`; it is not an API Gateway, EventBridge or SQS payload, and not a policy change",
        ),
        (
            json!({"Records": [{"eventSource": "aws:s3"}]}),
            "unrecognised payload: the records' event source is \"aws:s3\"; only \"aws:sqs\" is accepted",
        ),
        (
            json!({"instanceId": ONE, "detail-type": "x", "source": "y"}),
            "unrecognised payload: it matches more than one payload type: an EventBridge event and a policy change",
        ),
    ] {
        assert_eq!(refused(&world, payload).await, ("UnrecognisedPayload".to_owned(), seen.to_owned()));
    }
    assert_eq!(world.audited(), ["refusal"; 8]);
    assert_eq!(world.connect.journal().len(), 0);
}

#[tokio::test]
async fn a_broken_envelope_is_malformed_and_the_message_names_its_trigger() {
    let world = World::new().await;
    let event = |detail: Value| json!({"id": "e", "detail-type": "t", "source": "s", "detail": detail});
    for (payload, why) in [
        (
            event(json!(5)),
            "malformed eventbridge payload: `detail` must be an object, or a string that contains one",
        ),
        (
            json!({"detail-type": "t", "source": "s", "detail": {}}),
            "malformed eventbridge payload: `id` is missing",
        ),
        (
            json!({"id": 1, "detail-type": "t", "source": "s", "detail": {}}),
            "malformed eventbridge payload: `id` is not a string",
        ),
        (json!({"Records": {}}), "malformed sqs payload: `Records` is not an array"),
        (
            json!({"Records": [{"eventSource": "aws:sqs", "body": "{}"}]}),
            "malformed sqs payload: `Records[0]` has no `messageId`",
        ),
    ] {
        assert_eq!(refused(&world, payload).await, ("MalformedPayload".to_owned(), why.to_owned()));
    }
    let broken_http = json!({"version": "2.0", "requestContext": {"http": 5}});
    let answer = world.invoke(&broken_http).await.unwrap();
    assert_eq!(answer["statusCode"], 400);
    let problem: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
    assert_eq!(problem["type"], "urn:problem-type:connect-attachment-policy:malformed-envelope");
    let triggers: Vec<_> = world.audit().iter().map(|event| event["unmapped"]["trigger"].clone()).collect();
    assert_eq!(triggers, ["eventbridge", "eventbridge", "eventbridge", "sqs", "sqs", "http"]);
}

#[tokio::test]
async fn a_batch_without_messages_has_no_failures() {
    let world = World::new().await;
    let answer = world.invoke(&json!({"Records": []})).await.unwrap();
    assert_eq!(answer, json!({"batchItemFailures": []}));
    assert_eq!(world.audit(), Vec::<Value>::new());
}

#[tokio::test]
async fn a_decisive_key_that_appears_twice_is_malformed() {
    let world = World::new().await;
    let text = r#"{"id":"e","detail-type":"t","source":"s","detail":{},"detail":{}}"#;
    let (kind, why) = failed(world.invoke_text(text, 0).await);
    assert_eq!(
        (kind.as_str(), &why),
        ("MalformedPayload", &json!("malformed eventbridge payload: `detail` appears more than once"))
    );
}

#[tokio::test]
async fn events_of_connect_itself_are_refused() {
    let world = World::new().await;
    let event = json!({"id": "e-1", "detail-type": "AWS API Call via CloudTrail", "source": "aws.connect", "detail": chat(ONE, &json!({}))});
    let (kind, report) = failed(world.invoke(&event).await);
    assert_eq!(
        (kind.as_str(), &report["violations"][0]["code"]),
        ("PolicyChangeRejected", &json!("SourceRefused"))
    );
    assert_eq!((world.connect.journal().len(), world.audited()), (0, vec!["refusal".to_owned()]));
}

#[tokio::test]
async fn only_accepted_triggers_are_served() {
    let options = sandbox::connect::Options::default();
    let world = World::with(options, &[("ACCEPTED_TRIGGERS", "http,sqs")]).await;
    let (kind, why) = refused(&world, chat(ONE, &json!({}))).await;
    assert_eq!(kind, "TriggerNotAccepted");
    assert_eq!(why, "this function's ACCEPTED_TRIGGERS does not include bare");
    let event = json!({"id": "e", "detail-type": "t", "source": "s", "detail": {}});
    assert_eq!(refused(&world, event).await.0, "TriggerNotAccepted");
    assert_eq!(world.audit()[1]["unmapped"]["trigger"], "eventbridge");
    assert_eq!((world.connect.journal().len(), world.audited()), (0, vec!["refusal".to_owned(); 2]));
}

#[tokio::test]
async fn an_events_account_and_source_are_its_identity_and_its_id_the_changes() {
    let world = World::new().await;
    let event = json!({"id": "17793124-05d4-b198-2fde-7ededc63b103", "detail-type": "t", "source": "com.example.policy",
        "account": "444455556666", "detail": chat(ONE, &json!({"requestedBy": "mallory"})).to_string()});
    let report = world.invoke_within(&event, Duration::from_secs(30)).await.unwrap();
    assert_eq!(report["changeId"], "17793124-05d4-b198-2fde-7ededc63b103");
    for audit in world.audit() {
        assert_eq!(
            audit["actor"],
            json!({"user": {"account": {"uid": "444455556666"}}, "invoked_by": "com.example.policy", "idp": {"name": "eventbridge"}})
        );
        assert_eq!(audit["src_endpoint"], json!({"svc_name": "com.example.policy"}));
        assert_eq!(audit["unmapped"]["requestedBy"], "mallory");
        assert_eq!(audit["unmapped"]["triggerRequestId"], "17793124-05d4-b198-2fde-7ededc63b103");
    }
}

#[tokio::test]
async fn a_replayed_event_is_superseded_by_newer_values() {
    let world = World::new().await;
    world.report(&chat(ONE, &json!({"maximumSize": "7 MB"}))).await;
    let replayed = json!({"id": "e", "detail-type": "t", "source": "s", "time": "2026-01-01T00:00:00Z",
        "replay-name": "r", "detail": chat(ONE, &json!({}))});
    let report = world.invoke(&replayed).await.unwrap();
    assert_eq!(report["results"][0]["outcome"], "superseded");
}

/// A broken envelope of a trigger that is not accepted is refused like a whole one.
#[tokio::test]
async fn a_malformed_payload_is_refused_where_its_trigger_is_not_accepted() {
    let only_http = [
        ("ACCEPTED_TRIGGERS", "http"),
        ("PARKED_QUEUE_URL", "https://sqs.us-east-1.amazonaws.com/111122223333/parked"),
    ];
    let world = World::with(Options::default(), &only_http).await;
    let (kind, message) = refused(&world, json!({"detail-type": "x", "source": "y"})).await;
    let expected = "this function's ACCEPTED_TRIGGERS does not include eventbridge";
    assert_eq!((kind.as_str(), message.as_str()), ("TriggerNotAccepted", expected));
}
