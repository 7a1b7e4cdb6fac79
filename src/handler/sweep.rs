//! The sweep: every minute, whatever was left unfinished is taken up again, until its record is final.
//!
//! Two sweeps at once, or one that is killed, do no harm: each step is a conditional write, and a debt stays due until
//! it is paid.

use super::at_once::plan_hash;
use super::untouched::of_plan;
use super::worker::{Ender, early_end, ended_as};
use super::{FunctionError, Handler, InvocationContext, Reply};
use crate::connect::Target;
use crate::ledger::{Finished, Ledger, LedgerError, OwedChange, Seen};
use crate::metrics::Unfinished;
use crate::telemetry::causes;
use policy_core::failure::{ErrorCode, Failure};
use policy_core::function_error::FunctionErrorType;
use policy_core::policy::Configuration;
use policy_core::record::{
    self, ChangeRecord, Counts, Duty, Freeze, LaneName, LanePart, LaneState, Millis, TargetName, duties,
};
use policy_core::report::{Outcome, OutcomeKind};
use policy_core::trigger::lane::LanePointer;
use serde_json::value::to_raw_value;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

/// When to look again at what could not be settled.
const SOON: Duration = Duration::from_mins(1);
/// A run without progress for so long is named in the log and raises an alarm.
const OVERDUE: Duration = Duration::from_hours(6);
/// What is kept back for the last change of an invocation.
const ONE_CHANGE: Duration = Duration::from_secs(10);

/// What may go wrong with one debt; the next sweep comes back to it.
#[derive(Debug, thiserror::Error)]
enum NotSwept {
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error(transparent)]
    Lanes(#[from] super::dispatch::NotDispatched),
    #[error(transparent)]
    Queue(#[from] crate::queue::QueueError),
    #[error(transparent)]
    Work(#[from] super::worker::NoWork),
}

impl Handler {
    /// Takes up everything that is due.
    pub(super) async fn sweep(&self, context: &InvocationContext) -> Reply {
        let Some(ledger) = &self.ledger else {
            let why = "the sweep needs LEDGER_TABLE";
            return Err(FunctionError::new(FunctionErrorType::TriggerNotAccepted, &why));
        };
        let (frozen, owed) = match tokio::join!(ledger.frozen(), ledger.owed(self.now())) {
            (Ok(frozen), Ok(owed)) => (frozen, owed),
            (Err(error), _) | (_, Err(error)) => {
                tracing::error!(error = causes(&error), "the ledger could not be read");
                return Err(FunctionError::new(FunctionErrorType::LedgerUnavailable, &error));
            }
        };
        let mut unfinished = Unfinished::default();
        let mut swept = 0_u32;
        for change in &owed.changes {
            if !context.deadline.leaves(Instant::now(), ONE_CHANGE) {
                tracing::warn!(owed = owed.changes.len(), swept, "time ran out; the next sweep goes on");
                break;
            }
            swept += u32::from(change.is_due);
            let swept_one = self.sweep_one(context, ledger, change, frozen.as_ref(), &mut unfinished).await;
            if let Err(error) = swept_one {
                let change_id = &change.change_id;
                tracing::error!(error = causes(&error), %change_id, "the change could not be swept");
            }
        }
        for drift in &owed.drifts {
            if !context.deadline.leaves(Instant::now(), ONE_CHANGE) {
                break;
            }
            swept += u32::from(drift.is_due);
            if let Err(error) = self.sweep_drift(context, ledger, drift, &mut unfinished).await {
                tracing::error!(error = causes(&error), drift = drift.id, "the drift could not be announced");
            }
        }
        for answer in owed.answers.iter().filter(|answer| answer.is_due) {
            if !context.deadline.leaves(Instant::now(), ONE_CHANGE) {
                break;
            }
            swept += 1;
            if let Err(error) = self.sweep_answer(context, ledger, answer).await {
                let (stack, resource) = (&answer.stack_id, &answer.logical_id);
                tracing::error!(error = causes(&error), stack, resource, "the answer could not be swept");
            }
        }
        context.tally.lock().set_unfinished(unfinished);
        Ok(to_raw_value(&BTreeMap::from([("swept", swept)]))?)
    }

    async fn sweep_one(
        &self,
        context: &InvocationContext,
        ledger: &Ledger,
        owed: &OwedChange,
        frozen: Option<&Freeze>,
        unfinished: &mut Unfinished,
    ) -> Result<(), NotSwept> {
        // the index may be behind
        let found = match owed.run {
            None => ledger.change(&owed.change_id, self.now()).await?,
            Some(run) => ledger.earlier_run(&owed.change_id, run, self.now()).await?,
        };
        let Some(change) = found else { return Ok(()) };
        if change.status.is_final() {
            if change.announce {
                unfinished.add_event(self.now().since(change.finished.unwrap_or(change.submitted)));
            }
            if owed.is_due {
                self.announce_again(context, ledger, &change).await?;
            }
            return Ok(());
        }
        let lanes = ledger.lanes(&change.run_name()).await?;
        let mut deliveries: BTreeMap<LaneName, Millis> = BTreeMap::new();
        for part in lanes.iter().filter(|part| part.state == LaneState::Open) {
            if let Some(at) = ledger.last_delivery(&part.name).await? {
                deliveries.insert(part.name.clone(), at);
            }
        }
        watch(&change, (&lanes, &deliveries), frozen, self.now(), unfinished);
        if !owed.is_due {
            return Ok(());
        }
        let last = |lane: &LaneName| deliveries.get(lane).copied();
        for duty in duties(&change, &lanes, last, frozen, self.max_stalled(), self.now()) {
            self.pay(context, ledger, &change, &lanes, duty).await?;
        }
        Ok(())
    }

    async fn pay(
        &self,
        context: &InvocationContext,
        ledger: &Ledger,
        change: &ChangeRecord,
        lanes: &[LanePart],
        duty: Duty,
    ) -> Result<(), NotSwept> {
        let run = change.run_name();
        match duty {
            Duty::PutLanes => {
                let plan = self.plan_of(context, ledger, change).await?;
                if early_end(change).is_some() {
                    self.put_lanes(ledger, change, &plan).await?;
                } else {
                    self.dispatch(ledger, change, &plan, context.deadline.end()).await?;
                }
            }
            Duty::Send(lanes) => {
                let pointer = |lane| LanePointer { run: run.clone(), lane };
                let pointers: Vec<_> = lanes.into_iter().map(pointer).collect();
                self.queues.send_lanes(&pointers, change.checks_drift, context.deadline.end()).await?;
            }
            Duty::EndLane { lane, as_state } => {
                let Some(part) = lanes.iter().find(|part| part.name == lane) else { return Ok(()) };
                let delivery = part.delivery.as_ref().map(|delivery| delivery.token.clone());
                let stalled = (as_state == LaneState::Parked).then_some(part.stalled);
                let seen = Seen { delivery, stalled };
                let origin = change.origin.in_invocation(&context.invocation);
                let work = self.known_work(context, ledger, change, part).await?;
                let ender = Ender { ledger, change, part, seen: &seen, origin: &origin };
                self.end_early(context, &ender, as_state, &work).await?;
            }
            Duty::SettleInline => self.settle_inline(context, ledger, change).await?,
            Duty::Finish => self.finish_lanes(context, ledger, &change.change_id).await?,
            Duty::Announce => self.announce_again(context, ledger, change).await?,
            Duty::Wait(due) => ledger.postpone(&run, due).await?,
        }
        Ok(())
    }

    /// Makes an inline run final whose invocation is gone.
    async fn settle_inline(
        &self,
        context: &InvocationContext,
        ledger: &Ledger,
        change: &ChangeRecord,
    ) -> Result<(), NotSwept> {
        let run = change.run_name();
        let plan = self.plan_of(context, ledger, change).await?;
        for lane in &plan.lanes {
            if self.settle_all(context, ledger, &run, lane).await?.holds {
                ledger.postpone(&run, self.now().plus(SOON)).await?;
                return Ok(());
            }
        }
        let results = super::records::every_result(ledger, &run).await?;
        let mut counts = Counts::default();
        for result in &results {
            counts.add(result.outcome, !result.done);
        }
        let halted = change.halt.as_ref().map(|halt| halt.as_what);
        let left = change.targets.saturating_sub(counts.total());
        let is_over = early_end(change).is_some();
        for _ in 0..left {
            let outcome = if is_over { OutcomeKind::Skipped } else { OutcomeKind::Pending };
            counts.add(outcome, false);
        }
        let ends_as = early_end(change).map_or_else(not_reached, ended_as);
        let origin = change.origin.in_invocation(&context.invocation);
        for lane in &plan.lanes {
            let part = of_plan(change, lane);
            match self.known_work_of(context, ledger, change, &part, &plan).await {
                Ok(work) => self.audit_not_begun(context, &origin, lane, &ends_as, &work, &results),
                Err(error) if error.is_for_good() => {
                    tracing::error!(error = causes(&error), %run, "nobody can name the targets that were not begun");
                }
                Err(error) => return Err(error.into()),
            }
        }
        let status = record::final_status(&counts, halted, change.dry_run);
        let (total, now) = (counts.total(), self.now());
        let hash = change.dry_run.then(|| plan_hash(results));
        let (holder, hash) = (change.holder.as_ref(), hash.as_deref());
        let announces = self.announces();
        let finished = ledger.finish(&run, holder, status, &counts, total, hash, announces, now).await?;
        if let Finished::Now(ended) = finished {
            context.tally.lock().add_ended_run(status);
            self.announce(context, ledger, &ended).await;
        }
        Ok(())
    }

    /// What a target holds now.
    pub(super) async fn read_target(
        &self,
        context: &InvocationContext,
        target: &TargetName,
    ) -> Result<Configuration, Failure> {
        let instance = target.instance();
        let lane = self.connect.lane(&self.connect.key(&instance, &context.rules.home));
        let asked = Target { instance: &instance.id, scope: target.scope };
        match lane.describe(asked, context.look()).await {
            Ok(answer) => Ok(answer.configuration),
            Err(error) => Err(error.failure()),
        }
    }
}

/// A target that the invocation did not come to.
fn not_reached() -> Outcome {
    let why = Failure::new(ErrorCode::NoTimeLeft);
    let why = why.with_message("the invocation ended before it reached this target".to_owned());
    Outcome::Pending { before: None, why }
}

/// Counts a run that has not ended, and names it in the log where it makes no progress.
fn watch(
    change: &ChangeRecord,
    (lanes, deliveries): (&[LanePart], &BTreeMap<LaneName, Millis>),
    frozen: Option<&Freeze>,
    now: Millis,
    unfinished: &mut Unfinished,
) {
    if change.status.is_final() {
        return;
    }
    let moved = lanes.iter().filter_map(|part| part.moved).chain(deliveries.values().copied());
    let last = moved.chain([change.submitted]).max().unwrap_or(change.submitted);
    let age = now.since(change.submitted);
    let is_overdue = frozen.is_none() && now.since(last) > OVERDUE;
    if is_overdue {
        let (change_id, run) = (&change.change_id, change.run);
        tracing::error!(%change_id, run, hours = age.as_secs() / 3_600, "the run does not end");
    }
    unfinished.add(age, is_overdue);
    for part in lanes.iter().filter(|part| part.state == LaneState::Open) {
        // at least one, as long as nobody knows how many
        let left = part.planned.map_or(1, |planned| planned.saturating_sub(part.done));
        // while nothing may begin, nothing stalls
        let since = part.stalls_since(change.submitted, deliveries.get(&part.name).copied());
        let stall = if frozen.is_some() { Duration::ZERO } else { now.since(since) };
        unfinished.add_lane(part.name.clone(), left, age, stall);
    }
}
