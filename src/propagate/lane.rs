//! One account and Region: reads and updates side by side, each one after the other.

use super::{Propagation, Slot};
use crate::audit::AuditedChange;
use crate::connect::{Answer, Call, CallError, LaneClient, Permit, Target};
use policy_core::calls::CallCost;
use policy_core::decision::{self, Modified, Step};
use policy_core::failure::{ErrorCode, Failure};
use policy_core::policy::{Configuration, Instance, Scope, Values};
use policy_core::report::{CallTrace, Outcome, TargetResult};
use std::borrow::Cow;
use std::collections::BTreeMap;
use tokio::sync::mpsc;
use tracing::Instrument;

/// How many planned updates may wait. Reads further ahead would only grow stale.
const AHEAD: usize = 4;

/// The targets of one change in one lane.
pub(super) struct LanePropagation<'a> {
    pub(super) propagation: &'a Propagation<'a>,
    pub(super) audited: AuditedChange<'a>,
    pub(super) lane: &'a LaneClient,
}

/// A target on its way.
#[derive(Debug, Clone)]
struct InHand<'a> {
    slot: usize,
    instance: &'a Instance,
    scope: Scope,
    trace: CallTrace,
}

/// An update that is due.
struct Due<'a> {
    target: InHand<'a>,
    before: Configuration,
    values: Cow<'a, Values>,
}

/// What reading a target leads to.
enum Looked<'a> {
    Due(Due<'a>),
    Ended(usize, TargetResult),
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
            for slot in slots {
                let trace = CallTrace::default();
                let target = InHand { slot: slot.index, instance, scope: slot.scope, trace };
                match self.look(target, &read, slots.len() == 1).await {
                    // the receiver lives as long as this lane
                    Looked::Due(update) => drop(due.send(update).await),
                    Looked::Ended(slot, result) => done.push((slot, self.recorded(result))),
                }
            }
        }
        done
    }

    /// One List for several scopes of an instance, one Describe for one.
    async fn read(&self, instance: &Instance, slots: &[Slot]) -> Result<Read, CallError> {
        if let [Slot { scope, .. }] = slots {
            return self.describe(instance, *scope).await.map(Read::One);
        }
        self.lane.list(&instance.id, self.call()).await.map(|listed| Read::All(listed.configurations))
    }

    /// Decides about one target from what was read of its instance; `alone`: the read was for it only.
    async fn look(&self, mut target: InHand<'a>, read: &Result<Read, CallError>, alone: bool) -> Looked<'a> {
        let held = match read {
            Ok(Read::One(held)) => {
                target.trace.cost = held.cost;
                Ok(held.clone())
            }
            Ok(Read::All(listed)) => match listed.get(&target.scope) {
                Some(configuration) => Ok(Held::listed(configuration.clone())),
                // a scope that List leaves out has a configuration all the same: the default
                None => self.ask(&mut target).await,
            },
            Err(error) => {
                target.trace.cost = if alone { error.cost } else { CallCost::default() };
                Err(error.clone())
            }
        };
        match held {
            Ok(held) => self.decide(target, held).await,
            Err(error) => target.not_read(&error),
        }
    }

    async fn decide(&self, mut target: InHand<'a>, mut held: Held) -> Looked<'a> {
        let change = self.audited.change;
        let mut step =
            decision::decide(change, None, self.propagation.limits, &held.configuration, held.modified);
        if step == Step::NeedsModifiedTime {
            held = match self.ask(&mut target).await {
                Ok(held) => held,
                Err(error) => return target.not_read(&error),
            };
            step =
                decision::decide(change, None, self.propagation.limits, &held.configuration, held.modified);
        }
        if let Modified::At(at) = held.modified {
            target.trace.last_modified = at;
        }
        match step {
            Step::Update(values) => Looked::Due(Due { target, before: held.configuration, values }),
            Step::Done(outcome) => target.ends(outcome),
            // a described target has its time, so that this does not happen
            Step::NeedsModifiedTime => target.ends(Outcome::Failed {
                before: Some(held.configuration),
                after: None,
                why: Failure::new(ErrorCode::ConnectionFailed),
            }),
        }
    }

    /// One Describe of this target; its cost counts as the target's own.
    async fn ask(&self, target: &mut InHand<'_>) -> Result<Held, CallError> {
        let looked = self.describe(target.instance, target.scope).await;
        let cost = looked.as_ref().map_or_else(|error| error.cost, |held| held.cost);
        target.trace.cost = target.trace.cost.and(cost);
        looked
    }

    async fn describe(&self, instance: &Instance, scope: Scope) -> Result<Held, CallError> {
        let target = Target { instance: &instance.id, scope };
        self.lane.describe(target, self.call()).await.map(Held::described)
    }

    fn call(&self) -> Call<'a> {
        self.propagation.call()
    }

    /// With its line in the audit.
    fn recorded(&self, result: TargetResult) -> TargetResult {
        self.propagation.recorded(self.audited, result)
    }

    async fn update_all(&self, mut due: mpsc::Receiver<Due<'a>>) -> Vec<(usize, TargetResult)> {
        let mut done = Vec::new();
        while let Some(due) = due.recv().await {
            let slot = due.target.slot;
            let until = self.propagation.deadline.last_update();
            let result = if let Ok(permit) = self.lane.update_permit(until).await {
                let (instance, scope) = (due.target.instance, due.target.scope);
                let span = tracing::debug_span!("target", instance = %instance.id, %scope);
                self.update(due, permit).instrument(span).await
            } else {
                let why = Failure::new(ErrorCode::NoTimeLeft);
                due.target.result(Outcome::Pending { before: Some(due.before), why })
            };
            done.push((slot, self.recorded(result)));
        }
        done
    }

    /// Intent, update, verification.
    async fn update(&self, due: Due<'a>, permit: Permit) -> TargetResult {
        let Due { mut target, before, values } = due;
        let (instance, scope) = (target.instance, target.scope);
        if let Err(error) = self.propagation.audit.intent(self.audited, instance, scope, &before, &values) {
            tracing::error!(%error, "the audit log could not be written");
            let why = super::unaudited(&error);
            return target.result(Outcome::Failed { before: Some(before), after: None, why });
        }
        let updated = Target { instance: &instance.id, scope };
        let outcome = match self.lane.update(updated, &values, permit, self.call()).await {
            Ok(answer) => {
                target.updated(answer.cost, answer.request_id.as_ref());
                target.trace.last_modified = answer.last_modified;
                if answer.configuration.holds(&values) {
                    Outcome::Applied { before, after: answer.configuration, unrecorded: None }
                } else {
                    let why = Failure::new(ErrorCode::ResponseDiffers);
                    Outcome::Failed { before: Some(before), after: Some(answer.configuration), why }
                }
            }
            Err(error) => {
                target.updated(error.cost, error.request_id.as_ref());
                let why = error.failure();
                if error.may_have_taken_effect {
                    self.read_back(&mut target, before, &values, why.made_retryable()).await
                } else {
                    Outcome::Failed { before: Some(before), after: None, why }
                }
            }
        };
        tracing::debug!(
            outcome = ?outcome.kind(),
            attempts = target.trace.update_attempts,
            ms = target.trace.cost.took.as_millis(),
            "updated"
        );
        target.result(outcome)
    }

    /// An update whose answer never came may have taken effect: one look shows it, if time allows.
    async fn read_back(
        &self,
        target: &mut InHand<'_>,
        before: Configuration,
        values: &Values,
        why: Failure,
    ) -> Outcome {
        match self.ask(target).await {
            // it did not: a failure for now
            Ok(held) if !held.configuration.holds(values) => {
                if let Modified::At(at) = held.modified {
                    target.trace.last_modified = at;
                }
                Outcome::Failed { before: Some(before), after: Some(held.configuration), why }
            }
            Ok(held) if !before.holds(values) => {
                if let Modified::At(at) = held.modified {
                    target.trace.last_modified = at;
                }
                Outcome::Applied { before, after: held.configuration, unrecorded: None }
            }
            // the values were there before (`force`): that they still are shows nothing
            Ok(_) | Err(_) => Outcome::Unknown { before, why },
        }
    }
}

impl<'a> InHand<'a> {
    fn result(self, outcome: Outcome) -> TargetResult {
        let Self { instance, scope, trace, .. } = self;
        TargetResult { instance: Some(instance.clone()), scope, outcome, trace }
    }

    fn ends(self, outcome: Outcome) -> Looked<'a> {
        Looked::Ended(self.slot, self.result(outcome))
    }

    /// A read that failed. One that was not even sent leaves its target pending.
    fn not_read(mut self, error: &CallError) -> Looked<'a> {
        self.trace.request_id.clone_from(&error.request_id);
        self.ends(Outcome::not_reached(error.failure()))
    }

    fn updated(&mut self, cost: CallCost, request_id: Option<&String>) {
        self.trace.update_attempts = cost.attempts;
        self.trace.cost = self.trace.cost.and(cost);
        self.trace.request_id = request_id.cloned();
    }
}

/// What was read of an instance.
enum Read {
    /// By Describe, for the one scope that is asked for.
    One(Held),
    /// By List, for all scopes together.
    All(BTreeMap<Scope, Configuration>),
}

/// What a target holds, and what is known about when that was set.
#[derive(Debug, Clone)]
struct Held {
    configuration: Configuration,
    modified: Modified,
    cost: CallCost,
}

impl Held {
    fn described(answer: Answer) -> Self {
        Self {
            configuration: answer.configuration,
            modified: Modified::At(answer.last_modified),
            cost: answer.cost,
        }
    }

    fn listed(configuration: Configuration) -> Self {
        Self { configuration, modified: Modified::NotAsked, cost: CallCost::default() }
    }
}
