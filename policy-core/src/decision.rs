//! Decides what to do about one target from what it holds. Pure.

use crate::failure::{ErrorCode, Failure};
use crate::policy::{Configuration, Limits, NotComputed, PolicyChange, Values};
use crate::record::{Members, Own};
use crate::report::Outcome;
use std::borrow::Cow;
use time::OffsetDateTime;

/// Why an undo cannot put back what a target held.
const NOT_KNOWN: &str =
    "the values to set are not known: Amazon Connect did not return them when the target was read";

/// The decision about one target.
#[derive(Debug, Clone, PartialEq)]
pub enum Step<'c> {
    /// Nothing is sent: the target ends like this.
    Done(Outcome),
    /// The target's `LastModifiedTime` is needed first, which List does not return.
    NeedsModifiedTime,
    /// Send an update with these values.
    Update(Cow<'c, Values>),
}

/// When a target was last modified, if that is known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Modified {
    /// Not known yet: List does not return it.
    NotAsked,
    /// Described; no `LastModifiedTime` means never.
    At(Option<OffsetDateTime>),
}

/// Checks in this order: `If-Match`, what the target's own record expects, the guardrails on computed values, whether
/// anything changes, `ifUnmodifiedSince`, dry run. A target that already has the values needs no update, whenever they
/// were set.
///
/// So absolute values that are there already are a success whatever the target's tag, as RFC 9110 section 13.1.1 allows:
/// a request that is sent again after its answer was lost finds what it has set itself. Relative values do not show that.
///
/// A relative change becomes absolute here: what it asks of this target is computed from what the target holds. An undo
/// or a recorded plan asks something of its `own` of each target, instead of the change's values.
pub fn decide<'c>(
    change: &'c PolicyChange,
    own: Option<&'c Own>,
    limits: Limits<'_>,
    held: &Configuration,
    modified: Modified,
) -> Step<'c> {
    let superseded =
        |code| Step::Done(Outcome::Superseded { held: Some(held.clone()), why: Failure::new(code) });
    let is_there = || {
        let is_absolute = own.is_none() && change.adjustments.is_empty();
        is_absolute && !change.force && !held.would_change(&change.values)
    };
    if let Some(wanted) = &change.if_match
        && !wanted.matches(held)
        && !(wanted.may_have_matched() && is_there())
    {
        return superseded(ErrorCode::ETagDiffers);
    }
    if let Some(own) = own
        && (own.whole || !change.force)
        && !own.expects(held)
    {
        if own.has_come_about(held) {
            return Step::Done(Outcome::Unchanged { held: held.clone() });
        }
        return superseded(ErrorCode::ChangedSince);
    }
    let values = if let Some(own) = own {
        if own.values.is_empty() {
            let why = Failure::new(ErrorCode::RequestRefused).with_message(NOT_KNOWN.to_owned());
            return Step::Done(Outcome::Failed { before: Some(held.clone()), after: None, why });
        }
        if let Err(blocked) = limits.check_own(&own.values, held) {
            let why = Failure::from(&blocked);
            return Step::Done(Outcome::Blocked { held: Some(held.clone()), why });
        }
        Cow::Borrowed(&own.values)
    } else if change.adjustments.is_empty() {
        Cow::Borrowed(&change.values)
    } else {
        match change.adjustments.apply(&change.values, held, limits, change.force) {
            Ok(values) => Cow::Owned(values),
            Err(NotComputed::Blocked(blocked)) => {
                let why = Failure::from(&blocked);
                return Step::Done(Outcome::Blocked { held: Some(held.clone()), why });
            }
            Err(unknown @ NotComputed::NotKnown) => {
                let why = Failure::new(ErrorCode::ConnectionFailed).with_detail(unknown.to_string());
                return Step::Done(Outcome::Failed { before: Some(held.clone()), after: None, why });
            }
        }
    };
    if values.is_empty() || (!change.force && !held.would_change(&values)) {
        return Step::Done(Outcome::Unchanged { held: held.clone() });
    }
    match (change.if_unmodified_since, modified) {
        (Some(_), Modified::NotAsked) => return Step::NeedsModifiedTime,
        (Some(limit), Modified::At(Some(at))) if at > limit => return superseded(ErrorCode::ModifiedSince),
        _ => {}
    }
    if change.dry_run {
        return Step::Done(Outcome::Planned { before: held.clone(), after: held.after(&values) });
    }
    Step::Update(values)
}

/// Decides about a target where an earlier run of the same undo was the last that applied something: nothing is sent there
/// again.
pub fn of_what_was_undone(own: &Own, held: Configuration) -> Outcome {
    let put_back = Configuration::default().after(&own.values);
    if Members::of_values(&own.values).agree(&put_back, &held) {
        Outcome::Unchanged { held }
    } else {
        Outcome::Superseded { held: Some(held), why: Failure::new(ErrorCode::ChangedSince) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::RegionName;
    use crate::policy::{ChangeId, Defaults, Form, Guardrails, Home, IfMatch, Rules, document};
    use crate::report::OutcomeKind;
    use proptest::prelude::*;
    use std::collections::BTreeSet;
    use time::macros::datetime;

    /// A tag of the form that targets have.
    const OTHER: &str = "\"0123456789abcdef0123456789abcdef\"";

    fn change(extra: &str) -> PolicyChange {
        asking(&format!(r#","maximumSizeLimitInBytes":1048576{extra}"#))
    }

    fn asking(fields: &str) -> PolicyChange {
        let text = format!(
            r#"{{"instanceId":"00000001-0000-4000-8000-000000000001","attachmentScope":"CHAT"{fields}}}"#
        );
        let change_id = ChangeId::parse("c").unwrap();
        let defaults = Defaults { change_id, if_unmodified_since: None, dry_run: false };
        let home = Home { region: RegionName::parse("us-east-1").unwrap(), account: None };
        match document::parse(&text, &Form::Submission, &defaults, &Rules::at(home)) {
            Ok(document) => document.changes[0].clone(),
            other => panic!("{other:?}"),
        }
    }

    fn ended(step: &Step<'_>) -> Option<(OutcomeKind, Option<ErrorCode>)> {
        match step {
            Step::Done(outcome) => Some((outcome.kind(), outcome.error().map(|why| why.code))),
            Step::NeedsModifiedTime | Step::Update(_) => None,
        }
    }

    /// Without guardrails.
    fn decided<'c>(change: &'c PolicyChange, held: &Configuration, modified: Modified) -> Step<'c> {
        let guardrails = Guardrails::default();
        decide(
            change,
            None,
            Limits { guardrails: &guardrails, allow_empty_extensions: false },
            held,
            modified,
        )
    }

    fn held(bytes: i64) -> Configuration {
        Configuration { maximum_size_limit_in_bytes: Some(bytes), allowed_extensions: None }
    }

    #[test]
    fn a_target_is_decided_in_the_contracts_order() {
        let (same, other) = (held(1_048_576), held(5));
        let plain = change("");
        assert_eq!(ended(&decided(&plain, &same, Modified::NotAsked)), Some((OutcomeKind::Unchanged, None)));
        assert!(matches!(decided(&plain, &other, Modified::NotAsked), Step::Update(_)));
        let force = change(r#","force":true"#);
        assert!(matches!(decided(&force, &same, Modified::NotAsked), Step::Update(_)));
        let dry = change(r#","dryRun":true"#);
        assert_eq!(ended(&decided(&dry, &same, Modified::NotAsked)), Some((OutcomeKind::Unchanged, None)));
        assert_eq!(ended(&decided(&dry, &other, Modified::NotAsked)), Some((OutcomeKind::Planned, None)));
    }

    #[test]
    fn if_unmodified_since_asks_only_where_a_value_would_change() {
        let since = change(r#","ifUnmodifiedSince":"2026-01-01T00:00:00Z""#);
        let (same, other) = (held(1_048_576), held(5));
        assert_eq!(ended(&decided(&since, &same, Modified::NotAsked)), Some((OutcomeKind::Unchanged, None)));
        assert_eq!(decided(&since, &other, Modified::NotAsked), Step::NeedsModifiedTime);
        assert!(matches!(decided(&since, &other, Modified::At(None)), Step::Update(_)));
        let limit = datetime!(2026-01-01 00:00 UTC);
        assert!(matches!(decided(&since, &other, Modified::At(Some(limit))), Step::Update(_)));
        let modified_since = Some((OutcomeKind::Superseded, Some(ErrorCode::ModifiedSince)));
        let later = Modified::At(Some(limit + time::Duration::nanoseconds(1)));
        assert_eq!(ended(&decided(&since, &other, later)), modified_since);
        let dry = change(r#","dryRun":true,"ifUnmodifiedSince":"2026-01-01T00:00:00Z""#);
        assert_eq!(ended(&decided(&dry, &other, later)), modified_since);
    }

    #[test]
    fn if_match_is_compared_only_where_absolute_values_are_not_there_yet() {
        let (same, other) = (held(1_048_576), held(5));
        let differs = Some((OutcomeKind::Superseded, Some(ErrorCode::ETagDiffers)));
        let unchanged = Some((OutcomeKind::Unchanged, None));
        let relative = r#","maximumSizeAtMost":"1 MB""#;
        for (mut change, there) in [
            (change(""), unchanged),
            (change(r#","dryRun":true"#), unchanged),
            (change(r#","force":true"#), differs),
            (asking(relative), differs),
        ] {
            change.if_match = Some(IfMatch::parse(OTHER));
            assert_eq!(ended(&decided(&change, &same, Modified::NotAsked)), there, "{change:?}");
            assert_eq!(ended(&decided(&change, &other, Modified::NotAsked)), differs, "{change:?}");
        }
    }

    /// Few values of each kind, so that what is asked often holds already.
    fn names() -> impl Strategy<Value = Option<BTreeSet<String>>> {
        proptest::option::of(proptest::collection::btree_set(
            proptest::sample::select(vec!["csv", "pdf", "PDF"]).prop_map(str::to_owned),
            1..3,
        ))
    }

    fn sizes() -> impl Strategy<Value = Option<i64>> {
        proptest::option::of(proptest::sample::select(vec![1_048_576, 2_097_152]))
    }

    fn times() -> impl Strategy<Value = Option<OffsetDateTime>> {
        let time = |seconds: i64| OffsetDateTime::UNIX_EPOCH + time::Duration::seconds(seconds);
        proptest::option::of((0..3_i64).prop_map(time))
    }

    proptest! {
        /// Judged by the requested and the current values, not by `would_change`, which the plan itself uses.
        #[test]
        fn an_update_is_sent_only_where_it_changes_something_or_is_forced(
            (size, list) in (sizes(), names()).prop_filter("asks for something", |(s, l)| s.is_some() || l.is_some()),
            (held_size, held_list) in (sizes(), names()),
            (force, dry_run) in any::<(bool, bool)>(),
            since in times(),
            modified in prop_oneof![Just(Modified::NotAsked), times().prop_map(Modified::At)],
            tag in proptest::option::of(prop_oneof![Just("*"), Just(OTHER), Just("\"nobodys\"")]),
        ) {
            let size_field = size.map(|size| format!(r#","maximumSizeLimitInBytes":{size}"#));
            let list_field = list.as_ref().map(|list| {
                format!(r#","allowedExtensions":{:?}"#, list.iter().collect::<Vec<_>>())
            });
            let mut change = asking(&(size_field.unwrap_or_default() + &list_field.unwrap_or_default()));
            change.force = force;
            change.dry_run = dry_run;
            change.if_unmodified_since = since;
            change.if_match = tag.map(IfMatch::parse);
            let before =
                Configuration { maximum_size_limit_in_bytes: held_size, allowed_extensions: held_list.clone() };
            let asked: Option<BTreeSet<_>> = list.map(|list| list.iter().map(|name| name.to_lowercase()).collect());
            let is_so = size.is_none_or(|size| held_size == Some(size))
                && asked.is_none_or(|asked| held_list == Some(asked));
            let is_later = matches!((since, modified), (Some(limit), Modified::At(Some(at))) if at > limit);
            // no target has this tag, but one may have had it
            let differs = tag.is_some_and(|tag| tag != "*");
            match decided(&change, &before, modified) {
                Step::Update(values) => {
                    prop_assert_eq!(&*values, &change.values);
                    prop_assert!(force || !is_so);
                    prop_assert!(!dry_run && !is_later && !differs);
                    prop_assert!(since.is_none() || modified != Modified::NotAsked);
                }
                Step::Done(Outcome::Unchanged { held }) => {
                    prop_assert!(is_so && !force && held == before && tag != Some("\"nobodys\""));
                }
                Step::Done(Outcome::Planned { before: held, .. }) => {
                    prop_assert!(dry_run && !is_later && (force || !is_so) && held == before);
                }
                Step::Done(Outcome::Superseded { .. }) => {
                    let is_sent_again = is_so && !force && tag == Some(OTHER);
                    prop_assert!((is_later && (force || !is_so)) || (differs && !is_sent_again));
                }
                Step::NeedsModifiedTime => prop_assert!(since.is_some() && modified == Modified::NotAsked && (force || !is_so)),
                Step::Done(..) => prop_assert!(false, "no such end"),
            }
        }
    }
}
