//! Applies a change to its targets: read, compare, decide, update, verify, report.
//!
//! Each account and Region is a lane: its reads and its updates overlap, and lanes run side by side. Nothing is
//! remembered between invocations: what was applied is unchanged the next time.

mod deadline;
mod governed;
mod lane;
mod resolve;
mod settle;
mod tokens;

pub use deadline::Deadline;
pub use governed::{Governed, LaneDelivery, MayBegin, Stop, unavailable};
pub use resolve::Resolved;
pub use settle::settle;
pub use tokens::Tokens;

use crate::audit::{Audit, AuditedChange};
use crate::connect::{Call, CallLog, Connect};
use futures_util::future::join_all;
use lane::LanePropagation;
use policy_core::failure::{ErrorCode, Failure};
use policy_core::policy::{Instance, Instances, Limits, Scope, Violation, ViolationCode};
use policy_core::record::{LaneName, Own};
use policy_core::report::{ChangeReport, Disposition, Outcome, TargetResult};
use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

/// What carrying out a change needs.
#[derive(Debug, Clone, Copy)]
pub struct Propagation<'a> {
    /// Amazon Connect.
    pub connect: &'a Connect,
    /// The audit log.
    pub audit: &'a Audit,
    /// What the operator allows.
    pub limits: Limits<'a>,
    /// The invocation's deadline.
    pub deadline: Deadline,
    /// The invocation's calls.
    pub log: &'a CallLog,
    /// The run in the ledger that this is part of; absent without a ledger.
    pub governed: Option<&'a Governed<'a>>,
}

/// A target, and what is asked of it alone.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The scope.
    pub scope: Scope,
    /// What a recorded change asks of this target; absent: what the change says.
    pub own: Option<&'a Own>,
}

/// An instance's targets, and their places in the report.
struct Work<'a> {
    instance: &'a Instance,
    slots: Vec<Slot<'a>>,
}

/// A target and its place in the report.
#[derive(Debug, Clone)]
struct Slot<'a> {
    index: usize,
    scope: Scope,
    own: Option<&'a Own>,
}

impl<'a> Propagation<'a> {
    /// The bounds of every call.
    fn call(&self) -> Call<'a> {
        Call { until: self.deadline.calls(), last_attempt: None, log: self.log }
    }

    /// The instances the change names. Where every one is meant, Amazon Connect is asked, side by side.
    pub async fn resolve(&self, audited: AuditedChange<'_>) -> Resolved {
        resolve::instances(self, audited).await
    }

    /// Which instances there are in a lane of which every one is meant.
    ///
    /// # Errors
    /// Amazon Connect cannot be asked in time, or does not answer.
    pub async fn resolve_in(
        &self,
        audited: AuditedChange<'_>,
        lane: &LaneName,
    ) -> Result<Vec<Instance>, Failure> {
        resolve::in_lane(self, audited, lane).await
    }

    /// How long the change would take at the configured pace if every target had to be updated.
    pub fn estimate(&self, audited: AuditedChange<'_>, resolved: &Resolved) -> Duration {
        let mut instances: BTreeMap<_, usize> = BTreeMap::new();
        let permitted = |instance: &&Instance| self.limits.guardrails.check(instance, audited.change).is_ok();
        for instance in resolved.instances().iter().filter(permitted) {
            *instances.entry(self.connect.key(instance, audited.home)).or_default() += 1;
        }
        let change = audited.change;
        let mut longest = Duration::ZERO;
        for (key, instances) in instances {
            let targets = instances * change.scopes.len();
            // one Describe for one scope, one List for several, which then are described for their time if it matters
            let (lists, describes) = match (change.scopes.len(), change.if_unmodified_since) {
                (0 | 1, _) => (0, targets),
                (_, None) => (instances, 0),
                (_, Some(_)) => (instances, targets),
            };
            let updates = if change.dry_run { 0 } else { targets };
            longest = longest.max(self.connect.lane(&key).estimate(lists, describes, updates));
        }
        longest
    }

    /// Applies the change to every target, as far as time allows.
    pub async fn run(&self, audited: AuditedChange<'_>, resolved: &Resolved) -> ChangeReport {
        let asked = |scope: &Scope| Asked { scope: *scope, own: None };
        let scopes: Vec<_> = audited.change.scopes.iter().map(asked).collect();
        let targets = resolved.instances().iter().map(|instance| (instance, scopes.iter().copied()));
        let mut results = self.walk(audited, targets).await;
        if resolved.failed() {
            let missing =
                resolved.unresolved().iter().map(|(lane, failure)| self.unresolved(audited, lane, failure));
            results.extend(missing.flatten());
            // the order of the targets, which places have too
            results.sort_by_cached_key(|result| {
                result.instance.as_ref().map(LaneName::of).or_else(|| result.place.clone())
            });
        }
        let has_none = results.is_empty();
        let mut report = walked(audited, results);
        if has_none {
            report.warnings.push(Violation {
                pointer: String::new(),
                code: ViolationCode::NoInstanceMatches,
                message: resolve::no_instance(&audited.change.instances).to_owned(),
            });
        }
        report
    }

    /// A change that is not begun, because an earlier one of its document is incomplete.
    pub fn not_begun(&self, audited: AuditedChange<'_>) -> ChangeReport {
        let change = audited.change;
        let pending =
            || Outcome::Pending { before: None, why: Failure::new(ErrorCode::EarlierChangeIncomplete) };
        let mut results = Vec::new();
        match &change.instances {
            Instances::Named(named) => {
                for instance in named {
                    let of = |scope| TargetResult::without_calls(Some(instance.clone()), scope, pending());
                    results.extend(change.scopes.iter().copied().map(of));
                }
            }
            Instances::All { places, .. } => {
                for lane in places.lanes() {
                    let of = |scope| TargetResult::of_all(places.named(lane), scope, pending());
                    results.extend(change.scopes.iter().copied().map(of));
                }
            }
        }
        let results = results.into_iter().map(|result| self.recorded(audited, result));
        walked(audited, results.collect())
    }

    /// Walks these targets of the change: a result for each, in their order.
    pub async fn walk<'w, I, S>(&self, audited: AuditedChange<'_>, targets: I) -> Vec<TargetResult>
    where
        I: Iterator<Item = (&'w Instance, S)>,
        S: Iterator<Item = Asked<'w>>,
    {
        let mut results: Vec<Option<TargetResult>> = Vec::new();
        let mut lanes: BTreeMap<_, Vec<Work<'w>>> = BTreeMap::new();
        // where failures are counted, a blocked target waits for its turn
        let in_turn = self.governed.is_some_and(|governed| governed.counts_failures);
        for (instance, scopes) in targets {
            let mut slots = Vec::new();
            let allowed =
                if in_turn { Ok(()) } else { self.limits.guardrails.check(instance, audited.change) };
            for Asked { scope, own } in scopes {
                let index = results.len();
                results.push(match &allowed {
                    Ok(()) => {
                        slots.push(Slot { index, scope, own });
                        None
                    }
                    Err(blocked) => {
                        let outcome = Outcome::Blocked { held: None, why: Failure::from(blocked) };
                        let result = TargetResult::without_calls(Some(instance.clone()), scope, outcome);
                        Some(self.ended(audited, result).await)
                    }
                });
            }
            if !slots.is_empty() {
                let key = self.connect.key(instance, audited.home);
                lanes.entry(key).or_default().push(Work { instance, slots });
            }
        }
        let walks = lanes.iter().map(|(key, work)| async move {
            let lane = self.connect.lane(key);
            LanePropagation { propagation: self, audited, lane: &lane }.run(work).await
        });
        for (slot, result) in join_all(walks).await.into_iter().flatten() {
            if let Some(place) = results.get_mut(slot) {
                *place = Some(result);
            }
        }
        // every slot is filled: each lane returns one result for each of its slots
        results.into_iter().flatten().collect()
    }

    /// The end of a target that needed no call: its line, and its result where there is a ledger.
    async fn ended(&self, audited: AuditedChange<'_>, result: TargetResult) -> TargetResult {
        let mut result = self.recorded(audited, result);
        if let Some(governed) = self.governed
            && let Err(error) =
                governed.note(&result, (&audited.change.change_id, audited.change.dry_run)).await
        {
            result.outcome = result.outcome.unrecorded(governed::unavailable(&error));
        }
        result
    }

    /// Nobody could find out which instances there are: every scope failed, or is pending, for the same reason.
    fn unresolved<'r>(
        &'r self,
        audited: AuditedChange<'r>,
        lane: &'r LaneName,
        failure: &'r Failure,
    ) -> impl Iterator<Item = TargetResult> + use<'r, 'a> {
        let place = match &audited.change.instances {
            Instances::All { places, .. } => places.named(lane),
            Instances::Named(_) => None,
        };
        audited.change.scopes.iter().map(move |scope| {
            let place = place.clone();
            let result = TargetResult::of_all(place, *scope, Outcome::not_reached(failure.clone()));
            self.recorded(audited, result)
        })
    }

    /// The result with its line in the audit. Where that fails, the result says so: a change whose
    /// outcome nobody can prove is not complete.
    fn recorded(&self, audited: AuditedChange<'_>, mut result: TargetResult) -> TargetResult {
        if let Err(error) = self.audit.outcome(audited, &result) {
            tracing::error!(%error, "the audit log could not be written");
            result.outcome = result.outcome.unrecorded(unaudited(&error));
        }
        result
    }
}

/// The audit could not be written, so nothing was sent (or what was sent is not on record).
fn unaudited(error: &io::Error) -> Failure {
    Failure::new(ErrorCode::AuditUnavailable).with_detail(error.to_string())
}

fn walked(audited: AuditedChange<'_>, results: Vec<TargetResult>) -> ChangeReport {
    let change = audited.change;
    let disposition = Disposition::Processed { results, dry_run: change.dry_run };
    ChangeReport { change_id: change.change_id.clone(), disposition, warnings: change.warnings.clone() }
}
