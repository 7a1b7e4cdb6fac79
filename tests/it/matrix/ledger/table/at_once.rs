//! Changes that are carried out within their invocation, by HTTP and bare, and one that finds a target busy.

use super::super::cell::{Cell, Expected, Rows, Way};
use super::super::verb::{Harm, Verb};
use super::{APPLIED, BOTH, FROZEN, NOT_RECORDED, OVERTAKEN, UNCHANGED, expected};

const OK: &str = "200 succeeded";
const UNAVAILABLE: &str = "503 ledger-unavailable, Retry-After";
/// One target is done, and the other one is not yet.
const MIXED: &str = "207 incomplete, Retry-After";
const FIRST_FAILED: &str = "failed 1 LedgerUnavailable, intent 2, applied 2";
const AGAIN: &str = "run 2 succeeded: applied, applied; 2 sent";

const IN_VAIN: &str = "pending 1 TargetBusy, intent 2, applied 2";
/// Nobody knows whether the rest is left to the workers, so that its report is the answer.
const NOT_QUEUED: Expected =
    expected(MIXED, IN_VAIN, "incomplete", "run 2 succeeded: applied, unchanged; 3 sent");

pub(in super::super) fn cells() -> Vec<Cell> {
    let http = rows().into_iter().flat_map(|rows| rows.cells(Way::Http));
    let bare = rows().into_iter().flat_map(|rows| {
        let rows = Rows {
            passes: bare(rows.passes),
            fails: bare(rows.fails),
            fails_done: rows.fails_done.map(bare),
            second: rows.second.map(bare),
            ..rows
        };
        rows.cells(Way::Bare)
    });
    let busy = busy().into_iter().flat_map(|rows| rows.cells(Way::HttpBusy));
    http.chain(bare).chain(busy.map(final_by_then)).collect()
}

/// The same as a report, or as a function error.
fn bare(http: Expected) -> Expected {
    let answer = match http.answer {
        OK => "succeeded",
        "207 partial" => "PolicyChangeFailed",
        "409 change-id-reused" => "PolicyChangeRejected",
        _ => "PolicyChangeIncomplete",
    };
    Expected { answer, ..http }
}

/// What turns the run into one by lanes comes after the run was made final, and is refused.
fn final_by_then(cell: Cell) -> Cell {
    match (cell.verb, cell.harm) {
        (Verb::Convert, Harm::TooLate) => Cell { expected: NOT_QUEUED, ..cell },
        _ => cell,
    }
}

fn rows() -> Vec<Rows> {
    let passes = expected(OK, BOTH, "succeeded", APPLIED);
    let superseded = expected(
        "207 partial",
        "superseded 1 NewerChange, intent 2, applied 2",
        "partial",
        "run 1 partial: superseded, applied; 2 sent",
    );
    let unread = "failed 1 LedgerUnavailable, failed 2 LedgerUnavailable";
    // the intent may be there, so that the sweep ends the run
    let not_begun = expected(MIXED, FIRST_FAILED, "running", "run 2 succeeded: applied, unchanged; 2 sent");
    // applied, and not on record: the sweep finds it
    let not_closed = expected(MIXED, BOTH, "running", APPLIED);
    vec![
        Rows {
            verb: Verb::Freeze,
            passes,
            fails: expected(UNAVAILABLE, NOT_RECORDED, "none", APPLIED),
            fails_done: None,
            second: Some(expected("503 frozen, Retry-After", FROZEN, "none", APPLIED)),
        },
        Rows {
            verb: Verb::Record,
            passes,
            fails: expected(UNAVAILABLE, NOT_RECORDED, "none", APPLIED),
            // recorded, and nobody carries it out: the sweep ends it, and the caller's repetition is a second run
            fails_done: Some(expected(UNAVAILABLE, NOT_RECORDED, "running", AGAIN)),
            // with other values
            second: Some(expected("409 change-id-reused", "refusal ChangeIdReused", "succeeded", APPLIED)),
        },
        Rows {
            verb: Verb::Targets,
            passes,
            fails: expected(UNAVAILABLE, unread, "incomplete", AGAIN),
            fails_done: None,
            second: Some(superseded),
        },
        Rows {
            verb: Verb::Begin,
            passes,
            fails: not_begun,
            fails_done: Some(not_begun),
            second: Some(superseded),
        },
        Rows {
            verb: Verb::Close,
            passes,
            fails: not_closed,
            fails_done: Some(not_closed),
            // settled by somebody else, whose own update follows
            second: Some(expected(OK, BOTH, "running", "run 1 succeeded: applied, applied; 3 sent")),
        },
        Rows {
            verb: Verb::Look,
            passes,
            fails: expected(
                MIXED,
                "intent 1, applied 1, failed 2 LedgerUnavailable",
                "incomplete",
                "run 2 succeeded: unchanged, applied; 2 sent",
            ),
            fails_done: None,
            second: Some(expected(
                "207 partial",
                "intent 1, applied 1, skipped 2 Cancelled",
                "cancelled",
                "run 1 cancelled: applied; 1 sent",
            )),
        },
        Rows {
            verb: Verb::Confirm,
            passes: expected(OK, UNCHANGED, "succeeded", "run 1 succeeded: unchanged, applied; 1 sent"),
            fails: expected(MIXED, UNCHANGED, "running", "run 2 succeeded: unchanged, unchanged; 1 sent"),
            // it is on record all the same
            fails_done: Some(expected(
                MIXED,
                UNCHANGED,
                "running",
                "run 1 succeeded: unchanged, applied; 1 sent",
            )),
            second: Some(Expected { audit: OVERTAKEN, ..superseded }),
        },
        Rows {
            verb: Verb::Finish,
            passes,
            fails: expected(OK, BOTH, "running", APPLIED),
            fails_done: Some(passes),
            // cancelled meanwhile
            second: Some(expected(OK, BOTH, "cancelled", "run 1 cancelled: applied, applied; 2 sent")),
        },
    ]
}

/// The first target waits for the lease of somebody who is gone; the second one is updated meanwhile.
fn busy() -> [Rows; 3] {
    const ACCEPTED: &str = "202 accepted, Retry-After";
    const AUDIT: &str = "pending 1 TargetBusy, intent 2, applied 2, accepted";
    const END: &str = "run 1 succeeded: applied, applied; 3 sent";
    let queued = expected(ACCEPTED, AUDIT, "accepted", END);
    [
        Rows {
            verb: Verb::Convert,
            passes: queued,
            fails: NOT_QUEUED,
            fails_done: Some(expected(MIXED, IN_VAIN, "accepted", END)),
            // the sweep has ended it
            second: Some(NOT_QUEUED),
        },
        Rows {
            verb: Verb::PlanLanes,
            passes: queued,
            fails: queued,
            fails_done: Some(queued),
            second: Some(queued),
        },
        Rows { verb: Verb::Sent, passes: queued, fails: queued, fails_done: Some(queued), second: None },
    ]
}
