//! Where a target's intent and its result are kept.

use super::super::settle::settle;
use super::{Governed, Stop};
use crate::audit::{Audit, AuditedChange};
use crate::ledger::{Confirmed, LedgerError, Note, Noted, Started, Stored};
use crate::telemetry::causes;
use policy_core::policy::{ChangeId, Configuration, Values};
use policy_core::record::{
    self, Ending, Handover, Intent, Members, Named, ReadBack, RecordedResult, TargetName, TargetRecord,
};
use policy_core::report::{Outcome, OutcomeKind, TargetResult};
use tokio::time::Instant;

/// What storing a result came to.
pub(in crate::propagate) enum Store {
    /// It is stored.
    Stored,
    /// The target was done already, like this.
    Done(Box<RecordedResult>),
    /// The target's item is another one by now.
    Changed(Box<TargetRecord>),
}

impl Governed<'_> {
    /// The intent of an update that is decided.
    pub(in crate::propagate) fn intent(
        &self,
        change_id: &ChangeId,
        named: Members,
        values: &Values,
        before: &Configuration,
        record: &TargetRecord,
        handover: Handover,
    ) -> Intent {
        let (token, now) = (self.tokens.next(), self.now());
        let (run, order) = (self.run.clone(), self.order.clone());
        let intent = record.intend(token, now, run, order, named, values, before);
        Intent { reported_as: change_id.clone(), handover, ..intent }
    }

    /// Stores the intent; nothing is sent without it.
    pub(in crate::propagate) async fn begin(
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
    pub(in crate::propagate) async fn close(
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
        // until it is closed; lanes close side by side
        self.progress.lock().closing += 1;
        let stored = match record::ending(intent, &result.outcome, any_unanswered) {
            Ending::Close(closing) => {
                let counts = self.counts_failure(&recorded);
                match self.ledger.close(target, intent, &closing, &recorded, counts).await? {
                    Stored::Now => {
                        self.progress.lock().closing -= 1;
                        Store::Stored
                    }
                    Stored::Done(result) => {
                        // another delivery is done with it: the intent must not keep others away
                        let closing = record::closing_of(intent, &result);
                        self.ledger.close_alone(target, intent, &closing, self.now()).await?;
                        Store::Done(result)
                    }
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
    pub(in crate::propagate) async fn store(
        &self,
        named: Named,
        result: &TargetResult,
        (change_id, dry_run): (&ChangeId, bool),
        record: Option<&TargetRecord>,
        handover: &Handover,
    ) -> Result<Store, LedgerError> {
        let stored = self.try_to_store(named, result, (change_id, dry_run), record, handover).await;
        // where no answer came, it may be there all the same: whoever makes the run final counts what is there
        self.progress.lock().kept |= stored.is_err();
        stored
    }

    async fn try_to_store(
        &self,
        named: Named,
        result: &TargetResult,
        (change_id, dry_run): (&ChangeId, bool),
        record: Option<&TargetRecord>,
        handover: &Handover,
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
                    handover,
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
            _ => match self.ledger.note(&self.run, &recorded, self.kind_of_note(&recorded, dry_run)).await? {
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

    fn kind_of_note(&self, result: &RecordedResult, dry_run: bool) -> Note {
        Note { dry_run, count_failure: self.counts_failure(result) }
    }

    /// Keeps the result of a target to which nothing is sent, and whose item stays as it is. `of`: the change as reported,
    /// and whether it is a dry run.
    ///
    /// # Errors
    /// It may not be stored.
    pub async fn note(&self, result: &TargetResult, of: (&ChangeId, bool)) -> Result<(), LedgerError> {
        self.store(Named::default(), result, of, None, &Handover::Stays).await.map(drop)
    }

    fn recorded(&self, result: &TargetResult, change_id: &ChangeId, token: String) -> Option<RecordedResult> {
        RecordedResult::of(result, change_id, self.now(), Some(self.who.clone()), token)
    }

    /// Counts a target that became done, or needs no result, and says so in the lane's item from time to time.
    ///
    /// Where that fails, the target is done all the same, and a delivery may count as one without progress.
    pub async fn progressed(&self, is_done: bool) {
        let Some(delivery) = self.delivery.as_ref().filter(|_| is_done) else {
            return;
        };
        let done = {
            let mut progress = self.progress.lock();
            progress.done += 1;
            if progress.written.is_some_and(|written| written.elapsed() < super::PROGRESS) {
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
    pub(in crate::propagate) async fn settle(
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
