//! A port on 127.0.0.1, and the server behind it.
//!
//! Every service here that is made of routes starts with it: Lambda's three do. Amazon Connect has
//! a server of its own (`connect::server`), since its faults cut connections and its TLS is optional.

use axum::Router;
use axum::serve::ListenerExt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A port that is taken, with nothing served on it yet.
#[derive(Debug)]
pub(crate) struct Port {
    listener: TcpListener,
    address: SocketAddr,
}

impl Port {
    /// Takes a port; 0 takes any free one.
    ///
    /// # Errors
    ///
    /// The port is taken.
    pub(crate) async fn take(number: u16) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, number)).await?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address })
    }

    /// Where it is, for those who have to know before anything is served.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves these routes until the server is dropped.
    pub(crate) fn serve(self, routes: Router) -> Server {
        // Answers are small and awaited: with Nagle's algorithm each would take 40 ms longer.
        let listener = self.listener.tap_io(|stream| {
            // Without it everything works, only slower.
            let _ = stream.set_nodelay(true);
        });
        let serving = axum::serve(listener, routes);
        let task = tokio::spawn(async move { serving.await });
        Server { address: self.address, task }
    }
}

/// A running server; dropping it stops it.
#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    task: JoinHandle<io::Result<()>>,
}

impl Server {
    /// `http://127.0.0.1:PORT`, without a slash at the end.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}
