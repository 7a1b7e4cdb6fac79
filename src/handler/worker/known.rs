//! What a run has to do in a lane, as far as the ledger knows: nothing is asked of Amazon Connect.

use super::task::of_document;
use super::{Delivered, LaneWork, NoWork};
use crate::handler::{Handler, InvocationContext};
use crate::ledger::Ledger;
use crate::telemetry::causes;
use policy_core::policy::ChangeId;
use policy_core::record::{ChangeRecord, LanePart, Plan, PlanRef, TargetName, Task};

impl LaneWork {
    /// Its targets in their order, each with the change's id as reported.
    pub(in crate::handler) fn targets(&self) -> Vec<(TargetName, ChangeId)> {
        let mut targets = Vec::new();
        for lane_change in &self.changes {
            for target in &lane_change.targets {
                let named = target.scopes.iter().map(|asked| TargetName::of(&target.instance, asked.scope));
                targets.extend(named.map(|name| (name, lane_change.change.change_id.clone())));
            }
        }
        targets.sort();
        targets
    }
}

impl Handler {
    /// The plan of a change's newest run.
    pub(in crate::handler) async fn plan_of(
        &self,
        context: &InvocationContext,
        ledger: &Ledger,
        change: &ChangeRecord,
    ) -> Result<Plan, NoWork> {
        let text = match &change.plan {
            PlanRef::Own(text) => text.clone(),
            PlanRef::Parts { name, .. } => ledger.parts(&change.change_id, name).await?,
        };
        Ok(Plan::decode(&text, &context.rules, &change.change_id)?)
    }

    /// What is known of a lane that ends early: perhaps not yet which instances there are, and nothing where the plan, or
    /// the change that it is about, cannot be read any more. A lane ends all the same, or its group would wait for ever.
    pub(in crate::handler) async fn known_work(
        &self,
        context: &InvocationContext,
        ledger: &Ledger,
        change: &ChangeRecord,
        part: &LanePart,
    ) -> Result<LaneWork, NoWork> {
        let work = match self.plan_of(context, ledger, change).await {
            Ok(plan) => self.known_work_of(context, ledger, change, part, &plan).await,
            Err(error) => Err(error),
        };
        match work {
            Err(error) if error.is_for_good() => {
                let (change_id, lane) = (&change.change_id, &part.name);
                tracing::error!(error = causes(&error), %change_id, %lane, "the lane ends without its targets' names");
                Ok(LaneWork::unknown(part.planned.unwrap_or_default()))
            }
            work => work,
        }
    }

    /// The same of a plan that is read already.
    pub(in crate::handler) async fn known_work_of(
        &self,
        context: &InvocationContext,
        ledger: &Ledger,
        change: &ChangeRecord,
        part: &LanePart,
        plan: &Plan,
    ) -> Result<LaneWork, NoWork> {
        if let Task::Document(changes) = &plan.task
            && part.resolved.is_none()
            && !change.checks_drift
        {
            return Ok(of_document(changes, &part.name, &vec![None; changes.len()]));
        }
        let origin = change.origin.in_invocation(&context.invocation);
        let (change, part) = (change.clone(), part.clone());
        let delivered = Delivered { ledger, change, part, token: String::new(), origin };
        self.lane_work(context, &delivered, plan).await
    }
}
