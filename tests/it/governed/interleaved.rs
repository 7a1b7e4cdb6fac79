//! Two changes, an undo and a cancel over the same targets, in any interleaving: each target ends at what the order in
//! which they were accepted says.
//!
//! The steps are whole invocations, and invocations that die at a certain request. The model says what each of them
//! comes to; the function carries them out, against Amazon Connect, the table and the queues over real HTTP. Which message
//! is delivered and when a record ends is seen and not predicted: what it then says is.

mod compare;
mod death;
mod model;
mod play;
mod steps;

use play::Play;
use proptest::prelude::*;
use proptest::test_runner::Config;
use steps::{Death, Step, Way, scenario};

/// How many interleavings: `INTERLEAVINGS`, or so many that they take some seconds.
fn cases() -> u32 {
    std::env::var("INTERLEAVINGS").map_or(24, |count| count.parse().unwrap())
}

fn wrong(scenario: &steps::Scenario) -> Vec<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { Box::pin(Play::new(scenario).await.play()).await })
}

proptest! {
    #![proptest_config(Config { max_shrink_iters: 200, ..Config::with_cases(cases()) })]

    #[test]
    fn each_target_ends_at_what_the_accepted_order_says(scenario in scenario()) {
        prop_assert_eq!(wrong(&scenario), Vec::<String>::new());
    }
}

/// The model notices: an order that is turned round is wrong.
#[test]
fn a_model_that_takes_the_older_change_for_the_newer_one_disagrees() {
    let mut scenario = steps::both_set_the_size();
    assert_eq!(wrong(&scenario), Vec::<String>::new());
    scenario.is_turned_round = true;
    let wrong = wrong(&scenario);
    assert!(wrong.iter().any(|wrong| wrong.contains("superseded")), "{wrong:#?}");
}

/// A delivery that dies before its update, after it, and after its outcome is stored; then somebody else comes first.
#[test]
fn whoever_comes_after_a_death_finds_what_was_done() {
    for death in [Death::Begun(1), Death::Sent(1), Death::Stored(1)] {
        let mut scenario = steps::both_set_the_size();
        scenario.steps = vec![
            Step::Submit(0, Way::Message),
            Step::TakeIn(0),
            Step::Deliver(Some(death)),
            Step::Submit(1, Way::Http(None)),
            Step::Cancel(0),
            Step::Sweep,
        ];
        assert_eq!(wrong(&scenario), Vec::<String>::new(), "{death:?}");
    }
}

/// A cancelled change whose update was begun and never sent: its message, delivered twice, is done with.
#[test]
fn the_message_of_a_cancelled_change_is_taken_whatever_failed_for_now() {
    let mut scenario = steps::both_set_the_size();
    scenario.steps = vec![
        Step::Submit(0, Way::Message),
        Step::TakeIn(0),
        Step::Deliver(Some(Death::Begun(1))),
        Step::Cancel(0),
        Step::Repeat(0),
        Step::TakeIn(0),
    ];
    assert_eq!(wrong(&scenario), Vec::<String>::new());
}
