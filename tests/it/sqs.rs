//! Where the function finds SQS: a queue of AWS's JSON protocol that takes or refuses, or nobody.
//!
//! What an SQS of its own makes of the same requests, conformance/ shows with moto's.

use serde_json::{Value, json};
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// What answers where the function finds SQS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sqs {
    /// A queue that takes everything.
    Takes,
    /// One that refuses everything.
    Refuses,
    /// Nobody.
    Unreachable,
}

/// A port of 127.0.0.1 where nobody listens, and nobody can until it is dropped.
pub(crate) struct Nobody(TcpSocket);

impl Nobody {
    pub(crate) fn new() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
        Self(socket)
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.0.local_addr().unwrap())
    }
}

/// The operations taken, with their bodies.
type Taken = Arc<Mutex<Vec<(String, Value)>>>;

/// What answers at [`Queue::url`], and what it took.
pub(crate) struct Queue {
    pub(crate) url: String,
    taken: Taken,
    _server: Option<Server>,
    _nobody: Option<Nobody>,
}

/// Ends with its test, and every connection with it.
struct Server(JoinHandle<()>);

impl Drop for Server {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Queue {
    pub(crate) async fn start(kind: Sqs) -> Self {
        let taken = Taken::default();
        if kind == Sqs::Unreachable {
            let nobody = Nobody::new();
            return Self { url: nobody.url(), taken, _server: None, _nobody: Some(nobody) };
        }
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let kept = (kind == Sqs::Takes).then(|| Arc::clone(&taken));
        let server = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(converse(stream, kept.clone()));
            }
        });
        Self { url, taken, _server: Some(Server(server)), _nobody: None }
    }

    /// The bodies of what it took of this operation, in order.
    pub(crate) fn taken(&self, operation: &str) -> Vec<Value> {
        let taken = self.taken.lock().unwrap();
        taken.iter().filter(|(name, _)| name == operation).map(|(_, body)| body.clone()).collect()
    }
}

/// Answers every request of a connection, until its client leaves.
async fn converse(stream: TcpStream, kept: Option<Taken>) {
    let mut stream = BufReader::new(stream);
    while let Some((operation, body)) = request(&mut stream).await {
        let (status, answer) = if let Some(kept) = &kept {
            kept.lock().unwrap().push((operation, body));
            ("200 OK", json!({"MessageId": "1"}))
        } else {
            ("403 Forbidden", json!({"__type": "com.amazon.coral.service#AccessDeniedException"}))
        };
        let answer = answer.to_string();
        let length = answer.len();
        let head = format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/x-amz-json-1.0\r\ncontent-length: {length}\r\n\r\n"
        );
        if stream.write_all(format!("{head}{answer}").as_bytes()).await.is_err() {
            return;
        }
    }
}

/// The operation and the body of the next request; none at the connection's end.
async fn request(stream: &mut BufReader<TcpStream>) -> Option<(String, Value)> {
    let (mut operation, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        match line.trim_end().split_once(": ") {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                length = value.parse().unwrap();
            }
            Some((name, value)) if name.eq_ignore_ascii_case("x-amz-target") => {
                operation = value.strip_prefix("AmazonSQS.").unwrap().to_owned();
            }
            None if line == "\r\n" => break,
            _ => {}
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some((operation, serde_json::from_slice(&body).unwrap()))
}
