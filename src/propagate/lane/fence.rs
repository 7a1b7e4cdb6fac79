//! Around a target, where there is a ledger: whether it may be begun, and where its result is kept.

use super::super::governed::{Governed, MayBegin, Stop, Store, unavailable};
use super::{Ended, InHand, LanePropagation};
use policy_core::failure::{ErrorCode, Failure};
use policy_core::policy::{Configuration, Values};
use policy_core::record::{Consideration, Halted, Intent, Members, Named, ReadBack, RecordedResult};
use policy_core::report::Outcome;

/// Whether a target may be begun now.
pub(super) enum Standing {
    /// It may.
    Free,
    /// Another run, or another delivery, is at it.
    Busy,
    /// It ends like this.
    Ended(Box<Outcome>),
    /// The run goes no further here.
    Stopped(Stop),
    /// This run is done with it already.
    Done(Box<RecordedResult>),
    /// Its item is another one now.
    Changed,
}

impl<'a> LanePropagation<'a> {
    /// The members that the change names of this target.
    pub(super) fn named(&self, target: &InHand<'a>) -> Members {
        match target.own {
            Some(own) => Members::of_values(&own.values),
            None => {
                Members::of(self.audited.change, Members::of_guardrails(self.propagation.limits.guardrails))
            }
        }
    }

    /// Those for which it asks a value, whatever the target holds.
    fn asked(&self, target: &InHand<'a>) -> Members {
        Members::of_values(target.own.map_or(&self.audited.change.values, |own| &own.values))
    }

    /// Whether the target has to be read: its item alone does not decide.
    pub(super) fn is_read(&self, target: &InHand<'a>) -> bool {
        let Some(governed) = self.propagation.governed else {
            return true;
        };
        let is_free = |record| matches!(governed.consider(record, self.named(target)), Consideration::Go);
        governed.stopped().is_none()
            && target.record.as_deref().map_or(!target.changed_since, is_free)
            && self.blocked(governed, target).is_none()
    }

    /// What a guardrail makes of a target that waited for its turn; the others are checked before any walk.
    fn blocked(&self, governed: &Governed<'_>, target: &InHand<'a>) -> Option<Outcome> {
        if !governed.counts_failures {
            return None;
        }
        let checked = self.propagation.limits.guardrails.check(target.instance, self.audited.change);
        checked.err().map(|blocked| Outcome::Blocked { held: None, why: Failure::from(&blocked) })
    }

    pub(super) async fn standing(&self, target: &mut InHand<'a>) -> Standing {
        match self.propagation.governed {
            None => Standing::Free,
            Some(governed) => Box::pin(self.standing_of(governed, target)).await,
        }
    }

    async fn standing_of(&self, governed: &Governed<'_>, target: &mut InHand<'a>) -> Standing {
        if let Some(stop) = governed.stopped() {
            return Standing::Stopped(stop);
        }
        if let Some(outcome) = self.blocked(governed, target) {
            return Standing::Ended(Box::new(outcome));
        }
        let superseded =
            |code| Standing::Ended(Box::new(Outcome::Superseded { held: None, why: Failure::new(code) }));
        let Some(record) = &target.record else {
            return if target.changed_since { superseded(ErrorCode::ChangedSince) } else { Standing::Free };
        };
        let values = target.own.map_or(&self.audited.change.values, |own| &own.values);
        match governed.consider(record, self.named(target)) {
            Consideration::Go if !governed.may_undo(record) => superseded(ErrorCode::ChangedSince),
            Consideration::Go if !governed.may_restore(record, values) => superseded(ErrorCode::ChangedSince),
            Consideration::Go => {
                match governed.handover(Some(record), &Values::default(), &Configuration::default()) {
                    Ok(_) => Standing::Free,
                    Err(why) => Standing::Ended(Box::new(Outcome::Failed { before: None, after: None, why })),
                }
            }
            Consideration::Busy { .. } => Standing::Busy,
            Consideration::Newer(_) => superseded(ErrorCode::NewerChange),
            Consideration::Done => match governed.ledger.result(&governed.run, &target.name()).await {
                Ok(Some(result)) if result.done => Standing::Done(Box::new(result)),
                Ok(_) => Standing::Free,
                Err(error) => Standing::Ended(Box::new(Outcome::not_reached(unavailable(&error)))),
            },
            Consideration::Lapsed(intent) => self.settled(governed, target, &intent).await,
        }
    }

    /// Settles an intent whose lease is over by a read that begins now.
    async fn settled(&self, governed: &Governed<'_>, target: &mut InHand<'a>, intent: &Intent) -> Standing {
        let read = self.ask(target).await;
        let read = match &read {
            Ok(held) => ReadBack::Holds(&held.configuration),
            Err(error) if error.code == ErrorCode::ResourceNotFoundException => ReadBack::NoInstance,
            Err(error) => return Standing::Ended(Box::new(Outcome::not_reached(error.failure()))),
        };
        let propagation = self.propagation;
        match governed.settle(propagation.audit, self.audited, &target.name(), intent, read).await {
            Ok(record) => {
                target.record = Some(Box::new(record));
                Standing::Changed
            }
            Err(error) => Standing::Ended(Box::new(Outcome::not_reached(unavailable(&error)))),
        }
    }

    /// The target with its item as it is now.
    pub(super) async fn refreshed(&self, mut target: InHand<'a>) -> Result<InHand<'a>, Ended> {
        let Some(governed) = self.propagation.governed else {
            return Ok(target);
        };
        match governed.record(&target.name()).await {
            Ok(record) => {
                target.record = Some(Box::new(record));
                Ok(target)
            }
            Err(error) => Err(self.recorded(target, Outcome::not_reached(unavailable(&error)))),
        }
    }

    /// A target that is not begun, because the run goes no further here. Where its lane ends too, whoever ends the lane
    /// puts every such target on record.
    pub(super) fn stopped(&self, target: InHand<'a>, stop: Stop, before: Option<Configuration>) -> Ended {
        let in_lane = self.propagation.governed.is_some_and(|governed| governed.delivery.is_some());
        let outcome = outcome_of(stop, before);
        if in_lane && stop.ends_the_lane() {
            return (target.slot, target.result(outcome));
        }
        self.recorded(target, outcome)
    }

    /// Ends a target to which nothing is sent. Its line comes first, so that no result is stored which the audit does not
    /// have. `Err`: its item is another one by now, so that it has to be looked at again.
    pub(super) async fn stored(
        &self,
        mut target: InHand<'a>,
        outcome: Outcome,
    ) -> Result<Ended, Box<InHand<'a>>> {
        let Some(governed) = self.propagation.governed else {
            return Ok(self.recorded(target, outcome));
        };
        // a target without a result has not been begun
        if matches!(outcome, Outcome::Pending { .. } | Outcome::Skipped { .. }) {
            return Ok(self.recorded(target, outcome));
        }
        if governed.delivery.is_some() || governed.counts_failures {
            match governed.may_begin(&target.name()).await {
                Ok(MayBegin::Yes) => {}
                Ok(MayBegin::Stop(stop)) => {
                    return Ok(self.stopped(target, stop, outcome.before().cloned()));
                }
                Ok(MayBegin::Done(result)) => return Ok((target.slot, result.reported())),
                Err(error) => {
                    return Ok(self.recorded(target, outcome.unrecorded(unavailable(&error))));
                }
            }
        }
        let slot = target.slot;
        let named = Named { members: self.named(&target), asked: self.asked(&target) };
        let mut result = self.propagation.recorded(self.audited, target.clone().result(outcome));
        let of = (&self.audited.change.change_id, self.audited.change.dry_run);
        // what a target of a declaration ends as was asked before it was looked at
        let values = &self.audited.change.values;
        let held = result.outcome.before().cloned().unwrap_or_default();
        let handover = governed.handover(target.record.as_deref(), values, &held).unwrap_or_default();
        match governed.store(named, &result, of, target.record.as_deref(), &handover).await {
            Ok(Store::Stored) => {}
            Ok(Store::Done(recorded)) => return Ok((slot, recorded.reported())),
            Ok(Store::Changed(record)) => {
                target.record = Some(record);
                return Err(Box::new(target));
            }
            Err(error) => result.outcome = result.outcome.unrecorded(unavailable(&error)),
        }
        Ok((slot, result))
    }
}

/// How a target ends that is not begun, because the run goes no further here.
fn outcome_of(stop: Stop, before: Option<Configuration>) -> Outcome {
    match stop {
        Stop::Frozen => Outcome::Pending { before, why: Failure::new(ErrorCode::Frozen) },
        Stop::TakenOver => Outcome::Pending { before, why: Failure::new(ErrorCode::TargetBusy) },
        Stop::Halted(Halted::Cancelled) => Outcome::Skipped { why: Failure::new(ErrorCode::Cancelled) },
        Stop::Halted(Halted::Superseded) => {
            Outcome::Superseded { held: before, why: Failure::new(ErrorCode::NewerChange) }
        }
        Stop::TooManyFailures => Outcome::Skipped { why: Failure::new(ErrorCode::StoppedAfterFailures) },
    }
}
