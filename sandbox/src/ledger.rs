//! The ledger's table: an emulator of DynamoDB, with faults in front of it.
//!
//! ```text
//!   client ──► faults and journal ──► dynoxide, in memory, with the table of `table.json`
//! ```
//!
//! dynoxide (the crate `dynoxide-rs`) is a library and not ours; what is ours is what it does not have: throttling,
//! lost answers, conflicts of transactions, and a journal of the requests. Any signature is accepted.
//!
//! ```no_run
//! # async fn example() -> std::io::Result<()> {
//! use sandbox::ledger::{Fault, Ledger, Operation, Options, Rule};
//!
//! let ledger = Ledger::start(Options::default()).await?;
//! ledger.fault(Rule::new(Fault::AnswerLost).on(Operation::TransactWriteItems).nth(1));
//! println!("point AWS_ENDPOINT_URL_DYNAMODB at {}, LEDGER_TABLE at {}", ledger.url(), ledger.table());
//! # Ok(())
//! # }
//! ```

mod emulator;
mod entry;
mod fault;
mod operation;
mod service;

use crate::connections;
use crate::faults;
use crate::tls::Tls;
use emulator::Emulator;
use serde_json::Value;
use service::Service;
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, MutexGuard, PoisonError};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub use entry::{Entry, Key};
pub use fault::Fault;
pub use operation::Operation;

/// A fault of the table, and the calls that get it.
pub type Rule = faults::Rule<Fault>;

/// How a [`Ledger`] is started.
#[derive(Clone, Debug)]
pub struct Options {
    /// The port on 127.0.0.1; 0 takes a free one.
    pub port: u16,
    /// The table's name, for `LEDGER_TABLE`.
    pub table: String,
    /// The same seed and the same order of requests give the same faults by chance.
    pub seed: u64,
    /// HTTPS with this certificate.
    pub tls: Option<Tls>,
}

impl Default for Options {
    fn default() -> Self {
        Self { port: 0, table: "attachment-policy-ledger".to_owned(), seed: 0, tls: None }
    }
}

/// A running DynamoDB with the ledger's table.
///
/// Dropping it closes its port and every connection, and forgets the items.
pub struct Ledger {
    address: SocketAddr,
    scheme: &'static str,
    table: String,
    service: Arc<Service>,
    server: JoinHandle<()>,
    emulator: Emulator,
}

impl Ledger {
    /// Starts serving on 127.0.0.1, within the current tokio runtime, with an empty table.
    ///
    /// # Errors
    ///
    /// The port is taken, or the emulator does not take the table.
    pub async fn start(options: Options) -> io::Result<Self> {
        let emulator = Emulator::start(&options.table)?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await?;
        let address = listener.local_addr()?;
        let service = Arc::new(Service::new(emulator.address, options.seed)?);
        let scheme = Tls::scheme(options.tls.as_ref());
        let acceptor = options.tls.map(|tls| tls.acceptor);
        let server = tokio::spawn(connections::serve(listener, Arc::clone(&service), acceptor));
        Ok(Self { address, scheme, table: options.table, service, server, emulator })
    }

    /// The endpoint, for `AWS_ENDPOINT_URL_DYNAMODB`; without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    /// The table's name, for `LEDGER_TABLE`.
    #[must_use]
    pub fn table(&self) -> &str {
        &self.table
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

    /// Every request so far, in order.
    #[must_use]
    pub fn journal(&self) -> Vec<Entry> {
        self.service.journal.entries()
    }

    /// Forgets what was received so far; for [`Fault::Behind`] nothing was written before it.
    pub fn clear_journal(&self) {
        self.service.forget();
    }

    /// Waits until the journal is as somebody wants it, its open entries included.
    ///
    /// For tests that kill a function at an exact place: a request with [`Fault::NeverAnswered`] is `executed`, and
    /// its client waits.
    pub async fn until(&self, reached: impl FnMut(&[Entry]) -> bool) {
        self.service.journal.until(reached).await;
    }

    /// Every item of the table, in the order of its keys, as DynamoDB writes items in JSON.
    ///
    /// # Errors
    ///
    /// The emulator cannot read them.
    pub fn items(&self) -> io::Result<Vec<Value>> {
        let mut items = self.emulator.items()?;
        items.sort_by_cached_key(entry::key);
        Ok(items)
    }

    /// Deletes the items that have expired, as DynamoDB does within days; gives their number.
    ///
    /// # Errors
    ///
    /// The emulator cannot delete them.
    pub fn delete_expired(&self) -> io::Result<usize> {
        self.emulator.delete_expired()
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl fmt::Debug for Ledger {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Ledger").field("url", &self.url()).finish_non_exhaustive()
    }
}
