//! Outcomes: with the end of an intent, and without one.

use super::samples::{
    NOW, SIZE, after, by_lanes, holds, id, inline, intent, order, result, run, size, target,
};
use super::table::Table;
use connect_attachment_policy::ledger::{Confirmed, LedgerError, Note, Noted, Started, Stored};
use policy_core::policy::{Configuration, Scope};
use policy_core::record::{
    ChangeRecord, Closing, Handover, Intent, Members, Named, Order, RecordedResult, RunKey, TargetName,
    TargetRecord,
};
use policy_core::report::OutcomeKind;

pub(super) fn chat() -> TargetName {
    target(1, Scope::Chat)
}

pub(super) fn applied() -> Closing {
    Closing { held: size(7), applied: true, last: true, ends_drift: true, quiet: None, give_back: false }
}

fn dropped() -> Closing {
    Closing { give_back: true, ..Closing::default() }
}

pub(super) fn of(outcome: OutcomeKind) -> RecordedResult {
    result(&chat(), "X", outcome)
}

impl Table {
    /// With an open intent.
    pub(super) async fn with(intent: &Intent) -> Self {
        let table = Self::new().await;
        assert_eq!(table.begin(&chat(), 0, intent, None).await.unwrap(), Started::Now);
        table
    }

    pub(super) async fn has_result(&self) -> Option<RecordedResult> {
        self.result(&run("X"), &chat()).await.unwrap()
    }

    pub(super) async fn closes(&self, intent: &Intent, closing: &Closing, result: &RecordedResult) -> Stored {
        self.close(&chat(), intent, closing, result, false).await.unwrap()
    }

    async fn failures(&self) -> u32 {
        self.change(&id("X"), NOW).await.unwrap().unwrap().failures
    }
}

#[tokio::test]
async fn an_applied_update_ends_its_intent_and_is_what_the_target_should_hold() {
    let open = intent("mine", "X", NOW);
    let table = Table::with(&open).await;
    let closing = Closing { held: holds(7, &["pdf"]), quiet: Some(open.until), ..applied() };
    assert_eq!(table.closes(&open, &closing, &of(OutcomeKind::Applied)).await, Stored::Now);
    let expected = TargetRecord {
        rev: 2,
        set_size: Some(open.order.clone()),
        held: holds(7, &["pdf"]),
        applied: Some(run("X")),
        applied_at: Some(after(2)),
        last: Some(run("X")),
        quiet: Some(open.until),
        ..TargetRecord::default()
    };
    assert_eq!(table.target(&chat()).await, expected);
    assert_eq!(table.has_result().await, Some(of(OutcomeKind::Applied)));
}

#[tokio::test]
async fn what_a_closing_does_not_name_stays() {
    let first = intent("first", "X", NOW);
    let table = Table::with(&first).await;
    let closing = Closing { held: holds(7, &["pdf"]), quiet: Some(NOW), ..applied() };
    table.closes(&first, &closing, &of(OutcomeKind::Applied)).await;
    let applied_first = table.target(&chat()).await;
    let second =
        Intent { begun: after(1), was_size: Some(first.order.clone()), ..intent("second", "Y", after(1)) };
    assert_eq!(table.begin(&chat(), 2, &second, None).await.unwrap(), Started::Now);
    let failed = result(&chat(), "Y", OutcomeKind::Failed);
    assert_eq!(table.closes(&second, &dropped(), &failed).await, Stored::Now);
    // the time is given back, and the quiet time is over
    assert_eq!(table.target(&chat()).await, TargetRecord { rev: 4, quiet: None, ..applied_first });
}

#[tokio::test]
async fn a_failure_gives_every_named_member_its_order_back() {
    let older = Order { accepted: NOW, change_id: id("A") };
    let both = |was: Option<Order>| Intent {
        named: Members::ALL,
        was_size: was.clone(),
        was_extensions: was,
        ..intent("mine", "X", after(1))
    };
    for was in [None, Some(older)] {
        let open = both(was.clone());
        let table = Table::with(&open).await;
        assert_eq!(table.closes(&open, &dropped(), &of(OutcomeKind::Failed)).await, Stored::Now);
        let there = table.target(&chat()).await;
        assert_eq!((there.set_size, there.set_extensions), (was.clone(), was));
    }
    // only those
    let open = intent("mine", "Y", after(1));
    let table = Table::new().await;
    let list = Configuration { maximum_size_limit_in_bytes: None, ..holds(0, &["pdf"]) };
    let extensions = Members { size: false, extensions: true };
    let unchanged = of(OutcomeKind::Unchanged);
    table
        .confirm(
            &chat(),
            0,
            &order("A"),
            Named::with_values(extensions),
            &list,
            &Handover::Stays,
            &run("X"),
            &unchanged,
            NOW,
        )
        .await
        .unwrap();
    table.begin(&chat(), 1, &open, None).await.unwrap();
    let failed = result(&chat(), "Y", OutcomeKind::Failed);
    assert_eq!(table.closes(&open, &dropped(), &failed).await, Stored::Now);
    let there = table.target(&chat()).await;
    assert_eq!((there.set_size, there.set_extensions), (None, Some(order("A"))));
}

#[tokio::test]
async fn an_intent_that_was_settled_by_somebody_else_is_lost() {
    let open = intent("mine", "X", NOW);
    let table = Table::with(&open).await;
    // for now: there is no result for good that says so
    let kept = of(OutcomeKind::Failed);
    assert_eq!(table.closes(&open, &dropped(), &kept).await, Stored::Now);
    let there = table.target(&chat()).await;
    let stored = table.closes(&open, &applied(), &of(OutcomeKind::Applied)).await;
    assert_eq!(stored, Stored::Lost(Box::new(there)));
    assert_eq!(table.has_result().await, Some(kept));
    // nothing was ever there
    let stored =
        table.close(&target(2, Scope::Chat), &open, &applied(), &of(OutcomeKind::Applied), false).await;
    assert_eq!(stored.unwrap(), Stored::Lost(Box::default()));
}

#[tokio::test]
async fn a_result_for_good_is_never_replaced() {
    let open = intent("mine", "X", NOW);
    let table = Table::with(&open).await;
    let first = of(OutcomeKind::Applied);
    assert_eq!(table.closes(&open, &applied(), &first).await, Stored::Now);
    let before = table.target(&chat()).await;
    // the answer was lost, and the same is written again
    assert_eq!(table.closes(&open, &applied(), &first).await, Stored::Now);
    assert_eq!(table.another().close(&chat(), &open, &applied(), &first, false).await.unwrap(), Stored::Now);
    assert_eq!(table.target(&chat()).await, before);
    // another outcome, and every other way to store one
    let late = of(OutcomeKind::Unknown);
    let done = || Box::new(first.clone());
    assert_eq!(table.closes(&open, &dropped(), &late).await, Stored::Done(done()));
    assert_eq!(table.keep(&run("X"), &late).await.unwrap(), Noted::Done(done()));
    let blocked = of(OutcomeKind::Blocked);
    assert_eq!(table.note(&run("X"), &blocked, Note::default()).await.unwrap(), Noted::Done(done()));
    let unchanged = of(OutcomeKind::Unchanged);
    let confirmed = table
        .confirm(
            &chat(),
            2,
            &order("X"),
            Named::with_values(SIZE),
            &size(7),
            &Handover::Stays,
            &run("X"),
            &unchanged,
            after(99),
        )
        .await
        .unwrap();
    assert_eq!(confirmed, Confirmed::Done(done()));
    assert_eq!((table.target(&chat()).await, table.has_result().await), (before, Some(first)));
}

#[tokio::test]
async fn half_a_restored_transaction_is_closed_alone() {
    let open = intent("mine", "X", NOW);
    let table = Table::with(&open).await;
    let done = of(OutcomeKind::Applied);
    table.note(&run("X"), &done, Note::default()).await.unwrap();
    let settled = RecordedResult { attempts: 0, ..done.clone() };
    assert_eq!(table.closes(&open, &applied(), &settled).await, Stored::Done(Box::new(done.clone())));
    assert_eq!(table.target(&chat()).await.intent, Some(open.clone()));
    for _ in 0..2 {
        table.close_alone(&chat(), &open, &applied(), done.at).await.unwrap();
        let there = table.target(&chat()).await;
        assert_eq!((there.rev, there.intent, there.applied), (2, None, Some(run("X"))));
        assert_eq!((there.applied_at, there.held), (Some(done.at), size(7)));
    }
}

#[tokio::test]
async fn what_is_kept_is_not_for_good_and_leaves_the_intent() {
    let open = intent("mine", "X", NOW);
    let table = Table::with(&open).await;
    let before = table.target(&chat()).await;
    let unknown = of(OutcomeKind::Unknown);
    for _ in 0..2 {
        assert_eq!(table.keep(&run("X"), &unknown).await.unwrap(), Noted::Now);
    }
    assert_eq!((table.target(&chat()).await, table.has_result().await), (before, Some(unknown)));
    assert_eq!(table.closes(&open, &applied(), &of(OutcomeKind::Applied)).await, Stored::Now);
    assert_eq!(table.has_result().await, Some(of(OutcomeKind::Applied)));
}

#[tokio::test]
async fn failures_are_counted_in_the_change_and_once() {
    let open = intent("mine", "X", NOW);
    let table = Table::with(&open).await;
    table.record(&ChangeRecord { stop_after: Some(3), ..by_lanes("X", 1) }, NOW).await.unwrap();
    let failed = RecordedResult { done: true, ..of(OutcomeKind::Failed) };
    for _ in 0..2 {
        let stored = table.close(&chat(), &open, &dropped(), &failed, true).await.unwrap();
        assert_eq!((stored, table.failures().await), (Stored::Now, 1));
    }
    let blocked = result(&target(2, Scope::Chat), "X", OutcomeKind::Blocked);
    let counted = Note { count_failure: true, dry_run: false };
    for _ in 0..2 {
        let noted = table.note(&run("X"), &blocked, counted).await.unwrap();
        assert_eq!((noted, table.failures().await), (Noted::Now, 2));
    }
    // by another process, whose transaction is another one
    let other = RecordedResult { attempts: 9, ..blocked.clone() };
    let noted = table.note(&run("X"), &other, counted).await.unwrap();
    assert_eq!((noted, table.failures().await), (Noted::Done(Box::new(blocked)), 2));
}

#[tokio::test]
async fn a_late_outcome_of_a_run_that_is_over_is_stored_and_not_counted() {
    let open = intent("mine", "X", NOW);
    let table = Table::with(&open).await;
    let later = ChangeRecord { key: RunKey(after(9)), stop_after: Some(3), ..inline("X") };
    table.record(&later, NOW).await.unwrap();
    let failed = RecordedResult { done: true, ..of(OutcomeKind::Failed) };
    let stored = table.close(&chat(), &open, &dropped(), &failed, true).await.unwrap();
    assert_eq!((stored, table.failures().await), (Stored::Now, 0));
    assert_eq!((table.target(&chat()).await.intent, table.has_result().await), (None, Some(failed)));
    // a run that goes on has its record
    let blocked = result(&target(2, Scope::Chat), "X", OutcomeKind::Blocked);
    let gone =
        table.note(&run("X"), &blocked, Note { count_failure: true, dry_run: false }).await.unwrap_err();
    assert_eq!(gone.to_string(), "the ledger's item `change#X change` is not there");
    assert!(matches!(gone, LedgerError::Corrupt { .. }));
}
