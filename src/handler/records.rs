//! HTTP: what the ledger remembers. Nothing is carried out by reading.

use super::http::Answered;
use super::untouched::UntouchedPage;
use super::worker::NoWork;
use super::{Handler, InvocationContext};
use crate::ledger::{Ledger, LedgerError, ListQuery, Page, ResultsQuery};
use crate::telemetry::causes;
use policy_core::policy::{ChangeId, InstanceName, Scope};
use policy_core::problem::Problem;
use policy_core::record::{
    self, ChangeRecord, LaneName, LanePart, Mode, PlanRef, Position, RecordedResult, RunName, Shown,
    Standing, TargetName, Untouched,
};
use policy_core::report::OutcomeKind;
use policy_core::trigger::http::Request;
use policy_core::trigger::http::answer::{self, Response};
use policy_core::trigger::http::route::{ChangesQuery, RecordQuery};
use serde::Deserialize;
use serde_json::value::RawValue;

/// The results of a page.
const RESULTS: usize = 100;
/// The changes of a page, and the entries of a history.
const ENTRIES: usize = 50;

/// The part of a plan that a record shows.
#[derive(Deserialize)]
struct PlannedDocument {
    document: Option<Box<RawValue>>,
}

/// A page of a run's targets, with what belongs to the run.
pub(super) struct ReadRun {
    pub(super) lanes: Vec<LanePart>,
    pub(super) document: Option<Box<RawValue>>,
    pub(super) results: Vec<RecordedResult>,
    pub(super) untouched: Vec<Untouched>,
    pub(super) next: Option<TargetName>,
}

impl Handler {
    /// `GET /policy-changes/{changeId}`.
    pub(super) async fn read_record(
        &self,
        context: &InvocationContext,
        request: &Request,
        ledger: &Ledger,
        id: &ChangeId,
        query: &RecordQuery,
    ) -> Answered {
        let after = match query.next_token.as_deref().map(Position::parse).transpose() {
            Ok(None) => None,
            Ok(Some(Position::Result(target))) => Some(target),
            Ok(Some(_)) | Err(_) => return self.refuse_token(context, request),
        };
        let change = match self.run_shown(ledger, id, query.run).await {
            Ok(Some(change)) => change,
            Ok(None) => {
                let why = "there is no record of this change, or of this run of it, or it has expired";
                return self.refuse(context, request, Problem::ChangeNotFound, why);
            }
            Err(error) => return ledger_failed(&error),
        };
        match self.shown(context, ledger, &change, query, after).await {
            Ok(body) => {
                let response = Response::json(200, "application/json", body);
                if change.status.is_final() {
                    return Ok(response);
                }
                let seconds = self.settings.connect.seconds_for(1).max(1);
                Ok(response.with("retry-after", seconds.to_string()))
            }
            Err(NotShown::Ledger(error)) => ledger_failed(&error),
            Err(NotShown::Encoding(error)) => Err(error.into()),
        }
    }

    async fn run_shown(
        &self,
        ledger: &Ledger,
        id: &ChangeId,
        run: Option<u32>,
    ) -> Result<Option<ChangeRecord>, LedgerError> {
        let newest = ledger.change(id, self.now()).await?;
        match (newest, run) {
            (Some(newest), Some(run)) if newest.run != run => ledger.earlier_run(id, run, self.now()).await,
            (newest, _) => Ok(newest),
        }
    }

    async fn shown(
        &self,
        context: &InvocationContext,
        ledger: &Ledger,
        change: &ChangeRecord,
        query: &RecordQuery,
        after: Option<TargetName>,
    ) -> Result<String, NotShown> {
        let read = self.read_run(context, ledger, change, query.outcome, after).await?;
        let shown = Shown {
            change,
            lanes: &read.lanes,
            document: read.document.as_deref(),
            results: &read.results,
            untouched: &read.untouched,
            next: read.next.map(|next| Position::Result(next).to_string()),
        };
        shown.encode().map_err(NotShown::Encoding)
    }

    /// A page of a run's targets, with what belongs to the run.
    pub(super) async fn read_run(
        &self,
        context: &InvocationContext,
        ledger: &Ledger,
        change: &ChangeRecord,
        outcome: Option<OutcomeKind>,
        after: Option<TargetName>,
    ) -> Result<ReadRun, LedgerError> {
        let run = change.run_name();
        let lanes = async {
            match change.mode {
                Mode::Lanes => ledger.lanes(&run).await,
                Mode::Inline => Ok(Vec::new()),
            }
        };
        let plan = async {
            match &change.plan {
                PlanRef::Own(text) => Ok(text.clone()),
                PlanRef::Parts { name, .. } => ledger.parts(&change.change_id, name).await,
            }
        };
        let untouched = outcome.filter(|outcome| Standing::may_be(*outcome, change));
        let results = ResultsQuery { after: after.clone(), outcome, limit: RESULTS, is_current: false };
        let results = async {
            match untouched {
                // no such result is stored
                Some(OutcomeKind::Pending | OutcomeKind::Skipped) => {
                    Ok(Page { items: Vec::new(), next: None })
                }
                Some(_) | None => ledger.results(&run, &results).await,
            }
        };
        let (lanes, plan, page) = tokio::join!(lanes, plan, results);
        let (lanes, page): (_, Page<RecordedResult>) = (lanes?, page?);
        // a plan that has expired, or of another version, is not shown
        let plan = plan.ok().and_then(|text| serde_json::from_str::<PlannedDocument>(&text).ok());
        let document = plan.and_then(|plan| plan.document);
        let untouched = match untouched {
            Some(outcome) => {
                let of = (change, lanes.as_slice());
                match self.untouched(context, ledger, of, outcome, after.as_ref(), RESULTS).await {
                    Ok(page) => page,
                    Err(NoWork::Ledger(error)) => return Err(error),
                    Err(error) => {
                        // as of the document: settings have changed since, so that the plan means nothing any more
                        tracing::error!(error = causes(&error), %run, "the run's targets could not be read");
                        UntouchedPage::default()
                    }
                }
            }
            None => UntouchedPage::default(),
        };
        let end = match &page.next {
            Some(Position::Result(end)) => Some(end),
            Some(_) | None => None,
        };
        let (mut results, mut untouched, other) = (page.items, untouched.items, untouched.next);
        let targets = results.iter().map(|result| &result.target);
        let targets = targets.chain(untouched.iter().map(|one| &one.target));
        let next = record::end_of_page([end, other.as_ref()], targets, RESULTS).cloned();
        // what lies behind is read again with the next page
        if let Some(next) = &next {
            results.retain(|result| result.target <= *next);
            untouched.retain(|one| one.target <= *next);
        }
        Ok(ReadRun { lanes, document, results, untouched, next })
    }

    /// `GET /policy-changes`.
    pub(super) async fn list_changes(
        &self,
        context: &InvocationContext,
        request: &Request,
        ledger: &Ledger,
        query: &ChangesQuery,
    ) -> Answered {
        let before = match (query.next_token.as_deref().map(Position::parse).transpose(), &query.instance) {
            (Ok(None), _) => None,
            // those of an instance are in the order of their results there
            (Ok(Some(at @ Position::Listed { .. })), None)
            | (Ok(Some(at @ Position::History { .. })), Some(_)) => Some(at),
            _ => return self.refuse_token(context, request),
        };
        let home = &context.rules.home;
        let instance = query.instance.as_ref().map(|name| home.complete(name));
        let query = ListQuery {
            from: query.from.map(record::Millis::of),
            to: query.to.map(record::Millis::of),
            status: query.status,
            instance: instance.map(|instance| (LaneName::of(&instance), instance.id)),
            before,
            limit: ENTRIES,
        };
        match ledger.list(&query, self.now()).await {
            Ok(page) => {
                let next = page.next.map(|next| next.to_string());
                let body = record::list_document(&page.items, next)?;
                Ok(Response::json(200, "application/json", body))
            }
            Err(error) => ledger_failed(&error),
        }
    }

    /// `GET /instances/{instanceId}/attachment-policies/{scope}/history`.
    pub(super) async fn read_history(
        &self,
        context: &InvocationContext,
        request: &Request,
        ledger: &Ledger,
        (instance, scope): (&InstanceName, Scope),
        token: Option<&str>,
    ) -> Answered {
        let Ok(before @ (None | Some(Position::History { .. }))) = token.map(Position::parse).transpose()
        else {
            return self.refuse_token(context, request);
        };
        let instance = context.rules.home.complete(instance);
        let target = TargetName::of(&instance, scope);
        match ledger.history(&target, before.as_ref(), ENTRIES, self.now()).await {
            Ok(page) => {
                let next = page.next.map(|next| next.to_string());
                let body = record::history_document(&target, &page.items, next)?;
                Ok(Response::json(200, "application/json", body))
            }
            Err(error) => ledger_failed(&error),
        }
    }

    fn refuse_token(&self, context: &InvocationContext, request: &Request) -> Answered {
        let why = record::InvalidToken.to_string();
        self.refuse(context, request, Problem::InvalidToken, &why)
    }
}

/// The ledger could not be read, or what was asked for could not be written.
pub(super) fn ledger_failed(error: &LedgerError) -> Answered {
    tracing::error!(error = causes(error), "the ledger could not be used");
    let why = "the ledger could not be read or written; try again";
    let response = Response::problem(Problem::LedgerUnavailable, why, None)?;
    Ok(response.with("retry-after", answer::NOT_BEGUN.to_string()))
}

/// Every result of a run.
pub(super) async fn every_result(ledger: &Ledger, run: &RunName) -> Result<Vec<RecordedResult>, LedgerError> {
    let mut all = Vec::new();
    let mut after = None;
    loop {
        let query = ResultsQuery { after, outcome: None, limit: RESULTS, is_current: true };
        let page = ledger.results(run, &query).await?;
        all.extend(page.items);
        after = match page.next {
            Some(Position::Result(next)) => Some(next),
            Some(_) | None => return Ok(all),
        };
    }
}

enum NotShown {
    Ledger(LedgerError),
    Encoding(serde_json::Error),
}

impl From<LedgerError> for NotShown {
    fn from(error: LedgerError) -> Self {
        Self::Ledger(error)
    }
}
