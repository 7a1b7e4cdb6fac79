//! Rejected payloads: recorded in the audit log, answered in the trigger's format, parked where possible.

use super::{FunctionError, Handler, InvocationContext, Reply, encoded};
use crate::audit::{Action, Reason};
use crate::queue::Label;
use crate::telemetry::causes;
use policy_core::failure::Failure;
use policy_core::function_error::FunctionErrorType;
use policy_core::origin::{Origin, TriggerKind};
use policy_core::policy::{ChangeId, Document, Home, Violation, ViolationCode};
use policy_core::problem::Problem;
use policy_core::report::{ChangeReport, Disposition, Report};
use policy_core::trigger::NotAccepted;
use policy_core::trigger::http::answer::Response;
use serde_json::value::RawValue;

/// The event is in no queue yet. The log has the reason; whoever asked has to send it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the event could not be parked")]
pub(super) struct NotParked;

impl Handler {
    /// A payload that no trigger can use: in the audit, and answered as far as it can be.
    pub(super) async fn refuse_payload(
        &self,
        context: &InvocationContext,
        payload: &RawValue,
        refused: &NotAccepted,
    ) -> Reply {
        let (error_type, kind) = match refused {
            NotAccepted::Unrecognised(_) => (FunctionErrorType::UnrecognisedPayload, TriggerKind::Bare),
            NotAccepted::Malformed { kind, .. } => (FunctionErrorType::MalformedPayload, *kind),
        };
        let origin = Origin { kind, ..Origin::invoker(&context.invocation) };
        if kind == TriggerKind::EventBridge && self.queues.parks() {
            let report =
                self.reject_unread(context, &origin, ViolationCode::MalformedEnvelope, &refused.to_string());
            let again = || Err(FunctionError::new(FunctionErrorType::PolicyChangeIncomplete, refused));
            if self.record_rejection(context, &origin, payload.get(), &report).await.is_err() {
                return again();
            }
            return match self.park(context, payload.get(), &report).await {
                Ok(()) => encoded(&report),
                Err(NotParked) => again(),
            };
        }
        let id = self.note_refusal(context, &origin, error_type.name(), &refused.to_string());
        if kind == TriggerKind::Http {
            let response = Response::problem(Problem::MalformedEnvelope, &refused.to_string(), Some(&id))?;
            return Ok(serde_json::value::to_raw_value(&response)?);
        }
        Err(FunctionError::new(error_type, refused))
    }

    /// Sends the original event to the parked queue, for an operator.
    pub(super) async fn park(
        &self,
        context: &InvocationContext,
        event: &str,
        report: &Report,
    ) -> Result<(), NotParked> {
        let change_id = report.changes.first().map_or("", |change| change.change_id.as_str());
        let label = Label { change_id, status: report.status().name(), reasons: reasons(report) };
        self.queues.park(event, &label, context.deadline.end()).await.map_err(|error| {
            tracing::error!(error = causes(&error), change_id, "the event could not be parked");
            NotParked
        })
    }

    /// Rejects a document for a reason outside its fields, such as its source: records it and returns the
    /// report.
    pub(super) fn reject(
        &self,
        context: &InvocationContext,
        origin: &Origin,
        code: ViolationCode,
        message: &str,
    ) -> Report {
        self.reject_as(context, origin, &origin.change_id(), code, message)
    }

    /// The same for a document whose id is known.
    pub(super) fn reject_as(
        &self,
        context: &InvocationContext,
        origin: &Origin,
        id: &ChangeId,
        code: ViolationCode,
        message: &str,
    ) -> Report {
        let violation = Violation { pointer: String::new(), code, message: message.to_owned() };
        self.note_violations(context, origin, id, std::slice::from_ref(&violation));
        Report::one(ChangeReport::rejected(id.clone(), vec![violation]))
    }

    /// A document of which nothing is done, for now.
    pub(super) fn not_begun(
        &self,
        context: &InvocationContext,
        origin: &Origin,
        document: &Document,
        why: &Failure,
    ) -> Report {
        let code = why.code().to_owned();
        let reason = Reason { pointer: String::new(), code, message: why.message().to_owned() };
        self.note(origin, &context.rules.home, &document.change_id, &[reason]);
        let changes = document.changes.iter().map(|change| ChangeReport {
            change_id: change.change_id.clone(),
            disposition: Disposition::NotBegun(why.clone()),
            warnings: change.warnings.clone(),
        });
        Report::of(changes.collect(), document.is_batch)
    }

    /// Rejects what is no document yet: nothing else counts it.
    pub(super) fn reject_unread(
        &self,
        context: &InvocationContext,
        origin: &Origin,
        code: ViolationCode,
        message: &str,
    ) -> Report {
        let report = self.reject(context, origin, code, message);
        context.tally.lock().add(&report);
        report
    }

    pub(super) fn note_violations(
        &self,
        context: &InvocationContext,
        origin: &Origin,
        id: &ChangeId,
        violations: &[Violation],
    ) {
        let reasons: Vec<Reason> = violations.iter().map(Reason::from).collect();
        self.note(origin, &context.rules.home, id, &reasons);
    }

    pub(super) fn note_refusal(
        &self,
        context: &InvocationContext,
        origin: &Origin,
        code: &str,
        message: &str,
    ) -> ChangeId {
        context.tally.lock().add_refusal();
        let reason = Reason { pointer: String::new(), code: code.to_owned(), message: message.to_owned() };
        let id = origin.change_id();
        self.note(origin, &context.rules.home, &id, &[reason]);
        id
    }

    /// Something that is done to all changes.
    pub(super) fn note_action(
        &self,
        context: &InvocationContext,
        origin: &Origin,
        action: Action,
        reason: Option<&str>,
    ) {
        self.note_change_action(context, origin, &origin.change_id(), (action, None), reason);
    }

    /// Something that is done to a recorded change; of a change that follows from another one, that one too.
    pub(super) fn note_change_action(
        &self,
        context: &InvocationContext,
        origin: &Origin,
        id: &ChangeId,
        what: (Action, Option<&ChangeId>),
        reason: Option<&str>,
    ) {
        if let Err(error) = self.audit.action(origin, &context.rules.home, id, what, reason) {
            tracing::error!(%error, "the audit log could not be written");
        }
    }

    pub(super) fn note(&self, origin: &Origin, home: &Home, id: &ChangeId, reasons: &[Reason]) {
        if let Err(error) = self.audit.refusal(origin, home, id, reasons) {
            tracing::error!(%error, "the audit log could not be written");
        }
    }
}

/// The first reasons of a report, in one line that a message attribute takes.
fn reasons(report: &Report) -> String {
    const SHOWN: usize = 3;
    let violations = report.changes.iter().flat_map(ChangeReport::violations);
    let violations = violations.map(ToString::to_string);
    let failures = report.results().filter_map(|result| {
        let error = result.outcome.error()?;
        let place = result.place.as_ref().map(|place| format!(" in {place}")).unwrap_or_default();
        let (id, scope) = (result.instance_id(), result.scope);
        Some(format!("{id}{place} {scope}: {} {}", error.code(), error.message()))
    });
    let line = violations.chain(failures).take(SHOWN).collect::<Vec<_>>().join("; ");
    // an attribute's value may not be empty, nor hold control characters or these two ("SendMessage", Amazon SQS API)
    let is_allowed = |c: &char| !c.is_control() && !matches!(c, '\u{fffe}' | '\u{ffff}');
    let line: String = line.chars().filter(is_allowed).take(1_024).collect();
    if line.is_empty() { "none".to_owned() } else { line }
}
