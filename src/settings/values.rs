//! What a variable's text has to be.

use policy_core::aws::{AccountId, Partition, RegionName, RoleArn};
use policy_core::origin::TriggerKind;
use policy_core::policy::InstanceName;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A list's entries. An empty list (`,`) is an error: treating it as unset would lift the limit it is meant
/// to set.
pub(super) fn entries(list: &str) -> Result<impl Iterator<Item = &str>, String> {
    let entries = list.split(',').map(str::trim).filter(|entry| !entry.is_empty());
    if entries.clone().next().is_none() {
        return Err(format!("has no entries: `{list}`"));
    }
    Ok(entries)
}

pub(super) fn triggers(list: &str) -> Result<BTreeSet<TriggerKind>, String> {
    let known = |name| {
        let kind = TriggerKind::ALL.iter().copied().find(|kind| kind.name() == name);
        kind.ok_or_else(|| {
            let all: Vec<_> = TriggerKind::ALL.iter().map(|kind| kind.name()).collect();
            format!("has the unknown trigger `{name}`; use one of {}", all.join(", "))
        })
    };
    entries(list)?.map(known).collect()
}

pub(super) fn instances(list: &str) -> Result<Vec<InstanceName>, String> {
    let known = |text| {
        InstanceName::parse(text).ok_or_else(|| format!("has `{text}`, which is not an instance id or ARN"))
    };
    entries(list)?.map(known).collect()
}

pub(super) fn boolean(text: &str) -> Result<bool, String> {
    match text {
        "true" => Ok(true),
        "false" => Ok(false),
        other => Err(format!("must be `true` or `false`, not `{other}`")),
    }
}

pub(super) fn rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if (0.01..=1_000.0).contains(&rate) => Ok(rate),
        _ => Err(format!("must be 0.01 to 1000 calls per second, not `{text}`")),
    }
}

pub(super) fn within(text: &str, low: u32, high: u32) -> Result<u32, String> {
    match text.parse() {
        Ok(number) if (low..=high).contains(&number) => Ok(number),
        _ => Err(format!("must be {low} to {high}, not `{text}`")),
    }
}

pub(super) fn roles(list: &str) -> Result<BTreeMap<AccountId, RoleArn>, String> {
    let mut roles = BTreeMap::new();
    for entry in entries(list)? {
        let role = RoleArn::parse(entry).ok_or_else(|| format!("has `{entry}`, which is not a role ARN"))?;
        let account = role.account();
        if roles.insert(account, role).is_some() {
            return Err(format!("has two roles for account {account}"));
        }
    }
    Ok(roles)
}

/// A table's name or ARN ("Naming rules", Amazon DynamoDB developer guide).
pub(super) fn table_name(name: &str) -> Result<String, String> {
    let is_name = |name: &str| {
        (3..=255).contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
    };
    let own =
        name.strip_prefix("arn:").and_then(|arn| arn.rsplit_once(":table/")).map_or(name, |(_, own)| own);
    if is_name(own) { Ok(name.to_owned()) } else { Err(format!("must be the name of a table, not `{name}`")) }
}

/// An event bus's name or ARN ("`PutEventsRequestEntry`", Amazon EventBridge API).
pub(super) fn bus_name(name: &str) -> Result<String, String> {
    let own = name
        .strip_prefix("arn:")
        .and_then(|arn| arn.split_once(":event-bus/").filter(|(of, _)| of.contains(":events:")))
        .map_or(name, |(_, own)| own);
    let is_name = (1..=256).contains(&own.len())
        && own.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte));
    if is_name { Ok(name.to_owned()) } else { Err(format!("must be the name of an event bus, not `{name}`")) }
}

pub(super) fn queue_url(url: &str) -> Result<String, String> {
    if url.starts_with("https://") || url.starts_with("http://") {
        Ok(url.to_owned())
    } else {
        Err(format!("must be a queue URL, not `{url}`"))
    }
}

/// Regions, all of the partition that the function runs in: credentials are of one partition only.
pub(super) fn regions(list: &str, own: Option<&RegionName>) -> Result<Arc<[RegionName]>, String> {
    let mut regions = BTreeSet::new();
    let (mut unknown, mut elsewhere) = (Vec::new(), Vec::new());
    for entry in entries(list)? {
        match RegionName::parse(entry) {
            None => unknown.push(format!("`{entry}`")),
            Some(region) if own.is_some_and(|own| own.partition() != region.partition()) => {
                elsewhere.push(format!("`{region}`"));
            }
            Some(region) => {
                regions.insert(region);
            }
        }
    }
    let partition = own.map_or(Partition::Aws, RegionName::partition);
    let mut wrong = Vec::new();
    if !unknown.is_empty() {
        wrong.push(format!("has {}, which is not the name of a Region", unknown.join(", ")));
    }
    if !elsewhere.is_empty() {
        wrong.push(format!(
            "has {}, which is not in partition `{partition}` as AWS_REGION is",
            elsewhere.join(", ")
        ));
    }
    if wrong.is_empty() { Ok(regions.into_iter().collect()) } else { Err(wrong.join(", and ")) }
}
