//! HTTP: one request, one response, by openapi.yaml.

use super::{FunctionError, Handler, InvocationContext, change::Submission};
use crate::connect::{Call, CallError, LaneClient, Target};
use crate::ledger::Ledger;
use policy_core::policy::{
    Blocked, Configuration, Form, IfMatch, Instance, Scope, Violation, entity_tag, entity_tag_of_all,
};
use policy_core::problem::Problem;
use policy_core::report::{ChangeReport, Report};
use policy_core::trigger::http::Request;
use policy_core::trigger::http::answer::{self, Response};
use policy_core::trigger::http::route::{self, NoRoute, Route};
use serde::Serialize;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

pub(super) type Answered = Result<Response, FunctionError>;

/// One scope's policy, as GET shows it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Policy<'a> {
    attachment_scope: Scope,
    #[serde(flatten)]
    configuration: &'a Configuration,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_modified_time: Option<String>,
    etag: String,
}

/// An instance's policies, as GET shows them.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Policies<'a, T> {
    instance_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    instance_arn: Option<String>,
    #[serde(flatten)]
    held: T,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct All<'a> {
    attachment_policies: Vec<Policy<'a>>,
}

impl Handler {
    /// Answers one request.
    pub(super) async fn answer_http(&self, context: &InvocationContext, request: &Request) -> Answered {
        let route = match route::of(request, self.ledger.is_some()) {
            Ok(routed) => routed,
            Err(NoRoute::NotFound(why)) => return self.refuse(context, request, Problem::NotFound, &why),
            Err(NoRoute::Query(why)) => return self.refuse(context, request, Problem::InvalidQuery, &why),
            Err(NoRoute::MethodNotAllowed(allow)) => {
                let why = format!("this path supports only {allow}");
                let refused = self.refuse(context, request, Problem::MethodNotAllowed, &why)?;
                return Ok(refused.with("allow", allow));
            }
        };
        if let Some(refused) = self.matches_nothing(context, request)? {
            return Ok(refused);
        }
        match (route, &self.ledger) {
            (Route::Submit { dry_run }, _) => self.submit(context, request, Form::Submission, dry_run).await,
            (Route::Patch { instance, scope, dry_run }, _) => {
                let instance = context.rules.home.complete(&instance);
                if let Some(refused) = self.unreachable(context, request, &instance)? {
                    return Ok(refused);
                }
                let if_match = request.if_match.as_deref().map(IfMatch::parse);
                self.submit(context, request, Form::Values { instance, scope, if_match }, dry_run).await
            }
            (Route::Read(name, scope), _) => {
                let instance = context.rules.home.complete(&name);
                match self.unreachable(context, request, &instance)? {
                    Some(refused) => Ok(refused),
                    None => self.read(context, request, &instance, scope).await,
                }
            }
            (route, Some(ledger)) => Box::pin(self.answer_governed(context, request, ledger, route)).await,
            // without a ledger there is no such route
            (_, None) => self.refuse(context, request, Problem::NotFound, "the path does not exist"),
        }
    }

    /// The routes that need the ledger.
    async fn answer_governed(
        &self,
        context: &InvocationContext,
        request: &Request,
        ledger: &Ledger,
        route: Route,
    ) -> Answered {
        match route {
            Route::Changes(query) => self.list_changes(context, request, ledger, &query).await,
            Route::Record(id, query) => self.read_record(context, request, ledger, &id, &query).await,
            Route::History(instance, scope, token) => {
                self.read_history(context, request, ledger, (&instance, scope), token.as_deref()).await
            }
            Route::Release(instance, scope) => {
                self.release_target(context, request, ledger, (&instance, scope)).await
            }
            Route::Undo { change, dry_run } => self.undo(context, request, ledger, &change, dry_run).await,
            Route::Restore { instance, scope, dry_run } => {
                self.restore(context, request, ledger, (&instance, scope), dry_run).await
            }
            Route::Apply(id) => self.apply(context, request, ledger, &id).await,
            Route::Cancel(id) => self.cancel(context, request, ledger, &id).await,
            Route::Frozen => self.read_freeze(ledger).await,
            Route::Freeze => self.put_freeze(context, request, ledger).await,
            Route::Thaw => self.thaw(context, request, ledger).await,
            Route::Submit { .. } | Route::Patch { .. } | Route::Read(..) => {
                self.refuse(context, request, Problem::NotFound, "the path does not exist")
            }
        }
    }

    /// A policy change in the body.
    async fn submit(
        &self,
        context: &InvocationContext,
        request: &Request,
        form: Form,
        dry_run: bool,
    ) -> Answered {
        let body = match &request.body {
            Ok(Some(body)) if !body.trim().is_empty() => body,
            Ok(_) => return self.refuse(context, request, Problem::InvalidBody, "the body is empty"),
            Err(why) => return self.refuse(context, request, Problem::InvalidBody, &why.to_string()),
        };
        if let Some(refused) = self.not_json(context, request)? {
            return Ok(refused);
        }
        let mut submission = Submission::new(body, request.origin.clone());
        submission.dry_run = dry_run;
        submission.form = form;
        let report = self.change(context, &submission).await;
        Ok(answer::of(&report, |targets| self.settings.connect.seconds_for(targets))?)
    }

    /// The answer to `If-Match` of a write to what has no representation that could match (RFC 9110 section 13.1.1).
    fn matches_nothing(
        &self,
        context: &InvocationContext,
        request: &Request,
    ) -> Result<Option<Response>, FunctionError> {
        if request.if_match.is_none() || matches!(request.method.as_str(), "GET" | "PATCH") {
            return Ok(None);
        }
        let why = "If-Match is supported only with PATCH";
        self.refuse(context, request, Problem::PreconditionFailed, why).map(Some)
    }

    /// The small body of a request about recorded changes, or the answer to one that cannot be used.
    pub(super) fn small_body<B>(
        &self,
        context: &InvocationContext,
        request: &Request,
        parse: fn(&str) -> Result<B, Vec<Violation>>,
    ) -> Result<Result<B, Response>, FunctionError> {
        let text = match &request.body {
            Ok(text) => text.as_deref().unwrap_or_default(),
            Err(why) => {
                return self.refuse(context, request, Problem::InvalidBody, &why.to_string()).map(Err);
            }
        };
        if !text.trim().is_empty()
            && let Some(refused) = self.not_json(context, request)?
        {
            return Ok(Err(refused));
        }
        match parse(text) {
            Ok(body) => Ok(Ok(body)),
            Err(violations) => {
                let id = request.origin.change_id();
                self.note_violations(context, &request.origin, &id, &violations);
                let report = Report::one(ChangeReport::rejected(id, violations));
                context.tally.lock().add(&report);
                Ok(Err(answer::of(&report, |targets| self.settings.connect.seconds_for(targets))?))
            }
        }
    }

    /// The answer to a body that says itself that it is no JSON.
    fn not_json(
        &self,
        context: &InvocationContext,
        request: &Request,
    ) -> Result<Option<Response>, FunctionError> {
        if request.content_type.as_deref().is_none_or(is_json) {
            return Ok(None);
        }
        let why = "Content-Type must be application/json";
        self.refuse(context, request, Problem::UnsupportedMediaType, why).map(Some)
    }

    /// For this API, an instance in an account without a configured role does not exist.
    pub(super) fn unreachable(
        &self,
        context: &InvocationContext,
        request: &Request,
        instance: &Instance,
    ) -> Result<Option<Response>, FunctionError> {
        if context.rules.reaches(instance) {
            return Ok(None);
        }
        let why = "CONNECT_ROLE_ARNS has no role for the instance's account";
        self.refuse(context, request, Problem::InstanceNotFound, why).map(Some)
    }

    /// Answers a request that contains no valid change, and says when a retry helps. The audit log records it too.
    pub(super) fn refuse(
        &self,
        context: &InvocationContext,
        request: &Request,
        problem: Problem,
        why: &str,
    ) -> Answered {
        let id = self.note_refusal(context, &request.origin, problem.name(), why);
        let response = Response::problem(problem, why, Some(&id))?;
        let seconds = match problem {
            Problem::Frozen => answer::FROZEN,
            Problem::ChangeRunning | Problem::TargetBusy => answer::NOT_BEGUN,
            _ => return Ok(response),
        };
        Ok(response.with("retry-after", seconds.to_string()))
    }

    /// The effective values, with an `ETag`.
    async fn read(
        &self,
        context: &InvocationContext,
        request: &Request,
        instance: &Instance,
        scope: Option<Scope>,
    ) -> Answered {
        if !self.settings.guardrails.allows(instance) {
            return self.refuse(context, request, Problem::Blocked, &Blocked::Instance.to_string());
        }
        let home = &context.rules.home;
        let lane = self.connect.lane(&self.connect.key(instance, home));
        let call = Call { until: context.deadline.calls(), last_attempt: None, log: &context.log };
        let (mut held, modified) = match scope {
            Some(scope) => match lane.describe(Target { instance: &instance.id, scope }, call).await {
                Ok(answer) => (BTreeMap::from([(scope, answer.configuration)]), answer.last_modified),
                Err(error) => return self.unread(&error),
            },
            None => match every_scope(&lane, instance, call).await {
                Ok(held) => (held, None),
                Err(error) => return self.unread(&error),
            },
        };
        let (tag, body) = if let Some((scope, configuration)) =
            scope.and_then(|scope| Some((scope, held.remove(&scope)?)))
        {
            let body = serde_json::to_string(&shown(instance, policy(scope, &configuration, modified)))?;
            (entity_tag(&configuration), body)
        } else {
            let policies: Vec<_> = held.iter().map(|(scope, held)| policy(*scope, held, None)).collect();
            (
                entity_tag_of_all(&held),
                serde_json::to_string(&shown(instance, All { attachment_policies: policies }))?,
            )
        };
        Ok(Response::json(200, "application/json", body).with("etag", tag))
    }

    fn unread(&self, error: &CallError) -> Answered {
        let response = Response::problem(error.code.problem(), error.code.message(), None)?;
        if error.code.is_retryable() {
            return Ok(response.with("retry-after", self.settings.connect.seconds_for(1).to_string()));
        }
        Ok(response)
    }
}

/// What every scope of an instance holds. One that List leaves out has the default, which Describe returns.
async fn every_scope(
    lane: &LaneClient,
    instance: &Instance,
    call: Call<'_>,
) -> Result<BTreeMap<Scope, Configuration>, CallError> {
    let mut held = lane.list(&instance.id, call).await?.configurations;
    for scope in Scope::ALL {
        if let Entry::Vacant(left_out) = held.entry(scope) {
            let answer = lane.describe(Target { instance: &instance.id, scope }, call).await?;
            left_out.insert(answer.configuration);
        }
    }
    Ok(held)
}

fn policy(scope: Scope, configuration: &Configuration, modified: Option<OffsetDateTime>) -> Policy<'_> {
    Policy {
        attachment_scope: scope,
        configuration,
        last_modified_time: modified.and_then(|at| at.format(&Rfc3339).ok()),
        etag: entity_tag(configuration),
    }
}

fn shown<T>(instance: &Instance, held: T) -> Policies<'_, T> {
    Policies { instance_id: instance.id.as_str(), instance_arn: instance.arn(), held }
}

/// `application/json` or any `+json` type, whatever its parameters.
fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}
