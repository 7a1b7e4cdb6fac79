//! Answers that do not arrive, requests that are killed, and work that takes too long.

use super::{Stack, requests};
use crate::governed::stage::{CHANGES, PARKED};
use crate::world::{ONE, TWO};
use sandbox::ledger::{Fault, Operation, Rule};
use serde_json::{Value, json};
use std::time::Duration;

#[tokio::test]
async fn an_answer_that_did_not_arrive_is_sent_again_by_the_sweep_with_the_same_bytes() {
    let stack = Stack::new().await;
    stack.bucket.refuse(Some(503));
    let create = stack.ask("Create", &json!({"InstanceIds": [ONE]}));
    let created = stack.send(&create).await.unwrap();
    stack.stage.work().await;
    assert_eq!((stack.bucket.arrived().len(), stack.bucket.refused()), (0, 1));
    let record = stack.stage.record(created["changeId"].as_str().unwrap()).await;
    assert_eq!(record["status"], "succeeded");
    stack.stage.sweep().await;
    assert_eq!(stack.bucket.refused(), 2);
    stack.bucket.refuse(None);
    stack.stage.world.clock.advance(Duration::from_mins(1));
    stack.stage.sweep().await;
    let arrived = stack.bucket.arrived();
    let answer: Value = serde_json::from_str(&arrived[0].body).unwrap();
    assert_eq!(
        (arrived.len(), &answer["Status"], &answer["Data"]["Applied"]),
        (1, &json!("SUCCESS"), &json!(1))
    );
    // it is sent once, and its URL is in no item, line or message
    stack.stage.world.clock.advance(Duration::from_mins(1));
    stack.stage.sweep().await;
    assert_eq!(stack.bucket.arrived().len(), 1);
    let everything = format!("{:?}{}", stack.stage.ledger.items().unwrap(), stack.stage.world.pipe.text());
    assert!(!everything.contains("secret") && stack.stage.queues.messages(PARKED).is_empty());
}

#[tokio::test]
async fn an_answer_whose_arrival_was_not_stored_is_sent_again_with_the_same_bytes() {
    let stack = Stack::new().await;
    stack.send(&stack.ask("Create", &json!({"InstanceIds": [ONE]}))).await.unwrap();
    // the worker dies once the answer has arrived
    let stores = |body: &Value| body.to_string().contains("REMOVE") && body.to_string().contains("url");
    let dies = Rule::new(Fault::Late(Duration::from_hours(1))).on(Operation::UpdateItem).of(stores);
    let delivery = Box::pin(stack.stage.deliver(CHANGES, Duration::from_secs(30)));
    assert!(stack.stage.unless_it_dies(dies, delivery).await.is_none());
    assert_eq!(stack.bucket.arrived().len(), 1);
    for _ in 0..2 {
        stack.stage.world.clock.advance(Duration::from_mins(1));
        stack.stage.sweep().await;
    }
    let arrived = stack.bucket.arrived();
    assert_eq!((arrived.len(), &arrived[0]), (2, &arrived[1]));
    assert!(arrived[0].body.contains(r#""Status":"SUCCESS""#), "{arrived:?}");
}

/// What the Delete of a rollback comes to after a Create whose answer was refused until CloudFormation gave it up.
async fn deleted_after_a_lost_answer(status: u16, id: impl Fn(&Stack) -> String) -> (u64, Value) {
    let stack = Stack::new().await;
    stack.bucket.refuse(Some(status));
    stack.send(&stack.ask("Create", &json!({"InstanceIds": [ONE]}))).await.unwrap();
    stack.stage.work().await;
    // after the deadline the sweep tries once more, and at 403 it gives the answer up
    stack.stage.world.clock.advance(Duration::from_mins(59));
    stack.stage.sweep().await;
    stack.stage.world.clock.advance(Duration::from_mins(1));
    stack.bucket.refuse(None);
    let delete = stack.ask("Delete", &json!({"InstanceIds": [ONE]})).with("PhysicalResourceId", &id(&stack));
    let deleted = stack.answered(&delete).await;
    (stack.holds(ONE).await.0, deleted["Status"].clone())
}

#[tokio::test]
async fn a_create_of_which_cloudformation_never_heard_is_undone_by_its_delete() {
    for status in [503, 403] {
        let id = |_: &Stack| "made up by CloudFormation".to_owned();
        let made_up = Box::pin(deleted_after_a_lost_answer(status, id)).await;
        assert_eq!(made_up, (20, json!("SUCCESS")), "{status}");
    }
    // it knows the id, so the answer has arrived, though that was not stored: the values are retained
    let known = |stack: &Stack| {
        let items = stack.stage.ledger.items().unwrap();
        let answer = items.iter().find(|item| item["sk"]["S"] == "Policy#1").unwrap();
        answer["physical"]["S"].as_str().unwrap().to_owned()
    };
    assert_eq!(Box::pin(deleted_after_a_lost_answer(503, known)).await, (10, json!("SUCCESS")));
}

/// What a Delete with an id that CloudFormation made up comes to, so long after the last Create was answered: what the
/// target holds, and whether it has an owner.
async fn deleted_with_a_made_up_id(stack: &Stack, later: Duration) -> (u64, bool) {
    stack.stage.world.clock.advance(later);
    let delete = stack.ask("Delete", &json!({"InstanceIds": [ONE]}));
    let deleted = stack.answered(&delete.with("PhysicalResourceId", "made up by CloudFormation")).await;
    assert_eq!(deleted["Status"], "SUCCESS", "{deleted}");
    (stack.holds(ONE).await.0, !stack.owner(ONE).is_null())
}

#[tokio::test]
async fn a_create_that_is_cancelled_as_its_answer_arrives_is_undone_by_its_delete() {
    // up to its timeout; later it must have been heard
    for (later, expected) in [(0, (20, false)), (3_590, (20, false)), (3_601, (10, true))] {
        let stack = Stack::new().await;
        stack.succeeds("Create", &json!({"InstanceIds": [ONE]})).await;
        let left = Box::pin(deleted_with_a_made_up_id(&stack, Duration::from_secs(later))).await;
        assert_eq!(left, expected, "after {later} s");
    }
    // the same where the resource was deleted before
    let stack = Stack::new().await;
    for kind in ["Create", "Delete", "Create"] {
        stack.succeeds(kind, &json!({"InstanceIds": [ONE], "OnDelete": "Restore"})).await;
    }
    assert_eq!(Box::pin(deleted_with_a_made_up_id(&stack, Duration::ZERO)).await, (20, false));
}

/// docs/declarations.md, case 26: the id is the first one's, which was given up.
#[tokio::test]
async fn a_create_after_one_that_was_given_up_keeps_its_targets() {
    let stack = Stack::new().await;
    stack.bucket.refuse(Some(403));
    stack.send(&stack.ask("Create", &json!({"InstanceIds": [ONE]}))).await.unwrap();
    stack.stage.work().await;
    stack.stage.world.clock.advance(Duration::from_mins(59));
    stack.stage.sweep().await;
    stack.bucket.refuse(None);
    stack.succeeds("Create", &json!({"InstanceIds": [ONE]})).await;
    assert_eq!(Box::pin(deleted_with_a_made_up_id(&stack, Duration::ZERO)).await, (10, true));
}

#[tokio::test]
async fn a_request_that_nobody_can_be_answered_for_is_a_function_error_and_tried_again() {
    let stack = Stack::new().await;
    stack.bucket.refuse(Some(500));
    let refused = stack.ask("Create", &json!({"InstanceIds": []}));
    let error = stack.send(&refused).await.unwrap_err();
    assert_eq!(
        (error.error_type.as_str(), error.error_message.as_str()),
        ("AnswerNotDelivered", "Amazon S3 answered 500")
    );
    stack.bucket.refuse(None);
    stack.send(&refused).await.unwrap();
    assert_eq!(stack.bucket.arrived().len(), 1);
}

#[tokio::test]
async fn what_takes_too_long_is_failed_before_the_timeout_and_the_rest_is_not_begun() {
    let stack = Stack::new().await;
    let properties = json!({"InstanceIds": [ONE, TWO], "ServiceTimeout": "300"});
    let created = stack.send(&stack.ask("Create", &properties)).await.unwrap();
    // 210 s are left to the work
    stack.stage.world.clock.advance(Duration::from_secs(200));
    stack.stage.sweep().await;
    assert!(stack.bucket.arrived().is_empty());
    stack.stage.world.clock.advance(Duration::from_secs(11));
    stack.stage.sweep().await;
    let answer: Value = serde_json::from_str(&stack.bucket.arrived()[0].body).unwrap();
    let told = "The resource's time was not enough; targets that were not begun stay as they are";
    assert_eq!((&answer["Status"], &answer["Reason"]), (&json!("FAILED"), &json!(told)));
    // the rollback comes at once, while the change has not ended
    stack.send(&stack.ask("Delete", &properties)).await.unwrap();
    stack.stage.work().await;
    let record = stack.stage.record(created["changeId"].as_str().unwrap()).await;
    assert_eq!((&record["status"], &record["summary"]), (&json!("cancelled"), &json!({"skipped": 2})));
    // its end does not answer otherwise
    stack.stage.sweep().await;
    let arrived = stack.bucket.arrived();
    assert_eq!((arrived.len(), stack.stage.world.updates()), (2, 0));
    assert!(arrived[1].body.contains(r#""Status":"SUCCESS""#), "{arrived:?}");
}

#[tokio::test]
async fn what_is_cancelled_has_failed_and_its_rollback_undoes_what_was_done() {
    let stack = Stack::new().await;
    let before = stack.holds(ONE).await;
    let properties = json!({"InstanceIds": [ONE, TWO]});
    let created = stack.send(&stack.ask("Create", &properties)).await.unwrap();
    // the worker is gone after the first target
    let first = Rule::new(Fault::NeverAnswered).on(Operation::TransactWriteItems).of(requests::closes).nth(1);
    let delivery = Box::pin(stack.stage.deliver(CHANGES, Duration::from_secs(30)));
    assert!(stack.stage.unless_it_dies(first, delivery).await.is_none());
    let path = format!("/policy-changes/{}/cancel", created["changeId"].as_str().unwrap());
    assert_eq!(stack.stage.http("POST", &path, &Value::Null).await.0, 202);
    for _ in 0..2 {
        stack.stage.world.clock.advance(Duration::from_mins(2));
        stack.stage.sweep().await;
    }
    let answer: Value = serde_json::from_str(&stack.bucket.arrived()[0].body).unwrap();
    assert_eq!(
        (&answer["Status"], &answer["Reason"]),
        (&json!("FAILED"), &json!("The change was cancelled"))
    );
    assert_eq!((&answer["Data"]["Targets"], &answer["Data"]["Applied"]), (&json!(2), &json!(1)));
    // the message that the worker had blocks its group until its time is over
    stack.stage.queues.advance(Duration::from_mins(31));
    stack.succeeds("Delete", &properties).await;
    assert_eq!((stack.holds(ONE).await, stack.stage.world.updates()), (before, 2));
}

#[tokio::test]
async fn a_freeze_in_the_middle_fails_the_create_and_its_delete_until_it_ends() {
    let stack = Stack::new().await;
    let properties = json!({"InstanceIds": [ONE, TWO]});
    stack.send(&stack.ask("Create", &properties)).await.unwrap();
    let first = Rule::new(Fault::NeverAnswered).on(Operation::TransactWriteItems).of(requests::closes).nth(1);
    let delivery = Box::pin(stack.stage.deliver(CHANGES, Duration::from_secs(30)));
    assert!(stack.stage.unless_it_dies(first, delivery).await.is_none());
    assert_eq!(stack.stage.http("PUT", "/freeze", &json!({"reason": "INC-7"})).await.0, 200);
    stack.stage.queues.advance(Duration::from_mins(31));
    stack.stage.work().await;
    assert!(stack.bucket.arrived().is_empty());
    stack.stage.world.clock.advance(Duration::from_secs(3_511));
    stack.stage.sweep().await;
    let late: Value = serde_json::from_str(&stack.bucket.arrived()[0].body).unwrap();
    assert!(late["Reason"].as_str().unwrap().starts_with("The resource's time was not enough"), "{late}");
    let refused = stack.answered(&stack.ask("Delete", &properties)).await;
    let told = "Changes are frozen, and this Delete would set values; GET /freeze says by whom and why";
    assert_eq!((&refused["Status"], &refused["Reason"]), (&json!("FAILED"), &json!(told)));
    assert_eq!(stack.stage.http("DELETE", "/freeze", &Value::Null).await.0, 200);
    stack.stage.queues.advance(Duration::from_mins(31));
    stack.succeeds("Delete", &properties).await;
    assert_eq!((stack.holds(ONE).await.0, stack.holds(TWO).await.0), (20, 20));
    assert_eq!((stack.owner(ONE), stack.stage.world.updates()), (Value::Null, 2));
}

#[tokio::test]
async fn lanes_that_were_not_sent_are_sent_by_the_sweep() {
    let stack = Stack::new().await;
    let nowhere = stack.stage.process(&[
        ("CHANGE_QUEUE_URL", "http://127.0.0.1:9/111122223333/none.fifo"),
        ("AWS_ENDPOINT_URL_SQS", "http://127.0.0.1:9"),
    ]);
    let create = stack.ask("Create", &json!({"InstanceIds": [ONE]}));
    stack.send_to(&nowhere, &create).await.unwrap();
    assert_eq!(stack.stage.queues.messages(CHANGES).len(), 0);
    stack.stage.world.clock.advance(Duration::from_mins(2));
    stack.stage.sweep().await;
    stack.stage.work().await;
    let answer: Value = serde_json::from_str(&stack.bucket.arrived()[0].body).unwrap();
    assert_eq!(answer["Status"], "SUCCESS");
}

/// How many answers were overdue or given up, by the metrics of each invocation that had some.
fn overdue(stack: &Stack) -> Vec<u64> {
    let text = stack.stage.world.pipe.text();
    let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.filter_map(|line| line["AnswersOverdue"].as_u64()).collect()
}

#[tokio::test]
async fn an_answer_that_does_not_arrive_is_counted_from_a_minute_after_its_deadline_until_it_does() {
    let stack = Stack::new().await;
    stack.bucket.refuse(Some(503));
    stack.send(&stack.ask("Create", &json!({"InstanceIds": [ONE]}))).await.unwrap();
    stack.stage.work().await;
    // the deadline, and each minute after it
    for (minutes, counted) in [(59, vec![]), (1, vec![1]), (1, vec![1, 1])] {
        stack.stage.world.clock.advance(Duration::from_mins(minutes));
        stack.stage.sweep().await;
        assert_eq!(overdue(&stack), counted);
    }
    stack.bucket.refuse(None);
    stack.stage.world.clock.advance(Duration::from_mins(1));
    stack.stage.sweep().await;
    assert_eq!((overdue(&stack), stack.bucket.arrived().len()), (vec![1, 1], 1));
}

#[tokio::test]
async fn an_answer_that_is_given_up_is_counted_once() {
    for (status, after) in [(403, Duration::from_mins(59)), (503, Duration::from_mins(125))] {
        let stack = Stack::new().await;
        stack.bucket.refuse(Some(status));
        stack.send(&stack.ask("Create", &json!({"InstanceIds": [ONE]}))).await.unwrap();
        stack.stage.work().await;
        stack.stage.world.clock.advance(after);
        for _ in 0..2 {
            stack.stage.sweep().await;
            stack.stage.world.clock.advance(Duration::from_mins(2));
        }
        assert_eq!((overdue(&stack), stack.bucket.arrived().len()), (vec![1], 0), "{status}");
        let owed = |item: &Value| item.get("owed").is_some() && item.get("url").is_some();
        assert!(!stack.stage.ledger.items().unwrap().iter().any(owed), "{status}");
    }
}
