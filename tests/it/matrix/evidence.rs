//! What was lost, doubled or left open: what Connect received, compared with what the report and the audit say.
//!
//! An update *took effect* where Connect's journal says that it wrote what was asked; with
//! [`Fault::OtherValues`] it wrote something else. Then these are counted, and all have to be 0:
//!
//! - *lost*: an update that wrote, and that the report (where there is one) or the audit does not own: as
//!   `applied`, as `unknown`, or, where other values were written, as a failure whose `after` is what
//!   Connect holds.
//! - *doubled*: an update that changed a target a second time, or that wrote although an answer had
//!   shown that an earlier one of the same change had taken effect, by its own 200 or by a later read. A
//!   retry of an update whose answer was lost is neither: nobody could know, and it changes nothing.
//!   The same change sent again is the same change.
//! - *intents without outcome*: a target's intent in the audit that none of its outcomes follows.
//! - *`failed` that had taken effect*: a target of which an update took effect, reported or audited as
//!   anything but `applied` or `unknown`.

use sandbox::connect::{Entry, Fault, Operation};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt;
use std::ops::AddAssign;

/// One target: the instance's id and the scope.
pub(super) type Place = (String, String);

/// What the report or the audit says about one target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Statement {
    pub(super) place: Place,
    pub(super) outcome: String,
    pub(super) code: Option<String>,
    pub(super) attempts: u64,
    /// Only the report has it.
    pub(super) retryable: Option<bool>,
    /// The size in `after`.
    pub(super) after: Option<i64>,
}

impl Statement {
    /// Every line of a report.
    pub(super) fn by_report(report: &Value) -> Vec<Self> {
        let statement = |line: &Value| Self {
            place: (text(&line["instanceId"]), text(&line["attachmentScope"])),
            outcome: text(&line["outcome"]),
            code: line["error"]["code"].as_str().map(str::to_owned),
            attempts: line["attempts"].as_u64().unwrap(),
            retryable: line["error"]["retryable"].as_bool(),
            after: line["after"]["maximumSizeLimitInBytes"].as_i64(),
        };
        report["results"].as_array().unwrap().iter().map(statement).collect()
    }

    /// Every outcome of the audit.
    pub(super) fn by_audit(audit: &[Value]) -> Vec<Self> {
        let statement = |event: &Value| Self {
            place: place_on_record(event),
            outcome: text(&event["unmapped"]["outcome"]),
            code: event["status_code"].as_str().map(str::to_owned),
            attempts: event["unmapped"]["attempts"].as_u64().unwrap(),
            retryable: None,
            after: event["resources"][0]["data"]["after"]["maximumSizeLimitInBytes"].as_i64(),
        };
        audit.iter().filter(|event| event["metadata"]["event_code"] == "outcome").map(statement).collect()
    }

    fn owns(&self, update: &Entry, holds: Option<i64>) -> bool {
        match self.outcome.as_str() {
            "applied" | "unknown" => true,
            "failed" => !took_effect(update) && self.after.is_some() && self.after == holds,
            _ => false,
        }
    }
}

pub(super) fn place_on_record(event: &Value) -> Place {
    let resource = &event["resources"][0];
    (text(&resource["name"]), text(&resource["data"]["attachmentScope"]))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

/// The updates received for a target.
pub(super) fn updates<'a>(journal: &'a [Entry], place: &Place) -> impl Iterator<Item = &'a Entry> {
    journal.iter().filter(move |entry| is_update(entry) && place_of(entry).as_ref() == Some(place))
}

pub(super) fn is_update(entry: &Entry) -> bool {
    entry.operation == Some(Operation::UpdateAttachedFilesConfiguration)
}

fn place_of(entry: &Entry) -> Option<Place> {
    Some((entry.instance_id.clone()?, entry.scope?.to_string()))
}

fn took_effect(update: &Entry) -> bool {
    update.effect && update.fault != Some(Fault::OtherValues)
}

/// One invocation: what Connect received, and what the report and the audit say.
pub(super) struct Evidence<'a> {
    pub(super) journal: &'a [Entry],
    /// The report's lines where there is a report, and the audit's.
    pub(super) statements: &'a [Vec<Statement>],
    pub(super) audit: &'a [Value],
    /// The size that Connect holds of a target.
    pub(super) holds: &'a dyn Fn(&Place) -> Option<i64>,
}

impl Evidence<'_> {
    pub(super) fn totals(&self) -> Totals {
        Totals {
            cells: 0,
            updates: self.journal.iter().filter(|entry| is_update(entry)).count(),
            lost: self.lost(),
            doubled: 0,
            intents_without_outcome: self.intents_without_outcome(),
            failed_that_took_effect: self.failed_that_took_effect(),
        }
    }

    fn lost(&self) -> usize {
        let wrote = self.journal.iter().filter(|entry| is_update(entry) && entry.effect);
        let is_owned = |update: &Entry, statements: &[Statement]| {
            let place = place_of(update).unwrap();
            let holds = (self.holds)(&place);
            statements.iter().any(|statement| statement.place == place && statement.owns(update, holds))
        };
        wrote.filter(|update| !self.statements.iter().all(|statements| is_owned(update, statements))).count()
    }

    fn intents_without_outcome(&self) -> usize {
        let key = |event: &Value| (event["metadata"]["correlation_uid"].clone(), place_on_record(event));
        let is = |event: &Value, code: &str| event["metadata"]["event_code"] == code;
        let open = |n: &usize| {
            let (intent, later) = (&self.audit[*n], &self.audit[n + 1..]);
            is(intent, "intent")
                && !later.iter().any(|event| is(event, "outcome") && key(event) == key(intent))
        };
        (0..self.audit.len()).filter(open).count()
    }

    fn failed_that_took_effect(&self) -> usize {
        let disowned = self.statements.iter().flatten().filter(|statement| {
            !matches!(statement.outcome.as_str(), "applied" | "unknown")
                && updates(self.journal, &statement.place).any(took_effect)
        });
        disowned.map(|statement| &statement.place).collect::<BTreeSet<_>>().len()
    }
}

/// How many updates of one change were doubled, however often it was sent.
pub(super) fn doubled(journal: &[Entry]) -> usize {
    let places: BTreeSet<Place> =
        journal.iter().filter(|entry| is_update(entry)).filter_map(place_of).collect();
    places.iter().map(|place| doubled_of(journal, place)).sum()
}

fn doubled_of(journal: &[Entry], place: &Place) -> usize {
    let (mut done, mut changed, mut known, mut doubled) = (false, false, false, 0);
    for entry in journal.iter().filter(|entry| entry.instance_id.as_ref() == Some(&place.0)) {
        let usable = entry.status == Some(200) && entry.fault.is_none();
        if !is_update(entry) {
            // a read of this scope, or of all
            known |= done && usable && entry.scope.is_none_or(|scope| scope.to_string() == place.1);
        } else if place_of(entry).as_ref() == Some(place) && took_effect(entry) {
            doubled += usize::from(known || (changed && entry.changed));
            done = true;
            changed |= entry.changed;
            known |= usable;
        }
    }
    doubled
}

/// The matrix's bottom line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Totals {
    pub(super) cells: usize,
    pub(super) updates: usize,
    pub(super) lost: usize,
    pub(super) doubled: usize,
    pub(super) intents_without_outcome: usize,
    pub(super) failed_that_took_effect: usize,
}

impl AddAssign for Totals {
    fn add_assign(&mut self, other: Self) {
        self.cells += other.cells;
        self.updates += other.updates;
        self.lost += other.lost;
        self.doubled += other.doubled;
        self.intents_without_outcome += other.intents_without_outcome;
        self.failed_that_took_effect += other.failed_that_took_effect;
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cells, updates, lost, doubled, intents_without_outcome, failed_that_took_effect } = self;
        write!(
            f,
            "{cells} cells, {updates} updates sent: lost {lost}, doubled {doubled}, intents without outcome \
             {intents_without_outcome}, failed that had taken effect {failed_that_took_effect}"
        )
    }
}

/// Each count finds what it counts: true statements leave all of them at 0, a false one raises exactly its own.
#[cfg(test)]
mod tests {
    use super::{Evidence, Place, Statement, Totals, doubled, is_update};
    use crate::world::{ONE, World, chat, failed};
    use sandbox::connect::{Fault, Operation, Scope};
    use serde_json::{Value, json};

    const UPDATE: Operation = Operation::UpdateAttachedFilesConfiguration;

    /// What is counted when `lie` has changed the report, and the audit ends after so many lines.
    fn counted(world: &World, report: &Value, lie: impl Fn(&mut Statement), lines: usize) -> Totals {
        let (journal, audit) = (world.connect.journal(), world.audit());
        let audit = &audit[..lines];
        let mut statements = vec![Statement::by_report(report)];
        statements[0].iter_mut().for_each(lie);
        if lines > 1 {
            statements.push(Statement::by_audit(audit));
        }
        let holds = |_: &Place| {
            Some(world.connect.configuration(ONE, Scope::Chat).unwrap().maximum_size_limit_in_bytes)
        };
        let totals = Evidence { journal: &journal, statements: &statements, audit, holds: &holds }.totals();
        Totals { doubled: doubled(&journal), ..totals }
    }

    #[tokio::test]
    async fn an_update_that_took_effect_is_owned_or_lost() {
        let world = World::new().await;
        world.connect.script(UPDATE, [Some(Fault::ResetAfter)]);
        let report = world.report(&chat(ONE, &json!({}))).await;
        let fine = Totals { updates: 2, ..Totals::default() };
        assert_eq!(counted(&world, &report, |_| {}, 2), fine);
        assert_eq!(counted(&world, &report, |statement| statement.outcome = "unknown".into(), 2), fine);
        for disowned in ["failed", "pending", "unchanged"] {
            let lie = |statement: &mut Statement| statement.outcome = disowned.into();
            let expected = Totals { lost: 2, failed_that_took_effect: 1, ..fine };
            assert_eq!(counted(&world, &report, lie, 2), expected, "{disowned}");
        }
        let elsewhere = |statement: &mut Statement| statement.place.1 = "TASK".into();
        assert_eq!(counted(&world, &report, elsewhere, 2), Totals { lost: 2, ..fine });
        assert_eq!(counted(&world, &report, |_| {}, 1), Totals { intents_without_outcome: 1, ..fine });
    }

    #[tokio::test]
    async fn other_values_are_owned_by_a_failure_that_shows_them() {
        let world = World::new().await;
        world.connect.script(UPDATE, [Some(Fault::OtherValues)]);
        let (_, report) = failed(world.invoke(&chat(ONE, &json!({}))).await);
        let fine = Totals { updates: 1, ..Totals::default() };
        assert_eq!(counted(&world, &report, |_| {}, 2), fine);
        for after in [None, Some(1)] {
            let lie = |statement: &mut Statement| statement.after = after;
            assert_eq!(counted(&world, &report, lie, 2), Totals { lost: 1, ..fine });
        }
    }

    #[tokio::test]
    async fn an_update_after_its_success_was_shown_is_doubled() {
        let world = World::new().await;
        world.connect.script(UPDATE, [Some(Fault::ResetAfter), Some(Fault::ResetAfter)]);
        world.report(&chat(ONE, &json!({}))).await;
        assert_eq!(doubled(&world.connect.journal()), 0, "retries of a lost answer");
        // the read before it showed the success, and its own answer does too
        world.report(&chat(ONE, &json!({"force": true}))).await;
        assert_eq!(doubled(&world.connect.journal()), 1);
        // without any answer that shows it, only a second change counts
        let mut journal = world.connect.journal();
        journal.retain(is_update);
        for update in &mut journal {
            (update.status, update.changed) = (None, true);
        }
        assert_eq!((journal.len(), doubled(&journal)), (4, 3));
    }
}
