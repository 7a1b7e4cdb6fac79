//! Several policy changes: `{"changes": […]}`.

use super::super::change_id;
use super::super::field::{Field, ObjectKind};
use super::super::json::Json;
use super::super::reader::Fields;
use super::super::violation::ViolationCode;
use super::super::violations::Violations;
use super::super::{PolicyChange, Rules};
use super::change::read_change_id;
use super::overlap::report_overlaps;
use super::stop_after::refuse_within_batch;
use super::targets::{count_targets, max_targets, too_many_targets};
use super::{Defaults, Form, change};

/// The most changes in one document (ours, not AWS's).
pub const MAX_CHANGES: usize = 100;

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
        // an id that came from the trigger is not part of the document, so the pointer is empty
        let pointer = fields.value(Field::ChangeId).map_or("", |found| &found.pointer);
        violations.add(pointer, ViolationCode::InvalidChangeId, message);
    }
    let mut changes = Vec::with_capacity(count.min(MAX_CHANGES));
    for (index, entry) in entries.enumerate() {
        // further violations would not be listed
        if violations.has_overflowed() {
            return None;
        }
        refuse_within_batch(&entry, violations);
        let change_id = base.of_index(index).unwrap_or_else(|| base.clone());
        let defaults = Defaults { change_id, ..*defaults };
        let read = change::read(&entry.pointer, entry.value, &Form::Submission, &defaults, rules, violations);
        changes.extend(read.map(|change| (entry.pointer, change)));
    }
    let mut counts = changes.iter().map(|(_, change)| count_targets(change));
    let targets: usize = counts.clone().sum();
    // a single change with too many targets is reported already
    let limit = max_targets(rules);
    if targets > limit && counts.all(|alone| alone <= limit) {
        too_many_targets(&list.pointer, targets, rules, violations);
    }
    report_overlaps(&changes, violations);
    Some(changes.into_iter().map(|(_, change)| change).collect())
}
