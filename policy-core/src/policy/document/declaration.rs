//! What the properties of a CloudFormation custom resource declare: targets and whole values.

use super::super::field::{Field, ObjectKind};
use super::super::json::Json;
use super::super::reader::{Fields, Found, conflict};
use super::super::violation::{ViolationCode, join};
use super::super::violations::Violations;
use super::super::{Adjustments, ChangeId, PolicyChange, Rules, Values};
use super::change::{MAX_REASON, MAX_REQUESTED_BY};
use super::instances::{Read, read_instances};
use super::targets::{max_targets, read_scopes, too_many_targets};
use super::values::read_values;
use super::{Rejected, read_json};

crate::stable_names! {
    /// What becomes of the values when the resource, or one of its targets, goes.
    pub enum OnDelete {
        /// They stay.
        Retain,
        /// What was there before the declaration comes back.
        Restore,
    }
}

/// A declared resource.
#[derive(Debug, Clone, PartialEq)]
pub struct Declaration {
    /// The change that brings it about.
    pub change: PolicyChange,
    /// `OnDelete`; absent, the values stay.
    pub on_delete: OnDelete,
}

impl Declaration {
    /// From the properties, with the id of the change that they become.
    ///
    /// # Errors
    /// Every violation at once, in the order of the properties, or that they are not JSON.
    pub fn parse(properties: &str, change_id: &ChangeId, rules: &Rules) -> Result<Self, Rejected> {
        let json = read_json(properties, change_id)?;
        let mut violations = Violations::default();
        let (on_delete, rest) = take_apart(&json, &mut violations);
        match read_change(&rest, change_id, rules, &mut violations) {
            Some(change) if violations.is_empty() => Ok(Self { change, on_delete }),
            _ => Err(Rejected::Violations {
                change_id: change_id.clone(),
                violations: violations.in_order_of(&json),
            }),
        }
    }
}

/// `OnDelete`, and the properties that a policy change knows.
fn take_apart(json: &Json, violations: &mut Violations) -> (OnDelete, Json) {
    let Json::Object(entries) = json else { return (OnDelete::Retain, json.clone()) };
    let (mut on_delete, mut rest) = (Vec::new(), Vec::with_capacity(entries.len()));
    for (key, value) in entries {
        match (key.as_str(), Field::named(key)) {
            // CloudFormation passes on what it uses itself
            ("ServiceToken" | "ServiceTimeout", _) => {}
            ("OnDelete" | "onDelete", _) => on_delete.push(Found { pointer: join("", key), value }),
            (_, Some(field)) if field.is_relative() => {
                let message =
                    "is not allowed in a declaration, which says what a target holds, not what changes";
                violations.add(join("", key), ViolationCode::UnexpectedField, message);
            }
            (
                _,
                Some(Field::ChangeId | Field::IfUnmodifiedSince | Field::DryRun | Field::StopAfterFailures),
            ) => {
                let message = "is not allowed in a declaration";
                violations.add(join("", key), ViolationCode::UnexpectedField, message);
            }
            (_, Some(Field::Force)) => rest.push((key.clone(), boolean(value))),
            _ => rest.push((key.clone(), value.clone())),
        }
    }
    (read_on_delete(&on_delete, violations), Json::Object(rest))
}

/// CloudFormation passes on every scalar as a string.
fn boolean(value: &Json) -> Json {
    match value {
        Json::String(text) if text == "true" => Json::Bool(true),
        Json::String(text) if text == "false" => Json::Bool(false),
        other => other.clone(),
    }
}

fn read_on_delete(found: &[Found<'_>], violations: &mut Violations) -> OnDelete {
    let Some((first, more)) = found.split_first() else { return OnDelete::Retain };
    for other in more {
        violations.add(other.pointer.clone(), ViolationCode::ConflictingFields, conflict(first));
    }
    let known = first.string(violations).map(|text| {
        let mut all = OnDelete::ALL.iter().copied();
        all.find(|on_delete| on_delete.name() == text)
    });
    match known {
        Some(Some(on_delete)) => on_delete,
        Some(None) => {
            let message = "must be `Retain` or `Restore`";
            violations.add(first.pointer.clone(), ViolationCode::WrongType, message);
            OnDelete::Retain
        }
        None => OnDelete::Retain,
    }
}

fn read_change(
    json: &Json,
    change_id: &ChangeId,
    rules: &Rules,
    violations: &mut Violations,
) -> Option<PolicyChange> {
    let fields = Fields::read("", json, ObjectKind::Change, violations)?;
    let (read, scopes) = (read_instances(&fields, rules, violations), read_scopes(&fields, violations));
    let mut warnings = Violations::default();
    let values = read_whole_values(
        &fields,
        |violations| {
            read_values(&fields, scopes.as_deref().unwrap_or_default(), rules, violations, &mut warnings)
        },
        violations,
    );
    let mut text = |field, limit| fields.value(field).and_then(|found| found.text(limit, violations));
    let (reason, requested_by) =
        (text(Field::Reason, MAX_REASON), text(Field::RequestedBy, MAX_REQUESTED_BY));
    let force = fields.value(Field::Force).and_then(|found| found.boolean(violations)).unwrap_or(false);
    let Read { instances, count } = read?;
    let scopes = scopes?;
    let targets = count * scopes.len();
    if targets > max_targets(rules) {
        too_many_targets("", targets, rules, violations);
    }
    Some(PolicyChange {
        change_id: change_id.clone(),
        instances,
        scopes,
        values,
        adjustments: Adjustments::default(),
        if_unmodified_since: None,
        if_match: None,
        reason,
        requested_by,
        dry_run: false,
        force,
        checks_drift: false,
        warnings: warnings.into_vec(),
    })
}

/// A declaration is whole, so that a rollback puts back all of it.
fn read_whole_values(
    fields: &Fields<'_>,
    read: impl FnOnce(&mut Violations) -> Values,
    violations: &mut Violations,
) -> Values {
    let sizes = [Field::MaximumSizeLimitInBytes, Field::MaximumSize];
    let extensions = [Field::AllowedExtensions, Field::ExtensionConfiguration];
    let has_size = fields.has(|field| sizes.contains(&field));
    let has_extensions = fields.has(|field| extensions.contains(&field));
    if !has_size {
        let message = "must have a size (`maximumSizeLimitInBytes` or `maximumSize`)";
        violations.add(fields.base(), ViolationCode::MissingValues, message);
    }
    if !has_extensions {
        let message = "must have extensions (`allowedExtensions`)";
        violations.add(fields.base(), ViolationCode::MissingValues, message);
    }
    if has_size || has_extensions { read(violations) } else { Values::default() }
}
