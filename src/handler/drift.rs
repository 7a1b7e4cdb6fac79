//! Drift, as CloudTrail says that somebody has changed a target: what it holds decides, not what the event says.

use super::announce::NotAnnounced;
use super::{Handler, InvocationContext};
use crate::audit::Finding;
use crate::bus::BusError;
use crate::ledger::{Ledger, LedgerError, OwedDrift};
use crate::metrics::Unfinished;
use crate::propagate::Tokens;
use crate::telemetry::causes;
use policy_core::failure::{ErrorCode, Failure};
use policy_core::origin::{Invocation, Origin, TriggerKind};
use policy_core::policy::{ChangeId, Configuration};
use policy_core::record::{
    self, Cause, DRIFT_DETECTED, Drift, Members, Observation, ReadBack, TargetName, TargetRecord,
};
use policy_core::trigger::cloudtrail::Call;
use std::sync::atomic::Ordering;

/// Nobody can say now whether a target drifts.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotChecked {
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error("the target could not be read: {}", .0.code())]
    Unread(Failure),
    #[error("a change of the target is under way")]
    UnderWay,
}

/// Who looks at a target, and why.
pub(super) struct Looker<'a> {
    pub(super) origin: &'a Origin,
    /// The id of the drift, if there is one.
    pub(super) id: String,
    /// The check that it is part of.
    pub(super) check: Option<&'a ChangeId>,
    /// What CloudTrail has seen.
    pub(super) cause: Option<&'a Cause>,
}

impl Handler {
    /// Looks at a target that somebody has changed, or tried to.
    pub(super) async fn check_call(
        &self,
        context: &InvocationContext,
        ledger: &Ledger,
        call: &Call,
    ) -> Result<(), NotChecked> {
        let target = TargetName::of(&call.instance, call.scope);
        let before = ledger.target(&target).await?;
        let before = self.without_lapsed(context, ledger, &target, before).await?;
        let read = self.read_target(context, &target).await;
        if let Err(why) = &read
            && (is_out_of_reach(why) || !context.rules.reaches(&target.instance()))
            && !before.is_governed()
        {
            tracing::warn!(code = %why.code(), %target, "somebody changed a target that nobody governs and that cannot be read");
            return Ok(());
        }
        let origin = origin_of(&context.invocation);
        let id = Tokens::new(&context.invocation.request_id, self.now()).again("drift").next();
        let looker = Looker { origin: &origin, id, check: None, cause: Some(&call.cause) };
        self.compare(context, ledger, &looker, &target, &before, &read).await.map(drop)
    }

    /// Compares what was read of a target with what the ledger says that it should hold, and says what follows.
    ///
    /// `before`: its item as it was before it was read.
    pub(super) async fn compare(
        &self,
        context: &InvocationContext,
        ledger: &Ledger,
        looker: &Looker<'_>,
        target: &TargetName,
        before: &TargetRecord,
        read: &Result<Configuration, Failure>,
    ) -> Result<Observation, NotChecked> {
        let after = ledger.target(target).await?;
        let back = match read {
            Ok(held) => ReadBack::Holds(held),
            Err(why) if why.code == ErrorCode::ResourceNotFoundException => ReadBack::NoInstance,
            Err(why) => return Err(NotChecked::Unread(why.clone())),
        };
        let held = read.as_ref().ok();
        let observation = record::observe(before, back, &after, self.now());
        match &observation {
            Observation::Later => return Err(NotChecked::UnderWay),
            Observation::InSync => {}
            Observation::Ungoverned => {
                // only an update is news: that nobody governs the target is not
                if let Some(cause) = looker.cause {
                    let found = Drift { id: cause.event_id.clone(), ..self.found(looker, target, held) };
                    // of a copy nothing is said: what the first one still owes, the sweep announces
                    if ledger.ungoverned(&found).await? {
                        self.say(context, ledger, looker.origin, &found).await;
                    }
                }
            }
            Observation::Known(drifting) => self.noted(ledger, target, drifting, &after).await?,
            Observation::Ended => {
                // first the line: once the item has forgotten the drift, nobody finds that it ended
                self.note_finding(context, looker.origin, Finding::Ended(target));
                self.noted(ledger, target, &Configuration::default(), &after).await?;
            }
            Observation::Drifted(drifting) => {
                let expected = after.held.clone();
                let found = Drift { governed: true, expected, ..self.found(looker, target, held) };
                if !ledger.drifted(&found, drifting, &after).await? {
                    return Err(NotChecked::UnderWay);
                }
                self.say(context, ledger, looker.origin, &found).await;
            }
        }
        Ok(observation)
    }

    async fn noted(
        &self,
        ledger: &Ledger,
        target: &TargetName,
        drifting: &Configuration,
        seen: &TargetRecord,
    ) -> Result<(), NotChecked> {
        if Members::ALL.agree(drifting, &seen.drift) {
            return Ok(());
        }
        if ledger.drift_is(target, drifting, seen).await? { Ok(()) } else { Err(NotChecked::UnderWay) }
    }

    fn found(&self, looker: &Looker<'_>, target: &TargetName, held: Option<&Configuration>) -> Drift {
        Drift {
            id: looker.id.clone(),
            target: target.clone(),
            governed: false,
            expected: Configuration::default(),
            observed: held.cloned().unwrap_or_default(),
            found: self.now(),
            change: looker.check.cloned(),
            cause: looker.cause.cloned(),
            told: false,
        }
    }

    /// Says that a target drifts: in the audit, in the metrics, on the bus. What the bus does not take is owed.
    async fn say(&self, context: &InvocationContext, ledger: &Ledger, origin: &Origin, found: &Drift) {
        if !found.told {
            context.tally.lock().add_drifts(1);
            self.note_finding(context, origin, Finding::Found(found));
        }
        let Err(error) = self.put_drift(context, ledger, found).await else { return };
        let is_of_bus = matches!(error, NotAnnounced::Bus(_));
        context.bus_failed.fetch_or(is_of_bus, Ordering::Relaxed);
        let (drift, target) = (&found.id, &found.target);
        tracing::warn!(error = causes(&error), drift, %target, "the drift could not be put; the sweep tries again");
        let due = record::later_each_time(found.found, self.now());
        if let Err(error) = ledger.announce_drift_at(target, drift, due).await {
            tracing::warn!(error = causes(&error), drift, %target, "the drift may be in the audit a second time");
        }
    }

    async fn put_drift(
        &self,
        context: &InvocationContext,
        ledger: &Ledger,
        found: &Drift,
    ) -> Result<(), NotAnnounced> {
        if let Some(bus) = &self.bus {
            if context.bus_failed.load(Ordering::Relaxed) {
                return Err(BusError::NoAnswer.into());
            }
            bus.put(DRIFT_DETECTED, found.encode()?, found.found, context.deadline.end()).await?;
        }
        Ok(ledger.drift_announced(found, self.now()).await?)
    }

    /// The same for the sweep, where its time has come; its age counts before that, too.
    pub(super) async fn sweep_drift(
        &self,
        context: &InvocationContext,
        ledger: &Ledger,
        owed: &OwedDrift,
        unfinished: &mut Unfinished,
    ) -> Result<(), LedgerError> {
        // the index may be behind
        let Some(found) = ledger.drift(&owed.target, &owed.id).await? else { return Ok(()) };
        unfinished.add_event(self.now().since(found.found));
        if owed.is_due {
            self.say(context, ledger, &origin_of(&context.invocation), &found).await;
        }
        Ok(())
    }

    fn note_finding(&self, context: &InvocationContext, origin: &Origin, finding: Finding<'_>) {
        if let Err(error) = self.audit.finding(origin, &context.rules.home, finding) {
            tracing::error!(%error, "the audit log could not be written");
        }
    }
}

/// Whether no later read succeeds either, as long as nobody changes the stack.
fn is_out_of_reach(why: &Failure) -> bool {
    !why.is_retryable() && why.code != ErrorCode::ResourceNotFoundException
}

/// Who looks: the function itself.
fn origin_of(invocation: &Invocation) -> Origin {
    Origin { kind: TriggerKind::CloudTrail, ..Origin::invoker(invocation) }
}
