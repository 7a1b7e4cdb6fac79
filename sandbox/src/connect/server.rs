//! The connections.

use std::{io, sync::Arc, time::Duration};

use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

use super::service::Service;

/// How long to wait when no connection can be accepted, for example without file descriptors.
const PAUSE: Duration = Duration::from_millis(50);

/// Serves until the future is dropped, and every connection with it.
pub(super) async fn serve(listener: TcpListener, service: Arc<Service>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(converse(stream, Arc::clone(&service)));
                }
                Err(_) => tokio::time::sleep(PAUSE).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Answers the requests of one connection, until either side ends it.
async fn converse(stream: TcpStream, service: Arc<Service>) {
    // Answers are small and awaited: Nagle's algorithm would only delay them.
    let _: io::Result<()> = stream.set_nodelay(true);
    let respond = service_fn(move |request| Arc::clone(&service).respond(request));
    // An error here is the end of this connection, wanted by a fault or by the client.
    let _: hyper::Result<()> = http1::Builder::new().serve_connection(TokioIo::new(stream), respond).await;
}
