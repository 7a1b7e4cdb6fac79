//! Which instances and which scopes.

use super::super::instance::{Instance, InstanceName};
use super::super::json::Json;
use super::super::reader::{Fields, Found, Problems};
use super::super::violation::{ViolationCode, join};
use super::super::{Instances, Rules, Scope};
use std::collections::{BTreeMap, BTreeSet};

/// The longest tag key ("Tag naming limits and requirements", Tagging AWS Resources user guide).
const MAX_TAG_KEY: usize = 128;

pub(super) fn read_instances(
    fields: &Fields<'_>,
    rules: &Rules,
    problems: &mut Problems,
) -> Option<Instances> {
    let forms = ["instanceId", "instanceIds"];
    if forms.iter().all(|name| fields.get(name).is_none()) {
        let message = "must have `instanceId` (an id, an ARN, or `*`) or `instanceIds`";
        problems.add(fields.base(), ViolationCode::MissingInstance, message);
    }
    let mut selected = None;
    for (_, found) in fields.forms(forms, problems) {
        selected = selected.or(read_selection(found, rules, problems));
    }
    let tags = fields.value("instanceTags");
    match (selected, tags) {
        (Some(Instances::Named(named)), tags) => {
            if let Some(tags) = tags {
                let message = "is only allowed with `\"instanceId\": \"*\"`";
                problems.add(&tags.pointer, ViolationCode::InvalidTags, message);
            }
            Some(Instances::Named(named))
        }
        (selected, None) => selected,
        (selected, Some(tags)) => {
            let tags = read_tags(tags, problems);
            selected.map(|_| Instances::All { tags })
        }
    }
}

/// The instances of one field; those of `"*"` have no tags yet. `None`: null.
fn read_selection(found: &Found<'_>, rules: &Rules, problems: &mut Problems) -> Option<Instances> {
    if matches!(found.value, Json::Null) {
        return None;
    }
    let entries = found.one_or_many(problems);
    let count = entries.len();
    let mut named: Vec<Instance> = Vec::new();
    let mut seen = BTreeSet::new();
    for entry in entries {
        let Some(text) = entry.string(problems) else {
            continue;
        };
        if text == "*" {
            if count == 1 {
                return Some(Instances::All { tags: BTreeMap::new() });
            }
            let message = "must be the only entry, because `*` means every instance";
            problems.add(&entry.pointer, ViolationCode::InvalidInstance, message);
            continue;
        }
        let instance = match InstanceName::parse(text) {
            Some(InstanceName::Id(id)) => rules.home.instance(id),
            Some(InstanceName::Arn(instance)) => {
                check_reachable(&entry.pointer, &instance, rules, problems);
                instance
            }
            None => {
                let message = "must be an instance id (a UUID), an instance ARN, or `*`";
                problems.add(&entry.pointer, ViolationCode::InvalidInstance, message);
                continue;
            }
        };
        if seen.insert(instance.clone()) {
            named.push(instance);
        }
    }
    Some(Instances::Named(named))
}

/// An instance of another account needs a role there.
fn check_reachable(pointer: &str, instance: &Instance, rules: &Rules, problems: &mut Problems) {
    if let Some(account) = instance.account.filter(|_| !rules.reaches(instance)) {
        let message = format!("is in account {account}, for which CONNECT_ROLE_ARNS has no role");
        problems.add(pointer, ViolationCode::NoRoleForAccount, message);
    }
}

fn read_tags(found: &Found<'_>, problems: &mut Problems) -> BTreeMap<String, BTreeSet<String>> {
    let mut tags = BTreeMap::new();
    let Json::Object(entries) = found.value else {
        problems.wrong_type(&found.pointer, "an object of tag keys and values", found.value);
        return tags;
    };
    if entries.is_empty() {
        problems.add(&found.pointer, ViolationCode::InvalidTags, "must have at least one tag");
    }
    for (key, value) in entries {
        // the long key is not put into a pointer either, since the pointer of each of its values would repeat
        // it
        let length = key.chars().count();
        if length > MAX_TAG_KEY {
            let message = format!("has a tag key of {length} characters; the limit is {MAX_TAG_KEY}");
            problems.add(&found.pointer, ViolationCode::InvalidTags, message);
            continue;
        }
        let entry = Found { pointer: join(&found.pointer, key), value };
        if tags.contains_key(key) {
            problems.add(entry.pointer, ViolationCode::DuplicateKey, "appears more than once; keep only one");
            continue;
        }
        let values = entry.one_or_many(problems);
        let values = values.filter_map(|v| v.string(problems).map(str::to_owned)).collect();
        tags.insert(key.clone(), values);
    }
    tags
}

pub(super) fn read_scopes(fields: &Fields<'_>, problems: &mut Problems) -> Option<Vec<Scope>> {
    let forms = ["attachmentScope", "attachmentScopes"];
    if forms.iter().all(|name| fields.get(name).is_none()) {
        let message = "must have `attachmentScope` (EMAIL, CHAT, CASE, TASK, or `*`) or `attachmentScopes`";
        problems.add(fields.base(), ViolationCode::MissingScope, message);
    }
    let mut scopes = None;
    for (_, found) in fields.forms(forms, problems) {
        scopes = scopes.or(read_scopes_of(found, problems));
    }
    scopes
}

/// The scopes of one field. `None`: null.
fn read_scopes_of(found: &Found<'_>, problems: &mut Problems) -> Option<Vec<Scope>> {
    if matches!(found.value, Json::Null) {
        return None;
    }
    let mut scopes: Vec<Scope> = Vec::with_capacity(Scope::ALL.len());
    let mut add = |scope: Scope| {
        if !scopes.contains(&scope) {
            scopes.push(scope);
        }
    };
    for entry in found.one_or_many(problems) {
        match entry.string(problems) {
            Some("*") => Scope::ALL.into_iter().for_each(&mut add),
            Some(text) => match Scope::parse(text) {
                Some(scope) => add(scope),
                None => problems.add(
                    &entry.pointer,
                    ViolationCode::InvalidScope,
                    "must be EMAIL, CHAT, CASE, TASK, or `*`",
                ),
            },
            None => {}
        }
    }
    Some(scopes)
}
