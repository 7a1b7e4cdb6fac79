//! What a submission means for the ledger: a record of its own, a new run of one, or a repetition.

use super::governed::{Case, DEAD};
use super::{Handler, InvocationContext};
use crate::ledger::{LedgerError, Recorded};
use crate::propagate::{Resolved, unavailable};
use policy_core::failure::{ErrorCode, Failure};
use policy_core::policy::{Instances, PolicyChange, ViolationCode};
use policy_core::record::{
    self, Admission, ChangeRecord, Holder, Mode, OWN_PLAN, Order, PlanRef, RecordStatus, RecordedOrigin,
    Relations, RunKey, Submitted,
};
use policy_core::report::Report;

/// How often a record that keeps changing is looked at.
const TRIES: usize = 3;

impl Handler {
    /// The record of a run of this case.
    fn draft(
        context: &InvocationContext,
        case: &Case<'_>,
        (run, key, order): (u32, RunKey, Order),
        old: Option<&ChangeRecord>,
    ) -> ChangeRecord {
        let changes = &case.document.changes;
        let first = changes.first();
        let (mode, status) = match case.at_once {
            Some(_) => (Mode::Inline, RecordStatus::Running),
            None => (Mode::Lanes, RecordStatus::Accepted),
        };
        let until = case.now.plus(context.deadline.left() + DEAD);
        let holder = Holder { token: case.tokens.next(), until };
        let mut replays = old.map_or_else(Default::default, |old| old.replays.clone());
        replays.extend(case.replay.map(str::to_owned));
        let accepted = ChangeRecord::accepted(
            order,
            (case.tokens.next(), case.hash.clone()),
            RecordedOrigin::of(case.origin),
            plan_ref(&case.text),
            case.now,
        );
        ChangeRecord {
            chosen: case.document.is_chosen,
            is_batch: case.document.is_batch,
            dry_run: is_dry_run(changes),
            checks_drift: changes.iter().any(|change| change.checks_drift),
            run,
            key,
            first: old.map_or(case.now, |old| old.first),
            status,
            mode,
            started: (mode == Mode::Inline).then_some(case.now),
            reason: first.and_then(|change| change.reason.clone()),
            requested_by: first.and_then(|change| change.requested_by.clone()),
            lanes: u32::try_from(case.plan.lanes.len()).unwrap_or(u32::MAX),
            targets: targets(changes, case.at_once.as_deref()),
            stop_after: case.document.stop_after,
            holder: (mode == Mode::Inline).then_some(holder),
            relations: old.map_or_else(Relations::default, |old| old.relations.clone()),
            replays,
            ..accepted
        }
    }

    /// Writes the record, or finds out what the one that is there means for this submission.
    pub(super) async fn admit(&self, context: &InvocationContext, case: Case<'_>) -> Report {
        let order = Order { accepted: case.accepted, change_id: case.document.change_id.clone() };
        let mut new = Self::draft(context, &case, (1, RunKey::next(None, case.now), order), None);
        let mut old: Option<Box<ChangeRecord>> = None;
        // the record that is there may change between two looks at it, but not for ever
        for _ in 0..TRIES {
            match self.written(&case, old.as_deref(), &new).await {
                Ok(Recorded::Stored) => return self.carry_out_recorded(context, case, new).await,
                Ok(Recorded::Exists(mut there)) => {
                    let submitted = Submitted {
                        hash: &case.hash,
                        chosen: case.document.is_chosen,
                        dry_run: new.dry_run,
                        replay: case.replay,
                        at: case.accepted,
                    };
                    match record::admit(&there, &submitted, case.now) {
                        Admission::NextRun { run, key, order } => {
                            // the events of a record come in the order of its runs, as far as the bus takes them
                            there.announce &= !self.announce(context, case.ledger, &there).await;
                            new = Self::draft(context, &case, (run, key, order), Some(&there));
                            old = Some(there);
                        }
                        other => return Box::pin(self.answer_existing(context, case, *there, other)).await,
                    }
                }
                Err(error) => {
                    return self.not_begun(context, case.origin, &case.document, &unavailable(&error));
                }
            }
        }
        self.not_now(context, &case)
    }

    async fn written(
        &self,
        case: &Case<'_>,
        old: Option<&ChangeRecord>,
        new: &ChangeRecord,
    ) -> Result<Recorded, LedgerError> {
        case.ledger.put_plan(new, &case.text).await?;
        if let Some(text) = case.at_once.as_deref().and_then(|at_once| found(&case.document.changes, at_once))
        {
            let (_, parts) = record::parts(&text);
            case.ledger.put_parts(&new.change_id, &found_in(new.key), &parts, new.key).await?;
        }
        match old {
            None => case.ledger.record(new, case.now).await,
            Some(old) => case.ledger.next_run(old, new, case.now).await,
        }
    }

    /// The answer to a submission whose record is there already.
    async fn answer_existing(
        &self,
        context: &InvocationContext,
        mut case: Case<'_>,
        there: ChangeRecord,
        admission: Admission,
    ) -> Report {
        let id = &there.change_id;
        match admission {
            Admission::Reused => {
                let message =
                    "has a `changeId` that belongs to a recorded change with other targets or values";
                self.reject_as(context, case.origin, id, ViolationCode::ChangeIdReused, message)
            }
            Admission::TooManyReplays => {
                let message = "has been replayed as often as a record takes";
                self.reject_as(context, case.origin, id, ViolationCode::TooManyReplays, message)
            }
            // the last of them is handled by the caller
            Admission::Busy | Admission::Later | Admission::NextRun { .. } => self.not_now(context, &case),
            // what is under way does not check the condition of this request
            Admission::Running if case.has_if_match() => self.not_now(context, &case),
            Admission::Running => self.queued(context, &case, &there).await,
            Admission::Continue if there.mode == Mode::Lanes => self.queued(context, &case, &there).await,
            Admission::Continue => {
                let until = case.now.plus(context.deadline.left() + DEAD);
                let mine = Holder { token: case.tokens.next(), until };
                match case.ledger.take_over(&there.run_name(), there.holder.as_ref(), &mine).await {
                    Ok(true) if case.at_once.is_some() => {
                        let taken = ChangeRecord { holder: Some(mine), ..there };
                        self.carry_out_recorded(context, case, taken).await
                    }
                    // what was begun at once no longer fits: the rest goes to the lanes
                    Ok(true) => {
                        case.at_once = None;
                        let taken = ChangeRecord { holder: Some(mine), ..there };
                        let converted = self.convert(context, &case, &taken).await;
                        converted.unwrap_or_else(|| self.not_now(context, &case))
                    }
                    Ok(false) => self.not_now(context, &case),
                    Err(error) => self.not_begun(context, case.origin, &case.document, &unavailable(&error)),
                }
            }
            Admission::Recorded => {
                self.announce(context, case.ledger, &there).await;
                self.recorded_answer(context, &case, &there).await
            }
        }
    }

    /// Another run has to end first.
    fn not_now(&self, context: &InvocationContext, case: &Case<'_>) -> Report {
        self.not_begun(context, case.origin, &case.document, &Failure::new(ErrorCode::ChangeRunning))
    }
}

pub(super) fn is_dry_run(changes: &[PolicyChange]) -> bool {
    changes.iter().all(|change| change.dry_run)
}

pub(super) fn plan_ref(text: &str) -> PlanRef {
    if text.len() <= OWN_PLAN {
        return PlanRef::Own(text.to_owned());
    }
    let (name, parts) = record::parts(text);
    PlanRef::Parts { name, count: u32::try_from(parts.len()).unwrap_or(u32::MAX) }
}

/// The name of the parts that hold what `"*"` means in a run that is carried out at once.
pub(super) fn found_in(key: RunKey) -> String {
    format!("resolved/{key}")
}

/// What `"*"` means in each change, as the parts of a lane have it. `None`: no change names it.
fn found(changes: &[PolicyChange], resolved: &[Resolved]) -> Option<String> {
    let is_star = |change: &PolicyChange| matches!(change.instances, Instances::All { .. });
    if !changes.iter().any(is_star) {
        return None;
    }
    let of_change = |(change, resolved): (&PolicyChange, &Resolved)| {
        is_star(change).then(|| resolved.instances().iter().map(|found| found.id.clone()).collect::<Vec<_>>())
    };
    // a list of ids always has a form as JSON
    serde_json::to_string(&changes.iter().zip(resolved).map(of_change).collect::<Vec<_>>()).ok()
}

/// How many targets there are, as far as that is known.
fn targets(changes: &[PolicyChange], resolved: Option<&[Resolved]>) -> u32 {
    let instances = |(at, change): (usize, &PolicyChange)| {
        let known = resolved.and_then(|resolved| resolved.get(at)).map(Resolved::count);
        let named = match &change.instances {
            // of a check only those that the ledger knows, which its lanes find out
            Instances::Named(named) if !change.checks_drift => named.len(),
            Instances::Named(_) | Instances::All { .. } => 0,
        };
        known.unwrap_or(named) * change.scopes.len()
    };
    u32::try_from(changes.iter().enumerate().map(instances).sum::<usize>()).unwrap_or(u32::MAX)
}
