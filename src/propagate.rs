//! The walk over a change's targets: read, compare, decide, update, verify, report.
//!
//! Each account and Region has a lane of reads and one of updates that overlap; lanes run side by
//! side. Nothing is remembered between invocations: what was applied is unchanged the next time.

mod lane;
mod resolve;

use crate::audit::{Audit, AuditedChange};
use crate::connect::{CALL_TIME, Connect};
use futures_util::future::join_all;
use lane::LanePropagation;
use policy_core::decision;
use policy_core::policy::{Guardrails, Instance, Instances, Scope, Violation, ViolationCode};
use policy_core::report::{ChangeReport, Disposition, Failure, FailureKind, Outcome, TargetResult};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

/// When an invocation must be over.
#[derive(Debug, Clone, Copy)]
pub struct Deadline {
    calls: Instant,
}

/// Kept back from every invocation to write the audit and answer: encoding the longest report and
/// a thousand audit lines take tens of milliseconds at the CPU share of a 128 MB function.
const RESERVE: Duration = Duration::from_millis(300);
/// Where the invocation's deadline is unknown.
const UNKNOWN: Duration = Duration::from_secs(30);

impl Deadline {
    /// `left`: from now to the invocation's deadline. One already past at the start means unknown
    /// (`cargo lambda watch` sends the year 1970): 30 seconds then.
    pub fn new(now: Instant, left: Option<Duration>) -> Self {
        let left = left.filter(|left| !left.is_zero()).unwrap_or(UNKNOWN);
        Self { calls: now + left.saturating_sub(RESERVE) }
    }

    /// Until when calls may run.
    pub fn calls(self) -> Instant {
        self.calls
    }

    /// Whether work of this length surely ends in time, counted from `now`.
    pub fn leaves(self, now: Instant, work: Duration) -> bool {
        now + work <= self.last_update()
    }

    /// The last moment to begin an update.
    fn last_update(self) -> Instant {
        self.calls.checked_sub(CALL_TIME).unwrap_or(self.calls)
    }
}

/// What a walk works with.
#[derive(Debug, Clone, Copy)]
pub struct Propagation<'a> {
    /// Amazon Connect.
    pub connect: &'a Connect,
    /// The audit log.
    pub audit: &'a Audit,
    /// What the operator forbids.
    pub guardrails: &'a Guardrails,
    /// When it must be over.
    pub deadline: Deadline,
}

/// A change's instances, or why `"*"` could not be resolved.
#[derive(Debug)]
pub struct Resolved(Result<Vec<Instance>, Failure>);

impl Resolved {
    /// Whether there was no time to find the instances.
    pub fn ran_out_of_time(&self) -> bool {
        self.0.as_ref().is_err_and(|failure| failure.because == FailureKind::NoTime)
    }
}

/// A target and its place in the report.
#[derive(Debug, Clone)]
struct Slot {
    index: usize,
    scope: Scope,
}

impl Propagation<'_> {
    /// The instances the change names. Only `"*"` asks Amazon Connect.
    pub async fn resolve(&self, audited: AuditedChange<'_>) -> Resolved {
        Resolved(resolve::instances(self, audited).await)
    }

    /// How long the change would take at the configured pace if every target had to be updated.
    pub fn estimate(&self, audited: AuditedChange<'_>, resolved: &Resolved) -> Duration {
        let mut instances: BTreeMap<_, usize> = BTreeMap::new();
        let permitted =
            |instance: &&Instance| self.guardrails.check(instance, &audited.change.values).is_ok();
        for instance in resolved.0.iter().flatten().filter(permitted) {
            *instances.entry(self.connect.key(instance, audited.home)).or_default() += 1;
        }
        let mut longest = Duration::ZERO;
        for (key, instances) in instances {
            let updates = if audited.change.dry_run { 0 } else { instances * audited.change.scopes.len() };
            longest = longest.max(self.connect.lane(&key).estimate(instances, updates));
        }
        longest
    }

    /// Brings every target of the change to the asked values, as far as time allows.
    pub async fn run(&self, audited: AuditedChange<'_>, resolved: &Resolved) -> ChangeReport {
        let results = match &resolved.0 {
            Ok(instances) => self.walk(audited, instances).await,
            Err(failure) => self.unresolved(audited, failure),
        };
        let mut report = walked(audited, results);
        if resolved.0.as_ref().is_ok_and(Vec::is_empty) {
            report.warnings.push(Violation {
                pointer: String::new(),
                code: ViolationCode::NoInstanceMatches,
                message: "means no ACTIVE instance of this account and Region: nothing was to be done"
                    .to_owned(),
            });
        }
        report
    }

    /// A change that is not begun, because an earlier one of its document is incomplete.
    pub fn not_begun(&self, audited: AuditedChange<'_>) -> ChangeReport {
        let change = audited.change;
        let named = match &change.instances {
            Instances::Named(named) => named.iter().cloned().map(Some).collect(),
            Instances::All { .. } => vec![None],
        };
        let mut results = Vec::with_capacity(named.len() * change.scopes.len());
        for instance in named {
            for scope in &change.scopes {
                let mut result = TargetResult::new(instance.clone(), *scope, Outcome::Pending);
                result.error = Some(Failure {
                    because: FailureKind::NoTime,
                    code: "EarlierChangeIncomplete".to_owned(),
                    message: "an earlier change of the same document is not complete".to_owned(),
                    retryable: true,
                    detail: None,
                });
                self.note(audited, &mut result);
                results.push(result);
            }
        }
        walked(audited, results)
    }

    async fn walk(&self, audited: AuditedChange<'_>, instances: &[Instance]) -> Vec<TargetResult> {
        let scopes = &audited.change.scopes;
        let mut results: Vec<Option<TargetResult>> = Vec::new();
        let mut lanes: BTreeMap<_, Vec<(&Instance, Vec<Slot>)>> = BTreeMap::new();
        for instance in instances {
            let first = results.len();
            if let Err(blocked) = self.guardrails.check(instance, &audited.change.values) {
                for scope in scopes {
                    let mut result = TargetResult::new(Some(instance.clone()), *scope, Outcome::Blocked);
                    result.error = Some(Failure {
                        because: FailureKind::Guardrail,
                        code: blocked.code().to_owned(),
                        message: blocked.to_string(),
                        retryable: false,
                        detail: None,
                    });
                    self.note(audited, &mut result);
                    results.push(Some(result));
                }
                continue;
            }
            results.resize_with(first + scopes.len(), || None);
            let slots = scopes.iter().enumerate().map(|(n, scope)| Slot { index: first + n, scope: *scope });
            let key = self.connect.key(instance, audited.home);
            lanes.entry(key).or_default().push((instance, slots.collect()));
        }
        let walks = lanes.iter().map(|(key, instances)| async move {
            let lane = self.connect.lane(key);
            LanePropagation { propagation: self, audited, lane: &lane }.run(instances).await
        });
        for (slot, result) in join_all(walks).await.into_iter().flatten() {
            if let Some(place) = results.get_mut(slot) {
                *place = Some(result);
            }
        }
        // every slot is filled: each lane returns one result for each of its slots
        results.into_iter().flatten().collect()
    }

    /// `"*"` could not be resolved: every scope failed, or is pending, for the same reason.
    fn unresolved(&self, audited: AuditedChange<'_>, failure: &Failure) -> Vec<TargetResult> {
        let outcome = if failure.because == FailureKind::NoTime { Outcome::Pending } else { Outcome::Failed };
        let scopes = audited.change.scopes.iter();
        scopes
            .map(|scope| {
                let mut result = TargetResult::new(None, *scope, outcome);
                result.error = Some(failure.clone());
                self.note(audited, &mut result);
                result
            })
            .collect()
    }

    /// Writes the outcome's audit line. Where that fails, the result says so: a change whose
    /// outcome nobody can prove is not complete.
    fn note(&self, audited: AuditedChange<'_>, result: &mut TargetResult) {
        if let Err(error) = self.audit.outcome(audited, result) {
            tracing::error!(%error, "the audit could not be written");
            if result.outcome != Outcome::Applied {
                result.outcome = Outcome::Failed;
            }
            result.error.get_or_insert_with(|| decision::unaudited(&error));
        }
    }
}

fn walked(audited: AuditedChange<'_>, results: Vec<TargetResult>) -> ChangeReport {
    let change = audited.change;
    let disposition = Disposition::Walked { results, dry_run: change.dry_run };
    ChangeReport { change_id: change.change_id.clone(), disposition, warnings: change.warnings.clone() }
}
