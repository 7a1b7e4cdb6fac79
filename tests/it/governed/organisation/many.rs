//! So many lanes that the plan of an undo or of an apply does not fit into its record.

use super::{spread, wide};
use serde_json::{Value, json};

const ACCOUNTS: [&str; 4] = ["111122223333", "222233334444", "444455556666", "555566667777"];
const REGIONS: [&str; 10] = [
    "ap-northeast-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-west-1",
    "eu-west-2",
    "us-east-1",
    "us-east-2",
    "us-west-2",
];

#[tokio::test]
async fn a_dry_run_over_forty_lanes_is_applied_and_undone() {
    let (stage, _sts) = wide(spread(&ACCOUNTS, &REGIONS, 1), &ACCOUNTS, &REGIONS).await;
    let change = json!({
        "instanceId": "arn:aws:connect:*:*:instance/*", "attachmentScope": "CHAT", "maximumSize": "10 MB", "changeId": "DRY",
    });
    assert_eq!(stage.http("POST", "/policy-changes?dryRun=true", &change).await.0, 202);
    stage.work().await;
    let planned = stage.record("DRY").await;
    assert_eq!((&planned["status"], &planned["summary"]), (&json!("planned"), &json!({"planned": 40})));
    let (status, headers, _) =
        stage.http("POST", "/policy-changes/DRY/apply", &json!({"plan": planned["plan"]})).await;
    assert_eq!(status, 202);
    stage.work().await;
    let location = headers["location"].as_str().unwrap();
    let (_, _, applied) = stage.http("GET", location, &Value::Null).await;
    assert_eq!((&applied["status"], &applied["summary"]), (&json!("succeeded"), &json!({"applied": 40})));
    // the second run of the id: its plan is put again
    for query in ["?dryRun=true", ""] {
        let path = format!("{location}/undo{query}");
        assert_eq!(stage.http("POST", &path, &json!({"changeId": "UNDO"})).await.0, 202);
        stage.work().await;
    }
    let undone = stage.record("UNDO").await;
    let (_, _, applied) = stage.http("GET", location, &Value::Null).await;
    assert_eq!(applied["undoneBy"], "UNDO", "the dry run left no trace");
    assert_eq!((&undone["run"], &undone["summary"]), (&json!(2), &json!({"applied": 40})), "{undone:#}");
}
