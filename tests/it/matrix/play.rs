//! Plays a cell: sets the fault up, sends the change, compares everything with the table, and sends the
//! same change once more after the fault.

use super::cell::{Cell, Endpoint, Holds, Target};
use super::evidence::{Evidence, Place, Statement, Totals, doubled, place_on_record, updates};
use super::payload::{ASKED, answered, parked, payload};
use crate::sqs::{Nobody, Queue};
use crate::world::World;
use sandbox::connect::{Configuration, Connect, Entry, Operation, Options};
use serde_json::Value;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The result of a cell.
pub(super) struct Played {
    /// As it is printed.
    pub(super) line: String,
    pub(super) totals: Totals,
    /// Everything that is not as in the table.
    pub(super) differences: Vec<String>,
}

/// Everything about one cell while it is played.
struct Stage<'a> {
    cell: &'a Cell,
    connect: Arc<Connect>,
    queue: Queue,
    /// What Connect held of each target at the start.
    before: Vec<Option<Configuration>>,
    differences: Vec<String>,
}

pub(super) async fn play(cell: &Cell) -> Played {
    let mut stage = Stage::set(cell).await;
    let started = Instant::now();
    let mut totals = stage.first().await;
    let (updates, took) = (totals.updates, started.elapsed());
    totals += stage.again().await;
    totals.cells = 1;
    totals.doubled = doubled(&stage.connect.journal());
    let line = cell.line(stage.differences.is_empty(), updates, took);
    Played { line, totals, differences: stage.differences }
}

impl<'a> Stage<'a> {
    async fn set(cell: &'a Cell) -> Self {
        let options = Options {
            faults: cell.chance.clone(),
            tls: cell.endpoint == Endpoint::Untrusted,
            ..Options::default()
        };
        let connect = Connect::start(options).await.unwrap();
        for (operation, faults) in &cell.script {
            connect.script(*operation, faults.iter().copied());
        }
        for (operation, fault) in &cell.always {
            connect.always(*operation, Some(*fault));
        }
        let queue = Queue::start(cell.sqs).await;
        let mut stage =
            Self { cell, connect: Arc::new(connect), queue, before: Vec::new(), differences: Vec::new() };
        stage.before = stage.held();
        stage
    }

    fn same<T: PartialEq + Debug>(&mut self, what: &str, seen: &T, expected: &T) {
        if seen != expected {
            let Cell { via, name, .. } = self.cell;
            let message = format!("{}, {name}: {what}\n  is  {seen:?}\n  not {expected:?}", via.name());
            self.differences.push(message);
        }
    }

    /// The cell's targets, in the order of the table.
    fn places(&self) -> Vec<Place> {
        let scopes = |id: &&str| {
            let id = (*id).to_owned();
            self.cell.scopes.iter().map(move |scope| (id.clone(), scope.to_string()))
        };
        self.cell.instances.iter().flat_map(scopes).collect()
    }

    fn held(&self) -> Vec<Option<Configuration>> {
        self.places().iter().map(|place| configuration(&self.connect, place)).collect()
    }

    /// The change, while things go wrong.
    async fn first(&mut self) -> Totals {
        let cell = self.cell;
        let nobody = Nobody::new();
        let url = match cell.endpoint {
            Endpoint::Sandbox | Endpoint::Untrusted => self.connect.url(),
            Endpoint::Refused => nobody.url(),
            Endpoint::PlainBehindHttps => self.connect.url().replace("http://", "https://"),
        };
        let world = self.world(&url, cell.settings.clone());
        self.delete_half_way(&world);
        let payload = payload(cell);
        let result = world.invoke_within(&payload, cell.left).await;

        let (answer, report) = answered(cell.via, &result);
        self.same("the answer", &answer, &cell.answer);
        let (journal, audit) = (self.connect.journal(), world.audit());
        let mut statements = vec![Statement::by_audit(&audit)];
        statements.extend(report.as_ref().map(Statement::by_report));
        self.check_statements(&journal, &statements);
        self.check_audit(&journal, &audit);
        self.check_held();
        self.check_queue(&payload);
        totals(&self.connect, &journal, &statements, &audit)
    }

    /// The same change in a new process, when nothing goes wrong any more: it does what is left, and no more.
    async fn again(&mut self) -> Totals {
        let played = self.connect.journal().len();
        for operation in Operation::ALL {
            self.connect.always(operation, None);
        }
        let mut settings = vec![("CONNECT_MAX_ATTEMPTS", "50")];
        settings.extend(self.connect.tls().map(|tls| ("CA_PEM", tls.ca_pem())));
        let world = self.world(&self.connect.url(), settings);
        let result = world.invoke_within(&payload(self.cell), Duration::from_secs(30)).await;
        let (_, report) = answered(self.cell.via, &result);
        let (journal, audit) = (self.connect.journal().split_off(played), world.audit());
        let mut statements = vec![Statement::by_audit(&audit)];
        statements.extend(report.as_ref().map(Statement::by_report));
        let expected = |(place, target): (Place, &Target)| {
            let outcome = match target.holds {
                Holds::Asked => "unchanged",
                Holds::Before | Holds::Other => "applied",
                Holds::Gone => "failed",
            };
            (place, outcome.to_owned())
        };
        let expected: Vec<_> = self.places().into_iter().zip(&self.cell.targets).map(expected).collect();
        for statements in &statements {
            // what needs no update ends before what does
            let seen =
                statements.iter().map(|statement| (statement.place.clone(), statement.outcome.clone()));
            let mut seen: Vec<_> = seen.collect();
            seen.sort_by_key(|(place, _)| expected.iter().position(|(expected, _)| expected == place));
            self.same("sent again, the outcomes", &seen, &expected);
        }
        for (n, held) in self.held().iter().enumerate() {
            let asked = self.cell.targets[n].holds != Holds::Gone;
            self.same("sent again, what Connect holds", &holds(held.as_ref()), &asked.then_some(ASKED));
        }
        totals(&self.connect, &journal, &statements, &audit)
    }

    fn world<'v>(&'v self, url: &str, mut settings: Vec<(&'v str, &'v str)>) -> World {
        settings.push(("AWS_ENDPOINT_URL_SQS", &self.queue.url));
        World::against(Arc::clone(&self.connect), url, &settings)
    }

    /// Between an intent and its update.
    fn delete_half_way(&self, world: &World) {
        let Some(mut left) = self.cell.deleted_at_intent else { return };
        let (connect, instance) = (Arc::clone(&self.connect), self.cell.instances[0]);
        world.pipe.watch(move |line| {
            if line.contains(r#""event_code":"intent""#) {
                left = left.wrapping_sub(1);
                if left == 0 {
                    connect.remove_instance(instance);
                }
            }
        });
    }

    /// The report's lines and the audit's outcomes.
    fn check_statements(&mut self, journal: &[Entry], statements: &[Vec<Statement>]) {
        let expected: Vec<_> = self.places().into_iter().zip(&self.cell.targets).collect();
        self.same("the number of targets", &expected.len(), &self.cell.targets.len());
        for statements in statements {
            let from_report = statements.iter().any(|statement| statement.retryable.is_some());
            let expected = expected.iter().filter_map(|(place, target)| {
                let sent = updates(journal, place).count() as u64;
                Some((
                    place.clone(),
                    target.outcome?.to_owned(),
                    target.error.map(|(code, _)| code.to_owned()),
                    target.error.filter(|_| from_report).map(|(_, retryable)| retryable),
                    target.attempts.unwrap_or(sent),
                    sent,
                ))
            });
            let expected: Vec<_> = expected.collect();
            let seen = statements.iter().map(|statement| {
                let Statement { place, outcome, code, retryable, attempts, .. } = statement.clone();
                // what Connect received is what was sent
                (place, outcome, code, retryable, attempts, attempts)
            });
            self.same("the outcomes", &seen.collect(), &expected);
            for Statement { place, outcome, after, .. } in statements {
                // `after` is what the target holds; for an instance deleted since, what it held
                let holds = holds(configuration(&self.connect, place).as_ref());
                let is_due = holds.is_some() && (outcome == "applied" || after.is_some());
                self.same("`after`", after, if is_due { &holds } else { after });
            }
        }
    }

    /// Order and contents of the audit.
    fn check_audit(&mut self, journal: &[Entry], audit: &[Value]) {
        let mut expected = Vec::new();
        for (place, target) in self.places().iter().zip(&self.cell.targets) {
            let Some(outcome) = target.outcome else { continue };
            if target.attempts != Some(0) {
                expected.push((place.clone(), "intent".to_owned(), 99, None));
            }
            let status = match outcome {
                "applied" => 1,
                "unknown" => 0,
                "pending" => 99,
                _ => 2,
            };
            let throttled = throttled(journal, place);
            expected.push((place.clone(), format!("outcome {outcome}"), status, Some(throttled)));
        }
        let seen = audit.iter().map(|event| {
            let code = event["metadata"]["event_code"].as_str().unwrap();
            let outcome = event["unmapped"]["outcome"].as_str();
            let name = outcome.map_or_else(|| code.to_owned(), |outcome| format!("{code} {outcome}"));
            let throttled = event["unmapped"]["throttledCalls"].as_u64();
            (place_on_record(event), name, event["status_id"].as_u64().unwrap(), throttled)
        });
        self.same("the audit", &seen.collect(), &expected);
    }

    fn check_held(&mut self) {
        for (n, held) in self.held().iter().enumerate() {
            let (before, held) = (self.before[n].as_ref(), held.as_ref());
            let as_asked = before.zip(held).is_some_and(|(before, held)| {
                held.maximum_size_limit_in_bytes == ASKED && held.extensions == before.extensions
            });
            let holds = match held {
                None => Holds::Gone,
                Some(_) if as_asked => Holds::Asked,
                Some(_) if held == before => Holds::Before,
                Some(_) => Holds::Other,
            };
            self.same("what Connect holds", &holds, &self.cell.targets[n].holds);
        }
    }

    /// What was parked, and what was made visible again.
    fn check_queue(&mut self, payload: &Value) {
        let expected = self.cell.parked.iter().map(|reasons| {
            let (id, event) = parked(self.cell, payload);
            [event, id, "failed".to_owned(), reasons.clone()]
        });
        let expected: Vec<_> = expected.collect();
        let seen = self.queue.taken("SendMessage").into_iter().map(|sent| {
            let of = |name: &str| sent["MessageAttributes"][name]["StringValue"].clone();
            [sent["MessageBody"].clone(), of("changeId"), of("status"), of("reasons")]
                .map(|value| value.as_str().unwrap().to_owned())
        });
        self.same("what is parked", &seen.collect(), &expected);
        let shown = self.queue.taken("ChangeMessageVisibility");
        let shown: Vec<_> = shown
            .iter()
            .map(|shown| {
                (shown["ReceiptHandle"].as_str().unwrap(), shown["VisibilityTimeout"].as_u64().unwrap())
            })
            .collect();
        self.same("what is made visible again", &shown, &self.cell.shown_again);
    }
}

fn configuration(connect: &Connect, (id, scope): &Place) -> Option<Configuration> {
    connect.configuration(id, scope.parse().unwrap())
}

fn holds(held: Option<&Configuration>) -> Option<i64> {
    held.map(|held| held.maximum_size_limit_in_bytes)
}

/// The throttled calls of a target's own. A List is shared by several and belongs to none.
fn throttled(journal: &[Entry], (id, scope): &Place) -> u64 {
    let is_of_it = |entry: &&Entry| {
        let of = entry.scope.map(|scope| scope.to_string());
        entry.status == Some(429) && entry.instance_id.as_ref() == Some(id) && of.as_ref() == Some(scope)
    };
    journal.iter().filter(is_of_it).count() as u64
}

fn totals(connect: &Connect, journal: &[Entry], statements: &[Vec<Statement>], audit: &[Value]) -> Totals {
    let holds = |place: &Place| holds(configuration(connect, place).as_ref());
    Evidence { journal, statements, audit, holds: &holds }.totals()
}
