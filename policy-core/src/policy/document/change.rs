//! One policy change.

use super::super::change_id::{self, ChangeId};
use super::super::field::{Field, ObjectKind};
use super::super::json::Json;
use super::super::reader::{Fields, Found};
use super::super::violation::ViolationCode;
use super::super::violations::Violations;
use super::super::{Instances, PolicyChange, Rules};
use super::adjustments::read_adjustments;
use super::instances::{Read, read_instances};
use super::targets::{max_targets, read_scopes, too_many_targets};
use super::values::read_values;
use super::{Defaults, Form, timestamp};
use time::OffsetDateTime;

/// The most characters of a reason (ours): enough for a ticket and why.
pub(in super::super) const MAX_REASON: usize = 1_024;
pub(in super::super) const MAX_REQUESTED_BY: usize = 256;

/// Reads the change at `base`. It is complete only if there are no violations; `None` where not even its targets
/// can be read.
pub(super) fn read(
    base: &str,
    json: &Json,
    form: &Form,
    defaults: &Defaults,
    rules: &Rules,
    violations: &mut Violations,
) -> Option<PolicyChange> {
    let fields = Fields::read(base, json, ObjectKind::Change, violations)?;
    let (read, scopes, if_match) = match form {
        Form::Submission => {
            (read_instances(&fields, rules, violations), read_scopes(&fields, violations), None)
        }
        Form::Values { instance, scope, if_match } => {
            for (_, found) in fields.iter().filter(|(field, _)| field.is_target()) {
                let message = "is not allowed here, because the path identifies the target";
                violations.add(&found.pointer, ViolationCode::UnexpectedField, message);
            }
            let instances = Instances::Named(vec![instance.clone()]);
            (Some(Read { instances, count: 1 }), Some(vec![*scope]), if_match.clone())
        }
    };
    let mut warnings = Violations::default();
    let scopes_read = scopes.as_deref().unwrap_or_default();
    let values = read_values(&fields, scopes_read, rules, violations, &mut warnings);
    let adjustments = read_adjustments(&fields, rules, violations, &mut warnings);
    let change_id = read_change_id(&fields, defaults, rules, violations);
    let if_unmodified_since = match fields.value(Field::IfUnmodifiedSince) {
        Some(found) => read_timestamp(found, violations),
        None => defaults.if_unmodified_since,
    };
    let mut text = |field, limit| fields.value(field).and_then(|found| found.text(limit, violations));
    let (reason, requested_by) =
        (text(Field::Reason, MAX_REASON), text(Field::RequestedBy, MAX_REQUESTED_BY));
    let mut is_set = |field| fields.value(field).and_then(|found| found.boolean(violations)).unwrap_or(false);
    let (dry_run, force) = (is_set(Field::DryRun), is_set(Field::Force));
    let Read { instances, count } = read?;
    let change = PolicyChange {
        change_id,
        instances,
        scopes: scopes?,
        values,
        adjustments,
        if_unmodified_since,
        if_match,
        reason,
        requested_by,
        dry_run: dry_run || defaults.dry_run,
        force,
        checks_drift: false,
        warnings: warnings.into_vec(),
    };
    let targets = count * change.scopes.len();
    if targets > max_targets(rules) {
        too_many_targets(base, targets, rules, violations);
    }
    Some(change)
}

/// The document's own id, else the default. Reading goes on with the default after an invalid one, too.
pub(super) fn read_change_id(
    fields: &Fields<'_>,
    defaults: &Defaults,
    rules: &Rules,
    violations: &mut Violations,
) -> ChangeId {
    fields
        .value(Field::ChangeId)
        .and_then(|found| parse_change_id(found, rules.governed, violations))
        .unwrap_or_else(|| defaults.change_id.clone())
}

/// An id that a caller chose; where it is `recorded`, a record must be able to have it.
pub(in super::super) fn parse_change_id(
    found: &Found<'_>,
    recorded: bool,
    violations: &mut Violations,
) -> Option<ChangeId> {
    let id = ChangeId::parse(found.string(violations)?);
    let message = match &id {
        None => format!("must be 1 to {} characters of `A-Z a-z 0-9 . _ : / -`", change_id::MAX_LENGTH),
        Some(id) if recorded && !id.names_a_record() => {
            "must have no empty, `.` or `..` segment, and not end in `/undo`, `/apply` or `/cancel`"
                .to_owned()
        }
        Some(_) => return id,
    };
    violations.add(&found.pointer, ViolationCode::InvalidChangeId, message);
    None
}

fn read_timestamp(found: &Found<'_>, violations: &mut Violations) -> Option<OffsetDateTime> {
    let at = timestamp(found.string(violations)?);
    if at.is_none() {
        let message = "must be an RFC 3339 time, such as `2026-11-23T09:00:00Z`";
        violations.add(&found.pointer, ViolationCode::InvalidTimestamp, message);
    }
    at
}
