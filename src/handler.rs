//! One invocation, top to bottom.

mod actions;
mod admission;
mod announce;
mod at_once;
mod change;
mod declare;
mod derived;
mod dispatch;
mod drift;
mod event;
mod freeze;
mod governed;
mod http;
mod opening;
mod page;
mod queued;
mod records;
mod refusal;
mod rejection;
mod release;
mod reply;
mod restore;
mod sweep;
mod untouched;
mod worker;

use crate::audit::Audit;
use crate::bus::Bus;
use crate::callback::{Callback, PATIENCE as ANSWER_PATIENCE};
use crate::clock::Clock;
use crate::connect::{Call, CallLog, Connect};
use crate::ledger::Ledger;
use crate::lock::Lock;
use crate::metrics::{Metrics, Tally};
use crate::propagate::{Deadline, Governed, Propagation};
use crate::queue::{PATIENCE as QUEUE_PATIENCE, Queues};
use crate::settings::Settings;
use change::Submission;
use lambda_runtime::{Context, LambdaEvent};
use policy_core::aws::Arn;
use policy_core::function_error::FunctionErrorType;
use policy_core::origin::{Invocation, Origin, TriggerKind};
use policy_core::policy::{Limits, Rules};
use policy_core::report::OutcomeKind;
use policy_core::trigger::{self, NotAccepted, Trigger};
pub use reply::FunctionError;
use reply::{Reply, encoded};
use serde_json::value::{RawValue, to_raw_value};
use std::sync::atomic::AtomicBool;
use std::time::{Duration, SystemTime};
use tokio::time::Instant;

/// Everything an invocation needs, made once per process.
#[derive(Debug)]
pub struct Handler {
    settings: Settings,
    connect: Connect,
    ledger: Option<Ledger>,
    queues: Queues,
    bus: Option<Box<Bus>>,
    callback: Callback,
    clock: Clock,
    audit: Audit,
    metrics: Metrics,
}

/// What a handler uses besides its settings and its log.
#[derive(Debug)]
pub struct Services {
    /// Amazon Connect.
    pub connect: Connect,
    /// The ledger; absent: standalone.
    pub ledger: Option<Ledger>,
    /// The queues.
    pub queues: Queues,
    /// The bus that hears of every run that ends; boxed, because standalone has none.
    pub bus: Option<Box<Bus>>,
    /// What answers CloudFormation.
    pub callback: Callback,
    /// The clock.
    pub clock: Clock,
}

/// How long a look at a target may take that can be looked at again: two attempts.
const LOOK: Duration = Duration::from_secs(15);

/// What belongs to one invocation.
#[derive(Debug)]
struct InvocationContext {
    invocation: Invocation,
    tally: Lock<Tally>,
    log: CallLog,
    rules: Rules,
    deadline: Deadline,
    /// The ARN that the function was invoked by: what a page's links call.
    function_arn: String,
    /// The bus has not taken an event: no other is tried in this invocation.
    bus_failed: AtomicBool,
}

impl InvocationContext {
    /// A call that looks at something which can be looked at again. One that hangs leaves time for the others.
    fn look(&self) -> Call<'_> {
        let until = self.deadline.calls().min(Instant::now() + LOOK);
        Call { until, last_attempt: None, log: &self.log }
    }
}

impl Handler {
    /// Puts the parts together.
    pub fn new(settings: Settings, services: Services, audit: Audit, metrics: Metrics) -> Self {
        let Services { connect, ledger, queues, bus, callback, clock } = services;
        Self { settings, connect, ledger, queues, bus, callback, clock, audit, metrics }
    }

    /// Handles one invocation: its answer, and before it one line of metrics and one of summary.
    ///
    /// # Errors
    /// The change is rejected, incomplete or failed, and the trigger has no other way to report it.
    pub async fn handle(&self, event: LambdaEvent<Box<RawValue>>) -> Reply {
        let started = Instant::now();
        let invocation = Invocation {
            request_id: event.context.request_id.clone(),
            trace_id: event.context.xray_trace_id.clone(),
        };
        let trigger = trigger::recognise(&event.payload, &invocation);
        let kind = trigger.as_ref().ok().map(Trigger::kind);
        let context = self.invocation_context(&event.context, invocation, kind);
        let reply = self.answer(&context, &event.payload, trigger).await;
        let tally = context.tally.lock();
        let calls = context.log.totals();
        let ledger_failures = self.ledger.as_ref().map(Ledger::take_failures);
        let about = (kind, &context.invocation);
        if let Err(error) = self.metrics.write(&tally, &calls, ledger_failures, about, started.elapsed()) {
            tracing::error!(%error, "the metrics could not be written");
        }
        tracing::info!(
            trigger = kind.map_or("none", TriggerKind::name),
            answer = reply.as_ref().map_or_else(|error| error.error_type.name(), |_| "response"),
            applied = tally.count(OutcomeKind::Applied),
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
        let kind = match &trigger {
            Ok(trigger) => Some(trigger.kind()),
            Err(NotAccepted::Malformed { kind, .. }) => Some(*kind),
            Err(NotAccepted::Unrecognised(_)) => None,
        };
        if let Some(kind) = kind.filter(|kind| !self.accepts_envelope(*kind)) {
            let message = format!("this function's ACCEPTED_TRIGGERS does not include {}", kind.name());
            let origin = Origin { kind, ..Origin::invoker(&context.invocation) };
            let error_type = FunctionErrorType::TriggerNotAccepted;
            self.note_refusal(context, &origin, error_type.name(), &message);
            return Err(FunctionError::new(error_type, &message));
        }
        let trigger = match trigger {
            Ok(trigger) => trigger,
            Err(refused) => return self.refuse_payload(context, payload, &refused).await,
        };
        match trigger {
            Trigger::Http(request) => {
                let response = self.answer_http(context, &request).await?;
                Ok(to_raw_value(&response.in_version(request.is_version_2))?)
            }
            Trigger::EventBridge(event) => self.answer_event(context, payload, &event).await,
            Trigger::Sqs(records) => Ok(to_raw_value(&self.answer_batch(context, &records).await)?),
            Trigger::Bare(document) => self.answer_bare(context, document).await,
            Trigger::Sweep => Box::pin(self.sweep(context)).await,
            Trigger::Cloudformation(payload) => Box::pin(self.declare(context, payload)).await,
            Trigger::Widget(widget) => Box::pin(self.show(context, &widget)).await,
        }
    }

    fn accepts(&self, kind: TriggerKind) -> bool {
        self.settings.accepted_triggers.contains(&kind)
    }

    /// A batch of SQS may hold pointers to lanes as well as documents: each message is judged by itself, so that one
    /// that is refused holds up nobody.
    fn accepts_envelope(&self, kind: TriggerKind) -> bool {
        let of_queues = [TriggerKind::Sqs, TriggerKind::Lane, TriggerKind::CloudTrail];
        let is_of_queue = of_queues.contains(&kind) && of_queues.iter().any(|of| self.accepts(*of));
        let is_of_bus = kind == TriggerKind::EventBridge && self.accepts(TriggerKind::CloudTrail);
        self.accepts(kind) || is_of_queue || is_of_bus
    }

    /// What walks a change's targets.
    fn propagation<'a>(
        &'a self,
        context: &'a InvocationContext,
        governed: Option<&'a Governed<'a>>,
    ) -> Propagation<'a> {
        Propagation {
            connect: &self.connect,
            audit: &self.audit,
            limits: Limits {
                guardrails: &self.settings.guardrails,
                allow_empty_extensions: self.settings.allow_empty_extensions,
            },
            deadline: context.deadline,
            log: &context.log,
            governed,
        }
    }

    fn invocation_context(
        &self,
        context: &Context,
        invocation: Invocation,
        kind: Option<TriggerKind>,
    ) -> InvocationContext {
        // arn:aws:lambda:{region}:{account}:function:…; `cargo lambda watch` sends `function-arn`
        let account = Arn::parse(&context.invoked_function_arn).and_then(|arn| arn.account);
        let left = context.deadline().duration_since(SystemTime::now()).ok();
        InvocationContext {
            invocation,
            rules: self.settings.rules(account),
            tally: Lock::default(),
            log: CallLog::default(),
            bus_failed: AtomicBool::new(false),
            deadline: Deadline::new(
                Instant::now(),
                left,
                afterwards(kind, self.queues.parks(), self.ledger.is_some()),
            ),
            function_arn: context.invoked_function_arn.clone(),
        }
    }

    /// A bare change: the report, or a function error.
    async fn answer_bare(&self, context: &InvocationContext, document: &RawValue) -> Reply {
        let submission = Submission::new(document.get(), Origin::invoker(&context.invocation));
        let report = self.change(context, &submission).await;
        if report.is_settled() { encoded(&report) } else { Err(FunctionError::of(&report)) }
    }
}

/// What may follow the targets: a message is parked, then others are made visible again; an event is parked; a record
/// is made final.
fn afterwards(kind: Option<TriggerKind>, parks: bool, is_governed: bool) -> Duration {
    /// Usually some milliseconds. A record that is not made final in time is by the sweep.
    const RECORD: Duration = Duration::from_secs(2);
    match kind {
        Some(TriggerKind::Sqs | TriggerKind::Lane) => QUEUE_PATIENCE * 2,
        Some(TriggerKind::EventBridge) if parks => QUEUE_PATIENCE,
        Some(TriggerKind::Http | TriggerKind::Bare) if is_governed => RECORD,
        Some(TriggerKind::Cloudformation) => ANSWER_PATIENCE,
        Some(
            TriggerKind::EventBridge
            | TriggerKind::Http
            | TriggerKind::Bare
            | TriggerKind::Sweep
            | TriggerKind::CloudTrail
            | TriggerKind::Widget,
        )
        | None => Duration::ZERO,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_kept_for_what_a_trigger_does_after_its_targets() {
        for (kind, parks, is_governed, seconds) in [
            (Some(TriggerKind::Sqs), false, false, 10),
            (Some(TriggerKind::EventBridge), true, false, 5),
            (Some(TriggerKind::EventBridge), false, true, 0),
            (Some(TriggerKind::Http), true, false, 0),
            (Some(TriggerKind::Bare), true, false, 0),
            (Some(TriggerKind::Http), true, true, 2),
            (Some(TriggerKind::Bare), false, true, 2),
            (Some(TriggerKind::Sweep), true, true, 0),
            (Some(TriggerKind::Widget), false, true, 0),
            (None, true, true, 0),
        ] {
            assert_eq!(
                afterwards(kind, parks, is_governed).as_secs(),
                seconds,
                "{kind:?} {parks} {is_governed}"
            );
        }
    }
}
