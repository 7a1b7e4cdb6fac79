//! HTTP/1.1 connections whose answer may be that there is none.
//!
//! For the services whose faults cut connections: Amazon Connect, the table and the queues. The routes of
//! [`loopback`](crate::loopback) cannot do that.

use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use std::sync::Arc;
use std::time::Duration;
use std::{fmt, io};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// The pause after a connection that cannot be accepted, for example for want of file descriptors.
const PAUSE: Duration = Duration::from_millis(50);

/// An answer; a body that has to be cut ends with an error.
pub(crate) type Answer = Response<BoxBody<Bytes, io::Error>>;

/// What answers the requests.
pub(crate) trait Respond: Send + Sync + 'static {
    /// Answers a request, or ends its connection.
    ///
    /// Dropped at any await, when the client leaves.
    fn respond(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> impl Future<Output = Result<Answer, HangUp>> + Send;
}

/// The connection has to end without an answer.
///
/// Every other error is an answer.
#[derive(Debug)]
pub(crate) struct HangUp;

impl fmt::Display for HangUp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the connection ends without an answer")
    }
}

impl std::error::Error for HangUp {}

/// Serves until the future is dropped, and every connection with it.
pub(crate) async fn serve(listener: TcpListener, service: Arc<impl Respond>, tls: Option<TlsAcceptor>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(accept(stream, Arc::clone(&service), tls.clone()));
                }
                Err(_) => tokio::time::sleep(PAUSE).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

/// One connection, behind TLS or not.
async fn accept(stream: TcpStream, service: Arc<impl Respond>, tls: Option<TlsAcceptor>) {
    // Answers are small and awaited: Nagle's algorithm would delay each of them.
    let _: io::Result<()> = stream.set_nodelay(true);
    match tls {
        None => converse(stream, service).await,
        // The connection of a client that does not trust the certificate ends here.
        Some(tls) => {
            if let Ok(stream) = tls.accept(stream).await {
                converse(stream, service).await;
            }
        }
    }
}

/// Answers the requests of one connection, until either side ends it.
async fn converse(stream: impl AsyncRead + AsyncWrite + Unpin, service: Arc<impl Respond>) {
    let respond = service_fn(move |request| Arc::clone(&service).respond(request));
    // An error is the end of this connection, by a fault or by the client.
    let _: hyper::Result<()> = http1::Builder::new().serve_connection(TokioIo::new(stream), respond).await;
}
