//! Create, Update and Delete where everything goes well.

use super::{STACK, Stack};
use crate::world::{ONE, TWO};
use serde_json::{Value, json};

#[tokio::test]
async fn a_resource_is_created_updated_and_deleted_and_its_values_stay() {
    let stack = Stack::new().await;
    let create = stack.ask("Create", &json!({"InstanceIds": [ONE, TWO]}));
    let reply = stack.send(&create).await.unwrap();
    assert_eq!(reply["request"], "request-0");
    // accepted is not SUCCESS
    assert!(stack.bucket.arrived().is_empty() && stack.stage.world.updates() == 0);
    stack.stage.work().await;
    let arrived = stack.bucket.arrived();
    let answer: Value = serde_json::from_str(&arrived[0].body).unwrap();
    let physical_id = answer["PhysicalResourceId"].as_str().unwrap().to_owned();
    let change_id = reply["changeId"].as_str().unwrap();
    assert_eq!(change_id, physical_id.replace("attachment-policy-", "declared-") + "-1");
    let data = json!({"ChangeId": change_id, "Targets": 2, "Applied": 2, "Unchanged": 0});
    assert_eq!(
        answer,
        json!({
            "Status": "SUCCESS", "Reason": "2 targets: 2 applied", "PhysicalResourceId": physical_id,
            "StackId": STACK, "RequestId": "request-0", "LogicalResourceId": "Policy", "Data": data,
        })
    );
    assert_eq!(stack.holds(ONE).await, (10, vec!["pdf".to_owned(), "png".to_owned()]));
    assert_eq!(stack.owner(ONE)["stack"]["S"], STACK);

    // TWO is not named any more: its values stay, and it is nobody's
    let update = stack.succeeds("Update", &json!({"InstanceIds": [ONE], "MaximumSize": "11 MB"})).await;
    assert_eq!(update["PhysicalResourceId"], physical_id.as_str());
    assert_eq!(update["Reason"], "1 target: 1 applied");
    assert_eq!((stack.holds(ONE).await.0, stack.holds(TWO).await.0), (11, 10));
    assert_eq!(
        (stack.owner(ONE)["claims"]["L"][0]["M"]["gen"]["N"].clone(), stack.owner(TWO)),
        (json!("2"), Value::Null)
    );

    let delete = stack.succeeds("Delete", &json!({"InstanceIds": [ONE]})).await;
    assert_eq!(delete["PhysicalResourceId"], physical_id.as_str());
    assert_eq!((stack.holds(ONE).await.0, stack.owner(ONE)), (11, Value::Null));
    assert_eq!(stack.stage.world.updates(), 3);
    // a second Delete finds nothing, and a Delete of what was never there neither
    stack.succeeds("Delete", &json!({})).await;
    let other = stack.ask("Delete", &json!({})).of(STACK, "NeverMade");
    assert_eq!(stack.answered(&other).await["Status"], "SUCCESS");
    // nothing is owed
    let owed = |item: &Value| item.get("owed").is_some() || item.get("url").is_some();
    assert_eq!(stack.stage.ledger.items().unwrap().iter().filter(|item| owed(item)).count(), 0);
}

#[tokio::test]
async fn properties_of_an_older_format_are_not_read() {
    let stack = Stack::new().await;
    stack.succeeds("Create", &json!({"InstanceIds": [ONE]})).await;
    // what the resource had, whatever took that
    let mut update = stack.ask("Update", &json!({"InstanceIds": [ONE], "MaximumSize": "11 MB"}));
    update.payload["OldResourceProperties"] = json!({"Policy": "10 MB", "Instances": {"One": ONE}});
    assert_eq!(stack.answered(&update).await["Status"], "SUCCESS");
    let mut delete = stack.ask("Delete", &json!({}));
    let older = json!({"ServiceToken": "arn", "Policy": ["10 MB"], "OnDelete": {"Mode": "Restore"}, "Instances": ONE});
    delete.payload["ResourceProperties"] = older;
    assert_eq!(stack.answered(&delete).await["Status"], "SUCCESS");
    // what cannot be read retains
    assert_eq!((stack.holds(ONE).await.0, stack.owner(ONE)), (11, Value::Null));
}

#[tokio::test]
async fn the_audit_says_that_the_stack_is_a_claim() {
    let stack = Stack::new().await;
    let answer = stack.succeeds("Create", &json!({"InstanceIds": [ONE]})).await;
    let audit = stack.stage.world.audit();
    let line = audit.iter().find(|event| event["metadata"]["event_code"] == "declare").unwrap();
    let claim = format!("Create of `Policy` in the stack {STACK}, as the request claims");
    assert_eq!(line["unmapped"]["reason"], claim);
    assert_eq!(line["metadata"]["correlation_uid"], answer["Data"]["ChangeId"]);
}

#[tokio::test]
async fn a_request_that_is_delivered_twice_is_done_once_and_answered_alike() {
    let stack = Stack::new().await;
    let create = stack.ask("Create", &json!({"InstanceIds": [ONE]}));
    let first = stack.send(&create).await.unwrap();
    assert_eq!(stack.send(&create).await.unwrap(), first);
    stack.stage.work().await;
    assert_eq!(stack.send(&create).await.unwrap(), first);
    assert_eq!((stack.bucket.arrived().len(), stack.stage.world.updates()), (1, 1));
    // after a newer one, too: its own answer, and no work
    stack.succeeds("Update", &json!({"InstanceIds": [ONE], "MaximumSize": "12 MB"})).await;
    stack.send(&create).await.unwrap();
    stack.stage.work().await;
    assert_eq!((stack.bucket.arrived().len(), stack.holds(ONE).await.0), (2, 12));
}

#[tokio::test]
async fn what_holds_the_values_already_is_declared_without_an_update() {
    let stack = Stack::new().await;
    stack.succeeds("Create", &json!({"InstanceIds": [ONE]})).await;
    let again = stack.succeeds("Update", &json!({"InstanceIds": [ONE], "OnDelete": "Restore"})).await;
    assert_eq!(again["Data"]["Unchanged"], 1);
    assert_eq!(stack.owner(ONE)["claims"]["L"][0]["M"]["gen"]["N"], "2");
    assert_eq!(stack.stage.world.updates(), 1);
}

#[tokio::test]
async fn a_newer_request_ends_what_the_older_one_still_has_to_do() {
    let stack = Stack::new().await;
    let create = stack.ask("Create", &json!({"InstanceIds": [ONE, TWO]}));
    let created = stack.send(&create).await.unwrap();
    let delete = stack.ask("Delete", &json!({"InstanceIds": [ONE, TWO]}));
    stack.send(&delete).await.unwrap();
    stack.stage.work().await;
    let answers: Vec<Value> =
        stack.bucket.arrived().iter().map(|arrived| serde_json::from_str(&arrived.body).unwrap()).collect();
    let told: Vec<_> =
        answers.iter().map(|answer| (answer["RequestId"].as_str().unwrap(), &answer["Status"])).collect();
    assert_eq!(told, [("request-0", &json!("FAILED")), ("request-1", &json!("SUCCESS"))]);
    assert_eq!(answers[0]["Reason"], "A newer request of this resource came first");
    assert_eq!(stack.stage.world.updates(), 0);
    let record = stack.stage.record(created["changeId"].as_str().unwrap()).await;
    assert_eq!(record["summary"], json!({"superseded": 2}));
    let path = format!("/policy-changes/{}?outcome=superseded", record["changeId"].as_str().unwrap());
    let (_, _, listed) = stack.stage.http("GET", &path, &Value::Null).await;
    let listed: Vec<_> =
        listed["results"].as_array().unwrap().iter().map(|result| &result["instanceId"]).collect();
    assert_eq!(listed, [ONE, TWO]);
}
