//! What every page has: the style, the links between pages, the time.

use crate::words::{minute, zone};
use maud::{Markup, PreEscaped, Render, html};
use policy_core::record::{Freeze, Millis};
use policy_core::trigger::widget::{Look, Theme, Unclear, View};

/// The only thing that is not escaped.
const STYLE: PreEscaped<&str> = PreEscaped(include_str!("style.css"));

/// How and when a page is looked at.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    /// The viewer's theme and time zone.
    pub look: Look,
    /// The function's own ARN: what links call.
    pub endpoint: &'a str,
    /// When the ledger was read.
    pub now: Millis,
}

/// Why there is no page to show.
#[derive(Debug, Clone, Copy)]
pub enum Nothing<'a> {
    /// The parameters name none.
    Unclear(&'a Unclear),
    /// There is no record of that change, or it has expired.
    NoSuchChange,
    /// The ledger could not be read.
    Unread,
}

impl Frame<'_> {
    /// A page without a view, which says why nothing can be shown.
    pub fn nothing(&self, why: Nothing<'_>) -> String {
        let text = match why {
            Nothing::Unclear(unclear) => unclear.to_string(),
            Nothing::NoSuchChange => "There is no record of this change, or it has expired.".to_owned(),
            Nothing::Unread => "The ledger could not be read. Refresh the widget to try again.".to_owned(),
        };
        self.page("Nothing to show", &html! { p.note role="alert" { (text) } })
    }

    pub(crate) fn page(&self, title: &str, body: &Markup) -> String {
        let theme = match self.look.theme {
            Theme::Light => "light",
            Theme::Dark => "dark",
        };
        let page = html! {
            div.ap.cwdb-no-default-styles.(theme) lang="en" {
                style { (STYLE) }
                nav aria-label="Pages" {
                    (self.link("Fleet", &View::default()))
                    (self.link("Changes", &View::Changes { next: None }))
                }
                h2 { (title) }
                (body)
                p.foot {
                    "Read from the ledger at " (self.minute(self.now)) ", " (zone(self.look.offset)) "."
                }
            }
        };
        page.into_string()
    }

    /// The dashboard gives the element before an action what the action says.
    pub(crate) fn link(&self, text: impl Render, to: &View) -> Markup {
        // these parameters are texts, numbers and flags, so that they always have a JSON form
        let parameters = serde_json::to_string(&to.parameters()).unwrap_or_default();
        html! {
            a.link role="link" tabindex="0" { (text) }
            cwdb-action action="call" display="widget" endpoint=(self.endpoint) { (parameters) }
        }
    }

    pub(crate) fn minute(&self, at: Millis) -> String {
        minute(at, self.look.offset)
    }

    /// What everybody has to know first.
    pub(crate) fn banner(&self, freeze: Option<&Freeze>) -> Markup {
        html! {
            @if let Some(freeze) = freeze {
                p.banner role="status" {
                    strong { @if freeze.drain { "Draining." } @else { "Frozen." } }
                    " Since " (self.minute(freeze.at)) " by " (crate::words::who(&freeze.who)) "."
                    @if freeze.drain { " Accepted changes go on, and no new one is taken." }
                    @else { " No change begins." }
                    @if let Some(reason) = &freeze.reason { " Reason: " q { (reason) } }
                }
            }
        }
    }
}
