//! Ending a run early.

use super::runs::not_now;
use super::samples::{NOW, after, by_lanes, cancelled, inline, next, run, succeeded};
use super::table::{RETENTION, Table};
use connect_attachment_policy::ledger::{Finished, Halting};
use policy_core::record::{ChangeRecord, Counts, Halted, RecordStatus};

#[tokio::test]
async fn a_run_is_halted_once() {
    let table = Table::new().await;
    table.record(&by_lanes("X", 1), NOW).await.unwrap();
    let halt = cancelled(after(5));
    let halted = ChangeRecord { halt: Some(halt.clone()), ..by_lanes("X", 1) };
    for _ in 0..2 {
        let halting = table.halt(&run("X"), &halt, after(5)).await.unwrap();
        assert_eq!(halting, Halting::Now(Box::new(halted.clone())));
    }
    assert_eq!(table.due("X").unwrap().1, after(5).0);
    let again = table.halt(&run("X"), &cancelled(after(6)), after(6)).await.unwrap();
    assert_eq!(again, Halting::Already(Box::new(halted)));
}

#[tokio::test]
async fn a_run_that_is_over_is_not_halted() {
    let table = Table::new().await;
    let over = succeeded("X");
    table.record(&over, NOW).await.unwrap();
    let over = ChangeRecord { expires: Some(NOW.plus(RETENTION)), ..over };
    let halting = table.halt(&run("X"), &cancelled(after(5)), after(5)).await.unwrap();
    assert_eq!(halting, Halting::Final(Box::new(over.clone())));
    let new = next(&over);
    table.next_run(&over, &new, after(10)).await.unwrap();
    let halting = table.halt(&run("X"), &cancelled(after(15)), after(15)).await.unwrap();
    assert_eq!(halting, Halting::Final(Box::new(new)));
}

#[tokio::test]
async fn a_run_that_was_cancelled_meanwhile_ends_as_nothing_else() {
    let table = Table::new().await;
    let none = Counts::default();
    for (text, as_what, status, ends) in [
        ("A", Halted::Cancelled, RecordStatus::Succeeded, false),
        ("B", Halted::Cancelled, RecordStatus::Cancelled, true),
        ("C", Halted::Superseded, RecordStatus::Partial, true),
    ] {
        table.record(&inline(text), NOW).await.unwrap();
        let halt = policy_core::record::Halt { as_what, ..cancelled(after(5)) };
        table.halt(&run(text), &halt, after(5)).await.unwrap();
        let finished = table.end(text, Some("mine"), status, &none, false).await;
        assert_eq!(matches!(finished, Finished::Now(_)), ends, "{text}");
        if !ends {
            assert_eq!(not_now(finished).halt, Some(halt));
        }
    }
}
