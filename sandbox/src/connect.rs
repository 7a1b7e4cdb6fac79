//! Amazon Connect's protocol on loopback.
//!
//! Five operations of the service model (`connect`, rest-json) with the quota, the errors and the
//! signatures of the real service, over real HTTP. It is written against the published model and
//! not against any client: a wrong request gets an error.
//!
//! ```no_run
//! # async fn example() -> std::io::Result<()> {
//! use sandbox::connect::{Connect, Fault, Operation, Options};
//!
//! let connect = Connect::start(Options::default()).await?;
//! connect.script(Operation::UpdateAttachedFilesConfiguration, [Some(Fault::Throttle), None]);
//! println!("point AWS_ENDPOINT_URL_CONNECT at {}", connect.url());
//! # Ok(())
//! # }
//! ```

use std::{
    fmt, io,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use time::OffsetDateTime;
use tokio::{net::TcpListener, sync::mpsc, task::JoinHandle};

use crate::connections;
use crate::journal::warn;
use crate::tls::Tls;

mod answer;
mod caller;
mod change;
mod command;
mod configuration;
mod document;
mod entry;
mod fault;
mod instance;
mod operation;
mod page;
mod quota;
mod reference;
mod refusal;
mod scope;
mod service;
mod sigv4;
mod state;

pub use configuration::{Configuration, DEFAULT_EXTENSIONS, DEFAULT_SIZE, LARGEST_SIZE, SMALLEST_SIZE};
pub use entry::Entry;
pub use fault::{Fault, UnknownFault};
pub use instance::{DEFAULT_ACCOUNT, Instance, InstanceStatus, InvalidInstanceArn};
pub use operation::{Operation, UnknownOperation};
pub use quota::Rate;
pub use scope::{Scope, UnknownScope};

/// How a [`Connect`] behaves.
///
/// The default is three instances without quota, latency or faults, so that a test names only
/// what it is about.
#[derive(Clone, Debug)]
pub struct Options {
    /// The port on 127.0.0.1; 0 takes a free one.
    pub port: u16,
    /// HTTPS, with a certificate of this run; see [`Connect::tls`].
    pub tls: bool,
    /// The instances that exist at the start.
    pub instances: Vec<Instance>,
    /// The quota of each account and Region; `None` for no quota.
    pub rate: Option<Rate>,
    /// How long every request takes before it has its effect.
    pub latency: Duration,
    /// Random faults: each with its probability, from 0 to 1, for a request. A request gets at most
    /// one of them.
    pub faults: Vec<(Fault, f64)>,
    /// The same seed and the same order of requests give the same faults.
    pub seed: u64,
    /// A file of JSON that keeps the instances and what they allow. It is read at the start if it
    /// exists, those of `instances` that it lacks are added, and it is written after every change.
    pub state: Option<PathBuf>,
    /// A file that gets every entry of the journal, as a line of JSON, before its client gets the
    /// answer.
    pub journal: Option<PathBuf>,
    /// The clock of `LastModifiedTime` and the journal; the quota has its own.
    pub clock: fn() -> OffsetDateTime,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            port: 0,
            tls: false,
            instances: (1..=3).map(Instance::numbered).collect(),
            rate: None,
            latency: Duration::ZERO,
            faults: Vec::new(),
            seed: 0,
            state: None,
            journal: None,
            clock: OffsetDateTime::now_utc,
        }
    }
}

/// A running Amazon Connect.
///
/// Dropping it closes its port and every connection.
pub struct Connect {
    address: SocketAddr,
    tls: Option<Tls>,
    service: Arc<service::Service>,
    server: JoinHandle<()>,
}

impl Connect {
    /// Starts serving on 127.0.0.1, within the current tokio runtime.
    ///
    /// # Errors
    ///
    /// The port is taken, the state file or the journal cannot be read or written, or no certificate
    /// can be made.
    pub async fn start(options: Options) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await?;
        let address = listener.local_addr()?;
        let tls = options.tls.then(Tls::new).transpose()?;
        let acceptor = tls.as_ref().map(|tls| tls.acceptor.clone());
        let service = Arc::new(service::Service::new(options)?);
        let server = tokio::spawn(connections::serve(listener, Arc::clone(&service), acceptor));
        Ok(Self { address, tls, service, server })
    }

    /// The endpoint, for `AWS_ENDPOINT_URL_CONNECT`; without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}://{}", Tls::scheme(self.tls.as_ref()), self.address)
    }

    /// The certificate, whose CA clients have to trust; `None` without TLS.
    #[must_use]
    pub const fn tls(&self) -> Option<&Tls> {
        self.tls.as_ref()
    }

    /// Everything received so far, in order.
    #[must_use]
    pub fn journal(&self) -> Vec<Entry> {
        self.service.journal.entries()
    }

    /// Forgets what was received so far.
    pub fn clear_journal(&self) {
        self.service.journal.clear();
    }

    /// Every entry from now on, each once, when it is complete.
    ///
    /// For reporting while serving. An entry without a status is complete too: its connection
    /// ended without an answer.
    #[must_use]
    pub fn follow(&self) -> mpsc::UnboundedReceiver<Entry> {
        self.service.journal.follow()
    }

    /// What a scope of an instance, named by its id, allows: what it was set to, else the
    /// defaults. `None` if there is no such instance.
    #[must_use]
    pub fn configuration(&self, instance_id: &str, scope: Scope) -> Option<Configuration> {
        lock(&self.service.state).effective(instance_id, scope)
    }

    /// Sets what a scope allows without a request, as a change at the console would.
    ///
    /// A configuration without a time gets the current one. Nothing is checked, the journal gets no
    /// entry, and an unknown instance is ignored.
    pub fn put(&self, instance_id: &str, scope: Scope, configuration: Configuration) {
        let written = configuration.last_modified.unwrap_or_else(self.service.clock);
        let configuration =
            Configuration { last_modified: Some(document::to_the_millisecond(written)), ..configuration };
        warn(lock(&self.service.state).configure(instance_id, scope, configuration));
    }

    /// Adds an instance, or replaces the one with its id, whose configurations stay.
    pub fn add_instance(&self, instance: Instance) {
        warn(lock(&self.service.state).add(instance));
    }

    /// Removes an instance and its configurations, as if somebody had deleted it.
    pub fn remove_instance(&self, instance_id: &str) {
        warn(lock(&self.service.state).remove(instance_id));
    }

    /// The instances of every account and Region, in the order of their ids.
    #[must_use]
    pub fn instances(&self) -> Vec<Instance> {
        lock(&self.service.state).instances().cloned().collect()
    }

    /// Sets the faults of the next requests of an operation, in order; `None` is a request without
    /// one.
    ///
    /// They follow those that were scripted before. Only requests that are signed and within the
    /// quota count.
    pub fn script(&self, operation: Operation, faults: impl IntoIterator<Item = Option<Fault>>) {
        lock(&self.service.faults).script(operation, faults);
    }

    /// Sets the fault of every request of an operation, until `None` unsets it.
    ///
    /// A script comes first; the random faults come last.
    pub fn always(&self, operation: Operation, fault: Option<Fault>) {
        lock(&self.service.faults).always(operation, fault);
    }

    /// Sets the fault of every request of an account to a Region, until `None` unsets it.
    ///
    /// A script comes first; what [`Connect::always`] sets comes after it.
    pub fn always_in(&self, account: &str, region: &str, fault: Option<Fault>) {
        lock(&self.service.faults).always_in((account, region), fault);
    }
}

impl Drop for Connect {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl fmt::Debug for Connect {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Connect").field("url", &self.url()).finish_non_exhaustive()
    }
}

/// Locks, also after a panic elsewhere: every change here is whole or not made.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
