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
