//! The fault matrix: every fault below the trigger, and a few typical ones through each trigger.
//!
//! A cell is a row of a table (`below`, `triggers`): what goes wrong and where, what is asked and by which
//! way, and what is to come of it: the trigger's answer, every target's outcome, code, attempts and whether
//! the same change again would help, the audit line by line, and what Connect holds in the end. `play` sets
//! the fault up in the sandbox, sends the change over real HTTP, compares all of it, and sends the same
//! change once more when nothing goes wrong any more. `evidence` counts what must never happen, from the
//! sandbox's own journal. Shown by `cargo test --workspace --test it fault_matrix -- --nocapture`.

mod below;
mod cell;
mod evidence;
mod ledger;
mod payload;
mod play;
mod triggers;

use cell::Cell;
use evidence::Totals;
use futures_util::StreamExt;
use futures_util::stream;
use play::play;
use sandbox::connect::Fault;
use std::collections::BTreeSet;

/// Cells at once: most of them wait, but not so many that one's computing eats another's deadline.
const AT_ONCE: usize = 16;

#[tokio::test]
async fn the_fault_matrix() {
    let cells: Vec<Cell> = [below::cells(), triggers::cells()].concat();
    let numbered = |(n, cell)| async move { (n, Box::pin(play(cell)).await) };
    let played = stream::iter(cells.iter().enumerate().map(numbered)).buffer_unordered(AT_ONCE);
    let mut played: Vec<_> = played.collect().await;
    played.sort_by_key(|(n, _)| *n);
    let mut totals = Totals::default();
    let mut differences = Vec::new();
    for (_, played) in played {
        println!("{}", played.line);
        totals += played.totals;
        differences.extend(played.differences);
    }
    println!("{totals}");
    assert!(differences.is_empty(), "not as in the table:\n{}", differences.join("\n"));
    let Totals { lost, doubled, intents_without_outcome, failed_that_took_effect, .. } = totals;
    assert_eq!((lost, doubled, intents_without_outcome, failed_that_took_effect), (0, 0, 0, 0));
}

#[test]
fn every_fault_of_the_sandbox_is_in_the_matrix_below_the_trigger() {
    // does not compile until a new fault has its number, and fails until it has its cell
    let number = |fault| match fault {
        Fault::Throttle => 0,
        Fault::UntypedThrottle => 1,
        Fault::TooManyRequests => 2,
        Fault::InternalError => 3,
        Fault::Unavailable { .. } => 4,
        Fault::ResetBefore => 5,
        Fault::ResetAfter => 6,
        Fault::Slow(_) => 7,
        Fault::Truncated => 8,
        Fault::WrongContentType => 9,
        Fault::OtherValues => 10,
        Fault::AccessDenied => 11,
        Fault::ExpiredToken => 12,
        Fault::NotFound => 13,
        Fault::Silent => 14,
    };
    let always: BTreeSet<_> =
        below::cells().iter().flat_map(|cell| &cell.always).map(|(_, fault)| number(*fault)).collect();
    assert_eq!(always, (0..=14).collect());
}
