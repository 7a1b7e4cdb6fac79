//! Every verb that writes, and every kind of request, in a table where each finds what it is about.

use super::samples::{
    LANE, NOW, OTHER_LANE, SIZE, after, by_lanes, cancelled, counts, delivery, holder, id, inline, intent,
    lane, next, order, result, run, size, succeeded, target, who,
};
use super::table::Table;
use connect_attachment_policy::ledger::{LedgerError, Note, Relation, Seen};
use policy_core::policy::Scope;
use policy_core::record::{
    ChangeRecord, Closing, Freeze, Handover, LaneState, Named, PlanRef, RecordedResult, RunKey, TargetName,
};
use policy_core::report::OutcomeKind;
use std::fmt::Debug;
use std::pin::Pin;

pub(super) type Doing<'t> = Pin<Box<dyn Future<Output = Result<String, LedgerError>> + 't>>;
pub(super) type Verb = (&'static str, for<'t> fn(&'t Table) -> Doing<'t>);

fn told<T: Debug>(answer: Result<T, LedgerError>) -> Result<String, LedgerError> {
    answer.map(|answer| format!("{answer:?}"))
}

/// `(name, verb)` of an expression that uses `table`.
macro_rules! verb {
    ($name:literal, |$table:ident| $call:expr) => {
        ($name, |$table: &Table| -> Doing<'_> { Box::pin(async move { told($call.await) }) })
    };
}

fn chat(number: u32) -> TargetName {
    target(number, Scope::Chat)
}

fn blocked(number: u32) -> RecordedResult {
    result(&chat(number), "L", OutcomeKind::Blocked)
}

fn closing() -> Closing {
    Closing { held: size(7), applied: true, last: true, ..Closing::default() }
}

fn seen() -> Seen {
    Seen { delivery: Some("a".to_owned()), stalled: None }
}

fn freeze() -> Freeze {
    Freeze { who: who("anna"), at: NOW, reason: None, drain: false }
}

/// A table in which every verb finds what it is about.
pub(super) async fn filled() -> Table {
    let table = Table::new().await;
    let planned = ChangeRecord { stop_after: Some(9), ..by_lanes("L", 2) };
    for record in [inline("I"), succeeded("S"), planned] {
        table.record(&record, NOW).await.unwrap();
    }
    table.plan_lanes(&run("L"), &order("L"), &[(lane(LANE), Some(7))], NOW).await.unwrap();
    table.begin_delivery(&run("L"), &lane(LANE), &delivery("a"), NOW).await.unwrap();
    table.begin(&chat(1), 0, &intent("open", "L", NOW), None).await.unwrap();
    table.freeze(&freeze()).await.unwrap();
    table
}

/// Every verb that writes.
pub(super) fn writes() -> Vec<Verb> {
    vec![
        verb!("record", |table| table.record(&inline("N"), NOW)),
        verb!("next_run", |table| table.next_run(&succeeded("S"), &next(&succeeded("S")), after(10))),
        verb!("put_parts", |table| table.put_parts(&id("N"), "name", &["a", "b"], RunKey(NOW))),
        verb!("relate", |table| table.relate(&inline("U"), None, &run("S"), Relation::UndoneBy, NOW)),
        verb!("started", |table| table.started(&run("L"), after(1))),
        verb!("mark_sent", |table| table.mark_sent(&run("L"), after(1))),
        verb!("convert", |table| table.convert(&run("I"), "mine", &PlanRef::Own("p".into()), 1, 1, NOW)),
        verb!("take_over", |table| table.take_over(&run("I"), Some(&holder("mine")), &holder("new"))),
        verb!("release", |table| table.release(&run("I"), "mine", after(61))),
        verb!("postpone", |table| table.postpone(&run("I"), after(99))),
        verb!("announced", |table| table.announced(&inline("I"))),
        verb!("halt", |table| table.halt(&run("L"), &cancelled(after(1)), after(1))),
        verb!("plan_lanes", |table| table.plan_lanes(
            &run("L"),
            &order("L"),
            &[(lane(OTHER_LANE), None)],
            NOW
        )),
        verb!("begin_delivery", |table| table.begin_delivery(
            &run("L"),
            &lane(LANE),
            &delivery("b"),
            after(1)
        )),
        verb!("progressed", |table| table.progressed(&run("L"), &lane(LANE), "a", 3, after(1))),
        verb!("resolved", |table| table.resolved(&run("L"), &lane(LANE), "a", "name", 9)),
        verb!("leave", |table| table.leave(&run("L"), &lane(LANE), "a", 3, None)),
        verb!("end_lane", |table| table.ends_lane(
            "L",
            &lane(LANE),
            &seen(),
            LaneState::Done,
            &counts(&[(OutcomeKind::Applied, 7)])
        )),
        verb!("begin", |table| table.begin(&chat(2), 0, &intent("new", "L", NOW), None)),
        verb!("close", |table| table.close(
            &chat(1),
            &intent("open", "L", NOW),
            &closing(),
            &result(&chat(1), "L", OutcomeKind::Applied),
            false
        )),
        verb!("close, counted", |table| table.close(
            &chat(1),
            &intent("open", "L", NOW),
            &closing(),
            &result(&chat(1), "L", OutcomeKind::Blocked),
            true
        )),
        verb!("close_alone", |table| table.close_alone(&chat(1), &intent("open", "L", NOW), &closing(), NOW)),
        verb!("keep", |table| table.keep(&run("L"), &result(&chat(1), "L", OutcomeKind::Unknown))),
        verb!("note", |table| table.note(&run("L"), &blocked(3), Note::default())),
        verb!("note, counted", |table| table.note(
            &run("L"),
            &blocked(3),
            Note { dry_run: false, count_failure: true }
        )),
        verb!("confirm", |table| table.confirm(
            &chat(4),
            0,
            &order("L"),
            Named::with_values(SIZE),
            &size(7),
            &Handover::Stays,
            &run("L"),
            &result(&chat(4), "L", OutcomeKind::Unchanged),
            NOW
        )),
        verb!("freeze", |table| table.freeze(&freeze())),
    ]
}

/// Every kind of request.
pub(super) fn kinds() -> Vec<Verb> {
    vec![
        verb!("GetItem", |table| table.change(&id("I"), NOW)),
        verb!("BatchGetItem", |table| table.look(&run("L"), Some(&chat(1)))),
        verb!("Query", |table| table.lanes(&run("L"))),
        verb!("Query of an index", |table| table.owed(NOW)),
        verb!("PutItem", |table| table.record(&inline("N"), NOW)),
        verb!("UpdateItem", |table| table.started(&run("L"), NOW)),
        verb!("DeleteItem", |table| table.thaw()),
        verb!("TransactWriteItems", |table| table.relate(
            &inline("U"),
            None,
            &run("S"),
            Relation::UndoneBy,
            NOW
        )),
    ]
}
