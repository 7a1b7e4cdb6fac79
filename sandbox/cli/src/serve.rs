//! `sandbox serve`, `sandbox connect` and `sandbox services`: serve until Ctrl-C, and print a line for each call.

pub(crate) mod call;
mod delivery;
mod log;
mod sample;
mod welcome;

use crate::flags::{ConnectFlags, FunctionFlags, GovernedFlags};
use crate::interrupt::Interrupt;
use crate::palette::Palette;
use call::Calls;
use clap::Args;
use sandbox::connect::{Connect, Entry};
use sandbox::function_url::FunctionUrl;
use sandbox::governed::{Governed, Services};
use sandbox::invoke_api::InvokeApi;
use sandbox::lambda::{Function, Launch, Stream};
use sandbox::ledger;
use sandbox::mapping::Delivery;
use sandbox::widget_pages::WidgetPages;
use std::convert::Infallible;
use std::future::pending;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedReceiver;
use welcome::{Functions, Served};

/// Amazon Connect, a function URL and Lambda's Invoke; a table and queues besides, in governed mode.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Port of the function URL on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = 0, value_name = "PORT")]
    url_port: u16,
    /// Port of Lambda's Invoke on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = 0, value_name = "PORT")]
    invoke_port: u16,
    /// Port of the pages to look at on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = 0, value_name = "PORT", conflicts_with = "standalone")]
    page_port: u16,
    /// Hides the function's log
    #[arg(long)]
    quiet: bool,
    /// Shows the function's log as it is, lines of JSON, and not the audit in one line a target
    #[arg(long)]
    raw: bool,
    /// Adds 28 instances with changes, declarations and a drift; the last change goes on for a while; not in standalone mode
    #[arg(long)]
    sample: bool,
    #[command(flatten)]
    governed: GovernedFlags,
    #[command(flatten)]
    function: FunctionFlags,
    #[command(flatten)]
    connect: ConnectFlags,
}

impl Serve {
    /// Serves until Ctrl-C.
    pub(crate) async fn run(&self) -> io::Result<ExitCode> {
        let interrupt = Interrupt::listen()?;
        // First, so that a missing program is the only message.
        self.function.binary()?;
        let connect = self.connect.start().await?;
        let sampled = self.sample && !self.governed.standalone;
        if sampled {
            sample::prepare(&connect);
        }
        let calls = connect.follow();
        let launch = self.launch(&connect)?;
        let governed = if self.governed.standalone {
            None
        } else {
            let options = self.governed.options(&self.function, &self.connect);
            Some(Governed::start(launch.clone(), options).await?)
        };
        let (url, invoke) = if let Some(governed) = &governed {
            let url = FunctionUrl::start(Arc::clone(governed.api()), self.url_port).await?;
            (url, InvokeApi::start_several(governed.functions(), self.invoke_port).await?)
        } else {
            let function = Arc::new(Function::start(launch).await?);
            let url = FunctionUrl::start(Arc::clone(&function), self.url_port).await?;
            (url, InvokeApi::start(function, self.invoke_port).await?)
        };
        let services = governed.as_ref().map(Governed::services);
        let pages = match &governed {
            Some(governed) => Some(WidgetPages::start(Arc::clone(governed.widget()), self.page_port).await?),
            None => None,
        };
        let functions = Functions {
            url: url.url(),
            invoke: invoke.url(),
            pages: pages.as_ref().map(WidgetPages::url),
            governed: governed.as_ref(),
        };
        let served = Served { connect: &connect, services, functions: Some(functions) };
        served.welcome(&mut io::stdout())?;
        let sample = async {
            if let Some(governed) = governed.as_ref().filter(|_| sampled)
                && let Err(error) = sample::make(&connect, governed, url.url()).await
            {
                // what there is can still be looked at
                let _ = writeln!(io::stderr(), "sandbox: the sample is not complete: {error}");
            }
            pending::<Infallible>().await
        };
        tokio::select! {
            ended = report(&connect, calls, Kept { services, governed: governed.as_ref() }, interrupt) => ended?,
            never = sample => match never {},
        }
        // The services end here, and the functions with their processes.
        Ok(ExitCode::SUCCESS)
    }

    fn launch(&self, connect: &Connect) -> io::Result<Launch> {
        let mut launch = self.function.launch(&connect.url())?;
        if !self.quiet {
            let palette = Palette::of(&io::stderr());
            let raw = self.raw;
            launch.echo = Some(Arc::new(move |_: Stream, line: &str| {
                let lines = if raw { vec![palette.dim(line)] } else { log::lines(line, palette) };
                for line in lines {
                    // If nobody can read the log any more, the sandbox goes on.
                    let _ = writeln!(io::stderr(), "{line}");
                }
            }));
        }
        Ok(launch)
    }
}

/// Amazon Connect alone.
#[derive(Debug, Args)]
pub(crate) struct ConnectOnly {
    #[command(flatten)]
    connect: ConnectFlags,
}

impl ConnectOnly {
    /// Serves until Ctrl-C.
    pub(crate) async fn run(&self) -> io::Result<ExitCode> {
        let interrupt = Interrupt::listen()?;
        let connect = self.connect.start().await?;
        let calls = connect.follow();
        let served = Served { connect: &connect, services: None, functions: None };
        served.welcome(&mut io::stdout())?;
        report(&connect, calls, Kept { services: None, governed: None }, interrupt).await?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Amazon Connect, the table and the queues of a stack.
#[derive(Debug, Args)]
pub(crate) struct ServicesOnly {
    /// Port of DynamoDB on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = 0, value_name = "PORT")]
    table_port: u16,
    /// Port of Amazon SQS on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = 0, value_name = "PORT")]
    queue_port: u16,
    #[command(flatten)]
    connect: ConnectFlags,
}

impl ServicesOnly {
    /// Serves until Ctrl-C.
    pub(crate) async fn run(&self) -> io::Result<ExitCode> {
        let interrupt = Interrupt::listen()?;
        let connect = self.connect.start().await?;
        let calls = connect.follow();
        let tls = connect.tls().cloned();
        let table = ledger::Options { port: self.table_port, tls, ..ledger::Options::default() };
        let services = Services::start(table, Services::queues(self.queue_port)).await?;
        let served = Served { connect: &connect, services: Some(&services), functions: None };
        served.welcome(&mut io::stdout())?;
        report(&connect, calls, Kept { services: Some(&services), governed: None }, interrupt).await?;
        Ok(ExitCode::SUCCESS)
    }
}

/// How often what was kept for tests is thrown away.
const FORGETTING: Duration = Duration::from_mins(1);

/// What else keeps a journal.
#[derive(Clone, Copy)]
struct Kept<'served> {
    services: Option<&'served Services>,
    governed: Option<&'served Governed>,
}

impl Kept<'_> {
    fn forget(self) {
        if let Some(services) = self.services {
            services.ledger.clear_journal();
            services.queues.clear_journal();
            services.bus.clear();
        }
        if let Some(governed) = self.governed {
            governed.forget();
        }
    }
}

/// Prints every call and every delivery when it is complete, until Ctrl-C.
async fn report(
    connect: &Connect,
    mut calls: UnboundedReceiver<Entry>,
    kept: Kept<'_>,
    mut interrupt: Interrupt,
) -> io::Result<()> {
    let palette = Palette::of(&io::stdout());
    let mut printed = Calls::new(connect, palette);
    let mut intake = kept.governed.map(|governed| governed.intake().follow());
    let mut lanes = kept.governed.map(|governed| governed.workers().follow());
    let mut forgetting = tokio::time::interval(FORGETTING);
    let mut output = io::stdout();
    loop {
        let line = tokio::select! {
            // Complete calls come before the end, so that every answered call is printed.
            biased;
            entry = calls.recv() => match entry {
                Some(entry) => printed.line(connect, &entry),
                None => return Ok(()),
            },
            delivery = next(&mut intake) => delivery::line("document taken in", &delivery, palette),
            delivery = next(&mut lanes) => delivery::line("lane message", &delivery, palette),
            () = interrupt.arrived() => return Ok(()),
            _ = forgetting.tick() => {
                // Everything was followed. Keeping it would fill the memory of a sandbox that runs for weeks.
                connect.clear_journal();
                kept.forget();
                continue;
            }
        };
        writeln!(output, "{line}")?;
        output.flush()?;
    }
}

/// The next delivery; never, where there is no mapping.
async fn next(deliveries: &mut Option<UnboundedReceiver<Delivery>>) -> Delivery {
    let received = match deliveries {
        Some(deliveries) => deliveries.recv().await,
        None => None,
    };
    match received {
        Some(delivery) => delivery,
        None => pending().await,
    }
}
