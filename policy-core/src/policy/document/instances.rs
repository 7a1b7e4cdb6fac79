//! Which instances: by id or ARN, or whole accounts and Regions.

use super::super::field::Field;
use super::super::instance::{Instance, InstanceName};
use super::super::json::Json;
use super::super::reader::{Fields, Found};
use super::super::selector::{NoPlace, Selected, Selector};
use super::super::violation::{ViolationCode, join};
use super::super::violations::Violations;
use super::super::{Instances, Rules};
use super::targets::max_targets;
use std::collections::{BTreeMap, BTreeSet};

/// The longest tag key ("Tag naming limits and requirements", Tagging AWS Resources user guide).
const MAX_TAG_KEY: usize = 128;

/// The instances of a change, and how many they count as.
pub(super) struct Read {
    pub(super) instances: Instances,
    pub(super) count: usize,
}

pub(super) fn read_instances(
    fields: &Fields<'_>,
    rules: &Rules,
    violations: &mut Violations,
) -> Option<Read> {
    let forms = [Field::InstanceId, Field::InstanceIds];
    if !fields.has(|field| forms.contains(&field)) {
        let message = "must have `instanceId` (an id, an ARN, or `*`) or `instanceIds`";
        violations.add(fields.base(), ViolationCode::MissingInstance, message);
    }
    let mut selection = None;
    for (_, found) in fields.forms(forms, violations) {
        let read = read_selection(found, rules, violations);
        selection = selection.or(Some(read));
    }
    let tags = fields.value(Field::InstanceTags);
    match (selection, tags) {
        (Some(Selection::Named(named)), tags) => {
            if let Some(tags) = tags {
                let message = "is only allowed with `*`, or with whole accounts and Regions";
                violations.add(&tags.pointer, ViolationCode::InvalidTags, message);
            }
            Some(Read { count: named.len(), instances: Instances::Named(named) })
        }
        (selection, tags) => {
            let tags = tags.map(|tags| read_tags(tags, violations)).unwrap_or_default();
            let Some(Selection::All(selected)) = selection else { return None };
            let count = selected.count(rules);
            let places = selected.into_places(rules, max_targets(rules));
            Some(Read { instances: Instances::All { places, tags }, count })
        }
    }
}

/// The instances of one field.
enum Selection {
    Named(Vec<Instance>),
    All(Selected),
}

/// One entry of a field.
enum Entry {
    One(Instance),
    /// `"*"`.
    Own,
    Places(Selector),
}

fn read_selection(found: &Found<'_>, rules: &Rules, violations: &mut Violations) -> Selection {
    let mut named: Vec<Instance> = Vec::new();
    let mut seen = BTreeSet::new();
    let mut selected = Selected::default();
    let mut first_of_all = None;
    for entry in found.one_or_many(violations) {
        let Some(text) = entry.string(violations) else {
            continue;
        };
        match read_entry(text, rules) {
            Some(Entry::One(instance)) => {
                check_reachable(&entry.pointer, &instance, rules, violations);
                if seen.insert(instance.clone()) {
                    named.push(instance);
                }
            }
            Some(Entry::Own) => {
                selected.add_own(rules);
                first_of_all.get_or_insert(entry.pointer);
            }
            Some(Entry::Places(selector)) => {
                if let Err(why) = selected.add(selector, rules) {
                    violations.add(&entry.pointer, code_of(&why), why.to_string());
                }
                first_of_all.get_or_insert(entry.pointer);
            }
            None => {
                let message = "must be an instance id (a UUID), an instance ARN, `*`, or \
                    `arn:aws:connect:{region}:{account}:instance/*`, where Region and account may be `*`";
                violations.add(&entry.pointer, ViolationCode::InvalidInstance, message);
            }
        }
    }
    match first_of_all {
        None => Selection::Named(named),
        Some(_) if named.is_empty() => Selection::All(selected),
        Some(pointer) => {
            let message = "means every instance there, so no single instance may stand beside it; \
                send those as another change";
            violations.add(pointer, ViolationCode::InvalidInstance, message);
            Selection::Named(named)
        }
    }
}

fn read_entry(text: &str, rules: &Rules) -> Option<Entry> {
    if text == "*" {
        return Some(Entry::Own);
    }
    match InstanceName::parse(text) {
        Some(InstanceName::Id(id)) => Some(Entry::One(rules.home.instance(id))),
        Some(InstanceName::Arn(instance)) => Some(Entry::One(instance)),
        None => Selector::parse(text).map(Entry::Places),
    }
}

const fn code_of(why: &NoPlace) -> ViolationCode {
    match why {
        NoPlace::NoRole(_) => ViolationCode::NoRoleForAccount,
        NoPlace::NoRegion(_) | NoPlace::UnknownAccount => ViolationCode::InvalidInstance,
    }
}

/// An instance of another account needs a role there.
fn check_reachable(pointer: &str, instance: &Instance, rules: &Rules, violations: &mut Violations) {
    if let Some(account) = instance.account.filter(|_| !rules.reaches(instance)) {
        let message = NoPlace::NoRole(account).to_string();
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
