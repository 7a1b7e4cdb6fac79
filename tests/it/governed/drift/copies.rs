//! Copies of CloudTrail's word of an update that nobody governs: each call comes twice where its events are forwarded, too.

use super::{change_elsewhere, drifts, findings, is_checked, of, stage};
use crate::governed::stage::{INTAKE, Stage};
use crate::world::TWO;
use sandbox::bus::{self, Rule};
use sandbox::ledger;
use std::time::Duration;

/// How often it was said: by an event, and in the audit.
fn said(stage: &Stage) -> (usize, usize) {
    (drifts(stage).len(), findings(&stage.world).len())
}

fn owed(stage: &Stage) -> usize {
    stage.ledger.items().unwrap().iter().filter(|item| item.get("owed").is_some()).count()
}

#[tokio::test]
async fn an_ungoverned_update_is_reported_once_however_often_its_event_comes() {
    let stage = stage().await;
    change_elsewhere(&stage, TWO, 5);
    for _ in 0..3 {
        assert!(is_checked(&stage, &of(TWO, "e-1")).await);
    }
    stage.world.clock.advance(Duration::from_mins(5));
    stage.sweep().await;
    assert_eq!((said(&stage), owed(&stage)), ((1, 1), 0));
    // another update is another event
    assert!(is_checked(&stage, &of(TWO, "e-2")).await);
    assert_eq!(said(&stage), (2, 2));
    let ids: Vec<_> = drifts(&stage).iter().map(|event| event.detail["driftId"].clone()).collect();
    assert_eq!(ids, ["e-1", "e-2"]);
    // what is known of it expires
    stage.world.clock.advance(Duration::from_hours(25));
    assert!(is_checked(&stage, &of(TWO, "e-1")).await);
    assert_eq!(said(&stage), (3, 3));
}

#[tokio::test]
async fn a_copy_that_comes_before_the_first_is_announced_leaves_that_to_the_sweep() {
    let stage = stage().await;
    change_elsewhere(&stage, TWO, 5);
    stage.bus.fault(Rule::new(bus::Fault::EntryFailed));
    assert!(is_checked(&stage, &of(TWO, "e-1")).await);
    stage.bus.clear_faults();
    assert!(is_checked(&stage, &of(TWO, "e-1")).await);
    assert_eq!((said(&stage), owed(&stage)), ((0, 1), 1));
    stage.world.clock.advance(Duration::from_mins(20));
    stage.sweep().await;
    assert!(is_checked(&stage, &of(TWO, "e-1")).await);
    assert_eq!((said(&stage), owed(&stage)), ((1, 1), 0));
}

#[tokio::test]
async fn an_ungoverned_update_is_said_though_the_process_that_stored_it_is_killed() {
    let stage = stage().await;
    change_elsewhere(&stage, TWO, 5);
    let rule = ledger::Rule::new(ledger::Fault::NeverAnswered).on(ledger::Operation::PutItem);
    let first = Box::pin(stage.receive(of(TWO, "e-1").to_string(), INTAKE));
    assert_eq!(stage.unless_it_dies(rule, first).await, None);
    assert!(is_checked(&stage, &of(TWO, "e-1")).await);
    assert_eq!((said(&stage), owed(&stage)), ((0, 0), 1));
    stage.world.clock.advance(Duration::from_secs(61));
    stage.sweep().await;
    assert_eq!((said(&stage), owed(&stage)), ((1, 1), 0));
    // where the answer to the write is lost, the item that it meets is its own, and not a copy's
    let lost = ledger::Rule::new(ledger::Fault::AnswerLost).on(ledger::Operation::PutItem).nth(1);
    stage.ledger.fault(lost);
    assert!(is_checked(&stage, &of(TWO, "e-2")).await);
    assert_eq!((said(&stage), owed(&stage)), ((2, 2), 0));
}
