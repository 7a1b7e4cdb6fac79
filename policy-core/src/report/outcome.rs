//! How one target ended, and what is known about it.

use super::Verdict;
use crate::aws::RegionName;
use crate::calls::CallCost;
use crate::declare::DeclaredBy;
use crate::failure::Failure;
use crate::policy::{Configuration, Instance, LaneName, Scope};
use crate::stable_names;
use time::OffsetDateTime;

stable_names! {
    /// How a target ended, in one word of the report.
    pub enum OutcomeKind {
        /// Updated, and the response holds what was asked.
        Applied = "applied",
        /// It held the values already: no call.
        Unchanged = "unchanged",
        /// A dry run would update it.
        Planned = "planned",
        /// It was modified in the meantime: no call.
        Superseded = "superseded",
        /// A guardrail or limit blocks it: no update.
        Blocked = "blocked",
        /// It was rejected, or it failed; `error.retryable` says which.
        Failed = "failed",
        /// The update's answer never came: it may have taken effect.
        Unknown = "unknown",
        /// Time ran out before it was begun.
        Pending = "pending",
        /// The change ended before it was begun, for good.
        Skipped = "skipped",
    }
}

/// How a target ended. Each variant holds exactly what is known in that case.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// Updated, and the response (or the read after a lost one) holds what was asked.
    Applied {
        /// What it held.
        before: Configuration,
        /// What it holds.
        after: Configuration,
        /// Set if the outcome could not be written to the audit; sending the change again records it.
        unrecorded: Option<Failure>,
    },
    /// It held the values already: no call.
    Unchanged {
        /// What it holds.
        held: Configuration,
    },
    /// A dry run would update it.
    Planned {
        /// What it holds.
        before: Configuration,
        /// What it would hold.
        after: Configuration,
    },
    /// It was modified in the meantime: no call.
    Superseded {
        /// What it holds, where that was read to decide.
        held: Option<Configuration>,
        /// By which condition.
        why: Failure,
    },
    /// A guardrail or limit blocks it: no update.
    Blocked {
        /// What it holds, where that was read to decide.
        held: Option<Configuration>,
        /// By which guardrail.
        why: Failure,
    },
    /// It was rejected, or it failed.
    Failed {
        /// What it held, where it was read.
        before: Option<Configuration>,
        /// What it holds now, where that was read too.
        after: Option<Configuration>,
        /// Why.
        why: Failure,
    },
    /// The update's answer never came: it may have taken effect.
    Unknown {
        /// What it held.
        before: Configuration,
        /// Why nobody knows.
        why: Failure,
    },
    /// Time ran out before it was begun.
    Pending {
        /// What it held, where it was read.
        before: Option<Configuration>,
        /// Why it was not begun.
        why: Failure,
    },
    /// The change ended before it was begun, for good.
    Skipped {
        /// Why the change ended.
        why: Failure,
    },
}

impl Outcome {
    /// A target that was not read: only the reason is known.
    pub fn not_reached(why: Failure) -> Self {
        if why.code.is_out_of_time() {
            Self::Pending { before: None, why }
        } else {
            Self::Failed { before: None, after: None, why }
        }
    }

    /// The word of the report.
    pub const fn kind(&self) -> OutcomeKind {
        match self {
            Self::Applied { .. } => OutcomeKind::Applied,
            Self::Unchanged { .. } => OutcomeKind::Unchanged,
            Self::Planned { .. } => OutcomeKind::Planned,
            Self::Superseded { .. } => OutcomeKind::Superseded,
            Self::Blocked { .. } => OutcomeKind::Blocked,
            Self::Failed { .. } => OutcomeKind::Failed,
            Self::Unknown { .. } => OutcomeKind::Unknown,
            Self::Pending { .. } => OutcomeKind::Pending,
            Self::Skipped { .. } => OutcomeKind::Skipped,
        }
    }

    /// What it held, where it was read.
    pub const fn before(&self) -> Option<&Configuration> {
        match self {
            Self::Applied { before, .. } | Self::Planned { before, .. } | Self::Unknown { before, .. } => {
                Some(before)
            }
            Self::Unchanged { held } => Some(held),
            Self::Failed { before, .. }
            | Self::Pending { before, .. }
            | Self::Superseded { held: before, .. }
            | Self::Blocked { held: before, .. } => before.as_ref(),
            Self::Skipped { .. } => None,
        }
    }

    /// What it holds (applied), would hold (planned), or was found to hold (failed).
    pub const fn after(&self) -> Option<&Configuration> {
        match self {
            Self::Applied { after, .. } | Self::Planned { after, .. } => Some(after),
            Self::Failed { after, .. } => after.as_ref(),
            Self::Unchanged { .. }
            | Self::Superseded { .. }
            | Self::Blocked { .. }
            | Self::Unknown { .. }
            | Self::Pending { .. }
            | Self::Skipped { .. } => None,
        }
    }

    /// Why it is not done.
    pub const fn error(&self) -> Option<&Failure> {
        match self {
            Self::Applied { unrecorded, .. } => unrecorded.as_ref(),
            Self::Unchanged { .. } | Self::Planned { .. } => None,
            Self::Superseded { why, .. }
            | Self::Blocked { why, .. }
            | Self::Failed { why, .. }
            | Self::Unknown { why, .. }
            | Self::Pending { why, .. }
            | Self::Skipped { why } => Some(why),
        }
    }

    /// What this target means for the whole change.
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::Applied { unrecorded: None, .. } | Self::Unchanged { .. } | Self::Planned { .. } => {
                Verdict::Done
            }
            Self::Applied { unrecorded: Some(_), .. } | Self::Unknown { .. } | Self::Pending { .. } => {
                Verdict::NotYet
            }
            Self::Failed { why, .. } if why.is_retryable() => Verdict::NotYet,
            Self::Superseded { .. } | Self::Blocked { .. } | Self::Failed { .. } | Self::Skipped { .. } => {
                Verdict::NotForGood
            }
        }
    }

    fn failed_for_now(before: Option<Configuration>, after: Option<Configuration>, why: Failure) -> Self {
        Self::Failed { before, after, why: why.made_retryable() }
    }

    /// The same outcome, whose audit line could not be written. Without the line nobody can prove it, so the target is
    /// not done. The reason stays, and sending the change again records it.
    #[must_use]
    pub fn unrecorded(self, missing: Failure) -> Self {
        match self {
            Self::Applied { before, after, .. } => Self::Applied { before, after, unrecorded: Some(missing) },
            Self::Unchanged { held } => Self::Failed { before: Some(held), after: None, why: missing },
            Self::Planned { before, after } => {
                Self::Failed { before: Some(before), after: Some(after), why: missing }
            }
            Self::Unknown { before, why } => Self::failed_for_now(Some(before), None, why),
            Self::Superseded { held, why } | Self::Blocked { held, why } => {
                Self::failed_for_now(held, None, why)
            }
            Self::Pending { before, why } => Self::failed_for_now(before, None, why),
            Self::Skipped { why } => Self::failed_for_now(None, None, why),
            Self::Failed { before, after, why } => Self::failed_for_now(before, after, why),
        }
    }
}

/// What the calls for one target cost and returned.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CallTrace {
    /// What its own calls cost. A read that several scopes share counts for none of them.
    pub cost: CallCost,
    /// Updates sent, retries included.
    pub update_attempts: u32,
    /// Connect's request id of the last answer.
    pub request_id: Option<String>,
    /// Connect's `LastModifiedTime`.
    pub last_modified: Option<OffsetDateTime>,
}

/// One target's line of the report.
#[derive(Debug, Clone, PartialEq)]
pub struct TargetResult {
    /// `None`: nobody could find out which instances there are.
    pub instance: Option<Instance>,
    /// Without an instance: where it would be, unless that is the function's own account and Region.
    pub place: Option<LaneName>,
    /// The scope.
    pub scope: Scope,
    /// How it ended.
    pub outcome: Outcome,
    /// What its calls showed.
    pub trace: CallTrace,
    /// The declared resource that owns it, where a change by other means sets it.
    pub declared_by: Option<DeclaredBy>,
}

impl TargetResult {
    /// A target that ended without a call of its own.
    pub fn without_calls(instance: Option<Instance>, scope: Scope, outcome: Outcome) -> Self {
        Self { instance, place: None, scope, outcome, trace: CallTrace::default(), declared_by: None }
    }

    /// Every instance there, where nobody could find out which there are.
    pub fn of_all(place: Option<LaneName>, scope: Scope, outcome: Outcome) -> Self {
        Self { place, ..Self::without_calls(None, scope, outcome) }
    }

    /// The instance's id, or `*`.
    pub fn instance_id(&self) -> &str {
        self.instance.as_ref().map_or("*", |instance| instance.id.as_str())
    }

    /// The instance's ARN; without an instance, the one that stands for every instance there.
    pub fn instance_arn(&self) -> Option<String> {
        match &self.instance {
            Some(instance) => instance.arn(),
            None => self.place.as_ref().and_then(LaneName::every_instance),
        }
    }

    /// The Region, where it is known.
    pub fn region(&self) -> Option<&RegionName> {
        let place = || self.place.as_ref().map(|place| &place.region);
        self.instance.as_ref().map(|instance| &instance.region).or_else(place)
    }
}
