//! The fault matrix of a declaration: every fault of DynamoDB at each request to the table of its intake and of its
//! answer; what the invocation comes to, what CloudFormation has got by then, and the end of it.
//!
//! A fault lasts as long as the request is tried. Then everybody comes back: Lambda with a request that failed, the
//! queue's message, the sweep.

use super::{Stack, requests};
use crate::governed::stage::CHANGES;
use crate::world::ONE;
use futures_util::{StreamExt, stream};
use sandbox::ledger::{Fault, Rule};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

/// A request to the table, and what is to come of a fault there.
struct Row {
    name: &'static str,
    is: fn(&Value) -> bool,
    /// Whether the worker makes it, which answers; otherwise the declare function, which takes the request in.
    by_worker: bool,
    /// Without an effect, though nobody knows that.
    fails: Seen,
    /// Refused for good, which is surely without an effect.
    denied: Seen,
    /// The effect is there, and its answer is lost. Of a read the same.
    done: Seen,
}

/// What is seen when the invocation that met the fault has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Seen {
    /// `response`, or the function error's type; of a lane's message `done` or `again`.
    reply: &'static str,
    /// The statuses that CloudFormation has got.
    told: &'static str,
    /// Whether the generation is recorded.
    is_taken: bool,
}

const FAULTS: [Fault; 6] = [
    Fault::RateExceeded,
    Fault::TransactionThrottled,
    Fault::Internal,
    Fault::Denied,
    Fault::AnswerLost,
    Fault::NeverAnswered,
];

/// Cells at once: most of them wait.
const AT_ONCE: usize = 24;
/// Until everybody has come back: the sweep, a message that its queue hides, the sweep. Less than the resource's time.
const ROUNDS: [Duration; 4] =
    [Duration::from_mins(2), Duration::from_mins(31), Duration::from_mins(2), Duration::from_mins(2)];

const fn seen(reply: &'static str, told: &'static str, is_taken: bool) -> Seen {
    Seen { reply, told, is_taken }
}

fn rows() -> Vec<Row> {
    let unread = seen("response", "FAILED", false);
    let not_taken = seen("LedgerUnavailable", "", false);
    let taken = seen("response", "", true);
    let row = |name, is: fn(&Value) -> bool, by_worker, fails, done| Row {
        name,
        is,
        by_worker,
        fails,
        denied: fails,
        done,
    };
    let again = seen("again", "", true);
    let told = seen("again", "SUCCESS", true);
    vec![
        row("the declaration", requests::reads_the_declaration, false, unread, unread),
        row("the freeze", requests::reads_the_freeze, false, unread, unread),
        row("the lane's work", requests::reads_the_work_of_a_lane, false, unread, unread),
        Row {
            denied: unread,
            ..row("take", requests::takes, false, not_taken, seen("LedgerUnavailable", "", true))
        },
        row("the lanes", requests::puts_lanes, false, taken, taken),
        row("what was sent", requests::notes_what_was_sent, false, taken, taken),
        row("the answer", requests::reads_the_answer, true, again, again),
        row("decide", requests::decides, true, again, again),
        row("the answer arrived", requests::forgets_the_url, true, told, told),
    ]
}

/// What is not as in the table; `None`: the fault cannot happen there.
async fn play(row: &Row, fault: Fault) -> Option<Vec<String>> {
    let stack = Stack::new().await;
    let asked = stack.ask("Create", &json!({"InstanceIds": [ONE]}));
    if row.by_worker {
        stack.send(&asked).await.unwrap();
        stack.stage.ledger.clear_journal();
    }
    stack.stage.ledger.fault(Rule::new(fault).of(row.is));
    let reply = if row.by_worker {
        let delivered = stack.stage.deliver(CHANGES, Duration::from_secs(30)).await.unwrap();
        if delivered.failures.is_empty() { "done".to_owned() } else { "again".to_owned() }
    } else {
        stack.send(&asked).await.map_or_else(|error| error.error_type, |_| "response".to_owned())
    };
    stack.stage.ledger.clear_faults();
    if !stack.stage.ledger.journal().iter().any(|entry| entry.fault.is_some()) {
        return None;
    }
    let expected = match fault {
        Fault::AnswerLost | Fault::NeverAnswered => row.done,
        Fault::Denied => row.denied,
        _ => row.fails,
    };
    let told = |stack: &Stack| {
        let bodies: BTreeSet<_> = stack.bucket.arrived().into_iter().map(|arrived| arrived.body).collect();
        let status = |body: &String| serde_json::from_str::<Value>(body).unwrap()["Status"].clone();
        bodies.iter().map(|body| status(body).as_str().unwrap().to_owned()).collect::<Vec<_>>().join(", ")
    };
    let is_taken = stack.stage.ledger.items().unwrap().iter().any(|item| item["sk"]["S"] == "Policy#1");
    let mut wrong = Vec::new();
    let mut same = |what: &str, is: &str, not: &str| {
        if is != not {
            wrong.push(format!("{}, {fault}: {what} is {is}, not {not}", row.name));
        }
    };
    same("the reply", &reply, expected.reply);
    same("what CloudFormation got", &told(&stack), expected.told);
    same("whether it is recorded", &is_taken.to_string(), &expected.is_taken.to_string());
    for round in ROUNDS {
        if reply == "LedgerUnavailable" {
            stack.send(&asked).await.unwrap();
        }
        stack.stage.world.clock.advance(round);
        stack.stage.queues.advance(round);
        stack.stage.work().await;
        stack.stage.sweep().await;
    }
    let is_unread = expected.told == "FAILED";
    same("the answer in the end", &told(&stack), if is_unread { "FAILED" } else { "SUCCESS" });
    same("updates", &stack.stage.world.updates().to_string(), if is_unread { "0" } else { "1" });
    let is_owed = |item: &&Value| item.get("url").is_some() || item.get("intent").is_some();
    same("owed", &stack.stage.ledger.items().unwrap().iter().filter(is_owed).count().to_string(), "0");
    Some(wrong)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_fault_matrix_of_a_declaration() {
    let rows = rows();
    let cells = rows.iter().flat_map(|row| FAULTS.map(|fault| (row, fault)));
    let played =
        stream::iter(cells.map(|(row, fault)| async move { (row.name, Box::pin(play(row, fault)).await) }));
    let played: Vec<_> = played.buffer_unordered(AT_ONCE).collect().await;
    let wrong: Vec<_> = played.iter().filter_map(|(_, wrong)| wrong.as_ref()).flatten().cloned().collect();
    assert!(wrong.is_empty(), "not as in the table:\n{}", wrong.join("\n"));
    // each place met each fault that can happen there: one more at a transaction
    for row in &rows {
        let met = played.iter().filter(|(name, wrong)| *name == row.name && wrong.is_some()).count();
        let faults = if ["take", "the lanes", "decide"].contains(&row.name) { 6 } else { 5 };
        assert_eq!(met, faults, "{}", row.name);
    }
}
