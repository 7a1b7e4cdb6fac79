//! One account and Region: a lane of reads and a lane of updates, overlapped.

use super::resolve::failure;
use super::{Propagation, Slot};
use crate::audit::AuditedChange;
use crate::connect::{Answer, CallError, LaneClient, Permit, Target};
use policy_core::decision::{self, Modified, Step};
use policy_core::policy::{Configuration, Instance, Scope};
use policy_core::report::{FailureKind, Outcome, TargetResult};
use std::collections::BTreeMap;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tracing::Instrument;

/// How many planned updates may wait. Reads further ahead would only grow stale.
const AHEAD: usize = 16;

/// One lane's walk.
pub(super) struct LanePropagation<'a> {
    pub(super) propagation: &'a Propagation<'a>,
    pub(super) audited: AuditedChange<'a>,
    pub(super) lane: &'a LaneClient,
}

/// An update that is due.
struct Due<'a> {
    slot: usize,
    instance: &'a Instance,
    result: TargetResult,
    before: Configuration,
}

impl<'a> LanePropagation<'a> {
    /// One result for each slot.
    pub(super) async fn run(&self, instances: &'a [(&'a Instance, Vec<Slot>)]) -> Vec<(usize, TargetResult)> {
        let (due, updates) = mpsc::channel(AHEAD);
        let (mut done, rest) = tokio::join!(self.read_all(instances, due), self.update_all(updates));
        done.extend(rest);
        done
    }

    async fn read_all(
        &self,
        instances: &'a [(&'a Instance, Vec<Slot>)],
        due: mpsc::Sender<Due<'a>>,
    ) -> Vec<(usize, TargetResult)> {
        let mut done = Vec::new();
        for (instance, slots) in instances {
            let read = self.read(instance, slots).await;
            for (n, slot) in slots.iter().enumerate() {
                let mut result = TargetResult::new(Some((*instance).clone()), slot.scope, Outcome::Failed);
                match self.consider(instance, slot.scope, &read, &mut result).await {
                    Ok(Some(before)) => {
                        // the receiver lives as long as this lane
                        let _ = due.send(Due { slot: slot.index, instance, result, before }).await;
                        continue;
                    }
                    Ok(None) => {}
                    Err(error) => {
                        not_read(&mut result, &error);
                        // the failed read was one for all: its throttled calls are the first scope's
                        if n > 0 && read.is_err() {
                            result.throttled = 0;
                        }
                    }
                }
                self.propagation.note(self.audited, &mut result);
                done.push((slot.index, result));
            }
        }
        done
    }

    /// One List for several scopes of an instance, one Describe for one.
    async fn read(&self, instance: &Instance, slots: &[Slot]) -> Result<BTreeMap<Scope, Held>, CallError> {
        let until = self.propagation.deadline.calls();
        if let [Slot { scope, .. }] = slots {
            let answer = self.lane.describe(target(instance, *scope), until).await?;
            return Ok(BTreeMap::from([(*scope, Held::described(answer))]));
        }
        let listed = self.lane.list(&instance.id, until).await?;
        // one read for all its scopes: its throttled calls are counted once, as the first one's
        let listed_scope =
            |slot: &Slot| listed.configurations.contains_key(&slot.scope).then_some(slot.scope);
        let first = slots.iter().find_map(listed_scope);
        let held = |(scope, configuration)| {
            let throttled = if Some(scope) == first { listed.throttled } else { 0 };
            (scope, Held { configuration, modified: Modified::Unasked, throttled })
        };
        Ok(listed.configurations.into_iter().map(held).collect())
    }

    /// Decides about one target. `Some`: an update is due, from what it holds; `None`: the result is final.
    async fn consider(
        &self,
        instance: &Instance,
        scope: Scope,
        read: &Result<BTreeMap<Scope, Held>, CallError>,
        result: &mut TargetResult,
    ) -> Result<Option<Configuration>, CallError> {
        let started = Instant::now();
        let change = self.audited.change;
        let mut held = match read.as_ref().map_err(Clone::clone)?.get(&scope) {
            Some(held) => held.clone(),
            // a scope that List leaves out has a configuration all the same: the default
            None => self.ask(instance, scope).await?,
        };
        result.throttled = held.throttled;
        let mut step = decision::decide(change, &held.configuration, held.modified);
        if step == Step::AskWhen {
            held = self.ask(instance, scope).await?;
            result.throttled += held.throttled;
            step = decision::decide(change, &held.configuration, held.modified);
        }
        result.duration_ms = millis(started);
        if let Modified::At(at) = held.modified {
            result.last_modified = at;
        }
        result.before = Some(held.configuration.clone());
        match step {
            Step::Update => return Ok(Some(held.configuration)),
            Step::Done(outcome, error) => {
                result.outcome = outcome;
                result.error = error;
            }
            // decide() asks once, and has been told
            Step::AskWhen => {}
        }
        if result.outcome == Outcome::Planned {
            result.after = Some(held.configuration.after(&change.values));
        }
        Ok(None)
    }

    async fn ask(&self, instance: &Instance, scope: Scope) -> Result<Held, CallError> {
        let until = self.propagation.deadline.calls();
        self.lane.describe(target(instance, scope), until).await.map(Held::described)
    }

    async fn update_all(&self, mut due: mpsc::Receiver<Due<'a>>) -> Vec<(usize, TargetResult)> {
        let mut done = Vec::new();
        while let Some(Due { slot, instance, mut result, before }) = due.recv().await {
            let until = self.propagation.deadline.last_update();
            if let Ok(permit) = self.lane.update_permit(until).await {
                let span = tracing::debug_span!("target", instance = %instance.id, scope = %result.scope);
                self.update(instance, &before, permit, &mut result).instrument(span).await;
            } else {
                result.outcome = Outcome::Pending;
                result.error = Some(decision::no_time());
            }
            self.propagation.note(self.audited, &mut result);
            done.push((slot, result));
        }
        done
    }

    /// Intent, update, verification.
    async fn update(
        &self,
        instance: &Instance,
        before: &Configuration,
        permit: Permit,
        result: &mut TargetResult,
    ) {
        let (scope, values) = (result.scope, &self.audited.change.values);
        if let Err(error) = self.propagation.audit.intent(self.audited, instance, scope, before) {
            tracing::error!(%error, "the audit could not be written");
            result.error = Some(decision::unaudited(&error));
            return;
        }
        let started = Instant::now();
        let until = self.propagation.deadline.calls();
        match self.lane.update(target(instance, scope), values, permit, until).await {
            Ok(answer) => {
                result.attempts = answer.attempts;
                result.throttled += answer.throttled;
                result.request_id.clone_from(&answer.request_id);
                if answer.configuration.holds(values) {
                    result.outcome = Outcome::Applied;
                } else {
                    result.error = Some(decision::differs());
                }
                result.last_modified = answer.last_modified;
                result.after = Some(answer.configuration);
            }
            Err(error) => {
                result.attempts = error.attempts;
                result.throttled += error.throttled;
                result.request_id.clone_from(&error.request_id);
                result.error = Some(failure(&error));
                if error.may_have_taken_effect {
                    self.read_back(instance, before, result).await;
                }
            }
        }
        result.duration_ms += millis(started);
        tracing::debug!(outcome = ?result.outcome, attempts = result.attempts, ms = result.duration_ms, "updated");
    }

    /// An update whose answer never came may have taken effect: one look tells, if time allows.
    async fn read_back(&self, instance: &Instance, before: &Configuration, result: &mut TargetResult) {
        let looked = self.ask(instance, result.scope).await;
        result.throttled += looked.as_ref().map_or_else(|error| error.throttled, |held| held.throttled);
        match looked {
            // it did not: a failure for now
            Ok(held) if !held.configuration.holds(&self.audited.change.values) => {
                result.after = Some(held.configuration);
            }
            Ok(held) if !before.holds(&self.audited.change.values) => {
                result.outcome = Outcome::Applied;
                result.error = None;
                if let Modified::At(at) = held.modified {
                    result.last_modified = at;
                }
                result.after = Some(held.configuration);
            }
            // the values were there before (`force`): that they still are tells nothing
            Ok(_) | Err(_) => result.outcome = Outcome::Unknown,
        }
        if let Some(error) = &mut result.error {
            error.retryable = true;
        }
    }
}

/// What a target holds, and what is known about when that was set.
#[derive(Debug, Clone)]
struct Held {
    configuration: Configuration,
    modified: Modified,
    throttled: u32,
}

impl Held {
    fn described(answer: Answer) -> Self {
        Self {
            configuration: answer.configuration,
            modified: Modified::At(answer.last_modified),
            throttled: answer.throttled,
        }
    }
}

/// A read that failed. One that was not even sent leaves its target pending.
fn not_read(result: &mut TargetResult, error: &CallError) {
    let failure = failure(error);
    result.throttled += error.throttled;
    result.request_id.clone_from(&error.request_id);
    result.outcome = if failure.because == FailureKind::NoTime { Outcome::Pending } else { Outcome::Failed };
    result.error = Some(failure);
}

fn target(instance: &Instance, scope: Scope) -> Target<'_> {
    Target { instance: &instance.id, scope }
}

fn millis(started: Instant) -> u64 {
    u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX)
}
