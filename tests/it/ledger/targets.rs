//! Targets' items, and beginning an update: each part of the condition both ways.

use super::samples::{
    LANE, NOW, OTHER_LANE, SIZE, after, by_lanes, cancelled, holds, id, intent, lane, result, run, size,
    target,
};
use super::table::Table;
use connect_attachment_policy::ledger::{Confirmed, Glance, Look, Note, Started, Stored};
use policy_core::policy::{Configuration, Scope};
use policy_core::record::{
    ChangeRecord, Closing, Freeze, Handover, Intent, Members, Millis, Named, Order, RecordStatus, RunKey,
    TargetName, TargetRecord,
};
use policy_core::report::OutcomeKind;

fn chat() -> TargetName {
    target(1, Scope::Chat)
}

impl Table {
    async fn begins_at(&self, seen_rev: u64, intent: &Intent) -> Started {
        self.begin(&chat(), seen_rev, intent, None).await.unwrap()
    }

    /// A target that a run of `text`, accepted at `accepted`, has set to 7 bytes.
    async fn with_applied(text: &str, accepted: Millis, quiet: Option<Millis>) -> Self {
        let table = Self::new().await;
        let intent = intent("first", text, accepted);
        assert_eq!(table.begins_at(0, &intent).await, Started::Now);
        let closing =
            Closing { held: size(7), applied: true, last: true, ends_drift: true, quiet, give_back: false };
        let result = result(&chat(), text, OutcomeKind::Applied);
        let stored = table.close(&chat(), &intent, &closing, &result, false).await.unwrap();
        assert_eq!(stored, Stored::Now);
        table
    }
}

fn refused(started: Started) -> TargetRecord {
    match started {
        Started::Refused(there) => *there,
        Started::Now => panic!("it was begun"),
    }
}

#[tokio::test]
async fn targets_come_in_the_order_they_were_asked_for_and_any_number_of_them() {
    let table = Table::new().await;
    let all: Vec<_> = (0..30).flat_map(|number| Scope::ALL.map(|scope| target(number, scope))).collect();
    for number in [3, 27] {
        let name = target(number, Scope::Task);
        table.begin(&name, 0, &intent(&format!("of {number}"), "X", NOW), None).await.unwrap();
    }
    let asked: Vec<_> = all.iter().rev().chain(&all[..2]).cloned().collect();
    let records = table.targets(&asked).await.unwrap();
    assert_eq!(records.len(), 122);
    for (name, record) in asked.iter().zip(records) {
        let expected = [3, 27].into_iter().find(|number| *name == target(*number, Scope::Task));
        let token = record.intent.map(|intent| intent.token);
        assert_eq!(token, expected.map(|number| format!("of {number}")), "{name}");
    }
    assert!(table.targets(&[]).await.unwrap().is_empty());
}

#[tokio::test]
async fn an_intent_is_read_as_it_was_begun() {
    let table = Table::new().await;
    let full = Intent {
        named: Members::ALL,
        values: holds(7, &[]),
        was_size: Some(Order { accepted: after(1), change_id: id("A") }),
        was_extensions: Some(Order { accepted: after(2), change_id: id("B") }),
        ..intent("full", "X/1", NOW)
    };
    assert_eq!(table.begins_at(0, &full).await, Started::Now);
    let expected = TargetRecord {
        rev: 1,
        set_size: Some(full.order.clone()),
        set_extensions: Some(full.order.clone()),
        intent: Some(full),
        ..TargetRecord::default()
    };
    assert_eq!(table.target(&chat()).await, expected);
    assert_eq!(table.target(&target(2, Scope::Chat)).await, TargetRecord::default());
}

#[tokio::test]
async fn an_update_is_begun_once_and_its_own_repeat_is_success() {
    let table = Table::new().await;
    let (mine, other) = (intent("mine", "X", NOW), intent("other", "Y", after(1)));
    for _ in 0..2 {
        assert_eq!(table.begins_at(0, &mine).await, Started::Now);
    }
    let there = table.target(&chat()).await;
    assert_eq!(there.rev, 1);
    for seen in [0, 1] {
        assert_eq!(refused(table.begins_at(seen, &other).await), there);
    }
}

#[tokio::test]
async fn a_target_that_was_written_since_it_was_read_is_not_begun() {
    let table = Table::with_applied("X", NOW, None).await;
    let there = table.target(&chat()).await;
    assert_eq!(there.rev, 2);
    let newer = intent("newer", "Y", after(1));
    for seen in [0, 1, 3] {
        assert_eq!(refused(table.begins_at(seen, &newer).await), there);
    }
    assert_eq!(table.begins_at(2, &newer).await, Started::Now);
}

#[tokio::test]
async fn an_older_change_does_not_begin_and_one_of_the_same_order_does() {
    let table = Table::with_applied("M", after(10), None).await;
    for (text, accepted, begins) in [("M", after(9), false), ("L", after(10), false), ("M", after(10), true)]
    {
        let started = table.begins_at(2, &intent("next", text, accepted)).await;
        assert_eq!(started == Started::Now, begins, "{text} {accepted}");
    }
    // the greater id of two at the same time
    let table = Table::with_applied("M", after(10), None).await;
    assert_eq!(table.begins_at(2, &intent("next", "N", after(10))).await, Started::Now);
    // an older change of the other member
    let table = Table::with_applied("M", after(10), None).await;
    let list = Members { size: false, extensions: true };
    let values = Configuration { allowed_extensions: holds(0, &["pdf"]).allowed_extensions, ..size(0) };
    let values = Configuration { maximum_size_limit_in_bytes: None, ..values };
    let other = Intent { named: list, values, ..intent("next", "A", after(1)) };
    assert_eq!(table.begins_at(2, &other).await, Started::Now);
    let both = Intent { named: Members::ALL, ..intent("both", "A", after(1)) };
    assert!(matches!(table.begins_at(3, &both).await, Started::Refused(_)));
}

#[tokio::test]
async fn nobody_begins_while_an_unanswered_attempt_may_still_land() {
    for (quiet, begins) in [(NOW, false), (after(1), false), (Millis(NOW.0 - 1), true)] {
        let table = Table::with_applied("X", NOW, Some(quiet)).await;
        assert_eq!(table.target(&chat()).await.quiet, Some(quiet));
        let started = table.begins_at(2, &intent("next", "Y", after(1))).await;
        assert_eq!(started == Started::Now, begins, "{quiet}");
    }
}

#[tokio::test]
async fn an_undo_begins_only_where_the_undone_change_was_applied_last() {
    let table = Table::with_applied("X", NOW, None).await;
    let undo = intent("undo", "U", after(1));
    for other in ["Y", "X/1", "W"] {
        let started = table.begin(&chat(), 2, &undo, Some(&id(other))).await.unwrap();
        assert!(matches!(started, Started::Refused(_)), "{other}");
    }
    assert_eq!(table.begin(&chat(), 2, &undo, Some(&id("X"))).await.unwrap(), Started::Now);
    // an id that the applied one begins with
    let longer = Table::with_applied("XY", NOW, None).await;
    let started = longer.begin(&chat(), 2, &undo, Some(&id("X"))).await.unwrap();
    assert!(matches!(started, Started::Refused(_)), "{started:?}");
    // never applied at all
    let nowhere = target(2, Scope::Chat);
    let started = table.begin(&nowhere, 0, &undo, Some(&id("X"))).await.unwrap();
    assert_eq!(refused(started), TargetRecord::default());
}

#[tokio::test]
async fn what_was_confirmed_keeps_older_changes_away_too() {
    let table = Table::new().await;
    let order = Order { accepted: after(5), change_id: id("X") };
    let result = result(&chat(), "X", OutcomeKind::Unchanged);
    let confirmed = table
        .confirm(
            &chat(),
            0,
            &order,
            Named::with_values(SIZE),
            &holds(7, &["pdf"]),
            &Handover::Stays,
            &run("X"),
            &result,
            NOW,
        )
        .await
        .unwrap();
    assert_eq!(confirmed, Confirmed::Now);
    assert!(matches!(table.begins_at(1, &intent("old", "Y", after(4))).await, Started::Refused(_)));
    assert_eq!(table.begins_at(1, &intent("new", "Y", after(6))).await, Started::Now);
}

#[tokio::test]
async fn a_dead_deliverys_open_intents_are_found() {
    let table = Table::new().await;
    let elsewhere =
        TargetName::parse(&format!("{OTHER_LANE}#00000001-0000-4000-8000-000000000001#CHAT")).unwrap();
    let other_run = Intent {
        run: policy_core::record::RunName { key: RunKey(after(1)), ..run("X") },
        ..intent("d", "X", NOW)
    };
    for (name, intent) in [
        (target(1, Scope::Chat), intent("a", "X", NOW)),
        (target(2, Scope::Task), intent("b", "X", NOW)),
        (target(3, Scope::Chat), intent("c", "Y", NOW)),
        (target(4, Scope::Chat), other_run),
        (elsewhere.clone(), intent("e", "X", NOW)),
    ] {
        assert_eq!(table.begin(&name, 0, &intent, None).await.unwrap(), Started::Now);
    }
    table
        .note(&run("X"), &result(&target(5, Scope::Chat), "X", OutcomeKind::Blocked), Note::default())
        .await
        .unwrap();
    let tokens = |found: Vec<(TargetName, TargetRecord)>| -> Vec<_> {
        found.into_iter().map(|(name, record)| (name, record.intent.unwrap().token)).collect()
    };
    let of_x = table.targets_with_intent_of(&run("X"), &lane(LANE)).await.unwrap();
    let expected = [(target(1, Scope::Chat), "a".to_owned()), (target(2, Scope::Task), "b".to_owned())];
    assert_eq!(tokens(of_x), expected);
    let there = table.targets_with_intent_of(&run("X"), &lane(OTHER_LANE)).await.unwrap();
    assert_eq!(tokens(there), [(elsewhere, "e".to_owned())]);
    assert_eq!(table.governed(&lane(LANE)).await.unwrap().len(), 4);
}

#[tokio::test]
async fn every_lane_that_has_a_target_is_found() {
    let table = Table::new().await;
    assert_eq!(table.lanes_with_targets().await.unwrap(), []);
    let lanes = [
        LANE,
        "111122223333/us-east-1",
        "111122223333/us-gov-east-1",
        OTHER_LANE,
        "444455556666/us-east-1",
        "self/us-east-1",
        "self/us-west-2",
    ];
    for (number, lane) in (1..).zip(lanes) {
        for scope in ["CHAT", "TASK"] {
            let name = format!("{lane}#{number:08}-0000-4000-8000-000000000001#{scope}");
            let token = format!("{number}{scope}");
            let (name, intent) = (TargetName::parse(&name).unwrap(), intent(&token, "X", NOW));
            assert_eq!(table.begin(&name, 0, &intent, None).await.unwrap(), Started::Now);
        }
    }
    table.requests();
    let mut found = table.lanes_with_targets().await.unwrap();
    // one request for each, and one for each of the two partitions
    assert_eq!(table.requests().len(), lanes.len() + 2);
    found.sort();
    assert_eq!(found, lanes.map(lane));
}

#[tokio::test]
async fn a_look_shows_the_change_and_where_it_counts_the_freeze() {
    let table = Table::new().await;
    assert_eq!(table.look(&run("X"), Some(&chat())).await.unwrap(), Look::default());
    let record = ChangeRecord { stop_after: Some(5), failures: 2, ..by_lanes("X", 1) };
    table.record(&record, NOW).await.unwrap();
    let freeze = Freeze {
        who: super::samples::who("arn:aws:iam::111122223333:user/anna"),
        at: after(3),
        reason: Some("audit".to_owned()),
        drain: true,
    };
    table.freeze(&freeze).await.unwrap();
    let glance = Glance {
        key: RunKey(NOW),
        status: RecordStatus::Accepted,
        halt: None,
        failures: 2,
        stop_after: Some(5),
    };
    let look = table.look(&run("X"), Some(&chat())).await.unwrap();
    assert_eq!(look, Look { freeze: Some(freeze), change: Some(glance.clone()), result: None });
    // what another delivery has stored meanwhile
    let stored = result(&chat(), "X", OutcomeKind::Blocked);
    table.note(&run("X"), &stored, Note::default()).await.unwrap();
    let look = table.look(&run("X"), Some(&chat())).await.unwrap();
    assert_eq!(look.result.as_deref(), Some(&stored));
    assert_eq!(table.look(&run("X"), Some(&target(2, Scope::Chat))).await.unwrap().result, None);
    table.halt(&run("X"), &cancelled(after(4)), after(4)).await.unwrap();
    let halted = Glance { halt: Some(cancelled(after(4))), ..glance };
    let look = table.look(&run("X"), None).await.unwrap();
    assert_eq!(look, Look { freeze: None, change: Some(halted), result: None });
}

#[tokio::test]
async fn the_freeze_is_one_item_that_comes_and_goes() {
    let table = Table::new().await;
    assert_eq!(table.frozen().await.unwrap(), None);
    assert!(!table.thaw().await.unwrap());
    let who = super::samples::who("arn:aws:iam::111122223333:user/anna");
    let first = Freeze { who, at: NOW, reason: None, drain: false };
    let second = Freeze { at: after(1), reason: Some("longer".to_owned()), ..first.clone() };
    for freeze in [first, second] {
        table.freeze(&freeze).await.unwrap();
        assert_eq!(table.frozen().await.unwrap(), Some(freeze));
    }
    assert!(table.thaw().await.unwrap());
    assert_eq!(table.another().frozen().await.unwrap(), None);
}
