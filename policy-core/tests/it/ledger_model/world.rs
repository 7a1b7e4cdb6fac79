//! The target at Amazon Connect, its item and its runs' results in the ledger, with the conditions under which
//! docs/ledger.md lets each be written; and what only the model knows: what really happened, in which order.

use super::Rules;
use super::worker::Run;
use policy_core::policy::Configuration;
use policy_core::record::{Closing, Intent, Members, Millis, Order, RunName, TargetRecord};
use policy_core::report::OutcomeKind;
use std::collections::BTreeMap;

/// A result as the ledger keeps it.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    pub(super) outcome: OutcomeKind,
    pub(super) done: bool,
    pub(super) before: Option<Configuration>,
    pub(super) after: Option<Configuration>,
    pub(super) token: String,
}

impl Stored {
    /// Of a target without an update.
    pub(super) fn of(outcome: OutcomeKind, done: bool, token: &str) -> Self {
        Self { outcome, done, before: None, after: None, token: token.to_owned() }
    }
}

/// An update that took effect.
#[derive(Debug, Clone)]
pub(super) struct Landing {
    pub(super) token: String,
    pub(super) run: RunName,
    /// What the target held before.
    pub(super) before: Configuration,
    /// Whether Amazon Connect set other values than were sent.
    pub(super) is_altered: bool,
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

/// The newest change that set each member, or found it right.
#[derive(Debug, Default, Clone)]
struct Newest {
    size: Option<Order>,
    extensions: Option<Order>,
}

#[derive(Debug)]
pub(super) struct World {
    pub(super) rules: Rules,
    /// Whether somebody else changes the target.
    pub(super) is_shared: bool,
    pub(super) connect: Configuration,
    pub(super) item: TargetRecord,
    pub(super) results: BTreeMap<RunName, Stored>,
    pub(super) landings: Vec<Landing>,
    /// How many changes came from somebody else.
    foreign: i64,
    /// Of the values that are there now.
    newest: Newest,
    /// Of all that were there.
    newest_ever: Newest,
    /// What was wrong, in words.
    pub(super) wrong: Vec<String>,
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
    pub(super) fn new(rules: Rules, is_shared: bool) -> Self {
        let list = ["csv", "pdf"].map(str::to_owned);
        let connect = Configuration {
            maximum_size_limit_in_bytes: Some(5 * 1_048_576),
            allowed_extensions: Some(list.into()),
        };
        Self {
            rules,
            is_shared,
            connect,
            item: TargetRecord::default(),
            results: BTreeMap::new(),
            landings: Vec::new(),
            foreign: 0,
            newest: Newest::default(),
            newest_ever: Newest::default(),
            wrong: Vec::new(),
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
        let (token, run) = (intent.token.clone(), intent.run.clone());
        self.landings.push(Landing { token, run, before, is_altered });
        self.take_effect(intent.sent(), intent.named, &intent.order, "lands");
    }

    /// No older value comes after a newer one, or after one that a newer change named and found right.
    fn take_effect(&mut self, sent: Members, named: Members, order: &Order, how: &str) {
        let (now, ever) = (&mut self.newest, &mut self.newest_ever);
        for (is_sent, is_named, now, ever) in [
            (sent.size, named.size, &mut now.size, &mut ever.size),
            (sent.extensions, named.extensions, &mut now.extensions, &mut ever.extensions),
        ] {
            if is_sent && now.as_ref().is_some_and(|newest| newest > order) {
                self.wrong.push(format!("order: {order} {how} after {now:?}"));
            }
            if is_named {
                *now = now.take().max(Some(order.clone()));
                *ever = ever.take().max(Some(order.clone()));
            }
        }
    }

    /// Somebody else sets the size, to a value that was never there: whatever was newest is gone. Were it a value from
    /// before an update, nobody could tell that from an update which never took effect.
    pub(super) fn change_elsewhere(&mut self) {
        self.foreign += 1;
        self.connect.maximum_size_limit_in_bytes = Some(self.foreign);
        self.newest.size = None;
    }

    /// An update was settled as overtaken: only somebody else can have done that. Nothing of it is left if it gives its
    /// time back.
    pub(super) fn overtaken(&mut self, intent: &Intent, gives_back: bool) {
        if !self.is_shared {
            self.wrong.push(format!("settled: {} found {:?}", intent.token, self.connect));
        }
        if gives_back {
            self.newest = Newest::default();
        }
    }

    /// Whether a newer change than this really set one of the members.
    pub(super) fn has_newer(&self, members: Members, order: &Order) -> bool {
        let is_newer = |newest: &Option<Order>| newest.as_ref().is_some_and(|newest| newest > order);
        let Newest { size, extensions } = &self.newest_ever;
        (members.size && is_newer(size)) || (members.extensions && is_newer(extensions))
    }

    /// The condition that **begin** and **confirm** share.
    fn may_begin(&self, seen: u64, order: &Order, named: Members, now: Millis) -> bool {
        let set =
            |is_named: bool, set: &Option<Order>| !is_named || set.as_ref().is_none_or(|set| set <= order);
        (self.item.rev == seen || self.rules.without_rev)
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
        if self.is_done(name) && !self.rules.without_done {
            return Written::Done;
        }
        self.set_orders(*named, Some(order.clone()), Some(order.clone()));
        put(&mut self.item.held, &named.within(held));
        self.item.last = Some(name.clone());
        self.take_effect(*named, *named, order, "is confirmed");
        self.results.insert(name.clone(), Stored::of(OutcomeKind::Unchanged, true, "confirm"));
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
        self.judge(intent, &result);
        self.results.insert(intent.run.clone(), result);
        self.close_alone(intent, closing, now);
        Written::Now
    }

    /// The end of the intent, where the run is done with the target already.
    pub(super) fn close_alone(&mut self, intent: &Intent, closing: &Closing, now: Millis) {
        if closing.give_back && !self.rules.without_give_back {
            self.set_orders(intent.named, intent.was_size.clone(), intent.was_extensions.clone());
        } else {
            self.item.rev += 1;
        }
        put(&mut self.item.held, &closing.held);
        if closing.applied {
            self.item.applied = Some(intent.run.clone());
            self.item.applied_at = Some(now);
        }
        if closing.last {
            self.item.last = Some(intent.run.clone());
        }
        self.item.quiet = closing.quiet.filter(|_| !self.rules.without_quiet).or(self.item.quiet);
        self.item.intent = None;
    }

    /// **keep** and **note**: the result alone.
    pub(super) fn note(&mut self, run: &RunName, result: Stored) -> Written {
        if self.is_done(run) && !self.rules.without_done {
            return Written::Done;
        }
        self.results.insert(run.clone(), result);
        Written::Now
    }

    /// What is reported as applied took effect, and its `before` is what it replaced.
    fn judge(&mut self, intent: &Intent, result: &Stored) {
        if result.outcome == OutcomeKind::Applied {
            let landing = self.landings.iter().find(|landing| landing.token == intent.token);
            let was_so = intent.sent().agree(&intent.before, &intent.values);
            match landing {
                // it was there before, and nobody knows whether it was sent: as good as confirmed
                None if was_so => {
                    self.take_effect(intent.sent(), intent.named, &intent.order, "is confirmed");
                }
                None => self.wrong.push(format!("applied: {} never took effect", intent.token)),
                Some(landing) if result.before.as_ref() != Some(&landing.before) && !self.is_shared => {
                    self.wrong.push(format!("before: {} replaced {:?}", intent.token, landing.before));
                }
                _ => {}
            }
        }
    }

    /// Nothing is under way, every update that took effect is reported as applied, and the item says what Amazon
    /// Connect holds.
    pub(super) fn at_rest(&mut self, runs: &[Run]) {
        let mut wrong = Vec::new();
        if let Some(intent) = &self.item.intent {
            wrong.push(format!("open: {}", intent.token));
        }
        for run in runs.iter().filter(|run| run.asked.is_retried && !self.is_done(&run.name)) {
            wrong.push(format!("undone: {}", run.name));
        }
        if !self.is_shared {
            let reported = |landing: &Landing| self.results.get(&landing.run).map(|result| result.outcome);
            let unreported = self
                .landings
                .iter()
                .filter(|landing| !landing.is_altered && reported(landing) != Some(OutcomeKind::Applied));
            wrong.extend(
                unreported.map(|landing| format!("reported: {landing:?} as {:?}", reported(landing))),
            );
            let governed = Members::of_known(&self.item.held);
            if !governed.agree(&self.item.held, &self.connect) {
                wrong.push(format!("held: {:?} is not {:?}", self.item.held, self.connect));
            }
        }
        self.wrong.extend(wrong);
    }
}
