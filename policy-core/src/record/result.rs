//! How a target ended within a run, as the ledger keeps it.

use super::{LaneName, Millis, Who};
use crate::declare::DeclaredBy;
use crate::policy::{ChangeId, Configuration, Instance, InstanceId, Scope};
use crate::report::OutcomeKind;
use std::cmp::Ordering;
use std::fmt;

/// A target: `{lane}#{instanceId}#{scope}`. Ordered as its text, as the table orders its items.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TargetName {
    /// Its account and Region.
    pub lane: LaneName,
    /// Its instance.
    pub instance: InstanceId,
    /// Its scope.
    pub scope: Scope,
}

impl TargetName {
    /// A scope of an instance.
    pub fn of(instance: &Instance, scope: Scope) -> Self {
        Self { lane: LaneName::of(instance), instance: instance.id.clone(), scope }
    }

    /// The instance of this target.
    pub fn instance(&self) -> Instance {
        Instance { id: self.instance.clone(), region: self.lane.region.clone(), account: self.lane.account }
    }

    /// From its text.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('#');
        let (lane, instance, scope) = (parts.next()?, parts.next()?, parts.next()?);
        let lane = LaneName::parse(lane)?;
        let scope = Scope::ALL.into_iter().find(|known| known.as_str() == scope)?;
        parts.next().is_none().then_some(Self { lane, instance: InstanceId::parse(instance)?, scope })
    }
}

impl Ord for TargetName {
    fn cmp(&self, other: &Self) -> Ordering {
        let of_lane = self.lane.cmp(&other.lane).then_with(|| self.instance.cmp(&other.instance));
        of_lane.then_with(|| self.scope.as_str().cmp(other.scope.as_str()))
    }
}

impl PartialOrd for TargetName {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for TargetName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}#{}", self.lane, self.instance, self.scope)
    }
}

/// Why a recorded target is not as asked: what the report says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedError {
    /// `error.code`.
    pub code: String,
    /// `error.message`.
    pub message: String,
    /// `error.retryable`.
    pub retryable: bool,
}

/// A target's result within a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedResult {
    /// Which target.
    pub target: TargetName,
    /// The change's id as reported: in a batch that of its change.
    pub change_id: ChangeId,
    /// How it ended.
    pub outcome: OutcomeKind,
    /// Whether it is a result for good: the run does not touch the target again.
    pub done: bool,
    /// What it held, where it was read.
    pub before: Option<Configuration>,
    /// What it holds or would hold.
    pub after: Option<Configuration>,
    /// Why it is not as asked.
    pub error: Option<RecordedError>,
    /// Updates sent, retries included.
    pub attempts: u32,
    /// Amazon Connect's request id.
    pub request_id: Option<String>,
    /// `LastModifiedTime`.
    pub last_modified: Option<Millis>,
    /// When it was stored.
    pub at: Millis,
    /// Who asked for the change.
    pub who: Option<Who>,
    /// The declared resource that owns it, where a change by other means sets it.
    pub declared_by: Option<DeclaredBy>,
    /// The token of the intent, or of the write, that made it.
    pub token: String,
}
