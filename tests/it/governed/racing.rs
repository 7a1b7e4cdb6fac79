//! Requests, events, schedules and undos, all at once over the same targets: whatever brought a change, and however they
//! meet, Amazon Connect never gets an older value after a newer one.

use super::stage::{CHANGES, INTAKE, Stage, request};
use crate::world::{ONE, TWO, World};
use sandbox::connect::{Entry, Operation};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

const SCOPES: [&str; 2] = ["CHAT", "TASK"];
/// Changes of each of the four ways.
const EACH: u64 = 6;

/// Changes of a seed, submitted one after another by a process of its own.
async fn submit(stage: &Stage, way: u64, seed: u64) {
    let process = stage.process(&[]);
    let mut random = fastrand::Rng::with_seed(seed * 10 + way);
    for turn in 0..EACH {
        tokio::time::sleep(Duration::from_millis(random.u64(0..30))).await;
        let id = format!("W{way}-{turn}");
        let instances = if random.bool() { json!([ONE, TWO]) } else { json!([ONE]) };
        let scopes = if random.bool() { json!(SCOPES) } else { json!([SCOPES[random.usize(..2)]]) };
        let change = json!({
            "instanceIds": instances, "attachmentScopes": scopes, "changeId": id,
            // every change has a size of its own
            "maximumSizeLimitInBytes": 1_048_576 * (1 + way) + 1_024 * turn,
        });
        let now = time::OffsetDateTime::now_utc();
        let payload = match way {
            0 => request("POST", "/policy-changes", "", &json!(change.to_string())),
            1 => {
                json!({"id": id, "detail-type": "t", "source": "com.example", "account": "111122223333", "detail": change})
            }
            2 => message(&change, &id, now),
            // takes back whatever the last request did
            _ => {
                let of = format!("/policy-changes/W0-{turn}/undo");
                request("POST", &of, "", &json!(json!({"changeId": id, "force": random.bool()}).to_string()))
            }
        };
        // an undo of a change that runs, or that is not there yet, is refused
        let _ = process.invoke(&payload).await;
    }
}

/// A document in the intake queue.
fn message(change: &Value, id: &str, now: time::OffsetDateTime) -> Value {
    let sent = (now.unix_timestamp_nanos() / 1_000_000).to_string();
    json!({"Records": [{
        "messageId": id, "receiptHandle": "r", "body": change.to_string(), "eventSource": "aws:sqs",
        "eventSourceARN": format!("arn:aws:sqs:us-east-1:111122223333:{INTAKE}"), "awsRegion": "us-east-1",
        "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": sent, "SenderId": "AIDA"},
        "messageAttributes": {},
    }]})
}

async fn work(stage: &Stage, process: &World) {
    for _ in 0..40 {
        while stage.deliver_to(process, CHANGES, Duration::from_secs(30)).await.is_some() {}
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// The place in the order of what set each value, by the request that set it, and how many targets were left to a newer
/// change; every change has ended.
async fn ended(stage: &Stage) -> (BTreeMap<String, String>, usize) {
    let (mut setters, mut superseded) = (BTreeMap::new(), 0);
    for item in stage.ledger.items().unwrap().iter().filter(|item| item["kind"]["S"] == "change") {
        let id = item["pk"]["S"].as_str().unwrap().strip_prefix("change#").unwrap();
        let record = stage.record(id).await;
        assert!(
            ["succeeded", "failed", "partial"].contains(&record["status"].as_str().unwrap()),
            "{record:#}"
        );
        assert_eq!(record["run"], 1);
        let order = item["order"]["S"].as_str().unwrap();
        for result in record["results"].as_array().unwrap() {
            let by = result["requestId"].as_str().map(str::to_owned);
            assert_eq!(by.is_some(), result["outcome"] == "applied", "{result}");
            setters.extend(by.map(|by| (by, order.to_owned())));
            superseded += usize::from(result["error"]["code"] == "NewerChange");
        }
    }
    (setters, superseded)
}

#[tokio::test]
async fn whatever_races_no_older_value_overwrites_a_newer_one() {
    let mut superseded = 0;
    for seed in 0..3 {
        let stage = Stage::new().await;
        let workers = [stage.process(&[]), stage.process(&[])];
        tokio::join!(
            submit(&stage, 0, seed),
            submit(&stage, 1, seed),
            submit(&stage, 2, seed),
            submit(&stage, 3, seed),
            work(&stage, &workers[0]),
            work(&stage, &workers[1]),
        );
        // a target that another change had begun is tried again
        for _ in 0..3 {
            stage.queues.advance(Duration::from_mins(1));
            stage.work().await;
        }
        let (setters, left) = ended(&stage).await;
        superseded += left;
        let is_update = |entry: &&Entry| entry.operation == Some(Operation::UpdateAttachedFilesConfiguration);
        let journal = stage.world.connect.journal();
        let mut last: BTreeMap<_, &String> = BTreeMap::new();
        let updates: Vec<&Entry> = journal.iter().filter(is_update).collect();
        assert_eq!(updates.len(), setters.len(), "seed {seed}");
        for update in updates {
            let of = &setters[&update.request_id];
            let before = last.insert((update.instance_id.clone(), update.scope), of);
            assert!(before.is_none_or(|before| before < of), "seed {seed}: {of} after {before:?}");
        }
        assert_eq!(last.len(), 4, "each of the four targets was set");
    }
    assert!(superseded > 0, "no change met a newer one");
}
