//! One EventBridge event: a change, or what CloudTrail has seen.

use super::change::Submission;
use super::refusal::NotParked;
use super::{FunctionError, Handler, InvocationContext, Reply, encoded};
use crate::ledger::Ledger;
use policy_core::function_error::FunctionErrorType;
use policy_core::origin::TriggerKind;
use policy_core::policy::ViolationCode;
use policy_core::report::{Report, Status};
use policy_core::trigger::cloudtrail::Call;
use policy_core::trigger::event_bridge::Event;
use serde_json::value::{RawValue, to_raw_value};
use std::collections::BTreeMap;

impl Handler {
    /// An EventBridge event: a final result is reported or parked; Lambda retries anything else.
    pub(super) async fn answer_event(
        &self,
        context: &InvocationContext,
        payload: &RawValue,
        event: &Event<'_>,
    ) -> Reply {
        if let Some((ledger, call)) = self.looks_at(event) {
            return match Box::pin(self.check_call(context, ledger, call)).await {
                Ok(()) => Ok(to_raw_value(&BTreeMap::from([("checked", true)]))?),
                // Lambda retries it
                Err(error) => Err(FunctionError::new(FunctionErrorType::PolicyChangeIncomplete, &error)),
            };
        }
        if !self.accepts(TriggerKind::EventBridge) {
            let only = || "this function looks at what CloudTrail has seen only".to_owned();
            let why = self.cannot_look_at(event).unwrap_or_else(only);
            self.note_refusal(context, &event.origin, FunctionErrorType::TriggerNotAccepted.name(), &why);
            return Err(FunctionError::new(FunctionErrorType::TriggerNotAccepted, &why));
        }
        let report = self.change_of_event(context, event).await;
        if report.is_settled() {
            return encoded(&report);
        }
        // Lambda retries it
        let again = || {
            let error_type = FunctionErrorType::PolicyChangeIncomplete;
            Err(FunctionError { error_type, ..FunctionError::of(&report) })
        };
        if self.record_rejection(context, &event.origin, &event.document, &report).await.is_err() {
            return again();
        }
        if report.status() != Status::Incomplete && self.queues.parks() {
            return match self.park(context, payload.get(), &report).await {
                Ok(()) => encoded(&report),
                Err(NotParked) => again(),
            };
        }
        Err(FunctionError::of(&report))
    }

    /// The call that an event is about, where this function looks at such calls.
    pub(super) fn looks_at<'e>(&self, event: &'e Event<'_>) -> Option<(&Ledger, &'e Call)> {
        let call = event.call.as_ref().filter(|_| self.accepts(TriggerKind::CloudTrail))?;
        Some((self.ledger.as_ref()?, call.as_ref().ok()?))
    }

    /// Why what CloudTrail has seen is no call to look at, where this function looks at such calls.
    pub(super) fn cannot_look_at(&self, event: &Event<'_>) -> Option<String> {
        let call = event.call.as_ref().filter(|_| self.accepts(TriggerKind::CloudTrail))?;
        call.as_ref().err().map(|why| format!("CloudTrail's event {why}"))
    }

    pub(super) async fn change_of_event(&self, context: &InvocationContext, event: &Event<'_>) -> Report {
        if let Some(why) = self.cannot_look_at(event).or_else(|| event.refused.clone()) {
            return self.reject_unread(context, &event.origin, ViolationCode::SourceRefused, &why);
        }
        let mut submission = Submission::new(&event.document, event.origin.clone());
        submission.if_unmodified_since = event.replayed_from;
        submission.replay.clone_from(&event.replay);
        self.change(context, &submission).await
    }
}
