//! Measures how long the scenarios take: `make bench`.

mod scenarios;

use divan::Bencher;

fn main() {
    divan::main();
}

fn names() -> Vec<&'static str> {
    scenarios::all().iter().map(|scenario| scenario.name).collect()
}

#[divan::bench(args = names())]
fn scenario(bencher: Bencher, name: &str) {
    let scenario = scenarios::all().into_iter().find(|scenario| scenario.name == name);
    if let Some(scenario) = scenario {
        bencher.bench_local(&scenario.run);
    }
}
