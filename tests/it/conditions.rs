//! `ETag` and `If-Match`: a condition guards a PATCH, and none is lost on the way.

use crate::http::{policies, request, send, slug};
use crate::world::{ONE, World, chat, outcomes};
use serde_json::json;

#[tokio::test]
async fn a_tag_is_the_same_whichever_call_read_it_and_guards_a_patch() {
    let world = World::new().await;
    let (status, one, headers) =
        send(&world, &request("GET", &format!("{}/CHAT", policies(ONE)), None)).await;
    assert_eq!(
        (status, &one["attachmentScope"], &one["maximumSizeLimitInBytes"]),
        (200, &json!("CHAT"), &json!(20_971_520))
    );
    assert_eq!(headers["etag"], one["etag"]);
    let (_, all, _) = send(&world, &request("GET", &policies(ONE), None)).await;
    let scopes: Vec<_> =
        all["attachmentPolicies"].as_array().unwrap().iter().map(|p| p["attachmentScope"].clone()).collect();
    assert_eq!(scopes, ["EMAIL", "CHAT", "CASE", "TASK"]);
    assert_eq!(all["attachmentPolicies"][1]["etag"], one["etag"]);

    let mut patch = request("PATCH", &format!("{}/CHAT", policies(ONE)), Some("{\"maximumSize\":\"5 MB\"}"));
    patch["headers"]["if-match"] = json!("\"another\"");
    let (status, problem, _) = send(&world, &patch).await;
    assert_eq!((status, slug(&problem), world.updates()), (412, "precondition-failed", 0));
    patch["headers"]["if-match"] = one["etag"].clone();
    // the second time its tag is another one, because of its own first update
    for outcome in ["applied", "unchanged"] {
        let (status, report, _) = send(&world, &patch).await;
        assert_eq!((status, outcomes(&report), world.updates()), (200, vec![outcome], 1), "{report}");
    }
    for body in [r#"{"maximumSize": "6 MB"}"#, r#"{"maximumSize": "5 MB", "force": true}"#] {
        patch["body"] = json!(body);
        let (status, problem, _) = send(&world, &patch).await;
        assert_eq!((status, slug(&problem), world.updates()), (412, "precondition-failed", 1), "{body}");
        assert_eq!(problem["report"]["results"][0]["error"]["code"], "ETagDiffers", "{body}");
    }
}

#[tokio::test]
async fn if_match_goes_with_patch_only() {
    let world = World::new().await;
    let mut post = request("POST", "/policy-changes", Some(&chat(ONE, &json!({})).to_string()));
    post["headers"]["if-match"] = json!("*");
    let (status, problem, _) = send(&world, &post).await;
    assert_eq!((status, slug(&problem), world.updates()), (412, "precondition-failed", 0));
}

/// Several lines are one list (RFC 9110 section 5.2). Bytes that are not text are a tag that no target has: ignoring
/// them would let the change through.
#[tokio::test]
async fn an_unreadable_condition_is_not_met_and_several_lines_are_one_list() {
    let world = World::new().await;
    let path = format!("{}/CHAT", policies(ONE));
    let tag = send(&world, &request("GET", &path, None)).await.2["etag"].clone();
    let mut change = request("PATCH", &path, Some(r#"{"maximumSize": "10 MB"}"#));
    change["headers"]["if-match"] = json!("\"\u{e4}\"");
    let (status, problem, _) = send(&world, &change).await;
    assert_eq!((status, slug(&problem), world.updates()), (412, "precondition-failed", 0));
    let lines = json!({"httpMethod": "PATCH", "path": path, "resource": "/{proxy+}", "body": change["body"],
        "isBase64Encoded": false, "multiValueHeaders": {"if-match": ["\"another\"", tag]},
        "requestContext": {"requestId": "r", "stage": "prod", "httpMethod": "PATCH", "identity": {}}});
    let (status, report, _) = send(&world, &lines).await;
    assert_eq!((status, &report["status"]), (200, &json!("succeeded")), "{report}");
}
