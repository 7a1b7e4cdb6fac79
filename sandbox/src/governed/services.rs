//! The table, the queues and the event bus of a stack.

use super::{CHANGE_QUEUE, FAILED_QUEUE, INTAKE_FAILED_QUEUE, INTAKE_QUEUE, PARKED_QUEUE};
use crate::bus::Bus;
use crate::lambda::Launch;
use crate::ledger::{self, Ledger};
use crate::queue::{self, Queues, Settings};
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// How long the queues keep a message: 14 days, the longest that Amazon SQS does.
const RETENTION: Duration = Duration::from_hours(14 * 24);

/// What the functions of a stack share besides Amazon Connect; dropping it stops them.
#[derive(Debug)]
pub struct Services {
    /// The table.
    pub ledger: Ledger,
    /// The queues, as the project's template has them.
    pub queues: Arc<Queues>,
    /// The bus that hears of every run that ends.
    pub bus: Bus,
}

impl Services {
    /// Starts them; the bus takes a free port, and the table's certificate.
    ///
    /// # Errors
    ///
    /// A port is taken.
    pub async fn start(ledger: ledger::Options, queues: queue::Options) -> io::Result<Self> {
        let tls = ledger.tls.clone();
        let ledger = Ledger::start(ledger).await?;
        let queues = Queues::start(queues).await?;
        Ok(Self { ledger, queues: Arc::new(queues), bus: Bus::start(0, tls).await? })
    }

    /// The queues of the project's template, at a port.
    #[must_use]
    pub fn queues(port: u16) -> queue::Options {
        let queues = [
            Settings::new(INTAKE_QUEUE)
                .visibility_timeout(Duration::from_mins(6))
                .content_based_deduplication()
                .dead_letters(INTAKE_FAILED_QUEUE, 100),
            Settings::new(CHANGE_QUEUE)
                .visibility_timeout(Duration::from_mins(30))
                .content_based_deduplication()
                .dead_letters(FAILED_QUEUE, 1_000),
            Settings::new(INTAKE_FAILED_QUEUE),
            Settings::new(FAILED_QUEUE),
            Settings::new(PARKED_QUEUE),
        ];
        let queues = queues.map(|settings| Settings { retention: RETENTION, ..settings }).into();
        queue::Options { port, queues, ..queue::Options::default() }
    }

    /// A launch with the variables that every function gets: endpoints, the table, the queues, the bus, who may be
    /// answered.
    #[must_use]
    pub fn launch(&self, launch: Launch) -> Launch {
        launch
            .env("AWS_ENDPOINT_URL_DYNAMODB", self.ledger.url())
            .env("AWS_ENDPOINT_URL_SQS", self.queues.url())
            .env("AWS_ENDPOINT_URL_EVENTBRIDGE", self.bus.url())
            .env("OUTCOME_BUS", crate::bus::NAME)
            .env("LEDGER_TABLE", self.ledger.table())
            // whoever asks as CloudFormation does is on this machine
            .env("ANSWER_LOOPBACK", "true")
            .env("INTAKE_QUEUE_URL", self.queues.queue_url(INTAKE_QUEUE))
            .env("CHANGE_QUEUE_URL", self.queues.queue_url(CHANGE_QUEUE))
            .env("PARKED_QUEUE_URL", self.queues.queue_url(PARKED_QUEUE))
    }
}
