//! Drift: a governed target does not hold what the ledger says it should. docs/drift.md.

use super::{Members, Millis, ReadBack, TargetName, TargetRecord};
use crate::policy::{ChangeId, Configuration};

/// Who changed a target from elsewhere, as AWS `CloudTrail` has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cause {
    /// The event's id.
    pub event_id: String,
    /// When the call was made.
    pub at: Option<String>,
    /// The kind of the identity: `IAMUser`, `AssumedRole`, …
    pub kind: Option<String>,
    /// The identity: its ARN, else whatever names it.
    pub principal: Option<String>,
    /// Its account.
    pub account: Option<String>,
    /// The caller's address, or the service that called.
    pub source_ip: Option<String>,
}

/// A drift as it is announced: it does not change any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drift {
    /// Its own id.
    pub id: String,
    /// Which target.
    pub target: TargetName,
    /// Whether the ledger knows what the target should hold.
    pub governed: bool,
    /// What it should hold, of the members that are governed.
    pub expected: Configuration,
    /// What it holds.
    pub observed: Configuration,
    /// When it was found.
    pub found: Millis,
    /// The change in whose passing it was found.
    pub change: Option<ChangeId>,
    /// Who did it, where that is known.
    pub cause: Option<Cause>,
    /// Whether the audit has it; the bus may not have taken it yet.
    pub told: bool,
}

/// What a look at a target came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Observation {
    /// A change is under way, or may still take effect: nobody can say now.
    Later,
    /// It holds what it should, as was known; or it is gone, and nothing was to be said about it.
    InSync,
    /// The ledger does not know what it should hold.
    Ungoverned,
    /// It drifts as has been announced. What is noted of it changes to this.
    Known(Configuration),
    /// It drifts in a way that nobody has heard of: what differs, as it is.
    Drifted(Configuration),
    /// It drifted, and does no longer.
    Ended,
}

/// Compares a target with its item as it was before and after it was read.
///
/// Only an item that did not change around the read says what the target should have held at that moment. An intent, or
/// an attempt that may still take effect, makes it a matter of seconds.
pub fn observe(before: &TargetRecord, read: ReadBack<'_>, after: &TargetRecord, now: Millis) -> Observation {
    let is_quiet = |record: &TargetRecord| record.quiet.is_none_or(|until| until < now);
    let is_at_rest = |record: &TargetRecord| record.intent.is_none() && is_quiet(record);
    if before.rev != after.rev || !is_at_rest(before) || !is_at_rest(after) {
        return Observation::Later;
    }
    let noted = Members::of_known(&after.drift);
    let observed = match read {
        ReadBack::Holds(observed) => observed,
        ReadBack::NoInstance if noted.any() => return Observation::Ended,
        ReadBack::NoInstance => return Observation::InSync,
    };
    if !Members::of_known(&after.held).any() {
        return Observation::Ungoverned;
    }
    let drift = differing(&after.held, observed);
    let drifting = Members::of_known(&drift);
    match (drifting.any(), noted.any()) {
        (false, false) => Observation::InSync,
        (false, true) => Observation::Ended,
        (true, _) if is_news(&drift, &after.drift) => Observation::Drifted(drift),
        // of two members that drifted one is as it should be again
        (true, _) => Observation::Known(drift),
    }
}

/// Whether something differs of which nobody has heard: a member that did not, or that holds another value than was noted.
pub fn is_news(drifting: &Configuration, noted: &Configuration) -> bool {
    let members = Members::of_known(drifting);
    members.any() && (!is_within(members, Members::of_known(noted)) || !members.agree(drifting, noted))
}

/// The members of `held` that a target does not hold, as it holds them.
pub fn differing(held: &Configuration, observed: &Configuration) -> Configuration {
    let governed = Members::of_known(held);
    let differs = |member: Members| member.any() && !member.agree(held, observed);
    let members = Members {
        size: differs(Members { size: governed.size, extensions: false }),
        extensions: differs(Members { size: false, extensions: governed.extensions }),
    };
    members.within(observed)
}

const fn is_within(some: Members, others: Members) -> bool {
    (!some.size || others.size) && (!some.extensions || others.extensions)
}
