//! What each target and each record must come to.

use super::steps::Asked;
use std::collections::{BTreeMap, BTreeSet};

/// The places of the two targets.
pub(super) const TARGETS: [usize; 2] = [0, 1];

/// What a target holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) size: i64,
    pub(super) list: BTreeSet<String>,
}

#[derive(Debug, Clone)]
struct Target {
    held: Held,
    /// The order of the newest change that set the member or found it right.
    size_by: u64,
    list_by: u64,
    /// The last change that applied something.
    applied_by: Option<usize>,
}

/// How a target ended for a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ended {
    pub(super) outcome: &'static str,
    /// What it held before and after, where it was looked at.
    pub(super) values: Option<(Held, Held)>,
}

#[derive(Debug, Clone)]
enum Task {
    Document(Asked),
    /// The place of the change that it undoes.
    Undo(usize),
}

#[derive(Debug, Clone)]
struct Change {
    task: Task,
    order: u64,
    is_halted: bool,
    ended: [Option<Ended>; 2],
    /// Whose updates were begun and never sent.
    begun: [bool; 2],
    status: Option<&'static str>,
}

#[derive(Debug)]
pub(super) struct Model {
    targets: [Target; 2],
    changes: BTreeMap<usize, Change>,
}

/// The members that are named, and the values that are asked for.
#[derive(Debug, Default)]
struct Wanted {
    size: Option<i64>,
    list: Option<BTreeSet<String>>,
}

impl Model {
    pub(super) fn new(start: &Held) -> Self {
        let target = || Target { held: start.clone(), size_by: 0, list_by: 0, applied_by: None };
        Self { targets: [target(), target()], changes: BTreeMap::new() }
    }

    /// A record is there.
    pub(super) fn record(&mut self, id: usize, asked: &Asked, order: u64) {
        self.insert(id, Task::Document(asked.clone()), order);
    }

    fn insert(&mut self, id: usize, task: Task, order: u64) {
        let change =
            Change { task, order, is_halted: false, ended: [None, None], begun: [false; 2], status: None };
        self.changes.entry(id).or_insert(change);
    }

    pub(super) fn knows(&self, id: usize) -> bool {
        self.changes.contains_key(&id)
    }

    /// Whether the record has not ended.
    pub(super) fn is_open(&self, id: usize) -> bool {
        self.changes.get(&id).is_some_and(|change| change.status.is_none())
    }

    /// An undo is asked for: the status of the answer.
    pub(super) fn undo(&mut self, id: usize, of: usize, order: u64) -> u64 {
        let Some(undone) = self.changes.get(&of) else { return 404 };
        if self.knows(id) {
            // the same request again, or an undo of another change under its id
            return match &self.changes[&id].task {
                Task::Undo(known) if *known == of => 202,
                _ => 409,
            };
        }
        let is_applied =
            |ended: &Option<Ended>| ended.as_ref().is_some_and(|ended| ended.outcome == "applied");
        if undone.status.is_none() || !undone.ended.iter().any(is_applied) {
            return 409;
        }
        self.insert(id, Task::Undo(of), order);
        202
    }

    /// A cancel is asked for: the status of the answer.
    pub(super) fn cancel(&mut self, id: usize) -> u64 {
        match self.changes.get_mut(&id) {
            None => 404,
            Some(change) if change.status.is_some() => 409,
            Some(change) => {
                change.is_halted = true;
                202
            }
        }
    }

    /// An update is begun that is never sent.
    pub(super) fn begin(&mut self, id: usize, place: usize) {
        self.changes.entry(id).and_modify(|change| change.begun[place] = true);
    }

    /// The change is carried out at the targets that were reached.
    pub(super) fn carry_out(&mut self, id: usize, reached: impl Fn(usize, &str) -> bool) {
        if self.changes[&id].is_halted {
            return;
        }
        for place in TARGETS {
            if self.changes[&id].ended[place].is_some() {
                continue;
            }
            let Some(ended) = self.outcome(id, place) else { continue };
            if reached(place, ended.outcome) {
                self.end(id, place, ended);
            }
        }
    }

    /// How the target ends for the change now; `None`: the change has nothing to do there.
    fn outcome(&self, id: usize, place: usize) -> Option<Ended> {
        let (change, target) = (&self.changes[&id], &self.targets[place]);
        let superseded = || Some(Ended { outcome: "superseded", values: None });
        let wanted = self.wanted(id, place)?;
        let is_older = |is_named: bool, by: u64| is_named && by > change.order;
        if is_older(wanted.size.is_some(), target.size_by) || is_older(wanted.list.is_some(), target.list_by)
        {
            return superseded();
        }
        if let Task::Undo(of) = change.task {
            let after = &self.applied(of, place)?.1;
            let holds = (wanted.size.is_none() || after.size == target.held.size)
                && (wanted.list.is_none() || after.list == target.held.list);
            if target.applied_by != Some(of) || !holds {
                return superseded();
            }
        }
        let after = Held {
            size: wanted.size.unwrap_or(target.held.size),
            list: wanted.list.unwrap_or_else(|| target.held.list.clone()),
        };
        let outcome = if after == target.held { "unchanged" } else { "applied" };
        Some(Ended { outcome, values: Some((target.held.clone(), after)) })
    }

    fn wanted(&self, id: usize, place: usize) -> Option<Wanted> {
        match &self.changes[&id].task {
            Task::Document(Asked { size, list, add }) => {
                let more = add.as_ref().map(|one| {
                    let held = self.targets[place].held.list.iter();
                    held.chain([one]).cloned().collect::<BTreeSet<_>>()
                });
                Some(Wanted { size: *size, list: list.clone().or(more) })
            }
            Task::Undo(of) => {
                let Task::Document(asked) = &self.changes[of].task else { return None };
                let before = &self.applied(*of, place)?.0;
                let names_list = asked.list.is_some() || asked.add.is_some();
                Some(Wanted {
                    size: asked.size.map(|_| before.size),
                    list: names_list.then(|| before.list.clone()),
                })
            }
        }
    }

    /// What the target held before and after the change, where it was applied.
    fn applied(&self, id: usize, place: usize) -> Option<&(Held, Held)> {
        let ended = self.changes[&id].ended[place].as_ref().filter(|ended| ended.outcome == "applied")?;
        ended.values.as_ref()
    }

    fn end(&mut self, id: usize, place: usize, ended: Ended) {
        let wanted = self.wanted(id, place).unwrap_or_default();
        let order = self.changes[&id].order;
        let target = &mut self.targets[place];
        if let Some((_, after)) = &ended.values {
            target.held = after.clone();
            if wanted.size.is_some() {
                target.size_by = order;
            }
            if wanted.list.is_some() {
                target.list_by = order;
            }
            if ended.outcome == "applied" {
                target.applied_by = Some(id);
            }
        }
        self.changes.entry(id).and_modify(|change| change.ended[place] = Some(ended));
    }

    /// The record has ended: what is left of it. `is_inline`: nobody comes back to its targets.
    ///
    /// `Err`: it has no reason to.
    pub(super) fn finish(&mut self, id: usize, is_inline: bool) -> Result<(), String> {
        let left: Vec<usize> = TARGETS
            .into_iter()
            .filter(|place| self.changes[&id].ended[*place].is_none() && self.wanted(id, *place).is_some())
            .collect();
        let Some(change) = self.changes.get_mut(&id) else { return Err(format!("{id} has no record")) };
        let untouched = if change.is_halted { "skipped" } else { "pending" };
        if !left.is_empty() && !change.is_halted && !is_inline {
            return Err(format!("{id} ends before its targets: {change:?}"));
        }
        for place in left {
            let outcome = if change.begun[place] { "failed" } else { untouched };
            change.ended[place] = Some(Ended { outcome, values: None });
        }
        let has =
            |outcomes: &[&str]| change.ended.iter().flatten().any(|one| outcomes.contains(&one.outcome));
        let (done, not_done) = (has(&["applied", "unchanged"]), has(&["superseded", "skipped"]));
        change.status = Some(match (change.is_halted, done, not_done) {
            (true, ..) => "cancelled",
            // an update that was begun and had no effect failed for now
            _ if has(&["pending", "failed"]) => "incomplete",
            (_, true, true) => "partial",
            (_, false, true) => "failed",
            _ => "succeeded",
        });
        Ok(())
    }

    /// What each target holds.
    pub(super) fn held(&self) -> [&Held; 2] {
        TARGETS.map(|place| &self.targets[place].held)
    }

    /// What each record says, by target where it has one.
    pub(super) fn records(&self) -> impl Iterator<Item = (usize, Option<&'static str>, &[Option<Ended>; 2])> {
        self.changes.iter().map(|(id, change)| (*id, change.status, &change.ended))
    }
}
