//! The pages there are.

use crate::policy::{ChangeId, InstanceName, LaneName, Scope};
use crate::record::{Position, TargetName};
use crate::report::OutcomeKind;

/// A page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum View {
    /// What every target should hold.
    Fleet {
        /// Of one account and Region only.
        lane: Option<LaneName>,
        /// Only instances that differ from the rest.
        differing: bool,
        /// Which page of them, from 1.
        page: u32,
    },
    /// The newest changes.
    Changes {
        /// Those before this one.
        next: Option<Position>,
    },
    /// One change.
    Change {
        /// Its id.
        id: ChangeId,
        /// Only targets that ended so.
        outcome: Option<OutcomeKind>,
        /// Those after this one.
        next: Option<TargetName>,
    },
    /// One target and its history.
    Target {
        /// Its instance.
        instance: InstanceName,
        /// Its scope.
        scope: Scope,
        /// What is older than this.
        next: Option<Position>,
    },
}

impl Default for View {
    fn default() -> Self {
        Self::Fleet { lane: None, differing: false, page: 1 }
    }
}

impl View {
    /// The page of a target.
    pub fn of_target(target: &TargetName) -> Self {
        let instance = target.instance();
        let instance = match instance.account {
            Some(_) => InstanceName::Arn(instance),
            None => InstanceName::Id(instance.id),
        };
        Self::Target { instance, scope: target.scope, next: None }
    }

    /// The page of a change.
    pub const fn of_change(id: ChangeId) -> Self {
        Self::Change { id, outcome: None, next: None }
    }
}
