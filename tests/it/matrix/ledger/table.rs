//! What is to come of each fault: the rows of every way.

pub(super) mod at_once;
pub(super) mod lane;
pub(super) mod queued;
pub(super) mod sweep;

use super::cell::Expected;

/// Both targets are updated.
const BOTH: &str = "intent 1, applied 1, intent 2, applied 2";
/// So both are, by the first run.
const APPLIED: &str = "run 1 succeeded: applied, applied; 2 sent";
/// The first target needs no update. Its line is written before its result is stored.
const UNCHANGED: &str = "unchanged 1, intent 2, applied 2";
/// The same, and somebody else comes between.
const OVERTAKEN: &str = "unchanged 1, superseded 1 NewerChange, intent 2, applied 2";

/// Of a change that is not begun.
const NOT_RECORDED: &str = "refusal LedgerUnavailable";
const FROZEN: &str = "refusal Frozen";

const fn expected(
    answer: &'static str,
    audit: &'static str,
    then: &'static str,
    end: &'static str,
) -> Expected {
    Expected { answer, audit, then, end }
}
