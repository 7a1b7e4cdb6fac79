//! How many targets ended how.

use crate::report::{OutcomeKind, Verdict};
use std::collections::BTreeMap;

/// How many targets ended how. A target that failed for now, is unknown or pending counts as not done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// By outcome; an outcome without targets is absent.
    pub outcomes: BTreeMap<OutcomeKind, u32>,
    /// Of all but the `unknown` and `pending` ones: how many ended only for now. Those that `failed`, and those
    /// whose outcome is not on record.
    pub retry: u32,
}

impl Counts {
    /// One more target. `retryable`: its error says that the same change again would help.
    pub fn add(&mut self, outcome: OutcomeKind, retryable: bool) {
        let count = self.outcomes.entry(outcome).or_default();
        *count = count.saturating_add(1);
        if retryable && !is_never_done(outcome) {
            self.retry = self.retry.saturating_add(1);
        }
    }

    /// Both together.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        let mut sum = self.clone();
        for (outcome, more) in &other.outcomes {
            let count = sum.outcomes.entry(*outcome).or_default();
            *count = count.saturating_add(*more);
        }
        sum.retry = sum.retry.saturating_add(other.retry);
        sum
    }

    /// How many ended so.
    pub fn count(&self, outcome: OutcomeKind) -> u32 {
        self.outcomes.get(&outcome).copied().unwrap_or_default()
    }

    /// All of them.
    pub fn total(&self) -> u32 {
        self.outcomes.values().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// How many the same change again would help.
    pub fn not_yet(&self) -> u32 {
        self.count(OutcomeKind::Unknown)
            .saturating_add(self.count(OutcomeKind::Pending))
            .saturating_add(self.retry)
    }

    /// What the targets mean for the whole, each kind of them once: the status depends on no more.
    pub(super) fn verdicts(&self) -> impl Iterator<Item = Verdict> {
        let is_some = |outcomes: &[OutcomeKind]| outcomes.iter().any(|outcome| self.count(*outcome) > 0);
        let done = is_some(&[OutcomeKind::Applied, OutcomeKind::Unchanged, OutcomeKind::Planned]);
        let not_for_good = is_some(&[
            OutcomeKind::Superseded,
            OutcomeKind::Blocked,
            OutcomeKind::Failed,
            OutcomeKind::Skipped,
        ]);
        let all = [
            (self.not_yet() > 0, Verdict::NotYet),
            (not_for_good, Verdict::NotForGood),
            (done, Verdict::Done),
        ];
        all.into_iter().filter_map(|(is_there, verdict)| is_there.then_some(verdict))
    }
}

/// Whether every target that ends so is one that the same change again would help.
const fn is_never_done(outcome: OutcomeKind) -> bool {
    match outcome {
        OutcomeKind::Unknown | OutcomeKind::Pending => true,
        OutcomeKind::Applied
        | OutcomeKind::Unchanged
        | OutcomeKind::Planned
        | OutcomeKind::Superseded
        | OutcomeKind::Blocked
        | OutcomeKind::Failed
        | OutcomeKind::Skipped => false,
    }
}
