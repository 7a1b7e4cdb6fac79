//! The processes of a stack on one table: the one that meets the fault, and those that come later.

use super::cell::Way;
use super::play::caller_comes_again;
use super::verb::{Harm, Verb};
use crate::governed::stage::{CHANGES, INTAKE, Stage, request};
use crate::world::{ONE, TWO, World, chat};
use lambda_runtime::Diagnostic;
use sandbox::connect::{self, Configuration, DEFAULT_SIZE, Operation, Options, Scope};
use sandbox::ledger::{Fault, Rule};
use sandbox::queue;
use serde_json::{Value, json};
use std::time::Duration;

pub(super) const FIRST: &str = ONE;
pub(super) const SECOND: &str = TWO;
/// What is asked of both targets, in bytes.
const ASKED: i64 = 10_485_760;
/// Two updates take minutes.
const SLOW: [(&str, &str); 2] = [("CONNECT_REQUESTS_PER_SECOND", "0.01"), ("CONNECT_BURST", "1")];
const ONCE: [(&str, &str); 1] = [("CONNECT_MAX_ATTEMPTS", "1")];
/// The longest delay of a message, and longer than every lease.
const LATER: Duration = Duration::from_mins(16);
/// How often everybody comes back at most.
const ROUNDS: usize = 12;
const EVENT: &str = "e-1";
const LEFT: Duration = Duration::from_secs(30);

pub(super) struct Stack {
    /// Its world is the process that meets the fault.
    pub(super) stage: Stage,
    way: Way,
    verb: Verb,
    /// Another one at the same time.
    pub(super) rival: World,
    /// Those that come later.
    later: World,
}

impl Stack {
    /// Everything up to the invocation that is to meet the fault.
    pub(super) async fn set(way: Way, verb: Verb) -> Self {
        let settings: &[(&str, &str)] = match (way, verb) {
            (Way::HttpQueued, _) => &SLOW,
            (_, Verb::Leave) => &ONCE,
            _ => &[],
        };
        let stage = Stage::with(Options::default(), settings).await;
        let (rival, later) = (stage.process(&[]), stage.process(&[]));
        let stack = Self { stage, way, verb, rival, later };
        stack.arrange().await;
        stack
    }

    async fn arrange(&self) {
        let amazon = &self.stage.world.connect;
        if self.verb == Verb::Confirm {
            let held = amazon.configuration(FIRST, Scope::Chat).unwrap();
            let held = Configuration { maximum_size_limit_in_bytes: ASKED, ..held };
            amazon.put(FIRST, Scope::Chat, held);
        }
        if self.verb == Verb::Leave {
            amazon.script(Operation::UpdateAttachedFilesConfiguration, [Some(connect::Fault::Throttle)]);
        }
        match self.way {
            Way::Http | Way::HttpQueued | Way::Bare | Way::EventBridge => {}
            Way::Intake => self.stage.send(INTAKE, &self.document()).await,
            Way::Lane => self.take_in().await,
            Way::SweepUnsent => self.take_in_without_lanes().await,
            Way::SweepKilled => self.kill_after_an_update(&self.http_request()).await,
            Way::HttpBusy => {
                let other = chat(FIRST, &json!({"changeId": "OTHER", "maximumSize": "9 MB"}));
                self.kill_after_an_update(&other).await;
            }
            Way::SweepCancelled => {
                self.take_in().await;
                assert_eq!(self.cancel(&self.later).await, 202);
            }
            Way::SweepEnded => self.work_without_an_end().await,
        }
        if self.way.is_sweep() {
            self.stage.world.clock.advance(Duration::from_secs(121));
        }
    }

    async fn take_in(&self) {
        self.stage.send(INTAKE, &self.document()).await;
        self.deliver_all(INTAKE).await;
    }

    async fn take_in_without_lanes(&self) {
        self.fail(Verb::PlanLanes);
        self.take_in().await;
        self.stage.ledger.clear_faults();
    }

    async fn work_without_an_end(&self) {
        self.take_in().await;
        self.fail(Verb::Finish);
        let delivered = self.stage.deliver_to(&self.later, CHANGES, LEFT).await.unwrap();
        assert_eq!(delivered.failures.len(), 1);
        self.stage.ledger.clear_faults();
    }

    /// An inline run whose invocation is gone: its first update is sent and answered, and nobody stored that.
    async fn kill_after_an_update(&self, payload: &Value) {
        let ledger = &self.stage.ledger;
        let never = Fault::Late(Duration::from_hours(1));
        ledger.fault(Rule::new(never).of(|body| Verb::of(body) == Verb::Close));
        tokio::select! {
            _ = self.later.invoke(payload) => panic!("it was to be killed"),
            () = ledger.until(|entries| entries.iter().any(|entry| entry.fault.is_some())) => {}
        }
        ledger.clear_faults();
    }

    fn fail(&self, verb: Verb) {
        for rule in Harm::Unavailable.rules(verb, FIRST, &[SECOND]) {
            self.stage.ledger.fault(rule);
        }
    }

    /// The change: CHAT of two instances.
    pub(super) fn document(&self) -> Value {
        let mut document = json!({"instanceIds": [FIRST, SECOND], "attachmentScope": "CHAT", "maximumSizeLimitInBytes": ASKED});
        // an event has an id of its own
        if self.way != Way::EventBridge {
            document["changeId"] = json!("CHG-1");
        }
        document
    }

    pub(super) fn id(&self) -> &'static str {
        if self.way == Way::EventBridge { EVENT } else { "CHG-1" }
    }

    fn http_request(&self) -> Value {
        request("POST", "/policy-changes", "", &json!(self.document().to_string()))
    }

    /// What invokes a function directly.
    pub(super) fn payload(&self) -> Value {
        match self.way {
            Way::Http | Way::HttpQueued | Way::HttpBusy => self.http_request(),
            Way::EventBridge => json!({"id": EVENT, "detail-type": "t", "source": "com.example",
                "account": "111122223333", "time": "2026-11-23T10:00:00Z", "detail": self.document()}),
            _ if self.way.is_sweep() => json!({"sweep": true}),
            _ => self.document(),
        }
    }

    /// The invocation that meets the fault, and its answer in one line.
    pub(super) async fn act(&self) -> String {
        match self.way {
            Way::Intake => self.delivered(INTAKE).await,
            Way::Lane => self.delivered(CHANGES).await,
            _ => self.answered(&self.stage.world.invoke_within(&self.payload(), LEFT).await),
        }
    }

    /// What becomes of the message.
    async fn delivered(&self, queue: &str) -> String {
        let delivered = self.stage.deliver_to(&self.stage.world, queue, LEFT).await.unwrap();
        if delivered.failures.is_empty() {
            return "done".to_owned();
        }
        let shown = self.stage.queues.journal().into_iter().rev();
        let shown = shown
            .into_iter()
            .find(|entry| entry.operation == Some(queue::Operation::ChangeMessageVisibility));
        shown.map_or_else(
            || "left alone".to_owned(),
            |shown| format!("again in {} s", shown.body["VisibilityTimeout"]),
        )
    }

    fn answered(&self, result: &Result<Value, Diagnostic>) -> String {
        let answer = match result {
            Ok(answer) => answer,
            Err(error) => return error.error_type.clone(),
        };
        match self.way {
            Way::Http | Way::HttpQueued | Way::HttpBusy => {
                let body: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
                let kind = body["type"].as_str().map(|uri| uri.rsplit(':').next().unwrap());
                let text = format!("{} {}", answer["statusCode"], kind.or(body["status"].as_str()).unwrap());
                let is_to_wait = answer["headers"]["retry-after"].is_string();
                if is_to_wait { format!("{text}, Retry-After") } else { text }
            }
            _ if self.way.is_sweep() => format!("swept {}", answer["swept"]),
            _ => answer["status"].as_str().unwrap().to_owned(),
        }
    }

    /// Cancels the change: the status of the answer.
    pub(super) async fn cancel(&self, world: &World) -> u64 {
        let path = format!("/policy-changes/{}/cancel", self.id());
        let answer = world.invoke(&request("POST", &path, "", &Value::Null)).await.unwrap();
        answer["statusCode"].as_u64().unwrap()
    }

    async fn deliver_all(&self, queue: &str) {
        while self.stage.deliver_to(&self.later, queue, LEFT).await.is_some() {}
    }

    /// Everybody comes back, again and again: the caller, the messages, the sweep.
    pub(super) async fn recover(&self, answer: &str) {
        let mut answer = answer.to_owned();
        let thaw = request("DELETE", "/freeze", "", &Value::Null);
        self.later.invoke(&thaw).await.unwrap();
        for _ in 0..ROUNDS {
            if caller_comes_again(self.way, &answer, &self.status()) {
                answer = self.answered(&self.later.invoke_within(&self.payload(), LEFT).await);
            }
            self.stage.queues.advance(LATER);
            self.later.clock.advance(LATER);
            self.deliver_all(INTAKE).await;
            self.deliver_all(CHANGES).await;
            self.later.invoke(&json!({"sweep": true})).await.unwrap();
            if !caller_comes_again(self.way, &answer, &self.status()) && self.is_at_rest() {
                return;
            }
        }
    }

    /// The size that a target held at the start.
    pub(super) fn initial_size(&self, instance: &str) -> i64 {
        if self.verb == Verb::Confirm && instance == FIRST { ASKED } else { DEFAULT_SIZE }
    }

    /// Every process's audit, in the order of time.
    pub(super) fn audits(&self) -> Vec<Value> {
        let worlds = [&self.stage.world, &self.rival, &self.later];
        let mut all: Vec<Value> = worlds.into_iter().flat_map(World::audit).collect();
        all.sort_by_key(|event| event["time"].as_i64());
        all
    }

    /// The audit of the process that met the fault, in one line.
    pub(super) fn audit(&self) -> String {
        let line = |event: &Value| {
            let code = event["metadata"]["event_code"].as_str().unwrap();
            let resource = &event["resources"][0];
            let target = match resource["name"].as_str() {
                Some(FIRST) => " 1",
                Some(SECOND) => " 2",
                _ => "",
            };
            let word = event["unmapped"]["outcome"].as_str().unwrap_or(code);
            let error = event["status_code"].as_str().map(|code| format!(" {code}")).unwrap_or_default();
            (target.is_empty(), target, format!("{word}{target}{error}"))
        };
        let mut lines: Vec<_> = self.stage.world.audit().iter().map(line).collect();
        if self.way == Way::HttpBusy {
            // nobody waits for a busy target before the others are done, and they take their time
            lines.sort_by_key(|(is_last, target, _)| (*is_last, *target));
        }
        lines.into_iter().map(|(_, _, line)| line).collect::<Vec<_>>().join(", ")
    }

    /// The end of the record, and the updates that Amazon Connect received.
    pub(super) async fn end(&self) -> String {
        let request = request("GET", &format!("/policy-changes/{}", self.id()), "", &Value::Null);
        let answer = self.later.invoke(&request).await.unwrap();
        let record: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
        let outcomes: Vec<_> = record["results"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|line| line["outcome"].as_str().unwrap())
            .collect();
        let status = record["status"].as_str().unwrap_or("none");
        format!(
            "run {} {status}: {}; {} sent",
            record["run"],
            outcomes.join(", "),
            self.stage.world.updates()
        )
    }
}
