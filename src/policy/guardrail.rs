//! What an operator forbids, whoever asks.

use super::{ExtensionSet, Instance, InstanceName, MaxSize, Values};
use std::collections::BTreeSet;

/// Limits set by the operator, checked for every target before any call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Guardrails {
    /// `POLICY_ALLOWED_INSTANCES`; empty: whatever the role permits.
    pub allowed_instances: Vec<InstanceName>,
    /// `POLICY_BLOCKED_EXTENSIONS`.
    pub blocked_extensions: ExtensionSet,
    /// `POLICY_MAX_SIZE_BYTES`.
    pub max_size: Option<MaxSize>,
}

/// Why a target is blocked. The names are stable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Blocked {
    /// The instance is not in `POLICY_ALLOWED_INSTANCES`.
    #[error("the instance is not in POLICY_ALLOWED_INSTANCES")]
    Instance,
    /// An extension is in `POLICY_BLOCKED_EXTENSIONS`.
    #[error("POLICY_BLOCKED_EXTENSIONS forbids {}", quoted(.0))]
    Extensions(BTreeSet<String>),
    /// The size is above `POLICY_MAX_SIZE_BYTES`.
    #[error("{asked} bytes are above POLICY_MAX_SIZE_BYTES, {limit}")]
    Size {
        /// What the change asks for, in bytes.
        asked: u32,
        /// What the operator allows, in bytes.
        limit: u32,
    },
}

impl Blocked {
    /// The stable code of the result.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Instance => "InstanceNotAllowed",
            Self::Extensions(_) => "ExtensionBlocked",
            Self::Size { .. } => "SizeBlocked",
        }
    }
}

impl Guardrails {
    /// Whether these values may be given to this instance.
    ///
    /// # Errors
    /// The first guardrail that forbids it: instance, then extensions, then size.
    pub fn check(&self, instance: &Instance, values: &Values) -> Result<(), Blocked> {
        if !self.allows(instance) {
            return Err(Blocked::Instance);
        }
        let blocked: BTreeSet<String> = values
            .extensions
            .iter()
            .flat_map(ExtensionSet::iter)
            .filter(|extension| self.blocked_extensions.contains(extension))
            .map(str::to_owned)
            .collect();
        if !blocked.is_empty() {
            return Err(Blocked::Extensions(blocked));
        }
        match (values.max_size, self.max_size) {
            (Some(asked), Some(limit)) if asked > limit => {
                Err(Blocked::Size { asked: asked.bytes(), limit: limit.bytes() })
            }
            _ => Ok(()),
        }
    }

    /// Whether the instance may be called at all.
    pub fn allows(&self, instance: &Instance) -> bool {
        self.allowed_instances.is_empty()
            || self.allowed_instances.iter().any(|allowed| match allowed {
                InstanceName::Id(id) => *id == instance.id,
                InstanceName::Arn(arn) => arn == instance,
            })
    }
}

fn quoted(names: &BTreeSet<String>) -> String {
    let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}
