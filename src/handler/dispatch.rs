//! A recorded run for the workers: its lanes, their messages, and where to follow it.

use super::governed::Case;
use super::records::every_result;
use super::{Handler, InvocationContext};
use crate::audit::AuditedChange;
use crate::ledger::{Ledger, LedgerError};
use crate::propagate::unavailable;
use crate::queue::QueueError;
use crate::telemetry::causes;
use policy_core::record::{
    ChangeRecord, InLane, LaneName, Mode, Plan, RecordStatus, RecordedResult, Task, in_lane,
};
use policy_core::report::{ChangeReport, Disposition, Queued, Report};
use policy_core::trigger::lane::LanePointer;
use std::time::Duration;
use tokio::time::Instant;

/// When the sweep looks at a run for the first time whose messages are all sent: a lane without a delivery for so long
/// has lost its message.
const FIRST_LOOK: Duration = Duration::from_mins(30);

/// Not every lane has its item and its message. The sweep completes what is missing.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotDispatched {
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error(transparent)]
    Queue(#[from] QueueError),
}

impl Handler {
    /// Puts what is missing of a run's lanes and sends every lane's message. Done twice, it is done once.
    pub(super) async fn dispatch(
        &self,
        ledger: &Ledger,
        record: &ChangeRecord,
        plan: &Plan,
        until: Instant,
    ) -> Result<(), NotDispatched> {
        self.put_lanes(ledger, record, plan).await?;
        let run = record.run_name();
        let pointer = |lane: &LaneName| LanePointer { run: run.clone(), lane: lane.clone() };
        let pointers: Vec<_> = plan.lanes.iter().map(pointer).collect();
        self.queues.send_lanes(&pointers, record.checks_drift, until).await?;
        ledger.mark_sent(&run, self.now().plus(FIRST_LOOK)).await?;
        Ok(())
    }

    /// Puts what is missing of a run's lanes.
    pub(super) async fn put_lanes(
        &self,
        ledger: &Ledger,
        record: &ChangeRecord,
        plan: &Plan,
    ) -> Result<(), LedgerError> {
        if record.checks_drift {
            return ledger.plan_checks(&record.run_name(), &plan.lanes).await;
        }
        let lanes: Vec<_> = plan.lanes.iter().map(|lane| (lane.clone(), targets_in(plan, lane))).collect();
        ledger.plan_lanes(&record.run_name(), &record.order, &lanes, self.now()).await
    }

    /// Has a recorded run carried out by the workers, and says where to follow it.
    pub(super) async fn queued(
        &self,
        context: &InvocationContext,
        case: &Case<'_>,
        record: &ChangeRecord,
    ) -> Report {
        // an inline run has no lanes
        if record.mode == Mode::Lanes && !record.sent {
            let now = Instant::now();
            let until = now + context.deadline.end().saturating_duration_since(now) / 2;
            if let Err(error) = self.dispatch(case.ledger, record, &case.plan, until).await {
                // the record is there, so that the sweep sends what is missing
                tracing::warn!(error = causes(&error), change_id = %record.change_id, "not every lane was sent");
            }
        }
        let home = &context.rules.home;
        let changes = case.document.changes.iter().map(|change| {
            let audited = AuditedChange { origin: case.origin, change, home };
            if let Err(error) = self.audit.accepted(audited) {
                tracing::error!(%error, "the audit log could not be written");
            }
            ChangeReport {
                change_id: change.change_id.clone(),
                disposition: Disposition::Accepted,
                warnings: change.warnings.clone(),
            }
        });
        let queued = Queued { record: record.change_id.clone(), seconds: self.seconds_for(record) };
        Report { queued: Some(queued), ..Report::of(changes.collect(), case.document.is_batch) }
    }

    /// About how long a run takes: its targets, evenly over its lanes.
    pub(super) fn seconds_for(&self, record: &ChangeRecord) -> u64 {
        let targets = usize::try_from(record.targets.div_ceil(record.lanes.max(1))).unwrap_or(usize::MAX);
        self.settings.connect.seconds_for(targets.max(1))
    }

    /// What a final run came to, as its report said.
    pub(super) async fn recorded_answer(
        &self,
        context: &InvocationContext,
        case: &Case<'_>,
        there: &ChangeRecord,
    ) -> Report {
        let results = match every_result(case.ledger, &there.run_name()).await {
            Ok(results) => results,
            Err(error) => return self.not_begun(context, case.origin, &case.document, &unavailable(&error)),
        };
        let changes = case.document.changes.iter().map(|change| {
            let own = results.iter().filter(|result| result.change_id == change.change_id);
            let results = own.map(RecordedResult::reported).collect();
            let disposition = Disposition::Processed { results, dry_run: change.dry_run };
            ChangeReport {
                change_id: change.change_id.clone(),
                disposition,
                warnings: change.warnings.clone(),
            }
        });
        let report = Report::of(changes.collect(), case.document.is_batch);
        let cancelled = there.status == RecordStatus::Cancelled;
        Report { plan: there.plan_hash.clone(), cancelled, ..report }
    }
}

/// How many targets the plan has in a lane, where that is known before anybody asks which instances there are.
fn targets_in(plan: &Plan, lane: &LaneName) -> Option<u32> {
    let Task::Document(changes) = &plan.task else { return None };
    let mut targets = 0;
    for change in changes {
        match in_lane(change, lane) {
            InLane::Named(instances) => targets += instances.len() * change.scopes.len(),
            InLane::Star { .. } => return None,
        }
    }
    u32::try_from(targets).ok()
}
