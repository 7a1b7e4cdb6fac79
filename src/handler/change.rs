//! One submission: parse, decide where it runs, walk it, report. The same for every trigger.

use super::{Handler, InvocationContext};
use crate::audit::AuditedChange;
use crate::propagate::{Propagation, Resolved};
use policy_core::origin::{Origin, TriggerKind};
use policy_core::policy::{
    ChangeId, Defaults, Document, Form, PolicyChange, Rejected, ViolationCode, document,
};
use policy_core::report::{ChangeReport, Disposition, Report, Status};
use std::sync::PoisonError;
use std::time::Duration;
use time::OffsetDateTime;
use tokio::time::Instant;

/// A change document and what its trigger knows about it.
#[derive(Debug)]
pub(super) struct Submission<'a> {
    pub(super) document: &'a str,
    pub(super) form: Form,
    pub(super) origin: Origin,
    /// The event's, message's or request's id.
    pub(super) default_id: String,
    pub(super) if_unmodified_since: Option<OffsetDateTime>,
    pub(super) dry_run: bool,
}

impl<'a> Submission<'a> {
    pub(super) fn new(document: &'a str, origin: Origin) -> Self {
        Self {
            document,
            form: Form::Submission,
            default_id: origin.request_id.clone().unwrap_or_else(|| origin.invocation.request_id.clone()),
            origin,
            if_unmodified_since: None,
            dry_run: false,
        }
    }

    /// The default change id: the trigger's, else the invocation's.
    pub(super) fn change_id(&self) -> ChangeId {
        let invocation = &self.origin.invocation.request_id;
        ChangeId::from_request(&self.default_id)
            .or_else(|| ChangeId::from_request(invocation))
            .unwrap_or_default()
    }
}

impl Handler {
    /// Carries out a submission and reports what became of it. Every refusal is in the audit.
    pub(super) async fn change(&self, context: &InvocationContext, submission: &Submission<'_>) -> Report {
        let report = self.parse_and_carry_out(context, submission).await;
        context.tally.lock().unwrap_or_else(PoisonError::into_inner).add(&report);
        report
    }

    async fn parse_and_carry_out(&self, context: &InvocationContext, submission: &Submission<'_>) -> Report {
        let defaults = Defaults {
            change_id: submission.change_id(),
            if_unmodified_since: submission.if_unmodified_since,
            dry_run: submission.dry_run,
        };
        let origin = &submission.origin;
        match document::parse(submission.document, &submission.form, &defaults, &context.rules) {
            Ok(Document { changes, is_batch }) => {
                let changes = self.carry_out(context, origin, &changes).await;
                Report { changes, is_batch }
            }
            Err(Rejected::NotJson(message)) => {
                let message = format!("must be JSON: {message}");
                self.reject(context, origin, &defaults.change_id, ViolationCode::NotJson, &message)
            }
            Err(Rejected::Violations { violations, change_id }) => {
                self.note_violations(context, origin, &change_id, &violations);
                Report::one(ChangeReport::rejected(change_id, violations))
            }
        }
    }

    /// Applies changes in order, stopping at the first that is incomplete, or queues them whole.
    async fn carry_out(
        &self,
        context: &InvocationContext,
        origin: &Origin,
        changes: &[PolicyChange],
    ) -> Vec<ChangeReport> {
        let propagation = Propagation {
            connect: &self.connect,
            audit: &self.audit,
            guardrails: &self.settings.guardrails,
            deadline: context.deadline,
        };
        let home = &context.rules.home;
        let mut resolved = Vec::with_capacity(changes.len());
        let mut estimate = Duration::ZERO;
        for change in changes {
            let audited = AuditedChange { origin, change, home };
            let instances = propagation.resolve(audited).await;
            estimate += propagation.estimate(audited, &instances);
            resolved.push(instances);
        }
        let too_long = resolved.iter().any(Resolved::ran_out_of_time)
            || !context.deadline.leaves(Instant::now(), estimate);
        if too_long && self.may_queue(origin, changes) {
            match self.enqueue(context, origin, changes).await {
                Ok(reports) => return reports,
                // without the queue it does what it can; the rest is pending
                Err(error) => tracing::error!(%error, "the change could not be queued"),
            }
        }
        self.walk(&propagation, context, origin, changes, &resolved).await
    }

    async fn walk(
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

    /// SQS never re-sends: what is left stays at the head of its group. `If-Match` is for now or never, and
    /// a dry run's answer is all it is for.
    fn may_queue(&self, origin: &Origin, changes: &[PolicyChange]) -> bool {
        self.queues.takes_changes()
            && origin.kind != TriggerKind::Sqs
            && changes.iter().all(|change| change.if_match.is_none() && !change.dry_run)
    }

    async fn enqueue(
        &self,
        context: &InvocationContext,
        origin: &Origin,
        changes: &[PolicyChange],
    ) -> Result<Vec<ChangeReport>, Box<dyn std::error::Error + Send + Sync>> {
        let document = match changes {
            [change] => serde_json::to_string(change)?,
            changes => serde_json::to_string(&serde_json::json!({ "changes": changes }))?,
        };
        let id = changes.first().map_or("", |change| change.change_id.as_str());
        self.queues.enqueue(id, &document).await?;
        let accepted = changes.iter().map(|change| {
            if let Err(error) =
                self.audit.accepted(AuditedChange { origin, change, home: &context.rules.home })
            {
                tracing::error!(%error, "the audit could not be written");
            }
            ChangeReport {
                change_id: change.change_id.clone(),
                disposition: Disposition::Accepted,
                warnings: change.warnings.clone(),
            }
        });
        Ok(accepted.collect())
    }
}
