//! What the ledger has to say about a run's targets: who may begin one, and what became of it.
//!
//! The five moments around a target are docs/ledger.md's: its item before the read, the look and the intent before the
//! update, the outcome after it, and the note where nothing is sent.

mod store;

pub(super) use store::Store;

use super::tokens::Tokens;
use crate::clock::Clock;
use crate::connect::Lease;
use crate::ledger::{Ledger, LedgerError};
use crate::lock::Lock;
use crate::telemetry::causes;
use policy_core::declare::{DeclaredBy, Owner};
use policy_core::failure::{ErrorCode, Failure};
use policy_core::policy::{ChangeId, Configuration, Values};
use policy_core::record::{
    self, Consideration, Declared, Halted, Handover, Members, Millis, Order, RecordedResult, RunName,
    TargetName, TargetRecord, Who,
};
use std::time::{Duration, SystemTime};
use tokio::time::Instant;

/// How often a delivery's progress is written at most.
const PROGRESS: Duration = Duration::from_secs(10);

/// The run whose targets are walked.
#[derive(Debug)]
pub struct Governed<'a> {
    /// Where it is recorded.
    pub ledger: &'a Ledger,
    /// Which run.
    pub run: RunName,
    /// Its place in the order.
    pub order: Order,
    /// Who asked for it.
    pub who: Who,
    /// The generation of a declared resource that it carries out.
    pub declared: Option<Declared>,
    /// Whether the resource leaves the targets that are walked, instead of claiming them.
    pub leaves: bool,
    /// The change that it undoes, where only what that change applied last may be touched.
    pub undone: Option<ChangeId>,
    /// Whether it puts back what targets should hold: one that should hold something else by now is left.
    pub restores: bool,
    /// Whether failures are counted (`stopAfterFailures`).
    pub counts_failures: bool,
    /// The delivery of a lane that it is part of; absent: the run is carried out within one invocation.
    pub delivery: Option<LaneDelivery>,
    /// The process's clock.
    pub clock: Clock,
    /// What names its writes.
    pub tokens: Tokens,
    progress: Lock<Progress>,
}

/// The delivery of a lane's message.
#[derive(Debug, Clone)]
pub struct LaneDelivery {
    /// The lane.
    pub lane: record::LaneName,
    /// The delivery's own token.
    pub token: String,
    /// How many of its targets were done when it began.
    pub done_before: u32,
}

/// Why a run goes no further here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// Nothing begins while the function is frozen.
    Frozen,
    /// The run is ended early.
    Halted(Halted),
    /// Too many targets failed.
    TooManyFailures,
    /// Another delivery, or a newer run, has taken over.
    TakenOver,
}

impl Stop {
    /// Whether the lane ends too, with all of its targets that are not begun.
    pub(super) const fn ends_the_lane(self) -> bool {
        match self {
            Self::Halted(_) | Self::TooManyFailures => true,
            Self::Frozen | Self::TakenOver => false,
        }
    }
}

/// Whether a target may be begun.
#[derive(Debug)]
pub enum MayBegin {
    /// It may.
    Yes,
    /// The run goes no further here.
    Stop(Stop),
    /// Another delivery is done with it, like this.
    Done(Box<RecordedResult>),
}

#[derive(Debug, Default)]
struct Progress {
    stop: Option<Stop>,
    /// Targets that were begun, so that the first one needs no look.
    begun: bool,
    /// Targets that became done here.
    done: u32,
    /// Whether an intent was left open, or a result that may not be stored.
    kept: bool,
    /// Intents whose end is not stored.
    closing: u32,
    written: Option<Instant>,
    /// Targets that did not hold what they should.
    drifts: u32,
}

impl<'a> Governed<'a> {
    /// A run at its beginning.
    pub fn new(
        ledger: &'a Ledger,
        (run, order): (RunName, Order),
        who: Who,
        clock: Clock,
        tokens: Tokens,
    ) -> Self {
        let progress = Lock::default();
        let (declared, leaves) = (None, false);
        let (undone, restores, counts_failures, delivery) = (None, false, false, None);
        Self {
            ledger,
            run,
            order,
            who,
            declared,
            leaves,
            undone,
            restores,
            counts_failures,
            delivery,
            clock,
            tokens,
            progress,
        }
    }

    /// Why the run goes no further, if it does not.
    pub fn stopped(&self) -> Option<Stop> {
        self.progress.lock().stop
    }

    /// How many targets became done here.
    pub fn done(&self) -> u32 {
        self.progress.lock().done
    }

    /// Whether an intent is still open, or a result may not be stored: what became of a target is found out later.
    pub fn has_left_open(&self) -> bool {
        let progress = self.progress.lock();
        progress.kept || progress.closing > 0
    }

    /// How many targets were found not to hold what they should.
    pub fn drifts(&self) -> u32 {
        self.progress.lock().drifts
    }

    pub(super) fn drifted(&self) {
        self.progress.lock().drifts += 1;
    }

    pub(super) fn now(&self) -> Millis {
        self.clock.now()
    }

    pub(super) fn consider(&self, record: &TargetRecord, named: Members) -> Consideration {
        record::consider(record, &self.run, &self.order, named, self.now())
    }

    /// Whether the next target may be begun. The first target of a run that is carried out at once needs no look: its
    /// record has just been written.
    ///
    /// # Errors
    /// The ledger cannot be read: nothing is begun then.
    pub async fn may_begin(&self, target: &TargetName) -> Result<MayBegin, LedgerError> {
        if let Some(stop) = self.stopped() {
            return Ok(MayBegin::Stop(stop));
        }
        let is_first = !std::mem::replace(&mut self.progress.lock().begun, true);
        if is_first && self.delivery.is_none() {
            return Ok(MayBegin::Yes);
        }
        let of_lane = self.delivery.is_some().then_some(target);
        let look = self.ledger.look(&self.run, of_lane).await?;
        let stop = match (&look.change, &look.freeze) {
            (None, _) => Some(Stop::TakenOver),
            (Some(change), _) if change.key != self.run.key => Some(Stop::TakenOver),
            (Some(change), _) if change.halt.is_some() => {
                change.halt.as_ref().map(|halt| Stop::Halted(halt.as_what))
            }
            (Some(change), _) if change.stop_after.is_some_and(|limit| change.failures >= limit) => {
                Some(Stop::TooManyFailures)
            }
            (Some(_), Some(freeze)) if !freeze.drain => Some(Stop::Frozen),
            (Some(_), _) => None,
        };
        if let Some(stop) = stop {
            self.progress.lock().stop = Some(stop);
            return Ok(MayBegin::Stop(stop));
        }
        Ok(match look.result.filter(|result| result.done) {
            Some(result) => MayBegin::Done(result),
            None => MayBegin::Yes,
        })
    }

    /// Whether an undo may touch the target: what it undoes was the last that was applied there, or an earlier run of it
    /// was.
    pub(super) fn may_undo(&self, record: &TargetRecord) -> bool {
        let is_undone =
            |undone: &ChangeId| record.applied.as_ref().is_some_and(|run| run.change_id == *undone);
        self.undone.as_ref().is_none_or(is_undone) || self.has_undone(record)
    }

    /// Whether an earlier run of the same undo was the last that applied something to the target.
    pub(super) fn has_undone(&self, record: &TargetRecord) -> bool {
        let is_own = |run: &RunName| run.change_id == self.run.change_id;
        self.undone.is_some() && record.applied.as_ref().is_some_and(is_own)
    }

    /// Whether the values are still what the target should hold. The intent is conditioned on the item that says so.
    pub(super) fn may_restore(&self, record: &TargetRecord, values: &Values) -> bool {
        let asked = Configuration::default().after(values);
        !self.restores || Members::of_values(values).agree(&asked, &record.held)
    }

    /// Whose the target is once it holds these values, where it held `before`. `Err`: another stack declares it, so that
    /// this run must not touch it.
    pub(super) fn handover(
        &self,
        record: Option<&TargetRecord>,
        values: &Values,
        before: &Configuration,
    ) -> Result<Handover, Failure> {
        let owner = record.and_then(|record| record.owner.as_ref());
        match &self.declared {
            None => Ok(Handover::Stays),
            Some(declared) if self.leaves => Ok(declared.leaves(owner)),
            Some(declared) => declared.claims(owner, values, before).map_err(|elsewhere| {
                Failure::new(ErrorCode::DeclaredElsewhere).with_message(elsewhere.to_string())
            }),
        }
    }

    /// The declared resource that owns a target which this run sets by other means.
    pub(super) fn foreign_owner(&self, record: &TargetRecord) -> Option<DeclaredBy> {
        record.owner.as_ref().filter(|_| self.declared.is_none()).map(Owner::resource)
    }

    /// A target's item as it is now.
    pub(super) async fn record(&self, target: &TargetName) -> Result<TargetRecord, LedgerError> {
        self.ledger.target(target).await
    }
}

/// The lease of an intent that is begun now: taken before the intent is written, so that it ends before others take it
/// as over. The last moment at which its holder begins an attempt, and when its call must have ended.
pub(super) fn lease() -> (Lease, Instant) {
    let now = Instant::now();
    let lease = Lease { instant: now + record::LAST_ATTEMPT, wall: SystemTime::now() + record::LAST_ATTEMPT };
    (lease, now + record::CUT_OFF)
}

/// Why a target is not begun, or not done: the ledger.
pub fn unavailable(error: &LedgerError) -> Failure {
    Failure::new(ErrorCode::LedgerUnavailable).with_detail(causes(error))
}
