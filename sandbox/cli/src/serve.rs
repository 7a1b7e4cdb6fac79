//! `sandbox serve` and `sandbox connect`: kept up until Ctrl-C, with a line per call.

pub(crate) mod call;

use crate::flags::{ConnectFlags, FunctionFlags};
use crate::interrupt::Interrupt;
use crate::palette::Palette;
use call::Calls;
use clap::Args;
use sandbox::connect::{Connect, Entry};
use sandbox::function_url::FunctionUrl;
use sandbox::invoke_api::InvokeApi;
use sandbox::lambda::{Function, Stream};
use std::fs::File;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;
use tokio::sync::mpsc::UnboundedReceiver;

/// Amazon Connect, a function URL and Lambda's Invoke.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Port of the function URL on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = 0, value_name = "PORT")]
    url_port: u16,
    /// Port of Lambda's Invoke on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = 0, value_name = "PORT")]
    invoke_port: u16,
    /// Does not show the function's own log
    #[arg(long)]
    quiet: bool,
    #[command(flatten)]
    function: FunctionFlags,
    #[command(flatten)]
    connect: ConnectFlags,
}

impl Serve {
    /// Serves until Ctrl-C.
    pub(crate) async fn run(&self) -> io::Result<ExitCode> {
        let interrupt = Interrupt::listen()?;
        // Before anything is started, so that a missing program is the only message.
        self.function.binary()?;
        let journal = self.connect.open_journal()?;
        let connect = self.connect.start().await?;
        let calls = connect.follow();
        let mut launch = self.function.launch(&connect.url())?;
        if !self.quiet {
            let palette = Palette::of(&io::stderr());
            launch.echo = Some(Arc::new(move |_: Stream, line: &str| {
                // A log that nobody can read any more is no reason to stop.
                let _ = writeln!(io::stderr(), "{}", palette.dim(line));
            }));
        }
        let function = Arc::new(Function::start(launch).await?);
        let url = FunctionUrl::start(Arc::clone(&function), self.url_port).await?;
        let invoke = InvokeApi::start(function, self.invoke_port).await?;
        welcome(&mut io::stdout(), &connect, Some((&url, &invoke)))?;
        report(&connect, calls, interrupt, journal).await?;
        // Both URLs and the function, and with it its process, end here.
        Ok(ExitCode::SUCCESS)
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
        let journal = self.connect.open_journal()?;
        let connect = self.connect.start().await?;
        let calls = connect.follow();
        welcome(&mut io::stdout(), &connect, None)?;
        report(&connect, calls, interrupt, journal).await?;
        Ok(ExitCode::SUCCESS)
    }
}

/// How many instances are named one by one.
const NAMED: usize = 5;

/// What there is, where, and what to type next.
///
/// Said once everything listens. The first lines are for programs too, and stay as they are: a
/// name, two spaces or more, a URL (`^Lambda Invoke +(http://.+)$`); without a terminal there is
/// no colour in them.
fn welcome(
    output: &mut impl Write,
    connect: &Connect,
    function: Option<(&FunctionUrl, &InvokeApi)>,
) -> io::Result<()> {
    let palette = Palette::of(&io::stdout());
    let connect_url = connect.url();
    writeln!(output, "{}  {connect_url}", palette.bold("Amazon Connect"))?;
    if let Some((url, invoke)) = function {
        writeln!(output, "{}    {}", palette.bold("Function URL"), url.url())?;
        writeln!(output, "{}   {}", palette.bold("Lambda Invoke"), invoke.url())?;
    }
    let instances = connect.instances();
    writeln!(output, "\n{}", palette.bold("Instances"))?;
    for instance in instances.iter().take(NAMED) {
        writeln!(output, "  {}  {}", instance.id, palette.dim(&instance.alias))?;
    }
    if instances.len() > NAMED {
        writeln!(output, "  and {} more", instances.len() - NAMED)?;
    }
    let id = instances.first().map_or("", |instance| &instance.id);
    if let Some((url, _)) = function {
        let url = url.url();
        let curl = |document: &str| {
            format!(
                "  curl -sS {url}/policy-changes -H 'Content-Type: application/json' \\\n    -d '{document}'"
            )
        };
        let change = format!(
            r#"{{"instanceId": "{id}", "attachmentScope": "CHAT", "maximumSize": "10 MB", "allowedExtensions": ["pdf", "png"]}}"#
        );
        let refused =
            format!(r#"{{"instanceId": "{id}", "attachmentScope": "EMAIL", "maximumSize": "50 MB"}}"#);
        writeln!(output, "\n{}", palette.bold("Change a policy"))?;
        writeln!(output, "{}", curl(&change))?;
        writeln!(output, "\n{}", palette.bold("See one refused"))?;
        writeln!(output, "{}", curl(&refused))?;
    }
    writeln!(output, "\n{}", palette.bold("Ask Amazon Connect"))?;
    writeln!(
        output,
        "  AWS_ACCESS_KEY_ID=any AWS_SECRET_ACCESS_KEY=any AWS_REGION=us-east-1 \\\n    \
         aws connect list-attached-files-configurations \\\n    \
         --endpoint-url {connect_url} --instance-id {id}"
    )?;
    if let Some((_, invoke)) = function {
        writeln!(output, "\n{}", palette.bold("Invoke the function with any event"))?;
        writeln!(
            output,
            "  AWS_ACCESS_KEY_ID=any AWS_SECRET_ACCESS_KEY=any AWS_REGION=us-east-1 \\\n    \
             aws lambda invoke --function-name connect-attachment-policy \\\n    \
             --payload fileb://events/sqs.succeeded.json \\\n    \
             --endpoint-url {} /dev/stdout",
            invoke.url()
        )?;
    }
    writeln!(
        output,
        "\n{}\n",
        palette.dim("A line per call of Amazon Connect follows; times are UTC. Ctrl-C ends it.")
    )?;
    output.flush()
}

/// Prints every call as it is complete, until Ctrl-C.
async fn report(
    connect: &Connect,
    mut calls: UnboundedReceiver<Entry>,
    mut interrupt: Interrupt,
    mut journal: Option<File>,
) -> io::Result<()> {
    let mut lines = Calls::new(connect, Palette::of(&io::stdout()));
    let mut output = io::stdout();
    loop {
        let entry = tokio::select! {
            // What is complete is reported before the end: a journal lacks no answered call.
            biased;
            entry = calls.recv() => entry,
            () = interrupt.arrived() => return Ok(()),
        };
        let Some(entry) = entry else { return Ok(()) };
        writeln!(output, "{}", lines.line(connect, &entry))?;
        output.flush()?;
        if let Some(journal) = &mut journal {
            // One write a line, so that a reader never sees half of one.
            let mut line = serde_json::to_vec(&entry)?;
            line.push(b'\n');
            journal.write_all(&line)?;
        }
        // Followed instead of kept: a sandbox may run for weeks.
        connect.clear_journal();
    }
}
