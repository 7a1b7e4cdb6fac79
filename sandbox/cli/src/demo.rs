//! `sandbox demo`: sends every payload of a directory through the function and shows the results.
//!
//! Each payload gets an Amazon Connect of three instances with the defaults, and a new process, so
//! that the files are independent of each other and of their order. A request of CloudFormation gets a table, queues and
//! workers besides, and the resource that it is about. Then one event changes forty instances at the quota's full speed. At
//! the end, in governed mode, a change that takes longer than an HTTP request may is queued, followed to its end, and undone.

pub(crate) mod audit;
mod document;
pub(crate) mod http;
mod json;
mod long;
mod page;
mod payload;
mod progress;
mod propagation;
mod resource;
mod scene;
mod section;

use crate::flags::FunctionFlags;
use crate::interrupt::Interrupt;
use crate::palette::Palette;
use clap::Args;
use payload::Payload;
use scene::{Scene, play};
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Sends every payload of a directory through the function.
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Prints a line of JSON for each payload, instead of pages
    #[arg(long)]
    json: bool,
    /// Directory of the payloads, which are named `<trigger>.<ending>[.<note>].json`
    #[arg(long, default_value = "events", value_name = "DIR")]
    events: PathBuf,
    /// Leaves out the propagation and the long change at the end
    #[arg(long)]
    events_only: bool,
    #[command(flatten)]
    function: FunctionFlags,
}

/// The exit code after Ctrl-C: 128 plus the signal's number, as in shells.
const INTERRUPTED: u8 = 130;

impl Demo {
    /// Plays every payload; fails if an answer is not the one that its name announces.
    pub(crate) async fn run(&self) -> io::Result<ExitCode> {
        let mut interrupt = Interrupt::listen()?;
        tokio::select! {
            outcome = self.play_all() => outcome,
            // Drops the future, which ends the function.
            () = interrupt.arrived() => Ok(ExitCode::from(INTERRUPTED)),
        }
    }

    #[expect(clippy::print_stderr, reason = "what went wrong is for the person at the terminal")]
    async fn play_all(&self) -> io::Result<ExitCode> {
        let started = Instant::now();
        let binary = self.function.binary()?;
        let payloads = payload::all(&self.events)?;
        let shown = if self.json { Shown::Documents } else { Shown::Pages(Palette::of(&io::stdout())) };
        shown.introduce(&binary, &payloads, &self.events)?;
        let mut problems = Vec::new();
        for (index, payload) in payloads.iter().enumerate() {
            shown.announce(payload, index + 1, payloads.len())?;
            let scene = waiting(&shown, play(payload, |url| self.function.launch(url))).await?;
            shown.show(payload, &scene)?;
            if let Some(mismatch) = scene.mismatch {
                problems.push(format!("`{}`: {mismatch}", payload.path.display()));
            }
        }
        let mut sent = payloads.len();
        if !self.events_only {
            problems.extend(self.propagate(&shown).await?);
            problems.extend(self.take_long(&shown).await?);
            // the event, the change and its undo
            sent += 3;
        }
        shown.conclude(sent, problems.len(), started.elapsed())?;
        for problem in &problems {
            eprintln!("sandbox: {problem}");
        }
        Ok(if problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

impl Demo {
    /// Plays the propagation; returns what was wrong with it, if anything.
    async fn propagate(&self, shown: &Shown) -> io::Result<Option<String>> {
        let palette = shown.palette();
        let propagation = propagation::play(|url| self.function.launch(url), palette).await?;
        print(&palette.map_or_else(|| propagation.document(), |palette| propagation.page(palette)))?;
        Ok(propagation.problem)
    }

    /// Plays the long change and its undo; returns what was wrong with them, if anything.
    async fn take_long(&self, shown: &Shown) -> io::Result<Option<String>> {
        let palette = shown.palette();
        let long = long::play(|url| self.function.launch(url), palette).await?;
        if palette.is_none() {
            print(&long.document())?;
        }
        Ok(long.problem())
    }
}

/// The form of the output.
#[derive(Debug)]
enum Shown {
    Pages(Palette),
    Documents,
}

impl Shown {
    /// The colours of pages; `None` for documents.
    const fn palette(&self) -> Option<Palette> {
        match self {
            Self::Pages(palette) => Some(*palette),
            Self::Documents => None,
        }
    }

    /// Shows what is used, before anything is played.
    fn introduce(&self, binary: &Path, payloads: &[Payload], events: &Path) -> io::Result<()> {
        let Self::Pages(palette) = self else {
            return Ok(());
        };
        let ready = palette.good("✓");
        let types = sandbox::connect::DEFAULT_EXTENSIONS.len();
        print(&format!(
            "{}\n\n  \
             {ready} the function    {}\n  \
             {ready} Amazon Connect  on 127.0.0.1, three instances, 20 MB and {types} file types everywhere\n  \
             {ready} payloads        {} in {}, each sent to a fresh copy of both\n\n",
            palette.bold("Attachment policies for Amazon Connect, played on this machine"),
            binary.display(),
            payloads.len(),
            events.display(),
        ))
    }

    /// Shows what is sent next.
    fn announce(&self, payload: &Payload, number: usize, count: usize) -> io::Result<()> {
        match self {
            Self::Pages(palette) => print(&page::heading(payload, number, count, *palette)),
            Self::Documents => {
                // Progress is for a person, not for the program that reads the documents.
                let path = payload.path.display();
                writeln!(io::stderr(), "{number}/{count} {path}")
            }
        }
    }

    /// Shows the result.
    fn show(&self, payload: &Payload, scene: &Scene) -> io::Result<()> {
        match self {
            Self::Pages(palette) => {
                let page = page::outcome(payload, scene, *palette);
                print(&format!("{page}\n"))
            }
            Self::Documents => print(&format!("{}\n", document::of(payload, scene)?)),
        }
    }

    fn conclude(&self, count: usize, problems: usize, took: Duration) -> io::Result<()> {
        let Self::Pages(palette) = self else {
            return Ok(());
        };
        let seconds = took.as_secs_f64();
        let sent = if count == 1 { "1 payload sent".to_owned() } else { format!("{count} payloads sent") };
        print(&match problems {
            0 => format!("{} {sent}, every answer as expected, in {seconds:.1} s\n", palette.good("✓")),
            _ => format!(
                "{} {sent}, {problems} with another answer than expected, in {seconds:.1} s\n",
                palette.bad("✗")
            ),
        })
    }
}

/// Shows on a terminal how long the answer has taken so far.
async fn waiting<T>(shown: &Shown, work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    let terminal = matches!(shown, Shown::Pages(_)) && io::stdout().is_terminal();
    let mut seconds = tokio::time::interval(Duration::from_secs(1));
    seconds.tick().await;
    let mut waited = 0;
    tokio::pin!(work);
    let outcome = loop {
        tokio::select! {
            outcome = &mut work => break outcome,
            _ = seconds.tick(), if terminal => {
                waited += 1;
                print(&format!("\r  waiting for the answer, {waited} s "))?;
            }
        }
    };
    if waited > 0 {
        // Erases the line (ECMA-48, EL).
        print("\r\x1b[2K")?;
    }
    outcome
}

/// Prints at once, so that a person sees it when it happens.
fn print(text: &str) -> io::Result<()> {
    let mut output = io::stdout().lock();
    output.write_all(text.as_bytes())?;
    output.flush()
}
