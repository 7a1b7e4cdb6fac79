//! The connections.

use std::{io, sync::Arc, time::Duration};

use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tokio_rustls::TlsAcceptor;

use super::service::Service;

/// The pause after a connection that cannot be accepted, for example for want of file descriptors.
const PAUSE: Duration = Duration::from_millis(50);

/// Serves until the future is dropped, and every connection with it.
pub(super) async fn serve(listener: TcpListener, service: Arc<Service>, tls: Option<TlsAcceptor>) {
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
async fn accept(stream: TcpStream, service: Arc<Service>, tls: Option<TlsAcceptor>) {
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
async fn converse(stream: impl AsyncRead + AsyncWrite + Unpin, service: Arc<Service>) {
    let respond = service_fn(move |request| Arc::clone(&service).respond(request));
    // An error is the end of this connection, by a fault or by the client.
    let _: hyper::Result<()> = http1::Builder::new().serve_connection(TokioIo::new(stream), respond).await;
}
