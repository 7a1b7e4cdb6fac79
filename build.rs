//! Builds the commit into the binary, so that an audit line names the code that wrote it, and tells a release from what
//! people develop with.

use std::path::Path;
use std::process::Command;

/// Git appends to it at every commit and checkout.
const HEAD_LOG: &str = ".git/logs/HEAD";
/// The linker's script of a release.
const SCRIPT: &str = "packaging/release.ld";

fn main() {
    // a path that is not there would rerun this at every build: a source archive has none
    let watched = if Path::new(HEAD_LOG).exists() { HEAD_LOG } else { "build.rs" };
    println!("cargo:rerun-if-changed={watched}");
    println!("cargo:rerun-if-env-changed=BUILD_COMMIT");
    let given = std::env::var("BUILD_COMMIT").ok().filter(|commit| !commit.is_empty());
    let commit = given.or_else(head).unwrap_or_else(|| "unknown".to_owned());
    println!("cargo:rustc-env=BUILD_COMMIT={commit}");
    println!("cargo:rustc-check-cfg=cfg(development)");
    if is("PROFILE", "release") {
        leave_out_unwind_tables();
    } else {
        println!("cargo:rustc-cfg=development");
    }
}

fn is(variable: &str, value: &str) -> bool {
    std::env::var(variable).is_ok_and(|found| found == value)
}

/// Nothing unwinds where a panic ends the process: `packaging/release.ld` leaves the tables out of a bootstrap for Lambda.
fn leave_out_unwind_tables() {
    if is("CARGO_CFG_TARGET_OS", "linux") {
        let folder = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
        println!("cargo:rerun-if-changed={SCRIPT}");
        // an argument each: -Wl separates its own by commas, which a path may have
        for argument in ["-Wl,--no-eh-frame-hdr", "-T", &format!("{folder}/{SCRIPT}")] {
            println!("cargo:rustc-link-arg-bins={argument}");
        }
    }
}

/// The checkout's short commit, with `-dirty` where files differ from it.
fn head() -> Option<String> {
    let output =
        Command::new("git").args(["describe", "--always", "--dirty", "--abbrev=12"]).output().ok()?;
    let commit = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (output.status.success() && !commit.is_empty()).then_some(commit)
}
