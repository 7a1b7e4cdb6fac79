//! Many invocations of every kind through one process, against a Connect that fails by chance: memory and
//! descriptors stay flat, and every change is accounted for.
//!
//! `SOAK_INVOCATIONS` sets how many (300), `SOAK_SEED` where the random numbers start; a failure names its
//! invocation. `make soak` does 20,000.

mod answers;
mod ledger;
mod load;

use crate::killed::Random;
use crate::world::launch;
use ledger::Ledger;
use load::Asked;
use sandbox::connect::{Connect, Fault, Options};
use sandbox::lambda::{Function, Invocation, Invoke, Launch};
use std::fs;
use std::time::{Duration, Instant};

/// The whole run; what is not done by then has failed. 20,000 take 5 minutes: it is a debug build of the SDK.
const LIMIT: Duration = Duration::from_mins(7);
/// Resident memory, in bytes, that the end may have above the warm-up (the first tenth): what the allocator
/// keeps after the largest change. A leak of 120 bytes an invocation would show in 20,000.
const MEMORY_SLACK: u64 = 2 * 1_048_576;
/// One trace for all. The Lambda runtime puts it into the environment, and the C library keeps every value
/// that a variable ever had (`setenv` of glibc): 190 bytes an invocation with a trace of its own.
const TRACE: &str = "Root=1-6744f3a0-0123456789abcdef01234567;Parent=0123456789abcdef;Sampled=0";
/// Descriptors above the warm-up: connections that were reset and are not yet closed.
const DESCRIPTOR_SLACK: usize = 4;

#[tokio::test]
async fn soaked_in_faults_a_process_stays_flat_and_accounts_for_every_change() {
    let number = |name: &str, default| std::env::var(name).map_or(default, |text| text.parse().unwrap());
    let (invocations, seed) = (number("SOAK_INVOCATIONS", 300), number("SOAK_SEED", 1));
    let started = Instant::now();
    let connect = faulty(seed).await;
    let function = Function::start(fast(launch(&connect))).await.unwrap();
    let mut random = Random::from(seed);
    let mut ledger = Ledger::of(&connect);
    let (mut warm, mut later) = (Footprint::default(), Footprint::default());
    for number in 0..invocations {
        assert!(started.elapsed() < LIMIT, "seed {seed}: {number} of {invocations} done in {LIMIT:?}");
        let asked = Asked::random(&mut random, number);
        let invocation = invoke(&connect, &function, &asked).await;
        ledger.check(&connect, &asked, &invocation);
        let footprint = Footprint::of(function.pid().unwrap());
        let stage = if number < invocations / 10 { &mut warm } else { &mut later };
        stage.widen(&footprint);
    }
    println!("seed {seed}: {invocations} invocations in {:.0} s", started.elapsed().as_secs_f64());
    println!("{ledger}");
    println!("the first tenth at most: {warm}; later at most: {later}");
    ledger.assert_saw_everything();
    assert!(later.memory <= warm.memory + MEMORY_SLACK, "memory grows: {warm}, later {later}");
    assert!(
        later.descriptors <= warm.descriptors + DESCRIPTOR_SLACK,
        "descriptors grow: {warm}, later {later}"
    );
}

/// Checks the check itself: a missing intent is found.
#[tokio::test]
#[should_panic(expected = "intents and updates differ")]
async fn an_update_whose_intent_is_missing_is_found() {
    without("\"event_code\":\"intent\"").await;
}

#[tokio::test]
#[should_panic(expected = "without an outcome")]
async fn an_outcome_that_is_missing_is_found() {
    without("\"event_code\":\"outcome\"").await;
}

#[tokio::test]
#[should_panic(expected = "one line of metrics")]
async fn a_missing_line_of_metrics_is_found() {
    without("\"logger\":\"metrics\"").await;
}

/// Judges one invocation that lacks a line.
async fn without(line: &str) {
    let connect = Connect::start(Options::default()).await.unwrap();
    let function = Function::start(fast(launch(&connect))).await.unwrap();
    let asked = Asked::plain(0);
    let mut ledger = Ledger::of(&connect);
    let mut invocation = invoke(&connect, &function, &asked).await;
    let missing = invocation.output.iter().position(|said| said.contains(line)).unwrap();
    invocation.output.remove(missing);
    ledger.check(&connect, &asked, &invocation);
}

/// One invocation, with the journal and the captured output of it alone, so that this process stays flat too.
async fn invoke(connect: &Connect, function: &Function, asked: &Asked) -> Invocation {
    connect.clear_journal();
    let options = Invoke { trace_id: Some(TRACE.to_owned()), ..Invoke::default() };
    let invocation = function.invoke_with(asked.payload.as_bytes(), options).await;
    drop(function.take_output());
    invocation
}

/// Every fault that needs no waiting, so that two requests in seven go wrong.
async fn faulty(seed: u64) -> Connect {
    let faults = vec![
        (Fault::Throttle, 0.06),
        (Fault::UntypedThrottle, 0.02),
        (Fault::TooManyRequests, 0.02),
        (Fault::InternalError, 0.03),
        (Fault::Unavailable { retry_after_ms: Some(2) }, 0.02),
        (Fault::ResetBefore, 0.03),
        (Fault::ResetAfter, 0.03),
        (Fault::Slow(Duration::from_millis(3)), 0.02),
        (Fault::Truncated, 0.02),
        (Fault::WrongContentType, 0.01),
        (Fault::OtherValues, 0.01),
        (Fault::AccessDenied, 0.005),
        (Fault::ExpiredToken, 0.005),
        (Fault::NotFound, 0.005),
    ];
    Connect::start(Options { faults, seed, ..Options::default() }).await.unwrap()
}

/// A rate and back-offs of milliseconds (a burst is 10 ms), few attempts, and a guardrail that blocks some changes.
fn fast(launch: Launch) -> Launch {
    launch
        .env("CONNECT_REQUESTS_PER_SECOND", "1000")
        .env("CONNECT_BURST", "10")
        .env("CONNECT_MAX_ATTEMPTS", "2")
        .env("POLICY_BLOCKED_EXTENSIONS", "exe")
}

/// The memory and descriptors of a process.
#[derive(Default)]
struct Footprint {
    /// Resident, in bytes.
    memory: u64,
    descriptors: usize,
}

impl Footprint {
    fn of(pid: u32) -> Self {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        let kilobytes: u64 = resident.trim().strip_suffix(" kB").unwrap().parse().unwrap();
        let descriptors = fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count();
        Self { memory: kilobytes * 1_024, descriptors }
    }

    fn widen(&mut self, other: &Self) {
        self.memory = self.memory.max(other.memory);
        self.descriptors = self.descriptors.max(other.descriptors);
    }
}

impl std::fmt::Display for Footprint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} KB resident, {} descriptors", self.memory / 1_024, self.descriptors)
    }
}
