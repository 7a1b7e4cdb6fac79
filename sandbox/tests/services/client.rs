//! A client of AWS JSON 1.0 in a few lines, so that these tests do not depend on what an AWS client does.

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// One call on a new connection.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    url: String,
    target: String,
    body: Value,
}

impl Call {
    /// A call of a target, such as `DynamoDB_20120810.GetItem`.
    pub(crate) fn new(url: &str, target: &str, body: Value) -> Self {
        Self { url: url.to_owned(), target: target.to_owned(), body }
    }

    /// The status and the body; `None` if the connection ended without an answer.
    pub(crate) async fn send(&self) -> Option<(u16, Value)> {
        let mut stream = self.open().await;
        let mut received = Vec::new();
        // A connection that is cut may also be reset: what came before that counts.
        let _ = stream.read_to_end(&mut received).await;
        let text = String::from_utf8(received).unwrap();
        let (head, body) = text.split_once("\r\n\r\n")?;
        let status = head.split(' ').nth(1)?.parse().unwrap();
        Some((status, serde_json::from_str(body).unwrap_or_default()))
    }

    /// The body of an answer with status 200.
    pub(crate) async fn ok(&self) -> Value {
        let (status, body) = self.send().await.expect("an answer");
        assert_eq!(status, 200, "{body}");
        body
    }

    /// The status and the name of an error.
    pub(crate) async fn error(&self) -> (u16, String) {
        let (status, body) = self.send().await.expect("an answer");
        let name = body["__type"].as_str().unwrap_or_default();
        (status, name.rsplit('#').next().unwrap().to_owned())
    }

    /// Sends it, and gives the connection, from which nothing was read.
    pub(crate) async fn open(&self) -> TcpStream {
        let address = self.url.strip_prefix("http://").unwrap();
        let body = self.body.to_string();
        let request = format!(
            "POST / HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\
             content-type: application/x-amz-json-1.0\r\nx-amz-target: {}\r\n\
             x-amz-date: 20261123T101500Z\r\nauthorization: AWS4-HMAC-SHA256 \
             Credential=test/20261123/us-east-1/any/aws4_request, SignedHeaders=host;x-amz-date, \
             Signature={}\r\ncontent-length: {}\r\n\r\n{body}",
            self.target,
            "0123456789abcdef".repeat(4),
            body.len(),
        );
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        stream
    }
}
