//! Carries a scenario out, event by event, until nothing happens any more; then everything comes to rest.

use super::Rules;
use super::drift::DriftCheck;
use super::scenario::{Scenario, Tape};
use super::truth::at_rest;
use super::worker::{Run, Worker};
use super::world::World;
use policy_core::policy::{ChangeId, Configuration};
use policy_core::record::{Intent, Millis, Order, RunKey, RunName};
use std::collections::BTreeMap;

/// Something that happens at its time.
#[derive(Debug)]
pub(super) enum Event {
    Deliver(usize),
    Step(Box<Worker>),
    Land { number: usize, intent: Box<Intent> },
    Foreign,
    Check(Box<DriftCheck>),
}

/// What becomes of one attempt, in milliseconds from when it is sent.
#[derive(Debug, Clone, Copy)]
pub(super) enum Landed {
    Answered(u64),
    Refused,
    Unanswered { lands: Option<u64>, noticed: u64 },
}

/// How long a step may take: most take no time, a few longer than a lease.
const PAUSES: [u64; 16] = [1, 1, 1, 1, 1, 1, 30, 30, 300, 300, 2_000, 5_000, 12_000, 30_000, 47_000, 75_000];

/// How long after an update CloudTrail says so.
const SAID: [u64; 4] = [1, 1_000, 60_000, 300_000];

/// Whether a process ends after a step: 1 of 16 does.
const KILLS: [bool; 16] = {
    let mut kills = [false; 16];
    kills[15] = true;
    kills
};

#[derive(Debug)]
pub(super) struct Play {
    pub(super) now: u64,
    pub(super) world: World,
    /// What each attempt that took effect was answered with.
    pub(super) answers: BTreeMap<usize, Configuration>,
    alters: bool,
    skew: u64,
    tape: Tape,
    attempts: usize,
    tokens: usize,
    /// By time, and of one time in the order in which they were planned.
    events: BTreeMap<(u64, usize), Event>,
    planned: usize,
    runs: Vec<Run>,
}

/// When the scenario begins. Clocks may be behind.
const BEGIN: u64 = 1_000_000;

impl Play {
    pub(super) fn new(scenario: Scenario, rules: Rules) -> Self {
        let runs = scenario.changes.into_iter().enumerate().map(|(number, asked)| {
            let change_id = ChangeId::parse(&format!("change-{number}")).unwrap();
            Run {
                name: RunName { change_id: change_id.clone(), key: RunKey(Millis(BEGIN)) },
                order: Order { accepted: Millis(BEGIN + asked.accepted), change_id },
                named: asked.named(),
                change: asked.change(),
                asked,
            }
        });
        let mut play = Self {
            now: BEGIN,
            world: World::new(rules),
            answers: BTreeMap::new(),
            alters: scenario.alters,
            skew: scenario.skew,
            tape: Tape::new(scenario.tape),
            attempts: 0,
            tokens: 0,
            events: BTreeMap::new(),
            planned: 0,
            runs: runs.collect(),
        };
        for number in 0..play.runs.len() {
            for at in play.runs[number].asked.deliveries.clone() {
                play.plan(at, Event::Deliver(number));
            }
        }
        for at in scenario.foreign {
            play.plan(at, Event::Foreign);
        }
        for at in scenario.checks {
            play.plan(at, Event::Check(Box::new(DriftCheck::new())));
        }
        play
    }

    fn plan(&mut self, after: u64, event: Event) {
        self.planned += 1;
        self.events.insert((self.now + after, self.planned), event);
    }

    fn run(&mut self) {
        while let Some(((at, _), event)) = self.events.pop_first() {
            self.now = at;
            match event {
                Event::Deliver(number) => self.deliver(number, false),
                Event::Step(worker) => {
                    if let Some((after, worker)) = worker.step(self) {
                        self.plan(after, Event::Step(Box::new(worker)));
                    }
                }
                Event::Land { number, intent } => {
                    self.world.land(&intent, self.alters);
                    self.answers.insert(number, self.world.connect.clone());
                }
                Event::Foreign => {
                    self.world.change_elsewhere();
                    // CloudTrail says so late, and perhaps twice
                    for _ in 0..2 {
                        let after = self.tape.choose(&SAID);
                        self.plan(after, Event::Check(Box::new(DriftCheck::new())));
                    }
                }
                Event::Check(check) => {
                    if let Some((after, next)) = check.step(self) {
                        self.plan(after, next);
                    }
                }
            }
        }
    }

    fn deliver(&mut self, number: usize, only_settles: bool) {
        let run = self.runs[number].clone();
        if let Some(worker) = Worker::new(&run, only_settles, self) {
            self.plan(0, Event::Step(Box::new(worker)));
        }
    }

    /// Everything, and then what brings it to rest: what is not done is delivered again, and the sweep settles. Gives
    /// what was wrong.
    pub(super) fn play(mut self) -> Vec<String> {
        self.run();
        self.tape.end();
        for _ in 0..8 {
            for number in 0..self.runs.len() {
                let only_settles = !self.runs[number].asked.is_retried;
                self.deliver(number, only_settles);
                self.run();
            }
        }
        self.plan(0, Event::Check(Box::new(DriftCheck::new())));
        self.run();
        let at_rest = at_rest(&self.world, &self.runs);
        self.world.truth.wrong.extend(at_rest);
        self.world.truth.wrong
    }

    /// A token that nobody else has.
    pub(super) fn token(&mut self) -> String {
        self.tokens += 1;
        format!("intent-{}", self.tokens)
    }

    /// An update goes out. It takes effect after that time, if it does.
    pub(super) fn send(&mut self, intent: &Intent, lands: Option<u64>) -> usize {
        self.attempts += 1;
        let number = self.attempts;
        if let Some(after) = lands {
            self.plan(after, Event::Land { number, intent: Box::new(intent.clone()) });
        }
        number
    }

    /// By how much a process's clock is ahead now: another time at each step, as it is set again and again.
    pub(super) fn clock(&mut self) -> i64 {
        let half = i64::try_from(self.skew / 2).unwrap();
        if half == 0 { 0 } else { self.tape.choose(&[0, half, -half]) }
    }

    /// How long the process takes to its next step, and whether its steady clock counts it.
    pub(super) fn pause(&mut self) -> (u64, bool) {
        let pause = self.tape.choose(&PAUSES);
        let pause = if self.alters { pause.min(300) } else { pause };
        (pause, pause < 30_000 || self.tape.choose(&[true, false]))
    }

    pub(super) fn is_killed(&mut self) -> bool {
        !self.alters && self.tape.choose(&KILLS)
    }

    pub(super) fn is_unreadable(&mut self) -> bool {
        self.tape.choose(&[false, false, true])
    }

    /// What becomes of an attempt. Amazon Connect takes it late by as much as the lease leaves besides what clocks differ.
    pub(super) fn landed(&mut self) -> Landed {
        let late = 11_000 - 2 * self.skew;
        let unanswered = |lands, noticed| Landed::Unanswered { lands, noticed };
        let answered = [Landed::Answered(1), Landed::Answered(1), Landed::Answered(4_000), Landed::Refused];
        let lost = [
            unanswered(None, 7_000),
            unanswered(Some(1), 7_000),
            unanswered(Some(late), 100),
            unanswered(Some(late), 7_000),
        ];
        if self.alters { self.tape.choose(&answered) } else { self.tape.choose(&[answered, lost].concat()) }
    }
}
