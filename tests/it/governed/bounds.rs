//! A plan of the longest length, and one byte more; as many replays as a record takes, and one more; an envelope's texts
//! that are longer than an item may be.

use super::stage::{CHANGES, INTAKE, PARKED, Stage};
use crate::world::{ONE, chat};
use policy_core::record::MAX_PLAN;
use sandbox::connect::Instance;
use serde_json::{Value, json};

/// A change of so many instances that needs a lane.
fn change(instances: usize, reason: usize) -> Value {
    let named: Vec<String> = (1..).take(instances).map(|n| Instance::numbered(n).id).collect();
    let reason = "r".repeat(reason);
    json!({
        "instanceIds": named, "attachmentScope": "CHAT", "maximumSize": "10 MB", "changeId": "LONG", "reason": reason,
    })
}

#[tokio::test]
async fn a_plan_may_have_300_kilobytes_and_no_byte_more() {
    let stage = Stage::new().await;
    let refused = async |change: &Value| {
        let (status, _, problem) = stage.http("POST", "/policy-changes", change).await;
        let violation = &problem["violations"][0];
        assert_eq!((status, &violation["code"]), (413, &json!("DocumentTooLarge")), "{problem}");
        assert_eq!(problem["type"], "urn:problem-type:connect-attachment-policy:too-large");
        let (bound, length) = violation["message"].as_str().unwrap().rsplit_once("; it has ").unwrap();
        let expected = "must have at most 307200 bytes in normal form, in which an instance is an ARN";
        assert_eq!(bound, expected);
        length.parse::<usize>().unwrap()
    };
    let (one, other) = (refused(&change(4_000, 1)).await, refused(&change(3_999, 1)).await);
    let of_an_instance = one - other;
    let instances = 4_000 - (one - MAX_PLAN).div_ceil(of_an_instance);
    let reason = 1 + MAX_PLAN - (one - (4_000 - instances) * of_an_instance);
    assert_eq!(refused(&change(instances, reason + 1)).await, MAX_PLAN + 1);
    assert_eq!(stage.ledger.items().unwrap(), Vec::<Value>::new());

    let (status, _, report) = stage.http("POST", "/policy-changes", &change(instances, reason)).await;
    assert_eq!(status, 202, "{report}");
    assert_eq!(stage.record("LONG").await["progress"], json!({"targets": instances, "done": 0}));
    assert_eq!(stage.queues.messages(CHANGES).len(), 1);
}

#[tokio::test]
async fn an_event_is_replayed_a_hundred_times_and_not_once_more() {
    let stage = Stage::new().await;
    let event = |replay: usize| {
        json!({
            "id": "e-1", "detail-type": "t", "source": "com.example", "account": "111122223333",
            "time": "2026-11-25T10:00:00Z", "replay-name": format!("replay-{replay}"),
            "detail": chat(ONE, &json!({})),
        })
    };
    for replay in 0..100 {
        let report = stage.world.invoke(&event(replay)).await.unwrap();
        assert_eq!((&report["status"], &report["changeId"]), (&json!("accepted"), &json!("e-1")), "{report}");
        stage.work().await;
    }
    assert_eq!(stage.record("e-1").await["run"], 100);
    for _ in 0..2 {
        let report = stage.world.invoke(&event(100)).await.unwrap();
        assert_eq!(
            (&report["status"], &report["violations"][0]["code"]),
            (&json!("rejected"), &json!("TooManyReplays")),
            "{report}"
        );
    }
    // a name that it had is a delivery of the same replay
    let again = stage.world.invoke(&event(7)).await.unwrap();
    assert_eq!(again["status"], "succeeded", "{again}");
    assert_eq!(stage.record("e-1").await["run"], 100);
    let parked = stage.queues.messages(PARKED);
    let reasons = parked.iter().map(|message| message.attributes["reasons"].string_value.as_deref().unwrap());
    let reasons: Vec<&str> = reasons.collect();
    assert_eq!(reasons.len(), 2);
    assert!(reasons.iter().all(|reasons| reasons.contains("TooManyReplays")), "{reasons:?}");
}

/// One event must not stop the intake, whose messages come one after the other: together these are longer than an item.
#[tokio::test]
async fn an_envelope_s_texts_may_be_longer_than_what_is_kept_of_them() {
    let stage = Stage::new().await;
    let event = |detail: &Value, replay: &str| {
        let replay = format!("{}{replay}", "n".repeat(200_000));
        let event = json!({
            "id": "i".repeat(200_000), "detail-type": "t", "source": "s".repeat(200_000), "account": "1".repeat(200_000),
            "time": "2026-11-25T10:00:00Z", "replay-name": replay, "detail": detail,
        });
        event.to_string()
    };
    let wrong = json!({"changeId": "CHG-2", "instanceId": ONE, "attachmentScope": "CHAT"});
    let right = chat(ONE, &json!({"changeId": "CHG-1"}));
    for (id, detail, status) in [("CHG-1", &right, "succeeded"), ("CHG-2", &wrong, "rejected")] {
        let answer = stage.receive(event(detail, "1"), INTAKE).await;
        assert_eq!(answer["batchItemFailures"], json!([]), "{id}");
        stage.work().await;
        let record = stage.record(id).await;
        assert_eq!(record["status"], status, "{record}");
        let origin = &record["origin"];
        assert_eq!(
            (&origin["source"], &origin["claimedAccount"], &origin["requestId"]),
            (&json!("s".repeat(256)), &json!("1".repeat(256)), &json!("i".repeat(256)))
        );
    }
    // replays whose names differ only behind that are one
    for replay in ["1", "2"] {
        let answer = stage.receive(event(&right, replay), INTAKE).await;
        assert_eq!(answer["batchItemFailures"], json!([]), "{replay}");
    }
    assert_eq!(stage.record("CHG-1").await["run"], 1);
}
