//! The audit's promise: no update is sent before its intent has been handed to the log pipe whole,
//! even if the process is killed at any instant, or standard output is full or closed.
//!
//! The instants are chosen by what has happened (so many updates, so many bytes read) and a random
//! moment more, so that they fall where it matters on a machine of any speed. `KILL_RUNS` sets how many
//! (30), `KILL_SEED` where the random numbers start; a failure names its run. `stack` does the same to a whole stack
//! in governed mode.

mod stack;

use crate::fifo::Fifo;
use crate::world::{ONE, THREE, TWO, launch};
use sandbox::connect::{Connect, Operation, Options};
use sandbox::lambda::{Answer, Function, Launch};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// Three instances by four scopes.
const TARGETS: u64 = 12;
/// Longer than any run takes; a minute after which a run has failed.
const LIMIT: Duration = Duration::from_mins(1);
/// What a FIFO holds before its writer has to wait: 64 KiB by default (`pipe(7)`).
const PIPE: u64 = 65_536;

#[tokio::test]
async fn whenever_it_is_killed_every_update_sent_has_its_intent_on_record() {
    let mut random = Random::from(number("KILL_SEED", 1));
    let mut earlier: Option<(String, Run)> = None;
    let (mut updates, mut torn) = (0, 0);
    for run in 0..number("KILL_RUNS", 30) {
        let name = format!("run {run}");
        let run = match run % 2 {
            0 => killed_while_updating(&mut random).await,
            _ => killed_while_writing(&mut random).await,
        };
        // checked one run later, because the last request may not be in the journal yet
        if let Some((name, run)) = earlier.replace((name, run)) {
            updates += run.judge(&name);
            torn += usize::from(run.torn.is_some());
        }
    }
    let (name, run) = earlier.unwrap();
    updates += run.judge(&name);
    torn += usize::from(run.torn.is_some());
    // whether a kill tears a line is chance: the next test has one for sure
    println!("{updates} updates, {torn} torn lines");
    assert!(updates > 0, "the runs showed nothing");
}

#[tokio::test]
async fn a_line_that_the_kill_cut_off_was_followed_by_no_update() {
    let connect = connect().await;
    let fifo = Fifo::new();
    let mut reader = fifo.reader(10);
    // nobody reads on: the function waits within a line until its deadline, when Lambda kills it
    let mut launch = redirected(&connect, &fifo.0.to_string_lossy());
    launch.timeout = Duration::from_secs(3);
    let function = Function::start(launch).await.unwrap();
    let writer = fifo.writer();
    let invocation = function.invoke(payload(true).as_bytes()).await;
    assert_eq!(invocation.outcome, Answer::TimedOut);
    drop(writer);
    let run = Run::of(connect, &reader.rest());
    let torn = run.torn.clone().unwrap_or_default();
    assert!(torn.contains(r#""logger":"audit""#), "{torn}");
    assert!(run.judge("the cut line") < TARGETS);
}

/// Checks the check itself: a missing intent is found.
#[tokio::test]
#[should_panic(expected = "was updated without an intent")]
async fn an_update_whose_intent_is_missing_is_found() {
    let connect = connect().await;
    let function = Function::start(unpaced(launch(&connect))).await.unwrap();
    function.invoke(payload(false).as_bytes()).await;
    let mut lines = function.output();
    let intent = lines.iter().rposition(|line| line.contains(r#""event_code":"intent""#));
    lines.remove(intent.unwrap());
    let torn = None;
    Run { connect, lines, torn }.judge("without one");
}

#[tokio::test]
async fn where_standard_output_is_full_nothing_is_sent() {
    let connect = connect().await;
    let function = Function::start(redirected(&connect, "/dev/full")).await.unwrap();
    assert_unaudited(&connect, &function, "No space left on device").await;
}

#[tokio::test]
async fn where_standard_output_is_closed_nothing_is_sent() {
    let connect = connect().await;
    let fifo = Fifo::new();
    let mut reader = fifo.reader(1);
    let function = Function::start(redirected(&connect, &fifo.0.to_string_lossy())).await.unwrap();
    // the function has said that it started; then its reader goes away
    reader.reached().await;
    reader.close();
    assert_unaudited(&connect, &function, "Broken pipe").await;
}

/// A number that the environment may set.
fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

async fn assert_unaudited(connect: &Connect, function: &Function, detail: &str) {
    let invocation = function.invoke(payload(false).as_bytes()).await;
    let Answer::Error { error_type, error_message } = invocation.outcome else {
        panic!("{:?}", invocation.outcome)
    };
    let report: Value = serde_json::from_str(&error_message).unwrap();
    assert_eq!(error_type, "PolicyChangeIncomplete");
    assert_eq!(report["summary"], json!({"failed": TARGETS}));
    for result in report["results"].as_array().unwrap() {
        assert_eq!(result["error"]["code"], "AuditUnavailable");
        assert_eq!(result["error"]["retryable"], true);
    }
    assert_eq!(updates(connect), []);
    assert!(!error_message.contains(detail), "the caller reads {detail}");
}

/// Killed after so many updates and a moment.
async fn killed_while_updating(random: &mut Random) -> Run {
    let connect = connect().await;
    let mut journal = connect.follow();
    let function = Function::start(unpaced(launch(&connect))).await.unwrap();
    let (count, moment) = (random.below(TARGETS), random.below(8_000));
    let payload = payload(false);
    let killer = async {
        let mut seen = 0;
        // one read comes first, so that the process runs when the moment begins
        while seen <= count {
            seen += u64::from(journal.recv().await.is_some());
        }
        sleep(Duration::from_micros(moment)).await;
        function.kill().await;
    };
    let invocation = function.invoke(payload.as_bytes());
    timeout(LIMIT, async { tokio::join!(invocation, killer) }).await.unwrap();
    let mut output = function.output().join("\n");
    output.push('\n');
    output.push_str(&function.torn_output().unwrap_or_default());
    Run::of(connect, &output)
}

/// Killed while it waits for a slow reader of its long lines, mostly in the midst of one.
async fn killed_while_writing(random: &mut Random) -> Run {
    let connect = connect().await;
    let fifo = Fifo::new();
    let mut reader = fifo.reader(random.below(2 * PIPE) + 1);
    let function = Function::start(redirected(&connect, &fifo.0.to_string_lossy())).await.unwrap();
    let writer = fifo.writer();
    let moment = random.below(40_000);
    let payload = payload(true);
    let killer = async {
        reader.reached().await;
        sleep(Duration::from_micros(moment)).await;
        function.kill().await;
    };
    let invocation = function.invoke(payload.as_bytes());
    timeout(LIMIT, async { tokio::join!(invocation, killer) }).await.unwrap();
    drop(writer);
    Run::of(connect, &reader.rest())
}

async fn connect() -> Connect {
    let latency = Duration::from_millis(3);
    let options = Options { latency, ..Options::default() };
    Connect::start(options).await.unwrap()
}

/// A change of every target; `long`: every audit line of it takes more than 8 KB, two pages of a pipe.
fn payload(long: bool) -> String {
    let mut change =
        json!({"instanceIds": [ONE, TWO, THREE], "attachmentScope": "*", "maximumSize": "10 MB"});
    if long {
        change["reason"] = "\u{202e}".repeat(1_024).into();
    }
    change.to_string()
}

/// The function with its standard output in a file that the test made, not the sandbox.
fn redirected(connect: &Connect, output: &str) -> Launch {
    let mut launch = unpaced(launch(connect))
        .env("FUNCTION", env!("CARGO_BIN_EXE_connect-attachment-policy"))
        .env("OUTPUT", output);
    launch.binary = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/redirected.sh").into();
    launch
}

/// Without a rate limit, so that a run ends within a second.
fn unpaced(launch: Launch) -> Launch {
    launch.env("CONNECT_REQUESTS_PER_SECOND", "1000").env("CONNECT_BURST", "1000")
}

/// The targets of the updates that Connect received.
fn updates(connect: &Connect) -> Vec<(String, String)> {
    let journal = connect.journal().into_iter();
    journal
        .filter(|entry| entry.operation == Some(Operation::UpdateAttachedFilesConfiguration))
        .map(|entry| (entry.instance_id.unwrap(), entry.scope.unwrap().to_string()))
        .collect()
}

/// The output of a run.
struct Run {
    connect: Connect,
    lines: Vec<String>,
    /// The text after the last line break.
    torn: Option<String>,
}

impl Run {
    fn of(connect: Connect, output: &str) -> Self {
        let mut lines: Vec<String> = output.split('\n').map(str::to_owned).collect();
        let torn = lines.pop().filter(|line| !line.is_empty());
        Self { connect, lines, torn }
    }

    /// Every line but a torn last one is whole, and every update has its intent among the whole ones.
    fn judge(&self, name: &str) -> u64 {
        let mut intents: BTreeMap<(String, String), usize> = BTreeMap::new();
        for line in self.lines.iter().filter(|line| !line.is_empty()) {
            let line: Value =
                serde_json::from_str(line).unwrap_or_else(|error| panic!("{name}: {error} in {line}"));
            if line["event"]["metadata"]["event_code"] == "intent" {
                let resource = &line["event"]["resources"][0];
                let text = |value: &Value| value.as_str().unwrap().to_owned();
                let target = (text(&resource["name"]), text(&resource["data"]["attachmentScope"]));
                *intents.entry(target).or_default() += 1;
            }
        }
        let updates = updates(&self.connect);
        for target in &updates {
            let left = intents.entry(target.clone()).or_default();
            assert!(*left > 0, "{name}: {target:?} was updated without an intent");
            *left -= 1;
        }
        updates.len() as u64
    }
}

/// `SplitMix64`: random enough to spread instants, and the same again from the same seed.
pub(crate) struct Random(u64);

impl From<u64> for Random {
    fn from(seed: u64) -> Self {
        Self(seed)
    }
}

impl Random {
    pub(crate) fn one_in(&mut self, chances: u64) -> bool {
        self.below(chances) == 0
    }

    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (bits ^ (bits >> 31)) % limit
    }
}
