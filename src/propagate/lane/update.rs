//! Intent, update, verification, outcome.

use super::super::governed::{Governed, MayBegin, Store, lease, unavailable};
use super::look::{Looked, PATIENCE};
use super::{Due, Ended, InHand, LanePropagation};
use crate::connect::{Lease, Permit, Target};
use crate::ledger::Started;
use policy_core::decision::Modified;
use policy_core::failure::{ErrorCode, Failure};
use policy_core::policy::{Configuration, Values};
use policy_core::record::Intent;
use policy_core::report::Outcome;
use tokio::time::Instant;
use tracing::Instrument;

/// An update whose intent is stored.
struct Begun {
    intent: Intent,
    /// Until when an attempt may begin, and when the call must have ended.
    lease: (Lease, Instant),
}

/// How often an update whose target changed under us is decided again.
const TRIES: usize = 3;

impl<'a> LanePropagation<'a> {
    pub(super) async fn update(&self, due: Due<'a>, permit: Permit) -> Ended {
        let (instance, scope) = (due.target.instance, due.target.scope);
        let span = tracing::debug_span!("target", instance = %instance.id, %scope);
        async {
            let Some(governed) = self.propagation.governed else {
                let (slot, audited) = (due.target.slot, self.audited);
                let (target, outcome, _) = self.send(due, permit, None).await;
                return (slot, self.propagation.recorded(audited, target.result(outcome)));
            };
            match Box::pin(self.begin(governed, due)).await {
                Ok((due, begun)) => Box::pin(self.governed_update(governed, due, begun, permit)).await,
                Err(ended) => *ended,
            }
        }
        .instrument(span)
        .await
    }

    /// Stores the intent, unless the target ends another way.
    async fn begin(&self, governed: &Governed<'_>, mut due: Due<'a>) -> Result<(Due<'a>, Begun), Box<Ended>> {
        for _ in 0..TRIES {
            match governed.may_begin(&due.target.name()).await {
                Ok(MayBegin::Yes) => {}
                Ok(MayBegin::Done(result)) => return Err(Box::new((due.target.slot, result.reported()))),
                Ok(MayBegin::Stop(stop)) => {
                    return Err(Box::new(self.stopped(due.target, stop, Some(due.before))));
                }
                Err(error) => return Err(Box::new(self.not_begun(due, unavailable(&error)))),
            }
            let record = due.target.record.clone().unwrap_or_default();
            let (named, change_id) = (self.named(&due.target), &self.audited.change.change_id);
            let values = &self.audited.change.values;
            let Ok(handover) = governed.handover(Some(&record), values, &due.before) else {
                // another stack came between; whoever comes back finds it
                return Err(Box::new(self.busy(due.target)));
            };
            let lease = lease();
            let intent = governed.intent(change_id, named, &due.values, &due.before, &record, handover);
            match governed.begin(&due.target.name(), record.rev, &intent).await {
                Ok(Started::Now) => {
                    self.note_drift(governed, &due, &record, &intent).await;
                    return Ok((due, Begun { intent, lease }));
                }
                Ok(Started::Refused(record)) => {
                    due.target.record = Some(record);
                    due = match self.look_again(due.target).await {
                        Looked::Due(due) => *due,
                        Looked::Ended(slot, result) => return Err(Box::new((slot, *result))),
                        Looked::Busy(target) => return Err(Box::new(self.busy(*target))),
                    };
                }
                Err(error) => return Err(Box::new(self.not_begun(due, unavailable(&error)))),
            }
        }
        Err(Box::new(self.busy(due.target)))
    }

    /// A target whose item changed between the read and the intent.
    async fn look_again(&self, target: InHand<'a>) -> Looked<'a> {
        match self.look(target, None).await {
            Looked::Busy(target) => self.look_patiently(*target, Instant::now() + PATIENCE).await,
            free => free,
        }
    }

    fn not_begun(&self, due: Due<'a>, why: Failure) -> Ended {
        self.recorded(due.target, Outcome::Failed { before: Some(due.before), after: None, why })
    }

    pub(super) fn busy(&self, target: InHand<'a>) -> Ended {
        self.recorded(target, Outcome::Pending { before: None, why: Failure::new(ErrorCode::TargetBusy) })
    }

    async fn governed_update(
        &self,
        governed: &Governed<'_>,
        due: Due<'a>,
        begun: Begun,
        permit: Permit,
    ) -> Ended {
        let (slot, name) = (due.target.slot, due.target.name());
        let Begun { intent, lease } = begun;
        let (target, outcome, any_unanswered) = self.send(due, permit, Some(lease)).await;
        let mut result = self.propagation.recorded(self.audited, target.result(outcome));
        let change_id = &self.audited.change.change_id;
        match governed.close(&name, &intent, &result, change_id, any_unanswered).await {
            Ok(Store::Stored) => {}
            Ok(Store::Done(recorded)) => result = recorded.reported(),
            // the lease was over, and somebody else found out how it ended
            Ok(Store::Changed(_)) => match governed.ledger.result(&governed.run, &name).await {
                Ok(Some(recorded)) => result = recorded.reported(),
                Ok(None) => result.outcome = result.outcome.unrecorded(Failure::new(ErrorCode::TargetBusy)),
                Err(error) => result.outcome = result.outcome.unrecorded(unavailable(&error)),
            },
            Err(error) => result.outcome = result.outcome.unrecorded(unavailable(&error)),
        }
        (slot, result)
    }

    /// Sends the update, and says whether some attempt of it may still take effect.
    async fn send(
        &self,
        due: Due<'a>,
        permit: Permit,
        lease: Option<(Lease, Instant)>,
    ) -> (InHand<'a>, Outcome, bool) {
        let Due { mut target, before, values } = due;
        let (instance, scope) = (target.instance, target.scope);
        if let Err(error) = self.propagation.audit.intent(self.audited, instance, scope, &before, &values) {
            tracing::error!(%error, "the audit log could not be written");
            let why = super::super::unaudited(&error);
            return (target, Outcome::Failed { before: Some(before), after: None, why }, false);
        }
        let mut call = self.call();
        if let Some((last_attempt, until)) = lease {
            call.until = call.until.min(until);
            call.last_attempt = Some(last_attempt);
        }
        let updated = Target { instance: &instance.id, scope };
        let (outcome, any_unanswered) = match self.lane.update(updated, &values, permit, call).await {
            Ok(answer) => {
                target.updated(answer.cost, answer.request_id.as_ref());
                target.trace.last_modified = answer.last_modified;
                let outcome = if answer.configuration.holds(&values) {
                    Outcome::Applied { before, after: answer.configuration, unrecorded: None }
                } else {
                    let why = Failure::new(ErrorCode::ResponseDiffers);
                    Outcome::Failed { before: Some(before), after: Some(answer.configuration), why }
                };
                (outcome, answer.any_unanswered)
            }
            Err(error) => {
                target.updated(error.cost, error.request_id.as_ref());
                let why = error.failure();
                let outcome = if error.may_have_taken_effect {
                    self.read_back(&mut target, before, &values, why.made_retryable()).await
                } else {
                    Outcome::Failed { before: Some(before), after: None, why }
                };
                (outcome, error.may_have_taken_effect)
            }
        };
        tracing::debug!(
            outcome = ?outcome.kind(),
            attempts = target.trace.update_attempts,
            ms = target.trace.cost.took.as_millis(),
            "updated"
        );
        (target, outcome, any_unanswered)
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
