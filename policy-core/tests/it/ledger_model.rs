//! The rules for one target, as a whole: whatever is delivered, lost, late or killed, and in whichever order, no older
//! value lands after a newer one, and every update is reported as what it was.
//!
//! The decisions are the crate's own functions. The model is what lies around them: the conditions under which the
//! ledger writes (docs/ledger.md), Amazon Connect, clocks and processes.

mod drift;
mod play;
mod scenario;
mod truth;
mod worker;
mod world;

use play::Play;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use scenario::{Scenario, scenario, shared_scenario};

/// A rule that the model can leave out, to show that it would be noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    /// **begin** and **confirm** ask whether the item is still as it was read.
    Rev,
    /// A target is not free while an earlier attempt may still land.
    Quiet,
    /// A failure whose attempt had no answer keeps its intent.
    Keep,
    /// A failed intent gives its time back.
    GiveBack,
    /// A result that is done is never replaced.
    Done,
    /// A delivery asks, before it begins a target, whether another one is done with it.
    Look,
    /// A process that was paused sends nothing when it is too late.
    Clocks,
    /// An intent is settled only after its lease.
    Lease,
}

/// The rules, perhaps without one.
#[derive(Debug, Clone, Copy)]
struct Rules {
    without: Option<Rule>,
}

impl Rules {
    const ALL: Self = Self { without: None };

    fn have(self, rule: Rule) -> bool {
        self.without != Some(rule)
    }
}

fn wrong(scenario: Scenario, rules: Rules) -> Vec<String> {
    Play::new(scenario, rules).play()
}

/// How many scenarios: `LEDGER_SCENARIOS`, or so many that they take a second or two.
fn cases() -> u32 {
    std::env::var("LEDGER_SCENARIOS").map_or(2_048, |count| count.parse().unwrap())
}

proptest! {
    #![proptest_config(Config::with_cases(cases()))]

    #[test]
    fn nothing_goes_wrong_whatever_happens(scenario in scenario()) {
        prop_assert_eq!(wrong(scenario, Rules::ALL), Vec::<String>::new());
    }

    #[test]
    fn somebody_else_spoils_neither_the_order_nor_the_end(scenario in shared_scenario()) {
        prop_assert_eq!(wrong(scenario, Rules::ALL), Vec::<String>::new());
    }
}

/// Whether some scenario goes wrong in this way without a rule. Always the same scenarios: a rule that is not missed
/// fails here each time.
#[track_caller]
fn assert_is_missed(rule: Rule, how: &str) {
    let config =
        Config { cases: 100_000, max_shrink_iters: 0, failure_persistence: None, ..Config::default() };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let found = runner.run(&scenario(), |scenario| {
        let wrong = wrong(scenario, Rules { without: Some(rule) });
        prop_assert!(!wrong.iter().any(|wrong| wrong.starts_with(how)), "{wrong:?}");
        Ok(())
    });
    assert!(found.is_err(), "nothing is wrong in `{how}` without {rule:?}");
}

#[test]
fn without_the_revision_a_record_says_what_was_not_there() {
    assert_is_missed(Rule::Rev, "before");
}

#[test]
fn without_quiet_an_older_value_lands_on_a_newer_one() {
    assert_is_missed(Rule::Quiet, "order");
}

#[test]
fn where_a_failure_drops_its_intent_what_lands_later_is_not_reported() {
    assert_is_missed(Rule::Keep, "reported");
}

#[test]
fn without_giving_time_back_a_change_is_superseded_by_one_that_set_nothing() {
    assert_is_missed(Rule::GiveBack, "superseded");
}

#[test]
fn without_results_for_good_an_update_is_forgotten() {
    assert_is_missed(Rule::Done, "reported");
}

#[test]
fn without_a_look_a_run_that_is_done_begins_again() {
    assert_is_missed(Rule::Look, "open");
}

#[test]
fn without_clocks_a_paused_process_lands_on_a_newer_value() {
    assert_is_missed(Rule::Clocks, "order");
}

#[test]
fn settled_before_its_lease_is_over_an_update_lands_unseen() {
    assert_is_missed(Rule::Lease, "reported");
}
