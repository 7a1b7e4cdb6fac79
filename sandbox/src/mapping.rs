//! An event source mapping: what takes messages from a queue to a function.
//!
//! ```text
//!   queue ──► receive ──► SQS event ──► one of the function's processes
//!     ▲                                        │
//!     └── delete what did not fail ◄───────────┘
//! ```
//!
//! As AWS's Lambda developer guide describes it ("Using Lambda with Amazon SQS", "Handling errors for an SQS event
//! source"). What failed is left alone, so that it is visible again when its visibility timeout has passed, also when
//! the process was killed. A FIFO queue gives nothing of a group while a message of it is in flight, and so a group has
//! at most one invocation at a time, unless an invocation outlasts the visibility timeout.

mod delivery;
mod event;
mod failures;

use crate::journal::{Journal, Line, warn};
use crate::lambda::{Fleet, Lease};
use crate::queue::{Queues, Received};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use time::OffsetDateTime;
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinHandle, JoinSet};

pub use delivery::{Delivered, Delivery};

/// How long one receive waits; the next one follows at once.
const WAIT: Duration = Duration::from_secs(20);

/// How a [`Mapping`] is made.
#[derive(Clone, Debug)]
pub struct Options {
    /// The name of the queue.
    pub queue: String,
    /// The most messages of an event, from 1 to 10.
    pub batch_size: usize,
    /// Whether the answer's `batchItemFailures` count (`ReportBatchItemFailures`). Without it, an answer deletes
    /// the whole batch.
    pub reports_failures: bool,
}

impl Options {
    /// One message an event, failures reported.
    pub fn new(queue: impl Into<String>) -> Self {
        Self { queue: queue.into(), batch_size: 1, reports_failures: true }
    }
}

/// A running event source mapping; dropping it ends it, and the processes of its function.
#[derive(Debug)]
pub struct Mapping {
    shared: Arc<Shared>,
    dispatcher: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    options: Options,
    fleet: Arc<Fleet>,
    queues: Arc<Queues>,
    journal: Arc<Journal<Delivery>>,
    enabled: watch::Sender<bool>,
}

impl Mapping {
    /// Starts to take messages to a function, with as many invocations at once as the fleet allows.
    ///
    /// # Errors
    ///
    /// There is no such queue, the batch size is not from 1 to 10, or the queue's visibility timeout is shorter than the
    /// function's timeout, which Lambda refuses too.
    pub fn start(queues: Arc<Queues>, fleet: Arc<Fleet>, options: Options) -> io::Result<Self> {
        check(&queues, &fleet, &options)?;
        let shared = Arc::new(Shared {
            options,
            fleet,
            queues,
            journal: Arc::new(Journal::new(None)?),
            enabled: watch::Sender::new(true),
        });
        let dispatcher = tokio::spawn(dispatch(Arc::clone(&shared)));
        Ok(Self { shared, dispatcher })
    }

    /// The function.
    #[must_use]
    pub fn fleet(&self) -> &Arc<Fleet> {
        &self.shared.fleet
    }

    /// Every invocation so far, in the order in which they began.
    #[must_use]
    pub fn deliveries(&self) -> Vec<Delivery> {
        self.shared.journal.entries()
    }

    /// Forgets the invocations so far.
    pub fn clear_journal(&self) {
        self.shared.journal.clear();
    }

    /// Every invocation from now on, each once, when it has ended.
    #[must_use]
    pub fn follow(&self) -> mpsc::UnboundedReceiver<Delivery> {
        self.shared.journal.follow()
    }

    /// Waits until the deliveries are as somebody wants them, those under way included.
    pub async fn until(&self, reached: impl FnMut(&[Delivery]) -> bool) {
        self.shared.journal.until(reached).await;
    }

    /// Takes messages, or takes none until it is enabled again. Invocations under way go on.
    pub fn enable(&self, enabled: bool) {
        self.shared.enabled.send_replace(enabled);
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        self.dispatcher.abort();
        self.shared.fleet.close();
    }
}

impl Shared {
    /// Receives a batch, when there is one and the mapping is enabled; `None` when the mapping has ended.
    async fn batch(&self) -> Option<Vec<Received>> {
        let mut enabled = self.enabled.subscribe();
        loop {
            enabled.wait_for(|enabled| *enabled).await.ok()?;
            let batch = tokio::select! {
                batch = self.queues.receive(&self.options.queue, self.options.batch_size, WAIT) => batch,
                _ = enabled.wait_for(|enabled| !*enabled) => continue,
            };
            if !batch.is_empty() {
                return Some(batch);
            }
        }
    }

    /// Invokes the function with a batch, and deletes what did not fail.
    async fn deliver(&self, lease: Lease, batch: Vec<Received>, mut line: Line<Delivery>) {
        let payload = event::of(&self.options.queue, &batch).to_string();
        let invocation = lease.function().invoke(payload.as_bytes()).await;
        drop(lease);
        let failed = failures::of(&batch, &invocation.outcome, self.options.reports_failures);
        let mut deleted = Vec::new();
        for received in batch.iter().filter(|received| !failed.contains(&received.message.id)) {
            // Refused if the visibility timeout has passed: the message comes again, as in Lambda.
            if self.queues.delete(&self.options.queue, &received.handle) {
                deleted.push(received.message.id.clone());
            }
        }
        line.write(|delivery| {
            delivery.request_id = Some(invocation.request_id);
            delivery.duration = invocation.duration;
            delivery.deleted = deleted;
            delivery.answer = Some(invocation.outcome);
        });
    }
}

/// Takes a batch whenever a process may work on it.
async fn dispatch(shared: Arc<Shared>) {
    // Dropped with this future, and every invocation with it.
    let mut under_way = JoinSet::new();
    loop {
        while under_way.try_join_next().is_some() {}
        if under_way.len() == shared.fleet.most().get() {
            under_way.join_next().await;
        }
        let Some(batch) = shared.batch().await else { return };
        let mut line = shared.journal.open(Delivery::of(&batch, OffsetDateTime::now_utc()));
        match shared.fleet.occupy().await {
            Ok(lease) => {
                line.write(|delivery| delivery.process = Some(lease.number()));
                let shared = Arc::clone(&shared);
                under_way.spawn(async move { shared.deliver(lease, batch, line).await });
            }
            // The messages come again after their visibility timeout.
            Err(error) => warn(Err(error)),
        }
    }
}

fn check(queues: &Queues, fleet: &Fleet, options: &Options) -> io::Result<()> {
    let refused = |message: String| Err(io::Error::new(io::ErrorKind::InvalidInput, message));
    let Some(visibility) = queues.visibility_timeout(&options.queue) else {
        return refused(format!("there is no queue `{}`", options.queue));
    };
    if !(1..=10).contains(&options.batch_size) {
        return refused(format!("a batch of {} messages is not from 1 to 10", options.batch_size));
    }
    let timeout = fleet.launch().timeout;
    if visibility < timeout {
        return refused(format!(
            "the visibility timeout of `{}`, {} s, is less than the function's timeout, {} s",
            options.queue,
            visibility.as_secs(),
            timeout.as_secs()
        ));
    }
    Ok(())
}
