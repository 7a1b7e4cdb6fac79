//! A check's part of a lane: the targets of which the ledger knows what they should hold, one instance after the other.
//!
//! A result is kept for each target, so that the next delivery goes on with the others. docs/drift.md has every state.

use super::task::{LaneChange, LaneTargets, LaneWork, by_instance};
use super::{Delivered, Left};
use crate::handler::drift::{Looker, NotChecked};
use crate::handler::{Handler, InvocationContext};
use crate::ledger::{Ledger, LedgerError};
use crate::propagate::{Governed, MayBegin};
use policy_core::failure::{ErrorCode, Failure};
use policy_core::policy::{Blocked, Configuration, Instance, InstanceId, PolicyChange, Scope};
use policy_core::record::{self, InLane, LaneName, Members, Observation, TargetName, TargetRecord};
use policy_core::report::{Outcome, TargetResult};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::time::Instant;

/// How long a check keeps a worker: a lane with changes that waits for one is begun after this time at the latest.
const TURN: Duration = Duration::from_secs(30);

/// What a look at a target came to; `Err`: nobody can say now.
type Looked = Result<Outcome, Failure>;

/// The targets of the lane that the check is of.
pub(super) async fn checked_in(
    ledger: &Ledger,
    checks: &[PolicyChange],
    lane: &LaneName,
) -> Result<LaneWork, LedgerError> {
    let governed = ledger.governed(lane).await?;
    let changes = checks.iter().map(|check| {
        let named: Option<BTreeSet<&InstanceId>> = match record::in_lane(check, lane) {
            InLane::Named(named) => Some(named.into_iter().map(|instance| &instance.id).collect()),
            InLane::Star { .. } => None,
        };
        let is_meant = |(name, target): &&(TargetName, TargetRecord)| {
            Members::of_known(&target.held).any()
                && check.scopes.contains(&name.scope)
                && named.as_ref().is_none_or(|named| named.contains(&name.instance))
        };
        let meant = governed.iter().filter(is_meant).map(|(name, _)| (name.clone(), None));
        LaneChange { change: check.clone(), targets: by_instance(meant), is_unresolved: false }
    });
    Ok(LaneWork::of(changes.collect()))
}

impl Handler {
    /// Looks at the targets of which there is no result yet, as long as no change waits.
    pub(super) async fn check_lane(
        &self,
        context: &InvocationContext,
        delivered: &Delivered<'_>,
        governed: &Governed<'_>,
        work: &LaneWork,
        done: &BTreeSet<TargetName>,
    ) -> Result<Left, LedgerError> {
        let until = Instant::now() + TURN;
        let mut left = Left::Nothing;
        for LaneTargets { instance, scopes } in work.changes.iter().flat_map(|change| &change.targets) {
            let names = scopes.iter().map(|asked| TargetName::of(instance, asked.scope));
            let open: Vec<_> = names.filter(|name| !done.contains(name)).collect();
            if open.is_empty() {
                continue;
            }
            if Instant::now() >= until {
                return Ok(if matches!(left, Left::Failed(_)) { left } else { Left::Time });
            }
            if delivered.ledger.has_work(&delivered.part.name).await? {
                return Ok(Left::Way);
            }
            let mut due = Vec::with_capacity(open.len());
            for name in open {
                match governed.may_begin(&name).await? {
                    MayBegin::Yes => due.push(name),
                    MayBegin::Done(_) => {}
                    MayBegin::Stop(_) => return Ok(Left::Time),
                }
            }
            for (name, looked) in self.look_at(context, delivered, governed, instance, due).await? {
                match looked {
                    Ok(outcome) => {
                        let result = TargetResult::without_calls(Some(instance.clone()), name.scope, outcome);
                        governed.note(&result, (&delivered.change.change_id, true)).await?;
                        context.tally.lock().add_results(std::slice::from_ref(&result));
                    }
                    Err(why) if why.code.is_out_of_time() => return Ok(Left::Time),
                    Err(why) => left = Left::Failed(why),
                }
            }
        }
        Ok(left)
    }

    /// Looks at targets of one instance.
    async fn look_at(
        &self,
        context: &InvocationContext,
        delivered: &Delivered<'_>,
        governed: &Governed<'_>,
        instance: &Instance,
        due: Vec<TargetName>,
    ) -> Result<Vec<(TargetName, Looked)>, LedgerError> {
        if !self.settings.guardrails.allows(instance) {
            let why = Failure::from(&Blocked::Instance);
            let blocked = |name| (name, Ok(Outcome::Blocked { held: None, why: why.clone() }));
            return Ok(due.into_iter().map(blocked).collect());
        }
        let Delivered { ledger, change, origin, .. } = delivered;
        let mut records = Vec::with_capacity(due.len());
        for (name, record) in due.iter().zip(ledger.targets(&due).await?) {
            records.push(self.without_lapsed(context, ledger, name, record).await?);
        }
        let mut reads = self.read_scopes(context, instance, &due).await;
        let mut found = Vec::with_capacity(due.len());
        for (name, before) in due.into_iter().zip(records) {
            let Some(read) = reads.remove(&name.scope) else { continue };
            let id = governed.tokens.next();
            let by = Looker { origin, id, check: Some(&change.change_id), cause: None };
            let looked = self.compare(context, ledger, &by, &name, &before, &read).await;
            let looked = match (looked, read) {
                (Err(NotChecked::Ledger(error)), _) => return Err(error),
                (Err(NotChecked::UnderWay), _) => Err(Failure::new(ErrorCode::TargetBusy)),
                (Err(NotChecked::Unread(why)), _) if why.is_retryable() => Err(why),
                // out of reach, or gone, for good
                (Err(NotChecked::Unread(why)), _) | (Ok(_), Err(why)) => {
                    Ok(Outcome::Failed { before: None, after: None, why })
                }
                (Ok(observation), Ok(held)) => Ok(outcome_of(&observation, &before, held)),
            };
            found.push((name, looked));
        }
        Ok(found)
    }

    /// What these targets of an instance hold: by one call, except for those that List leaves out.
    async fn read_scopes(
        &self,
        context: &InvocationContext,
        instance: &Instance,
        names: &[TargetName],
    ) -> BTreeMap<Scope, Result<Configuration, Failure>> {
        let mut listed = BTreeMap::new();
        if names.len() > 1 {
            let lane = self.connect.lane(&self.connect.key(instance, &context.rules.home));
            match lane.list(&instance.id, context.look()).await {
                Ok(answer) => listed = answer.configurations,
                Err(error) => {
                    return names.iter().map(|name| (name.scope, Err(error.failure()))).collect();
                }
            }
        }
        let mut reads = BTreeMap::new();
        for name in names {
            let read = match listed.remove(&name.scope) {
                Some(configuration) => Ok(configuration),
                None => self.read_target(context, name).await,
            };
            reads.insert(name.scope, read);
        }
        reads
    }
}

/// A drift is what a dry run of putting it back would change.
fn outcome_of(observation: &Observation, before: &TargetRecord, held: Configuration) -> Outcome {
    match observation {
        Observation::Known(_) | Observation::Drifted(_) => {
            Outcome::Planned { after: before.held.clone().or(&held), before: held }
        }
        Observation::Later | Observation::InSync | Observation::Ungoverned | Observation::Ended => {
            Outcome::Unchanged { held }
        }
    }
}
