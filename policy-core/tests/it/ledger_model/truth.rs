//! What only the model knows: what really happened, in which order, and so what was reported wrongly.

use super::worker::Run;
use super::world::World;
use crate::record::recorded;
use policy_core::policy::Configuration;
use policy_core::record::{Intent, Members, Order, RunName, differing, undo_of};
use policy_core::report::OutcomeKind;

/// An update that took effect.
#[derive(Debug, Clone)]
struct Landing {
    token: String,
    run: RunName,
    /// What the target held before.
    before: Configuration,
    /// Whether Amazon Connect set other values than were sent.
    is_altered: bool,
}

/// The newest change that set each member, or found it right.
#[derive(Debug, Default, Clone)]
struct Newest {
    size: Option<Order>,
    extensions: Option<Order>,
}

#[derive(Debug, Default)]
pub(super) struct Truth {
    landings: Vec<Landing>,
    /// How many changes came from somebody else.
    foreign: i64,
    /// The sizes that were reported as drifts.
    reported: Vec<i64>,
    /// Of the values that are there now.
    newest: Newest,
    /// Of all that were there.
    newest_ever: Newest,
    /// What was wrong, in words.
    pub(super) wrong: Vec<String>,
}

impl Truth {
    pub(super) fn landed(&mut self, intent: &Intent, before: Configuration, is_altered: bool) {
        let (token, run) = (intent.token.clone(), intent.run.clone());
        self.landings.push(Landing { token, run, before, is_altered });
        self.take_effect(intent.sent(), intent.named, &intent.order, "lands");
    }

    pub(super) fn confirmed(&mut self, sent: Members, named: Members, order: &Order) {
        self.take_effect(sent, named, order, "is confirmed");
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

    /// Somebody else sets the size, to this value that was never there: whatever was newest is gone. Were it a value from
    /// before an update, nobody could tell that from an update which never took effect.
    pub(super) fn changed_elsewhere(&mut self) -> i64 {
        self.foreign += 1;
        self.newest.size = None;
        self.foreign
    }

    /// Whether somebody else changed the target: then less can be asked.
    const fn is_shared(&self) -> bool {
        self.foreign > 0
    }

    /// An update was settled as overtaken: only somebody else can have done that. Nothing of it is left if it gives its
    /// time back.
    pub(super) fn overtaken(&mut self, intent: &Intent, gives_back: bool) {
        if !self.is_shared() {
            self.wrong.push(format!("settled: nobody overtook {}", intent.token));
        }
        if gives_back {
            self.newest = Newest::default();
        }
    }

    /// A change is superseded only by a newer one that really set one of the members.
    pub(super) fn superseded(&mut self, named: Members, order: &Order, newer: &Order) {
        let is_newer = |newest: &Option<Order>| newest.as_ref().is_some_and(|newest| newest > order);
        let Newest { size, extensions } = &self.newest_ever;
        if !(named.size && is_newer(size) || named.extensions && is_newer(extensions)) {
            self.wrong.push(format!("superseded: {order} by {newer}, which set nothing"));
        }
    }

    /// What is reported as applied took effect, and its `before` is what it replaced.
    pub(super) fn applied(&mut self, intent: &Intent, before: Option<&Configuration>) {
        let landing = self.landings.iter().find(|landing| landing.token == intent.token);
        let was_so = intent.sent().agree(&intent.before, &intent.values);
        match landing {
            // it was there before, and nobody knows whether it was sent: as good as confirmed
            None if was_so => self.confirmed(intent.sent(), intent.named, &intent.order),
            None => self.wrong.push(format!("applied: {} never took effect", intent.token)),
            Some(landing) if before != Some(&landing.before) && !self.is_shared() => {
                self.wrong.push(format!("before: {} replaced {:?}", intent.token, landing.before));
            }
            Some(_) => {}
        }
    }

    /// A drift is reported: of a value that somebody else has set, and once.
    pub(super) fn reported(&mut self, drift: &Configuration) {
        match (drift.maximum_size_limit_in_bytes, &drift.allowed_extensions) {
            (Some(size), None) if (1..=self.foreign).contains(&size) => {
                if self.reported.contains(&size) {
                    self.wrong.push(format!("drift: {size} is reported a second time"));
                }
                self.reported.push(size);
            }
            _ => self.wrong.push(format!("drift: {drift:?} is reported, and nobody else set it")),
        }
    }

    /// At rest and between two writes, what is governed holds what it should: else it would be called a drift.
    pub(super) fn compared(&mut self, should: &Configuration, held: &Configuration) {
        if !Members::of_known(should).agree(should, held) && !self.is_shared() {
            self.wrong.push(format!("drift: {should:?} is not {held:?}"));
        }
    }
}

/// What is wrong at rest: something is under way, an update is not reported, a run is not at its end, or an undo would
/// not find what was set.
pub(super) fn at_rest(world: &World, runs: &[Run]) -> Vec<String> {
    let mut wrong: Vec<_> =
        world.item.intent.iter().map(|intent| format!("open: {}", intent.token)).collect();
    let is_undone = |run: &&Run| run.asked.is_retried && !world.is_done(&run.name);
    wrong.extend(runs.iter().filter(is_undone).map(|run| format!("undone: {}", run.name)));
    let drift = differing(&world.item.held, &world.connect);
    if drift != world.item.drift {
        wrong.push(format!("drift: {drift:?} stands, and {:?} is reported", world.item.drift));
    }
    if world.truth.is_shared() {
        return wrong;
    }
    for landing in world.truth.landings.iter().filter(|landing| !landing.is_altered) {
        let reported = world.results.get(&landing.run).map(|result| result.outcome);
        if reported != Some(OutcomeKind::Applied) {
            wrong.push(format!("reported: {landing:?} as {reported:?}"));
        }
    }
    let is_altered = world.truth.landings.iter().any(|landing| landing.is_altered);
    let last = runs.iter().find(|run| world.item.applied.as_ref() == Some(&run.name));
    if let Some(run) = last.filter(|_| !is_altered) {
        let result = &world.results[&run.name];
        let mut recorded = recorded(result.outcome);
        (recorded.before, recorded.after) = (result.before.clone(), result.after.clone());
        let undo = undo_of(&[(run.name.key, recorded.clone())], run.name.key, |_| run.named);
        if !undo[&recorded.target].expects(&world.connect) {
            wrong.push(format!("undo: {:?} does not find {:?}", run.name, recorded.after));
        }
    }
    wrong
}
