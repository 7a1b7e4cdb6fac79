//! What is refused before anything is done.

use super::{Asked, STACK, Stack};
use crate::world::{ONE, THREE, TWO, World, chat};
use sandbox::connect::Operation;
use serde_json::{Value, json};

#[tokio::test]
async fn what_cannot_be_carried_out_is_refused_in_words_and_nothing_is_done() {
    let stack = Stack::with(&[("CONNECT_REQUESTS_PER_SECOND", "0.01"), ("CONNECT_BURST", "1")]).await;
    for (properties, told) in [
        (
            json!({"InstanceIds": [ONE], "MaximumSize": "many"}),
            "The properties break the rules, and nothing was changed: `/MaximumSize`",
        ),
        (
            json!({"InstanceIds": [ONE], "ServiceTimeout": "179"}),
            "`ServiceTimeout` must be at least 180 seconds, not 179",
        ),
        (
            json!({"InstanceIds": [ONE, TWO], "ServiceTimeout": "200"}),
            "The change would take about 200 s, and `ServiceTimeout` leaves 110 s for it",
        ),
    ] {
        let asked = stack.ask("Create", &properties).of(STACK, "Refused");
        let answer = stack.answered(&asked).await;
        let reason = answer["Reason"].as_str().unwrap();
        assert!(answer["Status"] == "FAILED" && reason.starts_with(told), "{answer}");
        // delivered again: the same answer stands, and it is not sent twice
        stack.send(&asked).await.unwrap();
    }
    assert_eq!(stack.bucket.arrived().len(), 3);
    // its Delete takes any timeout
    let delete = stack.ask("Delete", &json!({"ServiceTimeout": "60"})).of(STACK, "Refused");
    assert_eq!(stack.answered(&delete).await["Status"], "SUCCESS");
    assert!(stack.stage.world.calls(Operation::UpdateAttachedFilesConfiguration).is_empty());
    assert!(stack.stage.world.audited().contains(&"declare".to_owned()));
}

/// A stack whose declare function counts 25 s for a target, and a process beside it that has no quota.
async fn slow() -> (Stack, World) {
    let stack = Stack::with(&[("CONNECT_REQUESTS_PER_SECOND", "0.04"), ("CONNECT_BURST", "1")]).await;
    let fast = stack.stage.process(&[]);
    (stack, fast)
}

/// What a request is answered at once; `None`: it is recorded, and lanes have it.
async fn at_once(stack: &Stack, asked: &Asked) -> Option<(Value, Value)> {
    let before = stack.bucket.arrived().len();
    stack.send(asked).await.unwrap();
    let body = stack.bucket.arrived().get(before)?.body.clone();
    let answer: Value = serde_json::from_str(&body).unwrap();
    Some((answer["Status"].clone(), answer["Reason"].clone()))
}

#[tokio::test]
async fn a_star_counts_as_the_instances_that_the_ledger_knows() {
    let (stack, fast) = slow().await;
    let star = |kind, logical: &str, scopes: &[&str]| {
        let properties = json!({"InstanceIds": ["*"], "AttachmentScopes": scopes, "ServiceTimeout": "200"});
        stack.ask(kind, &properties).of(STACK, logical)
    };
    let told = |reason: &str| Some((json!("FAILED"), json!(reason)));
    // nobody knows one: each scope counts once
    let all = ["EMAIL", "CHAT", "CASE", "TASK"];
    let mut short = star("Create", "Short", &all);
    short.payload["ResourceProperties"]["ServiceTimeout"] = json!("189");
    assert_eq!(
        at_once(&stack, &short).await,
        told("The change would take about 100 s, and `ServiceTimeout` leaves 99 s for it")
    );
    assert_eq!(at_once(&stack, &star("Create", "Unknown", &["CHAT", "TASK"])).await, None);
    stack.stage.work_by(&fast).await;
    // three instances, two scopes, 25 s each; of one scope it fits
    assert_eq!(
        at_once(&stack, &star("Create", "Known", &["CHAT", "TASK"])).await,
        told("The change would take about 150 s, and `ServiceTimeout` leaves 110 s for it")
    );
    assert_eq!(at_once(&stack, &star("Create", "One", &["CHAT"])).await, None);
    // its targets are not known yet, and count as one until a worker has asked
    assert_eq!(
        at_once(&stack, &star("Create", "Behind", &["CHAT", "TASK"])).await,
        told("The change would take about 175 s, and `ServiceTimeout` leaves 110 s for it")
    );
    // which instances have a tag, the ledger does not know
    let mut tagged = star("Create", "Tagged", &["CHAT", "TASK"]);
    tagged.payload["ResourceProperties"]["InstanceTags"] = json!({"team": "north"});
    assert_eq!(at_once(&stack, &tagged).await, None);
    assert_eq!(stack.stage.world.updates(), 6);
}

#[tokio::test]
async fn an_update_back_to_what_last_succeeded_is_not_refused_for_its_time() {
    let (stack, fast) = slow().await;
    let sized = |kind, size: &str| {
        let instances = [ONE, TWO, THREE];
        let scopes = ["CHAT", "TASK"];
        let values = json!({"InstanceIds": instances, "AttachmentScopes": scopes, "MaximumSize": size});
        stack.ask(kind, &values)
    };
    let mut in_time = sized("Create", "10 MB");
    in_time.payload["ResourceProperties"]["ServiceTimeout"] = json!("240");
    assert_eq!(at_once(&stack, &in_time).await, None);
    stack.stage.work_by(&fast).await;
    let short = |mut asked: Asked| {
        asked.payload["ResourceProperties"]["ServiceTimeout"] = json!("180");
        asked
    };
    let reason = "The change would take about 150 s, and `ServiceTimeout` leaves 90 s for it";
    let refused = Some((json!("FAILED"), json!(reason)));
    assert_eq!(at_once(&stack, &short(sized("Update", "12 MB"))).await, refused);
    assert_eq!(at_once(&stack, &short(sized("Update", "10 MB"))).await, None);
    stack.stage.work_by(&fast).await;
    let last = stack.bucket.arrived().pop().unwrap().body;
    assert!(last.contains(r#""Reason":"6 targets: 6 unchanged""#), "{last}");
}

#[tokio::test]
async fn a_timeout_that_is_none_is_answered_and_a_delete_does_without() {
    let stack = Stack::new().await;
    let asked = stack.ask("Create", &json!({"InstanceIds": [ONE], "ServiceTimeout": "soon"}));
    let reason = "`ServiceTimeout` must be a whole number of seconds from 180 to 3600";
    assert_eq!(at_once(&stack, &asked).await, Some((json!("FAILED"), json!(reason))));
    stack.succeeds("Delete", &json!({"ServiceTimeout": "soon"})).await;
}

#[tokio::test]
async fn a_change_of_the_same_id_is_no_reason_to_wait_for_an_hour() {
    let stack = Stack::new().await;
    let properties = json!({"InstanceIds": [ONE]});
    let created = stack.succeeds("Create", &properties).await;
    let first = created["Data"]["ChangeId"].as_str().unwrap();
    // somebody has the next one already
    let id = format!("{}2", first.strip_suffix('1').unwrap());
    stack.stage.world.report(&chat(TWO, &json!({"changeId": id}))).await;
    let answer =
        stack.answered(&stack.ask("Update", &json!({"InstanceIds": [ONE], "MaximumSize": "12 MB"}))).await;
    let told = format!("Another change has the id `{id}`, which this one would have");
    assert_eq!((&answer["Status"], &answer["Reason"]), (&json!("FAILED"), &json!(told)));
    assert_eq!(
        (stack.holds(ONE).await.0, stack.stage.record(&id).await["summary"].clone()),
        (10, json!({"applied": 1}))
    );
    // the rollback has an id of its own
    stack.succeeds("Update", &properties).await;
}

#[tokio::test]
async fn frozen_only_a_delete_that_sets_nothing_is_carried_out() {
    let stack = Stack::new().await;
    stack.succeeds("Create", &json!({"InstanceIds": [ONE], "OnDelete": "Restore"})).await;
    let (status, _, body) = stack.stage.http("PUT", "/freeze", &json!({"reason": "audit"})).await;
    assert_eq!(status, 200, "{body}");
    for (kind, properties) in [
        ("Update", json!({"InstanceIds": [ONE], "MaximumSize": "12 MB"})),
        ("Delete", json!({"InstanceIds": [ONE], "OnDelete": "Restore"})),
    ] {
        let answer = stack.answered(&stack.ask(kind, &properties)).await;
        assert!(
            answer["Status"] == "FAILED" && answer["Reason"].as_str().unwrap().contains("frozen"),
            "{answer}"
        );
    }
    stack.succeeds("Delete", &json!({"InstanceIds": [ONE]})).await;
    assert_eq!((stack.holds(ONE).await.0, stack.owner(ONE)), (10, Value::Null));
}

#[tokio::test]
async fn a_start_check_is_answered_and_does_nothing() {
    let stack = Stack::new().await;
    let asked = Asked { payload: json!({"RequestType": "StartCheck", "ResponseURL": ""}) };
    assert_eq!(stack.send(&asked).await.unwrap(), json!({"started": true}));
    assert!(stack.stage.ledger.items().unwrap().is_empty() && stack.bucket.arrived().is_empty());
}

#[tokio::test]
async fn a_url_of_somebody_else_is_not_answered_and_nothing_is_done() {
    let stack = Stack::new().await;
    let url = "https://evil.example/x?Signature=topsecret";
    let asked = stack.ask("Create", &json!({"InstanceIds": [ONE]})).with("ResponseURL", url);
    let error = stack.send(&asked).await.unwrap_err();
    assert_eq!(error.error_type, "MalformedPayload");
    assert!(
        !error.error_message.contains("topsecret") && !stack.stage.world.pipe.text().contains("topsecret")
    );
    assert_eq!((stack.stage.world.audited(), stack.stage.world.updates()), (vec!["refusal".to_owned()], 0));
    assert!(stack.stage.ledger.items().unwrap().is_empty());
}
