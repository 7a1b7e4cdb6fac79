//! The changes, the newest first.

use crate::frame::Frame;
use crate::parts::{asker, outcomes, progress, status};
use maud::{Markup, html};
use policy_core::record::{Freeze, Listed, Position, Progress};
use policy_core::trigger::widget::View;

/// A change of the list.
#[derive(Debug, Clone)]
pub struct Entry {
    /// What the list knows.
    pub listed: Listed,
    /// Of one that has not ended: how far it is.
    pub progress: Option<Progress>,
}

/// What the page shows.
#[derive(Debug, Clone, Copy)]
pub struct Changes<'a> {
    /// The changes, the newest first.
    pub entries: &'a [Entry],
    /// Where the next page begins.
    pub next: Option<&'a Position>,
    /// Whether this is the first page.
    pub is_first: bool,
    /// The freeze.
    pub freeze: Option<&'a Freeze>,
}

impl Changes<'_> {
    /// As HTML.
    pub fn render(&self, frame: &Frame<'_>) -> String {
        let body = html! {
            (frame.banner(self.freeze))
            @if self.entries.is_empty() {
                p.note { @if self.is_first { "No change has been recorded yet." } @else { "There are no older changes." } }
            } @else {
                table.changes {
                    caption { "Changes, the newest first" }
                    thead {
                        tr {
                            th scope="col" { "Change" }
                            th scope="col" { "Status" }
                            th scope="col" { "Targets" }
                            th scope="col" { "Who and why" }
                        }
                    }
                    tbody { @for entry in self.entries { (row(frame, entry)) } }
                }
            }
            p.choices {
                @if !self.is_first { (frame.link("Newest changes", &View::Changes { next: None })) }
                @if let Some(next) = self.next {
                    (frame.link("Older changes", &View::Changes { next: Some(next.clone()) }))
                }
            }
        };
        frame.page("Changes", &body)
    }
}

fn row(frame: &Frame<'_>, entry: &Entry) -> Markup {
    let listed = &entry.listed;
    html! {
        tr {
            th scope="row" {
                (frame.link(listed.change_id.as_str(), &View::of_change(listed.change_id.clone())))
                div.small {
                    (frame.minute(listed.submitted))
                    @if listed.run > 1 { ", run " (listed.run) }
                    @if listed.dry_run { ", dry run" }
                }
                @if let Some(undone) = &listed.undoes { div.small { "undoes " (undone.as_str()) } }
                @if let Some(by) = &listed.undone_by { div.small { "undone by " (by.as_str()) } }
            }
            td {
                (status(listed.status))
                @if let Some(at) = entry.progress { (progress(at)) }
            }
            td {
                (outcomes(frame, &listed.counts, None))
                @if listed.counts.outcomes.is_empty() { (listed.targets) }
            }
            td {
                (asker(&listed.origin))
                @if let Some(claimed) = &listed.requested_by { div.small { "for " (claimed) } }
                @if let Some(reason) = &listed.reason { div { q { (reason) } } }
            }
        }
    }
}
