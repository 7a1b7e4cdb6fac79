//! The cells of the triggers: five faults that stand for all, by each way, answered in its own kind.

use super::below::{DESCRIBE, ONCE, UPDATE, too_long};
use super::cell::{
    Answer, Cell, Target, Via, again, applied, failed_for_good, failed_for_now, for_good, incomplete,
    problem, succeeded, unknown, untouched,
};
use crate::sqs::Sqs;
use crate::world::{ONE, TWO};
use sandbox::connect::{Fault, Operation};
use std::time::Duration;

const PARKED: (&str, &str) = ("PARKED_QUEUE_URL", "https://sqs.us-east-1.amazonaws.com/111122223333/parked");
const DENIED: &str = "CHAT: AccessDeniedException Amazon Connect denied access to this function; its \
    role lacks the permission";

/// What stands for its like: what goes wrong, and what becomes of the target.
struct Representative {
    name: &'static str,
    script: Vec<(Operation, Vec<Option<Fault>>)>,
    settings: Vec<(&'static str, &'static str)>,
    target: Target,
    /// The answers by HTTP and by EventBridge, and whether an SQS message comes again.
    http: Answer,
    event: Answer,
    comes_again: bool,
}

fn representatives() -> [Representative; 5] {
    let ok = || Answer::Http(200, None, "succeeded".to_owned(), None);
    [
        Representative {
            name: "throttled twice",
            script: vec![(UPDATE, vec![Some(Fault::Throttle); 2])],
            settings: Vec::new(),
            target: applied(3),
            http: ok(),
            event: succeeded(),
            comes_again: false,
        },
        Representative {
            name: "throttled to the last attempt",
            script: vec![(UPDATE, vec![Some(Fault::Throttle); 6])],
            settings: Vec::new(),
            target: failed_for_now("ThrottlingException", 6),
            http: problem(429, "throttled", "incomplete"),
            event: incomplete(),
            comes_again: true,
        },
        Representative {
            name: "access denied",
            script: vec![(UPDATE, vec![Some(Fault::AccessDenied)])],
            settings: Vec::new(),
            target: failed_for_good("AccessDeniedException", 1),
            http: problem(502, "upstream-failed", "failed"),
            event: for_good("failed"),
            comes_again: true,
        },
        Representative {
            name: "reset after the effect",
            script: vec![(UPDATE, vec![Some(Fault::ResetAfter)])],
            settings: ONCE.to_vec(),
            target: applied(1),
            http: ok(),
            event: succeeded(),
            comes_again: false,
        },
        Representative {
            name: "reset after the effect, and no look",
            script: vec![
                (UPDATE, vec![Some(Fault::ResetAfter)]),
                (DESCRIBE, vec![None, Some(Fault::InternalError)]),
            ],
            settings: ONCE.to_vec(),
            target: unknown("ConnectionFailed", 1),
            http: problem(502, "upstream-failed", "incomplete"),
            event: incomplete(),
            comes_again: true,
        },
    ]
}

pub(super) fn cells() -> Vec<Cell> {
    let mut cells = Vec::new();
    for representative in representatives() {
        cells.extend(by_http(&representative));
        cells.push(by_event(&representative));
        cells.push(by_queue(&representative));
        cells.push(by_fifo(&representative));
    }
    cells.push(cut_off_by_http());
    cells.extend(cut_short());
    cells.extend(parked());
    cells
}

fn by_http(what: &Representative) -> [Cell; 2] {
    [Via::Http1, Via::Http2].map(|via| Cell { via, answer: what.http.clone(), ..alone(what) })
}

fn by_event(what: &Representative) -> Cell {
    Cell { via: Via::EventBridge, answer: what.event.clone(), ..alone(what) }
}

fn alone(what: &Representative) -> Cell {
    Cell {
        script: what.script.clone(),
        settings: what.settings.clone(),
        targets: vec![what.target.clone()],
        ..Cell::named(what.name)
    }
}

/// The message in the middle fails, and only that one comes again.
fn by_queue(what: &Representative) -> Cell {
    let mut cell = Cell {
        via: Via::Sqs,
        settings: what.settings.clone(),
        answer: again(&[]),
        targets: vec![applied(1), what.target.clone(), applied(1)],
        ..Cell::of_three(what.name)
    };
    // the message before is read and updated first
    for (operation, faults) in &what.script {
        let faults = [None].into_iter().chain(faults.iter().copied());
        cell.script.push((*operation, faults.collect()));
    }
    if what.comes_again {
        cell.answer = again(&["m1"]);
        cell.shown_again = vec![("r1", 15)];
    }
    cell
}

/// What is behind it in its group comes again too, at once.
fn by_fifo(what: &Representative) -> Cell {
    let mut cell = Cell { via: Via::Fifo, ..by_queue(what) };
    if what.comes_again {
        cell.answer = again(&["m1", "m2"]);
        cell.shown_again = vec![("r1", 15), ("r2", 0)];
        cell.targets = vec![applied(1), what.target.clone(), untouched()];
    }
    cell
}

/// 504 is HTTP's own.
fn cut_off_by_http() -> Cell {
    Cell {
        always: vec![(UPDATE, Fault::Slow(Duration::from_secs(20)))],
        left: Duration::from_secs(4),
        via: Via::Http2,
        answer: problem(504, "upstream-timeout", "incomplete"),
        targets: vec![unknown("DeadlineExceeded", 1)],
        ..Cell::named("slow beyond the invocation's end")
    }
}

/// What is too long for its time: by HTTP and EventBridge too.
fn cut_short() -> impl Iterator<Item = Cell> {
    let mixed = Answer::Http(207, None, "incomplete".to_owned(), Some("200".to_owned()));
    [(Via::Http2, mixed), (Via::EventBridge, incomplete())].into_iter().map(|(via, answer)| Cell {
        via,
        answer,
        ..too_long()
    })
}

/// What is over for good is parked for a person; it comes again where the queue does not take it.
fn parked() -> Vec<Cell> {
    let denied = || failed_for_good("AccessDeniedException", 1);
    let event = |name: &str, sqs| Cell {
        sqs,
        via: Via::EventBridge,
        script: vec![(UPDATE, vec![Some(Fault::AccessDenied)])],
        settings: vec![PARKED],
        answer: Answer::Error("PolicyChangeIncomplete".to_owned(), "failed".to_owned()),
        targets: vec![denied()],
        ..Cell::named(name)
    };
    let batch = |name: &str, via, sqs| Cell {
        sqs,
        via,
        script: vec![(UPDATE, vec![None, Some(Fault::AccessDenied)])],
        settings: vec![PARKED],
        answer: again(&["m1"]),
        targets: vec![applied(1), denied(), applied(1)],
        ..Cell::of_three(name)
    };
    let unreachable = "access denied, SQS unreachable for parking";
    let refused = "access denied, SQS refuses to park";
    let taken = "access denied, parked";
    let parked = |batch| Cell { answer: again(&[]), parked: Some(format!("{TWO} {DENIED}")), ..batch };
    vec![
        event(unreachable, Sqs::Unreachable),
        event(refused, Sqs::Refuses),
        Cell {
            answer: Answer::Report("failed".to_owned()),
            parked: Some(format!("{ONE} {DENIED}")),
            ..event(taken, Sqs::Takes)
        },
        batch(unreachable, Via::Sqs, Sqs::Unreachable),
        batch(refused, Via::Sqs, Sqs::Refuses),
        parked(batch(taken, Via::Sqs, Sqs::Takes)),
        Cell {
            answer: again(&["m1", "m2"]),
            targets: vec![applied(1), denied(), untouched()],
            ..batch(unreachable, Via::Fifo, Sqs::Unreachable)
        },
        parked(batch(taken, Via::Fifo, Sqs::Takes)),
    ]
}
