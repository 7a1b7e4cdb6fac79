//! A submission where there is a ledger: recorded first, then carried out at once or by a worker for each lane.

use super::change::Submission;
use super::{Handler, InvocationContext};
use crate::audit::AuditedChange;
use crate::ledger::{Ledger, LedgerError};
use crate::propagate::{Governed, Resolved, Tokens, unavailable};
use policy_core::failure::{ErrorCode, Failure};
use policy_core::origin::{Origin, TriggerKind};
use policy_core::policy::{Document, Instances, Places, PolicyChange, Violation, ViolationCode};
use policy_core::record::{ChangeRecord, LaneName, MAX_PLAN, Millis, Plan, Task, hash_of, lanes_of};
use policy_core::report::Report;
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::Instant;

/// After its deadline an invocation is surely dead, and its last update over: Lambda ends it, and a lease lasts 60 s.
pub(super) const DEAD: Duration = Duration::from_secs(65);

/// A document on its way into the ledger.
pub(super) struct Case<'a> {
    pub(super) ledger: &'a Ledger,
    pub(super) origin: &'a Origin,
    pub(super) document: Document,
    pub(super) replay: Option<&'a str>,
    pub(super) plan: Plan,
    pub(super) text: String,
    pub(super) hash: String,
    pub(super) accepted: Millis,
    pub(super) now: Millis,
    pub(super) tokens: Tokens,
    /// Of a change that is carried out at once: its instances.
    pub(super) at_once: Option<Vec<Resolved>>,
}

impl Case<'_> {
    /// Whether it has the condition of a request's own header: that is about now, and no worker checks it later.
    pub(super) fn has_if_match(&self) -> bool {
        self.document.changes.iter().any(|change| change.if_match.is_some())
    }
}

impl Handler {
    /// Records the change and carries it out, or has it carried out.
    pub(super) async fn govern(
        &self,
        context: &InvocationContext,
        submission: &Submission<'_>,
        ledger: &Ledger,
        document: Document,
    ) -> Report {
        let origin = &submission.origin;
        if let Some(why) = self.is_frozen_for(ledger, origin).await {
            return self.not_begun(context, origin, &document, &why);
        }
        let mut document = document;
        // what was asked: where there is something to check may be another answer next time
        let hash = hash_of(&document.changes);
        if let Err(error) = self.find_lanes(context, ledger, &mut document.changes).await {
            return self.not_begun(context, origin, &document, &unavailable(&error));
        }
        let mut case = match self.case(context, submission, ledger, document, hash) {
            Ok(case) => case,
            Err(report) => return *report,
        };
        case.at_once = self.at_once(context, &case).await;
        Box::pin(self.admit(context, case)).await
    }

    /// The time by which leases, debts and retention are measured.
    pub(super) fn now(&self) -> Millis {
        self.clock.now()
    }

    /// A write that must wait for the end of a freeze, or for the ledger.
    async fn is_frozen_for(&self, ledger: &Ledger, origin: &Origin) -> Option<Failure> {
        let is_at_once = is_at_once(origin);
        match ledger.frozen().await {
            Ok(None) => None,
            // the intake records and sends: its lanes wait. While the table drains, it takes nothing new
            Ok(Some(freeze)) if !is_at_once && !freeze.drain => None,
            Ok(Some(_)) => Some(Failure::new(ErrorCode::Frozen)),
            Err(error) => Some(unavailable(&error)),
        }
    }

    /// A check that names no instance is of every account and Region in which the ledger knows a target.
    async fn find_lanes(
        &self,
        context: &InvocationContext,
        ledger: &Ledger,
        changes: &mut [PolicyChange],
    ) -> Result<(), LedgerError> {
        let rules = &context.rules;
        for change in changes {
            let Instances::All { places, .. } = &mut change.instances else { continue };
            if places.are_known() {
                continue;
            }
            let reached = |lane: &LaneName| lane.account.is_none_or(|account| rules.reaches_account(account));
            let lanes = ledger.lanes_with_targets().await?;
            let (mut lanes, missed): (BTreeSet<_>, BTreeSet<_>) = lanes.into_iter().partition(reached);
            if lanes.is_empty() {
                lanes.insert(LaneName::home(&rules.home));
            }
            *places = Places::of(lanes, &rules.home);
            change.warnings.extend(missed.iter().map(|lane| Violation {
                pointer: String::new(),
                code: ViolationCode::NoRoleForAccount,
                message: format!("does not check {lane}: CONNECT_ROLE_ARNS has no role for the account"),
            }));
        }
        Ok(())
    }

    /// The document as a plan.
    fn case<'a>(
        &self,
        context: &InvocationContext,
        submission: &'a Submission<'_>,
        ledger: &'a Ledger,
        document: Document,
        hash: String,
    ) -> Result<Case<'a>, Box<Report>> {
        let origin = &submission.origin;
        let lanes = lanes_of(&document.changes);
        let task = Task::Document(document.changes.clone());
        let restores = submission.restores || document.changes.iter().any(|change| change.checks_drift);
        let plan =
            Plan { task, lanes, is_batch: document.is_batch, stop_after: document.stop_after, restores };
        // only a time without an RFC 3339 form has none, and a parsed change has no such time
        let text = plan.encode().unwrap_or_default();
        if text.len() > MAX_PLAN {
            let message = format!(
                "must have at most {MAX_PLAN} bytes in normal form, in which an instance is an ARN; it has {}",
                text.len()
            );
            let code = ViolationCode::DocumentTooLarge;
            return Err(Box::new(self.reject_as(context, origin, &document.change_id, code, &message)));
        }
        let now = self.now();
        Ok(Case {
            ledger,
            origin,
            document,
            replay: submission.replay.as_deref(),
            plan,
            text,
            hash,
            accepted: accepted(origin, now),
            now,
            tokens: Tokens::new(&context.invocation.request_id, now),
            at_once: None,
        })
    }

    /// The instances of a change that surely ends within this invocation, and that no unfinished work comes before.
    async fn at_once(&self, context: &InvocationContext, case: &Case<'_>) -> Option<Vec<Resolved>> {
        // elsewhere each lane's worker finds out which instances there are
        let is_near = |change: &PolicyChange| match &change.instances {
            Instances::Named(_) => true,
            Instances::All { places, .. } => places.is_own(),
        };
        let is_check = case.document.changes.iter().any(|change| change.checks_drift);
        if is_check || !is_at_once(case.origin) || !case.document.changes.iter().all(is_near) {
            return None;
        }
        let propagation = self.propagation(context, None);
        let home = &context.rules.home;
        let changes = &case.document.changes;
        let mut resolved = Vec::with_capacity(changes.len());
        let mut estimate = Duration::ZERO;
        for change in changes {
            let audited = AuditedChange { origin: case.origin, change, home };
            let instances = propagation.resolve(audited).await;
            if instances.failed() {
                return None;
            }
            estimate += propagation.estimate(audited, &instances);
            resolved.push(instances);
        }
        let fits = context.deadline.leaves(Instant::now(), estimate);
        let is_free = || self.has_no_work(case);
        (case.has_if_match() || (fits && is_free().await)).then_some(resolved)
    }

    /// A relative change is computed from what its lane holds once everything before it is done.
    async fn has_no_work(&self, case: &Case<'_>) -> bool {
        if case.document.changes.iter().all(|change| change.adjustments.is_empty()) {
            return true;
        }
        for lane in &case.plan.lanes {
            // where nobody can say, a worker finds out
            if case.ledger.has_work(lane).await.unwrap_or(true) {
                return false;
            }
        }
        true
    }

    /// Carries out a run whose record is written.
    pub(super) async fn carry_out_recorded(
        &self,
        context: &InvocationContext,
        mut case: Case<'_>,
        record: ChangeRecord,
    ) -> Report {
        match case.at_once.take() {
            Some(resolved) => self.run_at_once(context, &case, &record, &resolved).await,
            None => self.queued(context, &case, &record).await,
        }
    }

    /// The run in the ledger that an invocation's walk is part of.
    pub(super) fn run_of<'l>(
        &self,
        ledger: &'l Ledger,
        record: &ChangeRecord,
        tokens: Tokens,
    ) -> Governed<'l> {
        let mut governed = Governed::new(
            ledger,
            (record.run_name(), record.order.clone()),
            record.origin.who.clone(),
            self.clock.clone(),
            tokens,
        );
        governed.declared.clone_from(&record.declared);
        governed.counts_failures = record.stop_after.is_some();
        governed
    }
}

/// Whether the caller waits for the outcome: what comes from a bus or a queue is carried out by workers.
fn is_at_once(origin: &Origin) -> bool {
    matches!(origin.kind, TriggerKind::Http | TriggerKind::Bare)
}

/// When the run was accepted, by the clock of who received it. One that is ahead of ours would keep later changes away.
pub(super) fn accepted(origin: &Origin, now: Millis) -> Millis {
    origin.received_at.map_or(now, |at| Millis::of(at).min(now))
}
