//! The answer that a generation owes: decided once, sent until it arrives.

use super::super::records::every_result;
use super::super::{Handler, InvocationContext};
use crate::callback::NotDelivered;
use crate::ledger::{Ledger, LedgerError, OwedAnswer};
use policy_core::declare::{Answer, Owed, RequestType, Verdict, verdict};
use policy_core::record::{ChangeRecord, Declared, Halt, Halted, Handover, RecordStatus, RecordedOrigin};
use policy_core::report::OutcomeKind;

impl Handler {
    /// A declared resource's change has ended: CloudFormation gets its answer.
    pub(in crate::handler) async fn answer_declared(
        &self,
        context: &InvocationContext,
        ledger: &Ledger,
        change: &ChangeRecord,
    ) -> Result<(), LedgerError> {
        let Some(declared) = &change.declared else { return Ok(()) };
        let owed = ledger.answer(&declared.stack_id, &declared.logical_id, declared.generation).await?;
        if let Some(owed) = owed.filter(Self::is_unsent) {
            // where it does not arrive, the sweep comes back
            let _ = self.pay_answer(context, ledger, &owed).await?;
        }
        Ok(())
    }

    /// The sweep's part: whoever was killed before an answer arrived, and what is given up at its deadline.
    pub(in crate::handler) async fn sweep_answer(
        &self,
        context: &InvocationContext,
        ledger: &Ledger,
        answer: &OwedAnswer,
    ) -> Result<(), LedgerError> {
        let found = ledger.answer(&answer.stack_id, &answer.logical_id, answer.generation).await?;
        let Some(owed) = found.filter(Self::is_unsent) else { return Ok(()) };
        if owed.change.is_none() && owed.body.is_none() {
            self.settle_claimed(context, ledger, &owed).await?;
        }
        match self.pay_answer(context, ledger, &owed).await? {
            Ok(()) => Ok(()),
            Err(error) if owed.is_hopeless(self.now()) => {
                let (stack, resource, generation) = (&answer.stack_id, &answer.logical_id, answer.generation);
                tracing::error!(%error, stack, resource, generation, "CloudFormation could not be answered");
                context.tally.lock().add_overdue_answer();
                ledger.lost_answer(&owed, self.now()).await
            }
            Err(_) => {
                if owed.is_overdue(self.now()) {
                    context.tally.lock().add_overdue_answer();
                }
                ledger.postpone_answer(&owed, self.now()).await
            }
        }
    }

    /// Decides the answer where that can be done now, and sends it. `Ok(Ok(()))` too where it is not due yet.
    pub(super) async fn pay_answer(
        &self,
        context: &InvocationContext,
        ledger: &Ledger,
        owed: &Owed,
    ) -> Result<Result<(), NotDelivered>, LedgerError> {
        let Some(url) = &owed.url else { return Ok(Ok(())) };
        let change = match &owed.change {
            Some(id) => ledger.change(id, self.now()).await?,
            None => None,
        };
        let is_over = self.now() >= owed.deadline;
        let body = match (&owed.body, &owed.change, &change) {
            (Some(body), _, _) => body.clone(),
            (None, None, _) => match self.release(ledger, owed).await? {
                true => self.decide(ledger, owed, &verdict::without_work(), None).await?,
                false if is_over => self.decide(ledger, owed, &verdict::late(), None).await?,
                false => {
                    ledger.postpone_answer(owed, self.now()).await?;
                    return Ok(Ok(()));
                }
            },
            (None, Some(_), Some(change)) if change.status.is_final() => {
                let answer = Self::answer_of(ledger, change).await?;
                let good = Some(change.hash.as_str()).filter(|_| owed.kind != RequestType::Delete);
                self.decide(ledger, owed, &answer, good).await?
            }
            (None, Some(_), _) if is_over => self.decide(ledger, owed, &verdict::late(), None).await?,
            (None, Some(_), _) => {
                ledger.postpone_answer(owed, self.now()).await?;
                return Ok(Ok(()));
            }
        };
        if let Some(change) = change.filter(|change| !change.status.is_final() && change.halt.is_none()) {
            self.give_up(context, ledger, &change).await?;
        }
        let put = self.put(url, &body).await;
        match put {
            Ok(()) => ledger.answered(owed, self.now()).await?,
            // the URL has expired, and CloudFormation waits no more
            Err(NotDelivered::Refused(403)) if is_over => {
                let (stack, resource, generation) = (&owed.to.stack_id, &owed.to.logical_id, owed.generation);
                tracing::error!(stack, resource, generation, "the answer came too late");
                context.tally.lock().add_overdue_answer();
                ledger.lost_answer(owed, self.now()).await?;
                return Ok(Ok(()));
            }
            Err(_) => {}
        }
        Ok(put)
    }

    /// Sends an answer. What is logged has no URL.
    pub(super) async fn put(&self, url: &str, body: &str) -> Result<(), NotDelivered> {
        let put = self.callback.put(url, body).await;
        if let Err(error) = &put {
            tracing::warn!(%error, "CloudFormation was not answered yet");
        }
        put
    }

    async fn decide(
        &self,
        ledger: &Ledger,
        owed: &Owed,
        answer: &Answer,
        good: Option<&str>,
    ) -> Result<String, LedgerError> {
        let succeeded = answer.verdict == Verdict::Success;
        ledger.decide(owed, &answer.body(&owed.to), succeeded, good, self.now()).await
    }

    async fn answer_of(ledger: &Ledger, change: &ChangeRecord) -> Result<Answer, LedgerError> {
        let Some(declared) = &change.declared else {
            return Ok(verdict::refused("The change's record is another one"));
        };
        let results = if change.status == RecordStatus::Succeeded {
            Vec::new()
        } else {
            let mut results = every_result(ledger, &change.run_name()).await?;
            let is_well = |outcome| matches!(outcome, OutcomeKind::Applied | OutcomeKind::Unchanged);
            results.retain(|result| !is_well(result.outcome));
            results
        };
        Ok(verdict::ended(change, declared, &results))
    }

    /// Nobody waits for the change any more: what is not begun is not begun.
    async fn give_up(
        &self,
        context: &InvocationContext,
        ledger: &Ledger,
        change: &ChangeRecord,
    ) -> Result<(), LedgerError> {
        let who = RecordedOrigin::of(&change.origin.in_invocation(&context.invocation)).who;
        let reason = Some("the resource's time was not enough".to_owned());
        let halt = Halt { as_what: Halted::Cancelled, at: self.now(), who, reason };
        ledger.halt(&change.run_name(), &halt, self.now()).await.map(drop)
    }

    /// Settles what is open on the stack's targets where a resource that is deleted and sets nothing owns some. The sweep
    /// does it: the function that takes requests may not read targets.
    async fn settle_claimed(
        &self,
        context: &InvocationContext,
        ledger: &Ledger,
        owed: &Owed,
    ) -> Result<(), LedgerError> {
        let to = &owed.to;
        let kept = ledger.declaration(&to.stack_id, &to.logical_id, self.now()).await?;
        for lane in kept.iter().flat_map(|kept| &kept.lanes) {
            for (name, record) in ledger.declared_by(&to.stack_id, lane).await? {
                self.without_lapsed(context, ledger, &name, record).await?;
            }
        }
        Ok(())
    }

    /// Ends the claims of a resource that is deleted and sets nothing. `false`: an update of a target is under way.
    async fn release(&self, ledger: &Ledger, owed: &Owed) -> Result<bool, LedgerError> {
        let to = &owed.to;
        let Some(kept) = ledger.declaration(&to.stack_id, &to.logical_id, self.now()).await? else {
            return Ok(true);
        };
        if kept.known.generation != owed.generation {
            return Ok(true);
        }
        let declared = Declared {
            stack_id: kept.stack_id.clone(),
            logical_id: kept.logical_id.clone(),
            generation: owed.generation,
            kind: owed.kind,
            on_delete: kept.on_delete,
            last_success: kept.good.as_ref().map(|(good, _)| *good),
            left: 0,
        };
        let mut is_all = true;
        for lane in &kept.lanes {
            for (name, record) in ledger.declared_by(&kept.stack_id, lane).await? {
                if declared.earlier_claim(record.owner.as_ref()).is_some() {
                    let handover: Handover = declared.leaves(record.owner.as_ref());
                    is_all &= ledger.hand_over(&name, record.rev, &handover, None).await?;
                }
            }
        }
        Ok(is_all)
    }
}
