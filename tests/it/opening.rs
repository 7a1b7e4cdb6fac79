//! What the production binary opens before its first event: the connections that it will need, and no others.

use crate::world::{ONE, chat, launch};
use sandbox::connect::{Connect, Options};
use sandbox::lambda::{Answer, Function, Invocation, Launch};
use serde_json::json;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// A server that writes down the head of each request, with the number of its connection, and refuses it.
struct Refusing {
    url: String,
    heads: Arc<Mutex<Vec<(usize, String)>>>,
}

impl Refusing {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let heads = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&heads);
        tokio::spawn(async move {
            for connection in 0.. {
                let (mut stream, _) = listener.accept().await.unwrap();
                let kept = Arc::clone(&kept);
                tokio::spawn(async move {
                    let mut request = vec![0; 16_384];
                    while let Ok(length @ 1..) = stream.read(&mut request).await {
                        let head = String::from_utf8_lossy(&request[..length]).to_lowercase();
                        kept.lock().unwrap().push((connection, head));
                        let answer = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n";
                        stream.write_all(answer).await.unwrap();
                    }
                });
            }
        });
        Self { url, heads }
    }

    /// Of each request: its connection, method and path, and whether it is signed.
    fn requests(&self) -> Vec<(usize, String, bool)> {
        let asked = |(connection, head): &(usize, String)| {
            let line: Vec<_> = head.lines().next().unwrap().split(' ').take(2).collect();
            (*connection, line.join(" "), head.contains("\r\nauthorization:"))
        };
        self.heads.lock().unwrap().iter().map(asked).collect()
    }
}

async fn launched(variables: &[(&str, &str)]) -> Launch {
    let mut launch = launch(&Connect::start(Options::default()).await.unwrap());
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    launch.env.extend(variables);
    launch
}

async fn invoked(launch: Launch, payload: &str) -> Invocation {
    Function::start(launch).await.unwrap().invoke(payload.as_bytes()).await
}

#[tokio::test]
async fn the_first_call_uses_the_connection_that_the_start_has_opened() {
    let service = Refusing::start().await;
    let path = format!("get /attached-files-configurations/{ONE}/chat");
    invoked(
        launched(&[("AWS_ENDPOINT_URL_CONNECT", &service.url)]).await,
        &chat(ONE, &json!({})).to_string(),
    )
    .await;
    assert_eq!(service.requests()[..2], [(0, "head /instance".to_owned(), false), (0, path, true)]);
}

#[tokio::test]
async fn the_bus_of_a_function_that_ends_runs_has_its_connection() {
    let (connect, table, bus) = (Refusing::start().await, Refusing::start().await, Refusing::start().await);
    let launch = launched(&[
        ("AWS_ENDPOINT_URL_CONNECT", &connect.url),
        ("AWS_ENDPOINT_URL_DYNAMODB", &table.url),
        ("AWS_ENDPOINT_URL_EVENTBRIDGE", &bus.url),
        ("LEDGER_TABLE", "ledger"),
        ("CHANGE_QUEUE_URL", "https://sqs.eu-central-1.amazonaws.com/111122223333/changes"),
        ("OUTCOME_BUS", "policies"),
        ("ACCEPTED_TRIGGERS", "http,widget"),
    ])
    .await;
    let described = invoked(launch, r#"{"describe": true}"#).await;
    assert!(matches!(described.outcome, Answer::Response(_)), "{:?}", described.outcome);
    assert_eq!(connect.requests(), [(0, "head /instance".to_owned(), false)]);
    assert_eq!(bus.requests(), [(0, "head /".to_owned(), false)]);
    assert_eq!(table.requests(), [(0, "post /".to_owned(), true)]);
}

#[tokio::test]
async fn a_function_that_reads_the_ledger_alone_opens_that_connection_alone() {
    let (connect, table) = (Refusing::start().await, Refusing::start().await);
    let launch = launched(&[
        ("AWS_ENDPOINT_URL_CONNECT", &connect.url),
        ("AWS_ENDPOINT_URL_DYNAMODB", &table.url),
        ("LEDGER_TABLE", "ledger"),
        ("ACCEPTED_TRIGGERS", "widget"),
    ])
    .await;
    let described = invoked(launch, r#"{"describe": true}"#).await;
    assert!(matches!(described.outcome, Answer::Response(_)), "{:?}", described.outcome);
    assert_eq!(connect.requests(), []);
    assert_eq!(table.requests(), [(0, "post /".to_owned(), true)]);
}

/// Such as a VPC without an endpoint.
#[tokio::test]
async fn a_network_without_a_way_out_does_not_stop_a_start() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let refused = invoked(launched(&[("AWS_ENDPOINT_URL_CONNECT", &url)]).await, "{}").await;
    let Answer::Error { error_type, .. } = refused.outcome else { panic!("{:?}", refused.outcome) };
    assert_eq!(error_type, "UnrecognisedPayload");
}
