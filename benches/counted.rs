//! Runs one scenario once, for callgrind: `counted NAME`. Without a name, lists the names.
//!
//! benches/counts.py runs it and compares with benches/counts.json.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "programs and people read it")]

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
    // the first run fills caches and lazy statics, so that they are not counted in the second
    (scenario.run)();
    measured(&*scenario.run);
    ExitCode::SUCCESS
}

/// callgrind counts this function, by its name.
#[inline(never)]
fn measured(run: &dyn Fn()) {
    run();
}
