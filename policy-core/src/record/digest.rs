//! What tells two changes, and two plans, apart. The hashes are stored, so the texts below never change.

use super::{LaneName, RecordedResult, TargetName};
use crate::policy::{Configuration, ExtensionSet, Instances, MaxSize, PolicyChange};
use crate::report::OutcomeKind;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// SHA-256 in hexadecimal.
pub(super) fn hex(text: &str) -> String {
    let mut hex = String::with_capacity(64);
    for byte in Sha256::digest(text) {
        // writing to a String cannot fail
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

/// Of a serialisable text. The types below cannot fail to be one.
pub(super) fn hex_of(canonical: &impl Serialize) -> String {
    hex(&serde_json::to_string(canonical).unwrap_or_default())
}

/// What a change asks of which targets, in an order that does not depend on how it was written. What is not asked is
/// absent, so that a field which is new changes no hash of a change without it.
#[derive(Serialize)]
struct Asked<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    instances: Option<BTreeSet<String>>,
    /// Of accounts and Regions of which every instance is meant, unless it is the own one alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    places: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<&'a BTreeMap<String, BTreeSet<String>>>,
    scopes: BTreeSet<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<MaxSize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    extensions: Option<&'a ExtensionSet>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size_at_most: Option<MaxSize>,
    #[serde(skip_serializing_if = "ExtensionSet::is_empty")]
    add: &'a ExtensionSet,
    #[serde(skip_serializing_if = "ExtensionSet::is_empty")]
    remove: &'a ExtensionSet,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    enforce_guardrails: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    check_drift: bool,
}

impl<'a> Asked<'a> {
    fn of(change: &'a PolicyChange) -> Self {
        let (instances, places, tags) = match &change.instances {
            Instances::Named(named) => {
                let spelled =
                    named.iter().map(|instance| format!("{}#{}", LaneName::of(instance), instance.id));
                (Some(spelled.collect()), None, None)
            }
            Instances::All { places, tags } => {
                let spelled = || places.lanes().iter().map(LaneName::to_string).collect();
                (None, (!places.is_own()).then(spelled), Some(tags))
            }
        };
        Self {
            instances,
            places,
            tags,
            scopes: change.scopes.iter().map(|scope| scope.as_str()).collect(),
            size: change.values.max_size,
            extensions: change.values.extensions.as_ref(),
            size_at_most: change.adjustments.max_size_at_most,
            add: &change.adjustments.add,
            remove: &change.adjustments.remove,
            enforce_guardrails: change.adjustments.enforce_guardrails,
            check_drift: change.checks_drift,
        }
    }
}

/// The hash of targets and values, by which a record knows its change again. Conditions, dry run, `force`, reason and
/// ids do not count. The changes of a batch count in their order, and where only some of them are dry runs, which ones: a
/// request for all of them is another one.
pub fn hash_of(changes: &[PolicyChange]) -> String {
    let asked: Vec<_> = changes.iter().map(Asked::of).collect();
    let dry: Vec<_> = changes.iter().map(|change| change.dry_run).collect();
    if dry.contains(&true) && dry.contains(&false) { hex_of(&(asked, dry)) } else { hex_of(&asked) }
}

/// The hash of what a lane's part of a dry run found: target, outcome, before and after of each.
pub fn lane_hash(results: &[RecordedResult]) -> String {
    type Found<'a> = (OutcomeKind, Option<&'a Configuration>, Option<&'a Configuration>);
    let found: BTreeMap<&TargetName, Found<'_>> = results
        .iter()
        .map(|result| (&result.target, (result.outcome, result.before.as_ref(), result.after.as_ref())))
        .collect();
    let found = found.into_iter().map(|(target, found)| (target.to_string(), found));
    hex_of(&found.collect::<Vec<_>>())
}

/// The hash of a whole dry run, from those of its lanes: what a caller names to have exactly this plan applied.
pub fn plan_hash<'a>(lanes: impl Iterator<Item = (&'a LaneName, &'a str)>) -> String {
    let lanes: BTreeMap<String, &str> = lanes.map(|(lane, hash)| (lane.to_string(), hash)).collect();
    hex_of(&lanes)
}
