//! `{"checkDrift": true}`: which targets are to be compared with what the ledger says that they should hold.

use super::super::field::{Field, ObjectKind};
use super::super::json::Json;
use super::super::reader::Fields;
use super::super::violation::ViolationCode;
use super::super::violations::Violations;
use super::super::{Adjustments, Instances, Places, PolicyChange, Rules, Scope, Values};
use super::Defaults;
use super::change::{MAX_REASON, MAX_REQUESTED_BY, read_change_id};
use super::instances::{Read, read_instances};
use super::targets::{max_targets, read_scopes, too_many_targets};
use std::collections::BTreeMap;

/// Reads the check: a dry run that names no values. Without instances it is of every one that the ledger knows.
pub(super) fn read(
    json: &Json,
    defaults: &Defaults,
    rules: &Rules,
    violations: &mut Violations,
) -> Option<PolicyChange> {
    let fields = Fields::read("", json, ObjectKind::Check, violations)?;
    if let Some(asked) = fields.value(Field::CheckDrift) {
        if *asked.value != Json::Bool(true) {
            violations.add(&asked.pointer, ViolationCode::WrongType, "must be true");
        }
        if !rules.governed {
            let message = "needs the ledger, which knows what targets should hold; this function has none (LEDGER_TABLE)";
            violations.add(&asked.pointer, ViolationCode::NeedsLedger, message);
        }
    }
    let read = if fields.has(|field| matches!(field, Field::InstanceId | Field::InstanceIds)) {
        read_instances(&fields, rules, violations)
    } else {
        let instances = Instances::All { places: Places::not_known_yet(), tags: BTreeMap::new() };
        Some(Read { instances, count: 0 })
    };
    let scopes = if fields.has(|field| matches!(field, Field::AttachmentScope | Field::AttachmentScopes)) {
        read_scopes(&fields, violations)
    } else {
        Some(Scope::ALL.to_vec())
    };
    let change_id = read_change_id(&fields, defaults, rules, violations);
    let mut text = |field, limit| fields.value(field).and_then(|found| found.text(limit, violations));
    let (reason, requested_by) =
        (text(Field::Reason, MAX_REASON), text(Field::RequestedBy, MAX_REQUESTED_BY));
    let (Read { instances, count }, scopes) = (read?, scopes?);
    let targets = count * scopes.len();
    if targets > max_targets(rules) {
        too_many_targets("", targets, rules, violations);
    }
    Some(PolicyChange {
        change_id,
        instances,
        scopes,
        values: Values::default(),
        adjustments: Adjustments::default(),
        if_unmodified_since: None,
        if_match: None,
        reason,
        requested_by,
        dry_run: true,
        force: false,
        checks_drift: true,
        warnings: Vec::new(),
    })
}
