//! What an undo and a plan that is carried out ask of each target, and what is decided from it.

use super::{NOW, at, held, recorded, target};
use crate::parsing::{change, with};
use policy_core::decision::{Modified, Step, decide};
use policy_core::failure::ErrorCode;
use policy_core::policy::{
    Configuration, ExtensionSet, Guardrails, IfMatch, Limits, MaxSize, PolicyChange, Scope, Values,
};
use policy_core::record::{Members, Own, RecordedResult, RunKey, apply_of, undo_of};
use policy_core::report::{Outcome, OutcomeKind};
use serde_json::json;
use std::borrow::Cow;
use time::macros::datetime;

const NONE: Members = Members { size: false, extensions: false };
const SIZE: Members = Members { size: true, extensions: false };
const LIST: Members = Members { size: false, extensions: true };

fn values(size: Option<i128>, list: Option<&[&str]>) -> Values {
    Values {
        max_size: size.map(|size| MaxSize::from_bytes(size).unwrap()),
        extensions: list.map(|list| ExtensionSet::parse(list.iter().copied()).unwrap()),
    }
}

fn from_to(outcome: OutcomeKind, before: Configuration, after: Configuration) -> RecordedResult {
    RecordedResult { before: Some(before), after: Some(after), ..recorded(outcome) }
}

/// The run of so many seconds ago applied a size.
fn applied(seconds: i64, before: i64, after: i64) -> (RunKey, RecordedResult) {
    let result = from_to(OutcomeKind::Applied, held(before, &["CSV"]), held(after, &["CSV"]));
    (RunKey(at(-seconds)), result)
}

#[test]
fn an_undo_puts_back_what_was_there_before_the_first_run() {
    let results = [applied(5, 3, 4), applied(9, 1, 2), applied(1, 4, 5)];
    let undo = |up_to: i64, named: Members| undo_of(&results, RunKey(at(-up_to)), move |_| named);
    let own = Own { values: values(Some(1), None), expected: SIZE.within(&held(5, &[])), whole: false };
    assert_eq!(undo(0, SIZE), [(target(Scope::Chat), own)].into());
    // later runs are not undone
    let own = Own { values: values(Some(1), None), expected: SIZE.within(&held(4, &[])), whole: false };
    assert_eq!(undo(5, SIZE), [(target(Scope::Chat), own)].into());
    // only the members that the change named; extensions in lower case, as every list is sent
    let own =
        Own { values: values(None, Some(&["csv"])), expected: LIST.within(&held(5, &["CSV"])), whole: false };
    assert_eq!(undo(0, LIST), [(target(Scope::Chat), own)].into());
    assert!(undo(10, SIZE).is_empty());
}

#[test]
fn an_undo_touches_what_was_applied_and_nothing_else() {
    let others = OutcomeKind::ALL.iter().filter(|outcome| **outcome != OutcomeKind::Applied);
    let results: Vec<_> = others.map(|outcome| (RunKey(NOW), recorded(*outcome))).collect();
    assert!(undo_of(&results, RunKey(NOW), |_| Members::ALL).is_empty());
    // a later run found it unchanged
    let unchanged =
        RecordedResult { after: None, ..from_to(OutcomeKind::Unchanged, held(2, &[]), held(2, &[])) };
    let results = [applied(9, 1, 2), (RunKey(NOW), unchanged)];
    let own = &undo_of(&results, RunKey(NOW), |_| SIZE)[&target(Scope::Chat)];
    assert_eq!((&own.values, &own.expected), (&values(Some(1), None), &SIZE.within(&held(2, &[]))));
}

/// In a batch each target is named by its own change.
#[test]
fn each_target_is_undone_by_itself() {
    let mut task = applied(5, 7, 8);
    task.1.target = target(Scope::Task);
    let named = |result: &RecordedResult| if result.target.scope == Scope::Task { SIZE } else { LIST };
    let undo = undo_of(&[applied(5, 1, 2), task], RunKey(NOW), named);
    assert_eq!(undo[&target(Scope::Task)].values, values(Some(7), None));
    assert_eq!(undo[&target(Scope::Chat)].values, values(None, Some(&["csv"])));
    assert_eq!(undo.len(), 2);
}

/// Not half of it: what is not known, or what no update can set.
#[test]
fn what_is_not_known_cannot_be_put_back() {
    for before in
        [None, Some(Configuration::default()), Some(SIZE.within(&held(5, &[]))), Some(held(0, &["csv"]))]
    {
        let result = RecordedResult { before: before.clone(), ..recorded(OutcomeKind::Applied) };
        let undo = undo_of(&[(RunKey(NOW), result)], RunKey(NOW), |_| Members::ALL);
        assert_eq!(undo[&target(Scope::Chat)].values, Values::default(), "{before:?}");
    }
}

#[test]
fn a_plan_sends_what_would_change_and_expects_the_whole() {
    let before = held(5, &["csv"]);
    let plan = |after: Configuration, forced| {
        let planned = from_to(OutcomeKind::Planned, before.clone(), after);
        apply_of(&[planned], move |_| forced).remove(&target(Scope::Chat)).unwrap()
    };
    let own = |values| Own { values, expected: before.clone(), whole: true };
    assert_eq!(plan(held(7, &["csv"]), NONE), own(values(Some(7), None)));
    assert_eq!(plan(held(5, &["csv", "pdf"]), NONE), own(values(None, Some(&["csv", "pdf"]))));
    assert_eq!(plan(held(7, &["pdf"]), NONE), own(values(Some(7), Some(&["pdf"]))));
    // with force, what the change names is sent though it is there
    assert_eq!(plan(held(5, &["csv"]), SIZE), own(values(Some(5), None)));
    assert_eq!(plan(held(7, &["csv"]), Members::ALL), own(values(Some(7), Some(&["csv"]))));
    // only what was planned
    let others = OutcomeKind::ALL.iter().filter(|outcome| **outcome != OutcomeKind::Planned);
    let others: Vec<_> = others.map(|outcome| recorded(*outcome)).collect();
    assert!(apply_of(&others, |_| Members::ALL).is_empty());
    let unknown = RecordedResult { after: None, ..recorded(OutcomeKind::Planned) };
    assert_eq!(apply_of(&[unknown], |_| NONE)[&target(Scope::Chat)].values, Values::default());
}

#[test]
fn what_is_expected_is_compared_in_whatever_case() {
    let part = Own { values: Values::default(), expected: LIST.within(&held(5, &["PDF"])), whole: false };
    assert!(part.expects(&held(7, &["pdf"])) && !part.expects(&held(7, &["csv"])));
    assert!(!part.expects(&Configuration::default()));
    let whole = Own { whole: true, ..part.clone() };
    assert!(!whole.expects(&held(7, &["pdf"])) && whole.expects(&LIST.within(&held(7, &["pdf"]))));
    let nothing = Own { expected: Configuration::default(), ..part };
    assert!(nothing.expects(&held(7, &["pdf"])));
}

/// A change whose own values never count.
fn asking(fields: &[(&str, serde_json::Value)]) -> PolicyChange {
    let mut document = with("maximumSize", json!("1 MB"));
    for (field, value) in fields {
        document[*field] = value.clone();
    }
    change(&document)
}

/// Puts 3 bytes and `pdf` back where there are 5 bytes and `csv`.
fn own() -> Own {
    Own { values: values(Some(3), Some(&["pdf"])), expected: there(), whole: false }
}

fn there() -> Configuration {
    held(5, &["csv"])
}

fn limited<'c>(
    change: &'c PolicyChange,
    own: &'c Own,
    guardrails: &Guardrails,
    held: &Configuration,
    modified: Modified,
) -> Step<'c> {
    decide(change, Some(own), Limits { guardrails, allow_empty_extensions: false }, held, modified)
}

fn decided<'c>(change: &'c PolicyChange, own: &'c Own, held: &Configuration) -> Step<'c> {
    limited(change, own, &Guardrails::default(), held, Modified::NotAsked)
}

fn ended(step: &Step<'_>) -> Option<(OutcomeKind, Option<ErrorCode>)> {
    match step {
        Step::Done(outcome) => Some((outcome.kind(), outcome.error().map(|why| why.code))),
        Step::NeedsModifiedTime | Step::Update(_) => None,
    }
}

const CHANGED_SINCE: Option<(OutcomeKind, Option<ErrorCode>)> =
    Some((OutcomeKind::Superseded, Some(ErrorCode::ChangedSince)));

#[test]
fn own_values_replace_those_of_the_change() {
    let plain = asking(&[]);
    let own = own();
    assert_eq!(decided(&plain, &own, &there()), Step::Update(Cow::Borrowed(&own.values)));
    // relative values do not count either
    let mut relative = asking(&[]);
    relative.adjustments.add = ExtensionSet::parse(["png"]).unwrap();
    assert_eq!(decided(&relative, &own, &there()), Step::Update(Cow::Borrowed(&own.values)));
    let dry = asking(&[("dryRun", json!(true))]);
    let planned = Outcome::Planned { before: there(), after: held(3, &["pdf"]) };
    assert_eq!(decided(&dry, &own, &there()), Step::Done(planned));
}

#[test]
fn a_target_that_changed_since_is_left_alone_unless_forced() {
    let (plain, dry, force) =
        (asking(&[]), asking(&[("dryRun", json!(true))]), asking(&[("force", json!(true))]));
    for held in [held(6, &["csv"]), held(5, &["csv", "exe"]), Configuration::default()] {
        for change in [&plain, &dry] {
            assert_eq!(ended(&decided(change, &own(), &held)), CHANGED_SINCE, "{held:?}");
        }
        assert!(matches!(decided(&force, &own(), &held), Step::Update(_)));
        // a plan is carried out as it was made, or not at all
        let whole = Own { whole: true, ..own() };
        assert_eq!(ended(&decided(&force, &whole, &held)), CHANGED_SINCE);
    }
    assert!(matches!(decided(&plain, &own(), &held(5, &["CSV"])), Step::Update(_)));
    // what it would put back is there already: then it changed since
    assert_eq!(ended(&decided(&plain, &own(), &held(3, &["pdf"]))), CHANGED_SINCE);
}

#[test]
fn what_is_there_and_expected_is_unchanged() {
    let same = Own { values: values(Some(5), Some(&["csv"])), ..own() };
    let (plain, force) = (asking(&[]), asking(&[("force", json!(true))]));
    assert_eq!(decided(&plain, &same, &there()), Step::Done(Outcome::Unchanged { held: there() }));
    assert_eq!(decided(&force, &same, &there()), Step::Update(Cow::Borrowed(&same.values)));
}

#[test]
fn if_match_comes_before_and_guardrails_come_after_what_is_expected() {
    let guardrails = Guardrails { max_size: MaxSize::from_bytes(2).ok(), ..Guardrails::default() };
    let mut plain = asking(&[]);
    let ask = |change: &PolicyChange, held: &Configuration| {
        ended(&limited(change, &own(), &guardrails, held, Modified::NotAsked))
    };
    assert_eq!(ask(&plain, &held(6, &[])), CHANGED_SINCE);
    plain.if_match = Some(IfMatch::parse("\"other\""));
    let differs = Some((OutcomeKind::Superseded, Some(ErrorCode::ETagDiffers)));
    assert_eq!(ask(&plain, &held(6, &[])), differs);
    plain.if_match = Some(IfMatch::Any);
    assert_eq!(ask(&plain, &there()), Some((OutcomeKind::Blocked, Some(ErrorCode::SizeBlocked))));
}

#[test]
fn guardrails_hold_for_own_values() {
    let plain = asking(&[]);
    let blocked = |guardrails: &Guardrails, own: &Own, held: &Configuration| match limited(
        &plain,
        own,
        guardrails,
        held,
        Modified::NotAsked,
    ) {
        Step::Done(Outcome::Blocked { held, why }) => Some((held, why.code, why.message().to_owned())),
        _ => None,
    };
    let none = Guardrails::default();
    let exe = Guardrails { blocked_extensions: ExtensionSet::parse(["pdf"]).unwrap(), ..none.clone() };
    let message = "POLICY_BLOCKED_EXTENSIONS forbids `pdf`".to_owned();
    assert_eq!(blocked(&exe, &own(), &there()), Some((Some(there()), ErrorCode::ExtensionBlocked, message)));
    let empty = Own { values: values(None, Some(&[])), ..own() };
    let found = blocked(&none, &empty, &there()).map(|(_, code, _)| code);
    assert_eq!(found, Some(ErrorCode::WouldBeEmpty));
    let allowed = Limits { guardrails: &none, allow_empty_extensions: true };
    let step = decide(&plain, Some(&empty), allowed, &there(), Modified::NotAsked);
    assert!(matches!(step, Step::Update(_)), "{step:?}");
    // a list that is empty already is not made worse
    let both_empty = Own { expected: held(5, &[]), ..empty };
    assert_eq!(ended(&decided(&plain, &both_empty, &held(5, &[]))), Some((OutcomeKind::Unchanged, None)));
    let names: Vec<_> = (0..257).map(|n| format!("e{n}")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let long = Own { values: values(None, Some(&names)), ..own() };
    let found = blocked(&none, &long, &there()).map(|(_, code, _)| code);
    assert_eq!(found, Some(ErrorCode::WouldBeTooLong));
    let as_long = Own { expected: Configuration::default(), ..long };
    assert_eq!(blocked(&none, &as_long, &held(5, &names)), None);
}

#[test]
fn a_change_with_a_time_asks_for_it_before_own_values_are_sent() {
    let since = asking(&[("ifUnmodifiedSince", json!("2026-01-01T00:00:00Z"))]);
    assert_eq!(decided(&since, &own(), &there()), Step::NeedsModifiedTime);
    let later = Modified::At(Some(datetime!(2026-01-01 00:00:01 UTC)));
    let ended = ended(&limited(&since, &own(), &Guardrails::default(), &there(), later));
    assert_eq!(ended, Some((OutcomeKind::Superseded, Some(ErrorCode::ModifiedSince))));
}

#[test]
fn values_that_are_not_known_fail_for_good() {
    let unknown = Own { values: Values::default(), ..own() };
    let plain = asking(&[]);
    let Step::Done(Outcome::Failed { before, after: None, why }) = decided(&plain, &unknown, &there()) else {
        panic!("not failed")
    };
    assert_eq!((before, why.code, why.is_retryable()), (Some(there()), ErrorCode::RequestRefused, false));
    let message =
        "the values to set are not known: Amazon Connect did not return them when the target was read";
    assert_eq!(why.message(), message);
    // after what is expected
    assert_eq!(ended(&decided(&plain, &unknown, &held(6, &[]))), CHANGED_SINCE);
}
