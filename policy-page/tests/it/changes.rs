//! The list of changes.

use crate::reading::{lines, links, tags};
use crate::samples::{NOW, frame, freeze, id, listed, who};
use policy_core::origin::TriggerKind;
use policy_core::record::{Counts, Listed, Position, Progress, RecordStatus};
use policy_page::{Changes, Entry};

fn entries() -> Vec<Entry> {
    let running = Listed { counts: Counts::default(), targets: 8, ..listed("CHG-3", RecordStatus::Running) };
    let undo = Listed {
        undoes: Some(id("CHG-1")),
        run: 2,
        dry_run: true,
        reason: None,
        requested_by: None,
        ..listed("CHG-2", RecordStatus::Planned)
    };
    let partial = Listed { undone_by: Some(id("CHG-2")), ..listed("CHG-1", RecordStatus::Partial) };
    vec![
        Entry { listed: running, progress: Some(Progress { targets: 8, done: 3 }) },
        Entry { listed: undo, progress: None },
        Entry { listed: partial, progress: None },
    ]
}

#[test]
fn each_change_has_its_status_its_outcomes_who_and_why() {
    let entries = entries();
    let next = Position::Listed { at: NOW, change_id: id("CHG-1") };
    let shown = Changes { entries: &entries, next: Some(&next), is_first: true, freeze: None };
    let html = shown.render(&frame());
    assert_eq!(
        lines(&html),
        [
            "FleetChanges",
            "Changes",
            "Changes, the newest first",
            "|Change|Status|Targets|Who and why",
            "|CHG-3 2026-03-15 12:00 |◐ running 3 of 8 done, 37 % |8| user/ada account 111122223333 for Anna \"ticket 7\"",
            "|CHG-2 2026-03-15 12:00, run 2, dry run undoes CHG-1 |◇ planned| 3 applied 1 failed | user/ada account 111122223333",
            "|CHG-1 2026-03-15 12:00 undone by CHG-2 |△ partial| 3 applied 1 failed | user/ada account 111122223333 for Anna \"ticket 7\"",
            "Older changes",
            "Read from the ledger at 2026-03-15 12:00, UTC.",
        ]
        .map(|line| line.replace(" 3 applied 1 failed ", " ✓ 3 applied ✗ 1 failed ")),
    );
    let bar = "div class=\"bar\" role=\"progressbar\" aria-label=\"Targets done\" aria-valuemin=\"0\" aria-valuemax=\"100\" \
               aria-valuenow=\"37\"";
    let tags = tags(&html);
    let at = tags.iter().position(|tag| *tag == bar).unwrap();
    assert_eq!(tags[at + 1], "div style=\"width:37%\"");
    assert_eq!(links(&html)[2], r#"{"view":"change","change":"CHG-3"}"#);
    assert_eq!(links(&html)[5], format!(r#"{{"view":"changes","next":"{next}"}}"#));
}

#[test]
fn an_identity_that_is_no_arn_is_shown_whole() {
    for (principal, shown) in [
        (
            "arn:aws:sts::111122223333:assumed-role/Admin/ada:1",
            "assumed-role/Admin/ada:1 account 111122223333",
        ),
        ("arn:aws:iam::111122223333:root", "root account 111122223333"),
        ("arn:aws:s3:::bucket", "arn:aws:s3:::bucket"),
        ("arn:aws:iam::111122223333:", "arn:aws:iam::111122223333:"),
        ("AIDA:a:b:c:d:e", "AIDA:a:b:c:d:e"),
    ] {
        let [mut entry, ..] = <[Entry; 3]>::try_from(entries()).unwrap();
        entry.listed.origin.who = who(principal);
        let shown_by = Changes { entries: &[entry], next: None, is_first: true, freeze: None };
        let said = lines(&shown_by.render(&frame()));
        assert!(said[4].ends_with(&format!("|8| {shown} for Anna \"ticket 7\"")), "{}", said[4]);
    }
}

#[test]
fn a_declaration_is_a_stacks() {
    let [mut entry, ..] = <[Entry; 3]>::try_from(entries()).unwrap();
    let origin = &mut entry.listed.origin;
    (origin.who.principal, origin.who.account, origin.trigger) = (None, None, TriggerKind::Cloudformation);
    let of_a_stack = [entry.clone()];
    entry.listed.origin.trigger = TriggerKind::Http;
    for (entries, said) in
        [(&of_a_stack, "|8| a CloudFormation stack for Anna"), (&[entry], "|8| nobody known for Anna")]
    {
        let shown = Changes { entries, next: None, is_first: true, freeze: None };
        assert!(lines(&shown.render(&frame()))[4].contains(said), "{said}");
    }
}

#[test]
fn the_list_has_an_end_and_a_way_back() {
    let freeze = freeze(true);
    let shown = Changes { entries: &[], next: None, is_first: false, freeze: Some(&freeze) };
    let html = shown.render(&frame());
    let said = lines(&html);
    assert!(said[2].starts_with("Draining. "), "{}", said[2]);
    assert_eq!(said[3..5], ["There are no older changes.", "Newest changes"]);
    let said = lines(&Changes { is_first: true, freeze: None, ..shown }.render(&frame()));
    assert_eq!(said[2], "No change has been recorded yet.");
}

#[test]
fn what_is_done_of_nobody_knows_how_much_has_no_bar() {
    let [entry, ..] = <[Entry; 3]>::try_from(entries()).unwrap();
    for (progress, said) in [
        (Progress { targets: 0, done: 0 }, "0 done"),
        (Progress { targets: 3, done: 3 }, "3 of 3 done, 100 %"),
        (Progress { targets: 3, done: 4 }, "4 of 3 done, 100 %"),
        (Progress { targets: u32::MAX, done: u32::MAX }, "4294967295 of 4294967295 done, 100 %"),
    ] {
        let entries = [Entry { progress: Some(progress), ..entry.clone() }];
        let shown = Changes { entries: &entries, next: None, is_first: true, freeze: None };
        let html = shown.render(&frame());
        assert!(lines(&html)[4].contains(&format!("running {said} |")), "{:?}", lines(&html));
        assert_eq!(html.contains("progressbar"), progress.targets > 0);
    }
}
