//! One change: where it stands, and what became of its targets.

use crate::frame::Frame;
use crate::parts::{error, fact, outcome, outcomes, progress, status, transition};
use crate::words::who;
use maud::{Markup, html};
use policy_core::policy::ChangeId;
use policy_core::record::{
    ChangeRecord, LanePart, LaneState, Progress, RecordedResult, TargetName, Untouched,
};
use policy_core::report::OutcomeKind;
use policy_core::trigger::widget::View;
use serde_json::value::RawValue;

/// The longest part of a document that is shown, in bytes.
const DOCUMENT: usize = 4_000;

/// What the page shows.
#[derive(Debug, Clone, Copy)]
pub struct Change<'a> {
    /// The record.
    pub change: &'a ChangeRecord,
    /// Its newest run's lanes.
    pub lanes: &'a [LanePart],
    /// The document in its normal form.
    pub document: Option<&'a RawValue>,
    /// A page of that run's results.
    pub results: &'a [RecordedResult],
    /// Targets without a result, where those are asked for.
    pub untouched: &'a [Untouched],
    /// Only targets that ended so.
    pub outcome: Option<OutcomeKind>,
    /// Where the next page begins.
    pub next: Option<&'a TargetName>,
}

impl Change<'_> {
    /// As HTML.
    pub fn render(&self, frame: &Frame<'_>) -> String {
        let id = &self.change.change_id;
        let of = |outcome, next| View::Change { id: id.clone(), outcome, next };
        let body = html! {
            (self.facts(frame))
            (self.document())
            @if self.lanes.len() > 1 || self.lanes.iter().any(|lane| lane.state == LaneState::Parked) {
                (lanes(self.lanes))
            }
            @if self.results.is_empty() && self.untouched.is_empty() {
                p.note { @if self.outcome.is_some() { "No such target." } @else { "No target has a result yet." } }
            } @else {
                (self.results(frame))
            }
            p.choices {
                @if self.outcome.is_some() { (frame.link("Targets of every outcome", &of(None, None))) }
                @if let Some(next) = self.next {
                    (frame.link("More targets", &of(self.outcome, Some(next.clone()))))
                }
            }
        };
        frame.page(&format!("Change {id}"), &body)
    }

    fn facts(&self, frame: &Frame<'_>) -> Markup {
        let change = self.change;
        let origin = &change.origin;
        let relations = &change.relations;
        let link = |id: &ChangeId| frame.link(id.as_str(), &View::of_change(id.clone()));
        html! {
            dl {
                (fact("Status", &html! {
                    (status(change.status))
                    @if change.checks_drift { ", check for drift" } @else if change.dry_run { ", dry run" }
                    @if change.run > 1 { ", run " (change.run) }
                }))
                (fact("Targets", &html! {
                    (progress(Progress::of(change, self.lanes)))
                    (outcomes(frame, &change.counts, Some(&change.change_id)))
                }))
                (fact("Submitted", &html! { (frame.minute(change.submitted)) }))
                @if let Some(at) = change.finished { (fact("Ended", &html! { (frame.minute(at)) })) }
                (fact("Who", &html! {
                    div { (who(&origin.who)) }
                    div.small { "verified by " (origin.who.vouched_by.name()) ", came as " (origin.trigger.name()) " from "
                        (origin.service) @if let Some(address) = &origin.source_ip { ", " (address) } }
                    @if let Some(claimed) = &change.requested_by { div.small { "for " (claimed) } }
                }))
                @if let Some(declared) = &change.declared {
                    (fact("Declared by", &html! { (declared.logical_id) " of the stack " (declared.stack_id) }))
                }
                @if let Some(reason) = &change.reason { (fact("Reason", &html! { q { (reason) } })) }
                @if let Some(halt) = &change.halt {
                    (fact("Ended early", &html! {
                        "by " (who(&halt.who)) ", " (frame.minute(halt.at))
                        @if let Some(reason) = &halt.reason { ": " q { (reason) } }
                    }))
                }
                @for (term, other) in [
                    ("Undoes", &relations.undoes),
                    ("Undone by", &relations.undone_by),
                    ("Carries out the dry run", &relations.applies),
                    ("Carried out by", &relations.applied_by),
                ] {
                    @if let Some(id) = other { (fact(term, &link(id))) }
                }
                @if !change.violations.is_empty() {
                    (fact("Violations", &html! {
                        ul { @for one in &change.violations {
                            li { strong { (one.code.name()) } " at " code { (one.pointer) } ": " (one.message) }
                        } }
                    }))
                }
            }
        }
    }

    fn document(&self) -> Markup {
        let Some(text) = self.document.map(RawValue::get) else { return html! {} };
        let shown = text.get(..text.floor_char_boundary(DOCUMENT)).unwrap_or(text);
        html! {
            details {
                summary { "The document" }
                pre { (shown) @if shown.len() < text.len() { "…" } }
            }
        }
    }

    fn results(&self, frame: &Frame<'_>) -> Markup {
        html! {
            table.results {
                caption {
                    @match self.outcome {
                        Some(kind) => { "Targets: " (kind.name()) }
                        None => "Targets that have a result",
                    }
                }
                thead {
                    tr {
                        th scope="col" { "Target" }
                        th scope="col" { "Outcome" }
                        th scope="col" { "Before → after" }
                    }
                }
                tbody {
                    @for result in self.results {
                        tr {
                            (target(frame, &result.target))
                            td {
                                (outcome(result.outcome))
                                @if let Some(why) = &result.error { (error(why)) }
                            }
                            td { (transition(result.before.as_ref(), result.after.as_ref())) }
                        }
                    }
                    @for one in self.untouched {
                        tr {
                            (target(frame, &one.target))
                            td {
                                (outcome(one.standing.outcome))
                                @if let Some(why) = &one.standing.why {
                                    div.small { strong { (why.code()) } ": " (why.message()) }
                                }
                            }
                            td {}
                        }
                    }
                }
            }
        }
    }
}

fn target(frame: &Frame<'_>, target: &TargetName) -> Markup {
    html! {
        th scope="row" {
            span.id { (frame.link(format!("{} {}", target.instance, target.scope), &View::of_target(target))) }
            div.small { (target.lane.to_string()) }
        }
    }
}

fn lanes(lanes: &[LanePart]) -> Markup {
    html! {
        table.lanes {
            caption { "Accounts and Regions" }
            thead {
                tr {
                    th scope="col" { "Account and Region" }
                    th scope="col" { "State" }
                    th scope="col" { "Targets" }
                }
            }
            tbody {
                @for lane in lanes {
                    tr {
                        th scope="row" { (lane.name.to_string()) }
                        td {
                            (lane.state.name())
                            @if let (LaneState::Open | LaneState::Parked, Some(why)) = (lane.state, &lane.error) { (error(why)) }
                        }
                        td { (progress(Progress::in_lane(lane))) }
                    }
                }
            }
        }
    }
}
