//! The members of a target.

use crate::policy::{Configuration, Guardrails, PolicyChange, Values};
use std::collections::BTreeSet;

/// The members of a target that a change names: all of them are fenced, even where only one is sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Members {
    /// `maximumSizeLimitInBytes`.
    pub size: bool,
    /// `allowedExtensions`.
    pub extensions: bool,
}

/// The members that a change names of a target, and those of them for which it asks a value, whatever the target holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Named {
    /// All of them.
    pub members: Members,
    /// Those with a value.
    pub asked: Members,
}

impl Named {
    /// Each with a value.
    pub const fn with_values(members: Members) -> Self {
        Self { members, asked: members }
    }
}

impl Members {
    /// Both.
    pub const ALL: Self = Self { size: true, extensions: true };

    /// Those that a change names. `enforceGuardrails` names those for which there is a guardrail.
    pub fn of(change: &PolicyChange, can_enforce: Self) -> Self {
        let asked = &change.adjustments;
        let relative = Self {
            size: asked.max_size_at_most.is_some(),
            extensions: !asked.add.is_empty() || !asked.remove.is_empty(),
        };
        let named = Self::of_values(&change.values).or(relative);
        if asked.enforce_guardrails { named.or(can_enforce) } else { named }
    }

    /// Those for which there is a guardrail that a change can enforce.
    pub fn of_guardrails(guardrails: &Guardrails) -> Self {
        Self { size: guardrails.max_size.is_some(), extensions: !guardrails.blocked_extensions.is_empty() }
    }

    /// Those that have a value.
    pub const fn of_values(values: &Values) -> Self {
        Self { size: values.max_size.is_some(), extensions: values.extensions.is_some() }
    }

    /// Those that are known.
    pub const fn of_known(configuration: &Configuration) -> Self {
        Self {
            size: configuration.maximum_size_limit_in_bytes.is_some(),
            extensions: configuration.allowed_extensions.is_some(),
        }
    }

    /// Those that differ, in spelling too.
    pub fn that_differ(one: &Configuration, other: &Configuration) -> Self {
        Self {
            size: one.maximum_size_limit_in_bytes != other.maximum_size_limit_in_bytes,
            extensions: one.allowed_extensions != other.allowed_extensions,
        }
    }

    /// Whether there is one.
    pub const fn any(self) -> bool {
        self.size || self.extensions
    }

    /// Those of either.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self { size: self.size || other.size, extensions: self.extensions || other.extensions }
    }

    /// These members of a configuration.
    pub fn within(self, configuration: &Configuration) -> Configuration {
        Configuration {
            maximum_size_limit_in_bytes: configuration.maximum_size_limit_in_bytes.filter(|_| self.size),
            allowed_extensions: configuration.allowed_extensions.clone().filter(|_| self.extensions),
        }
    }

    /// Whether two configurations agree in these members, in whatever ASCII case they spell them. A member that is
    /// absent agrees with an absent one only.
    pub fn agree(self, one: &Configuration, other: &Configuration) -> bool {
        let same_size = one.maximum_size_limit_in_bytes == other.maximum_size_limit_in_bytes;
        (!self.size || same_size) && (!self.extensions || folded(one) == folded(other))
    }
}

fn folded(configuration: &Configuration) -> Option<BTreeSet<String>> {
    let list = configuration.allowed_extensions.as_ref()?;
    Some(list.iter().map(|extension| extension.to_ascii_lowercase()).collect())
}
