//! What must never be, counted from the sandbox's own journals and from the items of the table.
//!
//! - *lost*: an update that took effect, of which no result says `applied`.
//! - *doubled*: as below the triggers: an update that wrote although an answer had shown that an earlier one of the same
//!   values had taken effect.
//! - *without a stored intent*: an update that Amazon Connect received while the target's item had no intent of it.
//! - *never ended*: a record that is not final when everybody has come back, or something left in the table that
//!   somebody would have to come back to: a debt, work, an intent.
//! - *untrue*: an `applied` whose `before` is not what the target held, or a target's item that says something else than
//!   the target holds.
//! - *unannounced*: a run that has ended, and no event says so, or two events say different things of it.
//! - *intents without outcome*: an intent in the audit that none of its target's outcomes follows.

use super::super::evidence::{Evidence as Below, Place, Statement, doubled, is_update};
use super::stack::{FIRST, SECOND, Stack};
use super::verb::Verb;
use sandbox::bus::Event;
use sandbox::connect::{Entry, Scope};
use sandbox::ledger::Entry as Request;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::AddAssign;

/// The bottom line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Totals {
    pub(super) cells: usize,
    pub(super) updates: usize,
    pub(super) lost: usize,
    pub(super) doubled: usize,
    pub(super) without_intent: usize,
    pub(super) never_ended: usize,
    pub(super) untrue: usize,
    pub(super) unannounced: usize,
    pub(super) intents_without_outcome: usize,
}

impl AddAssign for Totals {
    fn add_assign(&mut self, other: Self) {
        self.cells += other.cells;
        self.updates += other.updates;
        self.lost += other.lost;
        self.doubled += other.doubled;
        self.without_intent += other.without_intent;
        self.never_ended += other.never_ended;
        self.untrue += other.untrue;
        self.unannounced += other.unannounced;
        self.intents_without_outcome += other.intents_without_outcome;
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            cells,
            updates,
            lost,
            doubled,
            without_intent,
            never_ended,
            untrue,
            unannounced,
            intents_without_outcome,
        } = self;
        write!(
            f,
            "{cells} cells, {updates} updates sent: lost {lost}, doubled {doubled}, without a stored intent \
             {without_intent}, never ended {never_ended}, untrue {untrue}, unannounced {unannounced}, intents \
             without outcome {intents_without_outcome}"
        )
    }
}

/// What is there when everybody has come back.
pub(super) struct Evidence {
    /// What Amazon Connect received.
    pub(super) journal: Vec<Entry>,
    /// What the table received.
    pub(super) requests: Vec<Request>,
    pub(super) items: Vec<Value>,
    /// What the bus took.
    pub(super) events: Vec<Event>,
    /// Every process's, in the order of time.
    pub(super) audit: Vec<Value>,
    /// The sizes of the targets at the start and in the end.
    pub(super) sizes: BTreeMap<Place, (i64, i64)>,
}

impl Evidence {
    pub(super) fn of(stack: &Stack) -> Self {
        let connect = &stack.stage.world.connect;
        let size = |id: &str| {
            let now = connect.configuration(id, Scope::Chat).unwrap().maximum_size_limit_in_bytes;
            ((id.to_owned(), Scope::Chat.to_string()), (stack.initial_size(id), now))
        };
        Self {
            journal: connect.journal(),
            requests: stack.stage.ledger.journal(),
            items: stack.stage.ledger.items().unwrap(),
            events: stack.stage.bus.events(),
            audit: stack.audits(),
            sizes: [FIRST, SECOND].map(size).into(),
        }
    }

    pub(super) fn totals(&self) -> Totals {
        let statements = [Statement::by_audit(&self.audit)];
        let holds = |place: &Place| self.sizes.get(place).map(|(_, now)| *now);
        let below =
            Below { journal: &self.journal, statements: &statements, audit: &self.audit, holds: &holds };
        let below = below.totals();
        let results = results(&self.items);
        Totals {
            cells: 1,
            updates: below.updates,
            lost: lost(&self.journal, &results),
            doubled: doubled_by_value(&self.journal),
            without_intent: self.without_intent(),
            never_ended: never_ended(&self.items),
            untrue: self.untrue(&results),
            unannounced: self.unannounced(),
            intents_without_outcome: below.intents_without_outcome,
        }
    }

    /// The last write to the target's item before the update stored an intent of these very values.
    fn without_intent(&self) -> usize {
        let updates = self.journal.iter().filter(|entry| is_update(entry));
        updates.filter(|update| !self.has_intent(update)).count()
    }

    fn has_intent(&self, update: &Entry) -> bool {
        let place = place_of(update);
        let is_its = |write: &&Request| {
            write.executed
                && write.at < update.at
                && matches!(Verb::of(&write.body), Verb::Begin | Verb::Close | Verb::Confirm)
                && write.keys.iter().any(|key| key.pk.starts_with("target#") && self::place(&key.sk) == place)
        };
        let last = self.requests.iter().filter(is_its).max_by_key(|write| write.at);
        last.is_some_and(|write| {
            let values = write.body["ExpressionAttributeValues"].as_object();
            let mut values = values.into_iter().flat_map(|values| values.values());
            Verb::of(&write.body) == Verb::Begin
                && values.any(|value| number(&value["M"]["size"]) == Some(sent_size(update)))
        })
    }

    /// Each run has an event; several of them have the very same text.
    fn unannounced(&self) -> usize {
        let is_told = |item: &&Value| {
            let (id, run) = (pk(item).strip_prefix("change#"), number(&item["run"]));
            let is_its = |event: &&Event| {
                event.detail["changeId"].as_str() == id && event.detail["run"].as_i64() == run
            };
            let mut texts = self.events.iter().filter(is_its).map(|event| event.text.as_str());
            texts.next().is_some_and(|first| texts.all(|text| text == first))
        };
        let runs = self.items.iter().filter(|item| sk(item) == "change" || sk(item).starts_with("run#"));
        runs.filter(|item| pk(item).starts_with("change#") && !is_told(item)).count()
    }

    fn untrue(&self, results: &[Recorded]) -> usize {
        let is_before = |result: &&Recorded| {
            let effects = self.journal.iter().filter(|entry| is_update(entry) && entry.changed);
            let mut before = self.sizes[&result.place].0;
            for update in effects.filter(|update| place_of(update) == result.place) {
                if Some(sent_size(update)) == result.after {
                    break;
                }
                before = sent_size(update);
            }
            result.before == Some(before)
        };
        let is_held = |item: &&Value| {
            number(&item["held_size"]).is_none_or(|size| self.sizes[&place(sk(item))].1 == size)
        };
        let applied = results.iter().filter(|result| result.outcome == "applied");
        let targets = self.items.iter().filter(|item| pk(item).starts_with("target#"));
        applied.filter(|result| !is_before(result)).count() + targets.filter(|item| !is_held(item)).count()
    }
}

impl Stack {
    pub(super) fn is_at_rest(&self) -> bool {
        never_ended(&self.stage.ledger.items().unwrap()) == 0
    }

    /// The status of the record's newest run.
    pub(super) fn status(&self) -> String {
        let items = self.stage.ledger.items().unwrap();
        let own =
            items.iter().find(|item| pk(item) == format!("change#{}", self.id()) && sk(item) == "change");
        own.map_or("none", |item| item["status"]["S"].as_str().unwrap()).to_owned()
    }
}

fn pk(item: &Value) -> &str {
    item["pk"]["S"].as_str().unwrap()
}

fn sk(item: &Value) -> &str {
    item["sk"]["S"].as_str().unwrap()
}

fn number(value: &Value) -> Option<i64> {
    value["N"].as_str().map(|text| text.parse().unwrap())
}

/// A result of the table: its target, and the sizes before and after.
struct Recorded {
    place: Place,
    outcome: String,
    before: Option<i64>,
    after: Option<i64>,
}

/// `{lane}#{instance}#{scope}`.
fn place(sk: &str) -> Place {
    let mut parts = sk.split('#').skip(1).map(str::to_owned);
    (parts.next().unwrap(), parts.next().unwrap())
}

fn results(items: &[Value]) -> Vec<Recorded> {
    let recorded = |item: &Value| Recorded {
        place: place(sk(item)),
        outcome: item["outcome"]["S"].as_str().unwrap().to_owned(),
        before: number(&item["before"]["M"]["size"]),
        after: number(&item["after"]["M"]["size"]),
    };
    items.iter().filter(|item| pk(item).starts_with("run#")).map(recorded).collect()
}

fn place_of(update: &Entry) -> Place {
    (update.instance_id.clone().unwrap(), update.scope.unwrap().to_string())
}

fn sent_size(update: &Entry) -> i64 {
    update.body.as_ref().unwrap()["MaximumSizeLimitInBytes"].as_i64().unwrap()
}

fn lost(journal: &[Entry], results: &[Recorded]) -> usize {
    let is_owned = |update: &&Entry| {
        let (place, size) = (place_of(update), Some(sent_size(update)));
        results
            .iter()
            .any(|result| result.place == place && result.outcome == "applied" && result.after == size)
    };
    journal.iter().filter(|entry| is_update(entry) && entry.effect).filter(|update| !is_owned(update)).count()
}

/// Of each value by itself: what somebody else sets meanwhile is another change.
fn doubled_by_value(journal: &[Entry]) -> usize {
    let mut sizes: Vec<i64> = journal.iter().filter(|entry| is_update(entry)).map(sent_size).collect();
    sizes.sort_unstable();
    sizes.dedup();
    let of = |size: i64| {
        let is_its = |entry: &&Entry| !is_update(entry) || sent_size(entry) == size;
        doubled(&journal.iter().filter(is_its).cloned().collect::<Vec<_>>())
    };
    sizes.into_iter().map(of).sum()
}

fn never_ended(items: &[Value]) -> usize {
    let is_open = |item: &&Value| {
        let status = item["status"]["S"].as_str();
        let is_unfinished = sk(item) == "change" && matches!(status, Some("accepted" | "running"));
        is_unfinished
            || item.get("owed").is_some()
            || item.get("intent").is_some()
            || sk(item).starts_with("work#")
            || item["state"]["S"] == "open"
    };
    items.iter().filter(is_open).count()
}

#[cfg(test)]
mod tests;
