//! Somebody else, who comes between a decision and its write: another process of the same stack.

use super::cell::{Cell, Way};
use super::stack::{FIRST, Stack};
use super::verb::Verb;
use crate::governed::stage::{CHANGES, INTAKE, request};
use crate::world::chat;
use sandbox::ledger::Entry;
use serde_json::json;
use std::time::Duration;

/// The size that somebody else sets.
const OTHER: i64 = 9_437_184;
/// After a planner, an ender or a lease.
const A_MINUTE: Duration = Duration::from_secs(61);

/// Does its part while the request of the cell's verb is held up; whether it was done before that went on. `earlier`
/// requests were there before.
pub(super) async fn comes_first(stack: &Stack, cell: &Cell, earlier: usize) -> bool {
    let ledger = &stack.stage.ledger;
    ledger.until(|entries| entries.iter().skip(earlier).any(|entry| entry.fault.is_some())).await;
    let done = act(stack, cell).await;
    // it goes on by being carried out, or refused
    let has_gone_on = |entry: &Entry| entry.fault.is_some() && (entry.executed || entry.status.is_some());
    let was_first = !ledger.journal().iter().skip(earlier).any(has_gone_on);
    assert!(done || !was_first, "{}: somebody else could not do it", cell.name());
    was_first
}

/// Whether it could be done.
async fn act(stack: &Stack, cell: &Cell) -> bool {
    let rival = &stack.rival;
    match (cell.way, cell.verb) {
        (way, _) if way.is_sweep() => sweep(stack, Duration::from_secs(121)).await,
        (_, Verb::Freeze) => {
            let answer = rival.invoke(&request("PUT", "/freeze", "", &json!("{}"))).await.unwrap();
            answer["statusCode"] == 200
        }
        (Way::Http | Way::Bare, Verb::Record) => {
            let mut document = stack.document();
            document["maximumSizeLimitInBytes"] = json!(OTHER);
            rival.invoke(&document).await.is_ok()
        }
        (Way::Intake, Verb::Record) => by_hand(stack, INTAKE).await,
        (_, Verb::Record) => rival.invoke(&stack.payload()).await.is_ok(),
        // after the time of its holder
        (_, Verb::Convert) => sweep(stack, Duration::from_secs(121)).await,
        (_, Verb::PlanLanes) => sweep(stack, A_MINUTE).await,
        (_, Verb::Finish) if cell.way == Way::Lane => sweep(stack, A_MINUTE).await,
        (_, Verb::Sent) => {
            stack.stage.work_by(rival).await;
            stack.status() == "succeeded"
        }
        (
            _,
            Verb::BeginDelivery | Verb::Seen | Verb::Started | Verb::Progress | Verb::Leave | Verb::EndLane,
        ) => by_hand(stack, CHANGES).await,
        (_, Verb::Change | Verb::Look | Verb::Finish) => stack.cancel(rival).await == 202,
        (_, Verb::Close) => {
            rival.clock.advance(A_MINUTE);
            newer(stack).await
        }
        (_, Verb::Results | Verb::Targets | Verb::Begin | Verb::Confirm) => newer(stack).await,
        (_, Verb::Release | Verb::Owed | Verb::Lanes | Verb::Intents | Verb::Other) => {
            panic!("nobody comes between there")
        }
    }
}

async fn sweep(stack: &Stack, later: Duration) -> bool {
    stack.rival.clock.advance(later);
    stack.rival.invoke(&json!({"sweep": true})).await.is_ok()
}

/// A newer change of the first target.
async fn newer(stack: &Stack) -> bool {
    stack.rival.clock.advance(Duration::from_secs(1));
    let change = chat(FIRST, &json!({"changeId": "NEWER", "maximumSize": "9 MB"}));
    stack.rival.invoke(&change).await.is_ok_and(|report| report["status"] == "succeeded")
}

/// The same message once more, as at-least-once delivery allows.
async fn by_hand(stack: &Stack, queue: &str) -> bool {
    let Some(message) = stack.stage.queues.messages(queue).into_iter().next() else { return false };
    let record = json!({"messageId": message.id, "receiptHandle": "r", "body": message.body,
        "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "1732500000123", "SenderId": "AIDA"},
        "messageAttributes": {}, "eventSource": "aws:sqs",
        "eventSourceARN": format!("arn:aws:sqs:us-east-1:111122223333:{queue}")});
    let answer = stack.rival.invoke(&json!({"Records": [record]})).await;
    answer.is_ok_and(|answer| answer["batchItemFailures"] == json!([]))
}
