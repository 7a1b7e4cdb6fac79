//! The record of a document that was rejected. Who puts an event on a bus or sends a message waits for no answer: the
//! record says what became of it, and so does its event. A caller over HTTP has the answer, and gets no record.

use super::governed::accepted;
use super::{Handler, InvocationContext};
use crate::ledger::{Ledger, LedgerError, Recorded};
use crate::propagate::Tokens;
use crate::telemetry::causes;
use policy_core::origin::{Origin, TriggerKind};
use policy_core::policy::{ChangeId, Violation, ViolationCode};
use policy_core::record::{RecordStatus, RecordedOrigin, RejectedDocument, is_announcement};
use policy_core::report::{ChangeReport, Report, Status};

/// How often a record that keeps changing is looked at.
const TRIES: usize = 3;

impl Handler {
    /// Records that a document was rejected, where its report says so: under its own id, or, where that belongs to
    /// another change, under the id of the event or the message.
    ///
    /// # Errors
    /// The ledger cannot be used now: the document has to come again.
    pub(super) async fn record_rejection(
        &self,
        context: &InvocationContext,
        origin: &Origin,
        text: &str,
        report: &Report,
    ) -> Result<(), LedgerError> {
        let Some(ledger) = &self.ledger else { return Ok(()) };
        let comes_alone = matches!(origin.kind, TriggerKind::EventBridge | TriggerKind::Sqs);
        if report.status() != Status::Rejected || !comes_alone {
            return Ok(());
        }
        // boxed: most documents need none of it
        Box::pin(self.record_rejected(context, ledger, origin, text, report)).await
    }

    async fn record_rejected(
        &self,
        context: &InvocationContext,
        ledger: &Ledger,
        origin: &Origin,
        text: &str,
        report: &Report,
    ) -> Result<(), LedgerError> {
        let violations: Vec<Violation> =
            report.changes.iter().flat_map(ChangeReport::violations).cloned().collect();
        // our own event, or what Amazon Connect did: an event about it could come back here, and so on for ever
        let is_refused = |violation: &Violation| violation.code == ViolationCode::SourceRefused;
        if violations.iter().any(is_refused) || is_announcement(text) {
            return Ok(());
        }
        let accepted = accepted(origin, self.now());
        let origin_of = RecordedOrigin::of(origin);
        let document = RejectedDocument { text, violations: &violations, origin: origin_of, accepted };
        let named = report.changes.first().map(|change| change.change_id.clone());
        for id in named.into_iter().chain([origin.change_id()]) {
            match self.recorded_as_rejected(context, ledger, &document, &id).await {
                Ok(true) => return Ok(()),
                Ok(false) => {}
                Err(error) => {
                    tracing::error!(error = causes(&error), change_id = %id, "the rejection could not be recorded");
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// Records it under that id. `false`: the id belongs to another change.
    async fn recorded_as_rejected(
        &self,
        context: &InvocationContext,
        ledger: &Ledger,
        document: &RejectedDocument<'_>,
        id: &ChangeId,
    ) -> Result<bool, LedgerError> {
        let (announces, now) = (self.announces(), self.now());
        let tokens = Tokens::new(&context.invocation.request_id, now);
        let token = || format!("{}/{}", tokens.next(), document.hash());
        let mut new = document.record(id, token(), announces, now);
        let mut recorded = ledger.record(&new, now).await?;
        for _ in 0..TRIES {
            let there = match recorded {
                Recorded::Stored => {
                    context.tally.lock().add_ended_run(RecordStatus::Rejected);
                    self.announce(context, ledger, &new).await;
                    return Ok(true);
                }
                Recorded::Exists(there) => there,
            };
            if document.is_recorded_as(&there) {
                self.announce(context, ledger, &there).await;
                return Ok(true);
            }
            if there.status != RecordStatus::Rejected {
                return Ok(false);
            }
            new = document.next_record(&there, token(), announces, now);
            recorded = ledger.next_run(&there, &new, now).await?;
        }
        Ok(false)
    }
}
