//! What a target should hold, what is under way there, and what a run may do about it.

use super::{Handover, Intent, LEASE, Members, Millis, Order, RunName};
use crate::declare::Owner;
use crate::policy::{ChangeId, Configuration, Values};

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
    /// What it was last seen to hold instead, of the members that drift: it has been announced.
    pub drift: Configuration,
    /// Whose it is, where a stack declares it.
    pub owner: Option<Owner>,
}

impl TargetRecord {
    /// Whether it should hold something, or an update is under way that may come to that.
    pub fn is_governed(&self) -> bool {
        Members::of_known(&self.held).any() || self.intent.is_some()
    }

    /// Whether the last value applied here is that change's: only then an undo of it may touch the target.
    pub fn is_last_applied_by(&self, change: &ChangeId) -> bool {
        self.applied.as_ref().is_some_and(|run| run.change_id == *change)
    }

    /// The intent to send these values to the target, which holds `before`.
    ///
    /// `begun` is the time before the intent is written. It remembers the orders that it replaces, so that a failure can
    /// give them back.
    #[expect(
        clippy::too_many_arguments,
        reason = "each is an attribute of the intent, from a place of its own"
    )]
    pub fn intend(
        &self,
        token: String,
        begun: Millis,
        run: RunName,
        order: Order,
        named: Members,
        values: &Values,
        before: &Configuration,
    ) -> Intent {
        // what is sent is named, whoever says otherwise
        let named = named.or(Members::of_values(values));
        Intent {
            token,
            begun,
            until: begun.plus(LEASE),
            reported_as: run.change_id.clone(),
            run,
            order,
            named,
            values: Configuration::default().after(values),
            before: before.clone(),
            was_size: self.set_size.clone().filter(|_| named.size),
            was_extensions: self.set_extensions.clone().filter(|_| named.extensions),
            handover: Handover::Stays,
        }
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
