//! What a target should hold, and what is under way there.

use super::{Millis, Order, RunName};
use crate::policy::{ChangeId, Configuration};

/// The members of a target that a change names: all of them are fenced, even where only one is sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Members {
    /// `maximumSizeLimitInBytes`.
    pub size: bool,
    /// `allowedExtensions`.
    pub extensions: bool,
}

/// An update that is decided, and perhaps sent: a lease on the target until its outcome or 60 seconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intent {
    /// Its own token.
    pub token: String,
    /// When it was begun.
    pub begun: Millis,
    /// Until when nobody else begins the target: `begun` and 60 seconds.
    pub until: Millis,
    /// Whose it is.
    pub run: RunName,
    /// The change's id as reported: in a batch that of its change.
    pub reported_as: ChangeId,
    /// The run's place in the order.
    pub order: Order,
    /// The members the change names.
    pub named: Members,
    /// What is sent: only the members that are sent.
    pub values: Configuration,
    /// What the target held.
    pub before: Configuration,
    /// The order of the last value set for the size, before this intent.
    pub was_size: Option<Order>,
    /// The same for the extensions.
    pub was_extensions: Option<Order>,
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
}
