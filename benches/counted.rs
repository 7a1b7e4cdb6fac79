//! One scenario, once, for callgrind: `counted NAME`; without a name, the names.
//!
//! benches/counts.py runs it and compares with benches/counts.json.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "it is read by a program, and by people")]

mod scenarios;

use std::process::ExitCode;

fn main() -> ExitCode {
    let scenarios = scenarios::all();
    let Some(name) = std::env::args().nth(1).filter(|name| !name.starts_with("--")) else {
        for scenario in scenarios {
            println!("{}", scenario.name);
        }
        return ExitCode::SUCCESS;
    };
    let Some(scenario) = scenarios.into_iter().find(|scenario| scenario.name == name) else {
        eprintln!("no scenario `{name}`");
        return ExitCode::FAILURE;
    };
    // the first run fills caches and lazy statics, which the second does not pay for
    (scenario.run)();
    measured(&*scenario.run);
    ExitCode::SUCCESS
}

/// What callgrind counts, by this name.
#[inline(never)]
fn measured(run: &dyn Fn()) {
    run();
}
