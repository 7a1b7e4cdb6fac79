//! An intent whose holder never said how it ended: what Amazon Connect holds now says it.

use crate::audit::{Audit, Settlement};
use crate::ledger::{Ledger, LedgerError, Stored};
use policy_core::failure::{ErrorCode, Failure};
use policy_core::origin::Invocation;
use policy_core::policy::Home;
use policy_core::record::{
    self, ChangeRecord, Intent, Millis, ReadBack, RecordedError, RecordedResult, Settled, TargetName,
};
use policy_core::report::OutcomeKind;

/// Ends the intent: its run gets the target's result, and the target's item what it holds. `false`: its end could not be
/// put on record in the audit, so that it stays open.
///
/// # Errors
/// The ledger cannot be written: the next one who looks settles it.
pub async fn settle(
    ledger: &Ledger,
    audit: &Audit,
    (home, invocation): (&Home, &Invocation),
    target: &TargetName,
    intent: &Intent,
    read: ReadBack<'_>,
    now: Millis,
) -> Result<bool, LedgerError> {
    let settled = record::settle(intent, read);
    let change = ledger.change(&intent.run.change_id, now).await?;
    let result = result(target, intent, &settled, change.as_ref(), now);
    let settlement = Settlement {
        change: change.as_ref(),
        change_id: &intent.reported_as,
        home,
        invocation,
        result: &result,
    };
    if let Err(error) = audit.settled(&settlement) {
        // the intent stays, so that the next one who looks puts its end on record
        tracing::error!(%error, "the audit log could not be written");
        return Ok(false);
    }
    let counts =
        change.as_ref().is_some_and(|change| change.stop_after.is_some() && change.key == intent.run.key);
    let is_failure = counts && result.done && result.outcome == OutcomeKind::Failed;
    match ledger.close(target, intent, &settled.closing, &result, is_failure).await? {
        Stored::Now => {}
        // after a restore of the table: the result is there and the intent still open
        Stored::Done(done) => {
            ledger.close_alone(target, intent, &record::closing_of(intent, &done), now).await?;
        }
        Stored::Lost(record) => {
            tracing::debug!(%target, rev = record.rev, "somebody else settled the intent");
        }
    }
    Ok(true)
}

fn result(
    target: &TargetName,
    intent: &Intent,
    settled: &Settled,
    change: Option<&ChangeRecord>,
    now: Millis,
) -> RecordedResult {
    let error = settled.code.map(|code: ErrorCode| {
        let failure = Failure::new(code);
        RecordedError {
            code: code.name().to_owned(),
            message: failure.message().to_owned(),
            retryable: !settled.done,
        }
    });
    RecordedResult {
        target: target.clone(),
        change_id: intent.reported_as.clone(),
        outcome: settled.outcome,
        done: settled.done,
        before: Some(settled.before.clone()),
        after: settled.after.clone(),
        error,
        attempts: 1,
        request_id: None,
        last_modified: None,
        at: now,
        who: change.map(|change| change.origin.who.clone()),
        declared_by: None,
        token: intent.token.clone(),
    }
}
