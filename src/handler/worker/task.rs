//! From a run's plan to the targets of one lane, and what is asked of each.

use super::Delivered;
use super::check::checked_in;
use crate::audit::AuditedChange;
use crate::handler::{Handler, InvocationContext};
use crate::ledger::LedgerError;
use policy_core::failure::Failure;
use policy_core::policy::{
    Adjustments, ChangeId, Instance, InstanceId, Instances, PolicyChange, Scope, Values,
};
use policy_core::record::{self, ChangeRecord, CorruptPlan, InLane, LaneName, Own, Plan, TargetName, Task};
use std::collections::BTreeMap;

/// What a run has to do in a lane.
pub(in crate::handler) struct LaneWork {
    pub(in crate::handler) changes: Vec<LaneChange>,
    /// How many targets there are that nobody can name any more.
    pub(in crate::handler) unnamed: u32,
}

/// The targets of one change in a lane.
pub(in crate::handler) struct LaneChange {
    pub(in crate::handler) change: PolicyChange,
    pub(in crate::handler) targets: Vec<LaneTargets>,
    /// Every instance is meant, and nobody has found out yet which there are.
    pub(in crate::handler) is_unresolved: bool,
}

/// The targets of one instance.
pub(in crate::handler) struct LaneTargets {
    pub(in crate::handler) instance: Instance,
    pub(in crate::handler) scopes: Vec<LaneTarget>,
}

/// One target.
pub(in crate::handler) struct LaneTarget {
    pub(in crate::handler) scope: Scope,
    pub(in crate::handler) own: Option<Own>,
}

/// Why a lane cannot be worked on now.
#[derive(Debug, thiserror::Error)]
pub(in crate::handler) enum NoWork {
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error(transparent)]
    Plan(#[from] CorruptPlan),
    #[error("the resolved instances of the lane cannot be read")]
    Resolved(#[from] serde_json::Error),
    #[error("nobody could find out which instances there are: {}", .0.code())]
    Star(Failure),
    #[error("another delivery has taken over")]
    TakenOver,
    #[error("there is no record of `{0}`")]
    NoSuchChange(ChangeId),
}

impl NoWork {
    /// Whether no later delivery can do better.
    pub(in crate::handler) const fn is_for_good(&self) -> bool {
        match self {
            Self::Plan(_) | Self::Resolved(_) | Self::NoSuchChange(_) => true,
            Self::Ledger(error) => matches!(error, LedgerError::Corrupt { .. }),
            Self::Star(_) | Self::TakenOver => false,
        }
    }
}

impl LaneWork {
    /// These.
    pub(super) const fn of(changes: Vec<LaneChange>) -> Self {
        Self { changes, unnamed: 0 }
    }

    /// So many targets, of which nobody knows more.
    pub(super) const fn unknown(targets: u32) -> Self {
        Self { changes: Vec::new(), unnamed: targets }
    }

    /// How many targets. Instances that nobody knows yet count as one.
    pub(in crate::handler) fn planned(&self) -> u32 {
        let targets = self.changes.iter().map(|change| {
            let unknown = if change.is_unresolved { change.change.scopes.len() } else { 0 };
            change.targets.iter().map(|target| target.scopes.len()).sum::<usize>() + unknown
        });
        u32::try_from(targets.sum::<usize>()).unwrap_or(u32::MAX).saturating_add(self.unnamed)
    }
}

impl Handler {
    pub(super) async fn lane_work(
        &self,
        context: &InvocationContext,
        delivered: &Delivered<'_>,
        plan: &Plan,
    ) -> Result<LaneWork, NoWork> {
        let lane = &delivered.part.name;
        match &plan.task {
            Task::Document(changes) if delivered.change.checks_drift => {
                Ok(checked_in(delivered.ledger, changes, lane).await?)
            }
            Task::Document(changes) => {
                let resolved = self.resolved(context, delivered, changes).await?;
                Ok(of_document(changes, lane, &resolved))
            }
            Task::Undo { of, up_to, force } => {
                let own = self.undone_in(context, delivered.ledger, of, *up_to, lane).await?;
                Ok(of_own(&delivered.change, own, *force))
            }
            Task::Apply { of, key } => {
                let own = self.planned_in(context, delivered.ledger, of, *key, lane).await?;
                Ok(of_own(&delivered.change, own, false))
            }
            // they are found when the lane comes to them
            Task::Leave => Ok(LaneWork::of(Vec::new())),
        }
    }

    /// Which instances there are in this lane, for each change that means every one: as the ledger has it, else as Amazon
    /// Connect says now.
    async fn resolved(
        &self,
        context: &InvocationContext,
        delivered: &Delivered<'_>,
        changes: &[PolicyChange],
    ) -> Result<Vec<Option<Vec<InstanceId>>>, NoWork> {
        let Delivered { ledger, change, part, token, origin } = delivered;
        let home = &context.rules.home;
        let is_star =
            |change: &&PolicyChange| matches!(record::in_lane(change, &part.name), InLane::Star { .. });
        if !changes.iter().any(|change| is_star(&change)) {
            return Ok(vec![None; changes.len()]);
        }
        if let Some(name) = &part.resolved {
            let text = ledger.parts(&change.change_id, name).await?;
            let ids: Vec<Option<Vec<String>>> = serde_json::from_str(&text)?;
            let parsed = |ids: Vec<String>| ids.iter().filter_map(|id| InstanceId::parse(id)).collect();
            return Ok(ids.into_iter().map(|ids| ids.map(parsed)).collect());
        }
        let propagation = self.propagation(context, None);
        let mut resolved = Vec::with_capacity(changes.len());
        for change in changes {
            resolved.push(if is_star(&change) {
                let audited = AuditedChange { origin, change, home };
                let instances = propagation.resolve_in(audited, &part.name).await.map_err(NoWork::Star)?;
                Some(instances.into_iter().map(|instance| instance.id).collect::<Vec<_>>())
            } else {
                None
            });
        }
        let text = serde_json::to_string(&resolved)?;
        let name = format!("resolved/{token}");
        let (_, parts) = record::parts(&text);
        ledger.put_parts(&change.change_id, &name, &parts, change.key).await?;
        let planned = of_document(changes, &part.name, &resolved).planned();
        if ledger.resolved(&change.run_name(), &part.name, token, &name, planned).await? {
            Ok(resolved)
        } else {
            Err(NoWork::TakenOver)
        }
    }
}

/// The lane's part of a document. `resolved`: by change, which instances there are, where that is known.
pub(super) fn of_document(
    changes: &[PolicyChange],
    lane: &LaneName,
    resolved: &[Option<Vec<InstanceId>>],
) -> LaneWork {
    let changes = changes.iter().enumerate().map(|(at, change)| {
        let mut is_unresolved = false;
        let instances: Vec<Instance> = match record::in_lane(change, lane) {
            InLane::Named(named) => named.into_iter().cloned().collect(),
            InLane::Star { .. } => {
                let ids = resolved.get(at).and_then(Option::as_ref);
                is_unresolved = ids.is_none();
                ids.into_iter().flatten().map(|id| lane.instance(id.clone())).collect()
            }
        };
        let scopes = || change.scopes.iter().map(|scope| LaneTarget { scope: *scope, own: None }).collect();
        let targets = instances.into_iter().map(|instance| LaneTargets { instance, scopes: scopes() });
        LaneChange { change: change.clone(), targets: targets.collect(), is_unresolved }
    });
    LaneWork::of(changes.collect())
}

/// Targets in the order of their names, by instance.
pub(super) fn by_instance(names: impl Iterator<Item = (TargetName, Option<Own>)>) -> Vec<LaneTargets> {
    let mut targets: Vec<LaneTargets> = Vec::new();
    for (name, own) in names {
        let instance = name.instance();
        let target = LaneTarget { scope: name.scope, own };
        match targets.last_mut().filter(|last| last.instance == instance) {
            Some(last) => last.scopes.push(target),
            None => targets.push(LaneTargets { instance, scopes: vec![target] }),
        }
    }
    targets
}

/// The lane's part of an undo, or of a dry run that is carried out.
pub(super) fn of_own(record: &ChangeRecord, own: BTreeMap<TargetName, Own>, force: bool) -> LaneWork {
    let targets = by_instance(own.into_iter().map(|(name, own)| (name, Some(own))));
    let change = PolicyChange {
        change_id: record.change_id.clone(),
        instances: Instances::Named(targets.iter().map(|target| target.instance.clone()).collect()),
        scopes: Vec::new(),
        values: Values::default(),
        adjustments: Adjustments::default(),
        if_unmodified_since: None,
        reason: record.reason.clone(),
        requested_by: record.requested_by.clone(),
        if_match: None,
        dry_run: record.dry_run,
        force,
        checks_drift: false,
        warnings: Vec::new(),
    };
    LaneWork::of(vec![LaneChange { change, targets, is_unresolved: false }])
}
