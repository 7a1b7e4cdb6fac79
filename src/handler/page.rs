//! The pages of a dashboard's widget: read from the ledger, and from nothing else.

use super::{FunctionError, Handler, InvocationContext, Reply};
use crate::ledger::{Ledger, LedgerError, ListQuery};
use crate::telemetry::causes;
use futures_util::future::try_join_all;
use policy_core::function_error::FunctionErrorType;
use policy_core::policy::ChangeId;
use policy_core::record::{LaneName, Listed, Mode, Position, Progress, TargetName};
use policy_core::report::OutcomeKind;
use policy_core::trigger::widget::{Request, View, Widget};
use policy_page::{Change, Changes, DOCUMENTATION, Entry, Fleet, Frame, Nothing, Target};
use serde_json::value::to_raw_value;
use std::collections::BTreeSet;

/// The changes of a page, and the entries of a history.
const ENTRIES: usize = 20;
/// How many changes of a page are asked how far they are; each is two requests more.
const FOLLOWED: usize = 10;

impl Handler {
    /// Answers a dashboard: a string of HTML, or of Markdown about the widget.
    pub(super) async fn show(&self, context: &InvocationContext, widget: &Widget) -> Reply {
        let Some(ledger) = &self.ledger else {
            let why = "a widget needs LEDGER_TABLE";
            return Err(FunctionError::new(FunctionErrorType::TriggerNotAccepted, &why));
        };
        let html = match widget {
            Widget::Documentation => DOCUMENTATION.to_owned(),
            Widget::Page(request) => self.page(context, ledger, request).await,
        };
        Ok(to_raw_value(&html)?)
    }

    async fn page(&self, context: &InvocationContext, ledger: &Ledger, request: &Request) -> String {
        let frame = Frame { look: request.look, endpoint: &context.function_arn, now: self.now() };
        let page = match &request.view {
            Err(unclear) => return frame.nothing(Nothing::Unclear(unclear)),
            Ok(View::Fleet { lane, differing, page }) => {
                self.fleet_page(ledger, &frame, lane.as_ref(), (*differing, *page)).await
            }
            Ok(View::Changes { next }) => self.changes_page(ledger, &frame, next.as_ref()).await,
            Ok(View::Change { id, outcome, next }) => {
                self.change_page(context, ledger, &frame, id, (*outcome, next.as_ref())).await
            }
            Ok(View::Target { instance, scope, next }) => {
                let instance = context.rules.home.complete(instance);
                let name = TargetName::of(&instance, *scope);
                self.target_page(ledger, &frame, &name, next.as_ref()).await
            }
        };
        page.unwrap_or_else(|error| {
            // the dashboard shows a function error as its type alone
            tracing::error!(error = causes(&error), "the ledger could not be read");
            frame.nothing(Nothing::Unread)
        })
    }

    async fn fleet_page(
        &self,
        ledger: &Ledger,
        frame: &Frame<'_>,
        lane: Option<&LaneName>,
        (differing, page): (bool, u32),
    ) -> Result<String, LedgerError> {
        let (fleet, freeze) = tokio::try_join!(ledger.fleet(lane), ledger.frozen())?;
        let shown = Fleet {
            lane,
            differing,
            page,
            targets: &fleet.targets,
            is_whole: fleet.is_whole,
            freeze: freeze.as_ref(),
        };
        Ok(shown.render(frame))
    }

    async fn changes_page(
        &self,
        ledger: &Ledger,
        frame: &Frame<'_>,
        next: Option<&Position>,
    ) -> Result<String, LedgerError> {
        let query = ListQuery { before: next.cloned(), limit: ENTRIES, ..ListQuery::default() };
        let (page, freeze) = tokio::try_join!(ledger.list(&query, frame.now), ledger.frozen())?;
        let mut followed = 0..FOLLOWED;
        let entries = page.items.into_iter().map(|listed| {
            let follow = !listed.status.is_final() && followed.next().is_some();
            self.entry(ledger, listed, follow)
        });
        let entries = try_join_all(entries).await?;
        let shown = Changes {
            entries: &entries,
            next: page.next.as_ref(),
            is_first: next.is_none(),
            freeze: freeze.as_ref(),
        };
        Ok(shown.render(frame))
    }

    /// The list knows of finished lanes only, so that one which goes on is asked for.
    async fn entry(&self, ledger: &Ledger, mut listed: Listed, follow: bool) -> Result<Entry, LedgerError> {
        if !follow {
            return Ok(Entry { listed, progress: None });
        }
        let Some(change) = ledger.change(&listed.change_id, self.now()).await? else {
            return Ok(Entry { listed, progress: None });
        };
        let lanes = match change.mode {
            Mode::Lanes => ledger.lanes(&change.run_name()).await?,
            Mode::Inline => Vec::new(),
        };
        listed.status = change.status;
        Ok(Entry { listed, progress: Some(Progress::of(&change, &lanes)) })
    }

    async fn change_page(
        &self,
        context: &InvocationContext,
        ledger: &Ledger,
        frame: &Frame<'_>,
        id: &ChangeId,
        (outcome, after): (Option<OutcomeKind>, Option<&TargetName>),
    ) -> Result<String, LedgerError> {
        let Some(change) = ledger.change(id, frame.now).await? else {
            return Ok(frame.nothing(Nothing::NoSuchChange));
        };
        let read = self.read_run(context, ledger, &change, outcome, after.cloned()).await?;
        let shown = Change {
            change: &change,
            lanes: &read.lanes,
            document: read.document.as_deref(),
            results: &read.results,
            untouched: &read.untouched,
            outcome,
            next: read.next.as_ref(),
        };
        Ok(shown.render(frame))
    }

    async fn target_page(
        &self,
        ledger: &Ledger,
        frame: &Frame<'_>,
        name: &TargetName,
        next: Option<&Position>,
    ) -> Result<String, LedgerError> {
        let names = std::slice::from_ref(name);
        let history = ledger.history(name, next, ENTRIES, frame.now);
        let (records, page) = tokio::try_join!(ledger.targets(names), history)?;
        let ids: BTreeSet<_> = page.items.iter().map(|past| &past.run.change_id).collect();
        let reasons = ledger.reasons(&ids, frame.now).await?;
        let record = records.into_iter().next().unwrap_or_default();
        let shown = Target {
            name,
            record: &record,
            past: &page.items,
            reasons: &reasons,
            next: page.next.as_ref(),
            is_first: next.is_none(),
        };
        Ok(shown.render(frame))
    }
}
