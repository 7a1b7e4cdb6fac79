//! Handles one submission: parse it, run or queue it, report it. Every trigger uses this.

use super::{Handler, InvocationContext};
use crate::audit::AuditedChange;
use crate::propagate::{Propagation, Resolved};
use policy_core::origin::Origin;
use policy_core::policy::{Defaults, Document, Form, PolicyChange, Rejected, ViolationCode, document};
use policy_core::report::{ChangeReport, Report, Status};
use time::OffsetDateTime;

/// A change document and what its trigger knows about it.
#[derive(Debug)]
pub(super) struct Submission<'a> {
    pub(super) document: &'a str,
    pub(super) form: Form,
    pub(super) origin: Origin,
    pub(super) if_unmodified_since: Option<OffsetDateTime>,
    pub(super) dry_run: bool,
    /// `replay-name` of a replayed event.
    pub(super) replay: Option<String>,
    /// Whether the values are what the ledger says that the target should hold.
    pub(super) restores: bool,
}

impl<'a> Submission<'a> {
    pub(super) fn new(document: &'a str, origin: Origin) -> Self {
        let form = Form::Submission;
        Self {
            document,
            form,
            origin,
            if_unmodified_since: None,
            dry_run: false,
            replay: None,
            restores: false,
        }
    }
}

impl Handler {
    /// Carries out a submission and reports what became of it. Every refusal is in the audit.
    pub(super) async fn change(&self, context: &InvocationContext, submission: &Submission<'_>) -> Report {
        let report = self.parse_and_carry_out(context, submission).await;
        context.tally.lock().add(&report);
        report
    }

    async fn parse_and_carry_out(&self, context: &InvocationContext, submission: &Submission<'_>) -> Report {
        let defaults = Defaults {
            change_id: submission.origin.change_id(),
            if_unmodified_since: submission.if_unmodified_since,
            dry_run: submission.dry_run,
        };
        let origin = &submission.origin;
        match document::parse(submission.document, &submission.form, &defaults, &context.rules) {
            Ok(document) => {
                if let Some(ledger) = &self.ledger {
                    // boxed: without a ledger nothing of it is needed
                    return Box::pin(self.govern(context, submission, ledger, document)).await;
                }
                let Document { changes, is_batch, .. } = document;
                Report::of(self.carry_out(context, origin, &changes).await, is_batch)
            }
            Err(Rejected::NotJson(message)) => {
                let message = format!("must be JSON: {message}");
                self.reject(context, origin, ViolationCode::NotJson, &message)
            }
            Err(Rejected::Violations { violations, change_id }) => {
                self.note_violations(context, origin, &change_id, &violations);
                Report::one(ChangeReport::rejected(change_id, violations))
            }
        }
    }

    /// Applies changes in order, stopping at the first that is incomplete.
    async fn carry_out(
        &self,
        context: &InvocationContext,
        origin: &Origin,
        changes: &[PolicyChange],
    ) -> Vec<ChangeReport> {
        let propagation = self.propagation(context, None);
        let home = &context.rules.home;
        let mut resolved = Vec::with_capacity(changes.len());
        for change in changes {
            resolved.push(propagation.resolve(AuditedChange { origin, change, home }).await);
        }
        self.walk(&propagation, context, origin, changes, &resolved).await
    }

    pub(super) async fn walk(
        &self,
        propagation: &Propagation<'_>,
        context: &InvocationContext,
        origin: &Origin,
        changes: &[PolicyChange],
        resolved: &[Resolved],
    ) -> Vec<ChangeReport> {
        let home = &context.rules.home;
        let mut reports = Vec::with_capacity(changes.len());
        let mut stopped = false;
        for (change, instances) in changes.iter().zip(resolved) {
            let audited = AuditedChange { origin, change, home };
            let report = if stopped {
                propagation.not_begun(audited)
            } else {
                propagation.run(audited, instances).await
            };
            stopped |= report.status() == Status::Incomplete;
            reports.push(report);
        }
        reports
    }
}
