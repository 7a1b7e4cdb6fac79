use super::{STACK, URL, parsed, payload};
use policy_core::declare::{Malformed, NotAnswerable, RequestType};
use serde_json::{Value, json};

#[test]
fn a_request_is_read() {
    let text = payload("Create", &json!({}));
    let request = parsed(&text).unwrap();
    assert_eq!(request.kind, RequestType::Create);
    assert_eq!(request.stack_id, STACK);
    assert_eq!(request.logical_id, "Policy");
    assert_eq!(request.request_id, "7d1f7f2e-6a5b-4a63-8f4d-0b1c2d3e4f50");
    assert_eq!(request.response_url.secret(), URL);
    assert_eq!(request.properties.get(), r#"{"InstanceIds":["*"],"ServiceToken":"arn"}"#);
}

#[test]
fn the_physical_id_comes_of_both_names_and_never_changes() {
    let id = |kind, other: &Value| parsed(&payload(kind, other)).unwrap().physical_id().into_owned();
    let created = id("Create", &json!({}));
    assert_eq!(created, "attachment-policy-06b3ee9e366fc0ad5ba6aa1fd3acb288");
    assert_eq!(id("Update", &json!({"PhysicalResourceId": "another"})), created);
    assert_eq!(id("Update", &json!({"RequestId": "r", "ResourceProperties": {}})), created);
    assert_ne!(id("Create", &json!({"LogicalResourceId": "Other"})), created);
    assert_ne!(id("Create", &json!({"StackId": format!("{STACK}0")})), created);
    // the names are kept apart
    assert_ne!(
        id("Create", &json!({"StackId": "ab", "LogicalResourceId": "c"})),
        id("Create", &json!({"StackId": "a", "LogicalResourceId": "bc"}))
    );
}

#[test]
fn a_delete_echoes_the_id_that_it_came_with() {
    let id = |sent: &str| {
        let text = payload("Delete", &json!({"PhysicalResourceId": sent}));
        parsed(&text).unwrap().physical_id().into_owned()
    };
    for sent in ["attachment-policy-x", "the stack's own, after a failed Create", "\"\\é", &"x".repeat(1_024)]
    {
        assert_eq!(id(sent), sent);
    }
}

#[test]
fn an_answer_that_arrived_made_its_id_known() {
    let knows =
        |kind, id: &str| parsed(&payload(kind, &json!({"PhysicalResourceId": id}))).unwrap().knows_its_id();
    assert!(knows("Delete", "attachment-policy-06b3ee9e366fc0ad5ba6aa1fd3acb288"));
    assert!(!knows("Delete", "made up by CloudFormation"));
    assert!(!parsed(&payload("Create", &json!({}))).unwrap().knows_its_id());
}

#[test]
fn the_work_ends_90_seconds_before_the_timeout() {
    let seconds = |kind, timeout: Value| {
        let text = payload(kind, &json!({"ResourceProperties": {"ServiceTimeout": timeout}}));
        parsed(&text).unwrap().seconds().map_err(|error| error.to_string())
    };
    assert_eq!(parsed(&payload("Create", &json!({}))).unwrap().seconds(), Ok(3_510));
    assert_eq!(seconds("Create", json!("3600")), Ok(3_510));
    assert_eq!(seconds("Update", json!("180")), Ok(90));
    assert_eq!(seconds("Update", json!(180)), Ok(90));
    let short = Err("`ServiceTimeout` must be at least 180 seconds, not 179".to_owned());
    assert_eq!(seconds("Create", json!("179")), short);
    // what a Create was refused for can still be deleted
    assert_eq!(seconds("Delete", json!("179")), Ok(89));
    assert_eq!(seconds("Delete", json!("120")), Ok(60));
    assert_eq!(seconds("Delete", json!("1")), Ok(0));
    for wrong in [json!("0"), json!("3601"), json!("-1"), json!("ten"), json!(1.5), json!([180]), json!("")] {
        let none = Err("`ServiceTimeout` must be a whole number of seconds from 180 to 3600".to_owned());
        assert_eq!(seconds("Create", wrong.clone()), none, "{wrong}");
        assert_eq!(seconds("Delete", wrong.clone()), Ok(3_510), "{wrong}");
    }
}

#[test]
fn what_cannot_be_answered_is_malformed() {
    let error = |other: &Value| parsed(&payload("Create", other)).unwrap_err();
    for (key, value) in [
        ("StackId", "x".repeat(513)),
        ("StackId", String::new()),
        ("StackId", "a b".to_owned()),
        ("StackId", "a\"b".to_owned()),
        ("LogicalResourceId", "x".repeat(256)),
        ("LogicalResourceId", String::new()),
        ("LogicalResourceId", "é".to_owned()),
        ("LogicalResourceId", "a#1".to_owned()),
        ("LogicalResourceId", "a-b".to_owned()),
        ("RequestId", "x".repeat(129)),
        ("RequestId", "a\\b".to_owned()),
        ("PhysicalResourceId", "x".repeat(1_025)),
        ("PhysicalResourceId", "a\nb".to_owned()),
        ("PhysicalResourceId", String::new()),
    ] {
        assert_eq!(error(&json!({key: value})), Malformed::Id(key), "{value}");
    }
    let url = error(&json!({"ResponseURL": "https://example.com/key"}));
    assert_eq!(url, Malformed::Url(NotAnswerable));
}

#[test]
fn the_secret_is_in_no_text() {
    let text = payload("Create", &json!({}));
    let debug = format!("{:?}", parsed(&text).unwrap());
    assert!(!debug.contains("secret") && !debug.contains("/key"), "{debug}");
    assert!(debug.contains("cloudformation-custom-resource-response-eucentral1.s3"), "{debug}");
    for other in [
        json!({"RequestType": "secret"}),
        json!({"StackId": ["secret"]}),
        json!({"ResponseURL": "https://example.com/secret"}),
        json!({"ResponseURL": {"secret": 1}}),
    ] {
        let said = parsed(&payload("Create", &other)).unwrap_err();
        assert!(!format!("{said} {said:?}").contains("secret"), "{said:?}");
    }
}

#[test]
fn another_shape_is_malformed() {
    for text in [
        String::new(),
        "[]".to_owned(),
        "{}".to_owned(),
        payload("Read", &json!({})),
        payload("create", &json!({})),
        payload("Create", &json!({"ResponseURL": null})),
        // two readers could take two different values
        payload("Create", &json!({})).replacen('{', r#"{"StackId":"other","#, 1),
    ] {
        assert!(matches!(parsed(&text), Err(Malformed::Shape { .. })), "{text}");
    }
    // what CloudFormation may add is not this function's business
    assert!(parsed(&payload("Create", &json!({"New": 1}))).is_ok());
}
