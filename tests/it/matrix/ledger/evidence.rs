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
//! - *intents without outcome*: an intent in the audit that none of its target's outcomes follows.

use super::super::evidence::{Evidence, Place, Statement, doubled, is_update};
use super::stack::Stack;
use super::verb::Verb;
use sandbox::connect::{Connect, Entry};
use serde_json::Value;
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
            intents_without_outcome,
        } = self;
        write!(
            f,
            "{cells} cells, {updates} updates sent: lost {lost}, doubled {doubled}, without a stored intent \
             {without_intent}, never ended {never_ended}, untrue {untrue}, intents without outcome \
             {intents_without_outcome}"
        )
    }
}

pub(super) fn evidence(stack: &Stack) -> Totals {
    let connect = &stack.stage.world.connect;
    let (journal, items) = (connect.journal(), stack.stage.ledger.items().unwrap());
    let audit = stack.audits();
    let statements = [Statement::by_audit(&audit)];
    let holds = |place: &Place| size_of(connect, place);
    let below =
        Evidence { journal: &journal, statements: &statements, audit: &audit, holds: &holds }.totals();
    let results = results(&items);
    Totals {
        cells: 1,
        updates: below.updates,
        lost: lost(&journal, &results),
        doubled: doubled_by_value(&journal),
        without_intent: without_intent(stack, &journal),
        never_ended: never_ended(&items),
        untrue: untrue(stack, &journal, &items, &results),
        intents_without_outcome: below.intents_without_outcome,
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

fn size_of(connect: &Connect, (id, scope): &Place) -> Option<i64> {
    Some(connect.configuration(id, scope.parse().unwrap())?.maximum_size_limit_in_bytes)
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

/// The last write to the target's item before the update stored an intent of these very values.
fn without_intent(stack: &Stack, journal: &[Entry]) -> usize {
    let ledger = stack.stage.ledger.journal();
    let has_intent = |update: &&Entry| {
        let place = place_of(update);
        let is_its = |write: &&sandbox::ledger::Entry| {
            let is_target = |sk: &str| sk.contains('#') && self::place(sk) == place;
            write.executed
                && write.at < update.at
                && matches!(Verb::of(&write.body), Verb::Begin | Verb::Close | Verb::Confirm)
                && write.keys.iter().any(|key| key.pk.starts_with("target#") && is_target(&key.sk))
        };
        let last = ledger.iter().filter(is_its).max_by_key(|write| write.at);
        last.is_some_and(|write| {
            let values = write.body["ExpressionAttributeValues"].as_object();
            let mut values = values.into_iter().flat_map(|values| values.values());
            Verb::of(&write.body) == Verb::Begin
                && values.any(|value| number(&value["M"]["size"]) == Some(sent_size(update)))
        })
    };
    journal.iter().filter(|entry| is_update(entry)).filter(|update| !has_intent(update)).count()
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

fn untrue(stack: &Stack, journal: &[Entry], items: &[Value], results: &[Recorded]) -> usize {
    let connect = &stack.stage.world.connect;
    let is_before = |result: &&Recorded| {
        let effects = journal.iter().filter(|entry| is_update(entry) && entry.changed);
        let mut before = Some(stack.initial_size(&result.place.0));
        for update in effects.filter(|update| place_of(update) == result.place) {
            if Some(sent_size(update)) == result.after {
                break;
            }
            before = Some(sent_size(update));
        }
        result.before == before
    };
    let applied = results.iter().filter(|result| result.outcome == "applied");
    let targets = items.iter().filter(|item| pk(item).starts_with("target#"));
    let is_held = |item: &&Value| {
        number(&item["held_size"]).is_none_or(|size| size_of(connect, &place(sk(item))) == Some(size))
    };
    applied.filter(|result| !is_before(result)).count() + targets.filter(|item| !is_held(item)).count()
}
