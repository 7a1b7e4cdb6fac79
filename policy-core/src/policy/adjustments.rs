//! What a change asks relative to what each target holds.

use super::{Blocked, Configuration, ExtensionSet, Guardrails, MaxSize, Values};
use std::collections::BTreeSet;

/// The most extensions in one list (ours; AWS documents none).
pub const MAX_EXTENSIONS: usize = 256;

/// Values that are computed from what a target holds. Empty for an absolute change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Adjustments {
    /// `maximumSizeAtMost`: lowers a larger size to it.
    pub max_size_at_most: Option<MaxSize>,
    /// `addExtensions`.
    pub add: ExtensionSet,
    /// `removeExtensions`.
    pub remove: ExtensionSet,
    /// `enforceGuardrails`: takes blocked extensions off the list and lowers a size above the operator's.
    pub enforce_guardrails: bool,
}

/// What the operator allows a computed value to be.
#[derive(Debug, Clone, Copy)]
pub struct Limits<'a> {
    /// What the operator forbids.
    pub guardrails: &'a Guardrails,
    /// `POLICY_ALLOW_EMPTY_EXTENSIONS`.
    pub allow_empty_extensions: bool,
}

impl Adjustments {
    /// Whether every value of the change is absolute.
    pub fn is_empty(&self) -> bool {
        self.max_size_at_most.is_none() && !self.changes_list() && !self.enforce_guardrails
    }

    fn changes_list(&self) -> bool {
        !self.add.is_empty() || !self.remove.is_empty()
    }

    /// The values for a target that holds this: the members that the change names and that differ, or with `force`
    /// every member that it names.
    ///
    /// # Errors
    /// The guardrail or limit that a computed value breaks, even if the target held it before.
    pub fn apply(
        &self,
        absolute: &Values,
        held: &Configuration,
        limits: Limits<'_>,
        force: bool,
    ) -> Result<Values, Blocked> {
        let mut values = Values {
            max_size: self.size(absolute, held, limits.guardrails),
            extensions: self.list(absolute, held, limits.guardrails),
        };
        limits.guardrails.check_values(&values)?;
        match values.extensions.as_ref().map_or(1, ExtensionSet::len) {
            0 if !limits.allow_empty_extensions => return Err(Blocked::Empty),
            count if count > MAX_EXTENSIONS => return Err(Blocked::TooLong(count)),
            _ => {}
        }
        if !force {
            values.max_size =
                values.max_size.filter(|size| held.maximum_size_limit_in_bytes != Some(size.bytes().into()));
            values.extensions = values.extensions.filter(|list| held_list(held).as_ref() != Some(list));
        }
        Ok(values)
    }

    /// `None`: the change does not name the size.
    fn size(&self, absolute: &Values, held: &Configuration, guardrails: &Guardrails) -> Option<MaxSize> {
        let held = held.maximum_size_limit_in_bytes.map(i128::from);
        // a size that no update can have set is left alone: it is not for a lowering to raise it
        let lowered_to = |limit: MaxSize| match held {
            Some(bytes) if bytes <= limit.bytes().into() => MaxSize::from_bytes(bytes).ok(),
            _ => Some(limit),
        };
        let asked = absolute.max_size.or_else(|| self.max_size_at_most.and_then(lowered_to));
        match (guardrails.max_size.filter(|_| self.enforce_guardrails), asked) {
            (Some(limit), Some(asked)) => Some(limit.min(asked)),
            (Some(limit), None) => lowered_to(limit),
            (None, asked) => asked,
        }
    }

    /// `None`: the change does not name the list.
    fn list(&self, absolute: &Values, held: &Configuration, guardrails: &Guardrails) -> Option<ExtensionSet> {
        let enforces = self.enforce_guardrails && !guardrails.blocked_extensions.is_empty();
        let mut list = match &absolute.extensions {
            Some(list) => list.clone(),
            None if self.changes_list() || enforces => held_list(held).unwrap_or_default(),
            None => return None,
        };
        list.extend(&self.add);
        list.remove_all(&self.remove);
        if enforces {
            list.remove_all(&guardrails.blocked_extensions);
        }
        Some(list)
    }
}

/// The list that a target holds, in lower case: AWS does not say whether case matters, so it is no reason to keep
/// an extension that is to go, or to send a list again.
fn held_list(held: &Configuration) -> Option<ExtensionSet> {
    held.allowed_extensions.as_ref().map(BTreeSet::iter).map(ExtensionSet::of_held)
}
