//! HTTP: a target is released from the stack that declares it, because that stack is gone. Its values stay.

use super::http::Answered;
use super::records::ledger_failed;
use super::{Handler, InvocationContext};
use crate::audit::Action;
use crate::ledger::{Ledger, LedgerError};
use policy_core::declare::DeclaredBy;
use policy_core::policy::{InstanceName, Scope};
use policy_core::problem::Problem;
use policy_core::record::{Handover, TargetName, released_document};
use policy_core::trigger::http::Request;
use policy_core::trigger::http::answer::Response;

/// How often a target is looked at again because its item changed meanwhile.
const TRIES: usize = 3;

/// What became of the owner.
enum Released {
    /// This resource declared the target, and does so no more.
    From(DeclaredBy),
    /// No stack declares the target.
    Nobodys,
    /// An update of the target is under way, which may set its owner.
    Busy,
}

impl Handler {
    /// `DELETE /instances/{instanceId}/attachment-policies/{scope}/declaration`.
    pub(super) async fn release_target(
        &self,
        context: &InvocationContext,
        request: &Request,
        ledger: &Ledger,
        (instance, scope): (&InstanceName, Scope),
    ) -> Answered {
        let target = TargetName::of(&context.rules.home.complete(instance), scope);
        match ledger.frozen().await {
            Ok(None) => {}
            Ok(Some(_)) => return self.refuse_frozen(context, request),
            Err(error) => return ledger_failed(&error),
        }
        match self.end_owner(context, ledger, &target).await {
            Ok(Released::From(owner)) => {
                let what = format!(
                    "{} of {} was declared by `{}` of the stack {}",
                    target.scope, target.instance, owner.logical_id, owner.stack_id
                );
                self.note_action(context, &request.origin, Action::Release, Some(&what));
                Ok(Response::json(200, "application/json", released_document(&target, &owner)?))
            }
            Ok(Released::Nobodys) => {
                self.refuse(context, request, Problem::NotDeclared, "no stack declares the target")
            }
            Ok(Released::Busy) => {
                let why = "an update of the target is under way; try again";
                self.refuse(context, request, Problem::TargetBusy, why)
            }
            Err(error) => ledger_failed(&error),
        }
    }

    async fn end_owner(
        &self,
        context: &InvocationContext,
        ledger: &Ledger,
        target: &TargetName,
    ) -> Result<Released, LedgerError> {
        let mut seen = None;
        for _ in 0..TRIES {
            let record = ledger.target(target).await?;
            let record = self.without_lapsed(context, ledger, target, record).await?;
            let Some(owner) = &record.owner else {
                // where one was seen before, this request's own write was carried out and its answer was lost
                return Ok(seen.map_or(Released::Nobodys, Released::From));
            };
            let owner = owner.resource();
            if record.intent.is_none()
                && ledger.hand_over(target, record.rev, &Handover::Released, None).await?
            {
                return Ok(Released::From(owner));
            }
            seen = Some(owner);
        }
        Ok(Released::Busy)
    }
}
