//! The results of a run, page by page.

use super::samples::{LANE, NOW, OTHER_LANE, lane, result, run, target};
use super::table::Table;
use connect_attachment_policy::ledger::{Note, Page, ResultsQuery, WithResult};
use policy_core::policy::Scope;
use policy_core::record::{Position, RecordedResult, TargetName};
use policy_core::report::OutcomeKind;

fn elsewhere() -> TargetName {
    TargetName::parse(&format!("{OTHER_LANE}#00000001-0000-4000-8000-000000000001#CHAT")).unwrap()
}

/// Results of six targets, two of which are blocked, in the order of the table; and one of another run.
async fn filled() -> (Table, Vec<RecordedResult>) {
    let table = Table::new().await;
    let names = [
        (target(1, Scope::Chat), OutcomeKind::Applied),
        (target(1, Scope::Email), OutcomeKind::Blocked),
        (target(1, Scope::Task), OutcomeKind::Applied),
        (target(2, Scope::Case), OutcomeKind::Unknown),
        (target(2, Scope::Chat), OutcomeKind::Blocked),
        (elsewhere(), OutcomeKind::Applied),
    ];
    let results: Vec<_> = names.iter().map(|(name, outcome)| result(name, "X", *outcome)).collect();
    for result in results.iter().rev() {
        table.note(&run("X"), result, Note::default()).await.unwrap();
    }
    table
        .note(&run("Y"), &result(&target(1, Scope::Chat), "Y", OutcomeKind::Failed), Note::default())
        .await
        .unwrap();
    (table, results)
}

async fn page(
    table: &Table,
    after: Option<&TargetName>,
    outcome: Option<OutcomeKind>,
    limit: usize,
) -> Page<RecordedResult> {
    let query = ResultsQuery { after: after.cloned(), outcome, limit, is_current: false };
    table.results(&run("X"), &query).await.unwrap()
}

#[tokio::test]
async fn results_come_in_the_order_of_their_targets_and_in_pages() {
    let (table, all) = filled().await;
    let at = |result: &RecordedResult| Some(Position::Result(result.target.clone()));
    for limit in [6, 7, 100] {
        assert_eq!(page(&table, None, None, limit).await, Page { items: all.clone(), next: None });
    }
    table.requests();
    let first = page(&table, None, None, 4).await;
    let whole = page(&table, None, None, 6).await;
    assert_eq!((whole.next, table.requests().len()), (None, 2), "one request each");
    assert_eq!(first, Page { items: all[..4].to_vec(), next: at(&all[3]) });
    let second = page(&table, Some(&all[3].target), None, 4).await;
    assert_eq!(second, Page { items: all[4..].to_vec(), next: None });
    // from the last one on, and from a target that has no result
    assert_eq!(page(&table, Some(&all[5].target), None, 4).await, Page { items: vec![], next: None });
    let between = target(1, Scope::Case);
    assert_eq!(
        page(&table, Some(&between), None, 1).await,
        Page { items: all[..1].to_vec(), next: at(&all[0]) }
    );
}

#[tokio::test]
async fn results_of_one_outcome_are_paged_like_all() {
    let (table, all) = filled().await;
    let blocked = vec![all[1].clone(), all[4].clone()];
    let of = Some(OutcomeKind::Blocked);
    assert_eq!(page(&table, None, of, 2).await, Page { items: blocked.clone(), next: None });
    let first = page(&table, None, of, 1).await;
    let next = Some(Position::Result(blocked[0].target.clone()));
    assert_eq!(first, Page { items: blocked[..1].to_vec(), next });
    let second = page(&table, Some(&blocked[0].target), of, 1).await;
    assert_eq!(second, Page { items: blocked[1..].to_vec(), next: None });
    assert_eq!(page(&table, None, Some(OutcomeKind::Planned), 9).await, Page { items: vec![], next: None });
}

#[tokio::test]
async fn a_filtered_page_ends_where_four_requests_have_read() {
    let table = Table::new().await;
    // 100 KB each: four requests of 1 MB read ten each
    let long = "x".repeat(100_000);
    let mut names = Vec::new();
    for number in 0..60 {
        let name = target(number, Scope::Chat);
        let outcome = if number % 50 == 0 { OutcomeKind::Blocked } else { OutcomeKind::Applied };
        let result = RecordedResult { request_id: Some(long.clone()), ..result(&name, "X", outcome) };
        table.note(&run("X"), &result, Note::default()).await.unwrap();
        names.push(name);
    }
    table.requests();
    let first = page(&table, None, Some(OutcomeKind::Blocked), 2).await;
    assert_eq!(table.requests().len(), 4);
    assert_eq!(first.items.iter().map(|result| &result.target).collect::<Vec<_>>(), [&names[0]]);
    assert_eq!(first.next, Some(Position::Result(names[39].clone())));
    let second = page(&table, Some(&names[39]), Some(OutcomeKind::Blocked), 2).await;
    assert_eq!(second.items.iter().map(|result| &result.target).collect::<Vec<_>>(), [&names[50]]);
    assert_eq!(second.next, None);
    // names alone, as far as so many requests get
    let mut requests = 2;
    let some = table.with_result(&run("X"), &lane(LANE), Some(&names[5]), &mut requests).await.unwrap();
    assert_eq!((requests, some.names.len(), some.until.as_ref()), (0, 20, Some(&names[24])));
    let rest = table.with_result(&run("X"), &lane(LANE), some.until.as_ref(), &mut 9).await.unwrap();
    assert_eq!((rest.names.first(), rest.names.len(), rest.until), (Some(&names[24]), 36, None));
    // at least one request, and no other lane
    let none = table.with_result(&run("X"), &lane(OTHER_LANE), None, &mut 0).await.unwrap();
    assert_eq!(none, WithResult::default());
    table.requests();
    let many = page(&table, None, Some(OutcomeKind::Applied), 5).await;
    assert_eq!((many.items.len(), table.requests().len()), (5, 1), "no more is read than is shown");
    // the whole of a lane, however many requests that takes
    assert_eq!(table.results_in_lane(&run("X"), &lane(LANE)).await.unwrap().len(), 60);
}

#[tokio::test]
async fn a_lanes_results_and_a_targets_are_read_whole() {
    let (table, all) = filled().await;
    assert_eq!(table.results_in_lane(&run("X"), &lane(LANE)).await.unwrap(), all[..5]);
    assert_eq!(table.results_in_lane(&run("X"), &lane(OTHER_LANE)).await.unwrap(), all[5..]);
    assert_eq!(table.result(&run("X"), &elsewhere()).await.unwrap().as_ref(), all.last());
    assert_eq!(table.result(&run("Y"), &elsewhere()).await.unwrap(), None);
}

#[tokio::test]
async fn a_bare_result_is_read_as_it_was_stored_and_expires_after_its_change() {
    let table = Table::new().await;
    let bare = RecordedResult {
        before: None,
        after: None,
        error: None,
        attempts: 0,
        request_id: None,
        last_modified: None,
        who: None,
        ..result(&target(1, Scope::Chat), "X/3", OutcomeKind::Superseded)
    };
    table.note(&run("X"), &bare, Note::default()).await.unwrap();
    assert_eq!(table.results_in_lane(&run("X"), &lane(LANE)).await.unwrap(), [bare]);
    let item = table.item(&format!("run#X#{NOW}"), &target(1, Scope::Chat).to_string());
    assert_eq!(item["ttl"]["N"], (NOW.0 / 1_000 + 407 * 86_400).to_string());
}
