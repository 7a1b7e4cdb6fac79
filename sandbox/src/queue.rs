//! Amazon SQS on loopback: the queues that a stack has, with faults.
//!
//! The operations that producers, consumers and people need, written against the service's API reference and developer
//! guide; the queues are those that are given at the start. Any signature is accepted. `conformance/` has boto3 judge
//! it, and compares it with moto's SQS.
//!
//! ```no_run
//! # async fn example() -> std::io::Result<()> {
//! use sandbox::queue::{Fault, Operation, Options, Queues, Rule, Settings};
//!
//! let queues = [Settings::new("changes.fifo").dead_letters("failed.fifo", 5), Settings::new("failed.fifo")];
//! let queues = Queues::start(Options { queues: queues.into(), ..Options::default() }).await?;
//! queues.fault(Rule::new(Fault::AnswerLost).on(Operation::SendMessage).nth(1));
//! println!("point AWS_ENDPOINT_URL_SQS at {}", queues.url());
//! # Ok(())
//! # }
//! ```
//!
//! # Why not a library
//!
//! Looked at on the registry: `rustack-sqs-core` 0.12.0 and its HTTP crate, and `fakecloud-sqs` 0.51.0. The second is
//! AGPL. The first gives one message of a group in each receive, where Amazon SQS gives as many as it can, so that a
//! batch of one group never reaches a function; it returns several messages of a group in the order of a hash map when
//! their visibility ends together; it always begins with the group whose name sorts first, so that one busy lane keeps
//! the others waiting; and its time cannot be moved, so that 5 minutes of deduplication take 5 minutes. What is used of
//! Amazon SQS here is small enough to be right.

mod action;
mod entry;
mod fault;
mod message;
mod operation;
mod receipt;
mod refusal;
mod service;
mod settings;
mod shelf;
mod store;

use crate::connections;
use crate::faults;
use crate::journal::Journal;
use service::Service;
use shelf::Shelf;
use std::fmt;
use std::io;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub use entry::Entry;
pub use fault::Fault;
pub use message::{Attribute, Message};
pub use operation::Operation;
pub(crate) use settings::arn;
pub use settings::{DeadLetters, Settings};
pub(crate) use store::Received;

/// A fault of the queues, and the calls that get it.
pub type Rule = faults::Rule<Fault>;

/// How [`Queues`] are started.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The port on 127.0.0.1; 0 takes a free one.
    pub port: u16,
    /// The queues that there are.
    pub queues: Vec<Settings>,
    /// The same seed and the same order of requests give the same faults by chance.
    pub seed: u64,
}

/// A running Amazon SQS.
///
/// Dropping it closes its port and every connection, and forgets the messages.
pub struct Queues {
    service: Arc<Service>,
    server: JoinHandle<()>,
}

impl Queues {
    /// Starts serving on 127.0.0.1, within the current tokio runtime, with empty queues.
    ///
    /// # Errors
    ///
    /// The port is taken, or a dead-letter queue is missing or of the other kind.
    pub async fn start(options: Options) -> io::Result<Self> {
        check(&options.queues)?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await?;
        let endpoint = format!("http://{}", listener.local_addr()?);
        let service = Arc::new(Service {
            plan: Mutex::new(faults::Plan::new(options.seed)),
            journal: Arc::new(Journal::new(None)?),
            shelf: Arc::new(Shelf::new(options.queues)),
            endpoint,
        });
        let server = tokio::spawn(connections::serve(listener, Arc::clone(&service), None));
        Ok(Self { service, server })
    }

    /// The endpoint, for `AWS_ENDPOINT_URL_SQS`; without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        self.service.endpoint.clone()
    }

    /// The URL of a queue, for `CHANGE_QUEUE_URL` and its like.
    #[must_use]
    pub fn queue_url(&self, queue: &str) -> String {
        action::url(&self.service.endpoint, queue)
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

    /// Forgets what was received so far.
    pub fn clear_journal(&self) {
        self.service.journal.clear();
    }

    /// Waits until the journal is as somebody wants it, its open entries included.
    pub async fn until(&self, reached: impl FnMut(&[Entry]) -> bool) {
        self.service.journal.until(reached).await;
    }

    /// Every message of a queue in the order in which they were sent, also those in flight; none of an unknown queue.
    #[must_use]
    pub fn messages(&self, queue: &str) -> Vec<Message> {
        self.service.shelf.messages(queue).unwrap_or_default()
    }

    /// Receives messages for an event source mapping, which is no client: neither faults nor the journal know it.
    pub(crate) async fn receive(&self, queue: &str, at_most: usize, wait: Duration) -> Vec<Received> {
        self.service.shelf.receive(queue, at_most, None, Some(wait)).await.unwrap_or_default()
    }

    /// Deletes a received message for an event source mapping; whether the queue did.
    pub(crate) fn delete(&self, queue: &str, handle: &str) -> bool {
        self.service.shelf.with(queue, |store, now| store.delete(handle, now)).is_ok()
    }

    /// A queue's own visibility timeout; `None` if there is no such queue.
    pub(crate) fn visibility_timeout(&self, queue: &str) -> Option<Duration> {
        self.service.shelf.look(queue, |store, _| store.settings.visibility_timeout).ok()
    }

    /// Lets so much time pass at once for what is invisible, remembered or kept for a time.
    ///
    /// `SentTimestamp` and the journal have the real time.
    pub fn advance(&self, by: Duration) {
        self.service.shelf.advance(by);
    }
}

impl Drop for Queues {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl fmt::Debug for Queues {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Queues").field("url", &self.url()).finish_non_exhaustive()
    }
}

/// The dead-letter queues are there, and of the same kind as those that they serve ("`SetQueueAttributes`").
fn check(queues: &[Settings]) -> io::Result<()> {
    for queue in queues {
        let Some(policy) = &queue.dead_letters else { continue };
        let is_there = queues.iter().any(|other| other.name == policy.queue);
        if !is_there || policy.queue.as_bytes().ends_with(b".fifo") != queue.is_fifo() {
            let message =
                format!("`{}` has no dead-letter queue `{}` of its own kind", queue.name, policy.queue);
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
    }
    Ok(())
}
