//! The steps of a scenario, carried out by the function and by the model.

use super::compare::held;
use super::model::{Model, TARGETS};
use super::steps::{Asked, Death, Scenario, Step, Way};
use crate::governed::stage::{CHANGES, INTAKE, Stage, request};
use crate::world::{ONE, TWO};
use sandbox::connect::Operation;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

pub(super) const INSTANCES: [&str; 2] = [ONE, TWO];
/// The two changes and the undo.
pub(super) const IDS: [&str; 3] = ["change-a", "change-b", "undo-c"];
const UNDO: usize = 2;
/// Every message comes back after it, every lease and every holder's time is over.
const LONG: Duration = Duration::from_mins(31);
/// How often everything is taken up again until each record has ended.
const ROUNDS: usize = 8;

pub(super) struct Play<'s> {
    pub(super) stage: Stage,
    scenario: &'s Scenario,
    pub(super) model: Model,
    /// When each change was submitted, and by which time its message was sent.
    submitted: BTreeMap<usize, u64>,
    sent: BTreeMap<usize, u64>,
    /// The messages of runs' lanes that were seen.
    pointers: BTreeMap<usize, String>,
    /// Those that are carried out within an invocation.
    inline: BTreeSet<usize>,
    steps: u64,
    pub(super) wrong: Vec<String>,
}

impl<'s> Play<'s> {
    pub(super) async fn new(scenario: &'s Scenario) -> Self {
        let stage = Stage::new().await;
        let model = Model::new(&held(&stage, 0));
        Self {
            stage,
            scenario,
            model,
            submitted: BTreeMap::new(),
            sent: BTreeMap::new(),
            pointers: BTreeMap::new(),
            inline: BTreeSet::new(),
            steps: 0,
            wrong: Vec::new(),
        }
    }

    /// What was wrong, in words.
    pub(super) async fn play(mut self) -> Vec<String> {
        for step in &self.scenario.steps {
            self.step(*step).await;
        }
        for round in 0..ROUNDS {
            self.step(Step::Pass).await;
            for change in 0..2 {
                self.step(Step::TakeIn(change)).await;
            }
            while !self.stage.queues.messages(CHANGES).is_empty() && self.step(Step::Deliver(None)).await {}
            self.step(Step::Sweep).await;
            if (0..IDS.len()).all(|id| !self.model.is_open(id)) {
                break;
            }
            if round + 1 == ROUNDS {
                self.wrong.push(format!("records that do not end: {:?}", self.model));
            }
        }
        self.compare().await;
        self.wrong
    }

    /// Whether there was anything to do.
    async fn step(&mut self, step: Step) -> bool {
        // whoever comes later is accepted later, and no two invocations begin at once
        self.steps += 1;
        self.stage.world.clock.advance(Duration::from_secs(1));
        let did = match step {
            Step::Submit(id, way) => self.submit(id, way).await,
            Step::TakeIn(id) => self.take_in(id).await,
            Step::Deliver(death) => self.deliver(death).await,
            Step::Repeat(id) => self.repeat(id).await,
            // a repetition of one that has ended would be a run of its own
            Step::Undo(_) if self.model.knows(UNDO) && !self.model.is_open(UNDO) => false,
            Step::Undo(of) => {
                let body = json!({"changeId": IDS[UNDO]});
                let (status, ..) = self.stage.http("POST", &path(of, "/undo"), &body).await;
                let expected = self.model.undo(UNDO, of, self.steps);
                self.expect(step, status, expected);
                true
            }
            Step::Cancel(id) => {
                let (status, ..) = self.stage.http("POST", &path(id, "/cancel"), &Value::Null).await;
                let expected = self.model.cancel(id);
                self.expect(step, status, expected);
                true
            }
            Step::Sweep => {
                self.stage.sweep().await;
                true
            }
            Step::Pass => {
                self.stage.world.clock.advance(LONG);
                self.stage.queues.advance(LONG);
                true
            }
        };
        self.see(step);
        did
    }

    fn expect(&mut self, step: Step, status: u64, expected: u64) {
        if status != expected {
            self.wrong.push(format!("{step:?} is answered {status}, not {expected}"));
        }
    }

    async fn submit(&mut self, id: usize, way: Way) -> bool {
        if self.submitted.contains_key(&id) {
            return false;
        }
        let turned = self.scenario.is_turned_round && self.submitted.is_empty();
        let order = if turned { 1_000 } else { self.steps };
        self.submitted.insert(id, order);
        let asked = &self.scenario.changes[id];
        let mut document = document(asked);
        let Way::Http(death) = way else {
            self.sent.insert(id, self.stage.world.clock.now().0);
            return true;
        };
        document["changeId"] = json!(IDS[id]);
        let waits = asked.add.is_some() && self.has_work();
        self.model.record(id, asked, order);
        if !waits {
            self.inline.insert(id);
        }
        let payload = request("POST", "/policy-changes", "", &json!(document.to_string()));
        let since = self.stage.world.connect.journal().len();
        let answer = self.until_death(&payload, death).await;
        let status = answer.as_ref().map(|answer| answer["statusCode"].as_u64().unwrap());
        if !waits {
            self.carried_out(id, answer.is_none().then_some(since));
        }
        if let Some(status) = status {
            let expected = if waits { 202 } else { 200 };
            self.expect(Step::Submit(id, way), status, expected);
        }
        true
    }

    async fn take_in(&mut self, id: usize) -> bool {
        let Some(sent) = self.sent.get(&id) else { return false };
        let document = document(&self.scenario.changes[id]).to_string();
        let event = message(IDS[id], INTAKE, &document, *sent);
        let answer = self.stage.world.invoke(&event).await.unwrap();
        if answer["batchItemFailures"] != json!([]) {
            self.wrong.push(format!("the intake does not take {id}: {answer}"));
        }
        self.model.record(id, &self.scenario.changes[id], self.submitted[&id]);
        true
    }

    /// The next message, unless one of its group is still away.
    async fn deliver(&mut self, death: Option<Death>) -> bool {
        let messages = self.stage.queues.messages(CHANGES);
        let Some(first) = messages.first().filter(|_| messages.iter().all(|one| !one.in_flight)) else {
            return false;
        };
        let id = IDS.iter().position(|id| first.body.contains(id)).unwrap();
        let since = self.stage.world.connect.journal().len();
        self.arm(death);
        let died = tokio::select! {
            biased;
            () = self.stage.struck() => true,
            _ = self.stage.deliver(CHANGES, Duration::from_secs(30)) => false,
        };
        self.disarm(died);
        self.worked(id, died, since);
        true
    }

    async fn repeat(&mut self, id: usize) -> bool {
        let Some(pointer) = self.pointers.get(&id) else { return false };
        let event = message("again", CHANGES, pointer, 1_732_500_000_123);
        let since = self.stage.world.connect.journal().len();
        self.stage.world.invoke(&event).await.unwrap();
        self.worked(id, false, since);
        true
    }
}

impl Play<'_> {
    /// A worker had the lane of a run that has not ended.
    fn worked(&mut self, id: usize, died: bool, since: usize) {
        if !self.model.is_open(id) {
            return;
        }
        self.carried_out(id, died.then_some(since));
        if !died && !self.is_final(id) {
            self.wrong.push(format!("{} was delivered and has not ended", IDS[id]));
        }
    }

    /// `died`: where the journal of Amazon Connect was before. Of a dead invocation only what it left behind counts.
    fn carried_out(&mut self, id: usize, died: Option<usize>) {
        let Some(since) = died else { return self.model.carry_out(id, |_, _| true) };
        let journal = self.stage.world.connect.journal();
        let updated: BTreeSet<Option<String>> = journal[since..]
            .iter()
            .filter(|entry| entry.operation == Some(Operation::UpdateAttachedFilesConfiguration))
            .map(|entry| entry.instance_id.clone())
            .collect();
        let results = format!("run#{}#", IDS[id]);
        let items = self.stage.ledger.items().unwrap();
        let is_stored = |place: usize| {
            items.iter().any(|item| {
                let text = |name: &str| item[name]["S"].as_str().unwrap_or_default();
                text("pk").starts_with(&results)
                    && text("sk").contains(INSTANCES[place])
                    && item["done"]["BOOL"] == true
            })
        };
        let is_updated = |place: usize| updated.contains(&Some(INSTANCES[place].to_owned()));
        for place in TARGETS {
            let is_begun = items.iter().any(|item| {
                item["sk"]["S"].as_str().unwrap().contains(INSTANCES[place])
                    && item["intent"]["M"]["change"]["S"] == IDS[id]
            });
            if is_begun && !is_updated(place) {
                self.model.begin(id, place);
            }
        }
        self.model.carry_out(id, |place, outcome| match outcome {
            "applied" => is_updated(place),
            _ => is_stored(place),
        });
    }

    /// What the step left: messages, and records that have ended.
    fn see(&mut self, step: Step) {
        for message in self.stage.queues.messages(CHANGES) {
            let id = IDS.iter().position(|id| message.body.contains(id)).unwrap();
            self.pointers.insert(id, message.body);
        }
        for id in 0..IDS.len() {
            if self.model.is_open(id) && self.is_final(id) {
                let finished = self.model.finish(id, self.inline.contains(&id));
                self.wrong.extend(finished.err().map(|wrong| format!("{step:?}: {wrong}")));
            }
        }
    }

    fn is_final(&self, id: usize) -> bool {
        let key = format!("change#{}", IDS[id]);
        let items = self.stage.ledger.items().unwrap();
        let record = items.iter().find(|item| item["pk"]["S"] == key && item["sk"]["S"] == "change");
        record.is_some_and(|record| !matches!(record["status"]["S"].as_str(), Some("accepted" | "running")))
    }

    /// Whether a lane has work that is not done.
    fn has_work(&self) -> bool {
        let items = self.stage.ledger.items().unwrap();
        items.iter().any(|item| item["sk"]["S"].as_str().unwrap().starts_with("work#"))
    }
}

fn path(id: usize, what: &str) -> String {
    format!("/policy-changes/{}{what}", IDS[id])
}

fn document(asked: &Asked) -> Value {
    let mut document = json!({"instanceIds": INSTANCES, "attachmentScope": "CHAT"});
    let mut set = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            document[name] = value;
        }
    };
    set("maximumSizeLimitInBytes", asked.size.map(Value::from));
    set("allowedExtensions", asked.list.as_ref().map(|list| json!(list)));
    set("addExtensions", asked.add.as_ref().map(|one| json!([one])));
    document
}

/// A queue's message, as a function gets it.
fn message(id: &str, queue: &str, body: &str, sent: u64) -> Value {
    json!({"Records": [{
        "messageId": id, "receiptHandle": "none", "body": body, "eventSource": "aws:sqs",
        "eventSourceARN": format!("arn:aws:sqs:us-east-1:111122223333:{queue}"), "awsRegion": "us-east-1",
        "attributes": {
            "ApproximateReceiveCount": "1", "SentTimestamp": sent.to_string(), "SenderId": "AIDA",
        },
        "messageAttributes": {},
    }]})
}
