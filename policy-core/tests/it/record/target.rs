//! What a run may do about a target, before the target is read.

use super::{NOW, at, held, id, run};
use crate::parsing::{change, with};
use policy_core::policy::{Configuration, ExtensionSet, Guardrails, MaxSize, PolicyChange, Values};
use policy_core::record::{Consideration, Intent, Members, Millis, Order, TargetRecord, consider};
use proptest::prelude::*;
use serde_json::{Value, json};

const NONE: Members = Members { size: false, extensions: false };
const SIZE: Members = Members { size: true, extensions: false };
const LIST: Members = Members { size: false, extensions: true };

fn order(seconds: i64) -> Order {
    Order { accepted: at(seconds), change_id: id("CHG-1") }
}

fn ask(record: &TargetRecord, named: Members) -> Consideration {
    consider(record, &run("CHG-1", 0), &order(0), named, NOW)
}

/// An intent of a newer run, begun so many seconds ago.
fn intent(begun: i64) -> Intent {
    let values = Values { max_size: MaxSize::from_bytes(5).ok(), extensions: None };
    let before = held(7, &["pdf"]);
    let record = TargetRecord::default();
    record.intend("i".to_owned(), at(begun), run("CHG-2", 9), order(9), SIZE, &values, &before)
}

#[test]
fn a_target_without_an_item_may_be_begun() {
    assert_eq!(ask(&TargetRecord::default(), Members::ALL), Consideration::Go);
}

#[test]
fn a_run_that_is_done_with_it_does_not_come_back() {
    let record = TargetRecord {
        last: Some(run("CHG-1", 0)),
        intent: Some(intent(0)),
        quiet: Some(at(9)),
        set_size: Some(order(9)),
        ..TargetRecord::default()
    };
    assert_eq!(ask(&record, SIZE), Consideration::Done);
    // another run of the same record, and the same run of another one, are others
    for last in [run("CHG-1", -1), run("CHG-2", 0)] {
        let record = TargetRecord { last: Some(last), ..TargetRecord::default() };
        assert_eq!(ask(&record, SIZE), Consideration::Go);
    }
}

#[test]
fn an_update_under_way_keeps_others_away_until_its_lease_is_over() {
    let with = |begun| TargetRecord { intent: Some(intent(begun)), ..TargetRecord::default() };
    assert_eq!(ask(&with(0), SIZE), Consideration::Busy { until: at(60) });
    assert_eq!(ask(&with(-59), SIZE), Consideration::Busy { until: at(1) });
    assert_eq!(ask(&with(-60), SIZE), Consideration::Lapsed(Box::new(intent(-60))));
    assert_eq!(ask(&with(-600), SIZE), Consideration::Lapsed(Box::new(intent(-600))));
    // of the same run too: another delivery began it
    let own = Intent { run: run("CHG-1", 0), ..intent(0) };
    let record = TargetRecord { intent: Some(own), ..TargetRecord::default() };
    assert_eq!(ask(&record, SIZE), Consideration::Busy { until: at(60) });
}

/// If the intent fails, it gives its time back: what looks newer now is not.
#[test]
fn an_open_intent_comes_before_the_order_and_before_quiet() {
    let record = TargetRecord {
        intent: Some(intent(-60)),
        quiet: Some(at(9)),
        set_size: Some(order(9)),
        ..TargetRecord::default()
    };
    assert_eq!(ask(&record, SIZE), Consideration::Lapsed(Box::new(intent(-60))));
}

#[test]
fn a_target_is_quiet_until_an_earlier_attempt_has_surely_landed() {
    let with =
        |quiet| TargetRecord { quiet: Some(quiet), set_size: Some(order(9)), ..TargetRecord::default() };
    assert_eq!(ask(&with(at(9)), SIZE), Consideration::Busy { until: at(9) });
    assert_eq!(ask(&with(NOW), LIST), Consideration::Busy { until: NOW });
    assert_eq!(ask(&with(Millis(NOW.0 - 1)), LIST), Consideration::Go);
    // the order is asked when it is over
    assert_eq!(ask(&with(Millis(NOW.0 - 1)), SIZE), Consideration::Newer(order(9)));
}

#[test]
fn a_newer_value_of_a_named_member_supersedes() {
    let with = |size: Option<i64>, list: Option<i64>| TargetRecord {
        set_size: size.map(order),
        set_extensions: list.map(order),
        ..TargetRecord::default()
    };
    let newer = |seconds| Consideration::Newer(order(seconds));
    for (record, size, list, both) in [
        (with(Some(1), None), newer(1), Consideration::Go, newer(1)),
        (with(None, Some(1)), Consideration::Go, newer(1), newer(1)),
        (with(Some(2), Some(1)), newer(2), newer(1), newer(2)),
        (with(Some(1), Some(2)), newer(1), newer(2), newer(2)),
        (with(Some(-1), Some(1)), Consideration::Go, newer(1), newer(1)),
        // its own value, and older ones
        (with(Some(0), Some(-1)), Consideration::Go, Consideration::Go, Consideration::Go),
    ] {
        assert_eq!([ask(&record, SIZE), ask(&record, LIST), ask(&record, Members::ALL)], [size, list, both]);
        assert_eq!(ask(&record, NONE), Consideration::Go);
    }
    // of two at the same time the greater id is newer
    let tied = |change| Order { accepted: NOW, change_id: id(change) };
    let record = TargetRecord { set_size: Some(tied("CHG-2")), ..TargetRecord::default() };
    assert_eq!(ask(&record, SIZE), Consideration::Newer(tied("CHG-2")));
    let record = TargetRecord { set_size: Some(tied("CHG-0")), ..TargetRecord::default() };
    assert_eq!(ask(&record, SIZE), Consideration::Go);
}

#[test]
fn an_undo_may_touch_what_its_change_applied_last() {
    let of = |applied| TargetRecord { applied, ..TargetRecord::default() };
    for (record, expected) in [
        (of(None), false),
        (of(Some(run("CHG-1", -9))), true),
        (of(Some(run("CHG-1", 9))), true),
        (of(Some(run("CHG-2", 0))), false),
        (of(Some(run("CHG-1/0", 0))), false),
    ] {
        assert_eq!(record.is_last_applied_by(&id("CHG-1")), expected, "{record:?}");
    }
}

fn named(field: &str, value: Value) -> PolicyChange {
    let mut document = with("instanceIds", json!([crate::parsing::ID]));
    document.as_object_mut().unwrap().remove("maximumSizeLimitInBytes");
    document[field] = value;
    change(&document)
}

#[test]
fn a_change_names_the_members_that_it_is_about() {
    for (field, value, expected) in [
        ("maximumSize", json!("1 MB"), SIZE),
        ("maximumSizeAtMost", json!("1 MB"), SIZE),
        ("allowedExtensions", json!(["pdf"]), LIST),
        ("addExtensions", json!(["pdf"]), LIST),
        ("removeExtensions", json!(["pdf"]), LIST),
    ] {
        let mut change = named(field, value);
        assert_eq!(Members::of(&change, Members::ALL), expected, "{field}");
        // with the guardrails, also those for which there is one
        change.adjustments.enforce_guardrails = true;
        for can_enforce in [NONE, SIZE, LIST, Members::ALL] {
            assert_eq!(Members::of(&change, can_enforce), expected.or(can_enforce), "{field}");
        }
    }
}

#[test]
fn guardrails_are_about_the_members_that_they_limit() {
    let guardrails = |size: Option<i128>, list: &[&str]| Guardrails {
        max_size: size.map(|size| MaxSize::from_bytes(size).unwrap()),
        blocked_extensions: ExtensionSet::parse(list.iter().copied()).unwrap(),
        ..Guardrails::default()
    };
    assert_eq!(Members::of_guardrails(&guardrails(None, &[])), NONE);
    assert_eq!(Members::of_guardrails(&guardrails(Some(5), &[])), SIZE);
    assert_eq!(Members::of_guardrails(&guardrails(None, &["exe"])), LIST);
    assert!(!NONE.any() && SIZE.any() && LIST.any());
}

#[test]
fn members_are_compared_in_whatever_case() {
    let (one, other) = (held(5, &["PDF", "csv"]), held(7, &["pdf", "CSV"]));
    assert!(LIST.agree(&one, &other) && NONE.agree(&one, &held(9, &[])));
    assert!(!SIZE.agree(&one, &other) && !Members::ALL.agree(&one, &other));
    assert!(!LIST.agree(&one, &held(5, &["pdf"])) && SIZE.agree(&one, &held(5, &[])));
    // what is not known agrees with what is not known
    let unknown = Configuration::default();
    assert!(Members::ALL.agree(&unknown, &unknown));
    assert!(
        !SIZE.agree(&one, &unknown) && !LIST.agree(&unknown, &one) && !LIST.agree(&unknown, &held(5, &[]))
    );
    // spelling is a difference where it is asked for
    assert_eq!(Members::that_differ(&one, &other), Members::ALL);
    assert_eq!(Members::that_differ(&one, &held(5, &["csv", "PDF"])), NONE);
    assert_eq!(Members::that_differ(&one, &held(7, &["PDF", "csv"])), SIZE);
    assert_eq!(LIST.within(&one), Configuration { maximum_size_limit_in_bytes: None, ..one.clone() });
    assert_eq!(SIZE.within(&one), Configuration { allowed_extensions: None, ..one.clone() });
    assert_eq!((Members::of_known(&LIST.within(&one)), Members::of_known(&SIZE.within(&one))), (LIST, SIZE));
}

fn members() -> impl Strategy<Value = Members> {
    any::<(bool, bool)>().prop_map(|(size, extensions)| Members { size, extensions })
}

proptest! {
    /// Whatever the item says, only what is really later, under way or done keeps a run away.
    #[test]
    fn a_run_goes_exactly_where_begin_would_let_it(
        (size, list) in (proptest::option::of(-3..3_i64), proptest::option::of(-3..3_i64)),
        begun in proptest::option::of(-90..0_i64),
        quiet in proptest::option::of(-3..3_i64),
        named in members(),
    ) {
        let record = TargetRecord {
            set_size: size.map(order),
            set_extensions: list.map(order),
            intent: begun.map(intent),
            quiet: quiet.map(at),
            ..TargetRecord::default()
        };
        let is_fenced = (named.size && size > Some(0)) || (named.extensions && list > Some(0));
        let may_begin = begun.is_none() && quiet.is_none_or(|quiet| quiet < 0) && !is_fenced;
        prop_assert_eq!(ask(&record, named) == Consideration::Go, may_begin);
    }
}
