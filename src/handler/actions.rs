//! HTTP: what is done to a recorded change. Each answer comes after its record.

use super::derived::Derived;
use super::http::Answered;
use super::records::ledger_failed;
use super::worker::NoWork;
use super::{Handler, InvocationContext};
use crate::audit::Action;
use crate::ledger::{Halting, Ledger, Relation};
use policy_core::policy::{ChangeId, request};
use policy_core::problem::Problem;
use policy_core::record::{self, ChangeRecord, Halt, Halted, Millis, RecordStatus, Task, Who};
use policy_core::trigger::http::Request;
use policy_core::trigger::http::answer::Response;
use std::time::Duration;

/// How long a recorded dry run can be applied.
const PLAN_LIFETIME: Duration = Duration::from_hours(7 * 24);

/// Why a request about a record is not carried out.
struct Conflict(Problem, &'static str);

impl Handler {
    /// `POST /policy-changes/{changeId}/undo`.
    pub(super) async fn undo(
        &self,
        context: &InvocationContext,
        request: &Request,
        ledger: &Ledger,
        id: &ChangeId,
        dry_run: bool,
    ) -> Answered {
        let body = match self.small_body(context, request, request::Undo::parse)? {
            Ok(body) => body,
            Err(refused) => return Ok(refused),
        };
        let undone = match self.record_for(context, request, ledger, id).await? {
            Ok(record) => record,
            Err(refused) => return Ok(refused),
        };
        if let Err(Conflict(problem, why)) = may_be_undone(&undone) {
            return self.refuse(context, request, problem, why);
        }
        if body.change_id.as_ref() == Some(&undone.change_id) {
            let why = "an undo is a change of its own: `changeId` must be another one";
            return self.refuse(context, request, Problem::ChangeIdReused, why);
        }
        let task = Task::Undo { of: undone.change_id.clone(), up_to: undone.key, force: body.force };
        let (relation, change_id) = (Relation::UndoneBy, body.change_id);
        let derived = Derived { task, relation, change_id, reason: body.reason, dry_run, restores: false };
        Box::pin(self.derive(context, request, ledger, &undone, derived)).await
    }

    /// `POST /policy-changes/{changeId}/apply`.
    pub(super) async fn apply(
        &self,
        context: &InvocationContext,
        request: &Request,
        ledger: &Ledger,
        id: &ChangeId,
    ) -> Answered {
        let body = match self.small_body(context, request, request::Apply::parse)? {
            Ok(body) => body,
            Err(refused) => return Ok(refused),
        };
        let planned = match self.record_for(context, request, ledger, id).await? {
            Ok(record) => record,
            Err(refused) => return Ok(refused),
        };
        if let Err(Conflict(problem, why)) = may_be_applied(&planned, &body.plan, self.now()) {
            return self.refuse(context, request, problem, why);
        }
        let restores = match self.plan_of(context, ledger, &planned).await {
            Ok(plan) => plan.restores,
            Err(NoWork::Ledger(error)) => return ledger_failed(&error),
            // its workers say what is wrong with the plan
            Err(_) => false,
        };
        let task = Task::Apply { of: planned.change_id.clone(), key: planned.key };
        let derived = Derived {
            task,
            relation: Relation::AppliedBy,
            change_id: body.change_id,
            reason: body.reason,
            dry_run: false,
            restores,
        };
        Box::pin(self.derive(context, request, ledger, &planned, derived)).await
    }

    /// `POST /policy-changes/{changeId}/cancel`.
    pub(super) async fn cancel(
        &self,
        context: &InvocationContext,
        request: &Request,
        ledger: &Ledger,
        id: &ChangeId,
    ) -> Answered {
        let body = match self.small_body(context, request, request::Cancel::parse)? {
            Ok(body) => body,
            Err(refused) => return Ok(refused),
        };
        let record = match self.record_for(context, request, ledger, id).await? {
            Ok(record) => record,
            Err(refused) => return Ok(refused),
        };
        let who = Who::of(&request.origin);
        let halt = Halt { as_what: Halted::Cancelled, at: self.now(), who, reason: body.reason };
        let cancelled = match ledger.halt(&record.run_name(), &halt, self.now()).await {
            Ok(Halting::Now(record)) => {
                let (what, reason) = ((Action::Cancel, None), halt.reason.as_deref());
                self.note_change_action(context, &request.origin, id, what, reason);
                record
            }
            Ok(Halting::Already(record)) => record,
            Ok(Halting::Final(_)) => {
                let why = "the change has ended; nothing is left to cancel";
                return self.refuse(context, request, Problem::ChangeFinal, why);
            }
            Err(error) => return ledger_failed(&error),
        };
        self.followed(&cancelled)
    }

    /// The newest run of a change, or the answer that there is none.
    async fn record_for(
        &self,
        context: &InvocationContext,
        request: &Request,
        ledger: &Ledger,
        id: &ChangeId,
    ) -> Result<Result<ChangeRecord, Response>, super::FunctionError> {
        match ledger.change(id, self.now()).await {
            Ok(Some(record)) => Ok(Ok(record)),
            Ok(None) => {
                let why = "there is no record of this change, or it has expired";
                self.refuse(context, request, Problem::ChangeNotFound, why).map(Err)
            }
            Err(error) => ledger_failed(&error).map(Err),
        }
    }

    /// 202 with the place to follow the change at.
    pub(super) fn followed(&self, record: &ChangeRecord) -> Answered {
        let body = record::accepted_document(record)?;
        let location = format!("/policy-changes/{}", record.change_id);
        let response = Response::json(202, "application/json", body).with("location", location);
        Ok(response.with("retry-after", self.seconds_for(record).to_string()))
    }
}

/// An undo is of a change that has ended. Whether one of its runs applied something, their results say.
fn may_be_undone(change: &ChangeRecord) -> Result<(), Conflict> {
    if !change.status.is_final() {
        return Err(Conflict(
            Problem::ChangeRunning,
            "the change has not ended; cancel it, or wait for its end",
        ));
    }
    if change.status == RecordStatus::Rejected {
        return Err(Conflict(Problem::NothingToUndo, "the change applied nothing that could be undone"));
    }
    Ok(())
}

/// What is applied is a dry run that has ended, as it was reported, and not long ago.
fn may_be_applied(change: &ChangeRecord, plan: &str, now: Millis) -> Result<(), Conflict> {
    if !change.dry_run {
        return Err(Conflict(Problem::NotADryRun, "only a dry run can be applied"));
    }
    if !change.status.is_final() {
        return Err(Conflict(Problem::ChangeRunning, "the dry run has not ended; wait for its end"));
    }
    if !matches!(change.status, RecordStatus::Planned | RecordStatus::Partial) {
        return Err(Conflict(Problem::NotADryRun, "the dry run did not end with a plan"));
    }
    if change.finished.is_none_or(|finished| now.since(finished) > PLAN_LIFETIME) {
        return Err(Conflict(Problem::PlanExpired, "the dry run is older than 7 days; make a new one"));
    }
    if change.plan_hash.as_deref() != Some(plan) {
        return Err(Conflict(Problem::PlanDiffers, "`plan` is not the hash that the dry run's report has"));
    }
    Ok(())
}
