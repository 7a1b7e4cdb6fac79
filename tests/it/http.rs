//! The HTTP API, by the contract's status table.

use crate::world::{NOWHERE, ONE, World, chat};
use base64::Engine;
use sandbox::connect::{Fault, Operation, Options};
use serde_json::{Value, json};

pub(crate) fn request(method: &str, path: &str, body: Option<&str>) -> Value {
    json!({
        "version": "2.0", "rawPath": path, "rawQueryString": "",
        "headers": {"content-type": "application/json"},
        "requestContext": {
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "203.0.113.17", "userAgent": "t"},
            "requestId": "JKJaXmPLvHcESHA=", "stage": "$default",
            "authorizer": {"iam": {"userArn": "arn:aws:iam::111122223333:user/ada", "accountId": "111122223333"}},
        },
        "body": body, "isBase64Encoded": false,
    })
}

pub(crate) async fn send(world: &World, request: &Value) -> (u16, Value, Value) {
    let answer = world.invoke(request).await.unwrap();
    let body = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
    let status = answer["statusCode"].as_u64().unwrap().try_into().unwrap();
    assert_eq!(answer["headers"]["cache-control"], "no-store");
    let kind = if status >= 400 { "application/problem+json" } else { "application/json" };
    assert_eq!(answer["headers"]["content-type"], kind);
    (status, body, answer["headers"].clone())
}

async fn post(world: &World, change: &Value) -> (u16, Value, Value) {
    send(world, &request("POST", "/policy-changes", Some(&change.to_string()))).await
}

pub(crate) fn slug(problem: &Value) -> &str {
    problem["type"].as_str().unwrap().rsplit(':').next().unwrap()
}

pub(crate) fn policies(instance: &str) -> String {
    format!("/instances/{instance}/attachment-policies")
}

#[tokio::test]
async fn a_change_is_answered_with_its_report_and_the_callers_identity_is_on_record() {
    let world = World::new().await;
    let (status, report, _) = post(&world, &chat(ONE, &json!({"requestedBy": "root"}))).await;
    assert_eq!(
        (status, &report["status"], &report["changeId"]),
        (200, &json!("succeeded"), &json!("JKJaXmPLvHcESHA"))
    );
    let audit = &world.audit()[0];
    assert_eq!(
        audit["actor"]["user"],
        json!({"uid": "arn:aws:iam::111122223333:user/ada", "account": {"uid": "111122223333"}})
    );
    assert_eq!(audit["actor"]["idp"]["name"], "api-gateway-iam");
    assert_eq!(audit["src_endpoint"]["ip"], "203.0.113.17");
    assert_eq!(audit["unmapped"]["triggerRequestId"], "JKJaXmPLvHcESHA=");
}

#[tokio::test]
async fn an_unreadable_request_is_400() {
    let world = World::new().await;
    let mut not_base64 = request("POST", "/policy-changes", Some("%%%"));
    not_base64["isBase64Encoded"] = json!(true);
    let mut not_utf8 =
        request("POST", "/policy-changes", Some(&base64::prelude::BASE64_STANDARD.encode([0xff, 0xfe])));
    not_utf8["isBase64Encoded"] = json!(true);
    let mut query = request("POST", "/policy-changes", Some("{}"));
    query["queryStringParameters"] = json!({"dryrun": "true"});
    let mut half = request("POST", "/policy-changes", Some("{}"));
    half["queryStringParameters"] = json!({"dryRun": "1"});
    for (request, expected) in [
        (request("POST", "/policy-changes", Some("{")), "not-json"),
        (request("POST", "/policy-changes", None), "invalid-body"),
        (request("POST", "/policy-changes", Some(" ")), "invalid-body"),
        (not_base64, "invalid-body"),
        (not_utf8, "invalid-body"),
        (query, "invalid-query"),
        (half, "invalid-query"),
    ] {
        let (status, problem, _) = send(&world, &request).await;
        assert_eq!((status, slug(&problem)), (400, expected), "{request}");
        assert_eq!(problem["status"], 400);
    }
    assert_eq!(world.audited(), ["refusal"; 7]);
    assert_eq!(world.connect.journal().len(), 0);
}

#[tokio::test]
async fn a_base64_body_is_decoded() {
    let world = World::new().await;
    let body = base64::prelude::BASE64_STANDARD.encode(chat(ONE, &json!({})).to_string());
    let mut encoded = request("POST", "/policy-changes", Some(&body));
    encoded["isBase64Encoded"] = json!(true);
    assert_eq!(send(&world, &encoded).await.0, 200);
}

#[tokio::test]
async fn violations_are_422_with_all_of_them() {
    let world = World::new().await;
    let (status, problem, _) = post(&world, &json!({"changeId": "CHG-1", "instanceId": ONE})).await;
    assert_eq!((status, slug(&problem), &problem["changeId"]), (422, "rejected", &json!("CHG-1")));
    let codes: Vec<_> = problem["violations"].as_array().unwrap().iter().map(|v| v["code"].clone()).collect();
    assert_eq!(codes, ["MissingScope", "MissingValues"]);
    assert_eq!(problem["detail"], "2 violations; nothing was changed");
}

#[tokio::test]
async fn paths_methods_and_types_have_their_status() {
    let world = World::new().await;
    let body = Some("{\"maximumSize\":\"5 MB\"}");
    for (request, status, expected, allow) in [
        (request("GET", "/", None), 404, "not-found", None),
        (request("POST", "/policy-change", body), 404, "not-found", None),
        (request("GET", &policies("here"), None), 404, "not-found", None),
        (request("GET", &policies("*"), None), 404, "not-found", None),
        (request("PATCH", &format!("{}/FAX", policies(ONE)), body), 404, "not-found", None),
        (request("GET", "/policy-changes", None), 405, "method-not-allowed", Some("POST")),
        (
            request("DELETE", &format!("{}/CHAT", policies(ONE)), None),
            405,
            "method-not-allowed",
            Some("GET, PATCH"),
        ),
        (request("PATCH", &policies(ONE), body), 405, "method-not-allowed", Some("GET")),
    ] {
        let (got, problem, headers) = send(&world, &request).await;
        assert_eq!((got, slug(&problem)), (status, expected), "{request}");
        assert_eq!(headers.get("allow").and_then(Value::as_str), allow, "{request}");
    }
    let mut form = request("POST", "/policy-changes", Some("a=b"));
    form["headers"] = json!({"Content-Type": "application/x-www-form-urlencoded"});
    let (status, problem, _) = send(&world, &form).await;
    assert_eq!((status, slug(&problem)), (415, "unsupported-media-type"));
    let large = format!("{{\"reason\":\"{}\"}}", "x".repeat(1_048_576));
    let (status, problem, _) = send(&world, &request("POST", "/policy-changes", Some(&large))).await;
    assert_eq!((status, slug(&problem)), (413, "too-large"));
}

#[tokio::test]
async fn the_path_of_a_patch_takes_ids_and_arns_in_every_spelling_and_any_stage() {
    let world = World::new().await;
    let arn = format!("arn:aws:connect:us-east-1:111122223333:instance/{ONE}");
    let encoded = arn.replace(':', "%3A").replace('/', "%2F");
    let id_encoded = ONE.replacen('0', "%30", 1);
    for (n, instance) in [ONE.to_owned(), ONE.to_uppercase(), arn, encoded, id_encoded].iter().enumerate() {
        for stage in ["", "/prod", "/instances"] {
            let body = format!("{{\"maximumSize\":\"{} MB\"}}", 5 + n);
            let path = format!("{stage}{}/%43hat", policies(instance));
            let mut change = request("PATCH", &path, Some(&body));
            change["requestContext"]["stage"] = json!(stage.trim_start_matches('/'));
            let (status, report, _) = send(&world, &change).await;
            assert_eq!((status, &report["results"][0]["instanceId"]), (200, &json!(ONE)), "{path}");
        }
    }
    let both = request("PATCH", &format!("{}/CHAT", policies(ONE)), Some(&chat(ONE, &json!({})).to_string()));
    let (status, problem, _) = send(&world, &both).await;
    let pointers: Vec<_> = problem["violations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|v| (v["pointer"].clone(), v["code"].clone()))
        .collect();
    assert_eq!(status, 422);
    assert_eq!(
        pointers,
        [
            (json!("/attachmentScope"), json!("UnexpectedField")),
            (json!("/instanceId"), json!("UnexpectedField"))
        ]
    );
}

#[tokio::test]
async fn a_dry_run_by_query_changes_nothing() {
    let world = World::new().await;
    let mut post = request("POST", "/policy-changes", Some(&chat(ONE, &json!({})).to_string()));
    post["queryStringParameters"] = json!({"dryRun": "true"});
    let (status, report, _) = send(&world, &post).await;
    assert_eq!((status, &report["status"], world.updates()), (200, &json!("planned"), 0));
}

#[tokio::test]
async fn failures_have_the_status_of_their_cause() {
    let update = Operation::UpdateAttachedFilesConfiguration;
    let once = [("CONNECT_MAX_ATTEMPTS", "1")];
    for (fault, status, expected, retry) in [
        (Fault::Throttle, 429, "throttled", true),
        (Fault::InternalError, 502, "upstream-failed", true),
        (Fault::AccessDenied, 502, "upstream-failed", false),
        (Fault::NotFound, 404, "instance-not-found", false),
        (Fault::OtherValues, 502, "upstream-failed", false),
    ] {
        let world = World::with(Options::default(), &once).await;
        world.connect.always(update, Some(fault));
        let (got, problem, headers) = post(&world, &chat(ONE, &json!({}))).await;
        assert_eq!((got, slug(&problem)), (status, expected), "{fault:?}");
        assert_eq!(headers.get("retry-after").is_some(), retry, "{fault:?}");
        assert_eq!(problem["report"]["results"][0]["outcome"], "failed", "{fault:?}");
    }
}

#[tokio::test]
async fn outcomes_have_the_status_of_the_table() {
    let blocked = World::with(Options::default(), &[("POLICY_BLOCKED_EXTENSIONS", "exe")]).await;
    let (status, problem, _) = post(&blocked, &chat(ONE, &json!({"allowedExtensions": ["exe"]}))).await;
    assert_eq!((status, slug(&problem)), (403, "blocked"));

    let world = World::new().await;
    let (status, problem, _) = post(&world, &chat(NOWHERE, &json!({}))).await;
    assert_eq!((status, slug(&problem)), (404, "instance-not-found"));
    let mixed = json!({"instanceIds": [ONE, NOWHERE], "attachmentScope": "CHAT", "maximumSize": "10 MB"});
    let (status, report, _) = post(&world, &mixed).await;
    assert_eq!((status, &report["status"]), (207, &json!("partial")));
    let (status, problem, _) = post(
        &world,
        &chat(ONE, &json!({"maximumSize": "9 MB", "ifUnmodifiedSince": "2020-01-01T00:00:00Z"})),
    )
    .await;
    assert_eq!((status, slug(&problem)), (412, "precondition-failed"));
}

#[tokio::test]
async fn retry_after_is_the_time_that_the_quota_needs_for_the_rest() {
    let slow = [("CONNECT_REQUESTS_PER_SECOND", "2"), ("CONNECT_MAX_ATTEMPTS", "1"), ("CONNECT_BURST", "50")];
    let world = World::with(Options::default(), &slow).await;
    world.connect.always(Operation::UpdateAttachedFilesConfiguration, Some(Fault::Throttle));
    let change = json!({"instanceId": ONE, "attachmentScope": "*", "maximumSize": "10 MB"});
    let (status, _, headers) = post(&world, &change).await;
    assert_eq!((status, headers["retry-after"].as_str()), (429, Some("2")));
}

#[tokio::test]
async fn an_instance_outside_the_allow_list_is_not_even_read() {
    let world = World::with(Options::default(), &[("POLICY_ALLOWED_INSTANCES", ONE)]).await;
    let (status, problem, _) = send(&world, &request("GET", &policies(NOWHERE), None)).await;
    assert_eq!((status, slug(&problem), world.connect.journal().len()), (403, "blocked", 0));
    assert_eq!(world.audited(), ["refusal"]);
}

#[tokio::test]
async fn the_tag_of_all_scopes_depends_on_which_scope_holds_which_values() {
    let world = World::new().await;
    let tag =
        async |world: &World| send(world, &request("GET", &policies(ONE), None)).await.2["etag"].clone();
    let set = async |email: &str, chat: &str| {
        for (scope, size) in [("EMAIL", email), ("CHAT", chat)] {
            let body = format!("{{\"maximumSize\":\"{size} MB\"}}");
            let patch = request("PATCH", &format!("{}/{scope}", policies(ONE)), Some(&body));
            assert_eq!(send(&world, &patch).await.0, 200);
        }
    };
    set("5", "6").await;
    let one = tag(&world).await;
    set("6", "5").await;
    let swapped = tag(&world).await;
    set("5", "6").await;
    assert_ne!(one, swapped);
    assert_eq!(one, tag(&world).await);
}

#[tokio::test]
async fn an_instance_of_an_account_without_a_role_does_not_exist_here() {
    let world = World::new().await;
    let path = policies(&format!("arn:aws:connect:us-east-1:444455556666:instance/{ONE}"));
    for request in [
        request("GET", &path, None),
        request("PATCH", &format!("{path}/CHAT"), Some("{\"maximumSize\":\"5 MB\"}")),
    ] {
        let (status, problem, _) = send(&world, &request).await;
        assert_eq!(
            (status, slug(&problem), &problem["changeId"]),
            (404, "instance-not-found", &json!("JKJaXmPLvHcESHA"))
        );
    }
    assert_eq!((world.connect.journal().len(), world.audited()), (0, vec!["refusal".to_owned(); 2]));
}

#[tokio::test]
async fn no_answer_is_504_and_no_time_is_503() {
    let world = World::with(Options::default(), &[("CONNECT_MAX_ATTEMPTS", "1")]).await;
    let read = request("GET", &format!("{}/CHAT", policies(ONE)), None);
    let slow = Fault::Slow(std::time::Duration::from_secs(20));
    world.connect.always(Operation::DescribeAttachedFilesConfiguration, Some(slow));
    for (left, status, expected) in [(100, 503, "unavailable"), (900, 504, "upstream-timeout")] {
        let left = std::time::Duration::from_millis(left);
        for request in [&read, &request("POST", "/policy-changes", Some(&chat(ONE, &json!({})).to_string()))]
        {
            let answer = world.invoke_within(request, left).await.unwrap();
            let problem: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
            assert_eq!((&answer["statusCode"], slug(&problem)), (&json!(status), expected), "{request}");
            assert_eq!(answer["headers"]["retry-after"], "1");
        }
    }
}
