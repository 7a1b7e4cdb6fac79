//! An update whose outcome nobody stored: what the next visitor finds, and what the audit says then.

use super::stage::{CHANGES, Stage};
use crate::world::{ONE, chat};
use sandbox::connect::{Fault, Operation, Options};
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn a_lost_update_is_settled_by_a_later_read_and_the_audit_says_so() {
    let stage = Stage::with(Options::default(), &[("CONNECT_MAX_ATTEMPTS", "1")]).await;
    let connect = &stage.world.connect;
    // the update takes effect, its answer is lost, and nobody can look
    connect.always(Operation::UpdateAttachedFilesConfiguration, Some(Fault::ResetAfter));
    stage.world.pipe.watch({
        let connect = connect.clone();
        move |line| {
            if line.contains(r#""event_code":"intent""#) {
                connect.always(Operation::DescribeAttachedFilesConfiguration, Some(Fault::ResetBefore));
            }
        }
    });
    stage.take_in(&chat(ONE, &json!({"changeId": "CHG-1", "reason": "why"}))).await;
    assert_eq!(stage.deliver(CHANGES, Duration::from_secs(30)).await.unwrap().failures.len(), 1);
    let record = stage.record("CHG-1").await;
    assert_eq!((&record["status"], &record["results"][0]["outcome"]), (&json!("running"), &json!("unknown")));
    for operation in
        [Operation::UpdateAttachedFilesConfiguration, Operation::DescribeAttachedFilesConfiguration]
    {
        connect.always(operation, None);
    }
    // after its lease
    stage.world.clock.advance(Duration::from_secs(61));
    stage.queues.advance(Duration::from_mins(2));
    stage.work().await;
    let record = stage.record("CHG-1").await;
    assert_eq!((&record["status"], &record["summary"]), (&json!("succeeded"), &json!({"applied": 1})));
    assert_eq!(record["results"][0]["before"]["maximumSizeLimitInBytes"], 20_971_520);
    assert_eq!(stage.world.updates(), 1);
    let outcomes: Vec<_> = stage
        .world
        .audit()
        .into_iter()
        .filter(|event| event["metadata"]["event_code"] == "outcome")
        .map(|event| {
            let told = &event["unmapped"];
            let id = &event["metadata"]["correlation_uid"];
            json!([id, told["outcome"], told["settled"], told["reason"], event["actor"]["user"]["uid"]])
        })
        .collect();
    assert_eq!(
        outcomes,
        [json!(["CHG-1", "unknown", null, "why", "AIDA"]), json!(["CHG-1", "applied", true, "why", "AIDA"])]
    );
}
