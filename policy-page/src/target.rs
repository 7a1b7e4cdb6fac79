//! One target: what it should hold, and how it came to that.

use crate::frame::Frame;
use crate::parts::{drift, error, fact, identity, names, outcome, transition};
use crate::words::{is_known, size};
use maud::{Markup, html};
use policy_core::policy::ChangeId;
use policy_core::record::{Past, Position, TargetName, TargetRecord};
use policy_core::trigger::widget::View;
use std::collections::BTreeMap;

/// What the page shows.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// Which target.
    pub name: &'a TargetName,
    /// Its item.
    pub record: &'a TargetRecord,
    /// A page of its history, the newest first.
    pub past: &'a [Past],
    /// Why the changes of that page were asked for, by the ids of their records.
    pub reasons: &'a BTreeMap<ChangeId, String>,
    /// Where the next page begins.
    pub next: Option<&'a Position>,
    /// Whether this is the first page.
    pub is_first: bool,
}

impl Target<'_> {
    /// As HTML.
    pub fn render(&self, frame: &Frame<'_>) -> String {
        let older = |next| match View::of_target(self.name) {
            View::Target { instance, scope, .. } => View::Target { instance, scope, next },
            other => other,
        };
        let body = html! {
            (self.facts(frame))
            @if self.past.is_empty() {
                p.note { @if self.is_first { "No change is on record for this target." } @else { "There is nothing older." } }
            } @else {
                table.history {
                    caption { "History, the newest first" }
                    thead {
                        tr {
                            th scope="col" { "When and by which change" }
                            th scope="col" { "Outcome" }
                            th scope="col" { "Before → after" }
                            th scope="col" { "Who and why" }
                        }
                    }
                    tbody { @for past in self.past { (self.row(frame, past)) } }
                }
            }
            p.choices {
                @if !self.is_first { (frame.link("Newest entries", &older(None))) }
                @if let Some(next) = self.next { (frame.link("Older entries", &older(Some(next.clone())))) }
            }
        };
        frame.page(&format!("{} of {}", self.name.scope, self.name.instance), &body)
    }

    fn facts(&self, frame: &Frame<'_>) -> Markup {
        let (record, held) = (self.record, &self.record.held);
        html! {
            dl {
                @if let Some(drift) = drift(record) {
                    (fact("Drifted", &html! {
                        div.careful { span.sign aria-hidden="true" { "△" } " It was last seen to hold something else:" }
                        (drift)
                        div.small { "The audit says when, and who changed it where that is known. Restore the target to put it back, \
                            or send a change to these values to accept them." }
                    }))
                }
                (fact("Account and Region", &html! { (self.name.lane.to_string()) }))
                (fact("Should hold", &html! {
                    @if !is_known(held) { "nothing: it has not been governed yet" }
                    @if let Some(bytes) = held.maximum_size_limit_in_bytes { div { "at most " (size(bytes)) } }
                    @if let Some(list) = &held.allowed_extensions {
                        div { @if list.is_empty() { "no extension" } @else { (names(list.iter())) } }
                    }
                }))
                @if let Some(run) = &record.applied {
                    (fact("Last changed", &html! {
                        @if let Some(at) = record.applied_at { (frame.minute(at)) " by " }
                        (frame.link(run.change_id.as_str(), &View::of_change(run.change_id.clone())))
                    }))
                }
                @if let Some(owner) = &record.owner {
                    (fact("Declared by", &html! {
                        @for claim in owner.claims.iter().rev() { (claim.logical_id) " " }
                        "of the stack " (owner.stack_id)
                    }))
                }
                @if let Some(intent) = &record.intent {
                    (fact("Being changed", &html! {
                        "since " (frame.minute(intent.begun)) " by "
                        (frame.link(intent.run.change_id.as_str(), &View::of_change(intent.run.change_id.clone())))
                    }))
                }
            }
        }
    }

    fn row(&self, frame: &Frame<'_>, past: &Past) -> Markup {
        let record = &past.run.change_id;
        html! {
            tr {
                th scope="row" {
                    div { (frame.minute(past.at)) }
                    (frame.link(past.change_id.as_str(), &View::of_change(record.clone())))
                }
                td {
                    (outcome(past.outcome))
                    @if let Some(why) = &past.error { (error(why)) }
                }
                td { (transition(past.before.as_ref(), past.after.as_ref())) }
                td {
                    @if let Some(one) = &past.who { (identity(one)) }
                    @if let Some(reason) = self.reasons.get(record) { div { q { (reason) } } }
                }
            }
        }
    }
}
