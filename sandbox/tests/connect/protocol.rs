//! What a client sees: routes, documents, errors, signatures.

use std::collections::HashSet;

use sandbox::connect::{Connect, Instance, Operation, Options, Scope};
use serde_json::json;

use crate::client::{KEY_ID_OF_444455556666, Request, every_operation, path, update};

async fn connect() -> Connect {
    Connect::start(Options::default()).await.unwrap()
}

#[tokio::test]
async fn every_operation_answers_json_with_a_request_id_that_is_in_the_journal() {
    let connect = connect().await;
    for (operation, request) in every_operation() {
        let answer = request.send(&connect).await;
        assert_eq!(answer.status, Some(200), "{operation}");
        assert_eq!(answer.header("content-type"), "application/json");
        let entry = connect.journal().pop().unwrap();
        assert_eq!(entry.operation, Some(operation));
        assert_eq!((entry.status, entry.error), (Some(200), None));
        assert_eq!(entry.request_id, answer.header("x-amzn-requestid"));
        assert_eq!((entry.account.as_str(), entry.region.as_str()), ("111122223333", "us-east-1"));
    }
}

#[tokio::test]
async fn an_update_is_answered_stored_and_in_the_journal() {
    let connect = connect().await;
    let arn = Instance::numbered(2).arn().replace(':', "%3A").replace('/', "%2F");
    let body = json!({
        "MaximumSizeLimitInBytes": 1_048_576,
        "ExtensionConfiguration": {"AllowedExtensions": [{"Extension": "pdf"}]},
        "SomethingNew": true,
    });
    let request = Request::new("POST", format!("/attached-files-configurations/{arn}/EMAIL"))
        .header("amz-sdk-request", "attempt=2; max=3")
        .body(&body);
    let answer = request.send(&connect).await;
    assert_eq!(answer.status, Some(200));
    let held = connect.configuration(&Instance::numbered(2).id, Scope::Email).unwrap();
    let written = held.last_modified.unwrap();
    assert_eq!(
        answer.json(),
        json!({
            "InstanceId": Instance::numbered(2).id,
            "AttachmentScope": "EMAIL",
            "MaximumSizeLimitInBytes": 1_048_576,
            "ExtensionConfiguration": {"AllowedExtensions": [{"Extension": "pdf"}]},
            "LastModifiedTime": answer.json()["LastModifiedTime"],
        })
    );
    let milliseconds = answer.json()["LastModifiedTime"].as_f64().unwrap() * 1000.0;
    assert_eq!(format!("{milliseconds:.0}"), (written.unix_timestamp_nanos() / 1_000_000).to_string());
    assert_eq!((held.maximum_size_limit_in_bytes, held.extensions), (1_048_576, vec!["pdf".to_owned()]));
    let entry = connect.journal().pop().unwrap();
    assert_eq!(entry.instance_id, Some(Instance::numbered(2).id));
    assert_eq!((entry.scope, entry.attempt, entry.body), (Some(Scope::Email), Some(2), Some(body)));
    assert!(entry.effect && entry.changed);
}

#[tokio::test]
async fn an_error_has_its_name_in_a_header_and_its_text_in_message() {
    let connect = connect().await;
    let answer = update(1, 0).send(&connect).await;
    assert_eq!(answer.error(), (400, "InvalidParameterException"));
    assert_eq!(
        answer.json(),
        json!({"Message": "MaximumSizeLimitInBytes must be an integer from 1 to 104857600, not `0`"})
    );
    assert_eq!(answer.header("content-type"), "application/json");
    let entry = connect.journal().pop().unwrap();
    assert_eq!(entry.error.as_deref(), Some("InvalidParameterException"));
    assert_eq!((entry.status, entry.effect), (Some(400), false));
    assert_eq!(entry.body, Some(json!({"MaximumSizeLimitInBytes": 0})));
    assert_eq!(update(99, 5).send(&connect).await.error(), (404, "ResourceNotFoundException"));
}

#[tokio::test]
async fn an_unknown_path_or_method_is_an_unknown_operation() {
    let connect = connect().await;
    for (method, target) in [("GET", "/"), ("PUT", "/instance"), ("DELETE", &path(1)), ("POST", &path(1))] {
        let answer = Request::new(method, target).send(&connect).await;
        assert_eq!(answer.error(), (404, "UnknownOperationException"), "{method} {target}");
    }
    assert!(connect.journal().iter().all(|entry| entry.operation.is_none()));
}

#[tokio::test]
async fn an_arn_that_is_not_encoded_is_an_unknown_operation() {
    let connect = connect().await;
    let target = format!("/attached-files-configurations/{}/CHAT", Instance::numbered(1).arn());
    assert_eq!(Request::new("GET", target).send(&connect).await.error(), (404, "UnknownOperationException"));
}

#[tokio::test]
async fn a_request_that_is_not_signed_is_refused_before_anything_else() {
    let connect = connect().await;
    let unsigned = update(99, 0).header("authorization", "").send(&connect).await;
    assert_eq!(unsigned.error(), (403, "MissingAuthenticationTokenException"));
    let malformed =
        update(1, 5).header("authorization", "AWS4-HMAC-SHA256 Credential=x").send(&connect).await;
    assert_eq!(malformed.error(), (403, "IncompleteSignatureException"));
    assert_eq!(connect.journal().iter().map(|entry| entry.account.as_str()).collect::<Vec<_>>(), ["", ""]);
    assert!(connect.journal().iter().all(|entry| !entry.effect));
}

#[tokio::test]
async fn the_signature_decides_which_instances_there_are() {
    let instances = vec![
        Instance::numbered(1),
        Instance { account: "444455556666".to_owned(), ..Instance::numbered(2) },
        Instance { region: "eu-west-2".to_owned(), ..Instance::numbered(3) },
    ];
    let connect = Connect::start(Options { instances, ..Options::default() }).await.unwrap();
    let listed = async |key_id: &str, region: &str| {
        let answer = Request::new("GET", "/instance").signed_by(key_id, region).send(&connect).await;
        let list = answer.json()["InstanceSummaryList"].as_array().unwrap().clone();
        list.iter().map(|instance| instance["InstanceAlias"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(listed("test", "us-east-1").await, ["sandbox-1"]);
    assert_eq!(listed(KEY_ID_OF_444455556666, "us-east-1").await, ["sandbox-2"]);
    assert_eq!(listed(&sandbox::lambda::access_key_id(444_455_556_666), "us-east-1").await, ["sandbox-2"]);
    assert_eq!(listed("test", "eu-west-2").await, ["sandbox-3"]);
    assert_eq!(listed("test", "us-west-2").await, Vec::<String>::new());
    assert_eq!(update(2, 5).send(&connect).await.error(), (404, "ResourceNotFoundException"));
    assert_eq!(
        update(2, 5).signed_by(KEY_ID_OF_444455556666, "us-east-1").send(&connect).await.status,
        Some(200)
    );
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused() {
    let connect = connect().await;
    let answer = update(1, 5).body(&" ".repeat(6 * 1024 * 1024 + 1)).send(&connect).await;
    assert_eq!(answer.error(), (413, "RequestEntityTooLargeException"));
}

#[tokio::test]
async fn no_two_answers_have_the_same_request_id() {
    let connect = connect().await;
    connect.always(Operation::ListInstances, Some(sandbox::connect::Fault::Throttle));
    let mut seen = HashSet::new();
    for _ in 0..20 {
        for (_, request) in every_operation() {
            assert!(seen.insert(request.send(&connect).await.header("x-amzn-requestid").to_owned()));
        }
    }
    assert!(seen.iter().all(|id| id.len() == 36));
}
