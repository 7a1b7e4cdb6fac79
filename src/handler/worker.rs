//! A lane's message: the part of a recorded run in one account and Region, as far as this invocation's time goes.

mod check;
mod end;
mod known;
mod leave;
mod own;
mod task;

use super::governed::DEAD;
use super::{Handler, InvocationContext};
use crate::audit::AuditedChange;
use crate::ledger::{Begun, Ledger, LedgerError, Seen};
use crate::propagate::{Asked, LaneDelivery, Stop, Tokens};
use crate::telemetry::causes;
use end::StillOpen;
pub(super) use end::{Ender, ended_as};
use policy_core::failure::{ErrorCode, Failure};
use policy_core::origin::Origin;
use policy_core::record::{
    ChangeRecord, Delivery, Halted, LanePart, LaneState, OnBegin, RecordStatus, RecordedError, TargetName,
    Task, on_begin, retry_delay,
};
use policy_core::report::Verdict;
use policy_core::trigger::lane::LanePointer;
use std::collections::BTreeSet;
use std::time::Duration;
pub(super) use task::{LaneWork, NoWork};

/// How long a lane's message stays away while nothing may begin: the sweep brings back what waited too often.
const FROZEN: Duration = Duration::from_mins(10);

/// How long a check stays away while its lane has changes to carry out.
const GIVES_WAY: Duration = Duration::from_mins(1);

/// What becomes of the message.
pub(super) enum Worked {
    /// Nothing is left to do in this lane.
    Done,
    /// It is delivered again after this time.
    Again(Duration),
    /// Another delivery works on the lane: the message is left as it is.
    TakenOver,
    /// It points at nothing.
    Refused(String),
}

/// A delivery at work.
pub(super) struct Delivered<'a> {
    pub(super) ledger: &'a Ledger,
    pub(super) change: ChangeRecord,
    pub(super) part: LanePart,
    pub(super) token: String,
    pub(super) origin: Origin,
}

impl Handler {
    /// Works on a lane. `received`: how often the message was received.
    pub(super) async fn work(
        &self,
        context: &InvocationContext,
        ledger: &Ledger,
        pointer: &LanePointer,
        received: u32,
    ) -> Worked {
        match self.begin_delivery(context, ledger, pointer).await {
            Ok(Ok(delivered)) => {
                let stalled = delivered.part.stalled;
                match self.deliver(context, &delivered).await {
                    Ok(worked) => worked,
                    Err(error) => {
                        let change_id = &delivered.change.change_id;
                        tracing::error!(error = causes(&error), %change_id, "the lane could not be worked on");
                        Worked::Again(retry_delay(stalled.max(1)))
                    }
                }
            }
            Ok(Err(worked)) => worked,
            Err(error) => {
                tracing::error!(error = causes(&error), run = %pointer.run, "the lane could not be begun");
                Worked::Again(retry_delay(received.max(1)))
            }
        }
    }

    /// Counts the delivery, unless there is nothing to work on.
    async fn begin_delivery<'a>(
        &self,
        context: &InvocationContext,
        ledger: &'a Ledger,
        pointer: &LanePointer,
    ) -> Result<Result<Delivered<'a>, Worked>, LedgerError> {
        let (run, lane) = (&pointer.run, &pointer.lane);
        let (frozen, change) = tokio::join!(ledger.frozen(), ledger.change(&run.change_id, self.now()));
        let refused = |why: &str| Ok(Err(Worked::Refused(why.to_owned())));
        let (frozen, Some(change)) = (frozen?, change?) else {
            return refused("there is no record of this change");
        };
        if change.key != run.key {
            // a message of an earlier run may still be on its way; its lane has ended
            return match ledger.lane(run, lane).await? {
                Some(part) if part.state != LaneState::Open => Ok(Err(Worked::Done)),
                _ => refused("the change has no such run"),
            };
        }
        if frozen.is_some_and(|freeze| !freeze.drain) && !change.status.is_final() {
            return Ok(Err(Worked::Again(FROZEN)));
        }
        // before it is counted: a check that waits does not stall
        if change.checks_drift && early_end(&change).is_none() && ledger.has_work(lane).await? {
            return Ok(Err(Worked::Again(GIVES_WAY)));
        }
        let until = self.now().plus(context.deadline.left() + DEAD);
        let tokens = Tokens::new(&context.invocation.request_id, self.now());
        let delivery = Delivery { token: tokens.next(), until };
        match ledger.begin_delivery(run, lane, &delivery, self.now()).await? {
            Begun::NoSuchLane => refused("the run has no such lane"),
            Begun::Ended(_) => {
                self.finish_lanes(context, ledger, &change.change_id).await?;
                Ok(Err(Worked::Done))
            }
            Begun::Open(part) => {
                let origin = change.origin.in_invocation(&context.invocation);
                Ok(Ok(Delivered { ledger, change, part, token: delivery.token, origin }))
            }
        }
    }

    async fn deliver(
        &self,
        context: &InvocationContext,
        delivered: &Delivered<'_>,
    ) -> Result<Worked, NoWork> {
        let Delivered { ledger, change, part, .. } = delivered;
        let seen = Seen { delivery: Some(delivered.token.clone()), stalled: None };
        let ender = Ender { ledger, change, part, seen: &seen, origin: &delivered.origin };
        if on_begin(part, self.max_stalled()) == OnBegin::Park {
            let work = self.known_work(context, ledger, change, part).await?;
            return Ok(self.end_early(context, &ender, LaneState::Parked, &work).await?);
        }
        if let Some(state) = early_end(change) {
            let work = self.known_work(context, ledger, change, part).await?;
            return Ok(self.end_early(context, &ender, state, &work).await?);
        }
        let plan = self.plan_of(context, ledger, change).await?;
        let work = match self.lane_work(context, delivered, &plan).await {
            Ok(work) => work,
            // the instances are as unknown as before
            Err(NoWork::Star(why)) => return Ok(self.leave_stuck(delivered, &why).await),
            Err(error) => return Err(error),
        };
        if change.status == RecordStatus::Accepted {
            ledger.started(&change.run_name(), self.now()).await?;
        }
        let open = if part.deliveries > 1 && !change.dry_run {
            // what an earlier delivery has begun is found out first: a guardrail may block it by now, and it landed
            self.settle_all(context, ledger, &change.run_name(), &part.name).await?
        } else {
            StillOpen::default()
        };
        let results = ledger.results_in_lane(&change.run_name(), &part.name).await?;
        let done: BTreeSet<TargetName> =
            results.into_iter().filter(|result| result.done).map(|result| result.target).collect();
        let mut governed = self.run_of(ledger, change, Tokens::new(&delivered.token, self.now()));
        governed.delivery = Some(LaneDelivery {
            lane: part.name.clone(),
            token: delivered.token.clone(),
            done_before: u32::try_from(done.len()).unwrap_or(u32::MAX),
        });
        governed.restores = plan.restores;
        if let Task::Undo { of, force: false, .. } = &plan.task {
            governed.undone = Some(of.clone());
        }
        let mut left = if change.checks_drift {
            self.check_lane(context, delivered, &governed, &work, &done).await?
        } else {
            self.walk_lane(context, delivered, &governed, &work, &(&done | &open.targets)).await
        };
        if matches!(left, Left::Nothing) && open.holds {
            left = Left::Failed(Failure::new(ErrorCode::TargetBusy));
        }
        context.tally.lock().add_drifts(governed.drifts());
        if let (None, Left::Nothing, Some(declared)) = (governed.stopped(), &left, &change.declared) {
            governed.leaves = true;
            left = self.leave_lane(context, delivered, &governed, declared, &work).await?;
        }
        match (governed.stopped(), left) {
            (Some(Stop::TakenOver), _) => Ok(Worked::TakenOver),
            (Some(Stop::Halted(halted)), _) => {
                let state = of_halt(halted);
                Ok(self.end_early(context, &ender, state, &work).await?)
            }
            (Some(Stop::TooManyFailures), _) => {
                Ok(self.end_early(context, &ender, LaneState::Stopped, &work).await?)
            }
            (None, Left::Nothing) => Ok(self.end(context, &ender, LaneState::Done, work.planned()).await?),
            (stopped, left) => {
                let error = match &left {
                    Left::Failed(why) if stopped.is_none() => Some(RecordedError::of(why)),
                    Left::Failed(_) | Left::Time | Left::Way | Left::Nothing => None,
                };
                self.leave(delivered, work_done(&done, governed.done()), error.as_ref()).await;
                let stalled = if governed.done() > 0 { 0 } else { part.stalled };
                Ok(Worked::Again(match (stopped, left) {
                    (Some(_), _) => FROZEN,
                    (None, Left::Way) => GIVES_WAY,
                    (None, Left::Time) if governed.done() > 0 => Duration::ZERO,
                    (None, _) => retry_delay(stalled),
                }))
            }
        }
    }

    /// A delivery that could not find out which instances there are: no target is any nearer to its end.
    async fn leave_stuck(&self, delivered: &Delivered<'_>, why: &Failure) -> Worked {
        let Delivered { change, part, .. } = delivered;
        tracing::warn!(
            change_id = %change.change_id, lane = %part.name, code = why.code(),
            "nobody could find out which instances there are"
        );
        self.leave(delivered, part.done, Some(&RecordedError::of(why))).await;
        Worked::Again(retry_delay(part.stalled))
    }

    /// Gives the lane back, with what kept it from its end. Where that fails, the next delivery takes it over.
    async fn leave(&self, delivered: &Delivered<'_>, done: u32, error: Option<&RecordedError>) {
        let (run, lane) = (delivered.change.run_name(), &delivered.part.name);
        if let Err(error) = delivered.ledger.leave(&run, lane, &delivered.token, done, error).await {
            tracing::warn!(error = causes(&error), %run, %lane, "the lane was not left");
        }
    }

    /// Walks what is left of the lane, change by change; an incomplete one holds back the later ones.
    async fn walk_lane(
        &self,
        context: &InvocationContext,
        delivered: &Delivered<'_>,
        governed: &crate::propagate::Governed<'_>,
        work: &LaneWork,
        done: &BTreeSet<TargetName>,
    ) -> Left {
        let propagation = self.propagation(context, Some(governed));
        let home = &context.rules.home;
        for lane_change in &work.changes {
            let audited = AuditedChange { origin: &delivered.origin, change: &lane_change.change, home };
            let targets = lane_change.targets.iter().map(|target| {
                let open = target
                    .scopes
                    .iter()
                    .filter(|asked| !done.contains(&TargetName::of(&target.instance, asked.scope)));
                (&target.instance, open.map(|asked| Asked { scope: asked.scope, own: asked.own.as_ref() }))
            });
            let results = propagation.walk(audited, targets).await;
            context.tally.lock().add_results(&results);
            let left = results.iter().filter(|result| result.outcome.verdict() == Verdict::NotYet);
            let left: Vec<_> = left.filter_map(|result| result.outcome.error()).collect();
            match left.iter().find(|why| !why.code.is_out_of_time()) {
                Some(why) => return Left::Failed((*why).clone()),
                None if left.is_empty() => {}
                None => return Left::Time,
            }
        }
        Left::Nothing
    }

    pub(super) fn max_stalled(&self) -> u32 {
        self.settings.ledger.as_ref().map_or(u32::MAX, |ledger| ledger.max_stalled)
    }
}

/// What keeps a lane from its end.
enum Left {
    Nothing,
    /// Only that time ran out.
    Time,
    /// That a check leaves the lane to changes.
    Way,
    /// What the first target met that is not done.
    Failed(Failure),
}

/// As what a run's lane ends before its targets are done.
pub(super) fn early_end(change: &ChangeRecord) -> Option<LaneState> {
    let has_stopped = change.stop_after.is_some_and(|most| change.failures >= most);
    let halted = change.halt.as_ref().map(|halt| of_halt(halt.as_what));
    halted.or_else(|| has_stopped.then_some(LaneState::Stopped))
}

const fn of_halt(halted: Halted) -> LaneState {
    match halted {
        Halted::Cancelled => LaneState::Cancelled,
        Halted::Superseded => LaneState::Superseded,
    }
}

fn work_done(before: &BTreeSet<TargetName>, here: u32) -> u32 {
    u32::try_from(before.len()).unwrap_or(u32::MAX).saturating_add(here)
}
