//! A target that is released from a stack that is gone.

use super::{OTHER_STACK, STACK, Stack};
use crate::world::{ONE, chat};
use sandbox::ledger::{self, Fault, Rule};
use serde_json::{Value, json};
use std::time::Duration;

const ARN: &str = "arn:aws:connect:us-east-1:111122223333:instance";

fn path() -> String {
    format!("/instances/{ONE}/attachment-policies/CHAT/declaration")
}

async fn release(stack: &Stack) -> (u64, Value, Value) {
    stack.stage.http("DELETE", &path(), &Value::Null).await
}

fn problem(body: &Value) -> &str {
    body["type"].as_str().unwrap().rsplit(':').next().unwrap()
}

#[tokio::test]
async fn a_target_is_released_once_and_its_values_stay() {
    let stack = Stack::new().await;
    stack.succeeds("Create", &json!({"InstanceIds": [ONE], "OnDelete": "Restore"})).await;
    let (status, _, body) = release(&stack).await;
    assert_eq!(
        (status, body),
        (
            200,
            json!({
                "instanceId": ONE, "instanceArn": format!("{ARN}/{ONE}"), "attachmentScope": "CHAT",
                "releasedFrom": {"stackId": STACK, "logicalResourceId": "Policy"},
            })
        )
    );
    assert_eq!((stack.owner(ONE), stack.holds(ONE).await.0), (Value::Null, 10));
    let audit = stack.stage.world.audit();
    let line = audit.iter().find(|event| event["metadata"]["event_code"] == "release").unwrap();
    assert_eq!(line["actor"]["user"]["uid"], "arn:aws:iam::111122223333:user/ada");
    let told = format!("CHAT of {ONE} was declared by `Policy` of the stack {STACK}");
    assert_eq!(
        (&line["unmapped"]["reason"], &line["api"]["operation"]),
        (&json!(told), &json!("ReleaseDeclaration"))
    );

    // once more: there is nothing left to release
    let (status, _, body) = release(&stack).await;
    assert_eq!((status, problem(&body)), (404, "not-declared"));
    // another stack declares it; the Delete of the one that was thought gone changes nothing
    let theirs = stack.ask("Create", &json!({"InstanceIds": [ONE], "MaximumSize": "12 MB"}));
    assert_eq!(stack.answered(&theirs.of(OTHER_STACK, "Theirs")).await["Status"], "SUCCESS");
    stack.succeeds("Delete", &json!({"OnDelete": "Restore"})).await;
    assert_eq!((stack.holds(ONE).await.0, stack.owner(ONE)["stack"]["S"].clone()), (12, json!(OTHER_STACK)));
}

#[tokio::test]
async fn what_no_stack_declares_is_not_found() {
    let stack = Stack::new().await;
    let (status, _, body) = release(&stack).await;
    assert_eq!((status, problem(&body)), (404, "not-declared"));
    assert_eq!(stack.stage.world.audited(), ["refusal"]);
    assert!(stack.stage.ledger.items().unwrap().is_empty());
}

#[tokio::test]
async fn frozen_or_drained_nothing_is_released() {
    let stack = Stack::new().await;
    stack.succeeds("Create", &json!({"InstanceIds": [ONE]})).await;
    for freeze in [json!({"reason": "audit"}), json!({"drain": true})] {
        assert_eq!(stack.stage.http("PUT", "/freeze", &freeze).await.0, 200);
        let (status, headers, body) = release(&stack).await;
        assert_eq!((status, problem(&body), &headers["retry-after"]), (503, "frozen", &json!("60")));
        assert_eq!(stack.owner(ONE)["stack"]["S"], STACK);
    }
}

#[tokio::test]
async fn a_target_whose_update_is_under_way_is_busy_until_its_end() {
    let stack = Stack::new().await;
    stack.succeeds("Create", &json!({"InstanceIds": [ONE]})).await;
    let begins = Rule::new(Fault::NeverAnswered).on(ledger::Operation::UpdateItem);
    let begins = begins.of(|body: &Value| body.to_string().contains(r#""begun""#));
    let change = chat(ONE, &json!({"changeId": "CHG-1", "maximumSize": "3 MB"}));
    assert!(stack.stage.unless_it_dies(begins, Box::pin(stack.stage.world.invoke(&change))).await.is_none());
    let (status, headers, body) = release(&stack).await;
    assert_eq!((status, problem(&body), &headers["retry-after"]), (503, "target-busy", &json!("5")));
    // after the lease the sweep finds that nothing was sent
    stack.stage.world.clock.advance(Duration::from_mins(10));
    stack.stage.sweep().await;
    assert_eq!((release(&stack).await.0, stack.owner(ONE)), (200, Value::Null));
}

#[tokio::test]
async fn a_release_whose_answer_was_lost_is_a_release() {
    let stack = Stack::new().await;
    stack.succeeds("Create", &json!({"InstanceIds": [ONE]})).await;
    stack.stage.ledger.fault(Rule::new(Fault::AnswerLost).on(ledger::Operation::UpdateItem).nth(1));
    let (status, _, body) = release(&stack).await;
    assert_eq!((status, &body["releasedFrom"]["stackId"]), (200, &json!(STACK)), "{body}");
    assert_eq!(stack.owner(ONE), Value::Null);
}
