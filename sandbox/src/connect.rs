//! Amazon Connect's protocol on loopback.
//!
//! Five operations of the service model (`connect`, rest-json) with the quota, the errors and the
//! signatures of the real service, so that a real client meets real HTTP. It is written against
//! the published model and not against any client: a wrong request gets an error.
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

use tls::Tls;

mod answer;
mod caller;
mod change;
mod command;
mod configuration;
mod document;
mod fault;
mod instance;
mod journal;
mod operation;
mod page;
mod quota;
mod reference;
mod refusal;
mod scope;
mod server;
mod service;
mod sigv4;
mod state;
mod tls;

pub use configuration::{Configuration, DEFAULT_EXTENSIONS, DEFAULT_SIZE, LARGEST_SIZE, SMALLEST_SIZE};
pub use fault::{Fault, UnknownFault};
pub use instance::{DEFAULT_ACCOUNT, Instance, InstanceStatus, NoInstanceArn};
pub use journal::Entry;
pub use operation::{Operation, UnknownOperation};
pub use quota::Rate;
pub use scope::{Scope, UnknownScope};

/// How a [`Connect`] behaves.
///
/// The default serves three instances at once and without fail, so that a test names only what
/// it is about.
#[derive(Clone, Debug)]
pub struct Options {
    /// The port on 127.0.0.1; 0 takes a free one.
    pub port: u16,
    /// HTTPS, with a certificate of this run; see [`Connect::ca_pem`].
    pub tls: bool,
    /// What exists from the start.
    pub instances: Vec<Instance>,
    /// The quota of each account and Region; none throttles nobody.
    pub rate: Option<Rate>,
    /// How long every request takes before it has its effect.
    pub latency: Duration,
    /// Faults by chance: each with its probability, from 0 to 1, for one request. Of one request
    /// at most one of them is played.
    pub faults: Vec<(Fault, f64)>,
    /// The same seed and the same order of requests meet the same faults.
    pub seed: u64,
    /// A file of JSON that keeps the instances and what they allow: read at the start if it
    /// exists, with `instances` it does not hold added, and written after every change.
    pub state: Option<PathBuf>,
    /// What time it is, for `LastModifiedTime` and the journal; the quota has its own clock.
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
            clock: OffsetDateTime::now_utc,
        }
    }
}

/// A running Amazon Connect.
///
/// Dropping it closes its port and every connection.
pub struct Connect {
    address: SocketAddr,
    ca_pem: Option<String>,
    service: Arc<service::Service>,
    server: JoinHandle<()>,
}

impl Connect {
    /// Starts serving on 127.0.0.1, within the current tokio runtime.
    ///
    /// # Errors
    ///
    /// The port is taken, the state file cannot be read or written, or no certificate can be made.
    pub async fn start(options: Options) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await?;
        let address = listener.local_addr()?;
        let tls = options.tls.then(Tls::new).transpose()?;
        let (acceptor, ca_pem) = tls.map(|tls| (tls.acceptor, tls.ca_pem)).unzip();
        let service = Arc::new(service::Service::new(options)?);
        let server = tokio::spawn(server::serve(listener, Arc::clone(&service), acceptor));
        Ok(Self { address, ca_pem, service, server })
    }

    /// The endpoint, for `AWS_ENDPOINT_URL_CONNECT`; without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.ca_pem.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// The certificate of the CA that HTTPS has to be trusted by, as PEM; `None` without TLS.
    #[must_use]
    pub fn ca_pem(&self) -> Option<&str> {
        self.ca_pem.as_deref()
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
    /// For whoever reports while serving. An entry without a status is complete too: its
    /// connection ended without an answer.
    #[must_use]
    pub fn follow(&self) -> mpsc::UnboundedReceiver<Entry> {
        self.service.journal.follow()
    }

    /// What a scope of an instance, named by its id, allows: what it was set to, else the
    /// defaults; none if there is no such instance.
    #[must_use]
    pub fn configuration(&self, instance_id: &str, scope: Scope) -> Option<Configuration> {
        lock(&self.service.state).effective(instance_id, scope)
    }

    /// Sets what a scope allows around the API, as somebody at the console would.
    ///
    /// Without a time it is written now; nothing is checked and nothing is in the journal. Of an
    /// instance that does not exist nothing is set.
    pub fn put(&self, instance_id: &str, scope: Scope, configuration: Configuration) {
        let written = configuration.last_modified.unwrap_or_else(self.service.clock);
        let configuration =
            Configuration { last_modified: Some(document::to_the_millisecond(written)), ..configuration };
        warn(lock(&self.service.state).configure(instance_id, scope, configuration));
    }

    /// Adds an instance, or replaces the one of its id, which keeps what it allows.
    pub fn add_instance(&self, instance: Instance) {
        warn(lock(&self.service.state).add(instance));
    }

    /// Removes an instance and what it allows, as if somebody had deleted it meanwhile.
    pub fn remove_instance(&self, instance_id: &str) {
        warn(lock(&self.service.state).remove(instance_id));
    }

    /// The instances of every account and Region, in the order of their ids.
    #[must_use]
    pub fn instances(&self) -> Vec<Instance> {
        lock(&self.service.state).instances().cloned().collect()
    }

    /// Says what happens to the next requests of an operation, in order; `None` lets one pass.
    ///
    /// Adds to what is scripted already. Only requests that are signed and within the quota count.
    pub fn script(&self, operation: Operation, faults: impl IntoIterator<Item = Option<Fault>>) {
        lock(&self.service.faults).script(operation, faults);
    }

    /// Says what happens to every request of an operation, after its script, until it is unset by
    /// `None`; it comes before chance.
    pub fn always(&self, operation: Operation, fault: Option<Fault>) {
        lock(&self.service.faults).always(operation, fault);
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

/// Shows what went wrong where the caller has no use for it.
#[expect(clippy::print_stderr, reason = "what went wrong is for the person at the terminal")]
fn warn(result: io::Result<()>) {
    if let Err(error) = result {
        eprintln!("sandbox: {error}");
    }
}
