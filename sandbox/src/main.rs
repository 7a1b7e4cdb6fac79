//! The `sandbox` program: `serve`, `connect` and `demo`.

#![forbid(unsafe_code)]

mod demo;
mod difference;
mod flags;
mod interrupt;
mod palette;
mod serve;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Amazon Connect and Lambda on this machine, for trying out and testing attachment policies.
///
/// Listens on 127.0.0.1 only; nothing is sent to AWS.
#[derive(Debug, Parser)]
#[command(version)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Keeps Amazon Connect and a function URL up until Ctrl-C, with a line per call
    Serve(serve::Serve),
    /// Keeps Amazon Connect alone up until Ctrl-C, with a line per call
    Connect(serve::ConnectOnly),
    /// Sends every payload of a directory through the function and shows what came of it
    Demo(demo::Demo),
}

#[tokio::main]
#[expect(clippy::print_stderr, reason = "what went wrong is for the person at the terminal")]
async fn main() -> ExitCode {
    let outcome = match CommandLine::parse().command {
        Command::Serve(serve) => serve.run().await,
        Command::Connect(connect) => connect.run().await,
        Command::Demo(demo) => demo.run().await,
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("sandbox: {error}");
        ExitCode::FAILURE
    })
}
