//! Absolute values: the size and the extensions that a target is to hold.

use super::super::field::{Field, ObjectKind};
use super::super::json::Json;
use super::super::reader::{Fields, Found};
use super::super::size::{DOCUMENTED_MINIMUM, MAX_EMAIL_SIZE};
use super::super::violation::ViolationCode;
use super::super::violations::Violations;
use super::super::{ExtensionSet, MAX_EXTENSIONS, MaxSize, Rules, Scope, Values};

pub(super) fn read_values(
    fields: &Fields<'_>,
    scopes: &[Scope],
    rules: &Rules,
    violations: &mut Violations,
    warnings: &mut Violations,
) -> Values {
    let asks = |(field, found): (Field, &Found<'_>)| {
        field.is_value() && !(field == Field::EnforceGuardrails && matches!(found.value, Json::Bool(false)))
    };
    if !fields.iter().any(asks) {
        let message = "must have a size (`maximumSizeLimitInBytes`, `maximumSize` or `maximumSizeAtMost`), \
            extensions (`allowedExtensions`, `addExtensions` or `removeExtensions`), or `enforceGuardrails`";
        violations.add(fields.base(), ViolationCode::MissingValues, message);
    }
    let (mut max_size, mut extensions) = (None, None);
    for (form, found) in fields.forms([Field::MaximumSizeLimitInBytes, Field::MaximumSize], violations) {
        let read = read_size(form, found, violations);
        if let Some(size) = read {
            check_size(size, found, scopes, violations, warnings);
        }
        max_size = max_size.or(read);
    }
    for (form, found) in fields.forms([Field::AllowedExtensions, Field::ExtensionConfiguration], violations) {
        let read = match form {
            Field::ExtensionConfiguration => read_configuration(found, rules, violations),
            _ => read_extensions(found, rules, violations),
        };
        extensions = extensions.or(read);
    }
    Values { max_size, extensions }
}

/// A size in bytes, or with a unit.
fn read_size(form: Field, found: &Found<'_>, violations: &mut Violations) -> Option<MaxSize> {
    let size = match (form, found.value) {
        (Field::MaximumSize, Json::String(text)) => MaxSize::from_units(text),
        (Field::MaximumSize, other) => {
            violations.wrong_type(&found.pointer, "a string such as `10 MB`", other);
            return None;
        }
        (_, Json::Integer(bytes)) => MaxSize::from_bytes(*bytes),
        (_, Json::Float(bytes)) => MaxSize::from_float(*bytes),
        (_, Json::String(digits)) => MaxSize::from_digits(digits),
        (_, other) => {
            violations.wrong_type(&found.pointer, "a number of bytes", other);
            return None;
        }
    };
    violations.keep(&found.pointer, size)
}

/// Compares a size with the limit of EMAIL, and with the documented minimum.
fn check_size(
    size: MaxSize,
    found: &Found<'_>,
    scopes: &[Scope],
    violations: &mut Violations,
    warnings: &mut Violations,
) {
    let bytes = size.bytes();
    if scopes.contains(&Scope::Email) && bytes > MAX_EMAIL_SIZE {
        let message =
            format!("must be at most {MAX_EMAIL_SIZE} bytes (20 MB) when a scope is EMAIL, not {bytes}");
        violations.add(&found.pointer, ViolationCode::SizeTooLargeForEmail, message);
    }
    warn_of_small(size, found, warnings);
}

pub(super) fn warn_of_small(size: MaxSize, found: &Found<'_>, warnings: &mut Violations) {
    let bytes = size.bytes();
    if bytes < DOCUMENTED_MINIMUM {
        let message = format!(
            "is {bytes} bytes, below the documented minimum of 1 MB ({DOCUMENTED_MINIMUM} bytes); check the unit"
        );
        warnings.add(&found.pointer, ViolationCode::SizeBelowDocumentedRange, message);
    }
}

/// The API's own form: an object around the list.
fn read_configuration(found: &Found<'_>, rules: &Rules, violations: &mut Violations) -> Option<ExtensionSet> {
    let fields = Fields::read(&found.pointer, found.value, ObjectKind::ExtensionConfiguration, violations)?;
    if !fields.has(|field| field == Field::AllowedExtensions) {
        violations.add(&found.pointer, ViolationCode::MissingValues, "must have `allowedExtensions`");
    }
    read_extensions(fields.value(Field::AllowedExtensions)?, rules, violations)
}

/// A list of extensions that replaces the target's.
fn read_extensions(list: &Found<'_>, rules: &Rules, violations: &mut Violations) -> Option<ExtensionSet> {
    let extensions = read_list(list, violations)?;
    if matches!(list.value, Json::Array(entries) if entries.is_empty()) && !rules.allow_empty_extensions {
        let message =
            "must not be empty: that may block every attachment (POLICY_ALLOW_EMPTY_EXTENSIONS allows it)";
        violations.add(&list.pointer, ViolationCode::EmptyExtensionList, message);
    }
    Some(extensions)
}

/// The valid extensions of a list.
pub(super) fn read_list(list: &Found<'_>, violations: &mut Violations) -> Option<ExtensionSet> {
    let Some(entries) = list.entries() else {
        violations.wrong_type(&list.pointer, "an array of extensions", list.value);
        return None;
    };
    let count = entries.len();
    if count > MAX_EXTENSIONS {
        let message = format!("must have at most {MAX_EXTENSIONS} extensions, not {count}");
        violations.add(&list.pointer, ViolationCode::TooManyEntries, message);
    }
    let mut set = ExtensionSet::default();
    for entry in entries {
        read_extension(&entry, &mut set, violations);
    }
    Some(set)
}

/// `"pdf"`, or the API's own `{"Extension": "pdf"}`.
fn read_extension(entry: &Found<'_>, set: &mut ExtensionSet, violations: &mut Violations) {
    match entry.value {
        Json::String(text) => {
            violations.keep(&entry.pointer, set.insert(text));
        }
        Json::Object(_) => {
            let Some(fields) =
                Fields::read(&entry.pointer, entry.value, ObjectKind::ExtensionEntry, violations)
            else {
                return;
            };
            if !fields.has(|field| field == Field::Extension) {
                violations.add(&entry.pointer, ViolationCode::MissingValues, "must have `extension`");
            }
            let Some(found) = fields.value(Field::Extension) else { return };
            if let Some(text) = found.string(violations) {
                violations.keep(&found.pointer, set.insert(text));
            }
        }
        other => violations.wrong_type(&entry.pointer, "a string such as `pdf`", other),
    }
}
