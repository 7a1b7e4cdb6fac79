//! Whole organisations without a ledger.

use super::{ACCOUNTS, EVERYWHERE, change, instances, lanes, organisation};
use crate::world::World;
use sandbox::connect::Options;
use sandbox::sts::Sts;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Without a ledger every place is asked side by side, and each that does not answer has results of its own.
#[tokio::test]
async fn standalone_a_place_that_does_not_answer_has_its_own_results() {
    let sts = Sts::start(0).await.unwrap();
    let set = organisation(&sts);
    let variables: Vec<_> = set.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let options = Options { instances: instances(), ..Options::default() };
    let world = World::with(options, &variables).await;
    sts.deny(ACCOUNTS[1]);
    let (kind, report) = world.error(&change(&json!({}))).await;
    assert_eq!((kind.as_str(), &report["status"]), ("PolicyChangeIncomplete", &json!("incomplete")));
    assert_eq!(report["summary"], json!({"applied": 8, "failed": 4}));
    let results = report["results"].as_array().unwrap();
    let of = |result: &Value| {
        let arn: Vec<&str> = result["instanceArn"].as_str().unwrap().split(':').collect();
        (format!("{}/{}", arn[4], arn[3]), result["outcome"].as_str().unwrap().to_owned())
    };
    let told: Vec<_> = results.iter().map(of).collect();
    assert!(told.is_sorted_by_key(|(lane, _)| lane), "in the order of the targets: {told:?}");
    for (lane, outcome) in &told {
        assert_eq!(outcome == "failed", lane.starts_with(ACCOUNTS[1]), "{lane}");
    }
    let failed: Vec<_> = results.iter().filter(|result| result["outcome"] == "failed").collect();
    let arn = format!("arn:aws:connect:eu-west-2:{}:instance/*", ACCOUNTS[1]);
    assert_eq!((&failed[0]["instanceId"], &failed[0]["instanceArn"]), (&json!("*"), &json!(arn)));
    assert_eq!(failed[0]["error"]["code"], "CredentialsUnusable");
    let audit = world.audit();
    let resource =
        audit.iter().map(|event| &event["resources"][0]).find(|resource| resource["name"] == "*").unwrap();
    assert_eq!((&resource["uid"], &resource["region"]), (&json!(arn), &json!("eu-west-2")));

    // a batch stops there, and what it has not begun is named by its places too
    let batch = json!({"changes": [change(&json!({})), change(&json!({"attachmentScopes": ["CASE"], "changeId": "CHG-2"}))]});
    let (_, report) = world.error(&batch).await;
    assert_eq!(report["changes"][1]["summary"], json!({"pending": 6}));
    let arns: BTreeSet<_> =
        report["changes"][1]["results"].as_array().unwrap().iter().map(|result| of(result).0).collect();
    assert_eq!(arns.into_iter().collect::<Vec<_>>(), lanes());

    sts.allow(ACCOUNTS[1]);
    let report = world.report(&change(&json!({}))).await;
    assert_eq!(report["summary"], json!({"applied": 4, "unchanged": 8}));
}

#[tokio::test]
async fn places_without_instances_are_a_warning_only_where_there_are_none_at_all() {
    let sts = Sts::start(0).await.unwrap();
    let set = organisation(&sts);
    let variables: Vec<_> = set.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let options = Options { instances: instances(), ..Options::default() };
    let world = World::with(options, &variables).await;
    let empty = json!({"instanceIds": ["arn:aws:connect:eu-west-2:111122223333:instance/*", "arn:aws:connect:sa-east-1:*:instance/*"]});
    for (more, message) in [
        (empty, "there is no ACTIVE instance in these accounts and Regions, so nothing was changed"),
        (
            json!({"instanceId": EVERYWHERE, "instanceTags": {"team": "none"}}),
            "no ACTIVE instance in these accounts and Regions has these tags, so nothing was changed",
        ),
    ] {
        let mut change = json!({"attachmentScope": "CHAT", "maximumSize": "10 MB"});
        change.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let report = world.report(&change).await;
        assert_eq!(report["status"], "succeeded");
        assert_eq!(
            report["warnings"],
            json!([{"pointer": "", "code": "NoInstanceMatches", "message": message}])
        );
    }
    let some = world.report(&change(&json!({}))).await;
    assert_eq!((&some["warnings"], &some["summary"]), (&json!([]), &json!({"applied": 12})));
}
