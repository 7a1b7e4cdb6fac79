//! Plays a cell: sets the fault up, sends the change, lets everybody come back, and compares all of it with the table.

use super::cell::{Cell, Way};
use super::evidence::{Totals, evidence};
use super::rival;
use super::stack::{FIRST, SECOND, Stack};
use super::verb::{Harm, TOO_LATE};
use std::time::{Duration, Instant};
use tokio::time::{sleep, timeout};

/// How often a cell is played in which somebody else was too slow to be first.
const TRIES: usize = 6;
/// Longer than any invocation.
const PATIENCE: Duration = Duration::from_secs(40);

/// The result of a cell.
pub(super) struct Played {
    /// As it is printed.
    pub(super) line: String,
    pub(super) totals: Totals,
    /// Everything that is not as in the table.
    pub(super) differences: Vec<String>,
}

pub(super) async fn play(cell: &Cell) -> Played {
    for _ in 0..TRIES {
        if let Some(played) = Box::pin(play_once(cell)).await {
            return played;
        }
    }
    let differences = vec![format!("{}: nobody was fast enough", cell.name())];
    Played { line: cell.line(false, Duration::ZERO), totals: Totals::default(), differences }
}

/// `None`: somebody else was not the first.
async fn play_once(cell: &Cell) -> Option<Played> {
    let started = Instant::now();
    let stack = Box::pin(Stack::set(cell.way, cell.verb)).await;
    let ledger = &stack.stage.ledger;
    ledger.clear_journal();
    for rule in cell.harm.rules(cell.verb, FIRST, &[SECOND]) {
        ledger.fault(rule);
    }
    let (answer, was_first) = if cell.harm == Harm::SomebodyElse {
        let both = Box::pin(async { tokio::join!(stack.act(), rival::comes_first(&stack, cell)) });
        timeout(PATIENCE, both).await.unwrap_or_else(|_| ("the verb is not met".to_owned(), true))
    } else {
        (stack.act().await, true)
    };
    if !was_first {
        return None;
    }
    let (answer2, mut learned) = (answer.clone(), Vec::new());
    let mut differences = Vec::new();
    let mut same = |what: &str, seen: &str, expected: &str| {
        if seen != expected {
            differences.push(format!("{}: {what}\n  is  {seen}\n  not {expected}", cell.name()));
        }
    };
    let is_met = ledger.journal().iter().any(|entry| entry.fault.is_some());
    same("the fault is met", &is_met.to_string(), "true");
    if cell.harm == Harm::TooLate {
        sleep(TOO_LATE + Duration::from_millis(500)).await;
    }
    ledger.clear_faults();
    let expected = cell.expected;
    same("the answer", &answer, expected.answer);
    same("the audit", &stack.audit(), expected.audit);
    same("the record then", &stack.status(), expected.then);
    learned.push(stack.audit());
    learned.push(stack.status());
    stack.recover(&answer).await;
    let end = stack.end().await;
    same("the end", &end, expected.end);
    let totals = evidence(&stack);
    let learn = format!("LEARN|{}|{answer2}|{}|{}|{end}|{totals}", cell.name(), learned[0], learned[1]);
    Some(Played {
        line: format!("{}\n{learn}", cell.line(differences.is_empty(), started.elapsed())),
        totals,
        differences,
    })
}

/// Whether what is left of a change waits for its caller.
pub(super) fn caller_comes_again(way: Way, answer: &str) -> bool {
    match way {
        Way::Http | Way::HttpQueued => {
            ["503", "207", "502", "504"].iter().any(|status| answer.starts_with(status))
        }
        Way::Bare | Way::EventBridge => answer.starts_with("PolicyChangeIncomplete"),
        // a message and a sweep come by themselves
        Way::Intake
        | Way::Lane
        | Way::SweepUnsent
        | Way::SweepKilled
        | Way::SweepCancelled
        | Way::SweepEnded => false,
    }
}
