//! Two who do the same at the same instant.

use super::{STACK, Stack, requests};
use crate::governed::stage::CHANGES;
use crate::world::{ONE, TWO};
use sandbox::ledger::{Entry, Fault, Operation, Rule};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

/// Every answer, each once.
fn bodies(stack: &Stack) -> BTreeSet<String> {
    stack.bucket.arrived().into_iter().map(|arrived| arrived.body).collect()
}

#[tokio::test]
async fn one_request_at_two_processes_at_once_is_one_generation_with_one_answer() {
    let stack = Stack::new().await;
    let (one, other) = (stack.stage.process(&[]), stack.stage.process(&[]));
    // they draft runs of different keys
    other.clock.advance(Duration::from_secs(1));
    for properties in
        [json!({"InstanceIds": [ONE, TWO]}), json!({"InstanceIds": [ONE], "MaximumSize": "many"})]
    {
        let kind = if properties["MaximumSize"].is_null() { "Create" } else { "Update" };
        let asked = stack.ask(kind, &properties);
        // the first to take comes last: both have read the same
        let late = Rule::new(Fault::Late(Duration::from_millis(400))).on(Operation::TransactWriteItems);
        stack.stage.ledger.fault(late.of(requests::takes).nth(1));
        let (first, second) = tokio::join!(stack.send_to(&one, &asked), stack.send_to(&other, &asked));
        stack.stage.ledger.clear_faults();
        assert_eq!(first.unwrap(), second.unwrap());
        stack.stage.work().await;
        stack.stage.world.clock.advance(Duration::from_mins(1));
        stack.stage.sweep().await;
    }
    let statuses: Vec<_> = bodies(&stack).iter().map(|body| body.contains("SUCCESS")).collect();
    assert_eq!(statuses.len(), 2, "{:?}", bodies(&stack));
    assert_eq!(
        (stack.stage.world.updates(), stack.owner(ONE)["claims"]["L"][0]["M"]["gen"]["N"].clone()),
        (2, json!("1"))
    );
    let items = stack.stage.ledger.items().unwrap();
    let declaration = items.iter().find(|item| item["sk"]["S"] == "Policy").unwrap();
    assert_eq!(declaration["gen"]["N"], "2");
    // the one run's lane, and no work that nobody ends
    let named = |prefix: &str| {
        let names = items.iter().filter_map(|item| item["sk"]["S"].as_str());
        names.filter(|name| name.starts_with(prefix)).count()
    };
    assert_eq!((named("lane#"), named("work#")), (1, 0));
}

#[tokio::test]
async fn the_deadline_and_the_last_lanes_end_at_once_decide_one_answer() {
    for lane_first in [true, false] {
        let stack = Stack::new().await;
        let create = stack.ask("Create", &json!({"InstanceIds": [ONE]}));
        stack.send(&create).await.unwrap();
        stack.stage.world.clock.advance(Duration::from_secs(3_511));
        let other = stack.stage.process(&[]);
        other.clock.advance(Duration::from_secs(3_511));
        // whoever is to lose is held up where it decides
        let decides =
            |body: &Value| body.to_string().contains("FAILED") || body.to_string().contains("SUCCESS");
        let is_late =
            move |body: &Value| decides(body) && body.to_string().contains("not enough") == lane_first;
        let slow = Rule::new(Fault::Late(Duration::from_millis(400))).on(Operation::TransactWriteItems);
        stack.stage.ledger.fault(slow.of(is_late));
        let sweep = json!({"sweep": true});
        let work = stack.stage.deliver_to(&other, CHANGES, Duration::from_secs(30));
        let (_, swept) = tokio::join!(Box::pin(work), Box::pin(stack.stage.world.invoke(&sweep)));
        swept.unwrap();
        stack.stage.ledger.clear_faults();
        for _ in 0..2 {
            stack.stage.world.clock.advance(Duration::from_mins(2));
            stack.stage.sweep().await;
        }
        let bodies = bodies(&stack);
        assert_eq!(bodies.len(), 1, "{bodies:?}");
        // the rollback finds what was done, and undoes it
        let delete = stack.answered(&stack.ask("Delete", &json!({"InstanceIds": [ONE]}))).await;
        assert_eq!((&delete["Status"], stack.owner(ONE)), (&json!("SUCCESS"), Value::Null));
    }
}

#[tokio::test]
async fn a_release_between_a_workers_look_and_its_intent_makes_it_look_again() {
    let stack = Stack::new().await;
    stack.succeeds("Create", &json!({"InstanceIds": [ONE], "OnDelete": "Restore"})).await;
    let update =
        stack.ask("Update", &json!({"InstanceIds": [ONE], "MaximumSize": "11 MB", "OnDelete": "Restore"}));
    stack.send(&update).await.unwrap();
    let worker = stack.stage.process(&[]);
    stack.stage.ledger.clear_journal();
    let begins = |body: &Value| body.to_string().contains(r#""begun""#);
    let slow = Rule::new(Fault::Late(Duration::from_millis(400))).on(Operation::UpdateItem).of(begins).nth(1);
    stack.stage.ledger.fault(slow);
    let release = async {
        let is_held = |entry: &Entry| matches!(entry.fault, Some(Fault::Late(_)));
        stack.stage.ledger.until(|entries| entries.iter().any(is_held)).await;
        let path = format!("/instances/{ONE}/attachment-policies/CHAT/declaration");
        stack.stage.http("DELETE", &path, &Value::Null).await
    };
    let ((), (status, _, body)) = tokio::join!(Box::pin(stack.stage.work_by(&worker)), Box::pin(release));
    assert_eq!((status, &body["releasedFrom"]["stackId"]), (200, &json!(STACK)), "{body}");
    // the generation that was at work claims the target anew, with what it held then
    let owner = stack.owner(ONE);
    assert_eq!(
        (owner["stack"]["S"].clone(), owner["claims"]["L"][0]["M"]["gen"]["N"].clone()),
        (json!(STACK), json!("2"))
    );
    assert_eq!((owner["size"]["N"].clone(), stack.holds(ONE).await.0), (json!("10485760"), 11));
    let deleted = stack.answered(&stack.ask("Delete", &json!({"OnDelete": "Restore"}))).await;
    assert_eq!((&deleted["Status"], stack.holds(ONE).await.0), (&json!("SUCCESS"), 10));
}
