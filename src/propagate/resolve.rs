//! From `"*"` to instances.

use super::Propagation;
use crate::audit::AuditedChange;
use crate::connect::{CallError, Cause};
use policy_core::decision;
use policy_core::policy::{Instance, Instances};
use policy_core::report::{Failure, FailureKind};
use std::collections::{BTreeMap, BTreeSet};
use tokio::time::Instant;

/// The instances the change names. Only `"*"` asks Amazon Connect.
pub(super) async fn instances(
    propagation: &Propagation<'_>,
    audited: AuditedChange<'_>,
) -> Result<Vec<Instance>, Failure> {
    match &audited.change.instances {
        Instances::Named(named) => Ok(named.clone()),
        Instances::All { tags } => active(propagation, audited, tags).await.map_err(|error| failure(&error)),
    }
}

async fn active(
    propagation: &Propagation<'_>,
    audited: AuditedChange<'_>,
    tags: &BTreeMap<String, BTreeSet<String>>,
) -> Result<Vec<Instance>, CallError> {
    let until = propagation.deadline.calls();
    let lane = propagation.connect.lane(&propagation.connect.home_key(audited.home));
    let active = lane.active_instances(until).await?;
    let mut instances: Vec<_> =
        active.into_iter().map(|(id, arn)| (audited.home.instance(id), arn)).collect();
    if tags.is_empty() {
        return Ok(instances.into_iter().map(|(instance, _)| instance).collect());
    }
    // an instance that the guardrail excludes gets no call, so nobody learns whether its tags match
    instances.retain(|(instance, _)| propagation.guardrails.allows(instance));
    if !propagation.deadline.leaves(Instant::now(), lane.estimate_tags(instances.len())) {
        // known before the first of them, so that the change can still be queued
        return Err(CallError::out_of_time());
    }
    let mut matching = Vec::new();
    for (instance, arn) in instances {
        if matches(tags, &lane.tags(&arn, until).await?) {
            matching.push(instance);
        }
    }
    Ok(matching)
}

/// An instance must match every key, by any of its values.
fn matches(wanted: &BTreeMap<String, BTreeSet<String>>, has: &BTreeMap<String, String>) -> bool {
    wanted.iter().all(|(key, values)| has.get(key).is_some_and(|value| values.contains(value)))
}

/// A call's error as a target's failure.
pub(super) fn failure(error: &CallError) -> Failure {
    let because = match error.cause {
        Cause::InvalidParameter => FailureKind::InvalidValues,
        Cause::NotFound => FailureKind::NotFound,
        Cause::Throttled => FailureKind::Throttled,
        Cause::Deadline => FailureKind::NoAnswer,
        Cause::AccessDenied | Cause::Credentials | Cause::Internal | Cause::Transport | Cause::Refused => {
            FailureKind::Upstream
        }
    };
    if error.cause == Cause::Deadline && error.attempts == 0 {
        return decision::no_time();
    }
    Failure {
        because,
        code: error.code.clone(),
        message: error.cause.message().to_owned(),
        retryable: error.cause.is_retryable(),
        detail: Some(error.detail.clone()),
    }
}
