//! An outcome that was found out afterwards.

use policy_core::origin::{Invocation, Origin};
use policy_core::policy::{ChangeId, Home};
use policy_core::record::{ChangeRecord, RecordedResult};

/// The outcome of an update whose process never said it, and for whom it is recorded.
#[derive(Debug, Clone, Copy)]
pub struct Settlement<'a> {
    /// The change's record; absent where it has expired.
    pub change: Option<&'a ChangeRecord>,
    /// The change's id as reported.
    pub change_id: &'a ChangeId,
    /// Where this function runs.
    pub home: &'a Home,
    /// The invocation that found it out.
    pub invocation: &'a Invocation,
    /// What it found.
    pub result: &'a RecordedResult,
}

impl Settlement<'_> {
    /// Who asked for the change, as its record has it.
    pub(super) fn origin(&self) -> Origin {
        let recorded = self.change.map(|change| change.origin.in_invocation(self.invocation));
        recorded.unwrap_or_else(|| Origin::invoker(self.invocation))
    }
}
