//! Which scopes, and how many targets there are with them.

use super::super::field::Field;
use super::super::reader::{Fields, Found};
use super::super::violation::ViolationCode;
use super::super::violations::Violations;
use super::super::{Instances, PolicyChange, Rules, Scope};

/// The most targets in one document, before `"*"` is resolved (ours, not AWS's): over 8 minutes at the quota. Each account
/// and Region of which every instance is meant counts as one.
pub const MAX_TARGETS: usize = 1_000;
/// The same where a ledger remembers what is done, so that a change may take as long as it needs.
pub const MAX_GOVERNED_TARGETS: usize = 10_000;

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

/// The targets of a change, where every account and Region of which all is meant counts as one instance.
pub(super) fn count_targets(change: &PolicyChange) -> usize {
    let instances = match &change.instances {
        Instances::Named(named) => named.len(),
        Instances::All { places, .. } => places.lanes().len(),
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
