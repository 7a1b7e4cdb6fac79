//! One change.

use crate::reading::{lines, links};
use crate::samples::{
    LANE, MB, NOW, OTHER_LANE, change, counts, failure, frame, holds, id, name, part, result, who,
};
use policy_core::declare::RequestType;
use policy_core::failure::{ErrorCode, Failure};
use policy_core::policy::{OnDelete, Scope, Violation, ViolationCode};
use policy_core::record::{
    ChangeRecord, Declared, Halt, Halted, LanePart, LaneState, Mode, RecordStatus, RecordedResult, Relations,
    Standing, Untouched,
};
use policy_core::report::OutcomeKind;
use policy_page::{Change, Nothing};
use serde_json::value::RawValue;

fn shown<'a>(change: &'a ChangeRecord, lanes: &'a [LanePart], results: &'a [RecordedResult]) -> Change<'a> {
    Change { change, lanes, document: None, results, untouched: &[], outcome: None, next: None }
}

#[test]
fn a_running_change_shows_how_far_each_account_is_and_what_became_of_its_targets() {
    let record = change("CHG-1", RecordStatus::Running);
    let stuck = LanePart {
        error: Some(failure("AssumeRoleFailed", "the role cannot be assumed")),
        ..part(OTHER_LANE, LaneState::Open, 4, 0)
    };
    let lanes = [part(LANE, LaneState::Open, 4, 3), stuck];
    let failed = RecordedResult {
        before: None,
        after: None,
        error: Some(failure("AccessDeniedException", "not authorized")),
        ..result(name(LANE, 2, Scope::Chat), OutcomeKind::Failed)
    };
    let unchanged = RecordedResult {
        before: Some(holds(10 * MB, &["pdf"])),
        after: Some(holds(10 * MB, &["pdf"])),
        ..result(name(LANE, 3, Scope::Chat), OutcomeKind::Unchanged)
    };
    let results = [result(name(LANE, 1, Scope::Chat), OutcomeKind::Applied), failed, unchanged];
    let document: Box<RawValue> = serde_json::from_str(r#"{"instanceId":"*","reason":"<b>"}"#).unwrap();
    let next = name(LANE, 3, Scope::Chat);
    let page = Change { document: Some(&document), next: Some(&next), ..shown(&record, &lanes, &results) };
    let html = page.render(&frame());
    assert_eq!(
        lines(&html),
        [
            "FleetChanges",
            "Change CHG-1",
            "Status ◐ running Targets 3 of 8 done, 37 % Submitted 2026-03-15 12:00 \
             Who arn:aws:iam::111122223333:user/ada verified by api-gateway-iam, came as http from \
             apigateway.amazonaws.com, 192.0.2.1 for Anna Reason \"ticket 7\"",
            "The document",
            r#"{"instanceId":"*","reason":"<b>"}"#,
            "Accounts and Regions",
            "|Account and Region|State|Targets",
            "|111122223333/eu-central-1|open| 3 of 4 done, 75 %",
            "|444455556666/eu-west-2|open AssumeRoleFailed: the role cannot be assumed | 0 of 4 done, 0 %",
            "Targets that have a result",
            "|Target|Outcome|Before → after",
            "|00000001-0000-4000-8000-000000000001 CHAT 111122223333/eu-central-1 |✓ applied| 20 MB → 10 MB also +png without −exe",
            "|00000002-0000-4000-8000-000000000001 CHAT 111122223333/eu-central-1 |✗ failed AccessDeniedException: not authorized |",
            "|00000003-0000-4000-8000-000000000001 CHAT 111122223333/eu-central-1 |= unchanged| 10 MB 1 extension",
            "More targets",
            "Read from the ledger at 2026-03-15 12:00, UTC.",
        ],
    );
    let token = policy_core::record::Position::Result(next.clone()).to_string();
    assert_eq!(
        links(&html).last().unwrap(),
        &format!(r#"{{"view":"change","change":"CHG-1","next":"{token}"}}"#)
    );
}

#[test]
fn a_change_that_has_ended_shows_its_counts_its_relations_and_who_ended_it() {
    let halt = Halt {
        as_what: Halted::Cancelled,
        at: NOW,
        who: who("arn:aws:iam::111122223333:user/bert"),
        reason: Some("too early".to_owned()),
    };
    let record = ChangeRecord {
        mode: Mode::Inline,
        counts: counts(&[(OutcomeKind::Applied, 3), (OutcomeKind::Skipped, 5)]),
        halt: Some(halt),
        dry_run: true,
        run: 3,
        reason: None,
        requested_by: None,
        relations: Relations {
            undoes: Some(id("A")),
            undone_by: Some(id("B")),
            applies: Some(id("C")),
            applied_by: Some(id("D")),
        },
        ..change("CHG-1", RecordStatus::Cancelled)
    };
    let skipped = Untouched {
        target: name(LANE, 7, Scope::Case),
        change_id: id("CHG-1"),
        standing: Standing { outcome: OutcomeKind::Skipped, why: Some(Failure::new(ErrorCode::Cancelled)) },
    };
    let untouched = [skipped];
    let page =
        Change { untouched: &untouched, outcome: Some(OutcomeKind::Skipped), ..shown(&record, &[], &[]) };
    let html = page.render(&frame());
    let said = lines(&html);
    assert_eq!(
        said[2],
        "Status ■ cancelled, dry run, run 3 Targets 8 of 8 done, 100 % ✓ 3 applied – 5 skipped Submitted 2026-03-15 12:00 \
         Ended 2026-03-15 12:00 Who arn:aws:iam::111122223333:user/ada verified by api-gateway-iam, came as http from \
         apigateway.amazonaws.com, 192.0.2.1 Ended early by arn:aws:iam::111122223333:user/bert, 2026-03-15 12:00: \
         \"too early\" Undoes A Undone by B Carries out the dry run C Carried out by D"
    );
    assert_eq!(said[3], "Targets: skipped");
    let why = Failure::new(ErrorCode::Cancelled);
    assert_eq!(
        said[5],
        format!(
            "|00000007-0000-4000-8000-000000000001 CASE 111122223333/eu-central-1 |– skipped Cancelled: {} |",
            why.message()
        )
    );
    assert_eq!(said[6], "Targets of every outcome");
    assert_eq!(links(&html)[2], r#"{"view":"change","change":"CHG-1","outcome":"applied"}"#);
    assert_eq!(links(&html)[4], r#"{"view":"change","change":"A"}"#);
}

#[test]
fn a_declaration_names_its_resource_and_its_stack() {
    let declared = Declared {
        stack_id: "arn:aws:cloudformation:eu-central-1:111122223333:stack/shops/0b2c".to_owned(),
        logical_id: "Policy".to_owned(),
        generation: 1,
        kind: RequestType::Create,
        on_delete: OnDelete::Retain,
        last_success: None,
        left: 0,
    };
    let record = ChangeRecord { declared: Some(declared), ..change("CHG-1", RecordStatus::Succeeded) };
    let said = lines(&shown(&record, &[], &[]).render(&frame()));
    let of = "Declared by Policy of the stack arn:aws:cloudformation:eu-central-1:111122223333:stack/shops/0b2c Reason";
    assert!(said[2].contains(of), "{}", said[2]);
}

#[test]
fn a_check_for_drift_says_that_it_is_one() {
    let record = ChangeRecord { dry_run: true, checks_drift: true, ..change("CHG-1", RecordStatus::Planned) };
    let said = lines(&shown(&record, &[], &[]).render(&frame()));
    assert!(said[2].starts_with("Status ◇ planned, check for drift Targets "), "{}", said[2]);
}

#[test]
fn a_rejected_event_shows_its_violations() {
    let violation = Violation {
        pointer: "/maximumSize".to_owned(),
        code: ViolationCode::InvalidSize,
        message: "must be a number and a unit".to_owned(),
    };
    let record =
        ChangeRecord { violations: vec![violation], targets: 0, ..change("CHG-1", RecordStatus::Rejected) };
    let said = lines(&shown(&record, &[], &[]).render(&frame()));
    assert!(
        said[2].ends_with("Violations InvalidSize at /maximumSize: must be a number and a unit"),
        "{}",
        said[2]
    );
    assert!(said[2].starts_with("Status ✗ rejected Targets 0 done "), "{}", said[2]);
    assert_eq!(said[3], "No target has a result yet.");
}

#[test]
fn a_parked_account_is_shown_though_it_is_the_only_one() {
    let record = change("CHG-1", RecordStatus::Incomplete);
    let parked = LanePart { error: Some(failure("X", "y")), ..part(LANE, LaneState::Parked, 4, 0) };
    let said = lines(&shown(&record, &[parked], &[]).render(&frame()));
    assert_eq!(said[5], "|111122223333/eu-central-1|parked X: y | 0 done");
    let said = lines(&shown(&record, &[part(LANE, LaneState::Open, 4, 0)], &[]).render(&frame()));
    assert_eq!(said[3], "No target has a result yet.");
}

#[test]
fn a_long_document_is_cut() {
    let record = change("CHG-1", RecordStatus::Running);
    let document = format!("\"{}\"", "ä".repeat(4_000));
    let document: Box<RawValue> = serde_json::from_str(&document).unwrap();
    let page = Change { document: Some(&document), ..shown(&record, &[], &[]) };
    let said = lines(&page.render(&frame()));
    assert_eq!(said[4], format!("\"{}…", "ä".repeat(1_999)));
}

#[test]
fn where_there_is_nothing_to_show_the_page_says_why() {
    let unclear = policy_core::trigger::widget::Unclear::Value { name: "page", expected: "a number from 1" };
    for (why, text) in [
        (Nothing::NoSuchChange, "There is no record of this change, or it has expired."),
        (Nothing::Unread, "The ledger could not be read. Refresh the widget to try again."),
        (Nothing::Unclear(&unclear), "the parameter `page` must be a number from 1"),
    ] {
        assert_eq!(lines(&frame().nothing(why))[1..3], ["Nothing to show", text]);
    }
}
