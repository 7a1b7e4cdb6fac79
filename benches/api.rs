//! A request to the API function of a stack.

use sandbox::lambda::{Answer, Fleet, Invoke};
use serde_json::{Value, json};
use std::sync::Arc;

/// `POST /policy-changes`: the status.
pub(crate) async fn post(process: &Arc<Fleet>, change: &Value) -> u64 {
    let request = json!({
        "version": "2.0", "rawPath": "/policy-changes", "rawQueryString": "",
        "headers": {"content-type": "application/json"}, "body": change.to_string(), "isBase64Encoded": false,
        "requestContext": {
            "requestId": format!("{:016x}", fastrand::u64(..)), "stage": "$default", "domainName": "api",
            "http": {"method": "POST", "path": "/policy-changes", "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "bench"},
        },
    });
    let invocation = process.invoke(request.to_string().as_bytes(), Invoke::default()).await.unwrap();
    let Answer::Response(body) = invocation.outcome else { return 500 };
    let answer: Value = serde_json::from_slice(&body).unwrap();
    answer["statusCode"].as_u64().unwrap_or(500)
}
