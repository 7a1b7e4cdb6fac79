//! Bodies and tokens of requests about recorded changes: what is wrong with them is said, and nothing is done.

use super::stage::{CHANGES, Stage, request};
use crate::world::{ONE, TWO, chat};
use serde_json::{Value, json};

fn problem(name: &str) -> Value {
    json!(format!("urn:problem-type:connect-attachment-policy:{name}"))
}

#[tokio::test]
async fn every_violation_of_a_small_body_is_reported() {
    let stage = Stage::new().await;
    let paths = ["/policy-changes/CHG-1/undo", "/policy-changes/CHG-1/cancel", "/freeze"];
    for (path, method) in paths.iter().zip(["POST", "POST", "PUT"]) {
        for body in [json!([]), json!(["why", "X", true]), json!(5)] {
            let (status, _, refused) = stage.http(method, path, &body).await;
            assert_eq!((status, &refused["type"]), (422, &problem("rejected")), "{path} {body}");
            let found = &refused["violations"];
            assert_eq!(
                (&found[0]["code"], &found[0]["pointer"]),
                (&json!("WrongType"), &json!("")),
                "{path} {body}"
            );
        }
        let body = json!({"reason": "x".repeat(1_025), "dryRun": true});
        let (status, _, refused) = stage.http(method, path, &body).await;
        assert_eq!(
            (status, &refused["detail"]),
            (422, &json!("2 violations; nothing was changed")),
            "{path}"
        );
        let codes = refused["violations"].as_array().unwrap().iter().map(|found| found["code"].as_str());
        assert_eq!(codes.collect::<Vec<_>>(), [Some("UnknownField"), Some("TooLong")], "{path}");
    }
    assert_eq!(stage.http("GET", "/freeze", &Value::Null).await.2, json!({"frozen": false}));
    let (status, _, refused) = stage.http("POST", "/policy-changes/CHG-1/apply", &json!({})).await;
    assert_eq!((status, &refused["violations"][0]["code"]), (422, &json!("MissingPlan")));
    let refusals = stage.world.audited().into_iter().filter(|line| line == "refusal").count();
    assert_eq!(refusals, 3 * 4 + 1);
}

#[tokio::test]
async fn a_small_body_is_read_like_every_other_one() {
    let stage = Stage::new().await;
    let sent = |body: Value, content_type: &str| {
        let mut sent = request("PUT", "/freeze", "", &body);
        sent["headers"]["content-type"] = json!(content_type);
        sent
    };
    for (body, content_type, status, kind) in [
        (json!("{"), "application/json", 400, "not-json"),
        (json!("{}"), "text/plain", 415, "unsupported-media-type"),
        (
            json!(format!("{{\"reason\": \"{}\"}}", "x".repeat(1_048_576))),
            "application/json",
            413,
            "too-large",
        ),
    ] {
        let answer = stage.world.invoke(&sent(body, content_type)).await.unwrap();
        let refused: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
        assert_eq!((&answer["statusCode"], &refused["type"]), (&json!(status), &problem(kind)));
    }
    // what is not there has no type
    let answer = stage.world.invoke(&sent(json!(" "), "text/plain")).await.unwrap();
    assert_eq!(answer["statusCode"], 200);
}

/// None of them changes what has an `ETag`.
#[tokio::test]
async fn if_match_goes_with_no_write_but_a_patch() {
    let stage = Stage::new().await;
    stage.http("POST", "/policy-changes", &chat(ONE, &json!({"changeId": "CHG-1"}))).await;
    stage.take_in(&chat(TWO, &json!({"changeId": "CHG-2"}))).await;
    let dry_run = chat(ONE, &json!({"changeId": "DRY", "maximumSize": "3 MB"}));
    let (_, _, report) = stage.http("POST", "/policy-changes?dryRun=true", &dry_run).await;
    let target = format!("/instances/{ONE}/attachment-policies/CHAT");
    for (method, path, body) in [
        ("POST", "/policy-changes", chat(ONE, &json!({}))),
        ("POST", "/policy-changes/CHG-1/undo", json!({})),
        ("POST", "/policy-changes/DRY/apply", json!({"plan": report["plan"]})),
        ("POST", "/policy-changes/CHG-2/cancel", json!({})),
        ("POST", &format!("{target}/restore"), json!({})),
        ("DELETE", &format!("{target}/declaration"), json!({})),
        ("PUT", "/freeze", json!({})),
        ("DELETE", "/freeze", json!({})),
    ] {
        let mut sent = request(method, path, "", &json!(body.to_string()));
        sent["headers"]["if-match"] = json!("*");
        let answer = stage.world.invoke(&sent).await.unwrap();
        let refused: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
        let expected = (&json!(412), &problem("precondition-failed"));
        assert_eq!((&answer["statusCode"], &refused["type"]), expected, "{method} {path}");
        assert_eq!(refused.get("report"), None, "{method} {path}");
    }
    assert_eq!(stage.record("CHG-1").await.get("undoneBy"), None);
    assert_eq!(stage.record("DRY").await.get("appliedBy"), None);
    assert_eq!(stage.record("CHG-2").await["status"], "accepted");
    assert_eq!(stage.http("GET", "/freeze", &Value::Null).await.2, json!({"frozen": false}));
    assert_eq!(stage.world.updates(), 1);
}

#[tokio::test]
async fn a_token_is_taken_by_the_list_that_gave_it_only() {
    let stage = Stage::new().await;
    let history = format!("/instances/{ONE}/attachment-policies/CHAT/history");
    for n in 0..51 {
        let change =
            chat(ONE, &json!({"changeId": format!("CHG-{n}"), "maximumSize": format!("{} KB", 2_000 + n)}));
        assert_eq!(stage.http("POST", "/policy-changes", &change).await.0, 200);
    }
    let many: Vec<String> = (10..40).map(|n| format!("000000{n}-0000-4000-8000-000000000001")).collect();
    let long =
        json!({"instanceIds": many, "attachmentScope": "*", "maximumSize": "10 MB", "changeId": "LONG"});
    stage.take_in(&long).await;
    let lists = [
        ("/policy-changes?", "policyChanges", 50),
        (&format!("/policy-changes?instanceId={ONE}&"), "policyChanges", 50),
        (&format!("{history}?"), "history", 50),
        ("/policy-changes/LONG?outcome=pending&", "results", 100),
    ];
    let mut tokens = Vec::new();
    for (path, member, length) in lists {
        let (status, _, page) = stage.http("GET", path.trim_end_matches(['?', '&']), &Value::Null).await;
        assert_eq!((status, page[member].as_array().unwrap().len()), (200, length), "{path}");
        tokens.push(page["nextToken"].as_str().unwrap().to_owned());
    }
    // a history's place and that of an instance's list are of the same kind
    let kinds = [0, 1, 1, 2];
    for ((path, member, _), kind) in lists.iter().zip(kinds) {
        for (token, other) in tokens.iter().zip(kinds) {
            let (status, _, body) =
                stage.http("GET", &format!("{path}nextToken={token}"), &Value::Null).await;
            if kind == other {
                assert_eq!(status, 200, "{path} {token}");
                assert!(!body[*member].as_array().unwrap().is_empty());
            } else {
                assert_eq!((status, &body["type"]), (400, &problem("invalid-token")), "{path} {token}");
            }
        }
        for token in ["", "x", "MQ", "eyJwayI6IngifQ", &"A".repeat(401)] {
            let (status, _, body) =
                stage.http("GET", &format!("{path}nextToken={token}"), &Value::Null).await;
            assert_eq!((status, &body["type"]), (400, &problem("invalid-token")), "{path} {token}");
        }
    }
    assert_eq!(stage.queues.messages(CHANGES).len(), 1, "nothing is executed by reading");
    assert_eq!(stage.world.updates(), 51);
}

#[tokio::test]
async fn a_list_up_to_any_year_is_the_whole_list() {
    let stage = Stage::new().await;
    stage.http("POST", "/policy-changes", &chat(ONE, &json!({"changeId": "CHG-1"}))).await;
    for (query, length) in [
        ("to=9999-12-31T23:59:59Z", 1),
        ("from=0000-01-01T00:00:00Z", 1),
        ("from=9999-12-31T23:59:59Z", 0),
        ("to=1969-01-01T00:00:00Z", 0),
        ("from=2020-01-01T00:00:00Z&to=2019-01-01T00:00:00Z", 0),
    ] {
        let (status, _, page) = stage.http("GET", &format!("/policy-changes?{query}"), &Value::Null).await;
        assert_eq!((status, page["policyChanges"].as_array().unwrap().len()), (200, length), "{query}");
    }
}

#[tokio::test]
async fn the_list_of_an_instance_has_no_dry_runs() {
    let stage = Stage::new().await;
    for id in ["CHG-1", "DRY"] {
        let change = chat(ONE, &json!({"changeId": id, "dryRun": id == "DRY"}));
        assert_eq!(stage.http("POST", "/policy-changes", &change).await.0, 200);
    }
    for (query, length) in [(String::new(), 2), (format!("?instanceId={ONE}"), 1)] {
        let (status, _, page) = stage.http("GET", &format!("/policy-changes{query}"), &Value::Null).await;
        assert_eq!((status, page["policyChanges"].as_array().unwrap().len()), (200, length), "{query}");
    }
}

#[tokio::test]
async fn a_dry_run_that_planned_nothing_cannot_be_applied() {
    let stage = Stage::new().await;
    stage.http("POST", "/policy-changes", &chat(ONE, &json!({}))).await;
    let (_, _, report) =
        stage.http("POST", "/policy-changes?dryRun=true", &chat(ONE, &json!({"changeId": "DRY"}))).await;
    assert_eq!(report["summary"], json!({"unchanged": 1}));
    let answer = stage.http("POST", "/policy-changes/DRY/apply", &json!({"plan": report["plan"]})).await;
    assert_eq!((answer.0, &answer.2["type"]), (409, &problem("nothing-to-undo")));
    let answer = stage.http("POST", "/policy-changes/DRY/undo", &Value::Null).await;
    assert_eq!((answer.0, &answer.2["type"]), (409, &problem("nothing-to-undo")));
}

#[tokio::test]
async fn an_undo_has_an_id_that_no_other_change_has() {
    let stage = Stage::new().await;
    for id in ["CHG-1", "CHG-2"] {
        let change = chat(ONE, &json!({"changeId": id, "maximumSize": "9 MB", "force": true}));
        assert_eq!(stage.http("POST", "/policy-changes", &change).await.0, 200);
    }
    for query in ["", "?dryRun=true"] {
        for id in ["CHG-1", "CHG-2"] {
            let path = format!("/policy-changes/CHG-2/undo{query}");
            let (status, _, refused) = stage.http("POST", &path, &json!({"changeId": id})).await;
            assert_eq!((status, &refused["type"]), (409, &problem("change-id-reused")), "{query} {id}");
        }
    }
    assert_eq!(stage.queues.messages(CHANGES).len(), 0);
    assert_eq!(stage.record("CHG-2").await["undoneBy"], Value::Null);
}

#[tokio::test]
async fn each_action_is_in_the_audit_with_who_asked_why_and_for_which_change() {
    let stage = Stage::new().await;
    stage.http("POST", "/policy-changes", &chat(ONE, &json!({"changeId": "CHG-1"}))).await;
    stage.http("POST", "/policy-changes/CHG-1/undo", &json!({"changeId": "UNDO", "reason": "r1"})).await;
    stage.http("POST", "/policy-changes/UNDO/cancel", &json!({"reason": "r2"})).await;
    let dry_run = chat(ONE, &json!({"changeId": "DRY", "maximumSize": "3 MB"}));
    let (_, _, report) = stage.http("POST", "/policy-changes?dryRun=true", &dry_run).await;
    let plan = json!({"plan": report["plan"], "reason": "r3"});
    let (_, _, applied) = stage.http("POST", "/policy-changes/DRY/apply", &plan).await;
    for body in [json!({"reason": "r4"}), json!({"drain": true})] {
        stage.http("PUT", "/freeze", &body).await;
    }
    // the second one finds nothing to end, and is no action
    for _ in 0..2 {
        stage.http("DELETE", "/freeze", &Value::Null).await;
    }
    let actions: Vec<Value> = stage
        .world
        .audit()
        .into_iter()
        .filter(|event| event["api"]["service"]["name"] == "connect-attachment-policy")
        .inspect(|event| {
            assert_eq!(event["actor"]["user"]["uid"], "arn:aws:iam::111122223333:user/ada");
            assert_eq!((&event["status"], &event["resources"]), (&json!("Success"), &Value::Null));
        })
        .map(|event| {
            let code = &event["metadata"]["event_code"];
            let (id, operation) = (&event["metadata"]["correlation_uid"], &event["api"]["operation"]);
            json!([code, operation, id, event["unmapped"]["of"], event["unmapped"]["reason"]])
        })
        .collect();
    let request = "JKJaXmPLvHcESHA";
    assert_eq!(
        actions,
        [
            json!(["undo", "UndoPolicyChange", "UNDO", "CHG-1", "r1"]),
            json!(["cancel", "CancelPolicyChange", "UNDO", null, "r2"]),
            json!(["apply", "ApplyPolicyChange", applied["changeId"], "DRY", "r3"]),
            json!(["freeze", "FreezePolicyChanges", request, null, "r4"]),
            json!(["drain", "DrainPolicyChanges", request, null, null]),
            json!(["thaw", "ThawPolicyChanges", request, null, null]),
        ]
    );
}
