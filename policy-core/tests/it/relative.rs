//! Relative values: the documents that are allowed, and the result for each target.

mod documents;
mod model;

use crate::parsing::{ID, change, defaults, rules};
use policy_core::decision::{Modified, Step, decide};
use policy_core::failure::ErrorCode;
use policy_core::policy::{
    Blocked, Configuration, ExtensionSet, Form, Guardrails, Limits, PolicyChange, Rules, Values, document,
};
use policy_core::report::Outcome;
use serde_json::{Value, json};
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

fn listed(set: &ExtensionSet) -> BTreeSet<String> {
    set.iter().map(str::to_owned).collect()
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

/// A list that gets shorter is allowed, although it is still too long.
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

/// An absolute list is compared by its spelling, even if the change also has relative values.
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

/// No update can have set such a size. Lowering must not raise it.
#[test]
fn a_size_below_every_limit_is_left_alone() {
    let held = Configuration { maximum_size_limit_in_bytes: Some(0), allowed_extensions: None };
    for force in [false, true] {
        let lowering = change(&asking(&json!({"maximumSizeAtMost": 5, "force": force})));
        let step = decide_freely(&lowering, &held);
        assert!(matches!(step, Step::Done(Outcome::Unchanged { .. })), "{step:?}");
    }
}

/// An answer without a list does not say that the list is empty.
#[test]
fn an_empty_list_is_blocked_where_nobody_knows_the_list_that_it_replaces() {
    let empty = Values { extensions: Some(ExtensionSet::default()), ..Values::default() };
    let guardrails = Guardrails::default();
    let limits = Limits { guardrails: &guardrails, allow_empty_extensions: false };
    let holds = |list: Option<BTreeSet<String>>| Configuration {
        allowed_extensions: list,
        ..Configuration::default()
    };
    for (held, blocked) in [(None, true), (Some(["pdf".to_owned()].into()), true), (Some([].into()), false)] {
        let checked = limits.check_own(&empty, &holds(held.clone()));
        assert_eq!(checked.err(), blocked.then_some(Blocked::Empty), "{held:?}");
    }
}
