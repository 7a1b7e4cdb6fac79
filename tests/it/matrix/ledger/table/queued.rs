//! Changes for the workers, by whichever way they come: recorded, and their lanes planned and sent.

use super::super::cell::{Cell, Expected, Rows, Way};
use super::super::verb::Verb;
use super::{APPLIED, FROZEN, NOT_RECORDED, expected};

/// What a way is answered.
struct Answers {
    way: Way,
    accepted: &'static str,
    /// The ledger cannot be reached: the same change comes again.
    refused: &'static str,
    /// Absent: it is recorded all the same.
    frozen: Option<&'static str>,
    /// Where somebody else has recorded and carried it out: the caller's own id has a second run, and a repetition of an
    /// event or a message none.
    twice: &'static str,
}

pub(in super::super) fn cells() -> Vec<Cell> {
    let ways = [
        Answers {
            way: Way::HttpQueued,
            accepted: "202 accepted, Retry-After",
            refused: "503 ledger-unavailable, Retry-After",
            frozen: Some("503 frozen, Retry-After"),
            twice: "run 2 succeeded: unchanged, unchanged; 2 sent",
        },
        Answers {
            way: Way::EventBridge,
            accepted: "accepted",
            refused: "PolicyChangeIncomplete",
            frozen: None,
            twice: APPLIED,
        },
        Answers {
            way: Way::Intake,
            accepted: "done",
            refused: "again in 15 s",
            frozen: None,
            twice: APPLIED,
        },
    ];
    ways.iter()
        .flat_map(|answers| rows(answers).into_iter().flat_map(|rows| rows.cells(answers.way)))
        .collect()
}

fn rows(answers: &Answers) -> [Rows; 4] {
    let accepted = expected(answers.accepted, "accepted", "accepted", APPLIED);
    let refused = expected(answers.refused, NOT_RECORDED, "none", APPLIED);
    let frozen = answers.frozen.map_or(accepted, |answer| Expected { answer, audit: FROZEN, ..refused });
    // what is recorded is carried out: the sweep completes what is missing
    let completed = |verb| Rows {
        verb,
        passes: accepted,
        fails: accepted,
        fails_done: Some(accepted),
        second: Some(accepted),
    };
    [
        Rows { verb: Verb::Freeze, passes: accepted, fails: refused, fails_done: None, second: Some(frozen) },
        Rows {
            verb: Verb::Record,
            passes: accepted,
            fails: refused,
            fails_done: Some(Expected { then: "accepted", ..refused }),
            second: Some(Expected { end: answers.twice, ..accepted }),
        },
        completed(Verb::PlanLanes),
        // a worker is done before its message counts as sent
        Rows { second: Some(Expected { then: "succeeded", ..accepted }), ..completed(Verb::Sent) },
    ]
}
