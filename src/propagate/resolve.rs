//! From `"*"` to instances.

use super::Propagation;
use crate::audit::AuditedChange;
use crate::connect::CallError;
use policy_core::failure::{ErrorCode, Failure};
use policy_core::policy::{Instance, Instances};
use policy_core::record::LaneName;
use std::collections::{BTreeMap, BTreeSet};
use tokio::time::Instant;

/// The instances the change names. Only `"*"` asks Amazon Connect.
pub(super) async fn instances(
    propagation: &Propagation<'_>,
    audited: AuditedChange<'_>,
) -> Result<Vec<Instance>, Failure> {
    match &audited.change.instances {
        Instances::Named(named) => Ok(named.clone()),
        Instances::All { .. } => in_lane(propagation, audited, &LaneName::home(audited.home)).await,
    }
}

/// What `"*"` means in a lane: its ACTIVE instances that carry every tag.
pub(super) async fn in_lane(
    propagation: &Propagation<'_>,
    audited: AuditedChange<'_>,
    lane: &LaneName,
) -> Result<Vec<Instance>, Failure> {
    match &audited.change.instances {
        Instances::Named(named) => Ok(named.clone()),
        Instances::All { tags } => {
            active(propagation, audited, lane, tags).await.map_err(|error| error.failure())
        }
    }
}

async fn active(
    propagation: &Propagation<'_>,
    audited: AuditedChange<'_>,
    name: &LaneName,
    tags: &BTreeMap<String, BTreeSet<String>>,
) -> Result<Vec<Instance>, CallError> {
    let call = propagation.call();
    let lane = propagation.connect.lane(&propagation.connect.lane_key(name, audited.home));
    let active = lane.active_instances(call).await?;
    let mut instances: Vec<_> = active.into_iter().map(|id| name.instance(id)).collect();
    if tags.is_empty() {
        return Ok(instances);
    }
    // an instance that the guardrail excludes gets no call, so nobody learns whether its tags match
    instances.retain(|instance| propagation.limits.guardrails.allows(instance));
    if !propagation.deadline.leaves(Instant::now(), lane.estimate_tags(instances.len())) {
        // fail before the first tag is read, so that the change can still be queued
        return Err(CallError::out_of_time());
    }
    let mut matching = Vec::new();
    for instance in instances {
        match lane.tags(&instance.id, call).await {
            Ok(has) if matches(tags, &has) => matching.push(instance),
            Ok(_) => {}
            // deleted since it was listed
            Err(error) if error.code == ErrorCode::ResourceNotFoundException => {}
            Err(error) => return Err(error),
        }
    }
    Ok(matching)
}

/// An instance must match every key, by any of its values.
fn matches(wanted: &BTreeMap<String, BTreeSet<String>>, has: &BTreeMap<String, String>) -> bool {
    wanted.iter().all(|(key, values)| has.get(key).is_some_and(|value| values.contains(value)))
}
