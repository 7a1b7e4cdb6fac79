//! Compares the values of each target with a model of sets, as a person would compute them.

use super::{asking, enforceable, listed};
use policy_core::decision::{Modified, Step, decide};
use policy_core::failure::ErrorCode;
use policy_core::policy::{Configuration, ExtensionSet, Guardrails, Limits, MaxSize, PolicyChange};
use policy_core::report::Outcome;
use proptest::collection::btree_set;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, json};
use std::collections::BTreeSet;

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
    /// `maximumSizeLimitInBytes`, which excludes `at_most`.
    size: Option<u32>,
    /// `allowedExtensions`, which exclude `add` and `remove`.
    list: Option<Names>,
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
        size in option::weighted(0.3, select(&SIZES[..])),
        list in option::weighted(0.3, names(1..5)),
        at_most in option::of(select(&SIZES[..])),
        add in names(0..3),
        remove in names(0..3),
        (enforce, force, allow_empty, upper) in any::<(bool, bool, bool, bool)>(),
        blocked in names(0..3),
        limit in option::of(select(&SIZES[..])),
        held_size in select(&SIZES[..]),
        held in names(0..6),
    ) -> Case {
        let at_most = at_most.filter(|_| size.is_none());
        let (add, remove) = if list.is_some() { (Names::new(), Names::new()) } else { (add.clone(), &remove - &add) };
        // a guardrail for every function that is asked to enforce one
        let limit = limit.or((enforce && blocked.is_empty()).then_some(SIZES[1]));
        Case { size, list, at_most, add, remove, enforce, force, blocked, limit, allow_empty, held_size, held, upper }
    }
}

impl Case {
    fn asks(&self) -> bool {
        self.at_most.is_some() || !self.add.is_empty() || !self.remove.is_empty() || self.enforce
    }

    fn change(&self) -> PolicyChange {
        let mut fields = Map::new();
        if let Some(size) = self.size {
            fields.insert("maximumSizeLimitInBytes".into(), size.into());
        }
        if let Some(list) = &self.list {
            fields.insert("allowedExtensions".into(), json!(list));
        }
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

    /// The list as Amazon Connect spells it.
    fn spelled(&self) -> Names {
        let spelled = |name: &String| if self.upper { name.to_uppercase() } else { name.clone() };
        self.held.iter().map(spelled).collect()
    }

    fn configuration(&self) -> Configuration {
        Configuration {
            maximum_size_limit_in_bytes: Some(self.held_size.into()),
            allowed_extensions: Some(self.spelled()),
        }
    }

    /// Whether the target's list changes. An absolute list is compared by its spelling.
    fn differs(&self, list: &Names) -> bool {
        if self.list.is_some() { *list != self.spelled() } else { *list != self.held }
    }

    /// What a person would compute by hand: the size and the list that the change names, or what forbids them.
    fn by_hand(&self) -> Result<(Option<u32>, Option<Names>), ErrorCode> {
        let names_list = self.list.is_some()
            || !self.add.is_empty()
            || !self.remove.is_empty()
            || (self.enforce && !self.blocked.is_empty());
        let mut list: Names = &(self.list.as_ref().unwrap_or(&self.held) | &self.add) - &self.remove;
        let mut size = self.size.or(self.at_most.map(|limit| limit.min(self.held_size)));
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
        // an empty list that stays empty is not made worse
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
                prop_assert!(list.is_none_or(|list| !case.differs(&list)));
            }
            (Step::Update(values), Ok((size, list))) => {
                let changed = |differs: bool| differs || case.force;
                let expected = size.filter(|size| changed(*size != case.held_size));
                prop_assert_eq!(values.max_size.map(MaxSize::bytes), expected);
                let expected = list.filter(|list| changed(case.differs(list)));
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
        if case.list.is_none() && let Step::Update(values) = case.step(&change, &held)
            && let Some(list) = &values.extensions
        {
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
