//! A page of the targets of a run that were not begun: those of its plan that have no result.

use super::admission::found_in;
use super::worker::NoWork;
use super::{Handler, InvocationContext};
use crate::ledger::Ledger;
use policy_core::record::{
    ChangeRecord, Counts, LaneName, LanePart, LaneState, Mode, Standing, TargetName, Untouched,
};
use policy_core::report::OutcomeKind;

/// How many requests of 1 MB are made for a page, besides one for each of its lanes. It may be short therefore.
const READS: usize = 4;

/// A page, and the place at which the next one begins.
#[derive(Debug, Default)]
pub(super) struct UntouchedPage {
    pub(super) items: Vec<Untouched>,
    pub(super) next: Option<TargetName>,
}

impl Handler {
    /// Those that stand as `outcome`, after this one.
    pub(super) async fn untouched(
        &self,
        context: &InvocationContext,
        ledger: &Ledger,
        (change, lanes): (&ChangeRecord, &[LanePart]),
        outcome: OutcomeKind,
        after: Option<&TargetName>,
        limit: usize,
    ) -> Result<UntouchedPage, NoWork> {
        let plan = self.plan_of(context, ledger, change).await?;
        let mut page = UntouchedPage::default();
        let mut requests = READS;
        for name in &plan.lanes {
            let part = lanes.iter().find(|part| part.name == *name);
            let standing = Standing::in_lane(change, part);
            if standing.outcome != outcome || after.is_some_and(|after| *name < after.lane) {
                continue;
            }
            let part = part.cloned().unwrap_or_else(|| of_plan(change, name));
            let work = self.known_work_of(context, ledger, change, &part, &plan).await?;
            let mut planned = work.targets();
            planned.retain(|(target, _)| after.is_none_or(|after| target > after));
            let Some((first, _)) = planned.first() else { continue };
            let begun = ledger.with_result(&change.run_name(), name, Some(first), &mut requests).await?;
            for (target, change_id) in planned {
                if begun.until.as_ref().is_some_and(|until| target > *until) {
                    page.next = begun.until;
                    return Ok(page);
                }
                if !begun.names.contains(&target) {
                    if page.items.len() == limit {
                        page.next = page.items.last().map(|last| last.target.clone());
                        return Ok(page);
                    }
                    page.items.push(Untouched { target, change_id, standing: standing.clone() });
                }
            }
        }
        Ok(page)
    }
}

/// A lane without an item: of a run that is carried out at once, or whose lanes are not put yet.
pub(super) fn of_plan(change: &ChangeRecord, name: &LaneName) -> LanePart {
    LanePart {
        name: name.clone(),
        state: LaneState::Open,
        delivery: None,
        deliveries: 0,
        stalled: 0,
        moved: None,
        planned: None,
        done: 0,
        resolved: (change.mode == Mode::Inline).then(|| found_in(change.key)),
        counts: Counts::default(),
        hash: None,
        error: None,
    }
}
