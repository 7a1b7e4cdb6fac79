//! The fleet, compared.

use crate::reading::{lines, links, tags};
use crate::samples::{LANE, MB, OTHER_LANE, frame, freeze, holding, holds, intent, list, name, owner};
use policy_core::policy::{Configuration, Scope};
use policy_core::record::{LaneName, TargetName, TargetRecord};
use policy_core::trigger::widget::{Look, Theme};
use policy_page::{Fleet, Frame};
use time::macros::offset;

const USUAL: [&str; 3] = ["csv", "pdf", "png"];

/// Two accounts; one instance differs in two scopes, one is being changed, one has a scope that nobody governs.
fn targets() -> Vec<(TargetName, TargetRecord)> {
    let usual = || holding(holds(20 * MB, &USUAL));
    let mut all = Vec::new();
    for (lane, number) in [(OTHER_LANE, 9), (LANE, 1), (LANE, 2), (LANE, 3)] {
        for scope in [Scope::Email, Scope::Chat, Scope::Case] {
            all.push((name(lane, number, scope), usual()));
        }
    }
    all[4].1.held = holds(20 * MB, &["csv", "exe", "pdf", "png", "zip"]);
    all[5].1.held = holds(1_572_864, &["csv"]);
    all[2].1.drift = Configuration { maximum_size_limit_in_bytes: Some(30 * MB), allowed_extensions: None };
    all[3].1.owner = Some(owner());
    all[7].1.intent = Some(intent("CHG-2"));
    all[8].1.held =
        Configuration { maximum_size_limit_in_bytes: None, allowed_extensions: Some(list(&USUAL)) };
    all[11].1.held = Configuration { maximum_size_limit_in_bytes: Some(20 * MB), allowed_extensions: None };
    all.push((
        name(LANE, 3, Scope::Task),
        TargetRecord { intent: Some(intent("CHG-2")), rev: 1, ..TargetRecord::default() },
    ));
    all
}

fn fleet(targets: &[(TargetName, TargetRecord)]) -> Fleet<'_> {
    Fleet { lane: None, differing: false, page: 1, targets, is_whole: true, freeze: None }
}

#[test]
fn every_instance_is_beside_what_is_usual() {
    let targets = targets();
    let html = fleet(&targets).render(&frame());
    let said = lines(&html);
    assert_eq!(
        said,
        [
            "FleetChanges",
            "Attachment policies",
            "4 instances, 13 targets. 1 instance differs from the rest. 1 target drifted. 2 targets being changed.",
            "Show only those that differ or drifted",
            "What each instance should hold, by scope. Where a cell names no list, it is the most common one.",
            "|Instance|EMAIL|CHAT|CASE|TASK",
            "|Most common size| 20 MB | 20 MB | 20 MB |–",
            "|Most common list| 3 extensions: csv pdf png | 3 extensions: csv pdf png | 3 extensions: csv pdf png |–",
            "|111122223333/eu-central-1",
            "|00000001-0000-4000-8000-000000000001|20 MB 2026-03-15 declared by shops |20 MB 2026-03-15 ≠ also +exe also +zip |≠ 1,536 KB 2026-03-15 ≠ without −pdf without −png |not governed",
            "|00000002-0000-4000-8000-000000000001|20 MB 2026-03-15|20 MB 2026-03-15 ◐ being changed |size not governed 2026-03-15|not governed",
            "|00000003-0000-4000-8000-000000000001|20 MB 2026-03-15|20 MB 2026-03-15|20 MB 2026-03-15 list not governed |nothing yet ◐ being changed",
            "|444455556666/eu-west-2",
            "|00000009-0000-4000-8000-000000000001|20 MB 2026-03-15|20 MB 2026-03-15|20 MB 2026-03-15 △ drifted 20 MB → 30 MB |not governed",
            "Read from the ledger at 2026-03-15 12:00, UTC.",
        ],
    );
    assert_eq!(tags(&html).iter().filter(|tag| **tag == "td class=\"differs\"").count(), 3);
}

#[test]
fn a_list_that_is_usual_in_every_scope_is_shown_once() {
    let of = |(scope, list)| (name(LANE, 1, scope), holding(holds(MB, list)));
    let lists = |last| Scope::ALL.into_iter().zip([&USUAL[..], &USUAL, &USUAL, last]);
    let targets: Vec<_> = lists(&USUAL).map(of).collect();
    let html = fleet(&targets).render(&frame());
    assert_eq!(lines(&html)[6], "|Most common list| 3 extensions: csv pdf png");
    assert!(tags(&html).contains(&"td colspan=\"4\""));
    let targets: Vec<_> = lists(&USUAL[1..]).map(of).collect();
    assert!(
        lines(&fleet(&targets).render(&frame()))[6]
            .ends_with(" 3 extensions: csv pdf png | 2 extensions: pdf png")
    );
}

#[test]
fn a_table_has_a_caption_and_headings_for_rows_columns_and_groups() {
    let targets = targets();
    let html = fleet(&targets).render(&frame());
    let count = |tag: &str| tags(&html).iter().filter(|found| **found == tag).count();
    assert_eq!(
        (count("caption"), count("th scope=\"col\""), count("th scope=\"row\"")),
        (1, 5, 6),
        "five columns; the usual sizes and lists, and four instances"
    );
    assert_eq!(count("th scope=\"rowgroup\" colspan=\"5\""), 2);
}

#[test]
fn a_link_calls_the_function_for_the_target_or_the_account_and_region() {
    let targets = targets();
    let html = fleet(&targets).render(&frame());
    let links = links(&html);
    assert_eq!(
        links[..3],
        [r#"{"view":"fleet"}"#, r#"{"view":"changes"}"#, r#"{"view":"fleet","differing":true}"#]
    );
    assert_eq!(links[3], r#"{"view":"fleet","lane":"111122223333/eu-central-1"}"#);
    assert_eq!(
        links[4],
        r#"{"view":"target","instance":"arn:aws:connect:eu-central-1:111122223333:instance/00000001-0000-4000-8000-000000000001","scope":"EMAIL"}"#
    );
    assert_eq!(links.len(), 5 + 13, "and one for each further target and account");
    let actions: Vec<_> = tags(&html).into_iter().filter(|tag| tag.starts_with("cwdb-action")).collect();
    let own = "cwdb-action action=\"call\" display=\"widget\" \
               endpoint=\"arn:aws:lambda:eu-central-1:111122223333:function:widget\"";
    assert_eq!(actions, vec![own; links.len()], "every action is a read of this function");
}

#[test]
fn only_those_that_differ_or_drifted_are_shown_where_that_is_asked_for() {
    let targets = targets();
    let asked = Fleet { differing: true, ..fleet(&targets) };
    let said = lines(&asked.render(&frame()));
    assert_eq!(said[3], "Show every instance");
    let rows: Vec<_> = said.iter().filter(|line| line.starts_with("|0000")).collect();
    assert_eq!(rows.len(), 2, "{said:#?}");
    assert!(rows[0].starts_with("|00000001-") && rows[1].starts_with("|00000009-"), "{rows:?}");
    let same = [(name(LANE, 1, Scope::Chat), holding(holds(MB, &["pdf"])))];
    let said = lines(&Fleet { differing: true, ..fleet(&same) }.render(&frame()));
    assert_eq!(
        said[2..5],
        [
            "1 instance, 1 target. All hold the same.",
            "Show every instance",
            "No instance differs, and none has drifted."
        ]
    );
}

#[test]
fn a_fleet_of_an_account_says_so_and_leads_back() {
    let targets = targets();
    let lane = LaneName::parse(LANE).unwrap();
    let asked = Fleet { lane: Some(&lane), is_whole: false, ..fleet(&targets[3..]) };
    let said = lines(&asked.render(&frame()));
    // two sizes of CASE are equally common here, and the smaller one is usual
    assert_eq!(
        said[2],
        "3 instances, 10 targets in 111122223333/eu-central-1. 3 instances differ from the rest. 2 targets being changed. \
         These are not all: choose an account and Region."
    );
    assert_eq!(said[3], "Show only those that differ or driftedShow every account and Region");
}

#[test]
fn fifty_instances_are_on_a_page() {
    let of = |number| (name(LANE, number, Scope::Chat), holding(holds(MB, &["pdf"])));
    let targets: Vec<_> = (1..=101).map(of).collect();
    for (page, first, rows, ways) in [
        (1, "|00000001-", 50, "More instances"),
        (2, "|00000051-", 50, "Previous instancesMore instances"),
        (3, "|00000101-", 1, "Previous instances"),
    ] {
        let said = lines(&Fleet { page, ..fleet(&targets) }.render(&frame()));
        let found: Vec<_> = said.iter().filter(|line| line.starts_with("|0000")).collect();
        assert_eq!((found.len(), found[0].starts_with(first)), (rows, true), "page {page}: {said:#?}");
        assert_eq!(said[said.len() - 2], ways, "page {page}");
    }
    let said = lines(&Fleet { page: u32::MAX, ..fleet(&targets) }.render(&frame()));
    assert_eq!(said[3..5], ["There are no more instances.", "Previous instances"]);
}

#[test]
fn a_freeze_is_said_first() {
    let targets = targets();
    for (drain, text) in [
        (
            false,
            "Frozen. Since 2026-03-15 12:00 by arn:aws:iam::111122223333:user/ada. No change begins. \
             Reason: \"an audit of <all> instances\"",
        ),
        (
            true,
            "Draining. Since 2026-03-15 12:00 by arn:aws:iam::111122223333:user/ada. Accepted changes go on, and no new one \
             is taken. Reason: \"an audit of <all> instances\"",
        ),
    ] {
        let freeze = freeze(drain);
        let said = lines(&Fleet { freeze: Some(&freeze), ..fleet(&targets) }.render(&frame()));
        assert_eq!(said[2], text);
    }
}

#[test]
fn an_empty_ledger_is_said_to_be_empty() {
    let said = lines(&fleet(&[]).render(&frame()));
    assert_eq!(
        said[2..4],
        ["0 instances, 0 targets. All hold the same.", "No target has been governed yet."]
    );
}

#[test]
fn a_page_is_in_the_viewers_theme_and_time() {
    let look = Look { theme: Theme::Dark, offset: offset!(+14) };
    let targets = targets();
    let html = fleet(&targets).render(&Frame { look, ..frame() });
    assert!(
        html.starts_with("<div class=\"ap cwdb-no-default-styles dark\" lang=\"en\"><style>"),
        "{}",
        &html[..80]
    );
    let said = lines(&html);
    assert_eq!(said.last().unwrap(), "Read from the ledger at 2026-03-16 02:00, UTC+14:00.");
    assert!(said[10].contains("2026-03-16"), "{}", said[10]);
}
