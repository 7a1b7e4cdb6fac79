//! The freeze: who stopped every change, when and why. Every process obeys it from its next change on, a worker from
//! its next target.

use super::http::Answered;
use super::records::ledger_failed;
use super::{Handler, InvocationContext};
use crate::audit::Action;
use crate::ledger::Ledger;
use policy_core::policy::request;
use policy_core::problem::Problem;
use policy_core::record::{Freeze, Who, freeze_document};
use policy_core::trigger::http::Request;
use policy_core::trigger::http::answer::Response;

impl Handler {
    /// `GET /freeze`.
    pub(super) async fn read_freeze(&self, ledger: &Ledger) -> Answered {
        match ledger.frozen().await {
            Ok(freeze) => Ok(Response::json(200, "application/json", freeze_document(freeze.as_ref())?)),
            Err(error) => ledger_failed(&error),
        }
    }

    /// What a write is answered while changes are frozen.
    pub(super) fn refuse_frozen(&self, context: &InvocationContext, request: &Request) -> Answered {
        let why = "changes are frozen; GET /freeze says by whom and why";
        self.refuse(context, request, Problem::Frozen, why)
    }

    /// `PUT /freeze`.
    pub(super) async fn put_freeze(
        &self,
        context: &InvocationContext,
        request: &Request,
        ledger: &Ledger,
    ) -> Answered {
        let body = match self.small_body(context, request, request::Freeze::parse)? {
            Ok(body) => body,
            Err(refused) => return Ok(refused),
        };
        let freeze =
            Freeze { who: Who::of(&request.origin), at: self.now(), reason: body.reason, drain: body.drain };
        match ledger.freeze(&freeze).await {
            Ok(()) => {
                let what = if freeze.drain { Action::Drain } else { Action::Freeze };
                self.note_action(context, &request.origin, what, freeze.reason.as_deref());
                Ok(Response::json(200, "application/json", freeze_document(Some(&freeze))?))
            }
            Err(error) => ledger_failed(&error),
        }
    }

    /// `DELETE /freeze`. Where there is none, nothing changes.
    pub(super) async fn thaw(
        &self,
        context: &InvocationContext,
        request: &Request,
        ledger: &Ledger,
    ) -> Answered {
        match ledger.thaw().await {
            Ok(was_frozen) => {
                if was_frozen {
                    self.note_action(context, &request.origin, Action::Thaw, None);
                }
                Ok(Response::json(200, "application/json", freeze_document(None)?))
            }
            Err(error) => ledger_failed(&error),
        }
    }
}
