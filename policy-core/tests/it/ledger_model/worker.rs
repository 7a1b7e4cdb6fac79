//! One delivery of one change: the steps of the walk, each of which may take long, fail, or be the last.

mod sending;

use super::Rule;
use super::play::Play;
use super::scenario::Asked;
use super::world::{Stored, Written};
use policy_core::decision::{self, Modified, Step};
use policy_core::policy::{Configuration, Guardrails, Limits, PolicyChange, Values};
use policy_core::record::{
    Consideration, Intent, Members, Millis, Order, ReadBack, RunName, TargetRecord, consider, settle,
};
use policy_core::report::{Outcome, OutcomeKind};

/// A run, and what it asks.
#[derive(Debug, Clone)]
pub(super) struct Run {
    pub(super) name: RunName,
    pub(super) order: Order,
    pub(super) named: Members,
    pub(super) change: PolicyChange,
    pub(super) asked: Asked,
}

/// Where a delivery stands: what it does next.
#[derive(Debug, Clone)]
enum Next {
    ReadItem,
    ReadConnect(TargetRecord),
    Look { record: TargetRecord, before: Configuration, values: Values },
    Begin { record: TargetRecord, before: Configuration, values: Values },
    Attempt { intent: Intent, sent: u32, unanswered: bool },
    Answer { intent: Intent, landing: usize, unanswered: bool },
    ReadBack { intent: Intent },
    Write { intent: Intent, outcome: Outcome, unanswered: bool },
    Confirm { record: TargetRecord, held: Configuration },
    NoteNewer { newer: Order },
    ReadLapsed(Intent),
    Settle { intent: Intent, held: Configuration },
}

#[derive(Debug)]
pub(super) struct Worker {
    run: Run,
    next: Next,
    /// How far its clock is ahead of the world's.
    ahead: i64,
    /// When its intent was begun, by a clock that stands still while the process is paused.
    begun: u64,
    /// How long it was paused.
    paused: u64,
    /// Whether it only settles what it finds, as the sweep does.
    only_settles: bool,
    /// How often an item was found changed.
    changed: u32,
}

impl Worker {
    /// A delivery that begins now. `None`: its run is done already.
    pub(super) fn new(run: &Run, only_settles: bool, play: &Play) -> Option<Self> {
        (!play.world.is_done(&run.name)).then(|| Self {
            run: run.clone(),
            next: Next::ReadItem,
            ahead: 0,
            begun: 0,
            paused: 0,
            only_settles,
            changed: 0,
        })
    }

    fn now(&self, play: &Play) -> Millis {
        Millis(play.now.saturating_add_signed(self.ahead))
    }

    /// Does one step. `None`: it has ended.
    pub(super) fn step(mut self, play: &mut Play) -> Option<(u64, Self)> {
        self.ahead = play.clock();
        let next = self.next.clone();
        let (delay, next) = match next {
            Next::ReadItem => self.consider(play)?,
            Next::ReadConnect(record) => (0, self.decide(record, play)),
            Next::Look { record, before, values } => self.look(record, before, values, play)?,
            Next::Begin { record, before, values } => self.begin(&record, &before, &values, play)?,
            Next::Attempt { intent, sent, unanswered } => self.attempt(intent, sent, unanswered, play),
            Next::Answer { intent, landing, unanswered } => {
                (0, Self::answered(intent, landing, unanswered, play))
            }
            Next::ReadBack { intent } => (0, Self::read_back(intent, play)),
            Next::Write { intent, outcome, unanswered } => self.write(&intent, &outcome, unanswered, play)?,
            Next::Confirm { record, held } => self.confirm(&record, &held, play)?,
            Next::NoteNewer { newer } => return self.note_newer(&newer, play),
            Next::ReadLapsed(intent) => (0, Next::Settle { intent, held: play.world.connect.clone() }),
            Next::Settle { intent, held } => self.settle(&intent, &held, play),
        };
        if play.is_killed() {
            return None;
        }
        let (pause, counts) = play.pause();
        if !counts {
            self.paused += pause;
        }
        self.next = next;
        Some((delay + pause, self))
    }

    fn consider(&self, play: &Play) -> Option<(u64, Next)> {
        let record = play.world.item.clone();
        let mut now = self.now(play);
        if !play.world.rules.have(Rule::Lease) {
            now = now.plus(std::time::Duration::from_secs(40));
        }
        match consider(&record, &self.run.name, &self.run.order, self.run.named, now) {
            Consideration::Lapsed(intent) => Some((0, Next::ReadLapsed(*intent))),
            Consideration::Busy { until } => Some((until.0.saturating_sub(now.0) + 1, Next::ReadItem)),
            _ if self.only_settles => None,
            Consideration::Go => Some((0, Next::ReadConnect(record))),
            Consideration::Newer(newer) => Some((0, Next::NoteNewer { newer })),
            Consideration::Done => None,
        }
    }

    fn decide(&self, record: TargetRecord, play: &Play) -> Next {
        let held = play.world.connect.clone();
        let guardrails = Guardrails::default();
        let limits = Limits { guardrails: &guardrails, allow_empty_extensions: true };
        match decision::decide(&self.run.change, None, limits, &held, Modified::At(None)) {
            Step::Update(values) => {
                let values = values.into_owned();
                Next::Look { record, before: held, values }
            }
            Step::Done(Outcome::Unchanged { held }) => Next::Confirm { record, held },
            other => panic!("{other:?}"),
        }
    }

    /// The item is not as it was seen: look again, and after three times come back later.
    fn look_again(&mut self, play: &Play) -> Option<(u64, Next)> {
        self.changed += 1;
        (self.changed <= 3 && !play.world.is_done(&self.run.name)).then_some((0, Next::ReadItem))
    }

    /// The run's result, read after the item: another delivery may be done, and the item may have forgotten it.
    fn look(
        &self,
        record: TargetRecord,
        before: Configuration,
        values: Values,
        play: &Play,
    ) -> Option<(u64, Next)> {
        let is_done = play.world.is_done(&self.run.name) && play.world.rules.have(Rule::Look);
        (!is_done).then_some((0, Next::Begin { record, before, values }))
    }

    fn begin(
        &mut self,
        record: &TargetRecord,
        before: &Configuration,
        values: &Values,
        play: &mut Play,
    ) -> Option<(u64, Next)> {
        let now = self.now(play);
        let Run { name, order, named, .. } = self.run.clone();
        let intent = record.intend(play.token(), now, name, order, named, values, before);
        match play.world.begin(record.rev, &intent, now) {
            Written::Now => {
                self.begun = play.now - self.paused;
                Some((0, Next::Attempt { intent, sent: 0, unanswered: false }))
            }
            _ => self.look_again(play),
        }
    }

    fn confirm(
        &mut self,
        record: &TargetRecord,
        held: &Configuration,
        play: &mut Play,
    ) -> Option<(u64, Next)> {
        let now = self.now(play);
        match play.world.confirm(record.rev, &self.run, held, now) {
            Written::Refused => self.look_again(play),
            Written::Now | Written::Done => None,
        }
    }

    fn note_newer(&self, newer: &Order, play: &mut Play) -> Option<(u64, Self)> {
        let Run { name, order, named, .. } = &self.run;
        play.world.truth.superseded(*named, order, newer);
        play.world.note(name, Stored::without_update(OutcomeKind::Superseded));
        None
    }

    /// Whoever visits the target settles it, whosever intent it is.
    fn settle(&self, intent: &Intent, held: &Configuration, play: &mut Play) -> (u64, Next) {
        let settled = settle(intent, ReadBack::Holds(held));
        let result = Stored {
            outcome: settled.outcome,
            done: settled.done,
            before: Some(settled.before),
            after: settled.after,
        };
        let now = self.now(play);
        match play.world.close(intent, &settled.closing, result, now) {
            Written::Now if settled.outcome == OutcomeKind::Unknown => {
                play.world.truth.overtaken(intent, settled.closing.give_back);
            }
            Written::Done => play.world.close_alone(intent, &settled.closing, now),
            Written::Now | Written::Refused => {}
        }
        (0, Next::ReadItem)
    }
}
