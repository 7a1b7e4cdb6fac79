//! What each access costs: its requests, and their units as the emulator counts them, those of the indexes included.
//! docs/ledger.md has the same numbers.

use super::samples::{
    LANE, NOW, OTHER_LANE, SIZE, after, by_lanes, cancelled, counts, delivery, holder, holds, id, inline,
    intent, lane, next, order, result, run, size, target,
};
use super::table::Table;
use connect_attachment_policy::ledger::{ListQuery, Note, Relation, ResultsQuery, Seen};
use policy_core::policy::{Configuration, Scope};
use policy_core::record::{
    ChangeRecord, Closing, Counts, Freeze, Handover, Intent, LaneState, Named, PlanRef, RecordStatus,
    RecordedResult, RunKey, TargetName,
};
use policy_core::report::OutcomeKind;

impl Table {
    /// The requests since the last time, with their units: `PutItem 4`.
    pub(super) fn spent(&self) -> String {
        let requests = self.requests();
        requests
            .iter()
            .map(|(operation, units)| format!("{operation:?} {units}"))
            .collect::<Vec<_>>()
            .join(", ")
    }
}

/// With the longest plan that is in the item itself: 2 KB in all.
pub(super) fn planned(record: ChangeRecord) -> ChangeRecord {
    ChangeRecord { plan: PlanRef::Own("x".repeat(1_024)), ..record }
}

fn chat(number: u32) -> TargetName {
    target(number, Scope::Chat)
}

fn applied() -> Counts {
    counts(&[(OutcomeKind::Applied, 1)])
}

fn closing(held: Configuration) -> Closing {
    Closing { held, applied: true, last: true, ends_drift: true, ..Closing::default() }
}

fn blocked(number: u32) -> RecordedResult {
    result(&chat(number), "X", OutcomeKind::Blocked)
}

#[tokio::test]
async fn what_a_change_costs() {
    let table = Table::new().await;
    let mut spent = Vec::new();
    let mut enter = |what: &str| spent.push(format!("{what}: {}", table.spent()));

    table.record(&inline("small"), NOW).await.unwrap();
    enter("record, a short plan");
    table.record(&planned(inline("X")), NOW).await.unwrap();
    enter("record");
    table.put_parts(&id("X"), "name", &[&"x".repeat(100_000)], RunKey(NOW)).await.unwrap();
    enter("a part of a plan");
    let seen = holder("mine");
    let ended = RecordStatus::Succeeded;
    table.finish(&run("X"), Some(&seen), ended, &applied(), 1, None, false, after(9)).await.unwrap();
    enter("final");
    let old = table.change(&id("X"), NOW).await.unwrap().unwrap();
    enter("read");
    table.next_run(&old, &next(&old), after(10)).await.unwrap();
    enter("next run");
    let current = table.change(&id("X"), NOW).await.unwrap().unwrap().run_name();
    enter("read");
    table.halt(&current, &cancelled(after(11)), after(11)).await.unwrap();
    enter("cancel");
    table.release(&current, "next", after(61)).await.unwrap();
    enter("leave to the sweep");
    table.postpone(&current, after(99)).await.unwrap();
    enter("postpone");
    table.record(&planned(inline("Y")), NOW).await.unwrap();
    table.spent();
    table.finish(&run("Y"), Some(&seen), ended, &applied(), 1, None, true, after(9)).await.unwrap();
    enter("final, an event owed");
    table.announced(&inline("Y")).await.unwrap();
    enter("announced");
    table.relate(&planned(inline("U")), None, &run("Y"), Relation::UndoneBy, NOW).await.unwrap();
    enter("undo");
    table.relate(&planned(inline("V")), None, &run("Y"), Relation::AppliedBy, NOW).await.unwrap();
    enter("apply");

    assert_eq!(
        spent,
        [
            "record, a short plan: PutItem 3",
            "record: PutItem 4",
            "a part of a plan: PutItem 98",
            "final: UpdateItem 4",
            "read: GetItem 1",
            "next run: TransactWriteItems 11",
            "read: GetItem 1",
            "cancel: UpdateItem 4",
            "leave to the sweep: UpdateItem 4",
            "postpone: UpdateItem 4",
            "final, an event owed: UpdateItem 5",
            "announced: UpdateItem 3",
            "undo: TransactWriteItems 11",
            "apply: TransactWriteItems 10",
        ]
    );
}

#[tokio::test]
async fn what_lanes_cost() {
    let table = Table::new().await;
    let mut spent = Vec::new();
    let mut enter = |what: &str| spent.push(format!("{what}: {}", table.spent()));
    let (run, lane) = (run("X"), lane(LANE));

    table.record(&planned(by_lanes("X", 2)), NOW).await.unwrap();
    enter("record");
    let lanes = [(lane.clone(), Some(1)), (super::samples::lane(OTHER_LANE), None)];
    table.plan_lanes(&run, &order("X"), &lanes, NOW).await.unwrap();
    enter("plan two lanes");
    table.mark_sent(&run, after(300)).await.unwrap();
    enter("sent");
    table.has_work(&lane).await.unwrap();
    enter("unfinished work");
    table.begin_delivery(&run, &lane, &delivery("a"), NOW).await.unwrap();
    enter("a delivery begins");
    table.started(&run, after(3)).await.unwrap();
    enter("the first of the run");
    table.resolved(&run, &lane, "a", "name", 7).await.unwrap();
    enter("a star resolved");
    table.progressed(&run, &lane, "a", 1, NOW).await.unwrap();
    enter("progress");
    table.leave(&run, &lane, "a", 1, None).await.unwrap();
    enter("leave");
    table.ends_lane("X", &lane, &Seen::default(), LaneState::Done, &applied()).await.unwrap();
    enter("end");
    table.lanes(&run).await.unwrap();
    enter("its lanes");
    table.plan_checks(&super::samples::run("C"), std::slice::from_ref(&lane)).await.unwrap();
    enter("plan a lane of a check");

    assert_eq!(
        spent,
        [
            "record: PutItem 4",
            "plan two lanes: TransactWriteItems 8",
            "sent: UpdateItem 4",
            "unfinished work: Query 1",
            "a delivery begins: UpdateItem 1, UpdateItem 1",
            "the first of the run: UpdateItem 3",
            "a star resolved: UpdateItem 1",
            "progress: UpdateItem 1",
            "leave: UpdateItem 1",
            "end: TransactWriteItems 11",
            "its lanes: Query 1",
            "plan a lane of a check: PutItem 1",
        ]
    );
}

#[tokio::test]
async fn what_a_target_costs() {
    let table = Table::new().await;
    let mut spent = Vec::new();
    let mut enter = |what: &str| spent.push(format!("{what}: {}", table.spent()));
    let run = run("X");
    table.record(&planned(ChangeRecord { stop_after: Some(3), ..by_lanes("X", 1) }), NOW).await.unwrap();
    table.spent();

    let hundred: Vec<_> = (0..25).flat_map(|number| Scope::ALL.map(|scope| target(number, scope))).collect();
    table.targets(&hundred).await.unwrap();
    enter("the items of 100 targets");
    table.look(&run, Some(&chat(1))).await.unwrap();
    enter("look");
    table.look(&run, None).await.unwrap();
    enter("look, inline");
    let open = intent("open", "X", NOW);
    table.begin(&chat(1), 0, &open, None).await.unwrap();
    enter("begin");
    let done = result(&chat(1), "X", OutcomeKind::Applied);
    table.close(&chat(1), &open, &closing(size(7)), &done, false).await.unwrap();
    enter("close");
    let unchanged = result(&chat(2), "X", OutcomeKind::Unchanged);
    table
        .confirm(
            &chat(2),
            0,
            &order("X"),
            Named::with_values(SIZE),
            &size(7),
            &Handover::Stays,
            &run,
            &unchanged,
            NOW,
        )
        .await
        .unwrap();
    enter("confirm");
    table.keep(&run, &result(&chat(3), "X", OutcomeKind::Unknown)).await.unwrap();
    enter("keep");
    table.note(&run, &blocked(4), Note::default()).await.unwrap();
    enter("note");
    table.note(&run, &blocked(5), Note { dry_run: true, count_failure: false }).await.unwrap();
    enter("note, a dry run");
    table.note(&run, &blocked(6), Note { dry_run: false, count_failure: true }).await.unwrap();
    enter("note, counted");
    // forty extensions before, forty others after
    let list = |letter: char| (0..40).map(|number| format!("{letter}long{number:04}")).collect();
    let lists = |letter| Configuration { allowed_extensions: Some(list(letter)), ..holds(7, &[]) };
    let long = Intent { before: lists('a'), values: lists('b'), ..intent("long", "X", NOW) };
    table
        .confirm(
            &chat(7),
            0,
            &order("W"),
            Named::with_values(super::samples::BOTH),
            &lists('a'),
            &Handover::Stays,
            &super::samples::run("W"),
            &result(&chat(7), "W", OutcomeKind::Unchanged),
            NOW,
        )
        .await
        .unwrap();
    table.spent();
    table.begin(&chat(7), 1, &long, None).await.unwrap();
    enter("begin, above 1 KB");
    let done = RecordedResult {
        before: Some(lists('a')),
        after: Some(lists('b')),
        ..result(&chat(7), "X", OutcomeKind::Applied)
    };
    table.close(&chat(7), &long, &closing(lists('b')), &done, false).await.unwrap();
    enter("close, above 1 KB");
    table.targets_with_intent_of(&run, &lane(LANE)).await.unwrap();
    enter("the open intents of a lane");

    assert_eq!(
        spent,
        [
            "the items of 100 targets: BatchGetItem 100",
            "look: BatchGetItem 3",
            "look, inline: BatchGetItem 1",
            "begin: UpdateItem 1",
            "close: TransactWriteItems 5",
            "confirm: TransactWriteItems 5",
            "keep: PutItem 2",
            "note: PutItem 2",
            "note, a dry run: PutItem 1",
            "note, counted: TransactWriteItems 7",
            "begin, above 1 KB: UpdateItem 2",
            "close, above 1 KB: TransactWriteItems 10",
            "the open intents of a lane: Query 1",
        ]
    );
}

#[tokio::test]
async fn what_is_shown_costs() {
    let table = Table::new().await;
    let mut spent = Vec::new();
    let mut enter = |what: &str| spent.push(format!("{what}: {}", table.spent()));
    table.record(&planned(inline("X")), NOW).await.unwrap();
    for number in 0..40 {
        table.note(&run("X"), &blocked(number), Note::default()).await.unwrap();
    }
    table.put_parts(&id("X"), "name", &[&"x".repeat(100_000)], RunKey(NOW)).await.unwrap();
    table.spent();

    table.parts(&id("X"), "name").await.unwrap();
    enter("a part of a plan");
    table
        .results(&run("X"), &ResultsQuery { after: None, outcome: None, limit: 100, is_current: false })
        .await
        .unwrap();
    enter("a page of results");
    table.results_in_lane(&run("X"), &lane(LANE)).await.unwrap();
    enter("a lane's results");
    table.with_result(&run("X"), &lane(LANE), None, &mut 4).await.unwrap();
    enter("what of a lane is begun");
    table.list(&ListQuery { from: Some(NOW), limit: 50, ..ListQuery::default() }, NOW).await.unwrap();
    enter("a month of changes");
    let instance = Some((lane(LANE), chat(1).instance));
    table.list(&ListQuery { instance, limit: 50, ..ListQuery::default() }, NOW).await.unwrap();
    enter("an instance's changes");
    table.history(&chat(1), None, 50, NOW).await.unwrap();
    enter("a history");
    table.owed(NOW).await.unwrap();
    enter("what is owed");
    let who = super::samples::who("anna");
    table.freeze(&Freeze { who, at: NOW, reason: None, drain: false }).await.unwrap();
    table.frozen().await.unwrap();
    table.thaw().await.unwrap();
    enter("the freeze");

    let four_queries = "Query 0.5, Query 0.5, Query 0.5, Query 0.5";
    assert_eq!(
        spent,
        [
            "a part of a plan: Query 25",
            "a page of results: Query 2.5",
            "a lane's results: Query 5",
            "what of a lane is begun: Query 2.5",
            &format!("a month of changes: {four_queries}"),
            &format!("an instance's changes: {four_queries}, BatchGetItem 1"),
            "a history: Query 0.5",
            &format!("what is owed: {four_queries}"),
            "the freeze: PutItem 1, GetItem 1, DeleteItem 1",
        ]
    );
}
