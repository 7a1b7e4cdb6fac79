//! What a Delete has to do.

use super::generation::{Work, refused};
use crate::ledger::{Ledger, LedgerError};
use policy_core::declare::{Kept, Leaver, Left, Request, RequestType, left};
use policy_core::policy::Configuration;
use policy_core::record::{Freeze, LaneName, Millis, Plan, Task};
use std::collections::BTreeSet;

/// The last generation that CloudFormation counts as a success. A Create whose answer never arrived, or came as
/// CloudFormation cancelled it, has failed for it: its Delete comes without the id that every answer has.
pub(super) async fn last_success(
    ledger: &Ledger,
    request: &Request<'_>,
    old: Option<&Kept>,
    now: Millis,
) -> Result<Option<u32>, LedgerError> {
    let Some(old) = old else { return Ok(None) };
    let Some(good) = old.good.as_ref().map(|(good, _)| *good) else { return Ok(None) };
    if request.kind != RequestType::Delete || request.knows_its_id() {
        return Ok(Some(good));
    }
    let Some(answer) = ledger.answer(&request.stack_id, &request.logical_id, good).await? else {
        return Ok(Some(good));
    };
    let mut was_heard = answer.url.is_none() && !answer.is_lost;
    if was_heard && good == old.known.generation && answer.may_be_unheard(now) {
        // the id may be that of an older Create instead, and then this one is in use
        let older = ledger.answer(&request.stack_id, &request.logical_id, good.saturating_sub(1)).await?;
        was_heard = good > 1 && older.is_none_or(|older| older.kind != RequestType::Delete);
    }
    Ok(Some(good).filter(|_| was_heard))
}

/// Of a Delete: only where values are put back, or an older generation is still at work, are there lanes.
pub(super) async fn work_of_delete(
    ledger: &Ledger,
    leaver: &Leaver<'_>,
    lanes: &BTreeSet<LaneName>,
    is_older_at_work: bool,
    frozen: Option<&Freeze>,
) -> Result<Work, LedgerError> {
    let mut left_lanes = Vec::new();
    for lane in lanes {
        let targets = ledger.declared_by(leaver.stack_id, lane).await?;
        let is_set = targets.iter().any(|(_, record)| {
            let owner = record.owner.as_ref();
            let own = owner
                .and_then(|owner| owner.claims.iter().find(|claim| claim.logical_id == leaver.logical_id));
            let held = own.map(|own| Configuration::default().after(&own.declared));
            held.is_some_and(|held| {
                record.intent.is_some() || left(owner, leaver, &held).values != Left::Retained
            })
        });
        if is_older_at_work || is_set {
            left_lanes.push(lane.clone());
        }
    }
    if left_lanes.is_empty() {
        return Ok(Work::Release);
    }
    if frozen.is_some() {
        return Ok(refused(
            "Changes are frozen, and this Delete would set values; GET /freeze says by whom and why",
        ));
    }
    let lanes = left_lanes;
    let plan = Plan { task: Task::Leave, lanes, is_batch: false, stop_after: None, restores: false };
    Ok(Work::Plan(Box::new(plan), leaver.on_delete))
}
