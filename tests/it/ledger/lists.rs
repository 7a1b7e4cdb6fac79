//! The list of changes: by month and shard, and of an instance.

use super::samples::LANE;
use super::samples::{
    NOW, after, by_lanes, counts, id, inline, lane, next, rejected, result, run, succeeded, target,
};
use super::table::{RETENTION, Table};
use connect_attachment_policy::ledger::{ListQuery, Note, Page};
use policy_core::policy::{ChangeId, Scope};
use policy_core::record::{
    ChangeRecord, Listed, Millis, Order, Position, RecordStatus, RecordedResult, Relations, RunKey, RunName,
};
use policy_core::report::OutcomeKind;

fn all() -> ListQuery {
    ListQuery { limit: 50, ..ListQuery::default() }
}

fn days_ago(days: u32) -> Millis {
    Millis(NOW.0 - u64::from(days) * 86_400_000)
}

/// A record that was submitted then.
fn at(text: &str, submitted: Millis) -> ChangeRecord {
    let order = Order { accepted: submitted, change_id: id(text) };
    ChangeRecord { submitted, first: submitted, key: RunKey(submitted), order, ..succeeded(text) }
}

/// The ids of a page, and where the next one begins.
async fn ids(table: &Table, query: &ListQuery) -> (String, Option<Position>) {
    let page = table.list(query, NOW).await.unwrap();
    let ids: Vec<_> = page.items.iter().map(|listed| listed.change_id.to_string()).collect();
    (ids.join(" "), page.next)
}

/// Every page of a list, one behind the other.
async fn pages(table: &Table, query: ListQuery) -> Vec<String> {
    let mut pages = Vec::new();
    let mut before = None;
    loop {
        let (ids, next) = ids(table, &ListQuery { before, ..query.clone() }).await;
        pages.push(ids);
        match next {
            Some(next) => before = Some(next),
            None => return pages,
        }
    }
}

#[tokio::test]
async fn a_list_shows_what_its_readers_ask_for() {
    let table = Table::new().await;
    let relations = Relations { undoes: Some(id("A")), undone_by: Some(id("B")), ..Relations::default() };
    let ended = counts(&[(OutcomeKind::Applied, 2), (OutcomeKind::Blocked, 1)]);
    let record = ChangeRecord { dry_run: true, targets: 3, counts: ended, relations, ..succeeded("X") };
    table.record(&record, NOW).await.unwrap();
    let expected = Listed {
        change_id: id("X"),
        run: 1,
        dry_run: true,
        status: RecordStatus::Succeeded,
        submitted: NOW,
        started: record.started,
        finished: record.finished,
        origin: record.origin,
        reason: record.reason,
        requested_by: record.requested_by,
        targets: 3,
        counts: record.counts,
        undoes: Some(id("A")),
        undone_by: Some(id("B")),
    };
    assert_eq!(table.list(&all(), NOW).await.unwrap(), Page { items: vec![expected], next: None });
}

#[tokio::test]
async fn the_newest_changes_come_first_whatever_shard_they_are_in() {
    let table = Table::new().await;
    for number in 0..12 {
        table.record(&at(&format!("X{number:02}"), days_ago(number)), NOW).await.unwrap();
    }
    let expected = "X00 X01 X02 X03 X04 X05 X06 X07 X08 X09 X10 X11";
    for limit in [12, 50] {
        assert_eq!(pages(&table, ListQuery { limit, ..all() }).await, [expected]);
    }
    let by_five = ["X00 X01 X02 X03 X04", "X05 X06 X07 X08 X09", "X10 X11"];
    assert_eq!(pages(&table, ListQuery { limit: 5, ..all() }).await, by_five);
    let by_one: Vec<_> = expected.split(' ').collect();
    assert_eq!(pages(&table, ListQuery { limit: 1, ..all() }).await, by_one);
}

#[tokio::test]
async fn the_same_instant_is_told_apart_by_id() {
    let table = Table::new().await;
    for text in ["a", "B", "c/1", "-", "z.z"] {
        table.record(&at(text, NOW), NOW).await.unwrap();
    }
    assert_eq!(pages(&table, ListQuery { limit: 2, ..all() }).await, ["z.z c/1", "a B", "-"]);
}

#[tokio::test]
async fn a_page_crosses_months_but_with_a_filter_four_of_them_at_most() {
    let table = Table::new().await;
    // in March and February 2026, and in July 2025
    for (text, days) in [("mar", 1), ("feb", 20), ("jul", 240)] {
        table.record(&at(text, days_ago(days)), NOW).await.unwrap();
    }
    assert_eq!(pages(&table, all()).await, ["mar feb jul"]);
    assert_eq!(pages(&table, ListQuery { limit: 1, ..all() }).await, ["mar", "feb", "jul"]);
    // March to December, November to August, July to April, March to February 2025
    let filtered = ListQuery { status: Some(RecordStatus::Succeeded), ..all() };
    table.requests();
    assert_eq!(pages(&table, filtered).await, ["mar feb", "", "jul", ""]);
    assert_eq!(table.requests().len(), 4 * 14);
}

#[tokio::test]
async fn an_expired_change_is_not_listed() {
    let table = Table::new().await;
    table
        .record(&at("old", Millis(NOW.0 - u64::try_from(RETENTION.as_millis()).unwrap())), NOW)
        .await
        .unwrap();
    table.record(&at("new", days_ago(399)), NOW).await.unwrap();
    let query = ListQuery { from: Some(days_ago(420)), to: Some(days_ago(380)), ..all() };
    assert_eq!(ids(&table, &query).await, ("new".to_owned(), None));
}

#[tokio::test]
async fn a_list_can_be_bounded_by_time_and_both_ends_count() {
    let table = Table::new().await;
    for number in 0..5 {
        table.record(&at(&format!("X{number}"), days_ago(number * 10)), NOW).await.unwrap();
    }
    for (from, to, expected) in [
        (Some(30), None, "X0 X1 X2 X3"),
        (None, Some(20), "X2 X3 X4"),
        (Some(30), Some(20), "X2 X3"),
        (Some(29), Some(21), ""),
        (Some(20), Some(20), "X2"),
    ] {
        let query = ListQuery { from: from.map(days_ago), to: to.map(days_ago), ..all() };
        assert_eq!(pages(&table, query.clone()).await.concat(), expected, "{query:?}");
        let one_by_one = pages(&table, ListQuery { limit: 1, ..query }).await.join(" ");
        assert_eq!(one_by_one.trim(), expected);
    }
}

#[tokio::test]
async fn a_list_can_be_of_one_status() {
    let table = Table::new().await;
    for (number, record) in
        [inline("A"), by_lanes("B", 1), rejected("C"), succeeded("D"), inline("E")].into_iter().enumerate()
    {
        let submitted = after(number as u64);
        table.record(&ChangeRecord { submitted, ..record }, NOW).await.unwrap();
    }
    for (status, expected) in [
        (RecordStatus::Running, "E A"),
        (RecordStatus::Accepted, "B"),
        (RecordStatus::Rejected, "C"),
        (RecordStatus::Failed, ""),
    ] {
        let query = ListQuery { status: Some(status), from: Some(NOW), ..all() };
        assert_eq!(pages(&table, query.clone()).await, [expected]);
        let one_by_one = pages(&table, ListQuery { limit: 1, ..query }).await.join(" ");
        assert_eq!(one_by_one.trim(), expected);
    }
}

#[tokio::test]
async fn a_record_that_ran_often_is_listed_once_at_its_newest_run() {
    let table = Table::new().await;
    let old = at("X", days_ago(40));
    table.record(&old, NOW).await.unwrap();
    table.record(&at("Y", days_ago(1)), NOW).await.unwrap();
    assert_eq!(pages(&table, all()).await.concat(), "Y X");
    let new = ChangeRecord { submitted: NOW, ..next(&old) };
    table.next_run(&old, &new, NOW).await.unwrap();
    let page = table.list(&ListQuery { from: Some(days_ago(60)), ..all() }, NOW).await.unwrap();
    let shown: Vec<_> = page.items.iter().map(|listed| (listed.change_id.as_str(), listed.run)).collect();
    assert_eq!(shown, [("X", 2), ("Y", 1)]);
}

impl Table {
    /// Gives a change a result for a scope of the first instance, in a run of its own time.
    async fn with_result(&self, text: &str, scope: Scope, seconds: u64) {
        let result =
            RecordedResult { at: after(seconds), ..result(&target(1, scope), text, OutcomeKind::Applied) };
        self.note(&run(text), &result, Note::default()).await.unwrap();
    }
}

fn of_instance(limit: usize) -> ListQuery {
    let target = target(1, Scope::Chat);
    ListQuery { instance: Some((lane(LANE), target.instance)), limit, ..ListQuery::default() }
}

#[tokio::test]
async fn the_changes_of_an_instance_are_those_with_a_result_there() {
    let table = Table::new().await;
    for text in ["A", "B", "C", "none"] {
        table.record(&at(text, NOW), NOW).await.unwrap();
    }
    for (text, scope, seconds) in [
        ("A", Scope::Chat, 1),
        ("A", Scope::Email, 2),
        ("B", Scope::Task, 3),
        ("B", Scope::Case, 4),
        ("B", Scope::Chat, 5),
        ("C", Scope::Chat, 6),
        ("expired", Scope::Chat, 7),
    ] {
        table.with_result(text, scope, seconds).await;
    }
    let other = result(&target(2, Scope::Chat), "none", OutcomeKind::Applied);
    table.note(&run("none"), &other, Note::default()).await.unwrap();
    for (limit, expected) in [(50, vec!["C B A"]), (2, vec!["C", "B A"]), (1, vec!["", "C", "B", "A"])] {
        let pages = pages(&table, of_instance(limit)).await;
        assert_eq!(pages, expected, "{limit}");
    }
    let partial = ListQuery { status: Some(RecordStatus::Partial), ..of_instance(50) };
    assert_eq!(pages(&table, partial).await, [""]);
    let later = ListQuery { from: Some(after(1)), ..of_instance(50) };
    assert_eq!(pages(&table, later).await, [""]);
    let until = ListQuery { to: Some(NOW), from: Some(NOW), ..of_instance(50) };
    assert_eq!(pages(&table, until).await, ["C B A"]);
}

#[tokio::test]
async fn what_is_left_of_an_expired_record_does_not_list_a_new_one_of_its_id() {
    let table = Table::new().await;
    let expired = NOW.plus(RETENTION);
    table.with_result("X", Scope::Chat, 1).await;
    table.record(&at("X", expired), expired).await.unwrap();
    let listed = |now| {
        let table = &table;
        async move { table.list(&of_instance(50), now).await.unwrap().items.len() }
    };
    assert_eq!((listed(Millis(expired.0 - 1)).await, listed(expired).await), (1, 0));
}

#[tokio::test]
async fn a_change_with_many_results_of_an_instance_is_on_one_page() {
    let table = Table::new().await;
    for (number, text) in ["A", "B", "C"].into_iter().enumerate() {
        table.record(&at(text, NOW), NOW).await.unwrap();
        for (more, scope) in Scope::ALL.into_iter().enumerate() {
            table.with_result(text, scope, (number * 10 + more) as u64).await;
        }
    }
    assert_eq!(pages(&table, of_instance(1)).await, ["C", "B", "A"]);
    assert_eq!(pages(&table, of_instance(2)).await, ["C B", "A"]);
}

#[tokio::test]
async fn a_forged_place_leads_only_elsewhere_in_the_same_list() {
    let table = Table::new().await;
    for number in 0..3 {
        table.record(&at(&format!("X{number}"), days_ago(number)), NOW).await.unwrap();
    }
    let other_run = RunName { change_id: ChangeId::parse("other").unwrap(), key: RunKey(NOW) };
    for (before, expected) in [
        (Position::Listed { at: Millis(9_999_999_999_999), change_id: id("zzz") }, "X0 X1 X2"),
        (Position::Listed { at: Millis(0), change_id: id("a") }, ""),
        (Position::History { at: days_ago(1), run: other_run }, "X1 X2"),
        (Position::Result(target(1, Scope::Chat)), ""),
    ] {
        let query = ListQuery { before: Some(before.clone()), from: Some(days_ago(9)), ..all() };
        assert_eq!(ids(&table, &query).await, (expected.to_owned(), None), "{before:?}");
    }
}
