//! Values relative to what each target holds.

use super::super::field::Field;
use super::super::json::Json;
use super::super::reader::{Fields, Found, conflict};
use super::super::violation::ViolationCode;
use super::super::violations::Violations;
use super::super::{Adjustments, ExtensionSet, MaxSize, Rules};
use super::values::{read_list, warn_of_small};

pub(super) fn read_adjustments(
    fields: &Fields<'_>,
    rules: &Rules,
    violations: &mut Violations,
    warnings: &mut Violations,
) -> Adjustments {
    let max_size_at_most = read_limit(fields, violations, warnings);
    let add = read_names(fields, Field::AddExtensions, violations);
    let remove = read_names(fields, Field::RemoveExtensions, violations);
    let both: Vec<_> =
        add.iter().filter(|name| remove.contains(name)).map(|name| format!("`{name}`")).collect();
    if let (Some(found), [_, ..]) = (fields.value(Field::RemoveExtensions), both.as_slice()) {
        let message =
            format!("has {} in common with `addExtensions`; keep each in only one", both.join(", "));
        violations.add(&found.pointer, ViolationCode::ConflictingFields, message);
    }
    let enforce_guardrails = fields.value(Field::EnforceGuardrails).is_some_and(|found| {
        let is_set = found.boolean(violations).unwrap_or(false);
        if is_set && !rules.can_enforce_guardrails {
            let message =
                "needs a guardrail: POLICY_BLOCKED_EXTENSIONS and POLICY_MAX_SIZE_BYTES are not set";
            violations.add(&found.pointer, ViolationCode::NoGuardrails, message);
        }
        is_set
    });
    Adjustments { max_size_at_most, add, remove, enforce_guardrails }
}

/// A size in bytes or with a unit. The limit of EMAIL does not apply, because it can only lower a size.
fn read_limit(
    fields: &Fields<'_>,
    violations: &mut Violations,
    warnings: &mut Violations,
) -> Option<MaxSize> {
    let absolute = [Field::MaximumSizeLimitInBytes, Field::MaximumSize];
    let found = alone(fields, Field::MaximumSizeAtMost, absolute, violations)?;
    let size = match found.value {
        Json::Integer(bytes) => MaxSize::from_bytes(*bytes),
        Json::Float(bytes) => MaxSize::from_float(*bytes),
        Json::String(text) if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) => {
            MaxSize::from_digits(text)
        }
        Json::String(text) => MaxSize::from_units(text),
        other => {
            violations.wrong_type(&found.pointer, "a number of bytes or a string such as `10 MB`", other);
            return None;
        }
    };
    let size = violations.keep(&found.pointer, size)?;
    warn_of_small(size, found, warnings);
    Some(size)
}

fn read_names(fields: &Fields<'_>, field: Field, violations: &mut Violations) -> ExtensionSet {
    let absolute = [Field::AllowedExtensions, Field::ExtensionConfiguration];
    let Some(found) = alone(fields, field, absolute, violations) else { return ExtensionSet::default() };
    if matches!(found.value, Json::Array(entries) if entries.is_empty()) {
        violations.add(&found.pointer, ViolationCode::EmptyList, "must have at least one entry");
    }
    read_list(found, violations).unwrap_or_default()
}

/// The relative field. An absolute form of the same value beside it is a violation: both cannot hold.
fn alone<'f, 'j>(
    fields: &'f Fields<'j>,
    field: Field,
    absolute: [Field; 2],
    violations: &mut Violations,
) -> Option<&'f Found<'j>> {
    let found = fields.get(field)?;
    if let Some(first) = absolute.into_iter().find_map(|form| fields.get(form)) {
        violations.add(&found.pointer, ViolationCode::ConflictingFields, conflict(first));
    }
    fields.value(field)
}
