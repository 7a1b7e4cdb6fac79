//! The Runtime API, the function URL and `Invoke`, with a stand-in function.
//!
//! One binary: each integration test file would link everything once more.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::many_single_char_names,
    reason = "a test that cannot go on fails"
)]

mod function_url;
mod governed;
mod invoke_api;
mod lambda;
mod mapping;

use std::path::PathBuf;

/// The program `examples/stand_in.rs`, which cargo builds together with the tests.
fn stand_in() -> PathBuf {
    let test = std::env::current_exe().expect("this test's own path");
    let profile = test.ancestors().nth(2).expect("target/{profile}/deps");
    let program = profile.join("examples").join("stand_in");
    assert!(
        program.exists(),
        "the stand-in is built by `cargo test -p sandbox`, not by `--test function` alone"
    );
    program
}
