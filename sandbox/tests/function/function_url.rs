use crate::stand_in;
use sandbox::function_url::FunctionUrl;
use sandbox::lambda::{Function, Launch};
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

async fn start() -> (FunctionUrl, Arc<Function>) {
    let launch = Launch::new(stand_in(), "http://127.0.0.1:1");
    let function = Arc::new(Function::start(launch).await.expect("a started function"));
    let url = FunctionUrl::start(Arc::clone(&function), 0).await.expect("a port");
    (url, function)
}

/// Sends the bytes of one request; the status, the head and the body.
pub(crate) async fn send(url: &str, head: &str, body: &[u8]) -> (u16, String, Vec<u8>) {
    let address = url.replace("http://", "");
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    let head =
        format!("{head}\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).await.expect("sent");
    stream.write_all(body).await.expect("sent");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.expect("an answer");
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").expect("a head");
    let head = String::from_utf8(answer[..end].to_vec()).expect("text");
    let status = head[9..12].parse().expect("a status");
    (status, head, answer[end + 4..].to_vec())
}

#[tokio::test]
async fn a_request_arrives_as_an_event_and_its_id_is_the_invocations() {
    let (url, _function) = start().await;
    let head = "PATCH /a%2Fb?c=d HTTP/1.1\r\nContent-Type: application/json";
    let (status, head, body) = send(&url.url(), head, b"{}").await;
    assert_eq!(status, 200);
    let seen: Value = serde_json::from_slice(&body).expect("JSON");
    let event = &seen["payload"];
    assert_eq!(event["requestContext"]["http"]["method"], "PATCH");
    assert_eq!(event["rawPath"], "/a%2Fb");
    assert_eq!(event["rawQueryString"], "c=d");
    assert_eq!(event["body"], "{}");
    assert_eq!(event["requestContext"]["requestId"], seen["requestId"]);
    let id = seen["requestId"].as_str().expect("an id");
    assert!(head.contains(&format!("x-amzn-requestid: {id}")), "{head}");
}

#[tokio::test]
async fn a_process_that_ended_is_started_again_by_the_next_request() {
    let (url, function) = start().await;
    function.kill().await;
    let (status, _, _) = send(&url.url(), "GET / HTTP/1.1", b"").await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn a_request_over_6_mb_is_refused() {
    let (url, _function) = start().await;
    let head = "POST / HTTP/1.1\r\nContent-Type: text/plain";
    let (status, _, body) = send(&url.url(), head, &vec![b'x'; 6_291_456]).await;
    assert_eq!(status, 413);
    assert_eq!(
        serde_json::from_slice::<Value>(&body).expect("JSON"),
        json!({"Message": "Request must be smaller than 6291456 bytes for the InvokeFunction operation"})
    );
}

#[tokio::test]
async fn a_function_error_is_a_502_without_details() {
    // An event cannot make the stand-in fail, so it fails at its start.
    let launch = Launch::new(stand_in(), "http://127.0.0.1:1").env("STAND_IN_INIT_ERROR", "no");
    let function = Function::start(launch).await.expect("a started function");
    let url = FunctionUrl::start(Arc::new(function), 0).await.expect("a port");
    let (status, _, body) = send(&url.url(), "GET / HTTP/1.1", b"").await;
    assert_eq!(status, 502);
    assert_eq!(body, b"Internal Server Error");
}
