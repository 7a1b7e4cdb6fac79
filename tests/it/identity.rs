//! Who asked, as each authoriser vouches for it. A body never sets any of it.
//!
//! The envelopes are those of the API Gateway and SQS developer guides, written afresh with our body inside.

use crate::world::{ONE, World, chat};
use serde_json::{Value, json};

fn body() -> String {
    chat(ONE, &json!({"force": true, "requestedBy": "root", "reason": "principal=root"})).to_string()
}

/// "Create AWS Lambda proxy integrations for HTTP APIs", payload format 2.0.
fn version_2(authorizer: &Value) -> Value {
    json!({
        "version": "2.0", "routeKey": "POST /policy-changes", "rawPath": "/prod/policy-changes",
        "rawQueryString": "", "cookies": ["cookie1", "cookie2"],
        "headers": {"Content-Type": "application/json", "header2": "value1,value2"},
        "requestContext": {
            "accountId": "123456789012", "apiId": "api-id", "authentication": null, "authorizer": authorizer,
            "domainName": "id.execute-api.us-east-1.amazonaws.com", "domainPrefix": "id",
            "http": {"method": "POST", "path": "/prod/policy-changes", "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1", "userAgent": "agent"},
            "requestId": "id-2", "routeKey": "POST /policy-changes", "stage": "prod",
            "time": "12/Mar/2020:19:03:58 +0000", "timeEpoch": 1_583_348_638_390_i64,
        },
        "body": body(), "pathParameters": null, "isBase64Encoded": false, "stageVariables": {"name": "value"},
    })
}

/// "Lambda proxy integrations in API Gateway", input format of a REST API.
fn version_1(identity: &Value, authorizer: &Value) -> Value {
    json!({
        "version": "1.0", "resource": "/policy-changes", "path": "/policy-changes", "httpMethod": "POST",
        "headers": {"CONTENT-TYPE": "application/json; charset=utf-8"},
        "multiValueHeaders": {"CONTENT-TYPE": ["application/json; charset=utf-8"]},
        "queryStringParameters": null, "multiValueQueryStringParameters": null,
        "requestContext": {
            "accountId": "123456789012", "apiId": "id", "authorizer": authorizer, "domainName": "id.example.com",
            "domainPrefix": "id", "extendedRequestId": "request-id", "httpMethod": "POST", "identity": identity,
            "path": "/prod/policy-changes", "protocol": "HTTP/1.1", "requestId": "id-1",
            "requestTime": "04/Mar/2020:19:15:17 +0000", "requestTimeEpoch": 1_583_349_317_135_i64,
            "resourceId": null, "resourcePath": "/policy-changes", "stage": "prod",
        },
        "pathParameters": null, "stageVariables": null, "body": body(), "isBase64Encoded": false,
    })
}

/// The recorded identity: the actor's user, and who vouched for it.
async fn actor(payload: Value) -> (Value, Value) {
    let world = World::new().await;
    let answer = world.invoke(&payload).await.unwrap();
    assert_eq!(answer["statusCode"], 200, "{answer}");
    let audit = world.audit();
    assert_eq!(audit.len(), 2);
    assert_eq!(audit[0]["actor"], audit[1]["actor"]);
    assert_eq!(audit[0]["unmapped"]["requestedBy"], "root");
    (audit[0]["actor"]["user"].clone(), audit[0]["actor"]["idp"]["name"].clone())
}

#[tokio::test]
async fn each_authoriser_of_an_http_api_vouches_for_its_own() {
    let arn = "arn:aws:iam::111122223333:user/Alice";
    for (authorizer, user, voucher) in [
        (
            json!({"iam": {"accessKey": "ARIA2ZJZYVUEREEIHAKY", "accountId": "111122223333",
                "callerId": "AROA7ZJZYVRE7C3DUXHH6:CognitoIdentityCredentials", "cognitoIdentity": null,
                "principalOrgId": "AwsOrgId", "userArn": arn, "userId": "AROA7ZJZYVRE7C3DUXHH6"}}),
            json!({"uid": arn, "account": {"uid": "111122223333"}}),
            "api-gateway-iam",
        ),
        (
            json!({"jwt": {"claims": {"sub": "248289761001", "iss": "https://idp.example.com", "claim1": "value1"},
                "scopes": ["scope1", "scope2"]}}),
            json!({"uid": "248289761001"}),
            "api-gateway-jwt",
        ),
        (
            json!({"jwt": {"claims": {"client_id": "machine-1"}, "scopes": null}}),
            json!({"uid": "machine-1"}),
            "api-gateway-jwt",
        ),
        (
            json!({"lambda": {"principalId": "user-7", "key": "value"}}),
            json!({"uid": "user-7"}),
            "api-gateway-lambda",
        ),
        (json!({"lambda": {"key": "value"}}), Value::Null, "api-gateway-lambda"),
    ] {
        assert_eq!(actor(version_2(&authorizer)).await, (user, json!(voucher)), "{authorizer}");
    }
    assert_eq!(actor(version_2(&Value::Null)).await, (Value::Null, json!("nobody")));
}

#[tokio::test]
async fn each_authoriser_of_a_rest_api_vouches_for_its_own() {
    let arn = "arn:aws:sts::111122223333:assumed-role/platform/ada";
    let anonymous =
        json!({"accountId": null, "caller": null, "sourceIp": "192.0.2.1", "user": null, "userArn": null});
    let signed =
        json!({"accountId": "111122223333", "caller": "AROA:ada", "sourceIp": "192.0.2.1", "userArn": arn});
    for (identity, authorizer, user, voucher) in [
        (&signed, Value::Null, json!({"uid": arn, "account": {"uid": "111122223333"}}), "api-gateway-iam"),
        (
            &anonymous,
            json!({"claims": {"sub": "248289761001", "cognito:username": "ada", "token_use": "id"}, "scopes": null}),
            json!({"uid": "248289761001"}),
            "api-gateway-jwt",
        ),
        (
            &anonymous,
            json!({"principalId": "user|a1b2c3d4", "integrationLatency": 238, "booleanKey": true}),
            json!({"uid": "user|a1b2c3d4"}),
            "api-gateway-lambda",
        ),
        (&anonymous, Value::Null, Value::Null, "nobody"),
    ] {
        let payload = version_1(identity, &authorizer);
        assert_eq!(actor(payload).await, (user, json!(voucher)), "{authorizer}");
    }
}

#[tokio::test]
async fn a_function_url_is_named_as_the_source() {
    let world = World::new().await;
    let mut payload = version_2(&json!({"iam": {"userArn": "arn:aws:iam::111122223333:user/Alice"}}));
    payload["requestContext"]["domainName"] = json!("abcdefghij.lambda-url.us-east-1.on.aws");
    world.invoke(&payload).await.unwrap();
    let audit = &world.audit()[0];
    assert_eq!(audit["src_endpoint"], json!({"ip": "192.0.2.1", "svc_name": "lambda-url.amazonaws.com"}));
}
