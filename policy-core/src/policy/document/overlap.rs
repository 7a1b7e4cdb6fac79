//! Rejects documents with two changes of the same target: the result would depend on their order.

use super::super::violation::ViolationCode;
use super::super::violations::Violations;
use super::super::{Instance, Instances, PolicyChange, Scope};
use std::collections::HashMap;

/// The targets that earlier changes of the document have, and the number of that change.
#[derive(Debug, Default)]
struct Earlier<'c> {
    named: HashMap<(&'c Instance, Scope), usize>,
    all: HashMap<Scope, usize>,
    any: HashMap<Scope, usize>,
}

/// Reports each change that has a target of an earlier one. Each comes with the pointer to it.
/// `"*"` may include any instance, so no other change may use the same scope.
pub(super) fn report_overlaps(changes: &[(String, PolicyChange)], violations: &mut Violations) {
    let mut earlier = Earlier::default();
    for (number, (pointer, change)) in changes.iter().enumerate() {
        if let Some((instance, scope, first)) = earlier.clash(change) {
            let instance = instance.map_or("*", |instance| instance.id.as_str());
            let first = changes.get(first).map_or("", |(pointer, _)| pointer);
            let message = format!("has the same target as `{first}`: {scope} of `{instance}`");
            violations.add(pointer, ViolationCode::OverlappingTarget, message);
        }
        earlier.add(number, change);
    }
}

impl<'c> Earlier<'c> {
    /// The first target of the change that an earlier change has: its instance (`None`: `"*"`), its scope and
    /// the number of that change.
    fn clash(&self, change: &'c PolicyChange) -> Option<(Option<&'c Instance>, Scope, usize)> {
        change.scopes.iter().find_map(|scope| match &change.instances {
            Instances::All { .. } => self.any.get(scope).map(|first| (None, *scope, *first)),
            Instances::Named(named) => named.iter().find_map(|instance| {
                let same = self.named.get(&(instance, *scope)).or_else(|| self.all.get(scope));
                same.map(|first| (Some(instance), *scope, *first))
            }),
        })
    }

    fn add(&mut self, number: usize, change: &'c PolicyChange) {
        for scope in &change.scopes {
            self.any.entry(*scope).or_insert(number);
            match &change.instances {
                Instances::Named(named) => {
                    for instance in named {
                        self.named.entry((instance, *scope)).or_insert(number);
                    }
                }
                Instances::All { .. } => {
                    self.all.entry(*scope).or_insert(number);
                }
            }
        }
    }
}
