//! The operator's limits, which apply to every caller.

use super::{ExtensionSet, Instance, InstanceName, MAX_EXTENSIONS, MaxSize, PolicyChange, Values};
use std::collections::BTreeSet;

/// Limits set by the operator, checked for every target before any update.
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
    #[error("{bytes} bytes is more than POLICY_MAX_SIZE_BYTES allows ({limit})")]
    Size {
        /// The size that the target would have, in bytes.
        bytes: u32,
        /// What the operator allows, in bytes.
        limit: u32,
    },
    /// A computed list has no extension left.
    #[error(
        "the list would be empty: that may block every attachment (POLICY_ALLOW_EMPTY_EXTENSIONS allows it)"
    )]
    Empty,
    /// A computed list has more extensions than a list may have.
    #[error("the list would have {0} extensions; the limit is {MAX_EXTENSIONS}")]
    TooLong(usize),
}

impl Guardrails {
    /// Whether the guardrails allow the change for this instance. Relative values are not known before the targets are
    /// read; [`Adjustments::apply`](super::Adjustments::apply) checks them.
    ///
    /// # Errors
    /// The first guardrail that forbids it: instance, then extensions, then size.
    pub fn check(&self, instance: &Instance, change: &PolicyChange) -> Result<(), Blocked> {
        if !self.allows(instance) {
            return Err(Blocked::Instance);
        }
        if change.adjustments.enforce_guardrails {
            return Ok(());
        }
        self.check_values(&change.values)?;
        self.check_list(&change.adjustments.add)
    }

    /// Whether these values may be given to any instance.
    pub(super) fn check_values(&self, values: &Values) -> Result<(), Blocked> {
        if let Some(list) = &values.extensions {
            self.check_list(list)?;
        }
        match (values.max_size, self.max_size) {
            (Some(asked), Some(limit)) if asked > limit => {
                Err(Blocked::Size { bytes: asked.bytes(), limit: limit.bytes() })
            }
            _ => Ok(()),
        }
    }

    fn check_list(&self, list: &ExtensionSet) -> Result<(), Blocked> {
        let is_blocked = |extension: &&str| self.blocked_extensions.contains(extension);
        let blocked: BTreeSet<String> = list.iter().filter(is_blocked).map(str::to_owned).collect();
        if blocked.is_empty() { Ok(()) } else { Err(Blocked::Extensions(blocked)) }
    }

    /// Whether a change can enforce them: at least one is about sizes or extensions.
    pub fn can_be_enforced(&self) -> bool {
        !self.blocked_extensions.is_empty() || self.max_size.is_some()
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

#[cfg(test)]
mod tests {
    use super::super::{Home, InstanceId};
    use super::*;
    use crate::aws::{AccountId, RegionName};

    fn instance(region: &str) -> Instance {
        let home =
            Home { region: RegionName::parse(region).unwrap(), account: AccountId::parse("111122223333") };
        home.instance(InstanceId::parse("00000001-0000-4000-8000-000000000001").unwrap())
    }

    fn values(extensions: &[&str], bytes: i128) -> Values {
        let extensions = ExtensionSet::parse(extensions.iter().copied()).unwrap();
        Values { max_size: MaxSize::from_bytes(bytes).ok(), extensions: Some(extensions) }
    }

    #[test]
    fn a_size_is_blocked_above_the_limit_and_not_at_it() {
        let limit = MaxSize::from_bytes(5).ok();
        let guardrails = Guardrails { max_size: limit, ..Guardrails::default() };
        let check = |bytes| guardrails.check_values(&values(&["exe"], bytes));
        assert_eq!((check(4), check(5)), (Ok(()), Ok(())));
        for asked in [6, 104_857_600] {
            assert_eq!(check(asked.into()), Err(Blocked::Size { bytes: asked, limit: 5 }));
        }
        assert_eq!(Guardrails::default().check_values(&values(&["exe"], 6)), Ok(()));
    }

    #[test]
    fn blocked_extensions_are_named_and_others_pass() {
        let blocked_extensions = ExtensionSet::parse(["exe", "bat"]).unwrap();
        let guardrails = Guardrails { blocked_extensions, ..Guardrails::default() };
        let check = |extensions| guardrails.check_values(&values(extensions, 1));
        assert_eq!(check(&["pdf", "com"]), Ok(()));
        let blocked = check(&["pdf", "exe", "bat"]).unwrap_err();
        assert_eq!(blocked.to_string(), "POLICY_BLOCKED_EXTENSIONS forbids `bat`, `exe`");
    }

    #[test]
    fn an_allowed_id_is_allowed_everywhere_and_an_allowed_arn_where_it_is() {
        let (here, there) = (instance("us-east-1"), instance("eu-west-2"));
        let allowing = |names: &[&str]| Guardrails {
            allowed_instances: names.iter().filter_map(|name| InstanceName::parse(name)).collect(),
            ..Guardrails::default()
        };
        let any = allowing(&[]);
        assert!(any.allows(&here) && any.allows(&there));
        let id = allowing(&["00000001-0000-4000-8000-000000000001"]);
        assert!(id.allows(&here) && id.allows(&there));
        let arn = allowing(&[
            "arn:aws:connect:us-east-1:111122223333:instance/00000001-0000-4000-8000-000000000001",
        ]);
        assert!(arn.allows(&here) && !arn.allows(&there));
        let other = allowing(&["00000002-0000-4000-8000-000000000002"]);
        assert!(!other.allows(&here));
    }

    #[test]
    fn a_guardrail_about_extensions_or_sizes_can_be_enforced_and_one_about_instances_cannot() {
        let names = ["00000001-0000-4000-8000-000000000001"];
        let instances = Guardrails {
            allowed_instances: names.iter().filter_map(|name| InstanceName::parse(name)).collect(),
            ..Guardrails::default()
        };
        let blocked_extensions = ExtensionSet::parse(["exe"]).unwrap();
        let extensions =
            Guardrails { blocked_extensions: blocked_extensions.clone(), ..Guardrails::default() };
        let max_size = MaxSize::from_bytes(1).ok();
        let size = Guardrails { max_size, ..Guardrails::default() };
        let both = Guardrails { blocked_extensions, max_size, ..Guardrails::default() };
        let enforced =
            [Guardrails::default(), instances, extensions, size, both].map(|g| g.can_be_enforced());
        assert_eq!(enforced, [false, false, true, true, true]);
    }
}
