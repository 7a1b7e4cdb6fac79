//! Instances elsewhere: the ARN's Region picks the endpoint and signs the call.

use crate::world::{ONE, World, failed, outcomes};
use sandbox::connect::{Instance, Options, Scope};
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn elsewhere(n: u32, region: &str) -> Instance {
    Instance { region: region.to_owned(), ..Instance::numbered(n) }
}

#[tokio::test]
async fn an_arn_of_another_region_is_called_there() {
    let (london, sydney) = (elsewhere(11, "eu-west-2"), elsewhere(12, "ap-southeast-2"));
    let mut options = Options::default();
    options.instances.extend([london.clone(), sydney.clone()]);
    let world = World::with(options, &[]).await;
    let change = json!({"instanceIds": [london.arn(), ONE, sydney.arn()], "attachmentScope": "CHAT", "maximumSize": "10 MB"});
    let report = world.report(&change).await;
    assert_eq!(outcomes(&report), ["applied"; 3]);
    let arns: Vec<&Value> = report["results"].as_array().unwrap().iter().map(|r| &r["instanceArn"]).collect();
    assert_eq!((arns[0], arns[2]), (&json!(london.arn()), &json!(sydney.arn())));
    let regions: BTreeSet<String> = world.connect.journal().into_iter().map(|entry| entry.region).collect();
    assert_eq!(regions.into_iter().collect::<Vec<_>>(), ["ap-southeast-2", "eu-west-2", "us-east-1"]);
    assert_eq!(
        world.connect.configuration(&london.id, Scope::Chat).unwrap().maximum_size_limit_in_bytes,
        10_485_760
    );
    let audited: BTreeSet<String> =
        world.audit().iter().map(|e| e["resources"][0]["region"].as_str().unwrap().to_owned()).collect();
    assert_eq!(audited.len(), 3);
}

#[tokio::test]
async fn an_arn_of_an_account_without_a_role_is_refused() {
    let world = World::new().await;
    let foreign = Instance { account: "444455556666".to_owned(), ..Instance::numbered(1) };
    let change = json!({"instanceId": foreign.arn(), "attachmentScope": "CHAT", "maximumSize": "10 MB"});
    let (kind, report) = failed(world.invoke(&change).await);
    assert_eq!(kind, "PolicyChangeRejected");
    assert_eq!(
        report["violations"],
        json!([{"pointer": "/instanceId", "code": "NoRoleForAccount",
        "message": "is in account 444455556666, for which CONNECT_ROLE_ARNS has no role"}])
    );
    assert_eq!(world.connect.journal().len(), 0);
}

#[tokio::test]
async fn an_instance_that_disappears_in_between_is_a_failed_target() {
    let world = World::new().await;
    world.connect.remove_instance(ONE);
    let change =
        json!({"instanceIds": [ONE, crate::world::TWO], "attachmentScope": "*", "maximumSize": "10 MB"});
    let (kind, report) = failed(world.invoke(&change).await);
    assert_eq!(
        (kind.as_str(), &report["summary"]),
        ("PolicyChangeFailed", &json!({"applied": 4, "failed": 4}))
    );
}
