//! What to do about one target, decided from what it holds. Pure.

use crate::policy::{Configuration, PolicyChange};
use crate::report::{Failure, FailureKind, Outcome};
use std::io;
use time::OffsetDateTime;

/// The decision about one target.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Nothing is sent: the target ends like this.
    Done(Outcome, Option<Failure>),
    /// The target's `LastModifiedTime` is needed first, which List does not tell.
    AskWhen,
    /// Send the update.
    Update,
}

/// When a target was last modified, as far as it was asked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Modified {
    /// Not asked yet.
    Unasked,
    /// Described; no `LastModifiedTime` means never.
    At(Option<OffsetDateTime>),
}

/// Unchanged before superseded before planned: what holds already needs nothing, whenever it was set.
pub fn decide(change: &PolicyChange, before: &Configuration, modified: Modified) -> Step {
    if change.if_match.as_ref().is_some_and(|wanted| !wanted.matches(before)) {
        return Step::Done(Outcome::Superseded, Some(other_tag()));
    }
    if !change.force && !before.would_change(&change.values) {
        return Step::Done(Outcome::Unchanged, None);
    }
    match (change.if_unmodified_since, modified) {
        (Some(_), Modified::Unasked) => return Step::AskWhen,
        (Some(limit), Modified::At(Some(at))) if at > limit => {
            return Step::Done(Outcome::Superseded, Some(superseded()));
        }
        _ => {}
    }
    if change.dry_run {
        return Step::Done(Outcome::Planned, None);
    }
    Step::Update
}

fn other_tag() -> Failure {
    Failure {
        because: FailureKind::Modified,
        code: "ETagDiffers".to_owned(),
        message: "the target's values are not those If-Match names".to_owned(),
        retryable: false,
        detail: None,
    }
}

fn superseded() -> Failure {
    Failure {
        because: FailureKind::Modified,
        code: "ModifiedSince".to_owned(),
        message: "the target was modified after ifUnmodifiedSince".to_owned(),
        retryable: false,
        detail: None,
    }
}

/// Time ran out before the target was begun.
pub fn no_time() -> Failure {
    Failure {
        because: FailureKind::NoTime,
        code: "NoTimeLeft".to_owned(),
        message: "the invocation's time ran out before this target was begun".to_owned(),
        retryable: true,
        detail: None,
    }
}

/// The audit could not be written, so nothing was sent (or what was sent is not on record).
pub fn unaudited(error: &io::Error) -> Failure {
    Failure {
        because: FailureKind::Audit,
        code: "AuditUnavailable".to_owned(),
        message: "the audit log could not be written; no update is sent without its record".to_owned(),
        retryable: true,
        detail: Some(error.to_string()),
    }
}

/// Connect's response does not hold what was asked.
pub fn differs() -> Failure {
    Failure {
        because: FailureKind::Upstream,
        code: "ResponseDiffers".to_owned(),
        message: "Amazon Connect answered with other values than were asked; `after` is what it says holds"
            .to_owned(),
        retryable: false,
        detail: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::RegionName;
    use crate::policy::{ChangeId, Defaults, Form, Home, IfMatch, Rules, document};
    use proptest::prelude::*;
    use std::collections::BTreeSet;
    use time::macros::datetime;

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

    fn held(bytes: i64) -> Configuration {
        Configuration { maximum_size_limit_in_bytes: Some(bytes), allowed_extensions: None }
    }

    #[test]
    fn a_target_is_decided_in_the_contracts_order() {
        let (same, other) = (held(1_048_576), held(5));
        let plain = change("");
        assert_eq!(decide(&plain, &same, Modified::Unasked), Step::Done(Outcome::Unchanged, None));
        assert_eq!(decide(&plain, &other, Modified::Unasked), Step::Update);
        let force = change(r#","force":true"#);
        assert_eq!(decide(&force, &same, Modified::Unasked), Step::Update);
        let dry = change(r#","dryRun":true"#);
        assert_eq!(decide(&dry, &same, Modified::Unasked), Step::Done(Outcome::Unchanged, None));
        assert_eq!(decide(&dry, &other, Modified::Unasked), Step::Done(Outcome::Planned, None));
    }

    #[test]
    fn if_unmodified_since_asks_only_where_a_value_would_change() {
        let since = change(r#","ifUnmodifiedSince":"2026-01-01T00:00:00Z""#);
        let (same, other) = (held(1_048_576), held(5));
        assert_eq!(decide(&since, &same, Modified::Unasked), Step::Done(Outcome::Unchanged, None));
        assert_eq!(decide(&since, &other, Modified::Unasked), Step::AskWhen);
        assert_eq!(decide(&since, &other, Modified::At(None)), Step::Update);
        let limit = datetime!(2026-01-01 00:00 UTC);
        assert_eq!(decide(&since, &other, Modified::At(Some(limit))), Step::Update);
        let later = Modified::At(Some(limit + time::Duration::nanoseconds(1)));
        assert_eq!(decide(&since, &other, later), Step::Done(Outcome::Superseded, Some(superseded())));
        let dry = change(r#","dryRun":true,"ifUnmodifiedSince":"2026-01-01T00:00:00Z""#);
        assert_eq!(decide(&dry, &other, later), Step::Done(Outcome::Superseded, Some(superseded())));
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
        /// Told by what was asked and what holds, not by `would_change`, which the plan itself asks.
        #[test]
        fn an_update_is_sent_only_where_it_changes_something_or_is_forced(
            (size, list) in (sizes(), names()).prop_filter("asks for something", |(s, l)| s.is_some() || l.is_some()),
            (held_size, held_list) in (sizes(), names()),
            (force, dry_run) in any::<(bool, bool)>(),
            since in times(),
            modified in prop_oneof![Just(Modified::Unasked), times().prop_map(Modified::At)],
            tag in proptest::option::of(prop_oneof![Just("*"), Just("\"other\"")]),
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
            match decide(&change, &before, modified) {
                Step::Update => {
                    prop_assert!(force || !is_so);
                    prop_assert!(!dry_run && !is_later && tag != Some("\"other\""));
                    prop_assert!(since.is_none() || modified != Modified::Unasked);
                }
                Step::Done(Outcome::Unchanged, None) => prop_assert!(is_so && !force),
                Step::Done(Outcome::Planned, None) => prop_assert!(dry_run && !is_later && (force || !is_so)),
                Step::Done(Outcome::Superseded, Some(_)) => {
                    prop_assert!(is_later || tag == Some("\"other\""));
                }
                Step::AskWhen => prop_assert!(since.is_some() && modified == Modified::Unasked && (force || !is_so)),
                Step::Done(..) => prop_assert!(false, "no such end"),
            }
        }
    }
}
