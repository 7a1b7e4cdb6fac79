//! One target and its history.

use crate::reading::{lines, links};
use crate::samples::{LANE, MB, NOW, failure, frame, holding, holds, id, intent, name, owner, past, run};
use policy_core::policy::{Configuration, Scope};
use policy_core::record::{Past, Position, TargetRecord};
use policy_core::report::OutcomeKind;
use policy_page::Target;
use std::collections::BTreeMap;

#[test]
fn the_history_says_when_by_whom_why_and_what_was_there_before() {
    let name = name(LANE, 1, Scope::Chat);
    let record = TargetRecord {
        owner: Some(owner()),
        intent: Some(intent("CHG-4")),
        ..holding(holds(10 * MB, &["csv", "pdf", "png"]))
    };
    let failed = Past {
        change_id: id("CHG-2/3"),
        after: None,
        error: Some(failure("NotTaken", "the update did not take effect")),
        who: None,
        ..past("CHG-2", OutcomeKind::Failed)
    };
    let history = [past("CHG-3", OutcomeKind::Applied), failed];
    let reasons = BTreeMap::from([(id("CHG-3"), "ticket 7".to_owned())]);
    let next = Position::History { at: NOW, run: run("CHG-2") };
    let page = Target {
        name: &name,
        record: &record,
        past: &history,
        reasons: &reasons,
        next: Some(&next),
        is_first: false,
    };
    let html = page.render(&frame());
    assert_eq!(
        lines(&html),
        [
            "FleetChanges",
            "CHAT of 00000001-0000-4000-8000-000000000001",
            "Account and Region 111122223333/eu-central-1 Should hold at most 10 MB csv pdf png Last changed 2026-03-15 12:00 by \
             CHG-1 Declared by Policy Older of the stack arn:aws:cloudformation:eu-central-1:111122223333:stack/shops/0b2c Being changed since 2026-03-15 12:00 by CHG-4",
            "History, the newest first",
            "|When and by which change|Outcome|Before → after|Who and why",
            "| 2026-03-15 12:00 CHG-3|✓ applied| 20 MB → 10 MB also +png without −exe | user/ada account 111122223333 \"ticket 7\"",
            "| 2026-03-15 12:00 CHG-2/3|✗ failed NotTaken: the update did not take effect | 20 MB 3 extensions |",
            "Newest entriesOlder entries",
            "Read from the ledger at 2026-03-15 12:00, UTC.",
        ],
    );
    let of = "arn:aws:connect:eu-central-1:111122223333:instance/00000001-0000-4000-8000-000000000001";
    assert_eq!(
        links(&html)[2..],
        [
            r#"{"view":"change","change":"CHG-1"}"#.to_owned(),
            r#"{"view":"change","change":"CHG-4"}"#.to_owned(),
            r#"{"view":"change","change":"CHG-3"}"#.to_owned(),
            // the record of the batch
            r#"{"view":"change","change":"CHG-2"}"#.to_owned(),
            format!(r#"{{"view":"target","instance":"{of}","scope":"CHAT"}}"#),
            format!(r#"{{"view":"target","instance":"{of}","scope":"CHAT","next":"{next}"}}"#),
        ]
    );
}

#[test]
fn a_drift_is_said_first() {
    let name = name(LANE, 1, Scope::Chat);
    let drift = holds(30 * MB, &["csv", "zip"]);
    let record = TargetRecord { drift, ..holding(holds(10 * MB, &["csv"])) };
    let reasons = BTreeMap::new();
    let page =
        Target { name: &name, record: &record, past: &[], reasons: &reasons, next: None, is_first: true };
    assert_eq!(
        lines(&page.render(&frame()))[2],
        "Drifted △ It was last seen to hold something else: 10 MB → 30 MB also +zip The audit says when, and who changed it \
         where that is known. Restore the target to put it back, or send a change to these values to accept them. Account and Region 111122223333/eu-central-1 Should hold at most 10 MB csv Last changed \
         2026-03-15 12:00 by CHG-1"
    );
}

#[test]
fn a_target_that_nobody_governed_is_said_to_be_that() {
    let name = name("self/us-east-1", 1, Scope::Email);
    let record = TargetRecord::default();
    let reasons = BTreeMap::new();
    let page =
        Target { name: &name, record: &record, past: &[], reasons: &reasons, next: None, is_first: true };
    let said = lines(&page.render(&frame()));
    assert_eq!(
        said[2..4],
        [
            "Account and Region self/us-east-1 Should hold nothing: it has not been governed yet",
            "No change is on record for this target."
        ]
    );
    let held = Configuration { maximum_size_limit_in_bytes: None, allowed_extensions: Some([].into()) };
    let record = TargetRecord { held, ..TargetRecord::default() };
    let said = lines(&Target { record: &record, is_first: false, ..page }.render(&frame()));
    assert_eq!(
        said[2..4],
        ["Account and Region self/us-east-1 Should hold no extension", "There is nothing older."]
    );
}
