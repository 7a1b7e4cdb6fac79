//! The program as its users run it, with a stand-in function.
//!
//! One binary: each integration test file would link everything once more.

#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

mod check;
mod demo;
mod place;
mod serve;

use std::path::PathBuf;
use std::process::Command;

const CHAT_OF_1: &str = "/attached-files-configurations/00000001-0000-4000-8000-000000000001/CHAT";

/// The program of the same name, with a function that does what its payload says.
fn sandbox(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sandbox"));
    command.args(arguments).arg("--function").arg(stand_in());
    command
}

/// The library's `examples/stand_in.rs`, which cargo builds together with these tests.
fn stand_in() -> PathBuf {
    let test = std::env::current_exe().expect("this test's own path");
    let profile = test.ancestors().nth(2).expect("target/{profile}/deps");
    let program = profile.join("examples").join("cli_stand_in");
    assert!(
        program.exists(),
        "the stand-in is built by `cargo test -p sandbox-cli`, not by `--test program` alone"
    );
    program
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("text")
}
