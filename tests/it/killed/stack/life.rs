//! A stack from its start until everything is at rest.

use super::Random;
use super::acts::{Act, Acts, FAR, FAR_REGION, Way};
use super::clock::TestClock;
use super::evidence::plain;
use super::kill::{After, Kill};
use crate::governed::stage::request;
use crate::world::launch;
use aws_sdk_sqs::config::{BehaviorVersion, Credentials, Region};
use futures_util::future::join_all;
use sandbox::callback::Callback;
use sandbox::connect::{Connect, Entry, Instance, Operation, Options};
use sandbox::governed::{CHANGE_QUEUE, Governed, INTAKE_QUEUE, Role};
use sandbox::lambda::{Answer, Invoke};
use sandbox::ledger;
use sandbox::queue::Message;
use serde_json::{Value, json};
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};
use tokio::time::{sleep, timeout};

/// A minute after which something hangs: nothing here takes seconds.
const LIMIT: Duration = Duration::from_mins(1);
/// Longer than a queue hides a message, than any lease, and than a lane is left without a delivery.
const LONG: Duration = Duration::from_mins(31);
/// How often the sweep has to run, at most, until everything is at its end.
const SWEEPS: usize = 8;
pub(super) struct Life {
    pub(super) connect: Connect,
    pub(super) governed: Governed,
    /// Where CloudFormation waits.
    pub(super) bucket: Callback,
    queues: aws_sdk_sqs::Client,
    acts: Acts,
    clock: TestClock,
    kills: Cell<u64>,
    sent: Cell<u64>,
}

impl Life {
    pub(super) async fn start(random: &mut Random) -> Self {
        let far = Instance { id: FAR.to_owned(), region: FAR_REGION.to_owned(), ..Instance::numbered(9) };
        let instances = (1..=2).map(Instance::numbered).chain([far]).collect();
        let latency = Duration::from_millis(random.below(8));
        let connect = Connect::start(Options { instances, latency, ..Options::default() }).await.unwrap();
        let clock = TestClock::new();
        let launch = launch(&connect)
            .env("CONNECT_REQUESTS_PER_SECOND", "1000")
            .env("CONNECT_BURST", "1000")
            .env("CONNECT_REGIONS", format!("us-east-1,{FAR_REGION}"))
            .env("ANSWER_LOOPBACK", "true")
            .env("TEST_CLOCK", clock.path.to_string_lossy());
        let options = sandbox::governed::Options {
            api: Role::new(3, Duration::from_secs(28)),
            sweep_every: None,
            ..sandbox::governed::Options::default()
        };
        let governed = Governed::start(launch, options).await.unwrap();
        let config = aws_sdk_sqs::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .endpoint_url(governed.queues().url())
            .credentials_provider(Credentials::new("key", "secret", None, None, "tests"))
            .build();
        let queues = aws_sdk_sqs::Client::from_conf(config);
        let (acts, zero) = (Acts::default(), || Cell::new(0));
        let bucket = Callback::start(0).await.unwrap();
        Self { connect, governed, bucket, queues, acts, clock, kills: zero(), sent: zero() }
    }

    pub(super) fn kills(&self) -> u64 {
        self.kills.get()
    }

    /// Rounds of acts, until so many processes were killed.
    pub(super) async fn live(&mut self, random: &mut Random, kills: u64) {
        // a round in which everything ends before its kills is no round too many
        for _ in 0..20 * kills {
            let left = kills - self.kills.get();
            if left == 0 {
                return;
            }
            let acts: Vec<Act> = (0..3 + random.below(4)).map(|_| self.acts.next(random)).collect();
            let planned: Vec<Kill> = (0..left.min(1 + random.below(3))).map(|_| Kill::of(random)).collect();
            let (from, updates, seed) = (self.requests(), self.updates_sent(), random.below(u64::MAX));
            let work = async {
                join_all(acts.iter().map(|act| self.perform(act))).await;
                self.idle().await;
            };
            let killer = async {
                let mut random = Random::from(seed);
                for kill in &planned {
                    self.aim(kill, from, updates).await;
                    self.kill(&mut random).await;
                }
                std::future::pending::<()>().await;
            };
            let round = async {
                tokio::select! {
                    () = work => {}
                    () = killer => {}
                }
            };
            assert!(timeout(LIMIT, round).await.is_ok(), "a round hangs: {acts:#?}");
            match random.below(8) {
                0 => {}
                1..=3 => self.pass(Duration::from_secs(62)).await,
                4 => self.pass(Duration::from_mins(7)).await,
                _ => self.pass(LONG).await,
            }
        }
        panic!("there is nothing to kill");
    }

    /// Lets time pass and the sweep run, without kills, until every record is at its end.
    pub(super) async fn rest(&mut self) {
        for _ in 0..SWEEPS {
            self.pass(LONG).await;
            self.perform_sweep().await;
            self.idle().await;
            if self.unfinished().is_empty() {
                // what is left of messages finds nothing to do
                self.pass(LONG).await;
                return;
            }
        }
        panic!("records that do not end: {:#?}", self.unfinished());
    }

    /// Has it recorded what an undo of each change would do now.
    pub(super) async fn look_at_undos(&mut self) {
        let life = &*self;
        let look = |id: String| async move {
            let body = json!(json!({"changeId": format!("look-{id}")}).to_string());
            let path = format!("/policy-changes/{id}/undo");
            let payload = request("POST", &path, "dryRun=true", &body);
            let way = Way::Api { payload, request_id: None, within: None };
            life.perform(&Act { way, repeats: 0, after: Duration::ZERO }).await;
        };
        join_all(life.changes().into_iter().map(look)).await;
        self.idle().await;
        assert_eq!(self.unfinished(), Vec::<String>::new());
    }

    /// Asks for something, and again where a process was killed.
    async fn perform(&self, act: &Act) {
        sleep(act.after).await;
        for _ in 0..=act.repeats {
            let answer = match &act.way {
                Way::Sweep => Some(self.perform_sweep().await),
                Way::Intake(document) => {
                    self.send(document).await;
                    None
                }
                Way::Declare(asked) => {
                    let mut asked = asked.clone();
                    asked["ResponseURL"] = json!(self.bucket.url(asked["RequestId"].as_str().unwrap()));
                    let payload = asked.to_string();
                    let declare = self.governed.declare();
                    Some(declare.invoke(payload.as_bytes(), Invoke::default()).await.unwrap().outcome)
                }
                Way::Api { payload, request_id, within } => {
                    let deadline = within.map(|within| {
                        let at = SystemTime::now() + within;
                        let at = at.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis();
                        i64::try_from(at).unwrap()
                    });
                    let options =
                        Invoke { deadline_ms: deadline, request_id: request_id.clone(), ..Invoke::default() };
                    let payload = payload.to_string();
                    Some(self.governed.api().invoke(payload.as_bytes(), options).await.unwrap().outcome)
                }
            };
            if !matches!(answer, Some(Answer::Exited(_))) {
                answer.iter().for_each(assert_expected);
                return;
            }
        }
    }

    async fn perform_sweep(&self) -> Answer {
        self.governed.run_sweep().await.unwrap().outcome
    }

    async fn send(&self, document: &str) {
        self.sent.set(self.sent.get() + 1);
        let send = self.queues.send_message().queue_url(self.governed.queues().queue_url(INTAKE_QUEUE));
        let send = send.message_body(document).message_group_id("documents");
        send.message_deduplication_id(self.sent.get().to_string()).send().await.unwrap();
    }

    fn requests(&self) -> u64 {
        self.governed.ledger().journal().last().map_or(0, |entry| entry.sequence)
    }

    fn updates_sent(&self) -> u64 {
        let journal = self.connect.journal();
        let is_update = |entry: &&Entry| entry.operation == Some(Operation::UpdateAttachedFilesConfiguration);
        journal.iter().filter(is_update).count() as u64
    }

    /// Waits for the instant of a kill, in a round that began after so many requests and updates.
    async fn aim(&self, kill: &Kill, requests: u64, updates: u64) {
        match kill.after {
            After::Requests(more) => {
                let last = |entries: &[ledger::Entry]| entries.last().map_or(0, |entry| entry.sequence);
                self.governed.ledger().until(|entries| last(entries) >= requests + more).await;
            }
            After::Updates(more) => {
                let mut journal = self.connect.follow();
                while self.updates_sent() < updates + more {
                    journal.recv().await;
                }
            }
        }
        sleep(kill.moment).await;
    }

    /// Kills one of the processes that are at work.
    async fn kill(&self, random: &mut Random) {
        let (intake, workers) = (self.governed.intake().fleet(), self.governed.workers().fleet());
        let (api, sweep, declare) = (self.governed.api(), self.governed.sweep(), self.governed.declare());
        let fleets = [api, intake, workers, sweep, declare];
        let mut at_work: Vec<_> = fleets.iter().flat_map(|fleet| fleet.at_work()).collect();
        at_work.retain(|function| function.pid().is_some());
        if at_work.is_empty() {
            return;
        }
        let chosen = random.below(at_work.len() as u64);
        at_work[usize::try_from(chosen).unwrap()].kill().await;
        self.kills.set(self.kills.get() + 1);
    }

    /// Waits until nothing is under way, and no queue has a message that could be delivered now.
    async fn idle(&self) {
        loop {
            for mapping in [self.governed.intake(), self.governed.workers()] {
                mapping.until(|all| all.iter().all(|delivery| delivery.answer.is_some())).await;
            }
            let queues = [INTAKE_QUEUE, CHANGE_QUEUE];
            if queues.iter().all(|queue| is_quiet(&self.governed.queues().messages(queue))) {
                return;
            }
            sleep(Duration::from_millis(1)).await;
        }
    }

    /// Lets so much time pass at once, for the processes and for the queues. Nothing is under way meanwhile: clocks
    /// that are wrong are another matter.
    async fn pass(&mut self, by: Duration) {
        self.idle().await;
        self.clock.advance(by);
        self.governed.queues().advance(by);
        let idle = timeout(LIMIT, self.idle()).await;
        assert!(idle.is_ok(), "what comes back after {by:?} does not end");
    }

    fn items(&self) -> Vec<Value> {
        self.governed.ledger().items().unwrap().iter().map(plain).collect()
    }

    /// The records that are not at their end, and the answers that CloudFormation waits for.
    fn unfinished(&self) -> Vec<String> {
        let is_final = |item: &Value| !matches!(item["status"].as_str(), Some("accepted" | "running"));
        let items = self.items();
        let is_open =
            |item: &&Value| (item["kind"] == "change" && !is_final(item)) || item.get("url").is_some();
        let open = items.iter().filter(is_open);
        open.map(Value::to_string).collect()
    }

    /// The ids of the real changes, without those that carry out a declaration.
    fn changes(&self) -> BTreeSet<String> {
        let items = self.items();
        let real = items.iter().filter(|item| item["kind"] == "change" && item["dry"] == false);
        let real = real.filter(|item| item.get("declared").is_none());
        real.map(|item| item["pk"].as_str().unwrap().trim_start_matches("change#").to_owned()).collect()
    }
}

/// Whether a FIFO queue gives nothing now: each of its groups waits for a message that somebody has received.
fn is_quiet(messages: &[Message]) -> bool {
    let mut groups: BTreeMap<Option<&str>, bool> = BTreeMap::new();
    for message in messages {
        *groups.entry(message.group.as_deref()).or_default() |= message.in_flight;
    }
    groups.values().all(|waits| *waits)
}

/// No answer blames the function: a request may come too late or too early, and a change may not succeed.
fn assert_expected(answer: &Answer) {
    match answer {
        Answer::Response(bytes) => {
            let answer: Value = serde_json::from_slice(bytes).unwrap();
            let status = answer["statusCode"].as_u64().unwrap_or(200);
            assert!(matches!(status, 200 | 202 | 207 | 404 | 409 | 412), "{answer:#}");
        }
        Answer::Error { error_type, error_message } => {
            let known = ["PolicyChangeIncomplete", "PolicyChangeFailed"];
            assert!(known.contains(&error_type.as_str()), "{error_type}: {error_message}");
        }
        other => panic!("{other:?}"),
    }
}
