//! Targets with an update that was given up: its run ended while nobody could read what became of it, so that nobody comes
//! back to it.

use super::{Stack, requests};
use crate::world::{ONE, chat};
use sandbox::connect;
use sandbox::ledger::{Fault, Operation, Rule};
use serde_json::{Value, json};
use std::time::Duration;

/// A change by other means begins to update the declared target, sends nothing, and is given up.
async fn give_up(stack: &Stack) {
    let begins = Rule::new(Fault::NeverAnswered).on(Operation::UpdateItem).of(requests::begins);
    let change = chat(ONE, &json!({"changeId": "CHG-1", "maximumSize": "3 MB"}));
    assert!(stack.stage.unless_it_dies(begins, Box::pin(stack.stage.world.invoke(&change))).await.is_none());
    let describe = connect::Operation::DescribeAttachedFilesConfiguration;
    stack.stage.world.connect.always(describe, Some(connect::Fault::ExpiredToken));
    for _ in 0..2 {
        stack.stage.world.clock.advance(Duration::from_mins(16));
        stack.stage.sweep().await;
    }
    stack.stage.world.connect.always(describe, None);
    assert_eq!((&stack.stage.record("CHG-1").await["status"], intents(stack)), (&json!("incomplete"), 1));
}

fn intents(stack: &Stack) -> usize {
    stack.stage.ledger.items().unwrap().iter().filter(|item| item.get("intent").is_some()).count()
}

#[tokio::test]
async fn a_target_is_released() {
    let stack = Stack::new().await;
    stack.succeeds("Create", &json!({"InstanceIds": [ONE]})).await;
    give_up(&stack).await;
    let path = format!("/instances/{ONE}/attachment-policies/CHAT/declaration");
    let (status, _, body) = stack.stage.http("DELETE", &path, &Value::Null).await;
    assert_eq!((status, &body["releasedFrom"]["logicalResourceId"]), (200, &json!("Policy")), "{body}");
    assert_eq!((stack.owner(ONE), stack.holds(ONE).await.0, intents(&stack)), (Value::Null, 10, 0));
}

#[tokio::test]
async fn a_delete_leaves_it_as_it_is() {
    let stack = Stack::new().await;
    stack.succeeds("Create", &json!({"InstanceIds": [ONE]})).await;
    give_up(&stack).await;
    stack.succeeds("Delete", &json!({"InstanceIds": [ONE]})).await;
    assert_eq!((stack.owner(ONE), stack.holds(ONE).await.0, intents(&stack)), (Value::Null, 10, 0));
}

#[tokio::test]
async fn a_delete_puts_back_what_was_there() {
    let stack = Stack::new().await;
    let before = stack.holds(ONE).await;
    stack.succeeds("Create", &json!({"InstanceIds": [ONE], "OnDelete": "Restore"})).await;
    give_up(&stack).await;
    stack.succeeds("Delete", &json!({"InstanceIds": [ONE], "OnDelete": "Restore"})).await;
    assert_eq!((stack.owner(ONE), stack.holds(ONE).await, intents(&stack)), (Value::Null, before, 0));
}

/// The update was begun after the Delete found none: the sweep settles it.
#[tokio::test]
async fn a_delete_that_has_no_lanes_hands_it_over() {
    let stack = Stack::new().await;
    stack.succeeds("Create", &json!({"InstanceIds": [ONE]})).await;
    let delete = stack.ask("Delete", &json!({"InstanceIds": [ONE]}));
    let takes = Rule::new(Fault::NeverAnswered).of(requests::takes).nth(1);
    assert!(stack.stage.unless_it_dies(takes, Box::pin(stack.send(&delete))).await.is_none());
    give_up(&stack).await;
    assert_eq!(stack.bucket.arrived().len(), 1);
    stack.stage.world.clock.advance(Duration::from_mins(1));
    stack.stage.sweep().await;
    let deleted: Value = serde_json::from_str(&stack.bucket.arrived()[1].body).unwrap();
    assert_eq!(
        (&deleted["Status"], &deleted["Reason"]),
        (&json!("SUCCESS"), &json!("Nothing had to be changed"))
    );
    assert_eq!((stack.owner(ONE), stack.holds(ONE).await.0, intents(&stack)), (Value::Null, 10, 0));
}
