//! The invocation's end: nothing is begun that cannot finish, and the rest is pending.

use crate::world::{ONE, TWO, World, chat, failed, outcomes};
use sandbox::connect::{Fault, Operation, Options};
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn without_enough_time_no_update_is_begun() {
    let world = World::new().await;
    let result = world.invoke_within(&chat(ONE, &json!({})), Duration::from_millis(700)).await;
    let (kind, report) = failed(result);
    assert_eq!((kind.as_str(), outcomes(&report)), ("PolicyChangeIncomplete", vec!["pending"]));
    assert_eq!(report["results"][0]["error"]["code"], "NoTimeLeft");
    assert_eq!((world.updates(), world.audited()), (0, vec!["outcome pending".to_owned()]));
}

#[tokio::test]
async fn without_any_time_not_even_a_read_is_begun() {
    let world = World::new().await;
    let result = world.invoke_within(&chat(ONE, &json!({})), Duration::from_millis(100)).await;
    assert_eq!(outcomes(&failed(result).1), ["pending"]);
    assert_eq!(world.connect.journal().len(), 0);
}

#[tokio::test]
async fn a_deadline_in_the_past_is_unknown_and_thirty_seconds_are_taken() {
    let world = World::new().await;
    for deadline in [0, 1_000] {
        let change = chat(ONE, &json!({"force": true}));
        let report = world.invoke_text(&change.to_string(), deadline).await.unwrap();
        assert_eq!(outcomes(&report), ["applied"]);
    }
}

#[tokio::test]
async fn targets_that_the_rate_limit_leaves_no_time_for_are_pending() {
    let slow = [("CONNECT_REQUESTS_PER_SECOND", "1"), ("CONNECT_BURST", "2")];
    let world = World::with(Options::default(), &slow).await;
    let change = json!({"instanceIds": [ONE, TWO], "attachmentScope": "*", "maximumSize": "10 MB"});
    let (kind, report) = failed(world.invoke_within(&change, Duration::from_secs(2)).await);
    assert_eq!(kind, "PolicyChangeIncomplete");
    let applied = outcomes(&report).iter().filter(|outcome| **outcome == "applied").count();
    assert_eq!((applied, world.updates()), (2, 2));
    assert_eq!(report["summary"], json!({"applied": 2, "pending": 6}));
}

#[tokio::test]
async fn an_update_cut_off_by_the_deadline_is_unknown() {
    let world = World::new().await;
    let update = Operation::UpdateAttachedFilesConfiguration;
    world.connect.always(update, Some(Fault::Slow(Duration::from_secs(20))));
    let (kind, report) =
        failed(world.invoke_within(&chat(ONE, &json!({})), Duration::from_millis(1_500)).await);
    assert_eq!((kind.as_str(), outcomes(&report)), ("PolicyChangeIncomplete", vec!["unknown"]));
    assert_eq!(report["results"][0]["error"]["code"], "DeadlineExceeded");
    assert_eq!(world.audited(), ["intent", "outcome unknown"]);
}

#[tokio::test]
async fn retries_end_with_the_deadline_and_say_they_were_throttled() {
    let slow = [("CONNECT_REQUESTS_PER_SECOND", "2"), ("CONNECT_MAX_ATTEMPTS", "50")];
    let world = World::with(Options::default(), &slow).await;
    world.connect.always(Operation::UpdateAttachedFilesConfiguration, Some(Fault::Throttle));
    let (kind, report) = failed(world.invoke_within(&chat(ONE, &json!({})), Duration::from_secs(3)).await);
    assert_eq!((kind.as_str(), outcomes(&report)), ("PolicyChangeIncomplete", vec!["failed"]));
    assert_eq!(report["results"][0]["error"]["code"], "ThrottlingException");
}
