//! Two changes of one document may not name the same target: their order would decide what holds.

use super::super::reader::Problems;
use super::super::violation::Code;
use super::super::{Instance, Instances, PolicyChange, Scope};
use std::collections::HashMap;

/// The targets that earlier changes of the document named, and which change did.
#[derive(Debug, Default)]
pub(super) struct Named {
    targets: HashMap<(Instance, Scope), usize>,
    all: HashMap<Scope, usize>,
    any: HashMap<Scope, usize>,
}

impl Named {
    /// Notes the change at `index`, and as a problem where an earlier one names one of its targets.
    /// `"*"` may name any instance, so it shares no scope with anything.
    pub(super) fn add(
        &mut self,
        pointer: &str,
        index: usize,
        change: &PolicyChange,
        problems: &mut Problems,
    ) {
        let clash = change.scopes.iter().find_map(|scope| {
            let (instance, at) = self.earlier(*scope, &change.instances)?;
            Some((instance, *scope, at))
        });
        if let Some((instance, scope, at)) = clash {
            let message = format!("names the target `{instance}` {scope} that `/changes/{at}` names already");
            problems.add(pointer, Code::OverlappingTarget, message);
        }
        for scope in &change.scopes {
            self.any.entry(*scope).or_insert(index);
            match &change.instances {
                Instances::Named(named) => {
                    for instance in named {
                        self.targets.entry((instance.clone(), *scope)).or_insert(index);
                    }
                }
                Instances::All { .. } => {
                    self.all.entry(*scope).or_insert(index);
                }
            }
        }
    }

    fn earlier(&self, scope: Scope, instances: &Instances) -> Option<(String, usize)> {
        match instances {
            Instances::All { .. } => self.any.get(&scope).map(|at| ("*".to_owned(), *at)),
            Instances::Named(named) => named.iter().find_map(|instance| {
                let same = self.targets.get(&(instance.clone(), scope));
                let at = same.or_else(|| self.all.get(&scope))?;
                Some((instance.id.to_string(), *at))
            }),
        }
    }
}
