//! The sweep, which comes to what was left behind. It answers how many changes it came to, and the next one comes back
//! to what failed.

use super::super::cell::{Cell, Expected, Rows, Way};
use super::super::verb::Verb;
use super::{APPLIED, expected};

const SWEPT: &str = "swept 1";

pub(in super::super) fn cells() -> Vec<Cell> {
    let ways = [
        (Way::SweepUnsent, unsent()),
        (Way::SweepKilled, killed()),
        (Way::SweepCancelled, cancelled()),
        (Way::SweepEnded, ended()),
    ];
    ways.into_iter().flat_map(|(way, rows)| rows.into_iter().flat_map(move |rows| rows.cells(way))).collect()
}

/// A run without lanes: they are put, and their messages sent.
fn unsent() -> Vec<Rows> {
    let swept = expected(SWEPT, "", "accepted", APPLIED);
    let always =
        |verb| Rows { verb, passes: swept, fails: swept, fails_done: Some(swept), second: Some(swept) };
    let unread = expected("LedgerUnavailable", "", "accepted", APPLIED);
    vec![
        // what is due is read in four parts: nobody knows which of them comes first
        Rows { fails: unread, fails_done: None, second: None, ..always(Verb::Owed) },
        Rows { fails_done: None, ..always(Verb::Lanes) },
        always(Verb::PlanLanes),
        always(Verb::Sent),
    ]
}

/// An inline run whose first update is not on record, and whose second target was not begun.
fn killed() -> Vec<Rows> {
    const END: &str = "run 1 incomplete: applied; 1 sent";
    // a sweep that makes it final says of the other target that nobody came to it
    let ended = expected(SWEPT, "applied 1, pending 2 NoTimeLeft", "incomplete", END);
    let not_ended = Expected { then: "running", ..ended };
    let not_closed = Expected { audit: "applied 1", ..not_ended };
    vec![
        Rows {
            verb: Verb::Intents,
            passes: ended,
            fails: Expected { audit: "", ..not_ended },
            fails_done: None,
            // another sweep has settled it
            second: Some(Expected { audit: "pending 2 NoTimeLeft", ..ended }),
        },
        Rows {
            verb: Verb::Close,
            passes: ended,
            fails: not_closed,
            // the next sweep makes it final
            fails_done: Some(not_closed),
            second: Some(ended),
        },
        Rows {
            verb: Verb::Finish,
            passes: ended,
            fails: not_ended,
            fails_done: Some(ended),
            second: Some(ended),
        },
    ]
}

fn cancelled() -> Vec<Rows> {
    const AUDIT: &str = "skipped 1 Cancelled, skipped 2 Cancelled";
    let ended = expected(SWEPT, AUDIT, "cancelled", "run 1 cancelled: ; 0 sent");
    let not_ended = Expected { then: "accepted", ..ended };
    vec![
        Rows {
            verb: Verb::EndLane,
            passes: ended,
            fails: not_ended,
            // the next sweep makes it final
            fails_done: Some(not_ended),
            second: Some(ended),
        },
        Rows {
            verb: Verb::Finish,
            passes: ended,
            fails: not_ended,
            fails_done: Some(ended),
            second: Some(ended),
        },
    ]
}

/// A run whose only lane has ended.
fn ended() -> Vec<Rows> {
    let ended = expected(SWEPT, "", "succeeded", APPLIED);
    vec![Rows {
        verb: Verb::Finish,
        passes: ended,
        fails: Expected { then: "running", ..ended },
        fails_done: Some(ended),
        second: Some(ended),
    }]
}
