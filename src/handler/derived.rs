//! A change that follows from a recorded one: its undo, or a dry run that is carried out.

use super::admission::plan_ref;
use super::governed::accepted;
use super::http::Answered;
use super::records::ledger_failed;
use super::{Handler, InvocationContext};
use crate::audit::Action;
use crate::ledger::{Ledger, LedgerError, Related, Relation};
use crate::propagate::Tokens;
use crate::telemetry::causes;
use policy_core::policy::ChangeId;
use policy_core::problem::Problem;
use policy_core::record::{
    self, Admission, ChangeRecord, LaneName, LanePart, LaneState, Millis, Mode, Order, Plan, RecordedOrigin,
    Relations, RunName, Submitted, Task,
};
use policy_core::report::OutcomeKind;
use policy_core::trigger::http::Request;
use std::collections::BTreeSet;

const MOVED: &str = "the change has just begun another run";

/// What is asked for.
pub(super) struct Derived {
    pub(super) task: Task,
    pub(super) relation: Relation,
    pub(super) change_id: Option<ChangeId>,
    pub(super) reason: Option<String>,
    pub(super) dry_run: bool,
    /// Whether the dry run that is carried out was of values that are put back.
    pub(super) restores: bool,
}

impl Handler {
    /// Records the change and has it carried out.
    pub(super) async fn derive(
        &self,
        context: &InvocationContext,
        request: &Request,
        ledger: &Ledger,
        of: &ChangeRecord,
        derived: Derived,
    ) -> Answered {
        let lanes =
            match tokio::join!(ledger.frozen(), lanes_with_results(ledger, of, &derived.task, self.now())) {
                (Ok(None), Ok(lanes)) => lanes,
                (Ok(Some(_)), _) => return self.refuse_frozen(context, request),
                (Err(error), _) | (_, Err(error)) => return ledger_failed(&error),
            };
        if lanes.is_empty() {
            let why = match derived.relation {
                Relation::UndoneBy => "the change applied nothing, so there is nothing to undo",
                Relation::AppliedBy => "the dry run planned no change, so there is nothing to apply",
            };
            return self.refuse(context, request, Problem::NothingToUndo, why);
        }
        let (task, restores) = (derived.task.clone(), derived.restores);
        let plan = Plan { task, lanes, is_batch: false, stop_after: None, restores };
        let tokens = Tokens::new(&context.invocation.request_id, self.now());
        let text = plan.encode()?;
        let record = draft(request, of, &derived, (&plan, &text), (tokens.next(), self.now()));
        if record.change_id == of.change_id {
            let why = "`changeId` is the id of the change itself";
            return self.refuse(context, request, Problem::ChangeIdReused, why);
        }
        if let Err(error) = ledger.put_plan(&record, &text).await {
            return ledger_failed(&error);
        }
        let related = match derived.relation {
            // a look at what an undo would do leaves no trace in the change
            _ if record.dry_run => ledger.record(&record, self.now()).await.map(Related::from),
            relation => ledger.relate(&record, None, &of.run_name(), relation, self.now()).await,
        };
        match related {
            Ok(Related::Stored) => {
                self.begin_derived(context, request, ledger, &derived, &record, &plan).await
            }
            Ok(Related::Moved) => self.refuse(context, request, Problem::ChangeRunning, MOVED),
            Ok(Related::Exists(there)) => {
                let records = (*there, record);
                self.derive_again(context, request, ledger, &derived, records, (&plan, &text)).await
            }
            Err(error) => ledger_failed(&error),
        }
    }

    /// The id that was chosen has a record: a repetition of the same request, a further run of it, or something else.
    async fn derive_again(
        &self,
        context: &InvocationContext,
        request: &Request,
        ledger: &Ledger,
        derived: &Derived,
        (there, new): (ChangeRecord, ChangeRecord),
        (plan, text): (&Plan, &str),
    ) -> Answered {
        // it is carried out once: the request that is sent again is a repetition, unless its run ended incomplete. A look
        // at what an undo would do is new each time
        let may_run_again = new.dry_run || there.dry_run;
        let submitted = Submitted {
            hash: &new.hash,
            chosen: new.chosen && may_run_again,
            dry_run: new.dry_run,
            replay: None,
            at: new.order.accepted,
        };
        match record::admit(&there, &submitted, self.now()) {
            Admission::NextRun { run, key, order } => {
                let first = there.first;
                let relations =
                    Relations { undone_by: there.relations.undone_by.clone(), ..new.relations.clone() };
                let new = ChangeRecord { run, key, order, first, relations, ..new };
                if let Err(error) = ledger.put_plan(&new, text).await {
                    return ledger_failed(&error);
                }
                let stored = match &derived.task {
                    // its first run may have been a dry run, which leaves no trace
                    Task::Undo { of, up_to, .. } if !new.dry_run => {
                        let of = RunName { change_id: of.clone(), key: *up_to };
                        ledger.relate(&new, Some(&there), &of, derived.relation, self.now()).await
                    }
                    _ => ledger.next_run(&there, &new, self.now()).await.map(Related::from),
                };
                match stored {
                    Ok(Related::Stored) => {
                        self.begin_derived(context, request, ledger, derived, &new, plan).await
                    }
                    Ok(Related::Moved) => self.refuse(context, request, Problem::ChangeRunning, MOVED),
                    Ok(Related::Exists(there)) => self.followed(&there),
                    Err(error) => ledger_failed(&error),
                }
            }
            Admission::Running | Admission::Continue | Admission::Later | Admission::Recorded => {
                self.followed(&there)
            }
            Admission::Busy => {
                let why = "a dry run and a real run of one change cannot run at once; wait for its end";
                self.refuse(context, request, Problem::ChangeRunning, why)
            }
            Admission::Reused | Admission::TooManyReplays => {
                let why = "`changeId` belongs to a recorded change with other targets or values";
                self.refuse(context, request, Problem::ChangeIdReused, why)
            }
        }
    }

    /// The record is there: its audit line, its lanes, and where to follow it.
    async fn begin_derived(
        &self,
        context: &InvocationContext,
        request: &Request,
        ledger: &Ledger,
        derived: &Derived,
        record: &ChangeRecord,
        plan: &Plan,
    ) -> Answered {
        let relations = &record.relations;
        let what = match derived.relation {
            Relation::UndoneBy => (Action::Undo, relations.undoes.as_ref()),
            Relation::AppliedBy => (Action::Apply, relations.applies.as_ref()),
        };
        let id = &record.change_id;
        self.note_change_action(context, &request.origin, id, what, record.reason.as_deref());
        let dispatched = self.dispatch(ledger, record, plan, context.deadline.end()).await;
        if let Err(error) = dispatched {
            // the record is there, so that the sweep sends what is missing
            tracing::warn!(error = causes(&error), change_id = %id, "not every lane was sent");
        }
        self.followed(record)
    }
}

/// The lanes in which the change has something to undo or to apply.
async fn lanes_with_results(
    ledger: &Ledger,
    of: &ChangeRecord,
    task: &Task,
    now: Millis,
) -> Result<Vec<LaneName>, LedgerError> {
    let wanted = match task {
        Task::Undo { .. } => OutcomeKind::Applied,
        Task::Apply { .. } | Task::Document(_) | Task::Leave => OutcomeKind::Planned,
    };
    let mut lanes = BTreeSet::new();
    let mut runs = vec![of.clone()];
    if matches!(task, Task::Undo { .. }) {
        for run in 1..of.run {
            runs.extend(ledger.earlier_run(&of.change_id, run, now).await?);
        }
    }
    for run in runs {
        let name = run.run_name();
        match run.mode {
            Mode::Lanes => {
                let parts = ledger.lanes(&name).await?;
                // what was open when its lane ended may have been found applied since
                let is_open = |part: &LanePart| part.counts.not_yet() > 0 || part.state != LaneState::Done;
                if wanted == OutcomeKind::Applied && parts.iter().any(is_open) {
                    lanes.extend(lanes_by_results(ledger, &name, wanted).await?);
                } else {
                    let has = parts.into_iter().filter(|part| part.counts.count(wanted) > 0);
                    lanes.extend(has.map(|part| part.name));
                }
            }
            Mode::Inline => lanes.extend(lanes_by_results(ledger, &name, wanted).await?),
        }
    }
    Ok(lanes.into_iter().collect())
}

async fn lanes_by_results(
    ledger: &Ledger,
    run: &RunName,
    wanted: OutcomeKind,
) -> Result<impl Iterator<Item = LaneName>, LedgerError> {
    let results = super::records::every_result(ledger, run).await?.into_iter();
    Ok(results.filter(move |result| result.outcome == wanted).map(|result| result.target.lane))
}

fn draft(
    request: &Request,
    of: &ChangeRecord,
    derived: &Derived,
    (plan, text): (&Plan, &str),
    (token, now): (String, Millis),
) -> ChangeRecord {
    let change_id = derived.change_id.clone().unwrap_or_else(|| request.origin.change_id());
    let order = Order { accepted: accepted(&request.origin, now), change_id };
    let (undoes, applies, stop_after) = match derived.relation {
        Relation::UndoneBy => (Some(of.change_id.clone()), None, None),
        // the limit is part of what was planned
        Relation::AppliedBy => (None, Some(of.change_id.clone()), of.stop_after),
    };
    let origin = RecordedOrigin::of(&request.origin);
    ChangeRecord {
        chosen: derived.change_id.is_some(),
        dry_run: derived.dry_run,
        reason: derived.reason.clone(),
        lanes: u32::try_from(plan.lanes.len()).unwrap_or(u32::MAX),
        relations: Relations { undoes, applies, ..Relations::default() },
        stop_after,
        ..ChangeRecord::accepted(order, (token, derived.task.hash()), origin, plan_ref(text), now)
    }
}
