//! What a target should hold, what is under way there, and what a run may do about it.

use super::{Intent, Millis, Order, RunName};
use crate::declare::Owner;
use crate::policy::{ChangeId, Configuration, Guardrails, PolicyChange, Values};

/// The members of a target that a change names: all of them are fenced, even where only one is sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Members {
    /// `maximumSizeLimitInBytes`.
    pub size: bool,
    /// `allowedExtensions`.
    pub extensions: bool,
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

fn folded(configuration: &Configuration) -> Option<std::collections::BTreeSet<String>> {
    let list = configuration.allowed_extensions.as_ref()?;
    Some(list.iter().map(|extension| extension.to_ascii_lowercase()).collect())
}

/// A target's item.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TargetRecord {
    /// One more with every write; 0: there is no item.
    pub rev: u64,
    /// The order of the last value set for the size.
    pub set_size: Option<Order>,
    /// The same for the extensions.
    pub set_extensions: Option<Order>,
    /// What it should hold; a member that was never governed is absent.
    pub held: Configuration,
    /// The last run that applied a value here.
    pub applied: Option<RunName>,
    /// When.
    pub applied_at: Option<Millis>,
    /// The last run that is done with it.
    pub last: Option<RunName>,
    /// The update under way.
    pub intent: Option<Intent>,
    /// Until when nobody begins it: an unanswered attempt of the last update may still take effect.
    pub quiet: Option<Millis>,
    /// Whose it is, where a stack declares it.
    pub owner: Option<Owner>,
}

impl TargetRecord {
    /// Whether the last value applied here is that change's: only then an undo of it may touch the target.
    pub fn is_last_applied_by(&self, change: &ChangeId) -> bool {
        self.applied.as_ref().is_some_and(|run| run.change_id == *change)
    }

    /// The newest order among the values last set for these members.
    fn newest(&self, named: Members) -> Option<&Order> {
        let size = self.set_size.as_ref().filter(|_| named.size);
        let extensions = self.set_extensions.as_ref().filter(|_| named.extensions);
        size.max(extensions)
    }
}

/// What a run may do about a target, by the target's item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Consideration {
    /// Read it, and decide by what it holds.
    Go,
    /// An update is under way there, or may still take effect: come back later.
    Busy {
        /// When it is over at the latest.
        until: Millis,
    },
    /// An update's lease is over without an outcome: settle it by a read, then consider again.
    Lapsed(Box<Intent>),
    /// A newer change has set a member that this one names: superseded.
    Newer(Order),
    /// Another delivery of this run is done with it.
    Done,
}

/// Decides before a target is read. The writes that follow are conditioned on what is asked here.
///
/// An open intent comes before the order: if it fails, it gives its time back, and what looked newer is not.
pub fn consider(
    record: &TargetRecord,
    run: &RunName,
    order: &Order,
    named: Members,
    now: Millis,
) -> Consideration {
    if record.last.as_ref() == Some(run) {
        return Consideration::Done;
    }
    if let Some(intent) = &record.intent {
        return if now < intent.until {
            Consideration::Busy { until: intent.until }
        } else {
            Consideration::Lapsed(Box::new(intent.clone()))
        };
    }
    if let Some(until) = record.quiet.filter(|until| now <= *until) {
        return Consideration::Busy { until };
    }
    match record.newest(named) {
        Some(newest) if newest > order => Consideration::Newer(newest.clone()),
        _ => Consideration::Go,
    }
}
