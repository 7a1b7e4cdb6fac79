//! What the ledger has to say about a run's targets: who may begin one, and what became of it.
//!
//! The five moments around a target are docs/ledger.md's: its item before the read, the look and the intent before the
//! update, the outcome after it, and the note where nothing is sent.

use super::settle::settle;
use crate::audit::{Audit, AuditedChange};
use crate::clock::Clock;
use crate::connect::Lease;
use crate::ledger::{Confirmed, Ledger, LedgerError, Note, Noted, Started, Stored};
use crate::lock::Lock;
use crate::telemetry::causes;
use policy_core::failure::{ErrorCode, Failure};
use policy_core::policy::{ChangeId, Configuration, Values};
use policy_core::record::{
    self, Consideration, Ending, Halted, Intent, Members, Millis, Order, ReadBack, RecordedResult, RunName,
    TargetName, TargetRecord, Who,
};
use policy_core::report::{Outcome, OutcomeKind, TargetResult};
use std::sync::atomic::{AtomicU32, Ordering};
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
    /// The change that it undoes, where only what that change applied last may be touched.
    pub undone: Option<ChangeId>,
    /// Whether nothing is to be changed.
    pub dry_run: bool,
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

/// Names for writes: unique, so that a writer knows its own again.
#[derive(Debug)]
pub struct Tokens {
    prefix: String,
    next: AtomicU32,
}

impl Tokens {
    /// Those of an invocation that began then. Lambda repeats an invocation under its id, but not at the same time.
    pub fn new(request_id: &str, began: Millis) -> Self {
        Self { prefix: format!("{request_id}/{began}"), next: AtomicU32::new(0) }
    }

    /// Others of the same invocation, for another purpose.
    #[must_use]
    pub fn again(&self, purpose: &str) -> Self {
        Self { prefix: format!("{}/{purpose}", self.prefix), next: AtomicU32::new(0) }
    }

    /// The next one.
    pub fn next(&self) -> String {
        let next = self.next.fetch_add(1, Ordering::Relaxed);
        format!("{}/{next}", self.prefix)
    }
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

/// Whether a target may be begun.
pub(super) enum MayBegin {
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
    /// Whether an intent was left open.
    kept: bool,
    written: Option<Instant>,
}

/// What storing a result came to.
pub(super) enum Store {
    /// It is stored.
    Stored,
    /// The target was done already, like this.
    Done(Box<RecordedResult>),
    /// The target's item is another one by now.
    Changed(Box<TargetRecord>),
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
        let (undone, dry_run, counts_failures, delivery) = (None, false, false, None);
        Self { ledger, run, order, who, undone, dry_run, counts_failures, delivery, clock, tokens, progress }
    }

    /// Why the run goes no further, if it does not.
    pub fn stopped(&self) -> Option<Stop> {
        self.progress.lock().stop
    }

    /// How many targets became done here.
    pub fn done(&self) -> u32 {
        self.progress.lock().done
    }

    /// Whether an intent is still open: what became of its target is found out later.
    pub fn kept_an_intent(&self) -> bool {
        self.progress.lock().kept
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
    pub(super) async fn may_begin(&self, target: &TargetName) -> Result<MayBegin, LedgerError> {
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

    /// Whether an undo may touch the target: what it undoes was the last that was applied there.
    pub(super) fn may_undo(&self, record: &TargetRecord) -> bool {
        let is_undone =
            |undone: &ChangeId| record.applied.as_ref().is_some_and(|run| run.change_id == *undone);
        self.undone.as_ref().is_none_or(is_undone)
    }

    /// A target's item as it is now.
    pub(super) async fn record(&self, target: &TargetName) -> Result<TargetRecord, LedgerError> {
        let records = self.ledger.targets(std::slice::from_ref(target)).await?;
        Ok(records.into_iter().next().unwrap_or_default())
    }

    /// The intent of an update that is decided.
    pub(super) fn intent(
        &self,
        change_id: &ChangeId,
        named: Members,
        values: &Values,
        before: &Configuration,
        record: &TargetRecord,
    ) -> Intent {
        let (token, now) = (self.tokens.next(), self.now());
        let (run, order) = (self.run.clone(), self.order.clone());
        let intent = Intent::new(token, now, run, order, named, values, before, record);
        Intent { reported_as: change_id.clone(), ..intent }
    }

    /// Stores the intent; nothing is sent without it.
    pub(super) async fn begin(
        &self,
        target: &TargetName,
        seen: u64,
        intent: &Intent,
    ) -> Result<Started, LedgerError> {
        let begun = self.ledger.begin(target, seen, intent, self.undone.as_ref()).await;
        // where no answer came, the intent may be there all the same
        self.progress.lock().kept |= begun.is_err();
        begun
    }

    /// Stores the outcome of an update, and ends its intent where it may end.
    pub(super) async fn close(
        &self,
        target: &TargetName,
        intent: &Intent,
        result: &TargetResult,
        change_id: &ChangeId,
        any_unanswered: bool,
    ) -> Result<Store, LedgerError> {
        let Some(recorded) = self.recorded(result, change_id, intent.token.clone()) else {
            return Ok(Store::Stored);
        };
        // until it is closed
        let kept = std::mem::replace(&mut self.progress.lock().kept, true);
        let stored = match record::ending(intent, &result.outcome, any_unanswered) {
            Ending::Close(closing) => {
                let counts = self.counts_failure(&recorded);
                match self.ledger.close(target, intent, &closing, &recorded, counts).await? {
                    Stored::Now => {
                        self.progress.lock().kept = kept;
                        Store::Stored
                    }
                    Stored::Done(result) => Store::Done(result),
                    Stored::Lost(record) => Store::Changed(record),
                }
            }
            Ending::Keep => match self.ledger.keep(&self.run, &recorded).await? {
                Noted::Now => Store::Stored,
                Noted::Done(result) => Store::Done(result),
            },
        };
        self.progressed(matches!(stored, Store::Stored) && recorded.done).await;
        Ok(stored)
    }

    /// Stores the result of a target to which nothing is sent.
    pub(super) async fn store(
        &self,
        named: Members,
        result: &TargetResult,
        change_id: &ChangeId,
        record: Option<&TargetRecord>,
    ) -> Result<Store, LedgerError> {
        let stored = self.try_to_store(named, result, change_id, record).await;
        // where no answer came, the result may be there all the same: whoever makes the run final counts it then
        self.progress.lock().kept |= stored.is_err();
        stored
    }

    async fn try_to_store(
        &self,
        named: Members,
        result: &TargetResult,
        change_id: &ChangeId,
        record: Option<&TargetRecord>,
    ) -> Result<Store, LedgerError> {
        let Some(recorded) = self.recorded(result, change_id, self.tokens.next()) else {
            return Ok(Store::Stored);
        };
        let stored = match (&result.outcome, record) {
            (Outcome::Unchanged { held }, Some(record)) => {
                let now = self.now();
                let confirmed = self.ledger.confirm(
                    &recorded.target,
                    record.rev,
                    &self.order,
                    named,
                    held,
                    &self.run,
                    &recorded,
                    now,
                );
                match confirmed.await? {
                    Confirmed::Now => Store::Stored,
                    Confirmed::Done(result) => Store::Done(result),
                    Confirmed::Refused(record) => Store::Changed(record),
                }
            }
            _ => match self.ledger.note(&self.run, &recorded, self.kind_of_note(&recorded)).await? {
                Noted::Now => Store::Stored,
                Noted::Done(result) => Store::Done(result),
            },
        };
        self.progressed(matches!(stored, Store::Stored) && recorded.done).await;
        Ok(stored)
    }

    fn counts_failure(&self, result: &RecordedResult) -> bool {
        self.counts_failures
            && result.done
            && matches!(result.outcome, OutcomeKind::Failed | OutcomeKind::Blocked)
    }

    fn kind_of_note(&self, result: &RecordedResult) -> Note {
        Note { dry_run: self.dry_run, count_failure: self.counts_failure(result) }
    }

    /// Keeps the result of a target that was not looked at.
    pub(super) async fn note(&self, result: &TargetResult, change_id: &ChangeId) -> Result<(), LedgerError> {
        self.store(Members::default(), result, change_id, None).await.map(drop)
    }

    fn recorded(&self, result: &TargetResult, change_id: &ChangeId, token: String) -> Option<RecordedResult> {
        RecordedResult::of(result, change_id, self.now(), Some(self.who.clone()), token)
    }

    /// Counts a target that became done, and says so in the lane's item from time to time.
    ///
    /// Where that fails, the target is done all the same, and a delivery may count as one without progress.
    async fn progressed(&self, is_done: bool) {
        let Some(delivery) = self.delivery.as_ref().filter(|_| is_done) else {
            return;
        };
        let done = {
            let mut progress = self.progress.lock();
            progress.done += 1;
            if progress.written.is_some_and(|written| written.elapsed() < PROGRESS) {
                return;
            }
            progress.written = Some(Instant::now());
            delivery.done_before + progress.done
        };
        match self.ledger.progressed(&self.run, &delivery.lane, &delivery.token, done, self.now()).await {
            Ok(true) => {}
            Ok(false) => self.progress.lock().stop = Some(Stop::TakenOver),
            Err(error) => {
                let lane = &delivery.lane;
                tracing::warn!(error = causes(&error), run = %self.run, %lane, "the progress is not noted");
            }
        }
    }

    /// Settles an intent whose lease is over by what Amazon Connect holds now, whosever it is. Answers with the
    /// target's item as it is then.
    pub(super) async fn settle(
        &self,
        audit: &Audit,
        audited: AuditedChange<'_>,
        target: &TargetName,
        intent: &Intent,
        read: ReadBack<'_>,
    ) -> Result<TargetRecord, LedgerError> {
        let here = (audited.home, &audited.origin.invocation);
        settle(self.ledger, audit, here, target, intent, read, self.now()).await?;
        self.record(target).await
    }
}

/// The last moment at which an intent's holder begins an attempt, and when its call must have ended.
pub(super) fn lease() -> (Lease, Instant) {
    let now = Instant::now();
    let lease = Lease { instant: now + record::LAST_ATTEMPT, wall: SystemTime::now() + record::LAST_ATTEMPT };
    (lease, now + record::CUT_OFF)
}

/// Why a target is not begun, or not done: the ledger.
pub fn unavailable(error: &LedgerError) -> Failure {
    Failure::new(ErrorCode::LedgerUnavailable).with_detail(causes(error))
}
