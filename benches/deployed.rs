//! As deployed: the real processes of a stack against one shared quota.
//!
//! One worker carries out a change of 400 targets while two processes of the API each get a change of one target every
//! 10 s on average. Time runs ten times as fast: the quota is 20 calls a second with a burst of 5, and the requests come
//! every second. `--scale 1` is real time (about 30 minutes).
//!
//! ```text
//! cargo run --example deployed -- --function target/release/connect-attachment-policy
//! ```

#![expect(clippy::print_stdout, reason = "a table for a person")]
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a benchmark that cannot go on ends")]

mod api;

use api::post;
use sandbox::connect::{Connect, Entry, Instance, Operation, Options as ConnectOptions, Rate};
use sandbox::governed::{Governed, Options, Role};
use sandbox::lambda::{Fleet, Launch};
use serde_json::json;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;
use time::OffsetDateTime;
use tokio::sync::mpsc;

/// Instances of the long change, each with four targets.
const INSTANCES: u32 = 100;
/// Instances that the API's requests change.
const OTHERS: u32 = 20;

/// How a stack divides the quota: calls a second and burst of the worker, and of each process of the API.
#[derive(Clone, Copy)]
struct Division {
    name: &'static str,
    worker: (f64, u32),
    api: (f64, u32),
}

const DIVISIONS: [Division; 2] = [
    Division { name: "0.1.0: worker 1.2/s burst 3, API 0.4/s burst 1", worker: (1.2, 3), api: (0.4, 1) },
    Division { name: "template: worker 1.82/s burst 5, API 0.5/s burst 2", worker: (1.82, 5), api: (0.5, 2) },
];

/// What one play came to.
struct Played {
    /// Its time over the quota's bound.
    over: f64,
    /// Of all operations.
    calls: usize,
    throttled: usize,
    statuses: Vec<u64>,
}

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let after = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name)?;
        arguments.get(at + 1).cloned()
    };
    let function = after("--function").unwrap_or_else(|| "target/debug/connect-attachment-policy".to_owned());
    let scale: f64 = after("--scale").map_or(10.0, |text| text.parse().unwrap());
    let seeds: u64 = after("--seeds").map_or(9, |text| text.parse().unwrap());
    println!(
        "| division of 2 calls/s, burst 5 | worker alone | with the API | throttled | API requests not 200 |"
    );
    println!("| --- | ---: | ---: | ---: | ---: |");
    for division in DIVISIONS {
        let alone = play(&function, scale, division, None).await;
        let mut played = Vec::new();
        for seed in 1..=seeds {
            played.push(play(&function, scale, division, Some(seed)).await);
        }
        played.sort_by(|one, other| one.over.total_cmp(&other.over));
        let median = played.get(played.len() / 2).map_or(0.0, |played| played.over);
        let sum = |of: fn(&Played) -> usize| played.iter().map(of).sum::<usize>();
        let (calls, throttled) = (sum(|played| played.calls), sum(|played| played.throttled));
        let percent = |part: usize| {
            100.0 * f64::from(u32::try_from(part).unwrap()) / f64::from(u32::try_from(calls).unwrap())
        };
        let statuses: Vec<u64> = played.iter().flat_map(|played| played.statuses.clone()).collect();
        let others = statuses.iter().filter(|status| **status != 200).count();
        println!(
            "| {} | {:.3} × | {median:.3} × | {throttled} of {calls} calls ({:.2} %) | {others} of {} |",
            division.name,
            alone.over,
            percent(throttled),
            statuses.len(),
        );
    }
}

async fn play(function: &str, scale: f64, division: Division, seed: Option<u64>) -> Played {
    let (per_second, burst) = (2.0 * scale, 5);
    let instances = (1..=INSTANCES + OTHERS).map(Instance::numbered).collect();
    let rate = Some(Rate { per_second, burst, ..Rate::default() });
    let connect =
        Connect::start(ConnectOptions { instances, rate, ..ConnectOptions::default() }).await.unwrap();
    let paced = |role: Role, (rate, burst): (f64, u32)| {
        let role = role.env("CONNECT_REQUESTS_PER_SECOND", (rate * scale).to_string());
        role.env("CONNECT_BURST", burst.to_string())
    };
    let worker = paced(Role::new(1, Duration::from_mins(5)), division.worker);
    let launch = Launch::new(function, &connect.url());
    let stack = Governed::start(launch.clone(), Options { worker, ..Options::default() }).await.unwrap();
    // two processes of the API, each with a rate limit of its own
    let api = paced(Role::new(1, Duration::from_secs(28)), division.api);
    let processes: Vec<Arc<Fleet>> = std::iter::repeat_with(|| {
        let mut launch = stack.services().launch(launch.clone()).env("ACCEPTED_TRIGGERS", "http");
        launch.timeout = api.timeout;
        launch.env.extend(api.env.clone());
        Fleet::new(launch, NonZeroUsize::MIN).unwrap()
    })
    .take(2)
    .collect();
    let ids: Vec<String> = (1..=INSTANCES).map(|number| Instance::numbered(number).id).collect();
    let change =
        json!({"instanceIds": ids, "attachmentScope": "*", "maximumSize": "10 MB", "changeId": "LONG"});
    let started = OffsetDateTime::now_utc();
    let first = processes.first().unwrap();
    assert_eq!(post(first, &change).await, 202, "the long change is carried out by the worker");
    let (answered, mut statuses) = mpsc::unbounded_channel();
    let callers: Vec<_> = seed
        .into_iter()
        .flat_map(|seed| (0_u32..).zip(&processes).map(move |(number, process)| (seed, number, process)))
        .map(|(seed, number, process)| {
            let seed = seed * 2 + u64::from(number);
            tokio::spawn(call(Arc::clone(process), number, seed, scale, answered.clone()))
        })
        .collect();
    let ended = last_of_the_long_change(&connect, &ids).await;
    for caller in callers {
        caller.abort();
    }
    drop(answered);
    let mut all = Vec::new();
    while let Some(status) = statuses.recv().await {
        all.push(status);
    }
    let sent: Vec<Entry> = connect.journal().into_iter().filter(|entry| entry.at <= ended).collect();
    let throttled = sent.iter().filter(|entry| entry.status == Some(429)).count();
    let updates = sent.iter().filter(|entry| is_update(entry) && entry.status == Some(200)).count();
    let bound = (f64::from(u32::try_from(updates).unwrap()) - f64::from(burst)) / per_second;
    Played { over: (ended - started).as_seconds_f64() / bound, calls: sent.len(), throttled, statuses: all }
}

/// One change of one target after the other, at random times, each of another instance than the long change's.
async fn call(process: Arc<Fleet>, number: u32, seed: u64, scale: f64, answered: mpsc::UnboundedSender<u64>) {
    let mut random = fastrand::Rng::with_seed(seed);
    for turn in 0_u32.. {
        let wait = -random.f64().max(1e-9).ln() * 10.0 / scale;
        tokio::time::sleep(Duration::from_secs_f64(wait)).await;
        let instance = Instance::numbered(INSTANCES + 1 + number * OTHERS / 2 + turn % (OTHERS / 2)).id;
        let size = 1_048_576 + turn * 1_024;
        let change =
            json!({"instanceId": instance, "attachmentScope": "CHAT", "maximumSizeLimitInBytes": size});
        let status = post(&process, &change).await;
        if answered.send(status).is_err() {
            return;
        }
    }
}

/// When the last update of the long change was received.
async fn last_of_the_long_change(connect: &Connect, ids: &[String]) -> OffsetDateTime {
    loop {
        let applied = |entry: &Entry| {
            let is_ours = entry.instance_id.as_ref().is_some_and(|id| ids.contains(id));
            is_update(entry) && entry.status == Some(200) && is_ours
        };
        let done: Vec<Entry> = connect.journal().into_iter().filter(applied).collect();
        if done.len() >= ids.len() * 4 {
            return done.iter().map(|entry| entry.at).max().unwrap();
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn is_update(entry: &Entry) -> bool {
    entry.operation == Some(Operation::UpdateAttachedFilesConfiguration)
}
