//! A target's history, and what is owed: what the index knows.

use super::samples::{
    NOW, SIZE, after, by_lanes, holds, id, inline, intent, order, result, run, size, succeeded, target,
};
use super::table::{RETENTION, Table};
use connect_attachment_policy::ledger::{Note, OwedChange, Page};
use policy_core::policy::Scope;
use policy_core::record::{
    ChangeRecord, Closing, Handover, Holder, Millis, Named, Past, Position, RecordedResult, RunKey, RunName,
    TargetName,
};
use policy_core::report::OutcomeKind;
use std::time::Duration;

fn chat() -> TargetName {
    target(1, Scope::Chat)
}

/// What the history shows of a result.
fn past(result: RecordedResult) -> Past {
    Past {
        run: run(result.change_id.as_str()),
        at: result.at,
        change_id: result.change_id,
        outcome: result.outcome,
        before: result.before,
        after: result.after,
        error: result.error,
        who: result.who,
    }
}

fn place(of: &str, at: Millis) -> Position {
    Position::History { at, run: run(of) }
}

#[tokio::test]
async fn every_real_result_is_in_the_history_however_it_was_stored() {
    let table = Table::new().await;
    let of = |text: &str, outcome, seconds| RecordedResult {
        at: after(seconds),
        ..result(&chat(), text, outcome)
    };
    let open = intent("open", "A", NOW);
    table.begin(&chat(), 0, &open, None).await.unwrap();
    let closing = Closing { held: size(7), applied: true, last: true, ..Closing::default() };
    let applied = of("A", OutcomeKind::Applied, 1);
    table.close(&chat(), &open, &closing, &applied, false).await.unwrap();
    let unchanged = of("B", OutcomeKind::Unchanged, 2);
    table
        .confirm(
            &chat(),
            2,
            &order("B"),
            Named::with_values(SIZE),
            &size(7),
            &Handover::Stays,
            &run("B"),
            &unchanged,
            after(2),
        )
        .await
        .unwrap();
    let unknown = of("C", OutcomeKind::Unknown, 3);
    table.keep(&run("C"), &unknown).await.unwrap();
    let blocked = of("D", OutcomeKind::Blocked, 4);
    table.note(&run("D"), &blocked, Note::default()).await.unwrap();
    let planned = of("E", OutcomeKind::Planned, 5);
    table.note(&run("E"), &planned, Note { dry_run: true, count_failure: false }).await.unwrap();
    table
        .note(&run("F"), &result(&target(2, Scope::Chat), "F", OutcomeKind::Blocked), Note::default())
        .await
        .unwrap();

    let items = [blocked, unknown, unchanged, applied].map(past).to_vec();
    assert_eq!(table.history(&chat(), None, 50, NOW).await.unwrap(), Page { items, next: None });
}

#[tokio::test]
async fn the_history_is_read_page_by_page_from_the_newest() {
    let table = Table::new().await;
    let texts = ["A", "B", "C", "D", "E"];
    for (seconds, text) in texts.iter().enumerate() {
        // two at the same time
        let at = after(seconds.min(3) as u64);
        let result = RecordedResult { at, ..result(&chat(), text, OutcomeKind::Applied) };
        table.note(&run(text), &result, Note::default()).await.unwrap();
    }
    let page = |before: Option<Position>, limit| {
        let table = &table;
        async move {
            let page = table.history(&chat(), before.as_ref(), limit, NOW).await.unwrap();
            let ids: Vec<_> = page.items.iter().map(|past| past.change_id.to_string()).collect();
            (ids.join(" "), page.next)
        }
    };
    assert_eq!(page(None, 5).await, ("E D C B A".to_owned(), None));
    assert_eq!(page(None, 1).await, ("E".to_owned(), Some(place("E", after(3)))));
    assert_eq!(page(Some(place("E", after(3))), 3).await, ("D C B".to_owned(), Some(place("B", after(1)))));
    assert_eq!(page(Some(place("B", after(1))), 3).await, ("A".to_owned(), None));
    assert_eq!(page(Some(place("E", after(3))), 4).await, ("D C B A".to_owned(), None));
    assert_eq!(page(Some(place("A", after(0))), 3).await, (String::new(), None));
    // a place that nothing is at
    assert_eq!(page(Some(place("Z", after(2))), 3).await, ("C B A".to_owned(), None));
}

#[tokio::test]
async fn a_result_leaves_the_history_with_its_change() {
    let table = Table::new().await;
    table.note(&run("A"), &result(&chat(), "A", OutcomeKind::Applied), Note::default()).await.unwrap();
    let expires = NOW.plus(RETENTION);
    let count = |now| {
        let table = &table;
        async move { table.history(&chat(), None, 50, now).await.unwrap().items.len() }
    };
    assert_eq!((count(Millis(expires.0 - 1)).await, count(expires).await), (1, 0));
    // though the item is there for another seven days
    assert!(table.result(&run("A"), &chat()).await.unwrap().is_some());
}

#[tokio::test]
async fn a_run_is_told_by_its_key_and_its_result_by_its_own_id() {
    let table = Table::new().await;
    let second = RunName { key: RunKey(after(60)), ..run("A") };
    let of_batch = RecordedResult { change_id: id("A/3"), ..result(&chat(), "A", OutcomeKind::Applied) };
    table.note(&second, &of_batch, Note::default()).await.unwrap();
    let page = table.history(&chat(), None, 50, NOW).await.unwrap();
    assert_eq!(page.items, [Past { run: second, ..past(of_batch) }]);
    assert_eq!(page.items[0].before, Some(holds(5, &["csv", "PDF"])));
}

#[tokio::test]
async fn what_is_owed_is_found_when_its_time_has_come() {
    let table = Table::new().await;
    for (text, seconds) in [("A", 10), ("B", 20), ("C", 30)] {
        let holder = Holder { token: "mine".to_owned(), until: after(seconds) };
        table.record(&ChangeRecord { holder: Some(holder), ..inline(text) }, NOW).await.unwrap();
    }
    table.record(&by_lanes("D", 1), NOW).await.unwrap();
    table.record(&succeeded("E"), NOW).await.unwrap();
    let owed = |now: Millis| {
        let table = &table;
        async move {
            let owed = table.owed(now).await.unwrap().changes;
            assert!(owed.len() >= 4 || now > after(60), "those that are not due are there, too");
            let due = owed.into_iter().filter(|owed: &OwedChange| owed.is_due);
            let mut due: Vec<_> = due.map(|owed| owed.change_id.to_string()).collect();
            due.sort();
            due.join(" ")
        }
    };
    let just_before = |at: Millis| Millis(at.0 - 1);
    assert_eq!(owed(just_before(after(10))).await, "");
    assert_eq!(owed(after(10)).await, "A");
    assert_eq!(owed(after(30)).await, "A B C");
    assert_eq!(owed(after(60)).await, "A B C D");
    table.postpone(&run("A"), after(90)).await.unwrap();
    assert_eq!(owed(after(60)).await, "B C D");
}

#[tokio::test]
async fn of_each_shard_a_hundred_are_found_the_longest_overdue_first() {
    let table = Table::new().await;
    for number in 0..520_u64 {
        let until = NOW.plus(Duration::from_millis(number));
        let holder = Holder { token: "mine".to_owned(), until };
        let record = ChangeRecord { holder: Some(holder), ..inline(&format!("X{number}")) };
        table.record(&record, NOW).await.unwrap();
    }
    let owed = table.owed(after(60)).await.unwrap().changes;
    assert_eq!(owed.len(), 400);
    for number in 0..300 {
        assert!(
            owed.contains(&OwedChange { change_id: id(&format!("X{number}")), run: None, is_due: true }),
            "{number}"
        );
    }
}
