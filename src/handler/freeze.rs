//! The freeze: who stopped every change, when and why. Every process obeys it from its next change on, a worker from
//! its next target.

use super::http::Answered;
use super::records::ledger_failed;
use super::{Handler, InvocationContext};
use crate::audit::Action;
use crate::ledger::Ledger;
use policy_core::problem::Problem;
use policy_core::record::{Freeze, Who, freeze_document};
use policy_core::trigger::http::Request;
use policy_core::trigger::http::answer::Response;
use serde::Deserialize;

/// The body of `PUT /freeze`; every member may be absent.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct FreezeBody {
    reason: Option<String>,
    #[serde(default)]
    drain: bool,
}

impl Handler {
    /// `GET /freeze`.
    pub(super) async fn read_freeze(&self, ledger: &Ledger) -> Answered {
        match ledger.frozen().await {
            Ok(freeze) => Ok(Response::json(200, "application/json", freeze_document(freeze.as_ref())?)),
            Err(error) => ledger_failed(&error),
        }
    }

    /// `PUT /freeze`.
    pub(super) async fn put_freeze(
        &self,
        context: &InvocationContext,
        request: &Request,
        ledger: &Ledger,
    ) -> Answered {
        let body: FreezeBody = match self.small_body(context, request)? {
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

    /// A small body of JSON, or the answer to one that is none. An absent one has every member's default.
    pub(super) fn small_body<B: Default + for<'b> Deserialize<'b>>(
        &self,
        context: &InvocationContext,
        request: &Request,
    ) -> Result<Result<B, Response>, super::FunctionError> {
        /// A reason has at most 1,024 characters; twice that leaves room for the rest.
        const LONGEST: usize = 8_192;
        let text = match &request.body {
            Ok(text) => text.as_deref().unwrap_or_default().trim(),
            Err(why) => {
                return self.refuse(context, request, Problem::InvalidBody, &why.to_string()).map(Err);
            }
        };
        if text.is_empty() {
            return Ok(Ok(B::default()));
        }
        if text.len() > LONGEST {
            let why = format!("the body has {} bytes; the limit is {LONGEST}", text.len());
            return self.refuse(context, request, Problem::TooLarge, &why).map(Err);
        }
        match serde_json::from_str(text) {
            Ok(body) => Ok(Ok(body)),
            Err(error) if error.is_syntax() || error.is_eof() => {
                self.refuse(context, request, Problem::NotJson, &format!("must be JSON: {error}")).map(Err)
            }
            Err(error) => {
                self.refuse(context, request, Problem::InvalidBody, &format!("the body {error}")).map(Err)
            }
        }
    }
}
