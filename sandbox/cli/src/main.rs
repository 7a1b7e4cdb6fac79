//! The `sandbox` program: `serve`, `connect`, `services`, `demo` and `check`.

#![forbid(unsafe_code)]

mod check;
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
    /// Serves Amazon Connect and the function until Ctrl-C, and prints a line for each call
    Serve(serve::Serve),
    /// Serves Amazon Connect alone until Ctrl-C, and prints a line for each call
    Connect(serve::ConnectOnly),
    /// Serves what governed functions call, Amazon Connect, DynamoDB and Amazon SQS, without any function
    Services(serve::ServicesOnly),
    /// Sends every payload of a directory through the function and shows the results
    Demo(demo::Demo),
    /// Checks that an answer, on standard input, is the one that its payload's name announces
    Check(check::Check),
}

#[tokio::main]
#[expect(clippy::print_stderr, reason = "what went wrong is for the person at the terminal")]
async fn main() -> ExitCode {
    let outcome = match CommandLine::parse().command {
        Command::Serve(serve) => serve.run().await,
        Command::Connect(connect) => connect.run().await,
        Command::Services(services) => services.run().await,
        Command::Demo(demo) => demo.run().await,
        Command::Check(check) => check.run(),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("sandbox: {error}");
        ExitCode::FAILURE
    })
}
