//! Relative values: what a document may say, and what each target is to hold then, by a model of sets.

mod documents;

use crate::parsing::{ID, change, defaults, rules};
use policy_core::decision::{Modified, Step, decide};
use policy_core::failure::ErrorCode;
use policy_core::policy::{
    Configuration, ExtensionSet, Form, Guardrails, Limits, MaxSize, PolicyChange, Rules, document,
};
use policy_core::report::Outcome;
use proptest::collection::btree_set;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

fn asking(fields: &Value) -> Value {
    let mut change = json!({"instanceId": ID, "attachmentScope": "EMAIL"});
    change.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    change
}

/// Parses by the rules of a function that has guardrails.
fn enforceable(text: &str) -> PolicyChange {
    let rules = Rules { can_enforce_guardrails: true, ..rules() };
    document::parse(text, &Form::Submission, &defaults("c"), &rules).unwrap().changes.remove(0)
}

type Names = BTreeSet<String>;

const ALPHABET: [&str; 6] = ["csv", "exe", "pdf", "png", "svg", "xls"];
const SIZES: [u32; 3] = [1_048_576, 5_242_880, 20_971_520];

fn names(count: std::ops::Range<usize>) -> impl Strategy<Value = Names> {
    btree_set(select(&ALPHABET[..]).prop_map(str::to_owned), count)
}

/// A relative document, the guardrails of its function, and what a target holds.
#[expect(clippy::struct_excessive_bools, reason = "each is a field or a setting of its own")]
#[derive(Debug, Clone)]
struct Case {
    at_most: Option<u32>,
    add: Names,
    remove: Names,
    enforce: bool,
    force: bool,
    blocked: Names,
    limit: Option<u32>,
    allow_empty: bool,
    held_size: u32,
    held: Names,
    upper: bool,
}

prop_compose! {
    fn cases()(
        at_most in option::of(select(&SIZES[..])),
        add in names(0..3),
        remove in names(0..3),
        (enforce, force, allow_empty, upper) in any::<(bool, bool, bool, bool)>(),
        blocked in names(0..3),
        limit in option::of(select(&SIZES[..])),
        held_size in select(&SIZES[..]),
        held in names(0..6),
    ) -> Case {
        let remove = &remove - &add;
        // a guardrail for every function that is asked to enforce one
        let limit = limit.or((enforce && blocked.is_empty()).then_some(SIZES[1]));
        Case { at_most, add, remove, enforce, force, blocked, limit, allow_empty, held_size, held, upper }
    }
}

impl Case {
    fn asks(&self) -> bool {
        self.at_most.is_some() || !self.add.is_empty() || !self.remove.is_empty() || self.enforce
    }

    fn change(&self) -> PolicyChange {
        let mut fields = Map::new();
        if let Some(size) = self.at_most {
            fields.insert("maximumSizeAtMost".into(), size.into());
        }
        for (name, list) in [("addExtensions", &self.add), ("removeExtensions", &self.remove)] {
            if !list.is_empty() {
                fields.insert(name.into(), json!(list));
            }
        }
        fields.insert("enforceGuardrails".into(), self.enforce.into());
        fields.insert("force".into(), self.force.into());
        enforceable(&asking(&fields.into()).to_string())
    }

    fn guardrails(&self) -> Guardrails {
        Guardrails {
            blocked_extensions: ExtensionSet::parse(self.blocked.iter().map(String::as_str)).unwrap(),
            max_size: self.limit.and_then(|bytes| MaxSize::from_bytes(bytes.into()).ok()),
            ..Guardrails::default()
        }
    }

    fn configuration(&self) -> Configuration {
        let spelled = |name: &String| if self.upper { name.to_uppercase() } else { name.clone() };
        Configuration {
            maximum_size_limit_in_bytes: Some(self.held_size.into()),
            allowed_extensions: Some(self.held.iter().map(spelled).collect()),
        }
    }

    /// What a person would compute by hand: the size and the list that the change names, or what forbids them.
    fn by_hand(&self) -> Result<(Option<u32>, Option<Names>), ErrorCode> {
        let names_list =
            !self.add.is_empty() || !self.remove.is_empty() || (self.enforce && !self.blocked.is_empty());
        let mut list: Names = &(&self.held | &self.add) - &self.remove;
        let mut size = self.at_most.map(|limit| limit.min(self.held_size));
        if self.enforce {
            list = &list - &self.blocked;
            if let Some(limit) = self.limit {
                size = Some(size.unwrap_or(self.held_size).min(limit));
            }
        }
        if names_list && list.intersection(&self.blocked).next().is_some() {
            return Err(ErrorCode::ExtensionBlocked);
        }
        if size.zip(self.limit).is_some_and(|(size, limit)| size > limit) {
            return Err(ErrorCode::SizeBlocked);
        }
        // a list that was empty before is not made worse
        if names_list && list.is_empty() && !self.held.is_empty() && !self.allow_empty {
            return Err(ErrorCode::WouldBeEmpty);
        }
        Ok((size, names_list.then_some(list)))
    }

    fn step<'c>(&self, change: &'c PolicyChange, held: &Configuration) -> Step<'c> {
        let guardrails = self.guardrails();
        let limits = Limits { guardrails: &guardrails, allow_empty_extensions: self.allow_empty };
        decide(change, None, limits, held, Modified::NotAsked)
    }
}

fn listed(set: &ExtensionSet) -> Names {
    set.iter().map(str::to_owned).collect()
}

proptest! {
    #[test]
    fn a_target_gets_what_a_person_would_compute_and_only_what_changes(case in cases().prop_filter("asks", Case::asks)) {
        let (change, held) = (case.change(), case.configuration());
        match (case.step(&change, &held), case.by_hand()) {
            (Step::Done(Outcome::Blocked { held: seen, why }), Err(code)) => {
                prop_assert_eq!((why.code, seen), (code, Some(held)));
            }
            (Step::Done(Outcome::Unchanged { .. }), Ok((size, list))) => {
                prop_assert!(!case.force);
                prop_assert!(size.is_none_or(|size| size == case.held_size));
                prop_assert!(list.is_none_or(|list| list == case.held));
            }
            (Step::Update(values), Ok((size, list))) => {
                let changed = |differs: bool| differs || case.force;
                let expected = size.filter(|size| changed(*size != case.held_size));
                prop_assert_eq!(values.max_size.map(MaxSize::bytes), expected);
                let expected = list.filter(|list| changed(*list != case.held));
                prop_assert_eq!(values.extensions.as_ref().map(listed), expected);
            }
            other => prop_assert!(false, "{other:?}"),
        }
    }

    /// The same change again, of what it made, changes nothing and breaks no guardrail.
    #[test]
    fn repeating_a_relative_change_changes_nothing(case in cases().prop_filter("asks", Case::asks)) {
        let case = Case { force: false, ..case };
        let change = case.change();
        let held = case.configuration();
        if let Step::Update(values) = case.step(&change, &held) {
            let after = held.after(&values);
            let again = case.step(&change, &after);
            prop_assert!(matches!(again, Step::Done(Outcome::Unchanged { .. })), "{again:?}");
        }
    }

    #[test]
    fn nothing_outside_the_named_extensions_changes(case in cases().prop_filter("asks", Case::asks)) {
        let (change, held) = (case.change(), case.configuration());
        if let Step::Update(values) = case.step(&change, &held) && let Some(list) = &values.extensions {
            let named = &(&case.add | &case.remove) | &case.blocked;
            prop_assert_eq!(&listed(list) - &named, &case.held - &named);
        }
    }

    #[test]
    fn enforcing_leaves_nothing_blocked_but_an_empty_list(case in cases()) {
        let limit = case.limit.or(Some(SIZES[0]));
        let case = Case { enforce: true, limit, ..case };
        let change = case.change();
        if let Step::Done(Outcome::Blocked { why, .. }) = case.step(&change, &case.configuration()) {
            prop_assert_eq!(why.code, ErrorCode::WouldBeEmpty);
        }
    }
}

#[test]
fn a_list_that_would_be_too_long_is_blocked_and_one_at_the_limit_is_not() {
    let held = |count: usize| Configuration {
        maximum_size_limit_in_bytes: Some(1),
        allowed_extensions: Some((0..count).map(|n| format!("x{n}")).collect()),
    };
    let adding = change(&asking(&json!({"addExtensions": ["pdf"]})));
    let guardrails = Guardrails::default();
    let limits = Limits { guardrails: &guardrails, allow_empty_extensions: false };
    assert!(matches!(decide(&adding, None, limits, &held(255), Modified::NotAsked), Step::Update(_)));
    let Step::Done(Outcome::Blocked { why, .. }) =
        decide(&adding, None, limits, &held(256), Modified::NotAsked)
    else {
        panic!("not blocked")
    };
    assert_eq!(why.code, ErrorCode::WouldBeTooLong);
    assert_eq!(why.message(), "the list would have 257 extensions; the limit is 256");
}

/// It is a repair: the list gets shorter, though it stays too long.
#[test]
fn a_list_that_was_too_long_may_get_shorter() {
    let held = Configuration {
        maximum_size_limit_in_bytes: Some(1),
        allowed_extensions: Some((0..300).map(|n| format!("x{n}")).collect()),
    };
    let removing = change(&asking(&json!({"removeExtensions": ["x7"]})));
    let Step::Update(values) = decide_freely(&removing, &held) else { panic!("no update") };
    assert_eq!(values.extensions.as_ref().map(ExtensionSet::len), Some(299));
}

/// A list that is asked for as it is has its spelling, whatever else the change asks.
#[test]
fn a_difference_of_case_counts_for_an_absolute_list_and_not_for_a_computed_one() {
    let held = Configuration {
        maximum_size_limit_in_bytes: Some(1),
        allowed_extensions: Some(["PDF".to_owned()].into()),
    };
    let mixed = change(&asking(&json!({"allowedExtensions": ["pdf"], "maximumSizeAtMost": 5})));
    let Step::Update(values) = decide_freely(&mixed, &held) else { panic!("no update") };
    assert_eq!(
        (values.max_size, values.extensions.as_ref().map(listed)),
        (None, Some(["pdf".to_owned()].into()))
    );
    let adding = change(&asking(&json!({"addExtensions": ["pdf"]})));
    assert!(matches!(decide_freely(&adding, &held), Step::Done(Outcome::Unchanged { .. })));
}

/// Nothing is computed from what Amazon Connect did not return: the list would be replaced by a guess.
#[test]
fn a_value_that_was_not_returned_is_a_failure_for_now() {
    let unknown = Configuration { maximum_size_limit_in_bytes: None, allowed_extensions: None };
    for fields in [json!({"addExtensions": ["pdf"]}), json!({"maximumSizeAtMost": 5})] {
        let asked = change(&asking(&fields));
        let Step::Done(Outcome::Failed { why, .. }) = decide_freely(&asked, &unknown) else {
            panic!("{fields}")
        };
        assert_eq!((why.code, why.is_retryable()), (ErrorCode::ConnectionFailed, true));
    }
}

fn decide_freely<'c>(change: &'c PolicyChange, held: &Configuration) -> Step<'c> {
    let guardrails = Guardrails::default();
    decide(
        change,
        None,
        Limits { guardrails: &guardrails, allow_empty_extensions: false },
        held,
        Modified::NotAsked,
    )
}

/// No update can have set such a size: a lowering does not raise it.
#[test]
fn a_size_below_every_limit_is_left_alone() {
    let held = Configuration { maximum_size_limit_in_bytes: Some(0), allowed_extensions: None };
    for force in [false, true] {
        let lowering = change(&asking(&json!({"maximumSizeAtMost": 5, "force": force})));
        let step = decide_freely(&lowering, &held);
        assert!(matches!(step, Step::Done(Outcome::Unchanged { .. })), "{step:?}");
    }
}
