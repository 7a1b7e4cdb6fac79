//! `POST /instances/{instanceId}/attachment-policies/{scope}/restore`: a target gets back what the ledger says that it
//! should hold. A change like any other, whose values are not the caller's.

use super::change::Submission;
use super::http::Answered;
use super::records::ledger_failed;
use super::{Handler, InvocationContext};
use crate::ledger::Ledger;
use policy_core::policy::{ChangeId, Configuration, Form, InstanceName, Scope, request};
use policy_core::problem::Problem;
use policy_core::record::{Members, TargetName};
use policy_core::trigger::http::{Request, answer};
use serde::Serialize;

/// The change as a document.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Restoring<'a> {
    #[serde(flatten)]
    held: &'a Configuration,
    #[serde(skip_serializing_if = "Option::is_none")]
    change_id: Option<&'a ChangeId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

impl Handler {
    pub(super) async fn restore(
        &self,
        context: &InvocationContext,
        request: &Request,
        ledger: &Ledger,
        (name, scope): (&InstanceName, Scope),
        dry_run: bool,
    ) -> Answered {
        let body = match self.small_body(context, request, request::Restore::parse)? {
            Ok(body) => body,
            Err(refused) => return Ok(refused),
        };
        let instance = context.rules.home.complete(name);
        if let Some(refused) = self.unreachable(context, request, &instance)? {
            return Ok(refused);
        }
        let target = TargetName::of(&instance, scope);
        let held = match ledger.targets(std::slice::from_ref(&target)).await {
            Ok(records) => records.into_iter().next().unwrap_or_default().held,
            Err(error) => return ledger_failed(&error),
        };
        if !Members::of_known(&held).any() {
            let why = "no change has set a value of this target, so there is nothing to put back";
            return self.refuse(context, request, Problem::TargetNotGoverned, why);
        }
        let (change_id, reason) = (body.change_id.as_ref(), body.reason.as_deref());
        let document = serde_json::to_string(&Restoring { held: &held, change_id, reason })?;
        let submission = Submission {
            form: Form::Values { instance, scope, if_match: None },
            dry_run,
            restores: true,
            ..Submission::new(&document, request.origin.clone())
        };
        let report = self.change(context, &submission).await;
        Ok(answer::of(&report, |targets| self.settings.connect.seconds_for(targets))?)
    }
}
