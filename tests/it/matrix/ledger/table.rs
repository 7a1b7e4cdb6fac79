//! learn
use super::cell::{Cell, Expected, Rows, Way};
use super::verb::Verb;

const Q: Expected = Expected { answer: "?", audit: "?", then: "?", end: "?" };

pub(super) fn cells() -> Vec<Cell> {
    use Verb::*;
    let all: &[(Way, &[Verb])] = &[
        (Way::Http, &[Freeze, Record, Targets, Begin, Close, Look, Confirm, Finish]),
        (Way::Bare, &[Freeze, Record, Targets, Begin, Close, Look, Confirm, Finish]),
        (Way::HttpQueued, &[Freeze, Record, PlanLanes, Sent]),
        (Way::EventBridge, &[Freeze, Record, PlanLanes, Sent]),
        (Way::Intake, &[Freeze, Record, PlanLanes, Sent]),
        (
            Way::Lane,
            &[
                Change,
                BeginDelivery,
                Seen,
                Results,
                Started,
                Targets,
                Begin,
                Close,
                Look,
                Confirm,
                Progress,
                Leave,
                EndLane,
                Finish,
            ],
        ),
        (Way::SweepUnsent, &[Owed, PlanLanes, Sent]),
        (Way::SweepKilled, &[Intents, Close, Finish]),
        (Way::SweepCancelled, &[EndLane, Finish]),
        (Way::SweepEnded, &[Finish]),
    ];
    let rows = all.iter().flat_map(|(way, verbs)| verbs.iter().map(|verb| (*way, *verb)));
    rows.flat_map(|(way, verb)| {
        Rows { verb, passes: Q, fails: Q, fails_done: Some(Q), second: Some(Q) }.cells(way)
    })
    .collect()
}
