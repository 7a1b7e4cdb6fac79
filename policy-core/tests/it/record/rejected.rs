//! The record of a rejected document, and what becomes of the next document of its id.

use super::{NOW, at, change, id};
use policy_core::policy::{Violation, ViolationCode};
use policy_core::record::{
    Admission, Order, RecordStatus, RejectedDocument, Relations, RunKey, Submitted, admit,
};

fn violation(pointer: &str, message: &str) -> Violation {
    Violation { pointer: pointer.to_owned(), code: ViolationCode::InvalidSize, message: message.to_owned() }
}

fn document<'a>(text: &'a str, violations: &'a [Violation]) -> RejectedDocument<'a> {
    RejectedDocument { text, violations, origin: change().origin, accepted: at(-5) }
}

#[test]
fn its_record_is_final_from_the_start_and_keeps_twenty_short_violations() {
    let many: Vec<_> = (0..30).map(|n| violation(&format!("/{n}"), &"ä".repeat(600))).collect();
    let record = document("{}", &many).record(&id("X"), "token".to_owned(), true, NOW);
    assert_eq!((record.status, record.run, record.finished), (RecordStatus::Rejected, 1, Some(NOW)));
    assert_eq!(record.order, Order { accepted: at(-5), change_id: id("X") });
    assert!(record.announce);
    assert_eq!(record.violations.len(), 20);
    assert_eq!(
        (record.violations[19].pointer.as_str(), record.violations[0].message.chars().count()),
        ("/19", 512)
    );
    assert!(!document("{}", &many).record(&id("X"), String::new(), false, NOW).announce);
}

#[test]
fn the_same_text_is_the_same_rejection_and_another_is_the_next_run() {
    let violations = [violation("", "why")];
    let first = document("{\"a\": 1}", &violations).record(&id("X"), "1".to_owned(), true, NOW);
    assert!(document("{\"a\": 1}", &violations).is_recorded_as(&first));
    let other = document("{\"a\": 2}", &violations);
    assert!(!other.is_recorded_as(&first));
    let old = policy_core::record::ChangeRecord {
        relations: Relations { undone_by: Some(id("U")), ..Relations::default() },
        first: at(-100),
        ..first.clone()
    };
    let next = other.next_record(&old, "2".to_owned(), true, NOW);
    assert_eq!((next.run, next.first, &next.relations), (2, at(-100), &old.relations));
    assert!(next.key > first.key && other.is_recorded_as(&next));
    // a change that happens to have the same hash is no rejection
    let change = policy_core::record::ChangeRecord { status: RecordStatus::Succeeded, ..next };
    assert!(!other.is_recorded_as(&change));
}

/// A better document of the id has a newer place in the order than the rejected one.
#[test]
fn a_document_that_is_taken_follows_the_rejected_one_as_its_next_run() {
    let old = document("{}", &[]).record(&id("X"), "1".to_owned(), true, NOW);
    let new = Submitted { hash: "another", chosen: true, dry_run: false, replay: None, at: at(-10) };
    let order = Order { accepted: policy_core::record::Millis(at(-5).0 + 1), change_id: id("X") };
    assert_eq!(
        admit(&old, &new, NOW),
        Admission::NextRun { run: 2, key: RunKey::next(Some(old.key), NOW), order }
    );
}
