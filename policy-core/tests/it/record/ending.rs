//! What an update's outcome makes of its intent, and what a read makes of one without: docs/ledger.md, "what the update
//! brought" and "settle", row by row.

use super::{NOW, at, held, id, recorded, run};
use policy_core::failure::{ErrorCode, Failure};
use policy_core::policy::{Configuration, ExtensionSet, MaxSize, Values};
use policy_core::record::{
    CUT_OFF, Closing, Ending, GIVE_UP_READING, Intent, LAST_ATTEMPT, LEASE, Members, Millis, Order, ReadBack,
    RecordedError, RecordedResult, Settled, TargetRecord, closing_of, ending, settle,
};
use policy_core::report::{Outcome, OutcomeKind};

const SIZE: Members = Members { size: true, extensions: false };
const LIST: Members = Members { size: false, extensions: true };

fn values(size: Option<i128>, list: Option<&[&str]>) -> Values {
    Values {
        max_size: size.map(|size| MaxSize::from_bytes(size).unwrap()),
        extensions: list.map(|list| ExtensionSet::parse(list.iter().copied()).unwrap()),
    }
}

fn order(seconds: i64) -> Order {
    Order { accepted: at(seconds), change_id: id("CHG-1") }
}

fn before() -> Configuration {
    held(5, &["CSV", "pdf"])
}

/// An intent of a target that held [`before`].
fn intent(named: Members, values: &Values) -> Intent {
    let record = TargetRecord {
        set_size: Some(order(-1)),
        set_extensions: Some(order(-2)),
        ..TargetRecord::default()
    };
    record.intend("i".to_owned(), NOW, run("CHG-1", 0), order(0), named, values, &before())
}

/// Both members are named and sent: 7 bytes, `docx`.
fn both() -> Intent {
    intent(Members::ALL, &values(Some(7), Some(&["docx"])))
}

fn failed(code: ErrorCode, after: Option<Configuration>) -> Outcome {
    Outcome::Failed { before: Some(before()), after, why: Failure::new(code) }
}

fn dropped(last: bool) -> Closing {
    Closing { give_back: true, last, ..Closing::default() }
}

fn applied(held: Configuration) -> Closing {
    Closing { held, applied: true, last: true, ends_drift: true, ..Closing::default() }
}

#[test]
fn an_intent_has_what_is_sent_and_what_it_replaces() {
    let intent = intent(LIST, &values(None, Some(&["docx"])));
    assert_eq!((intent.begun, intent.until, intent.before.clone()), (NOW, at(60), before()));
    let list = Some(["docx".to_owned()].into());
    let expected = Configuration { maximum_size_limit_in_bytes: None, allowed_extensions: list };
    assert_eq!((intent.values.clone(), intent.sent(), intent.named), (expected, LIST, LIST));
    assert_eq!((intent.was_size, intent.was_extensions), (None, Some(order(-2))));
    assert_eq!((both().was_size, both().was_extensions), (Some(order(-1)), Some(order(-2))));
    // what is sent is named, whoever says otherwise
    assert_eq!(self::intent(LIST, &values(Some(7), None)).named, Members::ALL);
}

/// An attempt of at most 7 s ends before the call is cut off, and that 5 s before others begin.
#[test]
fn the_times_of_a_lease_leave_room_for_each_other() {
    assert_eq!([LAST_ATTEMPT, CUT_OFF, LEASE].map(|time| time.as_secs()), [48, 55, 60]);
}

#[test]
fn what_is_applied_is_held_from_then_on() {
    let after = held(7, &["docx"]);
    let outcome = Outcome::Applied { before: before(), after: after.clone(), unrecorded: None };
    assert_eq!(ending(&both(), &outcome, false), Ending::Close(applied(after.clone())));
    // an earlier attempt may still land: nobody begins until it has
    let quiet = Closing { quiet: Some(at(60)), ..applied(after) };
    assert_eq!(ending(&both(), &outcome, true), Ending::Close(quiet));
}

/// Of the named members, those that were not sent should hold what the change found there.
#[test]
fn what_was_not_sent_is_held_as_it_was_found() {
    let after = held(7, &["exe"]);
    let outcome = Outcome::Applied { before: before(), after: after.clone(), unrecorded: None };
    let only_size = values(Some(7), None);
    let Ending::Close(closing) = ending(&intent(Members::ALL, &only_size), &outcome, false) else {
        panic!("kept")
    };
    assert_eq!(closing.held, held(7, &["CSV", "pdf"]));
    // a member that is not named stays as it was
    let Ending::Close(closing) = ending(&intent(SIZE, &only_size), &outcome, false) else { panic!("kept") };
    assert_eq!(closing.held, SIZE.within(&after));
    // and one that was never seen is what is there now
    let unseen = Intent { before: SIZE.within(&before()), ..intent(Members::ALL, &only_size) };
    let Ending::Close(closing) = ending(&unseen, &outcome, false) else { panic!("kept") };
    assert_eq!(closing.held, after);
    let only_list = values(None, Some(&["exe"]));
    let Ending::Close(closing) = ending(&intent(Members::ALL, &only_list), &outcome, false) else {
        panic!("kept")
    };
    assert_eq!(closing.held, held(5, &["exe"]));
}

/// That update took effect: an older change must not follow, and nobody calls it a drift.
#[test]
fn an_answer_with_other_values_is_held_and_keeps_its_time() {
    let answered = held(6, &["docx"]);
    let outcome = failed(ErrorCode::ResponseDiffers, Some(answered.clone()));
    let closing = Closing { held: answered, last: true, ends_drift: true, ..Closing::default() };
    assert_eq!(ending(&both(), &outcome, false), Ending::Close(closing.clone()));
    let quiet = Closing { quiet: Some(at(60)), ..closing.clone() };
    assert_eq!(ending(&both(), &outcome, true), Ending::Close(quiet));
    // where its audit line is missing, the run is not done
    let unrecorded = outcome.unrecorded(Failure::new(ErrorCode::AuditUnavailable));
    assert_eq!(ending(&both(), &unrecorded, false), Ending::Close(Closing { last: false, ..closing }));
    // without the answer it is a failure like others
    let silent = failed(ErrorCode::ResponseDiffers, None);
    assert_eq!(ending(&both(), &silent, false), Ending::Close(dropped(true)));
}

#[test]
fn what_was_refused_gives_its_time_back() {
    for (code, last) in [
        (ErrorCode::InvalidParameterException, true),
        (ErrorCode::AccessDeniedException, true),
        (ErrorCode::ThrottlingException, false),
        (ErrorCode::AuditUnavailable, false),
    ] {
        // also where it was looked at afterwards
        for after in [None, Some(before())] {
            assert_eq!(ending(&both(), &failed(code, after), false), Ending::Close(dropped(last)), "{code}");
        }
    }
    let pending = Outcome::Pending { before: Some(before()), why: Failure::new(ErrorCode::NoTimeLeft) };
    assert_eq!(ending(&both(), &pending, false), Ending::Close(dropped(false)));
    // nothing else follows an intent; if it did, nothing was sent
    for outcome in [
        Outcome::Superseded { held: Some(before()), why: Failure::new(ErrorCode::NewerChange) },
        Outcome::Blocked { held: None, why: Failure::new(ErrorCode::SizeBlocked) },
        Outcome::Skipped { why: Failure::new(ErrorCode::Cancelled) },
        Outcome::Unchanged { held: before() },
        Outcome::Planned { before: before(), after: before() },
    ] {
        assert_eq!(ending(&both(), &outcome, false), Ending::Close(dropped(true)), "{outcome:?}");
        assert_eq!(ending(&both(), &outcome, true), Ending::Keep, "{outcome:?}");
    }
}

#[test]
fn what_may_still_land_keeps_its_intent() {
    for code in [
        ErrorCode::ConnectionFailed,
        ErrorCode::DeadlineExceeded,
        // an attempt before it had no answer
        ErrorCode::InvalidParameterException,
    ] {
        for after in [None, Some(before())] {
            assert_eq!(ending(&both(), &failed(code, after), true), Ending::Keep, "{code}");
        }
    }
    let unknown = Outcome::Unknown { before: before(), why: Failure::new(ErrorCode::ConnectionFailed) };
    for unanswered in [false, true] {
        assert_eq!(ending(&both(), &unknown, unanswered), Ending::Keep);
        // applied, but its audit line is missing: whoever settles it writes it
        let unrecorded = Some(Failure::new(ErrorCode::AuditUnavailable));
        let applied = Outcome::Applied { before: before(), after: held(7, &["docx"]), unrecorded };
        assert_eq!(ending(&both(), &applied, unanswered), Ending::Keep);
    }
}

fn settled(
    outcome: OutcomeKind,
    code: Option<ErrorCode>,
    after: Option<Configuration>,
    closing: Closing,
) -> Settled {
    Settled { outcome, done: closing.last, code, before: before(), after, closing }
}

#[test]
fn an_update_whose_values_are_there_was_applied() {
    // in whatever case Amazon Connect spells them
    let found = held(7, &["DOCX"]);
    let expected = settled(OutcomeKind::Applied, None, Some(found.clone()), applied(found.clone()));
    assert_eq!(settle(&both(), ReadBack::Holds(&found)), expected);
    // a member that was not sent does not matter, and is not held as it is now
    let only_list = intent(Members::ALL, &values(None, Some(&["docx"])));
    let expected = settled(OutcomeKind::Applied, None, Some(found.clone()), applied(held(5, &["DOCX"])));
    assert_eq!(settle(&only_list, ReadBack::Holds(&found)), expected);
    // values that were there before: as good as applied
    let forced = intent(Members::ALL, &values(Some(5), Some(&["csv", "pdf"])));
    let expected = settled(OutcomeKind::Applied, None, Some(before()), applied(before()));
    assert_eq!(settle(&forced, ReadBack::Holds(&before())), expected);
}

#[test]
fn an_update_that_was_not_taken_is_tried_again() {
    let found = held(5, &["PDF", "csv"]);
    let expected =
        settled(OutcomeKind::Failed, Some(ErrorCode::NotTaken), Some(found.clone()), dropped(false));
    assert_eq!(settle(&both(), ReadBack::Holds(&found)), expected);
    let only_size = intent(SIZE, &values(Some(7), None));
    let found = held(5, &["exe"]);
    let expected =
        settled(OutcomeKind::Failed, Some(ErrorCode::NotTaken), Some(found.clone()), dropped(false));
    assert_eq!(settle(&only_size, ReadBack::Holds(&found)), expected);
}

#[test]
fn an_update_that_somebody_overtook_stays_unknown() {
    let overtaken = |found: &Configuration, left: Members| {
        let closing = Closing { give_back: !left.any(), held: left.within(found), ..Closing::default() };
        let expected =
            settled(OutcomeKind::Unknown, Some(ErrorCode::OvertakenElsewhere), Some(found.clone()), closing);
        assert_eq!(settle(&both(), ReadBack::Holds(found)), expected, "{found:?}");
    };
    overtaken(&held(9, &["exe"]), Members::default());
    overtaken(&held(9, &["csv", "pdf"]), Members::default());
    overtaken(&held(5, &["exe"]), Members::default());
    overtaken(&Configuration::default(), Members::default());
    // one of its values is there: an older change must not overwrite it, and nobody else has set it
    overtaken(&held(7, &["exe"]), SIZE);
    overtaken(&held(7, &["csv", "pdf"]), SIZE);
    overtaken(&held(9, &["docx"]), Members { size: false, extensions: true });
    // unless it was there before
    let only_size_differs = intent(Members::ALL, &values(Some(7), Some(&["csv", "pdf"])));
    let found = held(9, &["csv", "pdf"]);
    assert!(settle(&only_size_differs, ReadBack::Holds(&found)).closing.give_back);
    let only_list_differs = intent(Members::ALL, &values(Some(5), Some(&["docx"])));
    let found = held(5, &["exe"]);
    assert!(settle(&only_list_differs, ReadBack::Holds(&found)).closing.give_back);
}

#[test]
fn an_instance_that_is_gone_ends_its_update() {
    let expected =
        settled(OutcomeKind::Failed, Some(ErrorCode::ResourceNotFoundException), None, dropped(true));
    assert_eq!(settle(&both(), ReadBack::NoInstance), expected);
}

#[test]
fn what_cannot_be_read_for_a_quarter_of_an_hour_is_given_up() {
    assert_eq!(GIVE_UP_READING.as_secs(), 900);
    let given_up = both().until.plus(GIVE_UP_READING);
    assert!(both().is_given_up(given_up) && !both().is_given_up(Millis(given_up.0 - 1)));
}

/// What only a restore can leave behind.
#[test]
fn an_intent_whose_run_is_done_is_closed_by_that_result() {
    let done = recorded(OutcomeKind::Applied);
    assert_eq!(closing_of(&both(), &done), applied(held(7, &["pdf"])));
    let error = |code: ErrorCode| {
        let (code, message) = (code.name().to_owned(), code.message().to_owned());
        Some(RecordedError { code, message, retryable: false })
    };
    let failed = |code| RecordedResult { error: error(code), ..recorded(OutcomeKind::Failed) };
    let differs = Closing { held: held(7, &["pdf"]), last: true, ends_drift: true, ..Closing::default() };
    assert_eq!(closing_of(&both(), &failed(ErrorCode::ResponseDiffers)), differs);
    assert_eq!(closing_of(&both(), &failed(ErrorCode::InvalidParameterException)), dropped(true));
    assert_eq!(closing_of(&both(), &recorded(OutcomeKind::Failed)), dropped(true));
    assert_eq!(closing_of(&both(), &recorded(OutcomeKind::Superseded)), dropped(true));
    let unknown = RecordedResult { after: None, ..done };
    assert_eq!(closing_of(&both(), &unknown), dropped(true));
}
