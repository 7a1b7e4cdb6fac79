//! From a report's result to a recorded one, and back.

use super::{Millis, RecordedError, RecordedResult, TargetName, Who};
use crate::calls::CallCost;
use crate::failure::{ErrorCode, Failure};
use crate::policy::ChangeId;
use crate::report::{CallTrace, Outcome, OutcomeKind, TargetResult, Verdict};

impl RecordedError {
    /// What is recorded of a failure.
    pub fn of(failure: &Failure) -> Self {
        Self {
            code: failure.code().to_owned(),
            message: failure.message().to_owned(),
            retryable: failure.is_retryable(),
        }
    }

    /// The failure that was recorded. Its name may be one that Amazon Connect gave.
    fn failure(&self) -> Failure {
        let known = ErrorCode::ALL.iter().copied().find(|code| code.name() == self.code);
        let code = known.or_else(|| ErrorCode::of_service(&self.code)).unwrap_or(ErrorCode::RequestRefused);
        let failure = Failure::new(code).with_message(self.message.clone());
        let failure = failure.with_service_code(known.is_none().then(|| self.code.clone()));
        if self.retryable { failure.made_retryable() } else { failure }
    }
}

impl RecordedResult {
    /// What is recorded of a target's result. `None`: no instance was found, so that there is no target.
    pub fn of(
        result: &TargetResult,
        change_id: &ChangeId,
        at: Millis,
        who: Option<Who>,
        token: String,
    ) -> Option<Self> {
        let outcome = &result.outcome;
        Some(Self {
            target: TargetName::of(result.instance.as_ref()?, result.scope),
            change_id: change_id.clone(),
            outcome: outcome.kind(),
            done: outcome.verdict() != Verdict::NotYet,
            before: outcome.before().cloned(),
            after: outcome.after().cloned(),
            error: outcome.error().map(RecordedError::of),
            attempts: result.trace.update_attempts,
            request_id: result.trace.request_id.clone(),
            last_modified: result.trace.last_modified.map(Millis::of),
            at,
            who,
            declared_by: result.declared_by.clone(),
            token,
        })
    }

    /// The result as the report had it. What was recorded without the values that its outcome has (an older version's
    /// item) has empty ones.
    pub fn reported(&self) -> TargetResult {
        let held = || self.before.clone().unwrap_or_default();
        let after = || self.after.clone().unwrap_or_default();
        let failure = self.error.as_ref().map(RecordedError::failure);
        let why = || failure.clone().unwrap_or_else(|| Failure::new(ErrorCode::RequestRefused));
        let outcome = match self.outcome {
            OutcomeKind::Applied => {
                Outcome::Applied { before: held(), after: after(), unrecorded: failure.clone() }
            }
            OutcomeKind::Unchanged => Outcome::Unchanged { held: held() },
            OutcomeKind::Planned => Outcome::Planned { before: held(), after: after() },
            OutcomeKind::Superseded => Outcome::Superseded { held: self.before.clone(), why: why() },
            OutcomeKind::Blocked => Outcome::Blocked { held: self.before.clone(), why: why() },
            OutcomeKind::Failed => {
                Outcome::Failed { before: self.before.clone(), after: self.after.clone(), why: why() }
            }
            OutcomeKind::Unknown => Outcome::Unknown { before: held(), why: why() },
            OutcomeKind::Pending => Outcome::Pending { before: self.before.clone(), why: why() },
            OutcomeKind::Skipped => Outcome::Skipped { why: why() },
        };
        TargetResult {
            instance: Some(self.target.instance()),
            place: None,
            scope: self.target.scope,
            outcome,
            trace: CallTrace {
                cost: CallCost::default(),
                update_attempts: self.attempts,
                request_id: self.request_id.clone(),
                last_modified: self.last_modified.and_then(Millis::time),
            },
            declared_by: self.declared_by.clone(),
        }
    }
}
