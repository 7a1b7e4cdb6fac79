//! Whole governed changes by the processes of a stack, which are killed at random instants and started again.
//!
//! A life is one stack: changes by every way in, undone, cancelled and repeated, and declared resources, over the same few
//! targets. Each process
//! may be killed at any instant; messages come back, time passes for all processes at once, and sweeps run. At its end
//! everything is at rest, and what Amazon Connect got is compared with what the table and the audit say (`verdict`).

mod acts;
mod clock;
mod evidence;
mod kill;
mod life;
mod moments;
mod noticed;
mod verdict;

use super::{Random, number};
use evidence::Evidence;
use life::Life;
use noticed::assert_lies_are_noticed;
use verdict::wrong;

/// Each life begins with an empty table, and with processes that have to start.
const KILLS_OF_A_LIFE: u64 = 30;

#[tokio::test]
async fn whenever_processes_are_killed_every_change_ends_as_what_it_was() {
    let mut random = Random::from(number("KILL_SEED", 1));
    let (mut kills, mut lives, mut sums) = (0, 0, [0; 6]);
    let wanted = number("KILL_RUNS", 30);
    while kills < wanted {
        let mut life = Life::start(&mut random).await;
        life.live(&mut random, KILLS_OF_A_LIFE.min(wanted - kills)).await;
        life.rest().await;
        life.look_at_undos().await;
        kills += life.kills();
        let evidence = Evidence::of(&life);
        assert_eq!(wrong(&evidence), Vec::<String>::new(), "life {lives}");
        if lives == 0 {
            assert_lies_are_noticed(&evidence);
        }
        for (sum, more) in sums.iter_mut().zip(evidence.sums()) {
            *sum += more;
        }
        lives += 1;
    }
    let [records, intents, updates, settled, undos, answers] = sums;
    println!(
        "{kills} kills in {lives} lives: {records} records, {intents} intents, {updates} updates, {settled} of them settled \
         by somebody else, {undos} undos looked at, {answers} requests of CloudFormation answered"
    );
    assert!(updates > 0 && undos > 0 && answers > 0, "the lives showed nothing");
}
