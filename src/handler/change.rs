//! Handles one submission: parse it, run or queue it, report it. Every trigger uses this.

use super::{Handler, InvocationContext};
use crate::audit::AuditedChange;
use crate::propagate::{Propagation, Resolved};
use crate::queue::QueueError;
use crate::telemetry::causes;
use policy_core::origin::{Origin, TriggerKind};
use policy_core::policy::{
    Defaults, Document, Form, Limits, PolicyChange, Rejected, ViolationCode, document,
};
use policy_core::report::{ChangeReport, Disposition, Report, Status};
use std::time::Duration;
use time::OffsetDateTime;
use tokio::time::Instant;

/// A change document and what its trigger knows about it.
#[derive(Debug)]
pub(super) struct Submission<'a> {
    pub(super) document: &'a str,
    pub(super) form: Form,
    pub(super) origin: Origin,
    pub(super) if_unmodified_since: Option<OffsetDateTime>,
    pub(super) dry_run: bool,
}

impl<'a> Submission<'a> {
    pub(super) fn new(document: &'a str, origin: Origin) -> Self {
        Self { document, form: Form::Submission, origin, if_unmodified_since: None, dry_run: false }
    }
}

/// The change is in no queue.
#[derive(Debug, thiserror::Error)]
enum NotQueued {
    #[error("the change could not be written as JSON")]
    Encoding(#[from] serde_json::Error),
    #[error(transparent)]
    Queue(#[from] QueueError),
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
            Ok(Document { changes, is_batch }) => {
                let changes = self.carry_out(context, origin, &changes).await;
                Report { changes, is_batch }
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
            limits: Limits {
                guardrails: &self.settings.guardrails,
                allow_empty_extensions: self.settings.allow_empty_extensions,
            },
            deadline: context.deadline,
            log: &context.log,
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
                // the queue is unavailable: apply what fits into this invocation and report the rest as
                // pending
                Err(error) => tracing::error!(error = causes(&error), "the change could not be queued"),
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

    /// A change from SQS is not queued again: it stays at the head of its message group. A change with
    /// `If-Match` must run now, and a dry run exists only for its answer.
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
    ) -> Result<Vec<ChangeReport>, NotQueued> {
        let document = match changes {
            [change] => serde_json::to_string(change)?,
            changes => serde_json::to_string(&serde_json::json!({ "changes": changes }))?,
        };
        let id = changes.first().map_or("", |change| change.change_id.as_str());
        // what follows a queue that does not answer needs the rest
        let now = Instant::now();
        let until = now + context.deadline.end().saturating_duration_since(now) / 4;
        self.queues.enqueue(id, &document, until).await?;
        let accepted = changes.iter().map(|change| {
            if let Err(error) =
                self.audit.accepted(AuditedChange { origin, change, home: &context.rules.home })
            {
                tracing::error!(%error, "the audit log could not be written");
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
