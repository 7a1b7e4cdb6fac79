//! The fleet: what every target should hold, beside what is usual.

use crate::comparison::{Comparison, Row, Usual};
use crate::frame::Frame;
use crate::parts::{drift, list_difference, names};
use crate::words::{count, day, is_known, size, stack};
use maud::{Markup, html};
use policy_core::policy::Scope;
use policy_core::record::{Freeze, LaneName, TargetName, TargetRecord};
use policy_core::trigger::widget::View;
use std::collections::BTreeSet;

/// Instances of a page: more than fit a screen, fewer than a browser minds.
const PAGE: usize = 50;
/// Extensions that a cell names of those that it has more, and of those that it has not.
const NAMED: usize = 4;

/// What the page shows.
#[derive(Debug, Clone, Copy)]
pub struct Fleet<'a> {
    /// Of one account and Region only.
    pub lane: Option<&'a LaneName>,
    /// Only instances that differ, or that have a drift.
    pub differing: bool,
    /// Which page of them, from 1.
    pub page: u32,
    /// Every target, in any order.
    pub targets: &'a [(TargetName, TargetRecord)],
    /// Whether these are all.
    pub is_whole: bool,
    /// The freeze.
    pub freeze: Option<&'a Freeze>,
}

impl Fleet<'_> {
    /// As HTML.
    pub fn render(&self, frame: &Frame<'_>) -> String {
        let comparison = Comparison::of(self.targets);
        let differing = comparison.rows.iter().filter(|row| comparison.differs(row)).count();
        let is_marked = |row: &Row<'_>| comparison.differs(row) || row.has_drifted();
        let wanted = |row: &&Row<'_>| !self.differing || is_marked(row);
        let rows: Vec<_> = comparison.rows.iter().filter(wanted).collect();
        let first = usize::try_from(self.page.saturating_sub(1)).unwrap_or(usize::MAX).saturating_mul(PAGE);
        let shown = rows.get(first..).unwrap_or_default();
        let shown = shown.get(..PAGE).unwrap_or(shown);
        let body = html! {
            (frame.banner(self.freeze))
            p.lead { (self.lead(comparison.rows.len(), differing)) }
            p.choices { (self.choices(frame, comparison.rows.iter().any(is_marked))) }
            @if shown.is_empty() {
                p.note { (self.empty()) }
            } @else {
                (table(frame, &comparison, shown))
            }
            p.choices { (self.pages(frame, rows.len(), first)) }
        };
        frame.page("Attachment policies", &body)
    }

    fn lead(&self, instances: usize, differing: usize) -> Markup {
        let drifted = self.targets.iter().filter(|(_, record)| is_known(&record.drift)).count();
        let busy = self.targets.iter().filter(|(_, record)| record.intent.is_some()).count();
        html! {
            (count(instances, "instance")) ", " (count(self.targets.len(), "target"))
            @if let Some(lane) = self.lane { " in " (lane.to_string()) }
            ". "
            @if differing == 0 { "All hold the same." }
            @else { strong { (count(differing, "instance")) @if differing == 1 { " differs" } @else { " differ" } } " from the rest." }
            @if drifted > 0 { " " strong { (count(drifted, "target")) " drifted." } }
            @if busy > 0 { " " (count(busy, "target")) " being changed." }
            @if !self.is_whole { " These are not all: choose an account and Region." }
        }
    }

    fn choices(&self, frame: &Frame<'_>, are_marked: bool) -> Markup {
        let view =
            |lane: Option<&LaneName>, differing| View::Fleet { lane: lane.cloned(), differing, page: 1 };
        html! {
            @if self.differing {
                (frame.link("Show every instance", &view(self.lane, false)))
            } @else if are_marked {
                (frame.link("Show only those that differ or drifted", &view(self.lane, true)))
            }
            @if self.lane.is_some() {
                (frame.link("Show every account and Region", &view(None, self.differing)))
            }
        }
    }

    fn empty(&self) -> &'static str {
        if self.targets.is_empty() {
            "No target has been governed yet."
        } else if self.differing && self.page == 1 {
            "No instance differs, and none has drifted."
        } else {
            "There are no more instances."
        }
    }

    fn pages(&self, frame: &Frame<'_>, rows: usize, first: usize) -> Markup {
        let page = |page| View::Fleet { lane: self.lane.cloned(), differing: self.differing, page };
        html! {
            @if self.page > 1 { (frame.link("Previous instances", &page(self.page - 1))) }
            @if first.saturating_add(PAGE) < rows { (frame.link("More instances", &page(self.page + 1))) }
        }
    }
}

fn table(frame: &Frame<'_>, comparison: &Comparison<'_>, shown: &[&Row<'_>]) -> Markup {
    let groups = shown.chunk_by(|one, other| one.lane == other.lane);
    html! {
        table.fleet {
            caption { "What each instance should hold, by scope. Where a cell names no list, it is the most common one." }
            thead {
                tr {
                    th scope="col" { "Instance" }
                    @for scope in Scope::ALL { th scope="col" { (scope.as_str()) } }
                }
                tr {
                    th scope="row" { "Most common size" }
                    @for usual in &comparison.usual { td { (usual_size(usual)) } }
                }
                tr.usual {
                    th scope="row" { "Most common list" }
                    @if let Some(list) = comparison.usual_list() {
                        td colspan="4" { (usual_list(Some(list))) }
                    } @else {
                        @for usual in &comparison.usual { td { (usual_list(usual.extensions)) } }
                    }
                }
            }
            @for group in groups {
                tbody {
                    @if let Some(row) = group.first() {
                        tr.group {
                            th scope="rowgroup" colspan="5" {
                                (frame.link(row.lane.to_string(), &View::Fleet {
                                    lane: Some(row.lane.clone()), differing: false, page: 1,
                                }))
                            }
                        }
                    }
                    @for row in group {
                        tr {
                            th scope="row" { (instance(row)) }
                            @for (usual, target) in comparison.cells(row) { (cell(frame, usual, target)) }
                        }
                    }
                }
            }
        }
    }
}

/// The first part tells most instances apart.
fn instance(row: &Row<'_>) -> Markup {
    let (head, tail) = row.instance.as_str().split_at_checked(8).unwrap_or((row.instance.as_str(), ""));
    html! { span.id { span.head { (head) } span.tail { (tail) } } }
}

fn usual_size(usual: &Usual<'_>) -> Markup {
    html! {
        @if let Some(bytes) = usual.size { div.size { (size(bytes)) } } @else { span.none { "–" } }
    }
}

fn usual_list(list: Option<&BTreeSet<String>>) -> Markup {
    html! {
        @if let Some(list) = list {
            div.small { (count(list.len(), "extension")) ": " (names(list.iter())) }
        } @else { span.none { "–" } }
    }
}

fn cell(frame: &Frame<'_>, usual: &Usual<'_>, target: Option<&(TargetName, TargetRecord)>) -> Markup {
    let Some((name, record)) = target else {
        return html! { td { span.none { "not governed" } } };
    };
    let held = &record.held;
    let difference = usual.difference(held);
    let text = match held.maximum_size_limit_in_bytes {
        Some(bytes) => size(bytes),
        None if is_known(held) => "size not governed".to_owned(),
        None => "nothing yet".to_owned(),
    };
    html! {
        td.differs[difference.any() || is_known(&record.drift)] {
            span.size {
                @if difference.size { span.sign { "≠" } " " }
                (frame.link(text, &View::of_target(name)))
            }
            @if let Some(at) = record.applied_at { " " span.day.small { (day(at, frame.look.offset)) } }
            @if held.allowed_extensions.is_none() {
                @if is_known(held) { div.small { "list not governed" } }
            } @else if !difference.list.is_none() {
                div.list { span.sign { "≠" } " " (list_difference(&difference.list, NAMED)) }
            }
            (marks(record))
        }
    }
}

/// What else there is to know of a target at a glance.
fn marks(record: &TargetRecord) -> Markup {
    html! {
        @if record.intent.is_some() { div.small.busy { span.sign aria-hidden="true" { "◐" } " being changed" } }
        @if let Some(drift) = drift(record) {
            div.word.careful { span.sign aria-hidden="true" { "△" } " drifted" }
            div.small { (drift) }
        }
        @if let Some(owner) = &record.owner { div.small { "declared by " (stack(&owner.stack_id)) } }
    }
}
