//! Targets that need no update, and what ends a drift.

use super::outcomes::{applied, chat, of};
use super::samples::{NOW, SIZE, after, holds, id, intent, order, result, run, size, target};
use super::table::Table;
use connect_attachment_policy::ledger::{Confirmed, Stored};
use policy_core::policy::Scope;
use policy_core::record::{Closing, Handover, Intent, Named, Order, RecordedResult, TargetRecord};
use policy_core::report::OutcomeKind;

#[tokio::test]
async fn a_drift_ends_where_the_closing_says_so_and_with_a_confirmation() {
    for (ends_drift, outcome) in [(true, OutcomeKind::Applied), (false, OutcomeKind::Failed)] {
        let open = intent("mine", "X", NOW);
        let table = Table::with(&open).await;
        for attribute in ["drift_size", "later"] {
            table.gives(&chat(), attribute).await;
        }
        let closing = Closing { ends_drift, ..Closing::default() };
        assert_eq!(table.closes(&open, &closing, &of(outcome)).await, Stored::Now);
        let has = |attribute: &str| table.item("target#1", &chat().to_string()).get(attribute).is_some();
        assert_eq!((has("drift_size"), has("later")), (!ends_drift, true));
        if has("drift_size") {
            let unchanged = result(&chat(), "Y", OutcomeKind::Unchanged);
            let confirmed = table
                .confirm(
                    &chat(),
                    2,
                    &order("Y"),
                    Named::with_values(SIZE),
                    &size(7),
                    &Handover::Stays,
                    &run("Y"),
                    &unchanged,
                    NOW,
                )
                .await;
            assert_eq!(confirmed.unwrap(), Confirmed::Now);
            assert_eq!((has("drift_size"), has("later")), (false, true));
        }
    }
}

#[tokio::test]
async fn a_target_that_needs_no_update_is_confirmed_in_its_item_too() {
    let table = Table::new().await;
    let unchanged = of(OutcomeKind::Unchanged);
    let held = holds(7, &["pdf"]);
    for _ in 0..2 {
        let confirmed = table
            .confirm(
                &chat(),
                0,
                &order("X"),
                Named::with_values(SIZE),
                &held,
                &Handover::Stays,
                &run("X"),
                &unchanged,
                NOW,
            )
            .await
            .unwrap();
        assert_eq!(confirmed, Confirmed::Now);
    }
    let expected = TargetRecord {
        rev: 1,
        set_size: Some(order("X")),
        held: size(7),
        last: Some(run("X")),
        ..TargetRecord::default()
    };
    assert_eq!((table.target(&chat()).await, table.has_result().await), (expected, Some(unchanged)));
}

#[tokio::test]
async fn a_target_is_confirmed_only_as_it_could_be_begun() {
    let open = intent("mine", "W", after(5));
    let table = Table::with(&open).await;
    let refused = |table: Table, seen: u64, accepted: policy_core::record::Millis| async move {
        let order = Order { accepted, change_id: id("X") };
        let unchanged = of(OutcomeKind::Unchanged);
        let confirmed = table
            .confirm(
                &chat(),
                seen,
                &order,
                Named::with_values(SIZE),
                &size(7),
                &Handover::Stays,
                &run("X"),
                &unchanged,
                NOW,
            )
            .await
            .unwrap();
        let (there, result) = (table.target(&chat()).await, table.has_result().await);
        match confirmed {
            Confirmed::Refused(item) => assert_eq!((*item, result), (there, None)),
            other => panic!("{other:?}"),
        }
        table
    };
    // an open intent
    let table = refused(table, 1, after(9)).await;
    let closing = Closing { quiet: Some(NOW), ..applied() };
    let done = result(&chat(), "W", OutcomeKind::Applied);
    table.closes(&open, &closing, &done).await;
    // an attempt that may still land; then an older change, and a target written since
    let table = refused(table, 2, after(9)).await;
    let again = Intent { begun: after(1), ..intent("again", "W", after(5)) };
    table.begin(&chat(), 2, &again, None).await.unwrap();
    let later = RecordedResult { target: target(9, Scope::Chat), ..done };
    table.closes(&again, &applied(), &later).await;
    let table = refused(table, 4, after(4)).await;
    refused(table, 3, after(9)).await;
}
