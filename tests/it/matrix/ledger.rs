//! The fault matrix of the table: every way in which DynamoDB fails, at every verb, below every trigger.
//!
//! A cell says at which request what goes wrong, and by which way a change comes there. `play` sets the fault up in the
//! sandbox, sends the change, and then lets everybody come back: the caller, the queue's messages, the sweep, later and
//! in other processes. Compared are the trigger's answer, that invocation's audit, the record after it, and the record
//! and Amazon Connect in the end. `evidence` counts what must never be. Shown by `cargo test --workspace --test it
//! fault_matrix -- --nocapture`.

mod cell;
mod evidence;
mod play;
mod rival;
mod stack;
mod table;
mod verb;

use cell::Cell;
use evidence::Totals;
use futures_util::{StreamExt, stream};
use play::play;
use verb::Harm;

/// Cells at once of each part: most of them wait.
const AT_ONCE: usize = 12;
/// Of those in which somebody else has to be fast.
const FAST: usize = 4;

// Four parts, because the cells of one share a thread

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_fault_matrix_of_the_ledger_at_once() {
    assert_each(&table::at_once::cells()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_fault_matrix_of_the_ledger_queued() {
    assert_each(&table::queued::cells()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_fault_matrix_of_the_ledger_in_a_lane() {
    assert_each(&table::lane::cells()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_fault_matrix_of_the_ledger_swept() {
    assert_each(&table::sweep::cells()).await;
}

#[expect(clippy::print_stdout, reason = "the table is for a person too")]
async fn assert_each(cells: &[Cell]) {
    let numbered = |(n, cell)| async move { (n, play(cell).await) };
    let (fast, others): (Vec<_>, Vec<_>) =
        cells.iter().enumerate().partition(|(_, cell)| cell.harm == Harm::SomebodyElse);
    let mut played: Vec<_> =
        stream::iter(fast.into_iter().map(numbered)).buffer_unordered(FAST).collect().await;
    let others = stream::iter(others.into_iter().map(numbered)).buffer_unordered(AT_ONCE);
    played.extend(others.collect::<Vec<_>>().await);
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
    let Totals { lost, doubled, without_intent, never_ended, .. } = totals;
    assert_eq!((lost, doubled, without_intent, never_ended), (0, 0, 0, 0));
    let Totals { untrue, unannounced, intents_without_outcome, .. } = totals;
    assert_eq!((untrue, unannounced, intents_without_outcome), (0, 0, 0));
}
