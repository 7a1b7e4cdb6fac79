//! Never in any log: headers, session tokens, cookies, whole payloads. Every place of every trigger
//! that the function has no business recording holds a canary, and all output is searched.

use crate::world::{ONE, launch};
use sandbox::connect::{Connect, Options};
use sandbox::lambda::{Answer, Function};
use serde_json::{Value, json};

/// A text that no log may have. The place is part of it, so that a finding names its place.
const CANARY: &str = "canary-";
/// What the audit, and nothing else, may hold.
const RECORDED: &str = "recorded-";

/// A change that is carried out, with everything a change may say.
fn accepted() -> Value {
    json!({"instanceId": ONE, "attachmentScope": "CHAT", "maximumSize": "10 MB", "force": true,
        "changeId": "CHG-7", "reason": "recorded-reason", "requestedBy": "recorded-requester"})
}

/// Documents that are refused. Their values in wrong places are not repeated.
fn refused() -> Vec<Value> {
    let with = |more: Value| {
        let mut change = accepted();
        for (key, value) in more.as_object().unwrap() {
            change[key] = value.clone();
        }
        change
    };
    vec![
        with(json!({"password": "canary-unknown-field", "recorded-key": {"token": ["canary-nested-field"]}})),
        with(json!({"instanceId": "canary-instance"})),
        with(json!({"instanceId": "arn:aws:connect:us-east-1:999999999999:instance/canary-arn"})),
        with(json!({"attachmentScope": ["canary-scope"]})),
        with(json!({"allowedExtensions": ["canary-extension", "canary*"]})),
        with(json!({"ifUnmodifiedSince": "canary-timestamp"})),
        with(json!({"changeId": "canary change id"})),
        with(json!({"changeId": {"canary-type": "canary-type"}})),
        with(json!({"reason": ["canary-reason-type"]})),
        with(json!({"reason": "canary-reason-length ".repeat(100)})),
        with(json!({"dryRun": "canary-boolean"})),
        with(json!({"instanceTags": {"recorded-tag": "canary-tag-value"}})),
        // a size is repeated, at most 64 characters of it
        with(json!({"maximumSize": "recorded-size"})),
        json!({"changes": [with(json!({"secret": "canary-in-a-batch"})), "canary-no-object"]}),
        json!(["canary-array"]),
        json!("canary-string"),
    ]
}

/// Documents that are no JSON, or none that an envelope could hold.
const BROKEN: [&str; 3] = [
    r#"{"instanceId": "canary-cut-off"#,
    r#"{"instanceId": canary-unquoted}"#,
    r#"{"reason": "\ud800 canary-surrogate"}"#,
];

/// An HTTP API's request: canaries in all it holds but identity, address, request id and body.
fn version_2(body: &Value, authorizer: &Value) -> Value {
    json!({
        "version": "2.0", "routeKey": "POST /policy-changes", "rawPath": "/policy-changes",
        "rawQueryString": "canary-query", "cookies": ["session=canary-cookie"],
        "headers": {"authorization": "Bearer canary-authorization", "cookie": "canary-cookie-header",
            "x-amz-security-token": "canary-token", "x-api-key": "canary-api-key", "if-match": "\"canary-if-match\"",
            "content-type": "application/json; canary-content-type", "user-agent": "canary-user-agent",
            "x-forwarded-for": "canary-forwarded", "x-amzn-trace-id": "canary-trace", "x-mine": "canary-header"},
        "pathParameters": {"id": "canary-path-parameter"}, "stageVariables": {"stage": "canary-stage-variable"},
        "requestContext": {
            "accountId": "111122223333", "apiId": "canary-api", "authorizer": authorizer,
            "authentication": {"clientCert": {"clientCertPem": "canary-certificate", "subjectDN": "canary-subject",
                "issuerDN": "canary-issuer", "serialNumber": "canary-serial",
                "validity": {"notBefore": "May 28 12:30:02 2019 GMT", "notAfter": "Aug  5 09:36:04 2021 GMT"}}},
            "domainName": "canary-domain", "domainPrefix": "canary-prefix",
            "http": {"method": "POST", "path": "/canary-path", "protocol": "HTTP/1.1", "sourceIp": "203.0.113.17",
                "userAgent": "canary-context-agent"},
            "requestId": "recorded-request", "routeKey": "canary-route", "stage": "$default",
            "time": "canary-time", "timeEpoch": 1_795_424_400_000_u64},
        "isBase64Encoded": false, "body": body, "x-unknown": {"deep": "canary-envelope"},
    })
}

/// A REST API's request, likewise.
fn version_1(body: &Value) -> Value {
    json!({
        "resource": "/{canary-resource}", "path": "/policy-changes", "httpMethod": "POST",
        "headers": {"Authorization": "Bearer canary-rest-authorization", "Cookie": "canary-rest-cookie"},
        "multiValueHeaders": {"Authorization": ["canary-multi-authorization"], "Cookie": ["canary-multi-cookie"],
            "X-Amz-Security-Token": ["canary-multi-token"], "Content-Type": ["application/json"]},
        "queryStringParameters": null, "multiValueQueryStringParameters": null,
        "pathParameters": {"id": "canary-rest-parameter"}, "stageVariables": {"key": "canary-rest-variable"},
        "requestContext": {"resourceId": "canary-resource-id", "resourcePath": "canary-resource-path",
            "httpMethod": "POST", "extendedRequestId": "canary-extended", "requestTime": "canary-request-time",
            "path": "/prod/policy-changes", "accountId": "111122223333", "protocol": "HTTP/1.1", "stage": "prod",
            "domainPrefix": "canary-rest-prefix", "requestTimeEpoch": 1_795_424_400_000_u64,
            "requestId": "recorded-rest-request",
            "authorizer": {"principalId": "recorded-principal", "token": "canary-authorizer-context"},
            "identity": {"accessKey": "canary-access-key", "apiKey": "canary-identity-api-key",
                "apiKeyId": "canary-api-key-id", "caller": "canary-caller", "sourceIp": "203.0.113.17",
                "cognitoAuthenticationProvider": "canary-provider", "cognitoAuthenticationType": "canary-type",
                "cognitoIdentityId": "canary-identity", "cognitoIdentityPoolId": "canary-pool",
                "userAgent": "canary-rest-agent", "user": "canary-user"},
            "domainName": "canary-rest-domain", "apiId": "canary-rest-api"},
        "body": body, "isBase64Encoded": false,
    })
}

fn event(detail: &Value) -> Value {
    json!({"version": "0", "id": "event-1", "detail-type": "canary-detail-type", "source": "recorded-source",
        "account": "111122223333", "time": "2026-11-23T09:00:00Z", "region": "canary-region",
        "resources": ["canary-event-resource"], "detail": detail, "x-unknown": "canary-event-field"})
}

fn batch(body: &str) -> Value {
    json!({"Records": [{"messageId": "message-1", "receiptHandle": "canary-receipt", "body": body,
        "attributes": {"ApproximateReceiveCount": "1", "SenderId": "recorded-sender", "MessageGroupId": "canary-group",
            "MessageDeduplicationId": "canary-deduplication", "AWSTraceHeader": "canary-message-trace"},
        "messageAttributes": {"token": {"stringValue": "canary-attribute", "stringListValues": [],
            "binaryListValues": [], "dataType": "String"}},
        "md5OfBody": "canary-md5", "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:111122223333:changes.fifo", "awsRegion": "us-east-1",
        "x-unknown": "canary-record-field"}]})
}

/// Envelopes that are recognised and then broken, and payloads of no trigger.
fn malformed() -> Vec<Value> {
    let iam = authorizers()[0].clone();
    let http = version_2(&json!("{}"), &iam);
    let rest = version_1(&json!("{}"));
    let spoilt = |whole: &Value, pointer: &str, value: Value| {
        let mut spoilt = whole.clone();
        *spoilt.pointer_mut(pointer).unwrap() = value;
        spoilt
    };
    let record = batch("{}");
    vec![
        spoilt(&http, "/headers", json!("Bearer canary-headers-string")),
        spoilt(&http, "/headers/authorization", json!(["canary-header-array"])),
        spoilt(&http, "/headers", json!({"canary header name": "canary-header-value"})),
        spoilt(&http, "/headers/x-mine", json!("canary-control\u{7f}\ncharacter")),
        spoilt(&http, "/requestContext", json!("canary-context-string")),
        spoilt(&http, "/requestContext/authorizer", json!("canary-authorizer-string")),
        spoilt(&http, "/requestContext/http/method", json!("canary method")),
        spoilt(&http, "/requestContext/timeEpoch", json!("canary-epoch")),
        spoilt(&http, "/isBase64Encoded", json!("canary-base64-flag")),
        spoilt(&http, "/isBase64Encoded", json!(true)),
        spoilt(&http, "/body", json!({"token": "canary-body-object"})),
        spoilt(&http, "/rawPath", json!("/canary-unknown-path")),
        spoilt(&http, "/cookies", json!("canary-cookies-string")),
        spoilt(&rest, "/multiValueHeaders", json!("canary-multi-string")),
        spoilt(&rest, "/multiValueHeaders/Cookie", json!("canary-not-multi")),
        spoilt(&rest, "/requestContext/identity", json!("canary-identity-string")),
        spoilt(&rest, "/path", json!(["canary-path-array"])),
        spoilt(&record, "/Records/0/attributes", json!("canary-attributes-string")),
        spoilt(&record, "/Records/0/messageAttributes", json!("canary-attributes-string")),
        spoilt(&record, "/Records/0/body", json!(["canary-body-array"])),
        spoilt(&record, "/Records/0/messageId", json!({"canary": "canary-message-id"})),
        spoilt(&record, "/Records/0/eventSource", json!("recorded-event-source")),
        spoilt(&record, "/Records", json!("canary-records-string")),
        spoilt(&event(&json!({})), "/detail", json!(["canary-detail-array"])),
        spoilt(&event(&json!({})), "/detail", json!("canary-detail-text")),
        spoilt(&event(&json!({})), "/source", json!(["canary-source-type"])),
        spoilt(&event(&json!({})), "/source", json!("aws.connect")),
        json!({"recorded-unrecognised": "canary-unrecognised", "Authorization": "canary-bare-header"}),
        json!(["canary-top-array"]),
        json!("canary-top-string"),
    ]
}

fn authorizers() -> [Value; 3] {
    [
        json!({"iam": {"accessKey": "canary-iam-key", "accountId": "111122223333", "callerId": "canary-iam-caller",
            "cognitoIdentity": null, "principalOrgId": "canary-organisation", "userArn": "recorded-arn",
            "userId": "canary-iam-user"}}),
        json!({"jwt": {"claims": {"sub": "recorded-subject", "email": "canary-claim", "token": "canary-jwt"},
            "scopes": ["canary-scope-claim"]}}),
        json!({"lambda": {"principalId": "recorded-lambda-principal", "token": "canary-lambda-token"}}),
    ]
}

fn payloads() -> Vec<String> {
    let mut payloads = Vec::new();
    let mut documents: Vec<String> = refused().iter().map(Value::to_string).collect();
    documents.push(accepted().to_string());
    documents.extend(BROKEN.map(str::to_owned));
    for document in &documents {
        let text = json!(document);
        payloads.push(document.clone());
        payloads.push(version_2(&text, &authorizers()[0]).to_string());
        payloads.push(version_1(&text).to_string());
        payloads.push(event(&text).to_string());
        payloads.push(batch(document).to_string());
        payloads.push(batch(&event(&text).to_string()).to_string());
        if let Ok(detail) = serde_json::from_str(document) {
            payloads.push(event(&detail).to_string());
        }
    }
    let body = json!(accepted().to_string());
    payloads.extend(authorizers().iter().map(|authorizer| version_2(&body, authorizer).to_string()));
    payloads.extend(malformed().iter().map(Value::to_string));
    payloads
}

#[tokio::test]
async fn no_log_of_any_level_has_a_secret() {
    let connect = Connect::start(Options::default()).await.unwrap();
    let mut found = Vec::new();
    for (level, format) in [("TRACE", "JSON"), ("TRACE", "Text"), ("INFO", "JSON")] {
        let launch = launch(&connect)
            .env("AWS_LAMBDA_LOG_LEVEL", level)
            .env("AWS_LAMBDA_LOG_FORMAT", format)
            .env("RUST_LOG", "trace")
            .env("AWS_SESSION_TOKEN", "canary-session-token")
            .env("AWS_SECRET_ACCESS_KEY", "canary-secret-key")
            .env("CONNECT_REQUESTS_PER_SECOND", "1000")
            .env("CONNECT_BURST", "1000")
            // no queue answers there: what cannot be parked or made visible again is warned about
            .env("AWS_ENDPOINT_URL_SQS", connect.url())
            .env("PARKED_QUEUE_URL", format!("{}/111122223333/parked", connect.url()));
        let function = Function::start(launch).await.unwrap();
        let mut audited = 0;
        for payload in payloads() {
            let invocation = function.invoke(payload.as_bytes()).await;
            let ended = matches!(invocation.outcome, Answer::Exited(_) | Answer::TimedOut);
            assert!(!ended, "{:?} of {payload}", invocation.outcome);
            let audit = |line: &&String| line.contains(r#""logger":"audit""#);
            audited += invocation.output.iter().filter(audit).count();
        }
        assert!(audited >= payloads().len(), "{audited} audit lines");
        let (output, errors) = (function.output(), function.errors());
        let lines = output.iter().map(String::as_str).chain(errors.lines());
        found.extend(lines.filter_map(leak).map(|leak| format!("{level} {format}: {leak}")));
    }
    assert_eq!(found, [""; 0]);
}

/// The canary that a line holds, or what only the audit may hold.
fn leak(line: &str) -> Option<&str> {
    let from = |word: &str| {
        let rest = &line[line.to_ascii_lowercase().find(word)?..];
        Some(rest.split_once(['"', '\\', ' ']).map_or(rest, |(canary, _)| canary))
    };
    let parsed: Option<Value> = serde_json::from_str(line).ok();
    let audit = parsed.is_some_and(|line| line["logger"] == "audit");
    from(CANARY).or_else(|| from(RECORDED).filter(|_| !audit))
}
