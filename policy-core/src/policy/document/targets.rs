//! Which instances and which scopes.

use super::super::field::Field;
use super::super::instance::{Instance, InstanceName};
use super::super::json::Json;
use super::super::reader::{Fields, Found};
use super::super::violation::{ViolationCode, join};
use super::super::violations::Violations;
use super::super::{Instances, PolicyChange, Rules, Scope};
use std::collections::{BTreeMap, BTreeSet};

/// The most targets in one document, before `"*"` is resolved (ours, not AWS's): over 8 minutes at the quota.
pub const MAX_TARGETS: usize = 1_000;
/// The same where a ledger remembers what is done, so that a change may take as long as it needs.
pub const MAX_GOVERNED_TARGETS: usize = 10_000;
/// The longest tag key ("Tag naming limits and requirements", Tagging AWS Resources user guide).
const MAX_TAG_KEY: usize = 128;

pub(super) fn read_instances(
    fields: &Fields<'_>,
    rules: &Rules,
    violations: &mut Violations,
) -> Option<Instances> {
    let forms = [Field::InstanceId, Field::InstanceIds];
    if !fields.has(|field| forms.contains(&field)) {
        let message = "must have `instanceId` (an id, an ARN, or `*`) or `instanceIds`";
        violations.add(fields.base(), ViolationCode::MissingInstance, message);
    }
    let mut selected = None;
    for (_, found) in fields.forms(forms, violations) {
        let selection = read_selection(found, rules, violations);
        selected = selected.or(Some(selection));
    }
    let tags = fields.value(Field::InstanceTags);
    match (selected, tags) {
        (Some(Instances::Named(named)), tags) => {
            if let Some(tags) = tags {
                let message = "is only allowed with `\"instanceId\": \"*\"`";
                violations.add(&tags.pointer, ViolationCode::InvalidTags, message);
            }
            Some(Instances::Named(named))
        }
        (selected, None) => selected,
        (selected, Some(tags)) => {
            let tags = read_tags(tags, violations);
            selected.map(|_| Instances::All { tags })
        }
    }
}

/// The instances of one field; `"*"` has no tags yet.
fn read_selection(found: &Found<'_>, rules: &Rules, violations: &mut Violations) -> Instances {
    let entries = found.one_or_many(violations);
    let count = entries.len();
    let mut named: Vec<Instance> = Vec::new();
    let mut seen = BTreeSet::new();
    for entry in entries {
        let Some(text) = entry.string(violations) else {
            continue;
        };
        if text == "*" {
            if count == 1 {
                return Instances::All { tags: BTreeMap::new() };
            }
            let message = "must be the only entry, because `*` means every instance";
            violations.add(&entry.pointer, ViolationCode::InvalidInstance, message);
            continue;
        }
        let instance = match InstanceName::parse(text) {
            Some(InstanceName::Id(id)) => rules.home.instance(id),
            Some(InstanceName::Arn(instance)) => {
                check_reachable(&entry.pointer, &instance, rules, violations);
                instance
            }
            None => {
                let message = "must be an instance id (a UUID), an instance ARN, or `*`";
                violations.add(&entry.pointer, ViolationCode::InvalidInstance, message);
                continue;
            }
        };
        if seen.insert(instance.clone()) {
            named.push(instance);
        }
    }
    Instances::Named(named)
}

/// An instance of another account needs a role there.
fn check_reachable(pointer: &str, instance: &Instance, rules: &Rules, violations: &mut Violations) {
    if let Some(account) = instance.account.filter(|_| !rules.reaches(instance)) {
        let message = format!("is in account {account}, for which CONNECT_ROLE_ARNS has no role");
        violations.add(pointer, ViolationCode::NoRoleForAccount, message);
    }
}

fn read_tags(found: &Found<'_>, violations: &mut Violations) -> BTreeMap<String, BTreeSet<String>> {
    let mut tags = BTreeMap::new();
    let Json::Object(entries) = found.value else {
        violations.wrong_type(&found.pointer, "an object of tag keys and values", found.value);
        return tags;
    };
    if entries.is_empty() {
        violations.add(&found.pointer, ViolationCode::InvalidTags, "must have at least one tag");
    }
    for (key, value) in entries {
        // no pointer to the key: the pointer of each of its values would repeat the long key
        let length = key.chars().count();
        if length > MAX_TAG_KEY {
            let message = format!("has a tag key of {length} characters; the limit is {MAX_TAG_KEY}");
            violations.add(&found.pointer, ViolationCode::InvalidTags, message);
            continue;
        }
        let entry = Found { pointer: join(&found.pointer, key), value };
        if tags.contains_key(key) {
            violations.add(
                entry.pointer,
                ViolationCode::DuplicateKey,
                "appears more than once; keep only one",
            );
            continue;
        }
        let values = entry.one_or_many(violations);
        let values = values.filter_map(|v| v.string(violations).map(str::to_owned)).collect();
        tags.insert(key.clone(), values);
    }
    tags
}

pub(super) fn read_scopes(fields: &Fields<'_>, violations: &mut Violations) -> Option<Vec<Scope>> {
    let forms = [Field::AttachmentScope, Field::AttachmentScopes];
    if !fields.has(|field| forms.contains(&field)) {
        let message = "must have `attachmentScope` (EMAIL, CHAT, CASE, TASK, or `*`) or `attachmentScopes`";
        violations.add(fields.base(), ViolationCode::MissingScope, message);
    }
    let mut scopes = None;
    for (_, found) in fields.forms(forms, violations) {
        let read = read_scopes_of(found, violations);
        scopes = scopes.or(Some(read));
    }
    scopes
}

/// The scopes of one field.
fn read_scopes_of(found: &Found<'_>, violations: &mut Violations) -> Vec<Scope> {
    let mut scopes: Vec<Scope> = Vec::with_capacity(Scope::ALL.len());
    let mut add = |scope: Scope| {
        if !scopes.contains(&scope) {
            scopes.push(scope);
        }
    };
    for entry in found.one_or_many(violations) {
        match entry.string(violations) {
            Some("*") => Scope::ALL.into_iter().for_each(&mut add),
            Some(text) => match Scope::parse(text) {
                Some(scope) => add(scope),
                None => violations.add(
                    &entry.pointer,
                    ViolationCode::InvalidScope,
                    "must be EMAIL, CHAT, CASE, TASK, or `*`",
                ),
            },
            None => {}
        }
    }
    scopes
}

/// The targets of a change, where `"*"` counts as one instance.
pub(super) fn count_targets(change: &PolicyChange) -> usize {
    let instances = match &change.instances {
        Instances::Named(named) => named.len(),
        Instances::All { .. } => 1,
    };
    instances * change.scopes.len()
}

pub(super) const fn max_targets(rules: &Rules) -> usize {
    if rules.governed { MAX_GOVERNED_TARGETS } else { MAX_TARGETS }
}

pub(super) fn too_many_targets(pointer: &str, targets: usize, rules: &Rules, violations: &mut Violations) {
    let limit = max_targets(rules);
    let message = format!("must have at most {limit} targets (instances × scopes), not {targets}");
    violations.add(pointer, ViolationCode::TooManyTargets, message);
}
