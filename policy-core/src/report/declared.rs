//! The warnings about targets that a stack declares and that a change by other means sets.

use crate::declare::DeclaredBy;
use crate::policy::{Violation, ViolationCode};
use std::collections::BTreeMap;

/// One warning for each stack that declares some of the targets that are set. It is about the result, so it points at the
/// whole document.
pub fn declared<'d>(owners: impl Iterator<Item = &'d DeclaredBy>) -> Vec<Violation> {
    let mut stacks: BTreeMap<&str, usize> = BTreeMap::new();
    for owner in owners {
        *stacks.entry(&owner.stack_id).or_default() += 1;
    }
    let warning = |(stack, targets): (&str, usize)| {
        let (what, them) = if targets == 1 { ("target is", "it") } else { ("targets are", "them") };
        Violation {
            pointer: String::new(),
            code: ViolationCode::Declared,
            message: format!(
                "{targets} {what} declared by the stack `{stack}`, whose next update of the resource sets {them} again"
            ),
        }
    };
    stacks.into_iter().map(warning).collect()
}
