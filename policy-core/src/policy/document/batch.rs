//! Several policy changes: `{"changes": […]}`.

use super::super::change_id;
use super::super::field::{Field, ObjectKind};
use super::super::json::Json;
use super::super::reader::Fields;
use super::super::violation::ViolationCode;
use super::super::violations::Violations;
use super::super::{Instances, PolicyChange, Rules};
use super::change::read_change_id;
use super::overlap::report_overlaps;
use super::{Defaults, Form, change};

/// The most changes in one document (ours, not AWS's).
pub const MAX_CHANGES: usize = 100;
/// The most targets in one document, before `"*"` is resolved (ours, not AWS's): over 8 minutes at the quota.
pub const MAX_TARGETS: usize = 1_000;
/// The same where a ledger remembers what is done, so that a change may take as long as it needs.
pub const MAX_GOVERNED_TARGETS: usize = 10_000;

pub(super) fn read(
    json: &Json,
    defaults: &Defaults,
    rules: &Rules,
    violations: &mut Violations,
) -> Option<Vec<PolicyChange>> {
    let fields = Fields::read("", json, ObjectKind::Batch, violations)?;
    let base = read_change_id(&fields, defaults, rules, violations);
    let list = fields.value(Field::Changes)?;
    let Some(entries) = list.entries() else {
        violations.wrong_type(&list.pointer, "an array of policy changes", list.value);
        return None;
    };
    let count = entries.len();
    if count == 0 {
        violations.add(&list.pointer, ViolationCode::EmptyList, "must have at least one policy change");
    } else if count > MAX_CHANGES {
        let message = format!("must have at most {MAX_CHANGES} policy changes, not {count}");
        violations.add(&list.pointer, ViolationCode::TooManyEntries, message);
    }
    let last_index = count.clamp(1, MAX_CHANGES) - 1;
    if base.of_index(last_index).is_none() {
        let limit = change_id::MAX_LENGTH;
        let message = format!("must be at most {limit} characters, including the suffix `/{last_index}`");
        // the trigger's own id is not part of the document, so there is nothing to point at
        let pointer = fields.value(Field::ChangeId).map_or("", |found| &found.pointer);
        violations.add(pointer, ViolationCode::InvalidChangeId, message);
    }
    let mut changes = Vec::with_capacity(count.min(MAX_CHANGES));
    for (index, entry) in entries.enumerate() {
        // no further violation would be listed
        if violations.has_overflowed() {
            return None;
        }
        let change_id = base.of_index(index).unwrap_or_else(|| base.clone());
        let defaults = Defaults { change_id, ..*defaults };
        let read = change::read(&entry.pointer, entry.value, &Form::Submission, &defaults, rules, violations);
        changes.extend(read.map(|change| (entry.pointer, change)));
    }
    let mut counts = changes.iter().map(|(_, change)| count_targets(change));
    let targets: usize = counts.clone().sum();
    // a change that has too many alone is a violation already
    let limit = max_targets(rules);
    if targets > limit && counts.all(|alone| alone <= limit) {
        too_many_targets(&list.pointer, targets, rules, violations);
    }
    report_overlaps(&changes, violations);
    Some(changes.into_iter().map(|(_, change)| change).collect())
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
