//! A recorded run that is carried out within the invocation that accepted it.

use super::admission::{is_dry_run, plan_ref};
use super::governed::Case;
use super::{Handler, InvocationContext};
use crate::ledger::Finished;
use crate::propagate::{Governed, Resolved, Stop};
use crate::telemetry::causes;
use policy_core::failure::ErrorCode;
use policy_core::record::{self, ChangeRecord, Counts, LEASE, LaneName, Millis, Mode, RecordedResult};
use policy_core::report::{ChangeReport, Report, TargetResult, Verdict};
use std::collections::BTreeMap;
use std::time::Duration;

/// A kept intent is settled by a read that begins after its lease.
const AFTER_THE_LEASE: Duration = Duration::from_secs(5);

impl Handler {
    /// Walks the changes, and makes the record final.
    pub(super) async fn run_at_once(
        &self,
        context: &InvocationContext,
        case: &Case<'_>,
        record: &ChangeRecord,
        resolved: &[Resolved],
    ) -> Report {
        let mut governed = self.run_of(case.ledger, record, case.tokens.again("walk"));
        governed.restores = case.plan.restores;
        let propagation = self.propagation(context, Some(&governed));
        let changes = &case.document.changes;
        let reports = self.walk(&propagation, context, case.origin, changes, resolved).await;
        context.tally.lock().add_drifts(governed.drifts());
        // somebody else is at a target: a worker comes back to it
        if !case.has_if_match()
            && reports.iter().any(is_busy)
            && let Some(queued) = self.convert(context, case, record).await
        {
            return queued;
        }
        let hash = is_dry_run(changes).then(|| plan_hash(reports.iter().flat_map(recorded)));
        self.conclude(context, &governed, record, &reports, hash.as_deref()).await;
        Report { plan: hash, ..Report::of(reports, case.document.is_batch) }
    }

    /// Makes an inline run final, unless something of it is still open: then the sweep does, once that is settled.
    async fn conclude(
        &self,
        context: &InvocationContext,
        governed: &Governed<'_>,
        record: &ChangeRecord,
        reports: &[ChangeReport],
        plan_hash: Option<&str>,
    ) {
        let (ledger, run) = (governed.ledger, record.run_name());
        let Some(holder) = &record.holder else { return };
        if governed.has_left_open() {
            let due = self.now().plus(LEASE + AFTER_THE_LEASE);
            if let Err(error) = ledger.release(&run, &holder.token, due).await {
                tracing::warn!(error = causes(&error), %run, "the run could not be left to the sweep");
            }
            return;
        }
        let counts = counts_of(reports.iter().flat_map(ChangeReport::results));
        let mut halted = match governed.stopped() {
            Some(Stop::Halted(halted)) => Some(halted),
            _ => None,
        };
        // a second time, if somebody cancelled meanwhile
        for _ in 0..2 {
            let status = record::final_status(&counts, halted, record.dry_run);
            let (held_by, total) = (Some(holder), counts.total());
            let (announces, now) = (self.announces(), self.now());
            let finished =
                ledger.finish(&run, held_by, status, &counts, total, plan_hash, announces, now).await;
            halted = match finished {
                Ok(Finished::Now(ended)) => {
                    context.tally.lock().add_ended_run(status);
                    self.announce(context, ledger, &ended).await;
                    return;
                }
                Ok(Finished::Already(there)) => match there.halt.filter(|_| !there.status.is_final()) {
                    Some(halt) => Some(halt.as_what),
                    None => return,
                },
                Err(error) => {
                    // its results are stored, so that the sweep makes it final by them
                    tracing::warn!(error = causes(&error), %run, "the run could not be made final");
                    return;
                }
            };
        }
    }

    /// Leaves what is left of an inline run to the workers; `None`: it stays what it is, or somebody else has it.
    pub(super) async fn convert(
        &self,
        context: &InvocationContext,
        case: &Case<'_>,
        record: &ChangeRecord,
    ) -> Option<Report> {
        let (run, lanes) = (record.run_name(), u32::try_from(case.plan.lanes.len()).unwrap_or(u32::MAX));
        let token = record.holder.as_ref().map_or("", |holder| holder.token.as_str());
        let plan = plan_ref(&case.text);
        match case.ledger.convert(&run, token, &plan, lanes, record.targets, self.now()).await {
            Ok(true) => {
                let converted = ChangeRecord { mode: Mode::Lanes, sent: false, ..record.clone() };
                Some(self.queued(context, case, &converted).await)
            }
            Ok(false) => None,
            Err(error) => {
                // if it was turned into one by lanes all the same, the sweep puts and sends them
                tracing::warn!(error = causes(&error), %run, "the run could not be left to the workers");
                None
            }
        }
    }
}

/// Whether a target waits for somebody else.
fn is_busy(report: &ChangeReport) -> bool {
    let is_busy =
        |result: &TargetResult| result.outcome.error().is_some_and(|why| why.code == ErrorCode::TargetBusy);
    report.results().iter().any(is_busy)
}

/// How these targets ended.
pub(super) fn counts_of<'r>(results: impl Iterator<Item = &'r TargetResult>) -> Counts {
    let mut counts = Counts::default();
    for result in results {
        counts.add(result.outcome.kind(), result.outcome.verdict() == Verdict::NotYet);
    }
    counts
}

/// A change's results as the ledger has them, as far as their hash asks.
fn recorded(report: &ChangeReport) -> impl Iterator<Item = RecordedResult> {
    let recorded =
        |result| RecordedResult::of(result, &report.change_id, Millis::default(), None, String::new());
    report.results().iter().filter_map(recorded)
}

/// The hash of what a dry run found, lane by lane.
pub(super) fn plan_hash(results: impl IntoIterator<Item = RecordedResult>) -> String {
    let mut lanes: BTreeMap<LaneName, Vec<RecordedResult>> = BTreeMap::new();
    for result in results {
        lanes.entry(result.target.lane.clone()).or_default().push(result);
    }
    let hashes: Vec<_> = lanes.iter().map(|(lane, results)| (lane, record::lane_hash(results))).collect();
    record::plan_hash(hashes.iter().map(|(lane, hash)| (*lane, hash.as_str())))
}
