//! From an intent to its outcome: attempts, answers, the look afterwards, and what is written then.

use super::{Next, Worker};
use crate::ledger_model::Rule;
use crate::ledger_model::play::{Landed, Play};
use crate::ledger_model::world::{Stored, Written};
use policy_core::failure::{ErrorCode, Failure};
use policy_core::record::{Closing, Ending, Intent, LAST_ATTEMPT, ending};
use policy_core::report::Outcome;

impl Worker {
    /// Neither clock says that an attempt could end too late.
    fn is_in_time(&self, intent: &Intent, play: &Play) -> bool {
        let last = u64::try_from(LAST_ATTEMPT.as_millis()).unwrap();
        let by_wall = self.now(play).0.saturating_sub(intent.begun.0);
        let by_steady = play.now - self.paused - self.begun;
        !play.world.rules.have(Rule::Clocks) || (by_wall <= last && by_steady <= last)
    }

    pub(super) fn attempt(
        &self,
        intent: Intent,
        sent: u32,
        unanswered: bool,
        play: &mut Play,
    ) -> (u64, Next) {
        let failed = |code| Outcome::Failed {
            before: Some(intent.before.clone()),
            after: None,
            why: Failure::new(code),
        };
        if sent == 3 || !self.is_in_time(&intent, play) {
            let outcome = failed(ErrorCode::ThrottlingException);
            return (0, after_failure(intent, outcome, unanswered));
        }
        if self.run.asked.is_refused {
            let outcome = failed(ErrorCode::InvalidParameterException);
            return (0, after_failure(intent, outcome, unanswered));
        }
        match play.landed() {
            Landed::Answered(after) => {
                let landing = play.send(&intent, Some(after));
                (after, Next::Answer { intent, landing, unanswered })
            }
            Landed::Refused => (100, Next::Attempt { intent, sent: sent + 1, unanswered }),
            Landed::Unanswered { lands, noticed } => {
                play.send(&intent, lands);
                (noticed, Next::Attempt { intent, sent: sent + 1, unanswered: true })
            }
        }
    }

    pub(super) fn answered(intent: Intent, landing: usize, unanswered: bool, play: &Play) -> Next {
        let after = play.answers[&landing].clone();
        let before = intent.before.clone();
        let outcome = if intent.sent().agree(&after, &intent.values) {
            Outcome::Applied { before, after, unrecorded: None }
        } else {
            let why = Failure::new(ErrorCode::ResponseDiffers);
            Outcome::Failed { before: Some(before), after: Some(after), why }
        };
        Next::Write { intent, outcome, unanswered }
    }

    pub(super) fn read_back(intent: Intent, play: &mut Play) -> Next {
        let why = Failure::new(ErrorCode::ConnectionFailed);
        let before = intent.before.clone();
        let held = play.world.connect.clone();
        let holds = intent.sent().agree(&held, &intent.values);
        let held_before = intent.sent().agree(&before, &intent.values);
        let outcome = match (play.is_unreadable(), holds, held_before) {
            (false, false, _) => Outcome::Failed { before: Some(before), after: Some(held), why },
            (false, true, false) => Outcome::Applied { before, after: held, unrecorded: None },
            _ => Outcome::Unknown { before, why },
        };
        Next::Write { intent, outcome, unanswered: true }
    }

    pub(super) fn write(
        &self,
        intent: &Intent,
        outcome: &Outcome,
        unanswered: bool,
        play: &mut Play,
    ) -> Option<(u64, Next)> {
        let ending = match ending(intent, outcome, unanswered) {
            Ending::Keep if !play.world.rules.have(Rule::Keep) => {
                Ending::Close(Closing { give_back: true, ..Closing::default() })
            }
            ending => ending,
        };
        let result = |done| Stored {
            outcome: outcome.kind(),
            done,
            before: outcome.before().cloned(),
            after: outcome.after().cloned(),
        };
        match ending {
            Ending::Close(closing) => {
                let now = self.now(play);
                let written = play.world.close(intent, &closing, result(closing.last), now);
                if written == Written::Done {
                    play.world.close_alone(intent, &closing, now);
                }
                None
            }
            Ending::Keep => {
                play.world.note(&intent.run, result(false));
                Some((0, Next::ReadItem))
            }
        }
    }
}

/// Nothing came back as it should: one look shows what happened, if an attempt may have taken effect.
fn after_failure(intent: Intent, outcome: Outcome, unanswered: bool) -> Next {
    if unanswered { Next::ReadBack { intent } } else { Next::Write { intent, outcome, unanswered } }
}
