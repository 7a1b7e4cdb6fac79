//! An event source mapping: what takes messages from a queue to a function.
//!
//! ```text
//!   queue ──► receive ──► SQS event ──► one of `concurrency` function processes
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

use crate::journal::{Journal, Line};
use crate::lambda::{Answer, Function, Launch};
use crate::queue::{Queues, Received};
use std::io;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use time::OffsetDateTime;
use tokio::sync::{Semaphore, watch};
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
    /// The most invocations at once, each in a process of its own.
    pub concurrency: NonZeroUsize,
    /// Whether the answer's `batchItemFailures` count (`ReportBatchItemFailures`). Without it, an answer deletes
    /// the whole batch.
    pub reports_failures: bool,
}

impl Options {
    /// One message an event, two invocations at once, failures reported.
    pub fn new(queue: impl Into<String>) -> Self {
        let concurrency = NonZeroUsize::MIN.saturating_add(1);
        Self { queue: queue.into(), batch_size: 1, concurrency, reports_failures: true }
    }
}

/// A running event source mapping with its function; dropping it ends both.
#[derive(Debug)]
pub struct Mapping {
    shared: Arc<Shared>,
    dispatcher: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    options: Options,
    launch: Launch,
    queues: Arc<Queues>,
    /// Every process that was started, and whether it is free.
    environments: Mutex<Vec<(Arc<Function>, bool)>>,
    journal: Arc<Journal<Delivery>>,
    enabled: watch::Sender<bool>,
}

impl Mapping {
    /// Starts to take messages to a function. Its processes start when they are needed.
    ///
    /// # Errors
    ///
    /// There is no such queue or no such program, the batch size is not from 1 to 10, or the queue's visibility timeout
    /// is shorter than the function's timeout, which Lambda refuses too.
    pub fn start(queues: Arc<Queues>, launch: Launch, options: Options) -> io::Result<Self> {
        check(&queues, &launch, &options)?;
        let shared = Arc::new(Shared {
            options,
            launch,
            queues,
            environments: Mutex::new(Vec::new()),
            journal: Arc::new(Journal::new(None)?),
            enabled: watch::Sender::new(true),
        });
        let dispatcher = tokio::spawn(dispatch(Arc::clone(&shared)));
        Ok(Self { shared, dispatcher })
    }

    /// Every process that was started so far, to be looked at or killed. A killed one is started again when it is
    /// needed.
    #[must_use]
    pub fn functions(&self) -> Vec<Arc<Function>> {
        self.shared.environments().iter().map(|(function, _)| Arc::clone(function)).collect()
    }

    /// Every invocation so far, in the order in which they began.
    #[must_use]
    pub fn deliveries(&self) -> Vec<Delivery> {
        self.shared.journal.entries()
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
    }
}

impl Shared {
    fn environments(&self) -> MutexGuard<'_, Vec<(Arc<Function>, bool)>> {
        self.environments.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A process that was used before and is free; its number.
    fn warm(&self) -> Option<(usize, Arc<Function>)> {
        let mut environments = self.environments();
        let (number, (function, is_free)) =
            environments.iter_mut().enumerate().find(|(_, (_, is_free))| *is_free)?;
        *is_free = false;
        Some((number, Arc::clone(function)))
    }

    /// A process to invoke, a new one if there is no other; its number.
    async fn environment(&self) -> io::Result<(usize, Arc<Function>)> {
        if let Some((number, function)) = self.warm() {
            return match function.ensure_running().await {
                Ok(()) => Ok((number, function)),
                Err(error) => {
                    self.release(number);
                    Err(error)
                }
            };
        }
        let function = Arc::new(Function::start(self.launch.clone()).await?);
        let mut environments = self.environments();
        environments.push((Arc::clone(&function), false));
        Ok((environments.len() - 1, function))
    }

    fn release(&self, number: usize) {
        if let Some((_, is_free)) = self.environments().get_mut(number) {
            *is_free = true;
        }
    }

    /// Deletes what did not fail; the ids of what was deleted.
    fn settle(&self, batch: &[Received], answer: &Answer) -> Vec<String> {
        let failed = failures::of(batch, answer, self.options.reports_failures);
        let mut deleted = Vec::new();
        for received in batch.iter().filter(|received| !failed.contains(&received.message.id)) {
            // Refused if the visibility timeout has passed: the message comes again, as in Lambda.
            if self.queues.delete(&self.options.queue, &received.handle) {
                deleted.push(received.message.id.clone());
            }
        }
        deleted
    }
}

/// Takes a batch whenever a process may work on it.
async fn dispatch(shared: Arc<Shared>) {
    let places = Arc::new(Semaphore::new(shared.options.concurrency.get()));
    let mut enabled = shared.enabled.subscribe();
    // Dropped with this future, and every invocation with it.
    let mut under_way = JoinSet::new();
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        while under_way.try_join_next().is_some() {}
        let batch = loop {
            if enabled.wait_for(|enabled| *enabled).await.is_err() {
                return;
            }
            let receive = shared.queues.receive(&shared.options.queue, shared.options.batch_size, WAIT);
            let batch = tokio::select! {
                batch = receive => batch,
                _ = enabled.wait_for(|enabled| !*enabled) => continue,
            };
            if !batch.is_empty() {
                break batch;
            }
        };
        let mut line = shared.journal.open(Delivery::of(&batch, OffsetDateTime::now_utc()));
        match shared.environment().await {
            Ok((number, function)) => {
                line.write(|delivery| delivery.process = Some(number));
                let shared = Arc::clone(&shared);
                under_way.spawn(async move {
                    deliver(&shared, &function, batch, line).await;
                    shared.release(number);
                    drop(place);
                });
            }
            // The messages come again after their visibility timeout.
            Err(error) => crate::journal::warn(Err(error)),
        }
    }
}

/// Invokes the function with a batch.
async fn deliver(shared: &Shared, function: &Function, batch: Vec<Received>, mut line: Line<Delivery>) {
    let payload = event::of(&shared.options.queue, &batch).to_string();
    let invocation = function.invoke(payload.as_bytes()).await;
    let deleted = shared.settle(&batch, &invocation.outcome);
    line.write(|delivery| {
        delivery.request_id = Some(invocation.request_id);
        delivery.duration = invocation.duration;
        delivery.deleted = deleted;
        delivery.answer = Some(invocation.outcome);
    });
}

fn check(queues: &Queues, launch: &Launch, options: &Options) -> io::Result<()> {
    let refused = |message: String| Err(io::Error::new(io::ErrorKind::InvalidInput, message));
    let Some(visibility) = queues.visibility_timeout(&options.queue) else {
        return refused(format!("there is no queue `{}`", options.queue));
    };
    if !(1..=10).contains(&options.batch_size) {
        return refused(format!("a batch of {} messages is not from 1 to 10", options.batch_size));
    }
    if visibility < launch.timeout {
        return refused(format!(
            "the visibility timeout of `{}`, {} s, is less than the function's timeout, {} s",
            options.queue,
            visibility.as_secs(),
            launch.timeout.as_secs()
        ));
    }
    if !launch.binary.is_file() {
        return refused(format!("there is no program `{}`", launch.binary.display()));
    }
    Ok(())
}
