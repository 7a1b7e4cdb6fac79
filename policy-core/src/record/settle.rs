//! What became of an update whose lease ended without an outcome.

use super::{Closing, Intent, Members, Millis, RecordedResult};
use crate::failure::ErrorCode;
use crate::policy::Configuration;
use crate::report::OutcomeKind;
use std::time::Duration;

/// How long after its lease an intent waits for Amazon Connect to be readable. Then its target counts as `unknown`, so
/// that the run can end.
pub const GIVE_UP_READING: Duration = Duration::from_mins(15);

/// A read of the target that began after the intent's lease was over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadBack<'a> {
    /// What it holds.
    Holds(&'a Configuration),
    /// There is no such instance any more.
    NoInstance,
}

/// What became of the update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// How the target ended for the intent's run.
    pub outcome: OutcomeKind,
    /// Whether that is for good.
    pub done: bool,
    /// Why it is not as asked.
    pub code: Option<ErrorCode>,
    /// What it held before the update.
    pub before: Configuration,
    /// What it holds.
    pub after: Option<Configuration>,
    /// What becomes of the target's item.
    pub closing: Closing,
}

impl Intent {
    /// The members that the update would have changed, and that hold what it sent.
    fn left_behind(&self, held: &Configuration) -> Members {
        let sent = self.sent();
        let is_there = |member: Members| {
            member.any() && member.agree(held, &self.values) && !member.agree(&self.before, &self.values)
        };
        Members {
            size: is_there(Members { extensions: false, ..sent }),
            extensions: is_there(Members { size: false, ..sent }),
        }
    }

    /// Whether nobody could read the target for so long that its run goes on without its outcome.
    pub fn is_given_up(&self, now: Millis) -> bool {
        now >= self.until.plus(GIVE_UP_READING)
    }
}

/// Compares the members that were sent, in whatever ASCII case they are spelled.
pub fn settle(intent: &Intent, read: ReadBack<'_>) -> Settled {
    let sent = intent.sent();
    let (outcome, code, closing) = match read {
        ReadBack::Holds(held) if sent.agree(held, &intent.values) => {
            (OutcomeKind::Applied, None, Closing::applied(intent.held(held)))
        }
        ReadBack::Holds(held) if sent.agree(held, &intent.before) => {
            (OutcomeKind::Failed, Some(ErrorCode::NotTaken), Closing::dropped(false))
        }
        // one of its values may be there, and somebody else's another: then an older change must not follow, and what is
        // there by this one is no drift
        ReadBack::Holds(held) => {
            let left = intent.left_behind(held);
            let closing = Closing { give_back: !left.any(), held: left.within(held), ..Closing::default() };
            (OutcomeKind::Unknown, Some(ErrorCode::OvertakenElsewhere), closing)
        }
        ReadBack::NoInstance => {
            (OutcomeKind::Failed, Some(ErrorCode::ResourceNotFoundException), Closing::dropped(true))
        }
    };
    let after = match read {
        ReadBack::Holds(held) => Some(held.clone()),
        ReadBack::NoInstance => None,
    };
    Settled { outcome, done: closing.last, code, before: intent.before.clone(), after, closing }
}

/// How to close an intent whose run is done with the target already, which only a restore can leave behind: by that
/// result, without a read.
pub fn closing_of(intent: &Intent, result: &RecordedResult) -> Closing {
    let differs = |error: &super::RecordedError| error.code == ErrorCode::ResponseDiffers.name();
    match (&result.after, result.outcome) {
        (Some(after), OutcomeKind::Applied) => Closing::applied(intent.held(after)),
        (Some(after), OutcomeKind::Failed) if result.error.as_ref().is_some_and(differs) => {
            Closing::answered_otherwise(intent.held(after), true)
        }
        _ => Closing::dropped(true),
    }
}
