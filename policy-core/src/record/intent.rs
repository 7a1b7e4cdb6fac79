//! An update under way, and what its outcome makes of the target's item.

use super::{Handover, Members, Millis, Order, RunName};
use crate::failure::ErrorCode;
use crate::policy::{ChangeId, Configuration};
use crate::report::{Outcome, Verdict};
use std::time::Duration;

/// How long an intent keeps others away from its target.
pub const LEASE: Duration = Duration::from_mins(1);
/// How long after its begin the last attempt may start. An attempt lasts at most 7 s (2 s to connect, 5 s to an answer),
/// so it ends by [`CUT_OFF`].
pub const LAST_ATTEMPT: Duration = Duration::from_secs(48);
/// How long after its begin the call is cut off: 5 s before [`LEASE`], by which clocks may differ.
pub const CUT_OFF: Duration = Duration::from_secs(55);

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
    /// Whose the target is once the values have taken effect.
    pub handover: Handover,
}

impl Intent {
    /// The members that are sent.
    pub const fn sent(&self) -> Members {
        Members::of_known(&self.values)
    }

    /// What the target should hold once it was found to hold this: of the named members, those that were sent as they
    /// were found, and the others, of which nothing else is known, as the change found them. So a change from elsewhere
    /// stays a drift.
    pub(super) fn held(&self, found: &Configuration) -> Configuration {
        let (named, sent) = (self.named, self.sent());
        let size = if sent.size { None } else { self.before.maximum_size_limit_in_bytes };
        let list = if sent.extensions { None } else { self.before.allowed_extensions.clone() };
        let kept = Configuration { maximum_size_limit_in_bytes: size, allowed_extensions: list };
        named.within(&kept.or(found))
    }
}

/// How an intent is closed: what becomes of the target's item.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an attribute of the item that changes or does not"
)]
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Closing {
    /// What the target should hold from now on; an absent member: as it was. So is one that was not sent, where it was
    /// known what it should hold: nobody asked for a value.
    pub held: Configuration,
    /// Whether the intent's run becomes the last one that applied a value.
    pub applied: bool,
    /// Whether the intent's run is done with the target.
    pub last: bool,
    /// Whether the named members get back the orders that the intent replaced: nothing was set.
    pub give_back: bool,
    /// Until when nobody begins the target, where an unanswered attempt may still take effect.
    pub quiet: Option<Millis>,
    /// Whether a drift of the members that were sent ends: they hold what this change set.
    pub ends_drift: bool,
}

impl Closing {
    /// The values took effect.
    pub(super) fn applied(held: Configuration) -> Self {
        Self { held, applied: true, last: true, ends_drift: true, ..Self::default() }
    }

    /// Other values took effect: they are set, though nobody asked for them.
    pub(super) fn answered_otherwise(held: Configuration, is_done: bool) -> Self {
        Self { held, last: is_done, ends_drift: true, ..Self::default() }
    }

    /// Nothing took effect.
    pub(super) fn dropped(is_done: bool) -> Self {
        Self { last: is_done, give_back: true, ..Self::default() }
    }
}

/// What to write after an update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// The outcome and the end of the intent, together.
    Close(Closing),
    /// The outcome only, as not done: the intent stays until its lease is over, and then a read settles it.
    Keep,
}

/// What an update's outcome makes of its intent. docs/ledger.md, "what the update brought", has one row for each.
///
/// `unanswered`: some attempt went out and brought no answer, so that it may take effect until the lease is over.
pub fn ending(intent: &Intent, outcome: &Outcome, unanswered: bool) -> Ending {
    let is_done = outcome.verdict() != Verdict::NotYet;
    let quiet = unanswered.then_some(intent.until);
    match outcome {
        Outcome::Applied { after, unrecorded: None, .. } => {
            Ending::Close(Closing { quiet, ..Closing::applied(intent.held(after)) })
        }
        // applied, but not in the audit: the visitor who settles it puts it on record, as applied
        Outcome::Applied { unrecorded: Some(_), .. } | Outcome::Unknown { .. } => Ending::Keep,
        Outcome::Failed { after: Some(after), why, .. } if why.code == ErrorCode::ResponseDiffers => {
            Ending::Close(Closing { quiet, ..Closing::answered_otherwise(intent.held(after), is_done) })
        }
        _ if unanswered => Ending::Keep,
        Outcome::Failed { .. }
        | Outcome::Pending { .. }
        | Outcome::Blocked { .. }
        | Outcome::Superseded { .. }
        | Outcome::Skipped { .. }
        | Outcome::Planned { .. }
        | Outcome::Unchanged { .. } => Ending::Close(Closing::dropped(is_done)),
    }
}
