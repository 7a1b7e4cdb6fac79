//! What becomes of a target's values when its resource goes.

use super::{STACK, Stack};
use crate::governed::stage::CHANGES;
use crate::world::{ONE, TWO, chat};
use sandbox::connect::{Fault, Instance, Operation, Options, Scope};
use serde_json::{Value, json};
use std::time::Duration;

#[tokio::test]
async fn what_was_there_comes_back_where_nobody_changed_it_since() {
    let stack = Stack::new().await;
    let before = stack.holds(ONE).await;
    let properties = json!({"InstanceIds": [ONE, TWO], "OnDelete": "Restore"});
    stack.succeeds("Create", &properties).await;
    stack
        .succeeds(
            "Update",
            &json!({"InstanceIds": [ONE, TWO], "MaximumSize": "12 MB", "OnDelete": "Restore"}),
        )
        .await;
    // by other means: allowed, and then not put back
    stack.stage.world.report(&chat(TWO, &json!({"maximumSize": "3 MB"}))).await;
    let deleted = stack.succeeds("Delete", &properties).await;
    let kept = "1 target: 1 applied; 1 target was left as it is, because it does not hold what was declared, or cannot be \
                set back";
    assert_eq!(deleted["Reason"], kept);
    assert_eq!((stack.holds(ONE).await, stack.holds(TWO).await.0), (before, 3));
    assert_eq!((stack.owner(ONE), stack.owner(TWO)), (Value::Null, Value::Null));
}

#[tokio::test]
async fn an_update_puts_back_what_it_no_longer_names() {
    let stack = Stack::new().await;
    let before = stack.holds(TWO).await;
    stack.succeeds("Create", &json!({"InstanceIds": [ONE, TWO], "OnDelete": "Restore"})).await;
    let updated = stack.succeeds("Update", &json!({"InstanceIds": [ONE], "OnDelete": "Restore"})).await;
    assert_eq!(updated["Data"]["Applied"], 1, "{updated}");
    assert_eq!((stack.holds(ONE).await.0, stack.holds(TWO).await), (10, before));
}

#[tokio::test]
async fn an_update_that_drops_a_whole_region_puts_back_what_was_there() {
    let west = Instance { region: "us-west-2".to_owned(), ..Instance::numbered(4) };
    let instances = vec![Instance::numbered(1), west.clone()];
    let stack = Stack::of(Options { instances, ..Options::default() }, &[]).await;
    let held = || stack.stage.world.connect.configuration(&west.id, Scope::Chat).unwrap();
    let before = held().maximum_size_limit_in_bytes;
    let both = json!({"InstanceIds": [ONE, west.arn()], "OnDelete": "Restore"});
    let created = stack.succeeds("Create", &both).await;
    assert_eq!(
        (&created["Reason"], held().maximum_size_limit_in_bytes),
        (&json!("2 targets: 2 applied"), 10_485_760)
    );
    let updated = stack.succeeds("Update", &json!({"InstanceIds": [ONE], "OnDelete": "Restore"})).await;
    // the other lane is left by the last one to end, or the first: there is one answer
    assert_eq!(updated["Reason"], "2 targets: 1 applied, 1 unchanged");
    assert_eq!(held().maximum_size_limit_in_bytes, before);
    stack.succeeds("Delete", &json!({"InstanceIds": [ONE], "OnDelete": "Restore"})).await;
    assert_eq!(stack.holds(ONE).await.0, 20);
}

/// Of 80 reads some 60 fit into a delivery at this pace: if it read them all before it puts back the first, each one would
/// end as it began.
#[tokio::test]
async fn more_targets_than_a_delivery_can_read_are_put_back_in_portions() {
    let instances: Vec<_> = (1..=80).map(Instance::numbered).collect();
    let ids: Vec<_> = instances.iter().map(|instance| instance.id.clone()).collect();
    let stack = Stack::of(Options { instances, ..Options::default() }, &[]).await;
    let properties = json!({"InstanceIds": ids, "OnDelete": "Restore"});
    stack.succeeds("Create", &properties).await;
    stack.send(&stack.ask("Delete", &properties)).await.unwrap();
    let slow = stack.stage.process(&[("CONNECT_REQUESTS_PER_SECOND", "25"), ("CONNECT_BURST", "5")]);
    for _ in 0..2 {
        let before = stack.stage.world.updates();
        let delivered = stack.stage.deliver_to(&slow, CHANGES, Duration::from_secs(4)).await.unwrap();
        let got_on = stack.stage.world.updates() > before;
        assert_eq!((delivered.failures.len(), got_on), (1, true));
        let items = stack.stage.ledger.items().unwrap();
        let lane = items.iter().find(|item| item["state"]["S"] == "open").unwrap();
        assert_eq!((&lane["stalled"]["N"], lane.get("error")), (&json!("0"), None), "{lane}");
    }
    stack.stage.work().await;
    let deleted: Value = serde_json::from_str(&stack.bucket.arrived()[1].body).unwrap();
    assert_eq!(
        (&deleted["Status"], &deleted["Reason"]),
        (&json!("SUCCESS"), &json!("80 targets: 80 applied"))
    );
    let held = |id: &String| stack.stage.world.connect.configuration(id, Scope::Chat).unwrap();
    assert!(ids.iter().all(|id| held(id).maximum_size_limit_in_bytes == 20_971_520));
    assert_eq!(stack.stage.world.updates(), 160);
}

/// docs/declarations.md: each lane decides for itself.
#[tokio::test]
async fn a_region_that_a_failed_update_has_left_is_declared_anew() {
    let west = Instance { region: "us-west-2".to_owned(), ..Instance::numbered(4) };
    let instances = vec![Instance::numbered(1), west.clone()];
    let stack = Stack::of(Options { instances, ..Options::default() }, &[]).await;
    let both = json!({"InstanceIds": [ONE, west.arn()]});
    stack.succeeds("Create", &both).await;
    let bad = json!({"InstanceIds": [ONE, "99999999-0000-4000-8000-000000000009"]});
    assert_eq!(stack.answered(&stack.ask("Update", &bad)).await["Status"], "FAILED");
    assert_eq!((stack.owner(&west.id), stack.owner(ONE)["stack"]["S"].clone()), (Value::Null, json!(STACK)));
    stack.succeeds("Update", &both).await;
    let owner = stack.owner(&west.id);
    assert_eq!((&owner["stack"]["S"], &owner["size"]["N"]), (&json!(STACK), &json!("10485760")));
    stack.succeeds("Delete", &json!({"OnDelete": "Restore"})).await;
    let held = |id: &str| stack.stage.world.connect.configuration(id, Scope::Chat).unwrap();
    let sizes = [ONE, &west.id].map(|id| held(id).maximum_size_limit_in_bytes);
    assert_eq!(sizes, [20_971_520, 10_485_760]);
}

#[tokio::test]
async fn a_create_that_failed_is_undone_by_its_delete_whatever_on_delete_says() {
    let stack = Stack::new().await;
    let before = stack.holds(ONE).await;
    let properties = json!({"InstanceIds": [ONE, "99999999-0000-4000-8000-000000000009"]});
    let failed = stack.answered(&stack.ask("Create", &properties)).await;
    assert_eq!(failed["Status"], "FAILED");
    let reason = failed["Reason"].as_str().unwrap();
    assert!(reason.starts_with("2 targets: 1 applied, 1 failed: CHAT of 99999999"), "{reason}");
    assert_eq!(stack.holds(ONE).await.0, 10);
    let delete = stack.ask("Delete", &properties).with("PhysicalResourceId", "made up by CloudFormation");
    let deleted = stack.answered(&delete).await;
    assert_eq!(
        (&deleted["Status"], &deleted["PhysicalResourceId"]),
        (&json!("SUCCESS"), &json!("made up by CloudFormation"))
    );
    assert_eq!((stack.holds(ONE).await, stack.owner(ONE)), (before, Value::Null));
}

/// Such as that of a function that had the resource before: docs/declarations.md, case 26.
#[tokio::test]
async fn a_delete_of_an_id_that_is_not_the_resources_own_changes_nothing() {
    let stack = Stack::new().await;
    let before = stack.holds(ONE).await;
    let properties = json!({"InstanceIds": [ONE], "OnDelete": "Restore"});
    stack.succeeds("Update", &properties).await;
    let owner = stack.owner(ONE);
    let delete = stack.ask("Delete", &properties).with("PhysicalResourceId", "of the function before");
    // as often as it comes
    for _ in 0..2 {
        let answer = stack.answered(&delete).await;
        assert_eq!(
            [&answer["Status"], &answer["PhysicalResourceId"], &answer["Reason"]],
            ["SUCCESS", "of the function before", "Nothing had to be changed"]
        );
    }
    assert_eq!((stack.holds(ONE).await.0, stack.owner(ONE)), (10, owner));
    stack.succeeds("Delete", &properties).await;
    assert_eq!((stack.holds(ONE).await, stack.owner(ONE)), (before, Value::Null));
}

#[tokio::test]
async fn an_update_that_failed_is_rolled_back() {
    let stack = Stack::new().await;
    let before = stack.holds(TWO).await;
    let good = json!({"InstanceIds": [ONE]});
    stack.succeeds("Create", &good).await;
    let bad =
        json!({"InstanceIds": [ONE, TWO, "99999999-0000-4000-8000-000000000009"], "MaximumSize": "15 MB"});
    assert_eq!(stack.answered(&stack.ask("Update", &bad)).await["Status"], "FAILED");
    assert_eq!((stack.holds(ONE).await.0, stack.holds(TWO).await.0), (15, 15));
    // the values are those of the last generation that succeeded: they are not estimated away
    stack.succeeds("Update", &good).await;
    assert_eq!((stack.holds(ONE).await.0, stack.holds(TWO).await), (10, before));
    assert_eq!(stack.owner(TWO), Value::Null);
}

#[tokio::test]
async fn a_delete_succeeds_where_a_target_is_gone() {
    let stack = Stack::new().await;
    let properties = json!({"InstanceIds": [ONE], "OnDelete": "Restore"});
    stack.succeeds("Create", &properties).await;
    stack.stage.world.connect.always(Operation::DescribeAttachedFilesConfiguration, Some(Fault::NotFound));
    let deleted = stack.succeeds("Delete", &properties).await;
    let left = "No target had to be changed; 1 target was left as it is, because it does not hold what was declared, or \
                cannot be set back";
    assert_eq!(deleted["Reason"], left);
}

#[tokio::test]
async fn a_delete_succeeds_where_a_guardrail_forbids_what_was_there() {
    let stack = Stack::new().await;
    let properties = json!({"InstanceIds": [ONE], "OnDelete": "Restore"});
    stack.succeeds("Create", &properties).await;
    let guarded = stack.stage.process(&[("POLICY_BLOCKED_EXTENSIONS", "csv")]);
    stack.send_to(&guarded, &stack.ask("Delete", &properties)).await.unwrap();
    stack.stage.work_by(&guarded).await;
    let deleted: Value = serde_json::from_str(&stack.bucket.arrived()[1].body).unwrap();
    let left = "No target had to be changed; 1 target was left as it is, because it does not hold what was declared, or \
                cannot be set back";
    assert_eq!((&deleted["Status"], &deleted["Reason"]), (&json!("SUCCESS"), &json!(left)));
    assert_eq!((stack.holds(ONE).await.0, stack.owner(ONE)), (10, Value::Null));
}

#[tokio::test]
async fn a_delete_of_what_is_out_of_reach_fails_at_its_deadline_and_is_done_once_it_is_not() {
    let stack = Stack::new().await;
    let before = stack.holds(ONE).await;
    let properties = json!({"InstanceIds": [ONE], "OnDelete": "Restore"});
    stack.succeeds("Create", &properties).await;
    let reads =
        |fault| stack.stage.world.connect.always(Operation::DescribeAttachedFilesConfiguration, fault);
    reads(Some(Fault::ExpiredToken));
    stack.send(&stack.ask("Delete", &properties)).await.unwrap();
    stack.stage.work().await;
    assert_eq!(stack.bucket.arrived().len(), 1, "it may be in reach again");
    stack.stage.world.clock.advance(Duration::from_secs(3_511));
    stack.stage.sweep().await;
    let late: Value = serde_json::from_str(&stack.bucket.arrived()[1].body).unwrap();
    assert_eq!(late["Status"], "FAILED");
    reads(None);
    stack.stage.queues.advance(Duration::from_hours(1));
    stack.succeeds("Delete", &properties).await;
    assert_eq!((stack.holds(ONE).await, stack.owner(ONE)), (before, Value::Null));
}
