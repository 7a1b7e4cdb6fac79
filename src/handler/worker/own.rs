//! What an undo asks of each target of a lane, or a dry run that is carried out: each its own values.

use super::NoWork;
use crate::handler::{Handler, InvocationContext};
use crate::ledger::Ledger;
use policy_core::policy::{ChangeId, Instances, PolicyChange};
use policy_core::record::{
    self, ChangeRecord, LaneName, Members, Own, RecordedResult, RunKey, RunName, TargetName, Task,
};
use std::collections::BTreeMap;

impl Handler {
    /// What an undo asks of each target in the lane.
    pub(super) async fn undone_in(
        &self,
        context: &InvocationContext,
        ledger: &Ledger,
        of: &ChangeId,
        up_to: RunKey,
        lane: &LaneName,
    ) -> Result<BTreeMap<TargetName, Own>, NoWork> {
        let newest = ledger.change(of, self.now()).await?.ok_or_else(|| NoWork::NoSuchChange(of.clone()))?;
        let mut keys = vec![newest.key];
        for run in 1..newest.run {
            // an earlier run may have expired
            keys.extend(ledger.earlier_run(of, run, self.now()).await?.map(|earlier| earlier.key));
        }
        let mut results = Vec::new();
        for key in keys.into_iter().filter(|key| *key <= up_to) {
            let run = RunName { change_id: of.clone(), key };
            let of_run = ledger.results_in_lane(&run, lane).await?;
            results.extend(of_run.into_iter().map(|result| (key, result)));
        }
        let named = self.named_by(context, ledger, &newest).await?;
        Ok(record::undo_of(&results, up_to, named))
    }

    /// What a recorded dry run asks of each target in the lane.
    pub(super) async fn planned_in(
        &self,
        context: &InvocationContext,
        ledger: &Ledger,
        of: &ChangeId,
        key: RunKey,
        lane: &LaneName,
    ) -> Result<BTreeMap<TargetName, Own>, NoWork> {
        let dry_run = ledger.change(of, self.now()).await?.ok_or_else(|| NoWork::NoSuchChange(of.clone()))?;
        let run = RunName { change_id: of.clone(), key };
        let results = ledger.results_in_lane(&run, lane).await?;
        let forced = self.forced_by(context, ledger, &dry_run).await?;
        Ok(record::apply_of(&results, forced))
    }

    /// Which members a recorded change named of a target.
    async fn named_by(
        &self,
        context: &InvocationContext,
        ledger: &Ledger,
        change: &ChangeRecord,
    ) -> Result<impl Fn(&RecordedResult) -> Members + use<>, NoWork> {
        let task = self.plan_of(context, ledger, change).await?.task;
        Ok(move |result: &RecordedResult| {
            let (before, after) = (result.before.clone(), result.after.clone());
            let differing = Members::that_differ(&before.unwrap_or_default(), &after.unwrap_or_default());
            // an undo or an apply names what it changed
            let Task::Document(changes) = &task else { return differing };
            let Some(change) = change_of(changes, result) else { return Members::default() };
            let named = Members::of(change, Members::default());
            // which guardrails there were, those of today do not say
            if change.adjustments.enforce_guardrails { named.or(differing) } else { named }
        })
    }

    /// Which members a recorded dry run would have sent even where nothing differs.
    async fn forced_by(
        &self,
        context: &InvocationContext,
        ledger: &Ledger,
        change: &ChangeRecord,
    ) -> Result<impl Fn(&RecordedResult) -> Members + use<>, NoWork> {
        let task = self.plan_of(context, ledger, change).await?.task;
        let enforceable = Members::of_guardrails(&self.settings.guardrails);
        Ok(move |result: &RecordedResult| {
            let Task::Document(changes) = &task else { return Members::default() };
            let forced = change_of(changes, result).filter(|change| change.force);
            forced.map(|change| Members::of(change, enforceable)).unwrap_or_default()
        })
    }
}

/// The change of a document that a result is of. Several may have one id, but no two have a target in common.
fn change_of<'c>(changes: &'c [PolicyChange], result: &RecordedResult) -> Option<&'c PolicyChange> {
    let (target, instance) = (&result.target, result.target.instance());
    let is_of_it = |change: &&PolicyChange| change.change_id == result.change_id;
    let names = |change: &&PolicyChange| {
        change.scopes.contains(&target.scope)
            && match &change.instances {
                Instances::Named(named) => named.contains(&instance),
                Instances::All { places, .. } => places.contains(&target.lane),
            }
    };
    changes.iter().find(|change| is_of_it(change) && names(change))
}
