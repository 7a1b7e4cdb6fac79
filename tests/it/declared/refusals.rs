//! What is refused before anything is done.

use super::Stack;
use crate::world::{ONE, TWO};
use sandbox::connect::Operation;
use serde_json::{Value, json};

#[tokio::test]
async fn what_cannot_be_carried_out_is_refused_in_words_and_nothing_is_done() {
    let stack = Stack::with(&[("CONNECT_REQUESTS_PER_SECOND", "0.01"), ("CONNECT_BURST", "1")]).await;
    for (properties, told) in [
        (
            json!({"InstanceIds": [ONE], "MaximumSize": "many"}),
            "The properties break the rules, and nothing was changed: `/MaximumSize`",
        ),
        (
            json!({"InstanceIds": [ONE], "ServiceTimeout": "179"}),
            "`ServiceTimeout` must be at least 180 seconds, not 179",
        ),
        (
            json!({"InstanceIds": [ONE, TWO], "ServiceTimeout": "200"}),
            "The change would take about 200 s, and `ServiceTimeout` leaves 110 s for it",
        ),
    ] {
        let asked = stack.ask("Create", &properties).of(super::STACK, "Refused");
        let answer = stack.answered(&asked).await;
        let reason = answer["Reason"].as_str().unwrap();
        assert!(answer["Status"] == "FAILED" && reason.starts_with(told), "{answer}");
        // delivered again: the same answer stands, and it is not sent twice
        stack.send(&asked).await.unwrap();
    }
    assert_eq!(stack.bucket.arrived().len(), 3);
    // its Delete takes any timeout
    let delete = stack.ask("Delete", &json!({"ServiceTimeout": "60"})).of(super::STACK, "Refused");
    assert_eq!(stack.answered(&delete).await["Status"], "SUCCESS");
    assert!(stack.stage.world.calls(Operation::UpdateAttachedFilesConfiguration).is_empty());
    assert!(stack.stage.world.audited().contains(&"declare".to_owned()));
}

#[tokio::test]
async fn frozen_only_a_delete_that_sets_nothing_is_carried_out() {
    let stack = Stack::new().await;
    stack.succeeds("Create", &json!({"InstanceIds": [ONE], "OnDelete": "Restore"})).await;
    let (status, _, body) = stack.stage.http("PUT", "/freeze", &json!({"reason": "audit"})).await;
    assert_eq!(status, 200, "{body}");
    for (kind, properties) in [
        ("Update", json!({"InstanceIds": [ONE], "MaximumSize": "12 MB"})),
        ("Delete", json!({"InstanceIds": [ONE], "OnDelete": "Restore"})),
    ] {
        let answer = stack.answered(&stack.ask(kind, &properties)).await;
        assert!(
            answer["Status"] == "FAILED" && answer["Reason"].as_str().unwrap().contains("frozen"),
            "{answer}"
        );
    }
    stack.succeeds("Delete", &json!({"InstanceIds": [ONE]})).await;
    assert_eq!((stack.holds(ONE).await.0, stack.owner(ONE)), (10, Value::Null));
}

#[tokio::test]
async fn a_start_check_is_answered_and_does_nothing() {
    let stack = Stack::new().await;
    let asked = super::Asked { payload: json!({"RequestType": "StartCheck", "ResponseURL": ""}) };
    assert_eq!(stack.send(&asked).await.unwrap(), json!({"started": true}));
    assert!(stack.stage.ledger.items().unwrap().is_empty() && stack.bucket.arrived().is_empty());
}

#[tokio::test]
async fn a_url_of_somebody_else_is_not_answered_and_nothing_is_done() {
    let stack = Stack::new().await;
    let url = "https://evil.example/x?Signature=topsecret";
    let asked = stack.ask("Create", &json!({"InstanceIds": [ONE]})).with("ResponseURL", url);
    let error = stack.send(&asked).await.unwrap_err();
    assert_eq!(error.error_type, "MalformedPayload");
    assert!(
        !error.error_message.contains("topsecret") && !stack.stage.world.pipe.text().contains("topsecret")
    );
    assert_eq!((stack.stage.world.audited(), stack.stage.world.updates()), (vec!["refusal".to_owned()], 0));
    assert!(stack.stage.ledger.items().unwrap().is_empty());
}
