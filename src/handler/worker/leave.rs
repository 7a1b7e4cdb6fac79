//! The targets of a lane that a declared resource leaves, once those that it names are as declared.

use super::task::of_own;
use super::{Delivered, LaneWork, Left};
use crate::audit::AuditedChange;
use crate::handler::{Handler, InvocationContext};
use crate::ledger::LedgerError;
use crate::propagate::{Asked, Governed};
use policy_core::declare::{Left as Values, left};
use policy_core::failure::{ErrorCode, Failure};
use policy_core::policy::{Configuration, Instance, Limits};
use policy_core::record::{Declared, Own, TargetName, TargetRecord};
use policy_core::report::{Outcome, OutcomeKind, Verdict};
use std::collections::{BTreeMap, BTreeSet};

/// How many targets are put back before further ones are read. The reads of a whole lane may take all of a delivery's time,
/// and the next delivery would read the same again.
const PORTION: usize = 25;

/// What is to be done about a target that is left.
enum Leaving {
    /// Its values stay, as they should.
    Stays,
    /// They stay although they should not.
    Kept,
    /// They are put back.
    PutBack(Own),
}

impl Handler {
    /// Leaves the lane's targets on which the resource has a claim of an earlier generation. A resource that could not be
    /// declared leaves nothing: its rollback declares those targets again.
    pub(super) async fn leave_lane(
        &self,
        context: &InvocationContext,
        delivered: &Delivered<'_>,
        governed: &Governed<'_>,
        declared: &Declared,
        work: &LaneWork,
    ) -> Result<Left, LedgerError> {
        let Delivered { ledger, change, part, .. } = delivered;
        let results = ledger.results_in_lane(&change.run_name(), &part.name).await?;
        let named: BTreeSet<TargetName> = work.targets().into_iter().map(|(name, _)| name).collect();
        let is_well = |outcome| matches!(outcome, OutcomeKind::Applied | OutcomeKind::Unchanged);
        let mut of_named = results.iter().filter(|result| named.contains(&result.target));
        if of_named.any(|result| !is_well(result.outcome)) {
            return Ok(Left::Nothing);
        }
        // what a delivery that died was putting back looks like a change by somebody else until it is settled
        if self.settle_all(context, ledger, &change.run_name(), &part.name).await?.holds {
            return Ok(Left::Failed(Failure::new(ErrorCode::TargetBusy)));
        }
        let mut put_back = BTreeMap::new();
        let mut waits = None;
        for (name, record) in ledger.declared_by(&declared.stack_id, &part.name).await? {
            if named.contains(&name) || declared.earlier_claim(record.owner.as_ref()).is_none() {
                continue;
            }
            let record = self.without_lapsed(context, ledger, &name, record).await?;
            // what was settled may have ended the claim
            if declared.earlier_claim(record.owner.as_ref()).is_none() {
                continue;
            }
            match self.leaving(context, declared, &name, &record).await {
                Ok(Leaving::PutBack(own)) => drop(put_back.insert(name, own)),
                Ok(leaving) => {
                    let counted = matches!(leaving, Leaving::Kept).then(|| change.run_name());
                    let handover = declared.leaves(record.owner.as_ref());
                    if ledger.hand_over(&name, record.rev, &handover, counted.as_ref()).await? {
                        governed.progressed(true).await;
                    } else {
                        waits = Some(Failure::new(ErrorCode::TargetBusy));
                    }
                }
                Err(why) => waits = Some(why),
            }
            if put_back.len() == PORTION {
                let portion = std::mem::take(&mut put_back);
                waits = self.put_back(context, delivered, governed, declared, portion).await?.or(waits);
            }
            if governed.stopped().is_some() {
                return Ok(Left::Nothing);
            }
        }
        if !put_back.is_empty() {
            waits = self.put_back(context, delivered, governed, declared, put_back).await?.or(waits);
        }
        Ok(match waits {
            None => Left::Nothing,
            Some(why) if why.code.is_out_of_time() => Left::Time,
            Some(why) => Left::Failed(why),
        })
    }

    /// What becomes of a target's values. `Err`: it cannot be known now.
    async fn leaving(
        &self,
        context: &InvocationContext,
        declared: &Declared,
        name: &TargetName,
        record: &TargetRecord,
    ) -> Result<Leaving, Failure> {
        let Some(own) = declared.earlier_claim(record.owner.as_ref()) else { return Ok(Leaving::Stays) };
        let leaver = declared.leaver();
        let as_declared = Configuration::default().after(&own.declared);
        if left(record.owner.as_ref(), &leaver, &as_declared).values == Values::Retained {
            return Ok(Leaving::Stays);
        }
        let held = match self.read_target(context, name).await {
            Ok(held) => held,
            Err(why) if why.is_retryable() => return Err(why),
            // it is gone, or out of reach for good: nothing can be put back
            Err(_) => return Ok(Leaving::Kept),
        };
        let Values::PutBack(values) = left(record.owner.as_ref(), &leaver, &held).values else {
            return Ok(Leaving::Kept);
        };
        let limits = Limits {
            guardrails: &self.settings.guardrails,
            allow_empty_extensions: self.settings.allow_empty_extensions,
        };
        let is_allowed = self.settings.guardrails.allows(&name.instance());
        if values.is_empty() || !is_allowed || limits.check_own(&values, &held).is_err() {
            return Ok(Leaving::Kept);
        }
        if !held.would_change(&values) {
            return Ok(Leaving::Stays);
        }
        Ok(Leaving::PutBack(Own { values, expected: as_declared, whole: false }))
    }

    /// Puts values back, as a change does. What keeps it from its end, if something does.
    async fn put_back(
        &self,
        context: &InvocationContext,
        delivered: &Delivered<'_>,
        governed: &Governed<'_>,
        declared: &Declared,
        put_back: BTreeMap<TargetName, Own>,
    ) -> Result<Option<Failure>, LedgerError> {
        let work = of_own(&delivered.change, put_back, false);
        let propagation = self.propagation(context, Some(governed));
        let mut waits = None;
        for lane_change in &work.changes {
            let home = &context.rules.home;
            let audited = AuditedChange { origin: &delivered.origin, change: &lane_change.change, home };
            let targets = lane_change.targets.iter().map(|target| {
                let asked = target.scopes.iter();
                (&target.instance, asked.map(|asked| Asked { scope: asked.scope, own: asked.own.as_ref() }))
            });
            let results = propagation.walk(audited, targets).await;
            context.tally.lock().add_results(&results);
            for result in &results {
                match &result.outcome {
                    Outcome::Applied { unrecorded: None, .. } | Outcome::Unchanged { .. } => {}
                    outcome if outcome.verdict() == Verdict::NotYet => waits = outcome.error().cloned(),
                    _ => {
                        let Some(instance) = &result.instance else { continue };
                        waits = self.keep(delivered, declared, instance, result.scope).await?.or(waits);
                    }
                }
            }
        }
        Ok(waits)
    }

    /// Ends the claim on a target whose values could not be put back for good.
    async fn keep(
        &self,
        delivered: &Delivered<'_>,
        declared: &Declared,
        instance: &Instance,
        scope: policy_core::policy::Scope,
    ) -> Result<Option<Failure>, LedgerError> {
        let (ledger, run) = (delivered.ledger, delivered.change.run_name());
        let name = TargetName::of(instance, scope);
        let records = ledger.targets(std::slice::from_ref(&name)).await?;
        let Some(record) = records.first() else { return Ok(None) };
        if declared.earlier_claim(record.owner.as_ref()).is_none() {
            return Ok(None);
        }
        let handover = declared.leaves(record.owner.as_ref());
        let is_kept = ledger.hand_over(&name, record.rev, &handover, Some(&run)).await?;
        Ok((!is_kept).then(|| Failure::new(ErrorCode::TargetBusy)))
    }
}
