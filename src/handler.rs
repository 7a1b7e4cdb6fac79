//! One invocation, top to bottom.

mod change;
mod http;
mod queued;
mod refusal;

use crate::audit::Audit;
use crate::connect::Connect;
use crate::metrics::{Metrics, Tally};
use crate::propagate::Deadline;
use crate::queue::Queues;
use crate::settings::Settings;
use change::Submission;
use lambda_runtime::{Context, Diagnostic, LambdaEvent};
use policy_core::aws::Arn;
use policy_core::origin::{Invocation, Origin, TriggerKind};
use policy_core::policy::{Rules, ViolationCode};
use policy_core::report::{self, Outcome, Report, Status};
use policy_core::trigger::{self, NotAccepted, Trigger, event_bridge};
use serde_json::value::{RawValue, to_raw_value};
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use tokio::time::Instant;

/// Everything an invocation needs, made once per process.
#[derive(Debug)]
pub struct Handler {
    settings: Settings,
    connect: Connect,
    queues: Queues,
    audit: Audit,
    metrics: Metrics,
}

/// What belongs to one invocation.
#[derive(Debug)]
struct InvocationContext {
    invocation: Invocation,
    tally: Mutex<Tally>,
    rules: Rules,
    deadline: Deadline,
}

/// What Lambda is told of an invocation that did not do what it was asked.
#[derive(Clone, PartialEq, Eq)]
pub struct FunctionError {
    /// `errorType`: stable, for Step Functions' `Catch` and for alarms.
    pub error_type: &'static str,
    /// `errorMessage`: the report as JSON where there is one, else a sentence.
    pub message: String,
}

/// The runtime logs it like this: the type, not the report a second time.
impl fmt::Debug for FunctionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.error_type)
    }
}

impl From<FunctionError> for Diagnostic {
    fn from(error: FunctionError) -> Self {
        Self { error_type: error.error_type.to_owned(), error_message: error.message }
    }
}

impl FunctionError {
    fn new(error_type: &'static str, message: &dyn fmt::Display) -> Self {
        let message = message.to_string();
        Self { error_type, message }
    }

    /// A report that is no success, as a function error.
    fn of(report: &Report) -> Self {
        let error_type = match report.status() {
            Status::Rejected => "PolicyChangeRejected",
            Status::Incomplete => "PolicyChangeIncomplete",
            Status::Failed | Status::Partial | Status::Planned | Status::Succeeded | Status::Accepted => {
                "PolicyChangeFailed"
            }
        };
        Self::new(error_type, &report::encode(report).unwrap_or_default())
    }
}

impl From<serde_json::Error> for FunctionError {
    fn from(error: serde_json::Error) -> Self {
        Self::new("AnswerNotEncoded", &error)
    }
}

type Reply = Result<Box<RawValue>, FunctionError>;

impl Handler {
    /// Puts the parts together.
    pub fn new(settings: Settings, connect: Connect, queues: Queues, audit: Audit, metrics: Metrics) -> Self {
        Self { settings, connect, queues, audit, metrics }
    }

    /// Handles one invocation: its answer, and before it one line of metrics and one of summary.
    ///
    /// # Errors
    /// What the contract's table makes a function error.
    pub async fn handle(&self, event: LambdaEvent<Box<RawValue>>) -> Reply {
        let started = Instant::now();
        let context = self.invocation_context(&event.context);
        let trigger = trigger::recognise(&event.payload, &context.invocation);
        let kind = trigger.as_ref().ok().map(kind_of);
        let reply = self.answer(&context, &event.payload, trigger).await;
        let tally = context.tally.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = self.metrics.write(&tally, kind, &context.invocation, started.elapsed()) {
            tracing::error!(%error, "the metrics could not be written");
        }
        tracing::info!(
            trigger = kind.map_or("none", TriggerKind::as_str),
            answer = reply.as_ref().map_or_else(|error| error.error_type, |_| "response"),
            applied = tally.count(Outcome::Applied),
            rejected = tally.rejected(),
            "invocation handled"
        );
        reply
    }

    /// Recognise, then answer each trigger in its way.
    async fn answer(
        &self,
        context: &InvocationContext,
        payload: &RawValue,
        trigger: Result<Trigger<'_>, NotAccepted>,
    ) -> Reply {
        let trigger = match trigger {
            Ok(trigger) => trigger,
            Err(refused) => return self.refuse_payload(context, payload, &refused).await,
        };
        let kind = kind_of(&trigger);
        if !self.settings.accepted_triggers.contains(&kind) {
            let message = format!("{} payloads are not in this function's ACCEPTED_TRIGGERS", kind.as_str());
            let origin = Origin { kind, ..Origin::invoker(&context.invocation) };
            self.note_refusal(context, &origin, "TriggerNotAccepted", &message);
            return Err(FunctionError::new("TriggerNotAccepted", &message));
        }
        match trigger {
            Trigger::Http(request) => {
                let response = self.answer_http(context, &request).await?;
                Ok(to_raw_value(&response.in_version(request.is_version_2))?)
            }
            Trigger::EventBridge(event) => self.answer_event(context, payload, &event).await,
            Trigger::Sqs(records) => Ok(to_raw_value(&self.answer_batch(context, &records).await)?),
            Trigger::Bare(document) => self.answer_bare(context, document).await,
        }
    }

    fn invocation_context(&self, context: &Context) -> InvocationContext {
        // arn:aws:lambda:{region}:{account}:function:…; `cargo lambda watch` sends `function-arn`
        let account = Arn::parse(&context.invoked_function_arn).and_then(|arn| arn.account);
        let left = context.deadline().duration_since(SystemTime::now()).ok();
        InvocationContext {
            invocation: Invocation {
                request_id: context.request_id.clone(),
                trace_id: context.xray_trace_id.clone(),
            },
            rules: self.settings.rules(account),
            tally: Mutex::default(),
            deadline: Deadline::new(Instant::now(), left.filter(|left| *left > Duration::ZERO)),
        }
    }

    /// A bare change: the report, or a function error.
    async fn answer_bare(&self, context: &InvocationContext, document: &RawValue) -> Reply {
        let submission = Submission::new(document.get(), Origin::invoker(&context.invocation));
        let report = self.change(context, &submission).await;
        if report.is_settled() { encoded(&report) } else { Err(FunctionError::of(&report)) }
    }

    /// An event: what is over is reported or parked, what is not comes again through Lambda's retries.
    async fn answer_event(
        &self,
        context: &InvocationContext,
        payload: &RawValue,
        event: &event_bridge::Event<'_>,
    ) -> Reply {
        let report = self.change_of_event(context, event).await;
        if report.is_settled() {
            return encoded(&report);
        }
        if report.status() != Status::Incomplete && self.queues.parks() {
            return match self.park(payload.get(), &report).await {
                Ok(()) => encoded(&report),
                // not over before somebody can find it: Lambda tries again
                Err(()) => {
                    Err(FunctionError { error_type: "PolicyChangeIncomplete", ..FunctionError::of(&report) })
                }
            };
        }
        Err(FunctionError::of(&report))
    }

    async fn change_of_event(&self, context: &InvocationContext, event: &event_bridge::Event<'_>) -> Report {
        let mut submission = Submission::new(&event.document, event.origin.clone());
        submission.default_id.clone_from(&event.id);
        submission.if_unmodified_since = event.replayed_from;
        if let Some(why) = &event.refused {
            return self.reject(
                context,
                &submission.origin,
                &submission.change_id(),
                ViolationCode::SourceRefused,
                why,
            );
        }
        self.change(context, &submission).await
    }
}

fn kind_of(trigger: &Trigger<'_>) -> TriggerKind {
    match trigger {
        Trigger::Http(_) => TriggerKind::Http,
        Trigger::EventBridge(_) => TriggerKind::EventBridge,
        Trigger::Sqs(_) => TriggerKind::Sqs,
        Trigger::Bare(_) => TriggerKind::Bare,
    }
}

fn encoded(report: &Report) -> Reply {
    Ok(RawValue::from_string(report::encode(report)?)?)
}
