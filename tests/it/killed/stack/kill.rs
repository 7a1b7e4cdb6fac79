//! When a process is killed.

use super::Random;
use std::time::Duration;

/// After how many requests to the table, at most, a round's kills fall.
const REQUESTS: u64 = 40;
/// The same for updates at Amazon Connect.
const UPDATES: u64 = 4;

/// A kill to come: a moment after something.
pub(super) struct Kill {
    pub(super) after: After,
    pub(super) moment: Duration,
}

/// So many requests to the table, or updates at Amazon Connect, after a round's begin.
pub(super) enum After {
    Requests(u64),
    Updates(u64),
}

impl Kill {
    pub(super) fn of(random: &mut Random) -> Self {
        let after = match random.below(2) {
            0 => After::Requests(random.below(REQUESTS)),
            _ => After::Updates(1 + random.below(UPDATES)),
        };
        Self { after, moment: Duration::from_micros(random.below(4_000)) }
    }
}
