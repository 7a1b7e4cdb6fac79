//! Rejects documents with two changes of the same target: the result would depend on their order.

use super::super::violation::ViolationCode;
use super::super::violations::Violations;
use super::super::{Instance, Instances, LaneName, PolicyChange, Scope};
use std::collections::HashMap;

/// The targets that earlier changes of the document have, and the number of that change.
#[derive(Debug, Default)]
struct Earlier<'c> {
    /// Single instances.
    named: HashMap<(&'c Instance, Scope), usize>,
    /// Accounts and Regions of which every instance is meant.
    all: HashMap<(LaneName, Scope), usize>,
    /// Accounts and Regions in which anything is meant.
    any: HashMap<(LaneName, Scope), usize>,
}

/// A target that an earlier change has.
struct Clash {
    /// The instance, or where all of them are meant.
    of: String,
    scope: Scope,
    /// The number of that change.
    first: usize,
}

/// Reports each change that has a target of an earlier one. Each comes with the pointer to it.
/// All instances of an account and Region may include any there.
pub(super) fn report_overlaps(changes: &[(String, PolicyChange)], violations: &mut Violations) {
    let mut earlier = Earlier::default();
    for (number, (pointer, change)) in changes.iter().enumerate() {
        if let Some(Clash { of, scope, first }) = earlier.clash(change) {
            let first = changes.get(first).map_or("", |(pointer, _)| pointer);
            let message = format!("has the same target as `{first}`: {scope} of {of}");
            violations.add(pointer, ViolationCode::OverlappingTarget, message);
        }
        earlier.add(number, change);
    }
}

impl<'c> Earlier<'c> {
    /// The first target of the change that an earlier change has.
    fn clash(&self, change: &'c PolicyChange) -> Option<Clash> {
        change.scopes.iter().copied().find_map(|scope| match &change.instances {
            Instances::All { places, .. } => places.lanes().iter().find_map(|lane| {
                let first = self.any.get(&(lane.clone(), scope))?;
                Some(Clash { of: format!("`*` in {lane}"), scope, first: *first })
            }),
            Instances::Named(named) => named.iter().find_map(|instance| {
                let of_all = || self.all.get(&(LaneName::of(instance), scope));
                let first = self.named.get(&(instance, scope)).or_else(of_all)?;
                Some(Clash { of: format!("`{}`", instance.id), scope, first: *first })
            }),
        })
    }

    fn add(&mut self, number: usize, change: &'c PolicyChange) {
        for scope in change.scopes.iter().copied() {
            match &change.instances {
                Instances::Named(named) => {
                    for instance in named {
                        self.named.entry((instance, scope)).or_insert(number);
                        self.any.entry((LaneName::of(instance), scope)).or_insert(number);
                    }
                }
                Instances::All { places, .. } => {
                    for lane in places.lanes() {
                        self.all.entry((lane.clone(), scope)).or_insert(number);
                        self.any.entry((lane.clone(), scope)).or_insert(number);
                    }
                }
            }
        }
    }
}
