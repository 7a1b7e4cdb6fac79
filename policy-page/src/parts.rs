//! Parts that several pages have.

use crate::frame::Frame;
use crate::words::{ListDifference, size};
use maud::{Markup, html};
use policy_core::origin::TriggerKind;
use policy_core::policy::{ChangeId, Configuration};
use policy_core::record::{
    Counts, Members, Progress, RecordStatus, RecordedError, RecordedOrigin, TargetRecord, Who,
};
use policy_core::report::OutcomeKind;
use policy_core::trigger::widget::View;

/// A word with a sign before it, so that its colour is not all that it says.
fn signed((sign, tone): (&str, &str), word: &str) -> Markup {
    html! { span.word.(tone) { span.sign aria-hidden="true" { (sign) } " " (word) } }
}

pub(crate) fn status(status: RecordStatus) -> Markup {
    let sign = match status {
        RecordStatus::Accepted => ("○", "plain"),
        RecordStatus::Running => ("◐", "plain"),
        RecordStatus::Planned => ("◇", "plain"),
        RecordStatus::Succeeded => ("✓", "good"),
        RecordStatus::Incomplete | RecordStatus::Partial => ("△", "careful"),
        RecordStatus::Cancelled => ("■", "careful"),
        RecordStatus::Rejected | RecordStatus::Failed => ("✗", "bad"),
    };
    signed(sign, status.name())
}

/// A word for the outcome, after a number where there is one.
fn outcome_with(kind: OutcomeKind, number: Option<u32>) -> Markup {
    let sign = match kind {
        OutcomeKind::Applied => ("✓", "good"),
        OutcomeKind::Unchanged => ("=", "plain"),
        OutcomeKind::Planned => ("◇", "plain"),
        OutcomeKind::Superseded | OutcomeKind::Skipped => ("–", "plain"),
        OutcomeKind::Pending => ("○", "plain"),
        OutcomeKind::Unknown => ("?", "careful"),
        OutcomeKind::Blocked | OutcomeKind::Failed => ("✗", "bad"),
    };
    let word = number.map_or_else(|| kind.name().to_owned(), |number| format!("{number} {}", kind.name()));
    signed(sign, &word)
}

pub(crate) fn outcome(kind: OutcomeKind) -> Markup {
    outcome_with(kind, None)
}

/// How many targets ended how. `of`: each number leads to those targets.
pub(crate) fn outcomes(frame: &Frame<'_>, counts: &Counts, of: Option<&ChangeId>) -> Markup {
    html! {
        @if !counts.outcomes.is_empty() {
            ul.counts {
                @for (kind, number) in &counts.outcomes {
                    li {
                        @if let Some(id) = of {
                            (frame.link(
                                outcome_with(*kind, Some(*number)),
                                &View::Change { id: id.clone(), outcome: Some(*kind), next: None },
                            ))
                        } @else {
                            (outcome_with(*kind, Some(*number)))
                        }
                    }
                }
            }
        }
    }
}

/// How far something is. Where nobody knows how much there is, only how much is done.
pub(crate) fn progress(progress: Progress) -> Markup {
    let Progress { targets, done } = progress;
    let percent = (u64::from(done) * 100).checked_div(u64::from(targets)).map(|percent| percent.min(100));
    html! {
        @match percent {
            Some(percent) => {
                div.bar role="progressbar" aria-label="Targets done" aria-valuemin="0" aria-valuemax="100"
                    aria-valuenow=(percent) { div style={ "width:" (percent) "%" } {} }
                div.small { (done) " of " (targets) " done, " (percent) " %" }
            }
            None => div.small { (done) " done" }
        }
    }
}

/// What was added to a list and what was removed from it, at most `most` of each.
pub(crate) fn list_difference(difference: &ListDifference<'_>, most: usize) -> Markup {
    let part = |sign: &'static str, verb: &'static str, names: &[&str]| {
        html! {
            @if !names.is_empty() {
                @for name in names.iter().take(most) {
                    span.name { span.said { (verb) " " } span aria-hidden="true" { (sign) } (name) } " "
                }
                @if names.len() > most {
                    span.name { "and " (sign) (names.len() - most) " more" } " "
                }
            }
        }
    };
    html! {
        (part("+", "also", &difference.added))
        (part("−", "without", &difference.removed))
    }
}

/// From one configuration to another: what differs, or what stays where nothing does.
pub(crate) fn transition(before: Option<&Configuration>, after: Option<&Configuration>) -> Markup {
    const MOST: usize = 12;
    let (Some(old), Some(new)) = (before, after) else {
        let held = before.or(after).filter(|held| crate::words::is_known(held));
        return held.map_or_else(Markup::default, configuration);
    };
    let sizes = (old.maximum_size_limit_in_bytes, new.maximum_size_limit_in_bytes);
    let lists = match (&old.allowed_extensions, &new.allowed_extensions) {
        (Some(old), Some(new)) => ListDifference::between(old, new),
        _ => ListDifference::default(),
    };
    if sizes.0 == sizes.1 && lists.is_none() {
        return configuration(new);
    }
    html! {
        @if let ((Some(from), Some(to)), true) = (sizes, sizes.0 != sizes.1) {
            div { (size(from)) " → " (size(to)) }
        }
        @if !lists.is_none() { div { (list_difference(&lists, MOST)) } }
    }
}

/// From what a target should hold to what it was last seen to hold, where the two differ.
pub(crate) fn drift(record: &TargetRecord) -> Option<Markup> {
    let expected = Members::of_known(&record.drift).within(&record.held);
    crate::words::is_known(&record.drift).then(|| transition(Some(&expected), Some(&record.drift)))
}

/// Size and number of extensions.
pub(crate) fn configuration(held: &Configuration) -> Markup {
    html! {
        @if let Some(bytes) = held.maximum_size_limit_in_bytes { div { (size(bytes)) } }
        @if let Some(list) = &held.allowed_extensions {
            div { (crate::words::count(list.len(), "extension")) }
        }
    }
}

/// The names of a list, one after the other.
pub(crate) fn names<'n>(names: impl Iterator<Item = &'n String>) -> Markup {
    html! { @for name in names { span.name { (name) } " " } }
}

/// Who asked, short enough for a column. CloudFormation names nobody.
pub(crate) fn asker(origin: &RecordedOrigin) -> Markup {
    let is_unknown = origin.who.principal.is_none() && origin.who.account.is_none();
    if origin.trigger == TriggerKind::Cloudformation && is_unknown {
        return html! { div { "a CloudFormation stack" } };
    }
    identity(&origin.who)
}

/// Who, short enough for a column: of an ARN what comes after the account, and the account.
pub(crate) fn identity(who: &Who) -> Markup {
    let text = crate::words::who(who);
    let parts: Vec<_> = text.splitn(6, ':').collect();
    html! {
        @match parts[..] {
            ["arn", _, _, _, account, name] if !account.is_empty() && !name.is_empty() => {
                div { (name) }
                div.small { "account " (account) }
            }
            _ => div { (text) },
        }
    }
}

pub(crate) fn error(error: &RecordedError) -> Markup {
    html! { div.small { strong { (error.code) } ": " (error.message) } }
}

/// A term and what it is.
pub(crate) fn fact(term: &str, what: &Markup) -> Markup {
    html! { div.fact { dt { (term) } dd { (what) } } }
}
