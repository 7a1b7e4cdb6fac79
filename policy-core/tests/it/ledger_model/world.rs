//! The target at Amazon Connect, its item and its runs' results in the ledger, and the conditions under which
//! docs/ledger.md lets each be written.

use super::truth::Truth;
use super::worker::Run;
use super::{Rule, Rules};
use policy_core::policy::Configuration;
use policy_core::record::{
    Closing, Intent, Members, Millis, Order, RunName, TargetRecord, differing, is_news,
};
use policy_core::report::OutcomeKind;
use std::collections::BTreeMap;

/// A result as the ledger keeps it.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    pub(super) outcome: OutcomeKind,
    pub(super) done: bool,
    pub(super) before: Option<Configuration>,
    pub(super) after: Option<Configuration>,
}

impl Stored {
    /// Of a target that was not updated, for good.
    pub(super) const fn without_update(outcome: OutcomeKind) -> Self {
        Self { outcome, done: true, before: None, after: None }
    }
}

/// What came of a write that has a condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Written {
    Now,
    /// The run is done with the target already.
    Done,
    /// The item is not as it was seen.
    Refused,
}

#[derive(Debug)]
pub(super) struct World {
    pub(super) rules: Rules,
    pub(super) connect: Configuration,
    pub(super) item: TargetRecord,
    pub(super) results: BTreeMap<RunName, Stored>,
    pub(super) truth: Truth,
}

/// The size that Amazon Connect sets otherwise, if it does, and what it sets.
const ALTERED: (i64, i64) = (4 * 1_048_576, 3 * 1_048_576);

fn put(into: &mut Configuration, values: &Configuration) {
    if let Some(size) = values.maximum_size_limit_in_bytes {
        into.maximum_size_limit_in_bytes = Some(size);
    }
    if let Some(list) = &values.allowed_extensions {
        into.allowed_extensions = Some(list.clone());
    }
}

impl World {
    pub(super) fn new(rules: Rules) -> Self {
        let list = ["csv", "pdf"].map(str::to_owned);
        let connect = Configuration {
            maximum_size_limit_in_bytes: Some(5 * 1_048_576),
            allowed_extensions: Some(list.into()),
        };
        Self {
            rules,
            connect,
            item: TargetRecord::default(),
            results: BTreeMap::new(),
            truth: Truth::default(),
        }
    }

    pub(super) fn is_done(&self, run: &RunName) -> bool {
        self.results.get(run).is_some_and(|result| result.done)
    }

    /// An update takes effect: what it was sent with, whatever the ledger says by now.
    pub(super) fn land(&mut self, intent: &Intent, alters: bool) {
        let before = self.connect.clone();
        put(&mut self.connect, &intent.values);
        let is_altered = alters && intent.values.maximum_size_limit_in_bytes == Some(ALTERED.0);
        if is_altered {
            self.connect.maximum_size_limit_in_bytes = Some(ALTERED.1);
        }
        self.truth.landed(intent, before, is_altered);
    }

    /// Somebody else sets the size.
    pub(super) fn change_elsewhere(&mut self) {
        self.connect.maximum_size_limit_in_bytes = Some(self.truth.changed_elsewhere());
    }

    /// The condition that **begin** and **confirm** share.
    fn may_begin(&self, seen: u64, order: &Order, named: Members, now: Millis) -> bool {
        let set =
            |is_named: bool, set: &Option<Order>| !is_named || set.as_ref().is_none_or(|set| set <= order);
        (self.item.rev == seen || !self.rules.have(Rule::Rev))
            && self.item.intent.is_none()
            && self.item.quiet.is_none_or(|quiet| quiet < now)
            && set(named.size, &self.item.set_size)
            && set(named.extensions, &self.item.set_extensions)
    }

    fn set_orders(&mut self, named: Members, size: Option<Order>, extensions: Option<Order>) {
        if named.size {
            self.item.set_size = size;
        }
        if named.extensions {
            self.item.set_extensions = extensions;
        }
        self.item.rev += 1;
    }

    /// **begin**
    pub(super) fn begin(&mut self, seen: u64, intent: &Intent, now: Millis) -> Written {
        if !self.may_begin(seen, &intent.order, intent.named, now) {
            return Written::Refused;
        }
        // in passing: what is about to be overwritten, unless it was reported
        let drift = differing(&self.item.held, &intent.before);
        if is_news(&drift, &self.item.drift) {
            self.truth.reported(&drift);
            self.item.drift = drift;
        }
        self.set_orders(intent.named, Some(intent.order.clone()), Some(intent.order.clone()));
        self.item.intent = Some(intent.clone());
        Written::Now
    }

    /// **confirm**
    pub(super) fn confirm(&mut self, seen: u64, run: &Run, held: &Configuration, now: Millis) -> Written {
        let Run { name, order, named, .. } = run;
        if !self.may_begin(seen, order, *named, now) {
            return Written::Refused;
        }
        if self.is_done(name) && self.rules.have(Rule::Done) {
            return Written::Done;
        }
        self.set_orders(*named, Some(order.clone()), Some(order.clone()));
        put(&mut self.item.held, &named.within(held));
        self.forget_drift(*named);
        self.item.last = Some(name.clone());
        self.truth.confirmed(*named, *named, order);
        self.results.insert(name.clone(), Stored::without_update(OutcomeKind::Unchanged));
        Written::Now
    }

    /// **close**: the outcome and the end of the intent, together.
    pub(super) fn close(
        &mut self,
        intent: &Intent,
        closing: &Closing,
        result: Stored,
        now: Millis,
    ) -> Written {
        if self.item.intent.as_ref().map(|open| &open.token) != Some(&intent.token) {
            return Written::Refused;
        }
        if self.is_done(&intent.run) {
            return Written::Done;
        }
        if result.outcome == OutcomeKind::Applied {
            self.truth.applied(intent, result.before.as_ref());
        }
        self.results.insert(intent.run.clone(), result);
        self.close_alone(intent, closing, now);
        Written::Now
    }

    /// The end of the intent, where the run is done with the target already.
    pub(super) fn close_alone(&mut self, intent: &Intent, closing: &Closing, now: Millis) {
        if closing.give_back && self.rules.have(Rule::GiveBack) {
            self.set_orders(intent.named, intent.was_size.clone(), intent.was_extensions.clone());
        } else {
            self.item.rev += 1;
        }
        // of what was not sent, only where nothing is known
        let known = Members::of_known(&self.item.held);
        let (sent, named) = (intent.sent(), Members::of_known(&closing.held));
        let taken = Members {
            size: named.size && (sent.size || !known.size),
            extensions: named.extensions && (sent.extensions || !known.extensions),
        };
        put(&mut self.item.held, &taken.within(&closing.held));
        if closing.applied {
            self.item.applied = Some(intent.run.clone());
            self.item.applied_at = Some(now);
        }
        if closing.last {
            self.item.last = Some(intent.run.clone());
        }
        if closing.ends_drift {
            self.forget_drift(sent);
        }
        self.item.quiet = closing.quiet.filter(|_| self.rules.have(Rule::Quiet)).or(self.item.quiet);
        self.item.intent = None;
    }

    /// Notes a drift, unless the item is another one than was seen.
    pub(super) fn note_drift(&mut self, seen: &TargetRecord, drift: &Configuration) -> bool {
        let is_as_seen = self.item.rev == seen.rev && self.item.intent.is_none();
        if is_as_seen {
            self.item.drift = drift.clone();
            self.item.rev += 1;
        }
        is_as_seen
    }

    /// A drift of these members ends: they hold what is set now.
    fn forget_drift(&mut self, named: Members) {
        let kept = Members { size: !named.size, extensions: !named.extensions };
        self.item.drift = kept.within(&self.item.drift);
    }

    /// **keep** and **note**: the result alone.
    pub(super) fn note(&mut self, run: &RunName, result: Stored) -> Written {
        if self.is_done(run) && self.rules.have(Rule::Done) {
            return Written::Done;
        }
        self.results.insert(run.clone(), result);
        Written::Now
    }
}
