//! Amazon EventBridge on loopback: `PutEvents` to one bus, with faults.
//!
//! What producers need and no more: the events that were taken are kept, and no rule is asked. Written against the
//! service's API reference; `conformance/` has moto's EventBridge judge rules and patterns.
//!
//! ```no_run
//! # async fn example() -> std::io::Result<()> {
//! use sandbox::bus::{Bus, Fault, Rule};
//!
//! let bus = Bus::start(0, None).await?;
//! bus.fault(Rule::new(Fault::EntryFailed).first(1));
//! println!("point AWS_ENDPOINT_URL_EVENTBRIDGE at {}", bus.url());
//! # Ok(())
//! # }
//! ```

mod entry;
mod fault;
mod service;

use crate::connections;
use crate::faults;
use crate::journal::Journal;
use crate::tls::Tls;
use service::Service;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::{fmt, io};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub use entry::{Entry, Event};
pub use fault::{Fault, Operation};

/// The name of the bus.
pub const NAME: &str = "attachment-policies";

/// A fault of the bus, and the calls that get it.
pub type Rule = faults::Rule<Fault>;

/// A running bus; dropping it closes its port and every connection, and forgets the events.
pub struct Bus {
    service: Arc<Service>,
    url: String,
    server: JoinHandle<()>,
}

impl Bus {
    /// Starts serving on 127.0.0.1, within the current tokio runtime; port 0 takes a free one. Over HTTPS with
    /// a certificate.
    ///
    /// # Errors
    ///
    /// The port is taken.
    pub async fn start(port: u16, tls: Option<Tls>) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let url = format!("{}://{}", Tls::scheme(tls.as_ref()), listener.local_addr()?);
        let service = Arc::new(Service {
            plan: Mutex::new(faults::Plan::new(0)),
            journal: Arc::new(Journal::new(None)?),
            events: Mutex::default(),
        });
        let server =
            tokio::spawn(connections::serve(listener, Arc::clone(&service), tls.map(|tls| tls.acceptor)));
        Ok(Self { service, url, server })
    }

    /// The endpoint, for `AWS_ENDPOINT_URL_EVENTBRIDGE`.
    #[must_use]
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// Adds a rule behind those that are there.
    pub fn fault(&self, rule: Rule) {
        self.plan().add(rule);
    }

    /// Removes every rule.
    pub fn clear_faults(&self) {
        self.plan().clear();
    }

    fn plan(&self) -> MutexGuard<'_, faults::Plan<Fault>> {
        self.service.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Every event that was taken, in order, also where the answer was lost.
    #[must_use]
    pub fn events(&self) -> Vec<Event> {
        self.service.events().clone()
    }

    /// Forgets the events so far.
    pub fn clear(&self) {
        self.service.events().clear();
        self.service.journal.clear();
    }

    /// Every request so far, in order.
    #[must_use]
    pub fn journal(&self) -> Vec<Entry> {
        self.service.journal.entries()
    }

    /// Waits until the journal is as somebody wants it, its open entries included.
    pub async fn until(&self, reached: impl FnMut(&[Entry]) -> bool) {
        self.service.journal.until(reached).await;
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl fmt::Debug for Bus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Bus").field("url", &self.url).finish_non_exhaustive()
    }
}
