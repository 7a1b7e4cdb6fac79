//! Before an update: what a target holds, and what is to be done about it.

use super::fence::Standing;
use super::{Due, InHand, LanePropagation};
use crate::connect::{Answer, CallError, Target};
use policy_core::calls::CallCost;
use policy_core::decision::{self, Modified, Step};
use policy_core::failure::{ErrorCode, Failure};
use policy_core::policy::{Configuration, Instance, Scope, Values};
use policy_core::report::{Outcome, TargetResult};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

/// How often a target whose item changed under us is looked at again before it counts as busy.
const TRIES: usize = 3;
/// How long busy targets are waited for: most leases end within the time of one update.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);
/// The first wait, doubled each time.
const FIRST_WAIT: Duration = Duration::from_millis(50);

/// What looking at a target leads to.
pub(super) enum Looked<'a> {
    Due(Box<Due<'a>>),
    Ended(usize, Box<TargetResult>),
    /// Another run, or another delivery, is at it.
    Busy(Box<InHand<'a>>),
}

/// What was read of an instance.
pub(super) enum Read {
    /// By Describe, for the one scope that is asked for.
    One(Result<Held, CallError>),
    /// By List, for all scopes together.
    All(Result<BTreeMap<Scope, Configuration>, CallError>),
}

/// What a target holds, and what is known about when that was set.
#[derive(Debug, Clone)]
pub(super) struct Held {
    pub(super) configuration: Configuration,
    pub(super) modified: Modified,
    pub(super) cost: CallCost,
}

impl<'a> LanePropagation<'a> {
    /// Decides about one target from what was read of its instance. A read for several belongs to none of them.
    pub(super) async fn look(&self, mut target: InHand<'a>, read: Option<&Read>) -> Looked<'a> {
        let mut held = match read {
            Some(Read::One(held)) => {
                let cost = held.as_ref().map_or_else(|error| error.cost, |held| held.cost);
                target.trace.cost = target.trace.cost.and(cost);
                Some(held.clone())
            }
            // a scope that List leaves out has a configuration all the same: the default, which Describe returns
            Some(Read::All(Ok(listed))) => {
                listed.get(&target.scope).map(|configuration| Ok(Held::listed(configuration.clone())))
            }
            Some(Read::All(Err(error))) => Some(Err(error.clone())),
            None => None,
        };
        for _ in 0..TRIES {
            match self.standing(&mut target).await {
                Standing::Free => {}
                Standing::Busy => return Looked::Busy(Box::new(target)),
                Standing::Stopped(stop) => {
                    let (slot, result) = self.stopped(target, stop, None);
                    return Looked::Ended(slot, Box::new(result));
                }
                Standing::Ended(outcome) => match self.stored(target, *outcome).await {
                    Ok((slot, result)) => return Looked::Ended(slot, Box::new(result)),
                    Err(changed) => {
                        target = *changed;
                        continue;
                    }
                },
                Standing::Done(result) => return Looked::Ended(target.slot, Box::new(result.reported())),
                // what was read before may be older than what was settled
                Standing::Changed => {
                    held = None;
                    continue;
                }
            }
            let read = match held.take() {
                Some(read) => read,
                None => self.ask(&mut target).await,
            };
            let outcome = match read {
                Ok(read) => match self.decide(&mut target, read).await {
                    Decided::Update(before, values) => {
                        return Looked::Due(Box::new(Due { target, before, values }));
                    }
                    Decided::Done(outcome) => outcome,
                },
                Err(error) => {
                    target.trace.request_id.clone_from(&error.request_id);
                    Outcome::not_reached(error.failure())
                }
            };
            match self.stored(target, outcome).await {
                Ok((slot, result)) => return Looked::Ended(slot, Box::new(result)),
                Err(changed) => target = *changed,
            }
        }
        Looked::Busy(Box::new(target))
    }

    /// The same for a target that somebody else is at: as soon as it is free, if that is `until` then.
    pub(super) async fn look_patiently(&self, mut target: InHand<'a>, until: Instant) -> Looked<'a> {
        let mut wait = FIRST_WAIT;
        loop {
            target = match self.refreshed(target).await {
                Ok(target) => target,
                Err(ended) => return Looked::Ended(ended.0, Box::new(ended.1)),
            };
            match self.look(target, None).await {
                Looked::Busy(still) => target = *still,
                free => return free,
            }
            let now = Instant::now();
            if now + wait > until || !self.propagation.deadline.leaves(now, wait) {
                return Looked::Busy(Box::new(target));
            }
            tokio::time::sleep(wait).await;
            wait *= 2;
        }
    }

    async fn decide(&self, target: &mut InHand<'a>, mut held: Held) -> Decided<'a> {
        let (change, limits) = (self.audited.change, self.propagation.limits);
        if let Some(own) = target.own.filter(|_| self.is_undone(target)) {
            return Decided::Done(decision::of_what_was_undone(own, held.configuration));
        }
        let mut step = decision::decide(change, target.own, limits, &held.configuration, held.modified);
        if step == Step::NeedsModifiedTime {
            held = match self.ask(target).await {
                Ok(held) => held,
                Err(error) => {
                    target.trace.request_id.clone_from(&error.request_id);
                    return Decided::Done(Outcome::not_reached(error.failure()));
                }
            };
            step = decision::decide(change, target.own, limits, &held.configuration, held.modified);
        }
        if let Modified::At(at) = held.modified {
            target.trace.last_modified = at;
        }
        match step {
            Step::Update(values) => Decided::Update(held.configuration, values),
            Step::Done(outcome) => Decided::Done(outcome),
            // a described target has its time, so that this does not happen
            Step::NeedsModifiedTime => Decided::Done(Outcome::Failed {
                before: Some(held.configuration),
                after: None,
                why: Failure::new(ErrorCode::ConnectionFailed),
            }),
        }
    }

    /// Whether an earlier run of the same undo was the last that applied something here.
    fn is_undone(&self, target: &InHand<'a>) -> bool {
        let governed = self.propagation.governed.zip(target.record.as_deref());
        governed.is_some_and(|(governed, record)| governed.has_undone(record))
    }

    /// One Describe of this target; its cost counts as the target's own.
    pub(super) async fn ask(&self, target: &mut InHand<'_>) -> Result<Held, CallError> {
        let looked = self.describe(target.instance, target.scope).await;
        let cost = looked.as_ref().map_or_else(|error| error.cost, |held| held.cost);
        target.trace.cost = target.trace.cost.and(cost);
        looked
    }

    pub(super) async fn describe(&self, instance: &Instance, scope: Scope) -> Result<Held, CallError> {
        let target = Target { instance: &instance.id, scope };
        self.lane.describe(target, self.call()).await.map(Held::described)
    }
}

/// What is to be done about a target that was read.
enum Decided<'a> {
    Update(Configuration, Cow<'a, Values>),
    Done(Outcome),
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
