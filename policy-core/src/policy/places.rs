//! Whole accounts and Regions, where every ACTIVE instance is meant.

use super::{Home, LaneName};
use std::collections::BTreeSet;

/// Accounts and Regions: sorted, each once.
///
/// They are known when a document is parsed, so that settings which change later do not change what was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    lanes: Vec<LaneName>,
    is_own: bool,
}

impl Places {
    /// The function's own account and Region alone: `"*"`.
    pub fn own(home: &Home) -> Self {
        Self { lanes: vec![LaneName::home(home)], is_own: true }
    }

    /// These, as seen from the function's own.
    pub fn of(lanes: BTreeSet<LaneName>, home: &Home) -> Self {
        let is_own = lanes.len() == 1 && lanes.first() == Some(&LaneName::home(home));
        Self { lanes: lanes.into_iter().collect(), is_own }
    }

    /// Nobody has looked yet in which accounts and Regions there is something.
    pub const fn not_known_yet() -> Self {
        Self { lanes: Vec::new(), is_own: false }
    }

    /// Whether somebody has.
    pub const fn are_known(&self) -> bool {
        !self.lanes.is_empty()
    }

    /// Each of them.
    pub fn lanes(&self) -> &[LaneName] {
        &self.lanes
    }

    /// Whether it is the function's own account and Region alone.
    pub const fn is_own(&self) -> bool {
        self.is_own
    }

    /// One of them, as a report names it: absent where it is the only one and the own, which is `*` alone.
    pub fn named(&self, lane: &LaneName) -> Option<LaneName> {
        (!self.is_own).then(|| lane.clone())
    }

    /// Whether this account and Region is one of them.
    pub fn contains(&self, lane: &LaneName) -> bool {
        self.lanes.binary_search(lane).is_ok()
    }
}
