//! Faults before a change has targets, and a server that is gone between two calls: the fault matrix (`matrix`) has the
//! others.

use crate::world::{ONE, World, chat, failed, outcomes};
use sandbox::connect::{Connect, Fault, Operation, Options};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

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

/// Forwards one request to Amazon Connect and its answer back. Then nobody listens at this address any more.
async fn once(connect: &Connect) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = connect.url().trim_start_matches("http://").to_owned();
    tokio::spawn(async move {
        let (mut client, _) = listener.accept().await.unwrap();
        drop(listener);
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            request.push(client.read_u8().await.unwrap());
        }
        // without this header the client would use its connection again
        request.truncate(request.len() - 2);
        request.extend(b"connection: close\r\n\r\n");
        let mut server = TcpStream::connect(server).await.unwrap();
        server.write_all(&request).await.unwrap();
        tokio::io::copy(&mut server, &mut client).await.unwrap();
    });
    url
}

/// No connection was made for the update, so it cannot have taken effect: nothing is unknown, and no read follows.
#[tokio::test]
async fn an_update_that_found_no_server_has_failed() {
    let connect = Connect::start(Options::default()).await.unwrap();
    let url = once(&connect).await;
    let world = World::against(connect, &url, &[("CONNECT_MAX_ATTEMPTS", "1")]);
    let (kind, report) = failed(world.invoke(&chat(ONE, &json!({}))).await);
    assert_eq!((kind.as_str(), outcomes(&report)), ("PolicyChangeIncomplete", vec!["failed"]));
    let error = &report["results"][0]["error"];
    assert_eq!((&error["code"], &error["retryable"]), (&json!("ConnectionFailed"), &json!(true)));
    assert_eq!(world.audited(), ["intent", "outcome failed"]);
    assert_eq!(world.connect.journal().len(), 1);
}
