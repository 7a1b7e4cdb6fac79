//! A lane's message.

use super::super::cell::{Cell, Expected, Rows, Way};
use super::super::verb::Verb;
use super::{APPLIED, BOTH, OVERTAKEN, UNCHANGED, expected};

/// The first delivery without progress.
const LATER: &str = "again in 15 s";
/// One with progress: the second target is done.
const AT_ONCE: &str = "again in 0 s";
const FIRST_FAILED: &str = "failed 1 LedgerUnavailable, intent 2, applied 2";
/// Another delivery has done it all.
const NOTHING_LEFT: Expected = expected("done", "", "succeeded", APPLIED);
const PASSES: Expected = expected("done", BOTH, "succeeded", APPLIED);
const SUPERSEDED: Expected = expected(
    "done",
    "superseded 1 NewerChange, intent 2, applied 2",
    "partial",
    "run 1 partial: superseded, applied; 2 sent",
);
const CANCELLED: Expected =
    expected("done", "skipped 1 Cancelled, skipped 2 Cancelled", "cancelled", "run 1 cancelled: ; 0 sent");

pub(in super::super) fn cells() -> Vec<Cell> {
    let all = [begins(), targets(), ends()];
    all.into_iter().flatten().flat_map(|rows| rows.cells(Way::Lane)).collect()
}

/// The delivery's begin.
fn begins() -> Vec<Rows> {
    let not_begun = expected(LATER, "", "accepted", APPLIED);
    vec![
        Rows {
            verb: Verb::Change,
            passes: PASSES,
            fails: not_begun,
            fails_done: None,
            second: Some(CANCELLED),
        },
        Rows {
            verb: Verb::BeginDelivery,
            passes: PASSES,
            fails: not_begun,
            // it counts as one without progress
            fails_done: Some(not_begun),
            second: Some(NOTHING_LEFT),
        },
        // a warning
        Rows {
            verb: Verb::Seen,
            passes: PASSES,
            fails: PASSES,
            fails_done: Some(PASSES),
            second: Some(NOTHING_LEFT),
        },
        Rows {
            verb: Verb::Started,
            passes: PASSES,
            fails: not_begun,
            fails_done: Some(expected(LATER, "", "running", APPLIED)),
            second: Some(NOTHING_LEFT),
        },
        Rows {
            verb: Verb::Results,
            passes: PASSES,
            fails: expected(LATER, "", "running", APPLIED),
            fails_done: None,
            second: Some(SUPERSEDED),
        },
    ]
}

/// Around a target.
fn targets() -> Vec<Rows> {
    let unread = "failed 1 LedgerUnavailable, failed 2 LedgerUnavailable";
    let not_begun = expected(AT_ONCE, FIRST_FAILED, "running", APPLIED);
    // applied, and not on record: the next delivery finds it after the lease
    let not_closed = expected(AT_ONCE, BOTH, "running", APPLIED);
    let unchanged = "run 1 succeeded: unchanged, applied; 1 sent";
    let not_confirmed = expected(AT_ONCE, UNCHANGED, "running", unchanged);
    vec![
        Rows {
            verb: Verb::Targets,
            passes: PASSES,
            fails: expected(LATER, unread, "running", APPLIED),
            fails_done: None,
            second: Some(SUPERSEDED),
        },
        Rows {
            verb: Verb::Look,
            passes: PASSES,
            fails: not_begun,
            fails_done: None,
            second: Some(CANCELLED),
        },
        Rows {
            verb: Verb::Begin,
            passes: PASSES,
            fails: not_begun,
            fails_done: Some(not_begun),
            second: Some(SUPERSEDED),
        },
        Rows {
            verb: Verb::Close,
            passes: PASSES,
            fails: not_closed,
            fails_done: Some(not_closed),
            // settled by somebody else, whose own update follows
            second: Some(Expected { end: "run 1 succeeded: applied, applied; 3 sent", ..PASSES }),
        },
        Rows {
            verb: Verb::Confirm,
            passes: expected("done", UNCHANGED, "succeeded", unchanged),
            fails: not_confirmed,
            fails_done: Some(not_confirmed),
            second: Some(Expected { audit: OVERTAKEN, ..SUPERSEDED }),
        },
    ]
}

/// The delivery's and the lane's end.
fn ends() -> Vec<Rows> {
    // Amazon Connect throttles the first update
    let failed = "intent 1, failed 1 ThrottlingException, intent 2, applied 2";
    let left = expected(AT_ONCE, failed, "running", "run 1 succeeded: applied, applied; 3 sent");
    let not_ended = expected(LATER, BOTH, "running", APPLIED);
    vec![
        // a warning
        Rows {
            verb: Verb::Progress,
            passes: PASSES,
            fails: PASSES,
            fails_done: Some(PASSES),
            // another delivery has taken over, and does the second target
            second: Some(expected(
                "left alone",
                "intent 1, applied 1, pending 2 TargetBusy",
                "succeeded",
                APPLIED,
            )),
        },
        Rows {
            verb: Verb::Leave,
            passes: left,
            fails: left,
            fails_done: Some(left),
            second: Some(Expected { then: "succeeded", ..left }),
        },
        Rows {
            verb: Verb::EndLane,
            passes: PASSES,
            fails: not_ended,
            // the lane has ended, and the run has not
            fails_done: Some(not_ended),
            second: Some(PASSES),
        },
        Rows {
            verb: Verb::Finish,
            passes: PASSES,
            fails: not_ended,
            fails_done: Some(Expected { then: "succeeded", ..not_ended }),
            second: Some(PASSES),
        },
    ]
}
