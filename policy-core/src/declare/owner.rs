//! Who owns a target, and what becomes of it when its owner goes.

use crate::policy::{Configuration, OnDelete, Values};
use serde::Serialize;

/// A declared resource's hold on a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The resource's name in its stack.
    pub logical_id: String,
    /// The generation that set it last.
    pub generation: u32,
    /// The generation that came to the target.
    pub first: u32,
    /// What it declares there.
    pub declared: Values,
}

/// The owner of a target: the last of the claims that resources of one stack have on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// The stack.
    pub stack_id: String,
    /// What the target held before the first of them.
    pub original: Configuration,
    /// Oldest first; never empty, and never two of one resource.
    pub claims: Vec<Claim>,
}

/// The resource that owns a target, in CloudFormation's words.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeclaredBy {
    /// Its stack.
    pub stack_id: String,
    /// Its name there.
    #[serde(rename = "logicalResourceId")]
    pub logical_id: String,
}

/// Another stack declares the target.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the target is declared by `{}` of the stack `{}`", .0.logical_id, .0.stack_id)]
pub struct DeclaredElsewhere(pub DeclaredBy);

impl Owner {
    /// The resource that owns it now.
    pub fn resource(&self) -> DeclaredBy {
        let last = self.claims.last();
        DeclaredBy {
            stack_id: self.stack_id.clone(),
            logical_id: last.map(|claim| claim.logical_id.clone()).unwrap_or_default(),
        }
    }
}

/// A resource that leaves a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leaver<'a> {
    /// Its stack.
    pub stack_id: &'a str,
    /// Its name there.
    pub logical_id: &'a str,
    /// What was declared about leaving.
    pub on_delete: OnDelete,
    /// Its last generation that succeeded.
    pub last_success: Option<u32>,
}

/// What becomes of a target that a resource leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaving {
    /// Whose it is then.
    pub owner: Option<Owner>,
    /// What follows for its values.
    pub values: Left,
}

/// What follows for the values of a target that a resource leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Left {
    /// They stay, as was declared, or because the leaver does not own the target.
    Retained,
    /// These are put back.
    PutBack(Values),
    /// They would be put back, but somebody changed the target since, or no update can set what was there.
    Elsewhere,
}

/// How many resources of one stack are remembered at one target. One is usual, two while a resource is renamed; an item
/// must not grow with every further one.
pub const MAX_CLAIMS: usize = 8;

/// The owner after a claim on a target that holds `before`.
///
/// # Errors
/// The target is another stack's.
pub fn claimed(
    owner: Option<&Owner>,
    stack_id: &str,
    claim: Claim,
    before: &Configuration,
) -> Result<Owner, DeclaredElsewhere> {
    let Some(owner) = owner else {
        return Ok(Owner { stack_id: stack_id.to_owned(), original: before.clone(), claims: vec![claim] });
    };
    if owner.stack_id != stack_id {
        return Err(DeclaredElsewhere(owner.resource()));
    }
    let (own, mut claims): (Vec<_>, Vec<_>) =
        owner.claims.iter().cloned().partition(|other| other.logical_id == claim.logical_id);
    let first = own.first().map_or(claim.first, |own| own.first);
    claims.push(Claim { first, ..claim });
    let surplus = claims.len().saturating_sub(MAX_CLAIMS);
    Ok(Owner { claims: claims.split_off(surplus), ..owner.clone() })
}

/// What becomes of a target that holds `held` when a resource leaves it.
pub fn left(owner: Option<&Owner>, leaver: &Leaver<'_>, held: &Configuration) -> Leaving {
    let unchanged = || Leaving { owner: owner.cloned(), values: Left::Retained };
    let Some(owner) = owner.filter(|owner| owner.stack_id == leaver.stack_id) else { return unchanged() };
    let Some(place) = owner.claims.iter().position(|claim| claim.logical_id == leaver.logical_id) else {
        return unchanged();
    };
    let mut claims = owner.claims.clone();
    let own = claims.remove(place);
    let wanted = match claims.last() {
        Some(next) if place == claims.len() => Some(Some(next.declared.clone())),
        // another resource took the target over: what it declared stays
        Some(_) => None,
        None => {
            let never_succeeded = leaver.last_success.is_none_or(|success| own.first > success);
            (never_succeeded || leaver.on_delete == OnDelete::Restore).then(|| owner.original.as_values())
        }
    };
    let values = match wanted {
        None => Left::Retained,
        Some(Some(values)) if held.holds(&own.declared) => Left::PutBack(values),
        Some(_) => Left::Elsewhere,
    };
    Leaving { owner: (!claims.is_empty()).then(|| Owner { claims, ..owner.clone() }), values }
}
