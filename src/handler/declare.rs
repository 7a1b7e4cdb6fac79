//! A request of a CloudFormation custom resource: recorded like any long change, and answered when it has ended.
//! docs/declarations.md is the design.

mod answer;
mod deletion;
mod generation;

use super::{FunctionError, Handler, InvocationContext, Reply};
use crate::audit::Action;
use crate::ledger::{Generation, Ledger, LedgerError, Taken};
use crate::telemetry::causes;
use deletion::last_success;
use generation::Drafted;
use policy_core::declare::{Kept, Owed, Request, RequestType, Step, is_start_check, step, verdict};
use policy_core::function_error::FunctionErrorType;
use policy_core::origin::{Origin, TriggerKind};
use policy_core::policy::ChangeId;
use serde_json::value::{RawValue, to_raw_value};
use std::collections::BTreeMap;

/// How often a request is looked at again because its declaration changed meanwhile.
const TRIES: usize = 3;

impl Handler {
    /// Takes a request up, or goes on with it. Answer and then succeed: a function error only where nobody could be
    /// answered, so that Lambda tries the request again.
    pub(super) async fn declare(&self, context: &InvocationContext, payload: &RawValue) -> Reply {
        let Some(ledger) = &self.ledger else {
            let why = "declarations need LEDGER_TABLE";
            return Err(FunctionError::new(FunctionErrorType::TriggerNotAccepted, &why));
        };
        if is_start_check(payload.get()) {
            return Ok(to_raw_value(&BTreeMap::from([("started", true)]))?);
        }
        let request = match Request::parse(payload.get(), self.settings.answer_hosts) {
            Ok(request) => request,
            Err(malformed) => {
                let origin =
                    Origin { kind: TriggerKind::Cloudformation, ..Origin::invoker(&context.invocation) };
                let error_type = FunctionErrorType::MalformedPayload;
                self.note_refusal(context, &origin, error_type.name(), &malformed.to_string());
                return Err(FunctionError::new(error_type, &malformed));
            }
        };
        let kept = match ledger.declaration(&request.stack_id, &request.logical_id, self.now()).await {
            Ok(kept) => kept,
            Err(error) => return self.not_taken(&request, &error).await,
        };
        match self.advance(context, ledger, &request, kept).await {
            Ok(reply) => reply,
            Err(error) => {
                tracing::error!(error = causes(&error), "the request could not be recorded");
                Err(FunctionError::new(
                    FunctionErrorType::LedgerUnavailable,
                    &"the request could not be recorded",
                ))
            }
        }
    }

    async fn advance(
        &self,
        context: &InvocationContext,
        ledger: &Ledger,
        request: &Request<'_>,
        mut kept: Option<Kept>,
    ) -> Result<Reply, LedgerError> {
        for _ in 0..TRIES {
            let known = kept.as_ref().map(|kept| &kept.known);
            let generation = match step(known, request.kind, &request.request_id) {
                Step::Nothing => return Ok(self.without_work(request).await),
                Step::Repeat | Step::Overtaken => {
                    let generation = kept.as_ref().and_then(|kept| kept.generation_of(&request.request_id));
                    return self.again(context, ledger, request, generation.unwrap_or_default()).await;
                }
                Step::Begin { generation } => generation,
            };
            let mut drafted = match self.drafted(context, ledger, request, kept.as_ref(), generation).await {
                Ok(Some(drafted)) => drafted,
                Ok(None) => return Ok(self.without_work(request).await),
                Err(error) => return Ok(self.not_taken(request, &error).await),
            };
            let mut taken = match ledger.take(taking(kept.as_ref(), &drafted), self.now()).await {
                Err(error @ LedgerError::Refused(_)) => return Ok(self.not_taken(request, &error).await),
                // otherwise it may have been written
                taken => taken?,
            };
            if taken == Taken::IdTaken {
                let id = request.change_id(generation);
                drafted =
                    drafted.refused(format!("Another change has the id `{id}`, which this one would have"));
                taken = ledger.take(taking(kept.as_ref(), &drafted), self.now()).await?;
            }
            if taken == Taken::Now {
                return self.begin_generation(context, ledger, request, &drafted).await;
            }
            kept = ledger.declaration(&request.stack_id, &request.logical_id, self.now()).await?;
        }
        let why = "other requests of the resource came at the same time";
        Ok(Err(FunctionError::new(FunctionErrorType::PolicyChangeIncomplete, &why)))
    }

    /// A generation that only has to be taken. `None`: a Delete of an id that CloudFormation has replaced, that of a Create
    /// which it gave up, or of the function that had the resource before. What is declared now has its own id, and stays.
    async fn drafted(
        &self,
        context: &InvocationContext,
        ledger: &Ledger,
        request: &Request<'_>,
        kept: Option<&Kept>,
        generation: u32,
    ) -> Result<Option<Drafted>, LedgerError> {
        let last_success = last_success(ledger, request, kept, self.now()).await?;
        if request.kind == RequestType::Delete && !request.knows_its_id() && last_success.is_some() {
            return Ok(None);
        }
        let new = (generation, last_success);
        let drafted = self.draft_generation(context, ledger, request, kept, new).await?;
        if let Some(record) = &drafted.record {
            ledger.put_plan(record, &drafted.text).await?;
        }
        Ok(Some(drafted))
    }

    /// There is nothing to do, and nothing is recorded.
    async fn without_work(&self, request: &Request<'_>) -> Reply {
        let body = verdict::without_work().body(&request.addressee());
        self.reply(request, None, self.put(request.response_url.secret(), &body).await)
    }

    /// The ledger failed before anything was taken, so that nobody else will answer.
    async fn not_taken(&self, request: &Request<'_>, error: &LedgerError) -> Reply {
        tracing::error!(
            error = causes(error),
            "the request could not be recorded, and is answered as failed"
        );
        let why = "The ledger could not be used, and nothing was changed";
        let body = verdict::refused(why).body(&request.addressee());
        self.reply(request, None, self.put(request.response_url.secret(), &body).await)
    }

    /// A generation that is recorded: its lanes are sent, or it is answered.
    async fn begin_generation(
        &self,
        context: &InvocationContext,
        ledger: &Ledger,
        request: &Request<'_>,
        drafted: &Drafted,
    ) -> Result<Reply, LedgerError> {
        let id = request.change_id(drafted.answer.generation);
        let claim = format!(
            "{:?} of `{}` in the stack {}, as the request claims",
            request.kind, request.logical_id, request.stack_id
        );
        self.note_change_action(context, &drafted.origin, &id, (Action::Declare, None), Some(&claim));
        if let Some(why) = &drafted.refused {
            self.note_refusal(context, &drafted.origin, "DeclarationRefused", why);
        }
        let (Some(record), Some(plan)) = (&drafted.record, &drafted.plan) else {
            let put = self.pay_answer(context, ledger, &drafted.answer).await?;
            return Ok(self.reply(request, None, put));
        };
        if let Err(error) = self.dispatch(ledger, record, plan, context.deadline.end()).await {
            // the record is there, so that the sweep sends what is missing
            tracing::warn!(error = causes(&error), change_id = %record.change_id, "not every lane was sent");
        }
        Ok(self.reply(request, Some(record.change_id.as_str()), Ok(())))
    }

    /// A request that came before: its generation goes on from where it stands.
    async fn again(
        &self,
        context: &InvocationContext,
        ledger: &Ledger,
        request: &Request<'_>,
        generation: u32,
    ) -> Result<Reply, LedgerError> {
        let Some(owed) = ledger.answer(&request.stack_id, &request.logical_id, generation).await? else {
            // answered days ago
            return Ok(self.reply(request, None, Ok(())));
        };
        let put = self.pay_answer(context, ledger, &owed).await?;
        Ok(self.reply(request, owed.change.as_ref().map(ChangeId::as_str), put))
    }

    /// The function's answer to Lambda: success once CloudFormation has its answer, else a function error.
    #[expect(clippy::unused_self, reason = "beside the other replies")]
    fn reply(
        &self,
        request: &Request<'_>,
        change_id: Option<&str>,
        put: Result<(), crate::callback::NotDelivered>,
    ) -> Reply {
        match put {
            Ok(()) => {
                let answer = [("request", Some(request.request_id.as_str())), ("changeId", change_id)];
                Ok(to_raw_value(&BTreeMap::from(answer))?)
            }
            Err(error) => Err(FunctionError::new(FunctionErrorType::AnswerNotDelivered, &error)),
        }
    }

    /// Whether an answer is there to be sent.
    fn is_unsent(owed: &Owed) -> bool {
        owed.url.is_some()
    }
}

fn taking<'a>(old: Option<&'a Kept>, drafted: &'a Drafted) -> Generation<'a> {
    Generation {
        old,
        new: &drafted.kept,
        answer: &drafted.answer,
        change: drafted.record.as_ref(),
        overtakes: drafted.overtakes.as_ref().map(|(run, halt)| (run, halt)),
    }
}
