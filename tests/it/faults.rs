//! What goes wrong before a change has targets: the fault matrix (`matrix`) has the rest.

use crate::world::{World, chat, failed, outcomes};
use sandbox::connect::{Fault, Operation, Options};
use serde_json::json;

#[tokio::test]
async fn where_the_instances_cannot_be_found_nothing_is_begun() {
    let tagged = json!({"instanceTags": {"stage": "prod"}});
    for (operation, more, fault, code, retryable) in [
        (Operation::ListInstances, json!({}), Fault::Throttle, "ThrottlingException", true),
        (Operation::ListInstances, json!({}), Fault::ResetAfter, "ConnectionFailed", true),
        (Operation::ListInstances, json!({}), Fault::AccessDenied, "AccessDeniedException", false),
        (Operation::DescribeInstance, tagged.clone(), Fault::ExpiredToken, "ExpiredTokenException", true),
        (Operation::DescribeInstance, tagged, Fault::AccessDenied, "AccessDeniedException", false),
    ] {
        let world = World::with(Options::default(), &[("CONNECT_MAX_ATTEMPTS", "2")]).await;
        world.connect.always(operation, Some(fault));
        let (kind, report) = failed(world.invoke(&chat("*", &more)).await);
        let expected = if retryable { "PolicyChangeIncomplete" } else { "PolicyChangeFailed" };
        assert_eq!((kind.as_str(), outcomes(&report)), (expected, vec!["failed"]), "{operation} {fault}");
        let result = &report["results"][0];
        assert_eq!(result["instanceId"], "*", "{operation} {fault}");
        let error = (&result["error"]["code"], &result["error"]["retryable"]);
        assert_eq!(error, (&json!(code), &json!(retryable)), "{operation} {fault}");
        assert_eq!((world.updates(), world.audited()), (0, vec!["outcome failed".to_owned()]));
    }
}
