//! A client of a few lines, so that these tests do not depend on what an AWS client does.

use std::collections::HashMap;

use sandbox::connect::{Connect, Instance, Operation};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// The access key id of an account other than the default, as AWS would encode it.
pub(crate) const KEY_ID_OF_444455556666: &str = "ASIAWO645SY5A2345672";

/// A request, as it goes over the wire.
#[derive(Clone)]
pub(crate) struct Request {
    method: &'static str,
    target: String,
    headers: Vec<(&'static str, String)>,
    body: String,
}

impl Request {
    /// A signed request for `us-east-1` of the default account.
    pub(crate) fn new(method: &'static str, target: impl Into<String>) -> Self {
        let request = Self { method, target: target.into(), headers: Vec::new(), body: String::new() };
        request.signed_by("test", "us-east-1")
    }

    pub(crate) fn signed_by(self, key_id: &str, region: &str) -> Self {
        let signature = "0123456789abcdef".repeat(4);
        let value = format!(
            "AWS4-HMAC-SHA256 Credential={key_id}/20261123/{region}/connect/aws4_request, \
             SignedHeaders=host;x-amz-date, Signature={signature}"
        );
        self.header("x-amz-date", "20261123T101500Z").header("authorization", &value)
    }

    /// Sets a header; an empty value removes it.
    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.retain(|(set, _)| *set != name);
        if !value.is_empty() {
            self.headers.push((name, value.to_owned()));
        }
        self
    }

    pub(crate) fn body(mut self, body: &impl ToString) -> Self {
        self.body = body.to_string();
        self
    }

    fn wire(&self) -> String {
        let mut headers = String::new();
        for (name, value) in &self.headers {
            headers.extend([*name, ": ", value, "\r\n"]);
        }
        format!(
            "{} {} HTTP/1.1\r\nhost: sandbox\r\n{headers}content-length: {}\r\n\r\n{}",
            self.method,
            self.target,
            self.body.len(),
            self.body
        )
    }

    /// Sends the request and leaves at once.
    pub(crate) async fn send_and_leave(&self, connect: &Connect) {
        let mut stream = open(connect).await;
        stream.write_all(self.wire().as_bytes()).await.unwrap();
        // Long enough to be read, much shorter than any answer these tests delay.
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }

    /// Sends the request on a new connection and reads until the answer is whole or the
    /// connection ends.
    pub(crate) async fn send(&self, connect: &Connect) -> Answer {
        self.send_on(&mut open(connect).await).await
    }

    /// Sends the request on a connection that may be used again.
    pub(crate) async fn send_on(&self, stream: &mut TcpStream) -> Answer {
        stream.write_all(self.wire().as_bytes()).await.unwrap();
        let mut received = Vec::new();
        let mut buffer = vec![0; 16_384];
        loop {
            let answer = Answer::read(&received);
            if answer.is_whole() {
                return answer;
            }
            match stream.read(&mut buffer).await {
                Ok(0) | Err(_) => return answer,
                Ok(length) => received.extend_from_slice(&buffer[..length]),
            }
        }
    }
}

/// Connects to a running sandbox.
pub(crate) async fn open(connect: &Connect) -> TcpStream {
    let url = connect.url();
    TcpStream::connect(url.strip_prefix("http://").unwrap()).await.unwrap()
}

/// The answer, or the part of it that arrived.
#[derive(Debug)]
pub(crate) struct Answer {
    /// `None` if not even the head arrived.
    pub status: Option<u16>,
    pub headers: HashMap<String, String>,
    pub body: String,
}

impl Answer {
    fn read(received: &[u8]) -> Self {
        let text = String::from_utf8(received.to_vec()).unwrap();
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            return Self { status: None, headers: HashMap::new(), body: String::new() };
        };
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let header =
            |line: &str| line.split_once(": ").map(|(name, value)| (name.to_owned(), value.to_owned()));
        Self { status: Some(status), headers: lines.filter_map(header).collect(), body: body.to_owned() }
    }

    pub(crate) fn is_whole(&self) -> bool {
        self.header("content-length").parse() == Ok(self.body.len())
    }

    /// A header's value; empty if it is not there.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// The status and the name of the error.
    pub(crate) fn error(&self) -> (u16, &str) {
        (self.status.unwrap(), self.header("x-amzn-errortype"))
    }
}

/// The path of an instance's configurations.
pub(crate) fn path(n: u32) -> String {
    format!("/attached-files-configurations/{}", Instance::numbered(n).id)
}

/// An update of the chat scope's size.
pub(crate) fn update(n: u32, size: i64) -> Request {
    Request::new("POST", format!("{}/CHAT", path(n)))
        .header("content-type", "application/json")
        .body(&serde_json::json!({ "MaximumSizeLimitInBytes": size }))
}

/// A valid request of each operation, for the first instance.
pub(crate) fn every_operation() -> [(Operation, Request); 5] {
    let id = Instance::numbered(1).id;
    [
        (Operation::UpdateAttachedFilesConfiguration, update(1, 5)),
        (Operation::DescribeAttachedFilesConfiguration, Request::new("GET", format!("{}/CHAT", path(1)))),
        (Operation::ListAttachedFilesConfigurations, Request::new("GET", path(1))),
        (Operation::ListInstances, Request::new("GET", "/instance")),
        (Operation::DescribeInstance, Request::new("GET", format!("/instance/{id}"))),
    ]
}
