//! A target that a stack declares and that is changed by other means: allowed, with a warning that names the stack.

use super::{STACK, Stack};
use crate::world::{ONE, TWO, chat};
use serde_json::{Value, json};

fn warning() -> Value {
    let message =
        format!("is declared by the stack `{STACK}`, whose next update of the resource sets it again");
    json!([{"pointer": "", "code": "Declared", "message": format!("1 target {message}")}])
}

fn owner() -> Value {
    json!({"stackId": STACK, "logicalResourceId": "Policy"})
}

/// ONE is declared, TWO is not.
async fn declared() -> Stack {
    let stack = Stack::new().await;
    Box::pin(stack.succeeds("Create", &json!({"InstanceIds": [ONE]}))).await;
    stack
}

fn change(id: &str, size: &str) -> Value {
    json!({"instanceIds": [ONE, TWO], "attachmentScope": "CHAT", "maximumSize": size, "changeId": id})
}

#[tokio::test]
async fn a_change_at_once_is_made_with_a_warning() {
    let stack = declared().await;
    let report = stack.stage.world.report(&change("CHG-1", "3 MB")).await;
    assert_eq!((&report["status"], &report["summary"]), (&json!("succeeded"), &json!({"applied": 2})));
    assert_eq!(report["warnings"], warning());
    let owners =
        |told: &Value| [told["results"][0]["declaredBy"].clone(), told["results"][1]["declaredBy"].clone()];
    assert_eq!(owners(&report), [owner(), Value::Null]);
    let record = stack.stage.record("CHG-1").await;
    assert_eq!((&record["warnings"], owners(&record)), (&warning(), [owner(), Value::Null]));
    // the owner stays; a repetition that changes nothing warns of nothing
    assert_eq!((stack.owner(ONE)["stack"]["S"].clone(), stack.holds(ONE).await.0), (json!(STACK), 3));
    let again =
        stack.stage.world.report(&chat(ONE, &json!({"changeId": "CHG-2", "maximumSize": "3 MB"}))).await;
    assert_eq!((&again["results"][0]["outcome"], &again["warnings"]), (&json!("unchanged"), &json!([])));
}

#[tokio::test]
async fn a_dry_run_warns_of_what_it_would_do_and_leaves_the_target_alone() {
    let stack = declared().await;
    let before = stack.stage.ledger.items().unwrap();
    let target = |items: &[Value]| {
        let of = |item: &&Value| item["pk"]["S"].as_str().unwrap().starts_with("target#");
        items.iter().filter(of).cloned().collect::<Vec<_>>()
    };
    let (status, _, report) =
        stack.stage.http("POST", "/policy-changes?dryRun=true", &change("CHG-1", "3 MB")).await;
    assert_eq!((status, &report["status"], &report["warnings"]), (200, &json!("planned"), &warning()));
    assert_eq!(report["results"][0]["declaredBy"], owner());
    assert_eq!(target(&stack.stage.ledger.items().unwrap()), target(&before));
}

#[tokio::test]
async fn the_record_of_a_change_by_workers_has_the_warning() {
    let stack = declared().await;
    stack.stage.world.report(&change("CHG-1", "3 MB")).await;
    let body = json!({"changeId": "CHG-1-undo"});
    let (status, ..) = stack.stage.http("POST", "/policy-changes/CHG-1/undo", &body).await;
    stack.stage.work().await;
    let undo = stack.stage.record("CHG-1-undo").await;
    assert_eq!((status, &undo["status"], &undo["warnings"]), (202, &json!("succeeded"), &warning()));
    assert_eq!((stack.holds(ONE).await.0, stack.owner(ONE)["stack"]["S"].clone()), (10, json!(STACK)));
}

#[tokio::test]
async fn a_declared_change_names_its_resource_and_warns_of_nothing() {
    let stack = declared().await;
    let update = stack.succeeds("Update", &json!({"InstanceIds": [ONE], "MaximumSize": "11 MB"})).await;
    let record = stack.stage.record(update["Data"]["ChangeId"].as_str().unwrap()).await;
    assert_eq!(
        record["declared"],
        json!({"stackId": STACK, "logicalResourceId": "Policy", "requestType": "Update", "generation": 2})
    );
    let results = &record["results"][0];
    assert_eq!((&record["warnings"], &results["declaredBy"]), (&Value::Null, &Value::Null));
    assert_eq!(record["origin"]["trigger"], "cloudformation");
    assert!(
        !record.to_string().contains("secret") && !record.to_string().contains(&stack.bucket.url("")[..20])
    );
}
