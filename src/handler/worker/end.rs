//! The end of a lane, and of the run with its last lane.

use super::{LaneWork, Worked};
use crate::audit::AuditedChange;
use crate::handler::{Handler, InvocationContext};
use crate::ledger::{Finished, LaneEnded, Ledger, LedgerError, Seen};
use crate::propagate::settle;
use crate::queue::Label;
use crate::telemetry::causes;
use policy_core::failure::{ErrorCode, Failure};
use policy_core::origin::Origin;
use policy_core::policy::{ChangeId, Instances};
use policy_core::record::{
    self, ChangeRecord, Counts, Intent, LaneName, LanePart, LaneState, ReadBack, RecordedResult, RunName,
    TargetName, TargetRecord,
};
use policy_core::report::{Outcome, OutcomeKind, TargetResult};
use policy_core::trigger::lane::LanePointer;
use std::collections::BTreeSet;
use std::time::Duration;

/// When to look again at a lane in which an update is still under way: after its lease.
const AFTER_THE_LEASE: Duration = Duration::from_mins(1);

/// A lane that is about to end, and what its ender saw of it.
pub(in crate::handler) struct Ender<'a> {
    pub(in crate::handler) ledger: &'a Ledger,
    pub(in crate::handler) change: &'a ChangeRecord,
    pub(in crate::handler) part: &'a LanePart,
    pub(in crate::handler) seen: &'a Seen,
    pub(in crate::handler) origin: &'a Origin,
}

/// A run's intents in a lane that could not be settled.
#[derive(Default)]
pub(in crate::handler) struct StillOpen {
    /// Their targets.
    pub(in crate::handler) targets: BTreeSet<TargetName>,
    /// Whether the lane has to wait: an update is under way, or a target cannot be read yet.
    pub(in crate::handler) holds: bool,
}

impl Handler {
    /// Ends a lane whose targets are not all done: first what is open there is settled.
    pub(in crate::handler) async fn end_early(
        &self,
        context: &InvocationContext,
        ender: &Ender<'_>,
        state: LaneState,
        work: &LaneWork,
    ) -> Result<Worked, LedgerError> {
        if self.settle_all(context, ender.ledger, &ender.change.run_name(), &ender.part.name).await?.holds {
            return Ok(Worked::Again(AFTER_THE_LEASE));
        }
        if state == LaneState::Parked {
            self.park_lane(context, ender).await;
        }
        let results = ender.ledger.results_in_lane(&ender.change.run_name(), &ender.part.name).await?;
        self.audit_not_begun(context, ender.origin, &ender.part.name, &ended_as(state), work, &results);
        // what is parked has something left, also where nobody can name it
        let is_unnamed = state == LaneState::Parked && results.iter().all(|result| result.done);
        let least = if is_unnamed { length(&results).saturating_add(1) } else { 0 };
        self.end(context, ender, state, work.planned().max(least)).await
    }

    /// Ends the lane, and the run with its last one.
    pub(in crate::handler) async fn end(
        &self,
        context: &InvocationContext,
        ender: &Ender<'_>,
        state: LaneState,
        planned: u32,
    ) -> Result<Worked, LedgerError> {
        let Ender { ledger, change, part, seen, .. } = ender;
        let run = change.run_name();
        let results = ledger.results_in_lane(&run, &part.name).await?;
        let mut counts = Counts::default();
        for result in &results {
            counts.add(result.outcome, !result.done);
        }
        for _ in length(&results)..planned {
            counts.add(not_begun(state), false);
        }
        let hash = change.dry_run.then(|| record::lane_hash(&results));
        let has_ended = ledger
            .end_lane(&run, &part.name, &change.order, seen, state, &counts, hash.as_deref(), self.now())
            .await?;
        if has_ended == LaneEnded::TakenOver {
            return Ok(Worked::TakenOver);
        }
        self.finish_lanes(context, ledger, &change.change_id).await?;
        Ok(Worked::Done)
    }

    /// Makes a run final whose lanes have all ended.
    pub(in crate::handler) async fn finish_lanes(
        &self,
        context: &InvocationContext,
        ledger: &Ledger,
        id: &ChangeId,
    ) -> Result<(), LedgerError> {
        // a second time, if somebody cancelled meanwhile
        for _ in 0..2 {
            let Some(change) = ledger.change(id, self.now()).await? else { return Ok(()) };
            if change.status.is_final() {
                self.announce(context, ledger, &change).await;
                return self.answer_declared(context, ledger, &change).await;
            }
            if change.lanes_done < change.lanes {
                return Ok(());
            }
            let run = change.run_name();
            let plan_hash = if change.dry_run {
                let lanes = ledger.lanes(&run).await?;
                let hashes = lanes.iter().filter_map(|part| Some((&part.name, part.hash.as_deref()?)));
                Some(record::plan_hash(hashes))
            } else {
                None
            };
            let halted = change.halt.as_ref().map(|halt| halt.as_what);
            let status = record::final_status(&change.counts, halted, change.dry_run);
            let total = change.counts.total();
            let finished = ledger.finish(
                &run,
                None,
                status,
                &change.counts,
                total,
                plan_hash.as_deref(),
                self.announces(),
                self.now(),
            );
            if let Finished::Now(ended) = finished.await? {
                context.tally.lock().add_ended_run(status);
                tracing::info!(%id, run = change.run, status = status.name(), "the run has ended");
                self.announce(context, ledger, &ended).await;
                return self.answer_declared(context, ledger, &ended).await;
            }
        }
        Ok(())
    }

    /// Settles the run's open intents in the lane, as far as that is possible now.
    pub(in crate::handler) async fn settle_all(
        &self,
        context: &InvocationContext,
        ledger: &Ledger,
        run: &RunName,
        lane: &LaneName,
    ) -> Result<StillOpen, LedgerError> {
        let mut open = StillOpen::default();
        for (target, record) in ledger.targets_with_intent_of(run, lane).await? {
            let Some(intent) = record.intent else { continue };
            if !self.settle_open(context, ledger, &target, &intent).await? {
                // one that nobody could read for so long is given up, so that the run ends without it
                open.holds |= !intent.is_given_up(self.now());
                open.targets.insert(target);
            }
        }
        Ok(open)
    }

    /// A target's item, where an intent whose lease is over is settled first, whoever's it is: its run may have ended
    /// without it, and then nobody else comes back to it. One that is under way, or whose target cannot be read, is still
    /// there.
    pub(in crate::handler) async fn without_lapsed(
        &self,
        context: &InvocationContext,
        ledger: &Ledger,
        target: &TargetName,
        record: TargetRecord,
    ) -> Result<TargetRecord, LedgerError> {
        let Some(intent) = &record.intent else { return Ok(record) };
        if !Box::pin(self.settle_open(context, ledger, target, intent)).await? {
            return Ok(record);
        }
        ledger.target(target).await
    }

    /// Settles an intent by what its target holds now. False: its update is still under way, or the target cannot be read
    /// yet.
    async fn settle_open(
        &self,
        context: &InvocationContext,
        ledger: &Ledger,
        target: &TargetName,
        intent: &Intent,
    ) -> Result<bool, LedgerError> {
        if self.now() < intent.until {
            return Ok(false);
        }
        // its holder, or another visitor, may have closed it since it was read
        let there = ledger.target(target).await?;
        if there.intent.is_none_or(|open| open.token != intent.token) {
            return Ok(true);
        }
        let read = self.read_target(context, target).await;
        let read = match &read {
            Ok(held) => ReadBack::Holds(held),
            Err(why) if why.code == ErrorCode::ResourceNotFoundException => ReadBack::NoInstance,
            Err(_) => return Ok(false),
        };
        let here = (&context.rules.home, &context.invocation);
        settle(ledger, &self.audit, here, target, intent, read, self.now()).await
    }

    /// A copy of the lane's message for a person.
    async fn park_lane(&self, context: &InvocationContext, ender: &Ender<'_>) {
        let (run, lane) = (ender.change.run_name(), ender.part.name.clone());
        let last = ender.part.error.as_ref();
        let last = last.map(|error| format!("; {}: {}", error.code, error.message)).unwrap_or_default();
        let reasons = format!(
            "{} {lane}: {} deliveries without progress{last}",
            ErrorCode::LaneParked.name(),
            ender.part.stalled.saturating_sub(1)
        );
        tracing::error!(%run, %lane, stalled = ender.part.stalled, "the lane is parked");
        context.tally.lock().add_parked_lane();
        if !self.queues.parks() {
            return;
        }
        let change_id = run.change_id.clone();
        let label = Label { change_id: change_id.as_str(), status: "incomplete", reasons };
        let Ok(body) = (LanePointer { run, lane }).encode() else { return };
        if let Err(error) = self.queues.park(&body, &label, context.deadline.end()).await {
            // the record says it too
            tracing::error!(error = causes(&error), %change_id, "the lane's message could not be parked");
        }
    }

    /// The audit's line for each target that is not begun, for good or for now.
    pub(in crate::handler) fn audit_not_begun(
        &self,
        context: &InvocationContext,
        origin: &Origin,
        lane: &LaneName,
        outcome: &Outcome,
        work: &LaneWork,
        results: &[RecordedResult],
    ) {
        let known: BTreeSet<&TargetName> = results.iter().map(|result| &result.target).collect();
        for lane_change in &work.changes {
            let audited = AuditedChange { origin, change: &lane_change.change, home: &context.rules.home };
            let mut not_begun = Vec::new();
            for target in &lane_change.targets {
                let name = |scope| TargetName::of(&target.instance, scope);
                let scopes = target.scopes.iter().map(|asked| asked.scope);
                let left = scopes.filter(|scope| !known.contains(&name(*scope)));
                not_begun.extend(left.map(|scope| {
                    TargetResult::without_calls(Some(target.instance.clone()), scope, outcome.clone())
                }));
            }
            if let (true, Instances::All { places, .. }) =
                (lane_change.is_unresolved, &lane_change.change.instances)
            {
                let scopes = lane_change.change.scopes.iter();
                let place = || places.named(lane);
                not_begun.extend(scopes.map(|scope| TargetResult::of_all(place(), *scope, outcome.clone())));
            }
            for result in &not_begun {
                if let Err(error) = self.audit.outcome(audited, result) {
                    tracing::error!(%error, "the audit log could not be written");
                }
            }
        }
    }
}

fn length(results: &[RecordedResult]) -> u32 {
    u32::try_from(results.len()).unwrap_or(u32::MAX)
}

/// How a target without a result ends with its lane.
pub(in crate::handler) fn ended_as(state: LaneState) -> Outcome {
    match state {
        LaneState::Cancelled => Outcome::Skipped { why: Failure::new(ErrorCode::Cancelled) },
        LaneState::Stopped => Outcome::Skipped { why: Failure::new(ErrorCode::StoppedAfterFailures) },
        LaneState::Superseded => {
            Outcome::Superseded { held: None, why: Failure::new(ErrorCode::NewerChange) }
        }
        LaneState::Parked | LaneState::Open | LaneState::Done => {
            Outcome::Pending { before: None, why: Failure::new(ErrorCode::LaneParked) }
        }
    }
}

fn not_begun(state: LaneState) -> OutcomeKind {
    ended_as(state).kind()
}
