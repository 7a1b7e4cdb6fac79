//! Relative values: what a document may say, and what each target is to hold then, by a model of sets.

use crate::parsing::{ID, at, change, defaults, parse, rules, violations};
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

#[test]
fn a_document_may_be_relative_only_and_has_a_normal_form() {
    let text = asking(&json!({"addExtensions": [".PDF", {"extension": "png"}], "RemoveExtensions": ["svg"],
        "maximumSizeAtMost": "10 MB"}));
    let parsed = change(&text);
    let normal = serde_json::to_value(&parsed).unwrap();
    assert_eq!(normal["addExtensions"], json!(["pdf", "png"]));
    assert_eq!(normal["removeExtensions"], json!(["svg"]));
    assert_eq!(normal["maximumSizeAtMost"], json!(10_485_760));
    assert_eq!((normal.get("allowedExtensions"), normal.get("enforceGuardrails")), (None, None));
    assert_eq!(change(&normal), parsed);
    for size in [json!(10_485_760), json!(10_485_760.0), json!("10485760"), json!("10240 KB")] {
        let other = asking(&json!({"addExtensions": ["png", "pdf"], "removeExtensions": ["svg"],
            "maximumSizeAtMost": size}));
        assert_eq!(change(&other), parsed, "{size}");
    }
    // it only lowers, so that the limit of EMAIL is none of its business
    let lowering = change(&asking(&json!({"maximumSizeAtMost": "50 MB"})));
    assert_eq!(lowering.adjustments.max_size_at_most.map(MaxSize::bytes), Some(52_428_800));
    let small = change(&asking(&json!({"maximumSizeAtMost": "512 KB"})));
    let warning = &small.warnings[0];
    assert_eq!(
        (warning.pointer.as_str(), warning.code.name()),
        ("/maximumSizeAtMost", "SizeBelowDocumentedRange")
    );
}

#[test]
fn enforcing_needs_a_guardrail_and_false_asks_for_nothing() {
    let enforce = asking(&json!({"enforceGuardrails": true})).to_string();
    assert_eq!(violations(&enforce), [at("/enforceGuardrails", "NoGuardrails")]);
    assert!(enforceable(&enforce).adjustments.enforce_guardrails);
    let off = asking(&json!({"enforceGuardrails": false})).to_string();
    assert_eq!(violations(&off), [at("", "MissingValues")]);
    let with_size = change(&asking(&json!({"enforceGuardrails": false, "maximumSize": "1 MB"})));
    assert!(with_size.adjustments.is_empty());
}

#[test]
fn what_excludes_each_other_and_what_is_invalid_has_its_code_and_pointer() {
    for (fields, expected) in [
        (
            json!({"addExtensions": ["a"], "allowedExtensions": ["b"]}),
            vec![at("/addExtensions", "ConflictingFields")],
        ),
        (
            json!({"extensionConfiguration": {"allowedExtensions": ["b"]}, "removeExtensions": ["a"]}),
            vec![at("/removeExtensions", "ConflictingFields")],
        ),
        (
            json!({"maximumSize": "1 MB", "maximumSizeAtMost": 5}),
            vec![at("/maximumSizeAtMost", "ConflictingFields")],
        ),
        (
            json!({"maximumSizeAtMost": 5, "MaximumSizeLimitInBytes": 5}),
            vec![at("/maximumSizeAtMost", "ConflictingFields")],
        ),
        (
            json!({"addExtensions": ["a", "B"], "removeExtensions": [".b", "A"]}),
            vec![at("/removeExtensions", "ConflictingFields")],
        ),
        (json!({"addExtensions": []}), vec![at("/addExtensions", "EmptyList")]),
        (json!({"removeExtensions": "svg"}), vec![at("/removeExtensions", "WrongType")]),
        (json!({"addExtensions": ["tar.gz"]}), vec![at("/addExtensions/0", "InvalidExtension")]),
        (json!({"maximumSizeAtMost": "10"}), vec![]),
        (json!({"maximumSizeAtMost": "ten"}), vec![at("/maximumSizeAtMost", "InvalidSize")]),
        (json!({"maximumSizeAtMost": true}), vec![at("/maximumSizeAtMost", "WrongType")]),
        (json!({"maximumSizeAtMost": 0}), vec![at("/maximumSizeAtMost", "SizeOutOfRange")]),
        (json!({"maximumSizeAtMost": null}), vec![at("/maximumSizeAtMost", "NullValue")]),
        (json!({"enforceGuardrails": "yes"}), vec![at("/enforceGuardrails", "WrongType")]),
        (
            json!({"enforceguardrails": true}),
            vec![at("", "MissingValues"), at("/enforceguardrails", "UnknownField")],
        ),
    ] {
        assert_eq!(violations(&asking(&fields).to_string()), expected, "{fields}");
    }
    let many: Vec<_> = (0..257).map(|n| format!("x{n}")).collect();
    let many = asking(&json!({"removeExtensions": many})).to_string();
    assert_eq!(violations(&many), [at("/removeExtensions", "TooManyEntries")]);
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
        if names_list && list.is_empty() && !self.allow_empty {
            return Err(ErrorCode::WouldBeEmpty);
        }
        Ok((size, names_list.then_some(list)))
    }

    fn step<'c>(&self, change: &'c PolicyChange, held: &Configuration) -> Step<'c> {
        let guardrails = self.guardrails();
        let limits = Limits { guardrails: &guardrails, allow_empty_extensions: self.allow_empty };
        decide(change, limits, held, Modified::NotAsked)
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
    assert!(matches!(decide(&adding, limits, &held(255), Modified::NotAsked), Step::Update(_)));
    let Step::Done(Outcome::Blocked { why, .. }) = decide(&adding, limits, &held(256), Modified::NotAsked)
    else {
        panic!("not blocked")
    };
    assert_eq!(why.code, ErrorCode::WouldBeTooLong);
    assert_eq!(why.message(), "the list would have 257 extensions; the limit is 256");
}

/// No update can have set such a size: a lowering does not raise it.
#[test]
fn a_size_below_every_limit_is_left_alone() {
    let lowering = parse(&asking(&json!({"maximumSizeAtMost": 5})).to_string()).unwrap().changes.remove(0);
    let held = Configuration { maximum_size_limit_in_bytes: Some(0), allowed_extensions: None };
    let guardrails = Guardrails::default();
    let limits = Limits { guardrails: &guardrails, allow_empty_extensions: false };
    let step = decide(&lowering, limits, &held, Modified::NotAsked);
    assert!(matches!(step, Step::Done(Outcome::Unchanged { .. })), "{step:?}");
}
