//! Values relative to what each target holds.

use super::{Blocked, Configuration, ExtensionSet, Guardrails, MAX_EXTENSIONS, MaxSize, Values};

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

impl Limits<'_> {
    /// Whether a target with this list may be given these computed values. A list that is not known counts as one with
    /// something in it.
    ///
    /// # Errors
    /// The guardrail or limit that forbids it.
    fn check(self, values: &Values, held: Option<&ExtensionSet>) -> Result<(), Blocked> {
        let held = held.map_or(1, ExtensionSet::len);
        self.guardrails.check_values(values)?;
        if let Some(list) = &values.extensions {
            // a list that was empty before, or that gets shorter, is not made worse
            if list.is_empty() && held > 0 && !self.allow_empty_extensions {
                return Err(Blocked::Empty);
            }
            if list.len() > MAX_EXTENSIONS.max(held) {
                return Err(Blocked::TooLong(list.len()));
            }
        }
        Ok(())
    }

    /// Whether a target that holds this may be given these values, which no document named.
    ///
    /// # Errors
    /// The guardrail or limit that forbids it.
    pub fn check_own(self, values: &Values, held: &Configuration) -> Result<(), Blocked> {
        let list = held.allowed_extensions.as_ref().map(ExtensionSet::of_held);
        self.check(values, list.as_ref())
    }
}

/// Why there are no values for a target.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotComputed {
    /// A guardrail or a limit forbids them.
    #[error(transparent)]
    Blocked(#[from] Blocked),
    /// Amazon Connect did not say what the target holds.
    #[error("Amazon Connect did not return the value that the new one is computed from")]
    NotKnown,
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
    /// The guardrail or limit that a computed value breaks, even if the target held it before; or that what the
    /// target holds is not known.
    pub fn apply(
        &self,
        absolute: &Values,
        held: &Configuration,
        limits: Limits<'_>,
        force: bool,
    ) -> Result<Values, NotComputed> {
        let held_list = held.allowed_extensions.as_ref().map(ExtensionSet::of_held);
        let mut values = Values {
            max_size: self.size(absolute, held, limits.guardrails)?,
            extensions: self.list(absolute, held_list.as_ref(), limits.guardrails)?,
        };
        limits.check(&values, held_list.as_ref())?;
        if !force {
            values.max_size =
                values.max_size.filter(|size| held.maximum_size_limit_in_bytes != Some(size.bytes().into()));
            values.extensions = values.extensions.filter(|list| match &absolute.extensions {
                // an absolute list is also compared by its spelling
                Some(_) => held.allowed_extensions.as_ref() != Some(&list.to_names()),
                None => held_list.as_ref() != Some(list),
            });
        }
        Ok(values)
    }

    /// `None`: the change does not name the size.
    fn size(
        &self,
        absolute: &Values,
        held: &Configuration,
        guardrails: &Guardrails,
    ) -> Result<Option<MaxSize>, NotComputed> {
        let lowered_to = |limit: MaxSize| match held.maximum_size_limit_in_bytes {
            None => Err(NotComputed::NotKnown),
            // `None` for a size below the API's minimum: lowering it must not raise it
            Some(bytes) if bytes <= limit.bytes().into() => Ok(MaxSize::from_bytes(bytes.into()).ok()),
            Some(_) => Ok(Some(limit)),
        };
        let asked = match (absolute.max_size, self.max_size_at_most) {
            (Some(size), _) => Some(size),
            (None, Some(limit)) => lowered_to(limit)?,
            (None, None) => None,
        };
        match (guardrails.max_size.filter(|_| self.enforce_guardrails), asked) {
            (Some(limit), Some(asked)) => Ok(Some(limit.min(asked))),
            (Some(limit), None) => lowered_to(limit),
            (None, asked) => Ok(asked),
        }
    }

    /// `None`: the change does not name the list. The list is in lower case: AWS does not say whether case matters, and
    /// `PDF` must not stay when `pdf` is removed.
    fn list(
        &self,
        absolute: &Values,
        held: Option<&ExtensionSet>,
        guardrails: &Guardrails,
    ) -> Result<Option<ExtensionSet>, NotComputed> {
        let enforces = self.enforce_guardrails && !guardrails.blocked_extensions.is_empty();
        let mut list = match &absolute.extensions {
            Some(list) => list.clone(),
            None if self.changes_list() || enforces => held.ok_or(NotComputed::NotKnown)?.clone(),
            None => return Ok(None),
        };
        list.extend(&self.add);
        list.remove_all(&self.remove);
        if enforces {
            list.remove_all(&guardrails.blocked_extensions);
        }
        Ok(Some(list))
    }
}
