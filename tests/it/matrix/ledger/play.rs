//! Plays a cell: sets the fault up, sends the change, lets everybody come back, and compares all of it with the table.

use super::cell::{Cell, Way};
use super::evidence::{Evidence, Totals};
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
    let earlier = ledger.journal().len();
    for rule in cell.harm.rules(cell.verb, FIRST, &[SECOND]) {
        ledger.fault(rule);
    }
    let (answer, was_first) = if cell.harm == Harm::SomebodyElse {
        let both = Box::pin(async { tokio::join!(stack.act(), rival::comes_first(&stack, cell, earlier)) });
        timeout(PATIENCE, both).await.unwrap_or_else(|_| ("the verb is not met".to_owned(), true))
    } else {
        (stack.act().await, true)
    };
    if !was_first {
        return None;
    }
    let mut differences = Vec::new();
    let mut same = |what: &str, seen: &str, expected: &str| {
        if seen != expected {
            differences.push(format!("{}: {what}\n  is  {seen}\n  not {expected}", cell.name()));
        }
    };
    let is_met = ledger.journal().iter().skip(earlier).any(|entry| entry.fault.is_some());
    same("the fault is met", &is_met.to_string(), "true");
    if cell.harm == Harm::TooLate {
        sleep(TOO_LATE + Duration::from_millis(500)).await;
    }
    ledger.clear_faults();
    let expected = cell.expected;
    same("the answer", &answer, expected.answer);
    same("the audit", &stack.audit(), expected.audit);
    same("the record then", &stack.status(), expected.then);
    stack.recover(&answer).await;
    let end = stack.end().await;
    same("the end", &end, expected.end);
    let totals = Evidence::of(&stack).totals();
    Some(Played { line: cell.line(differences.is_empty(), started.elapsed()), totals, differences })
}

/// Whether the caller sends the change again: asked to, or because the record that it follows has ended incomplete.
pub(super) fn caller_comes_again(way: Way, answer: &str, status: &str) -> bool {
    match way {
        Way::Http | Way::HttpQueued | Way::HttpBusy => {
            answer.ends_with("Retry-After") && !answer.starts_with("202")
                || (answer.starts_with("202") && status == "incomplete")
        }
        Way::Bare => answer == "PolicyChangeIncomplete" || (answer == "accepted" && status == "incomplete"),
        Way::EventBridge => answer == "PolicyChangeIncomplete",
        // a message and a sweep come by themselves
        Way::Intake
        | Way::Lane
        | Way::SweepUnsent
        | Way::SweepKilled
        | Way::SweepCancelled
        | Way::SweepEnded => false,
    }
}
