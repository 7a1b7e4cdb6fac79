//! From whole accounts and Regions to instances.

use super::Propagation;
use crate::audit::AuditedChange;
use crate::connect::CallError;
use futures_util::future::join_all;
use policy_core::failure::{ErrorCode, Failure};
use policy_core::policy::{Instance, Instances};
use policy_core::record::LaneName;
use std::collections::{BTreeMap, BTreeSet};
use tokio::time::Instant;

/// A change's instances, and where nobody could find out which there are.
#[derive(Debug)]
pub struct Resolved {
    instances: Vec<Instance>,
    unresolved: Vec<(LaneName, Failure)>,
}

impl Resolved {
    /// Whether instances may be missing.
    pub const fn failed(&self) -> bool {
        !self.unresolved.is_empty()
    }

    /// The instances that are known.
    pub fn instances(&self) -> &[Instance] {
        &self.instances
    }

    /// How many of them there are.
    pub const fn count(&self) -> usize {
        self.instances.len()
    }

    /// Where instances may be missing, and why.
    pub(super) fn unresolved(&self) -> &[(LaneName, Failure)] {
        &self.unresolved
    }
}

/// The instances the change names. Where every one is meant, Amazon Connect is asked: each account and Region by itself,
/// side by side, so that one which does not answer keeps no other back.
pub(super) async fn instances(propagation: &Propagation<'_>, audited: AuditedChange<'_>) -> Resolved {
    let mut resolved = Resolved { instances: Vec::new(), unresolved: Vec::new() };
    match &audited.change.instances {
        Instances::Named(named) => resolved.instances.clone_from(named),
        Instances::All { places, tags } => {
            let asked = places.lanes().iter().map(|lane| active(propagation, audited, lane, tags));
            for (lane, active) in places.lanes().iter().zip(join_all(asked).await) {
                match active {
                    Ok(active) => resolved.instances.extend(active),
                    Err(error) => resolved.unresolved.push((lane.clone(), error.failure())),
                }
            }
        }
    }
    resolved
}

/// Which instances there are in a lane of which every one is meant: its ACTIVE ones that carry every tag.
pub(super) async fn in_lane(
    propagation: &Propagation<'_>,
    audited: AuditedChange<'_>,
    lane: &LaneName,
) -> Result<Vec<Instance>, Failure> {
    match &audited.change.instances {
        Instances::Named(named) => Ok(named.clone()),
        Instances::All { tags, .. } => {
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

/// Why nothing was done, and everything went well.
pub(super) fn no_instance(instances: &Instances) -> &'static str {
    match instances {
        Instances::All { places, tags } if places.is_own() && !tags.is_empty() => {
            "no ACTIVE instance in this account and Region has these tags, so nothing was changed"
        }
        Instances::All { places, tags } if !places.is_own() && tags.is_empty() => {
            "there is no ACTIVE instance in these accounts and Regions, so nothing was changed"
        }
        Instances::All { places, .. } if !places.is_own() => {
            "no ACTIVE instance in these accounts and Regions has these tags, so nothing was changed"
        }
        Instances::All { .. } | Instances::Named(_) => {
            "`*` matches no ACTIVE instance in this account and Region, so nothing was changed"
        }
    }
}
