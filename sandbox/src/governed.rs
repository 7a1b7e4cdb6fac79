//! Governed mode on this machine: the table, the queues, and the functions round them.
//!
//! ```text
//!   HTTP, Invoke ──► api ───────┐              ┌──► sweep, once a minute
//!   intake.fifo ──► intake ─────┼──► table ◄───┼──► widget: pages to look at
//!                               └──► changes.fifo ──► worker × n ──► Amazon Connect
//!                     all of them ──► bus: every run that has ended
//! ```
//!
//! One program, started once for each function as a stack deploys it: with its own name, timeout and
//! `ACCEPTED_TRIGGERS`, all with the same table and queues. Amazon Connect is not part of it: the launch names it.
//!
//! ```no_run
//! # async fn example() -> std::io::Result<()> {
//! use sandbox::connect::{self, Connect};
//! use sandbox::governed::{Governed, Options};
//! use sandbox::lambda::{Invoke, Launch};
//!
//! let connect = Connect::start(connect::Options::default()).await?;
//! let launch = Launch::new("target/debug/connect-attachment-policy", &connect.url());
//! let governed = Governed::start(launch, Options::default()).await?;
//! let answer = governed.api().invoke(br#"{"instanceId": "*"}"#, Invoke::default()).await?;
//! governed.workers().fleet().functions()[0].kill().await;
//! # drop(answer);
//! # Ok(())
//! # }
//! ```

mod role;
mod services;

use crate::bus::Bus;
use crate::lambda::{Callable, Fleet, Invocation, Invoke, Launch};
use crate::ledger::{self, Ledger};
use crate::mapping::{self, Mapping};
use crate::queue::Queues;
use crate::schedule::Schedule;
use std::io;
use std::sync::Arc;
use std::time::Duration;

pub use role::Role;
pub use services::Services;

/// The queue of documents that wait to be recorded.
pub const INTAKE_QUEUE: &str = "intake.fifo";
/// The queue of lane messages.
pub const CHANGE_QUEUE: &str = "changes.fifo";
/// The queue of events parked for a person.
pub const PARKED_QUEUE: &str = "parked";
/// Where documents go that could not be recorded.
pub const INTAKE_FAILED_QUEUE: &str = "intake-failed.fifo";
/// Where lane messages go that were received too often.
pub const FAILED_QUEUE: &str = "failed.fifo";

/// What the sweep is invoked with.
const SWEEP: &str = r#"{"sweep": true}"#;

/// How a [`Governed`] is started. The defaults are those of the project's template.
#[derive(Clone, Debug)]
pub struct Options {
    /// The table.
    pub ledger: ledger::Options,
    /// The port of the queues on 127.0.0.1; 0 takes a free one.
    pub queue_port: u16,
    /// The function that answers HTTP, and bare changes.
    pub api: Role,
    /// The function that records what is in the intake queue.
    pub intake: Role,
    /// The function that carries out lanes; as many lanes at once as it may have processes.
    pub worker: Role,
    /// The function that looks after what was left behind, and at what CloudTrail has seen.
    pub sweep: Role,
    /// The function that shows what the table remembers.
    pub widget: Role,
    /// The function that takes the requests of CloudFormation resources.
    pub declare: Role,
    /// How often the sweep is invoked; `None`: only by [`Governed::run_sweep`].
    pub sweep_every: Option<Duration>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            ledger: ledger::Options::default(),
            queue_port: 0,
            api: Role::new(2, Duration::from_secs(28)),
            intake: Role::new(1, Duration::from_mins(1)),
            worker: Role::new(2, Duration::from_mins(5)),
            sweep: Role::new(1, Duration::from_mins(5)),
            widget: Role::new(2, Duration::from_secs(20)),
            declare: Role::new(2, Duration::from_mins(1)),
            sweep_every: Some(Duration::from_mins(1)),
        }
    }
}

/// A running stack; dropping it ends every process and closes every port.
#[derive(Debug)]
pub struct Governed {
    name: String,
    api: Arc<Fleet>,
    intake: Mapping,
    workers: Mapping,
    sweep: Arc<Fleet>,
    widget: Arc<Fleet>,
    declare: Arc<Fleet>,
    _schedule: Option<Schedule>,
    services: Services,
}

impl Governed {
    /// Starts the table, the queues, what feeds the functions, and the schedule.
    ///
    /// The launch says what all functions have in common: the program, Amazon Connect, further variables. Its name
    /// with `-api`, `-intake`, `-worker`, `-sweep`, `-widget` and `-declare` is theirs; its timeout does not count. Processes start when they are
    /// needed.
    ///
    /// # Errors
    ///
    /// A port is taken, there is no such program, or a timeout is longer than its queue's visibility timeout.
    pub async fn start(launch: Launch, options: Options) -> io::Result<Self> {
        let Options { ledger, queue_port, api, intake, worker, sweep, widget, declare, sweep_every } =
            options;
        let services = Services::start(ledger, Services::queues(queue_port)).await?;
        let base = services.launch(launch);
        let queues = || Arc::clone(&services.queues);
        let name = base.name().to_owned();
        let sweep = sweep.fleet(&base, "sweep", "sweep,cloudtrail")?;
        let intake = intake.fleet(&base, "intake", "sqs,eventbridge")?;
        let workers = worker.fleet(&base, "worker", "lane")?;
        Ok(Self {
            name,
            api: api.fleet(&base, "api", "http,bare")?,
            intake: Mapping::start(queues(), intake, mapping::Options::new(INTAKE_QUEUE))?,
            workers: Mapping::start(queues(), workers, mapping::Options::new(CHANGE_QUEUE))?,
            _schedule: sweep_every.map(|every| Schedule::start(Arc::clone(&sweep), every, SWEEP)),
            sweep,
            widget: widget.fleet(&base, "widget", "widget")?,
            declare: declare.fleet(&base, "declare", "cloudformation")?,
            services,
        })
    }

    /// The table and the queues.
    #[must_use]
    pub const fn services(&self) -> &Services {
        &self.services
    }

    /// The table.
    #[must_use]
    pub const fn ledger(&self) -> &Ledger {
        &self.services.ledger
    }

    /// The queues.
    #[must_use]
    pub fn queues(&self) -> &Queues {
        &self.services.queues
    }

    /// The bus that hears of every run that ends.
    #[must_use]
    pub const fn bus(&self) -> &Bus {
        &self.services.bus
    }

    /// The function that answers HTTP and bare changes.
    #[must_use]
    pub const fn api(&self) -> &Arc<Fleet> {
        &self.api
    }

    /// What takes documents from the intake queue to their function.
    #[must_use]
    pub const fn intake(&self) -> &Mapping {
        &self.intake
    }

    /// What takes lane messages to their function.
    #[must_use]
    pub const fn workers(&self) -> &Mapping {
        &self.workers
    }

    /// The function that looks after what was left behind.
    #[must_use]
    pub const fn sweep(&self) -> &Arc<Fleet> {
        &self.sweep
    }

    /// The function that shows what the table remembers.
    #[must_use]
    pub const fn widget(&self) -> &Arc<Fleet> {
        &self.widget
    }

    /// The function that takes the requests of CloudFormation resources.
    #[must_use]
    pub const fn declare(&self) -> &Arc<Fleet> {
        &self.declare
    }

    /// Invokes the sweep now, besides its schedule.
    ///
    /// # Errors
    ///
    /// A process cannot be started.
    pub async fn run_sweep(&self) -> io::Result<Invocation> {
        self.sweep.invoke(SWEEP.as_bytes(), Invoke::default()).await
    }

    /// Every function by its name, for [`InvokeApi`](crate::invoke_api::InvokeApi); the plain name is the api's too.
    #[must_use]
    pub fn functions(&self) -> Vec<(String, Callable)> {
        let named = self.fleets().map(|fleet| (fleet.launch().name().to_owned(), Arc::clone(fleet).into()));
        let plain = (self.name.clone(), Arc::clone(&self.api).into());
        named.into_iter().chain([plain]).collect()
    }

    /// Forgets the invocations and the output so far.
    ///
    /// For a stack that runs for weeks.
    pub fn forget(&self) {
        self.intake.clear_journal();
        self.workers.clear_journal();
        for fleet in self.fleets() {
            for function in fleet.functions() {
                drop(function.take_output());
            }
        }
    }

    /// Every whole line that any process has written to standard output.
    #[must_use]
    pub fn output(&self) -> Vec<String> {
        self.fleets().iter().flat_map(|fleet| fleet.output()).collect()
    }

    fn fleets(&self) -> [&Arc<Fleet>; 6] {
        let others = (&self.sweep, &self.widget, &self.declare);
        [&self.api, self.intake.fleet(), self.workers.fleet(), others.0, others.1, others.2]
    }
}

impl Drop for Governed {
    fn drop(&mut self) {
        // Also those that work on an invocation. The mappings end theirs.
        self.api.close();
        self.sweep.close();
        self.widget.close();
        self.declare.close();
    }
}
