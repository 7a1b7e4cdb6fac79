//! Whose a target is.

use super::{OTHER_STACK, STACK, Stack};
use crate::world::ONE;
use serde_json::{Value, json};

#[tokio::test]
async fn a_target_of_another_stack_is_not_touched() {
    let stack = Stack::new().await;
    stack.succeeds("Create", &json!({"InstanceIds": [ONE]})).await;
    let rival = stack.ask("Create", &json!({"InstanceIds": [ONE], "MaximumSize": "15 MB"}));
    let answer = stack.answered(&rival.of(OTHER_STACK, "Theirs")).await;
    let reason = answer["Reason"].as_str().unwrap();
    assert_eq!(answer["Status"], "FAILED");
    let told = format!("DeclaredElsewhere: the target is declared by `Policy` of the stack `{STACK}`");
    assert!(reason.contains(&told), "{reason}");
    assert_eq!((stack.holds(ONE).await.0, stack.stage.world.updates()), (10, 1));
    // its Delete changes nothing
    let delete = stack.ask("Delete", &json!({"OnDelete": "Restore"})).of(OTHER_STACK, "Theirs");
    assert_eq!(stack.answered(&delete).await["Status"], "SUCCESS");
    assert_eq!((stack.holds(ONE).await.0, stack.owner(ONE)["stack"]["S"].clone()), (10, json!(STACK)));
}

#[tokio::test]
async fn a_renamed_resource_takes_over_and_its_rollback_gives_back() {
    let stack = Stack::new().await;
    let before = stack.holds(ONE).await;
    let properties = |size: &str| json!({"InstanceIds": [ONE], "MaximumSize": size, "OnDelete": "Restore"});
    stack.succeeds("Create", &properties("10 MB")).await;
    let renamed = || stack.ask("Create", &properties("15 MB")).of(STACK, "Renamed");
    assert_eq!(stack.answered(&renamed()).await["Status"], "SUCCESS");
    assert_eq!(stack.holds(ONE).await.0, 15);
    // the stack fails, and deletes the new one first
    let delete = stack.ask("Delete", &properties("15 MB")).of(STACK, "Renamed");
    assert_eq!(stack.answered(&delete).await["Status"], "SUCCESS");
    assert_eq!(
        (stack.holds(ONE).await.0, stack.owner(ONE)["claims"]["L"].as_array().unwrap().len()),
        (10, 1)
    );
    // this time it goes on, and deletes the old one: it changes nothing
    assert_eq!(stack.answered(&renamed()).await["Status"], "SUCCESS");
    stack.succeeds("Delete", &properties("10 MB")).await;
    assert_eq!(stack.holds(ONE).await.0, 15);
    let delete = stack.ask("Delete", &properties("15 MB")).of(STACK, "Renamed");
    assert_eq!(stack.answered(&delete).await["Status"], "SUCCESS");
    assert_eq!((stack.holds(ONE).await, stack.owner(ONE)), (before, Value::Null));
}

#[tokio::test]
async fn two_resources_of_one_stack_with_one_target_end_well_in_either_order() {
    let properties = |size: &str| json!({"InstanceIds": [ONE], "MaximumSize": size, "OnDelete": "Restore"});
    for (order, between) in [(["First", "Second"], 12), (["Second", "First"], 10)] {
        let stack = Stack::new().await;
        let before = stack.holds(ONE).await;
        for (name, size) in [("First", "10 MB"), ("Second", "12 MB")] {
            let create = stack.ask("Create", &properties(size)).of(STACK, name);
            assert_eq!(stack.answered(&create).await["Status"], "SUCCESS");
        }
        for (name, holds) in order.into_iter().zip([between, before.0]) {
            let delete = stack.ask("Delete", &properties("any")).of(STACK, name);
            assert_eq!(stack.answered(&delete).await["Status"], "SUCCESS");
            assert_eq!(stack.holds(ONE).await.0, holds, "after {name} of {order:?}");
        }
        assert_eq!((stack.holds(ONE).await, stack.owner(ONE)), (before, Value::Null));
    }
}

#[tokio::test]
async fn a_declaration_moves_to_another_stack_by_a_delete_that_retains() {
    let stack = Stack::new().await;
    let properties = json!({"InstanceIds": [ONE], "OnDelete": "Retain"});
    stack.succeeds("Create", &properties).await;
    let moved = || stack.ask("Create", &properties).of(OTHER_STACK, "Policy");
    assert_eq!(stack.answered(&moved()).await["Status"], "FAILED");
    let rollback = stack.ask("Delete", &properties).of(OTHER_STACK, "Policy");
    assert_eq!(stack.answered(&rollback).await["Status"], "SUCCESS");
    stack.succeeds("Delete", &properties).await;
    let declared = stack.answered(&moved()).await;
    assert_eq!((&declared["Status"], &declared["Data"]["Unchanged"]), (&json!("SUCCESS"), &json!(1)));
    assert_eq!(
        (stack.owner(ONE)["stack"]["S"].clone(), stack.stage.world.updates()),
        (json!(OTHER_STACK), 1)
    );
}
