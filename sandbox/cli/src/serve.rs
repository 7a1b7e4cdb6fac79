//! `sandbox serve` and `sandbox connect`: serve until Ctrl-C, and print a line for each call.

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
    /// Hides the function's log
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
        // First, so that a missing program is the only message.
        self.function.binary()?;
        let connect = self.connect.start().await?;
        let calls = connect.follow();
        let mut launch = self.function.launch(&connect.url())?;
        if !self.quiet {
            let palette = Palette::of(&io::stderr());
            launch.echo = Some(Arc::new(move |_: Stream, line: &str| {
                // If nobody can read the log any more, the sandbox goes on.
                let _ = writeln!(io::stderr(), "{}", palette.dim(line));
            }));
        }
        let function = Arc::new(Function::start(launch).await?);
        let url = FunctionUrl::start(Arc::clone(&function), self.url_port).await?;
        let invoke = InvokeApi::start(function, self.invoke_port).await?;
        welcome(&mut io::stdout(), &connect, Some((&url, &invoke)))?;
        report(&connect, calls, interrupt).await?;
        // Both services end here, and the function with its process.
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
        let connect = self.connect.start().await?;
        let calls = connect.follow();
        welcome(&mut io::stdout(), &connect, None)?;
        report(&connect, calls, interrupt).await?;
        Ok(ExitCode::SUCCESS)
    }
}

/// At most so many instances are listed.
const NAMED: usize = 5;

/// Prints what is served, where, and what to try.
///
/// Called when everything listens. The first lines are for programs too, and do not change: a
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
        writeln!(output, "\n{}", palette.bold("See a change refused"))?;
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
        palette.dim(
            "Each call of Amazon Connect is printed below, with its time in UTC. Ctrl-C ends the sandbox."
        )
    )?;
    output.flush()
}

/// Prints every call when it is complete, until Ctrl-C.
async fn report(
    connect: &Connect,
    mut calls: UnboundedReceiver<Entry>,
    mut interrupt: Interrupt,
) -> io::Result<()> {
    let mut lines = Calls::new(connect, Palette::of(&io::stdout()));
    let mut output = io::stdout();
    loop {
        let entry = tokio::select! {
            // Complete calls come before the end, so that every answered call is printed.
            biased;
            entry = calls.recv() => entry,
            () = interrupt.arrived() => return Ok(()),
        };
        let Some(entry) = entry else { return Ok(()) };
        writeln!(output, "{}", lines.line(connect, &entry))?;
        output.flush()?;
        // The entries were followed. Keeping them would fill the memory of a sandbox that runs for weeks.
        connect.clear_journal();
    }
}
