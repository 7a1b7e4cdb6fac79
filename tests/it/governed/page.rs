//! The pages of a dashboard's widget: read from the ledger, at a known price, and nothing else.

use super::stage::{CHANGES, Stage};
use crate::world::{ONE, THREE, TWO, World, chat, failed};
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use sandbox::connect::Options;
use sandbox::ledger::{Fault, Operation, Rule};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::time::Duration;

/// A page as a dashboard gets it.
async fn page(world: &World, parameters: &Value) -> String {
    let mut payload = json!({"widgetContext": {"theme": "light", "timezone": {"offsetISO": "+00:00"}}});
    for (name, value) in parameters.as_object().unwrap() {
        payload[name] = value.clone();
    }
    world.invoke(&payload).await.unwrap().as_str().unwrap().to_owned()
}

/// Its text, a line for each row of a table or paragraph.
fn lines(html: &str) -> Vec<String> {
    let mut text = String::new();
    for piece in html.split('<').skip(1) {
        let (tag, said) = piece.split_once('>').unwrap();
        match tag.split(' ').next().unwrap() {
            "style" | "cwdb-action" => continue,
            "tr" | "p" | "/p" | "table" | "/table" | "h2" | "/h2" | "/thead" | "dl" | "/dl" => {
                text.push('\n');
            }
            "span" | "/span" | "strong" | "/strong" => {}
            _ => text.push(' '),
        }
        text.push_str(said);
    }
    let lines = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    lines.filter(|line| !line.is_empty()).collect()
}

/// The one line that begins so.
fn line<'l>(lines: &'l [String], start: &str) -> &'l str {
    let found: Vec<_> = lines.iter().filter(|line| line.starts_with(start)).collect();
    assert_eq!(found.len(), 1, "`{start}` in {lines:#?}");
    found[0]
}

/// What was asked of the ledger since the last time.
fn asked(stage: &Stage) -> Vec<Operation> {
    let operations = stage.ledger.journal().iter().map(|entry| entry.operation.unwrap()).collect();
    stage.ledger.clear_journal();
    operations
}

/// The time that the page shows of a time of the API.
fn minute(at: &Value) -> String {
    at.as_str().unwrap()[..16].replace('T', " ")
}

#[tokio::test]
async fn the_pages_show_what_the_ledger_remembers_by_reads_of_it_alone() {
    let stage = Stage::new().await;
    let all = json!({
        "instanceIds": [ONE, TWO, THREE], "attachmentScope": "*", "maximumSize": "10 MB",
        "allowedExtensions": ["pdf", "png"], "changeId": "CHG-1", "reason": "ticket <7>", "requestedBy": "Ada",
    });
    stage.take_in(&all).await;
    stage.work().await;
    let other =
        chat(TWO, &json!({"changeId": "CHG-2", "maximumSize": "12 MB", "allowedExtensions": ["pdf", "zip"]}));
    assert_eq!(stage.http("POST", "/policy-changes", &other).await.0, 200);
    let (first, second) = (stage.record("CHG-1").await, stage.record("CHG-2").await);
    let day = minute(&second["finishedAt"])[..10].to_owned();
    let calls = stage.world.connect.journal().len();
    stage.ledger.clear_journal();

    let fleet = lines(&page(&stage.world, &json!({})).await);
    line(&fleet, "3 instances, 12 targets. 1 instance differs from the rest.");
    assert_eq!(line(&fleet, "Most common size"), "Most common size 10 MB 10 MB 10 MB 10 MB");
    assert_eq!(line(&fleet, "Most common list"), "Most common list 2 extensions: pdf png");
    let same = format!("10 MB {day}");
    assert_eq!(line(&fleet, &ONE[..8]), format!("{ONE} {same} {same} {same} {same}"));
    let differs = format!("≠ 12 MB {day} ≠ also +zip without −png");
    assert_eq!(line(&fleet, &TWO[..8]), format!("{TWO} {same} {differs} {same} {same}"));
    assert_eq!(asked(&stage), [Operation::Query, Operation::Query, Operation::GetItem]);
    let of_lane =
        lines(&page(&stage.world, &json!({"lane": "111122223333/us-east-1", "differing": true})).await);
    line(&of_lane, "3 instances, 12 targets in 111122223333/us-east-1. 1 instance differs from the rest.");
    assert_eq!(of_lane.iter().filter(|line| line.starts_with("0000")).count(), 1);
    assert_eq!(asked(&stage), [Operation::Query, Operation::GetItem]);

    let changes = lines(&page(&stage.world, &json!({"view": "changes"})).await);
    let ada = "user/ada account 111122223333";
    assert_eq!(
        changes[4..6],
        [
            format!("CHG-2 {} ✓ succeeded ✓ 1 applied {ada}", minute(&second["submittedAt"])),
            format!(
                "CHG-1 {} ✓ succeeded ✓ 12 applied AIDA for Ada ticket &lt;7&gt;",
                minute(&first["submittedAt"])
            ),
        ],
        "{changes:#?}"
    );
    let requests = asked(&stage).len();
    assert_eq!(requests % 4, 1, "a query for each of a month's four shards, and the freeze");
    assert!((14..=15).contains(&(requests / 4)), "as far back as records are kept: {requests}");

    let change = lines(&page(&stage.world, &json!({"view": "change", "change": "CHG-1"})).await);
    line(&change, "Status ✓ succeeded Targets 12 of 12 done, 100 % ✓ 12 applied ");
    let rows = change.iter().filter(|line| line.ends_with("✓ applied 20 MB → 10 MB without −csv without −doc without −docx \
        without −heic without −jfif without −jpeg without −jpg without −mov without −mp4 without −ppt without −pptx \
        without −rtf and −4 more"));
    assert_eq!(rows.count(), 12, "{change:#?}");
    let failed =
        lines(&page(&stage.world, &json!({"view": "change", "change": "CHG-1", "outcome": "pending"})).await);
    line(&failed, "No such target.");

    let target =
        lines(&page(&stage.world, &json!({"view": "target", "instance": TWO, "scope": "CHAT"})).await);
    let facts = format!(
        "Account and Region 111122223333/us-east-1 Should hold at most 12 MB pdf zip Last changed {day}"
    );
    assert!(line(&target, "Account").starts_with(&facts) && line(&target, "Account").ends_with(" by CHG-2"));
    // a target is done perhaps in the minute before its run is
    let row = |id: &str| target.iter().find(|line| line.contains(&format!(" {id} ✓ applied"))).unwrap();
    assert!(row("CHG-2").ends_with(&format!("10 MB → 12 MB also +zip without −png {ada}")));
    assert!(row("CHG-1").ends_with("AIDA ticket &lt;7&gt;"));

    let reads = [Operation::GetItem, Operation::BatchGetItem, Operation::Query];
    assert!(asked(&stage).iter().all(|operation| reads.contains(operation)));
    assert_eq!(stage.world.connect.journal().len(), calls, "Amazon Connect is not asked");
}

#[tokio::test]
async fn a_change_that_goes_on_shows_how_far_it_is_and_a_freeze_is_shown_above_all() {
    let stage = Stage::with(Options::default(), &[("CONNECT_MAX_ATTEMPTS", "1")]).await;
    let all = json!({
        "instanceIds": [ONE, TWO, THREE], "attachmentScope": "*", "maximumSize": "10 MB", "changeId": "CHG-1",
    });
    stage.take_in(&all).await;
    let row = |lines: &[String]| line(lines, "CHG-1").to_owned();
    let changes = lines(&page(&stage.world, &json!({"view": "changes"})).await);
    assert!(row(&changes).contains(" ○ accepted 0 of 12 done, 0 % 12 AIDA"), "{changes:#?}");
    let update = sandbox::connect::Operation::UpdateAttachedFilesConfiguration;
    stage.world.connect.script(update, [Some(sandbox::connect::Fault::Throttle)]);
    stage.deliver(CHANGES, Duration::from_secs(30)).await.unwrap();
    let changes = lines(&page(&stage.world, &json!({"view": "changes"})).await);
    assert!(row(&changes).contains(" ◐ running 11 of 12 done, 91 % 12 AIDA"), "{changes:#?}");
    let pending = json!({"view": "change", "change": "CHG-1", "outcome": "failed"});
    let failed = lines(&page(&stage.world, &pending).await);
    assert!(line(&failed, "0000000").contains("✗ failed ThrottlingException: "), "{failed:#?}");

    assert_eq!(stage.http("PUT", "/freeze", &json!({"reason": "an <audit>"})).await.0, 200);
    for view in ["fleet", "changes"] {
        let said = lines(&page(&stage.world, &json!({"view": view})).await);
        let banner = line(&said, "Frozen. Since ");
        let text = " by arn:aws:iam::111122223333:user/ada. No change begins. Reason: an &lt;audit&gt;";
        assert!(banner.ends_with(text), "{banner}");
    }
}

#[tokio::test]
async fn what_cannot_be_shown_is_a_page_that_says_why() {
    let stage = Stage::new().await;
    for (parameters, said) in [
        (json!({"view": "all"}), "the parameter `view` must be fleet, changes, change or target"),
        (
            json!({"view": "change", "change": "CHG-9"}),
            "There is no record of this change, or it has expired.",
        ),
    ] {
        assert_eq!(lines(&page(&stage.world, &parameters).await)[1..3], ["Nothing to show", said]);
    }
    stage.ledger.fault(Rule::new(Fault::Internal).on(Operation::Query));
    let said = lines(&page(&stage.world, &json!({})).await);
    assert_eq!(said[2], "The ledger could not be read. Refresh the widget to try again.");
    let log = stage.world.pipe.text();
    let metrics = log.lines().rfind(|line| line.contains("\"metrics\"")).unwrap();
    let metrics: Value = serde_json::from_str(metrics).unwrap();
    assert_eq!((&metrics["Trigger"], metrics["LedgerFailures"].as_u64() > Some(0)), (&json!("widget"), true));
    let documentation = stage.world.invoke(&json!({"describe": true})).await.unwrap();
    assert!(documentation.as_str().unwrap().starts_with("# Attachment policies\n"), "{documentation}");
}

#[tokio::test]
async fn a_function_that_is_for_other_things_shows_no_page() {
    let world = World::new().await;
    let (kind, message) = failed(world.invoke(&json!({"describe": true})).await);
    assert_eq!(kind, "TriggerNotAccepted");
    assert_eq!(message, "this function's ACCEPTED_TRIGGERS does not include widget");
    let stage = Stage::new().await;
    let shows = stage.process(&[("ACCEPTED_TRIGGERS", "widget")]);
    let (kind, message) = failed(shows.invoke(&chat(ONE, &json!({}))).await);
    assert_eq!(kind, "TriggerNotAccepted");
    assert_eq!(message, "this function's ACCEPTED_TRIGGERS does not include bare");
    assert!(shows.invoke(&json!({"widgetContext": {}})).await.is_ok());
}

/// As many targets as 49 instances more would have.
async fn copy_to_two_hundred(stage: &Stage) {
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url(stage.ledger.url())
        .credentials_provider(Credentials::new("key", "secret", None, None, "tests"))
        .build();
    let client = aws_sdk_dynamodb::Client::from_conf(config);
    let items = stage.ledger.items().unwrap();
    let targets: Vec<_> =
        items.iter().filter(|item| item["pk"]["S"].as_str().unwrap().starts_with("target#")).collect();
    assert_eq!(targets.len(), 4);
    for number in 2..=50 {
        let put = targets.iter().map(|item| {
            let item: HashMap<_, _> = item
                .as_object()
                .unwrap()
                .iter()
                .map(|(name, value)| {
                    let value = match (value["S"].as_str(), value["N"].as_str()) {
                        (Some(text), _) => {
                            AttributeValue::S(text.replace(ONE, &format!("{number:08}{}", &ONE[8..])))
                        }
                        (None, Some(number)) => AttributeValue::N(number.to_owned()),
                        (None, None) => panic!("{name} is neither text nor number"),
                    };
                    (name.clone(), value)
                })
                .collect();
            WriteRequest::builder()
                .put_request(PutRequest::builder().set_item(Some(item)).build().unwrap())
                .build()
        });
        client.batch_write_item().request_items(stage.ledger.table(), put.collect()).send().await.unwrap();
    }
}

#[tokio::test]
async fn a_fleet_of_two_hundred_targets_is_two_queries_and_one_look_at_the_freeze() {
    let stage = Stage::new().await;
    let change = json!({
        "instanceId": ONE, "attachmentScope": "*", "changeId": "CHG-1", "allowedExtensions": ["pdf", "png"],
    });
    assert_eq!(stage.http("POST", "/policy-changes", &change).await.0, 200);
    copy_to_two_hundred(&stage).await;
    stage.ledger.clear_journal();
    let html = page(&stage.world, &json!({})).await;
    assert_eq!(asked(&stage), [Operation::Query, Operation::Query, Operation::GetItem]);
    let said = lines(&html);
    line(&said, "50 instances, 200 targets. All hold the same.");
    assert_eq!(said.iter().filter(|line| line.starts_with("0000")).count(), 50);
    assert!(html.len() < 200_000, "{} bytes", html.len());
}
