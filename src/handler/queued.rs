//! A batch of SQS messages, one after the other.

use super::{Handler, InvocationContext, change::Submission, worker::Worked};
use crate::telemetry::causes;
use aws_lambda_events::sqs::SqsBatchResponse;
use futures_util::future::join_all;
use policy_core::failure::{ErrorCode, Failure};
use policy_core::origin::{Origin, TriggerKind};
use policy_core::policy::ViolationCode;
use policy_core::report::{ChangeReport, Report, Status, Verdict};
use policy_core::trigger::event_bridge::Event;
use policy_core::trigger::sqs::{self, Content, Record};
use std::time::Duration;
use tokio::time::Instant;

/// The first delay of a failed message, doubled at each delivery.
const FIRST_DELAY: Duration = Duration::from_secs(15);
/// The longest: an operator who has fixed something does not want to wait longer.
const LONGEST_DELAY: Duration = Duration::from_mins(15);

/// How long a message stays away while the function takes nothing new.
const FROZEN: Duration = Duration::from_mins(10);

/// How many messages are made visible again side by side: enough to hide a round trip, few enough for a batch of
/// 10,000 to need no memory for them.
const AT_ONCE: usize = 16;

impl Handler {
    /// Handles each record by itself. On a FIFO queue the first failed record ends the batch: later records
    /// are returned unprocessed.
    pub(super) async fn answer_batch(
        &self,
        context: &InvocationContext,
        records: &[Record],
    ) -> SqsBatchResponse {
        let mut failures = Vec::new();
        let mut held_back = false;
        for record in records {
            if held_back {
                // otherwise its message group would wait for the queue's visibility timeout
                failures.push((record, Some(Duration::ZERO)));
                continue;
            }
            match self.handled(context, record).await {
                Handled::Done => continue,
                Handled::Again(delay) => failures.push((record, Some(delay))),
                Handled::LeftAlone => failures.push((record, None)),
            }
            held_back = record.fifo;
        }
        for some in failures.chunks(AT_ONCE) {
            let shown = some.iter().filter_map(|(record, delay)| Some((record, (*delay)?)));
            join_all(shown.map(|(record, delay)| self.show_again(context, record, delay))).await;
        }
        sqs::answer(failures.into_iter().map(|(record, _)| record.message_id.clone()).collect())
    }

    /// A document is carried out or recorded, a pointer to a lane worked on. What this function does not accept is
    /// refused for good, so that it holds up nobody behind it.
    async fn handled(&self, context: &InvocationContext, record: &Record) -> Handled {
        let said = record.content();
        let report = match (&said, &self.ledger) {
            (Ok(Content::Lane(pointer)), Some(ledger)) if self.accepts(TriggerKind::Lane) => {
                // boxed: what follows is large, and a document needs none of it
                match Box::pin(self.work(context, ledger, pointer, record.receive_count)).await {
                    Worked::Done => return Handled::Done,
                    Worked::Again(delay) => return Handled::Again(delay),
                    Worked::TakenOver => return Handled::LeftAlone,
                    Worked::Refused(why) => self.refuse_record(context, record, TriggerKind::Lane, &why),
                }
            }
            (Ok(Content::Lane(_)), _) => {
                let why = "this function does not work on lanes: its ACCEPTED_TRIGGERS does not include lane";
                self.refuse_record(context, record, TriggerKind::Lane, why)
            }
            (Ok(Content::Event(event)), _) if self.looks_at(event).is_some() => {
                return self.looked_at(context, record, event).await;
            }
            (Ok(other), _) if !self.accepts(TriggerKind::Sqs) && !self.is_no_call(other) => {
                let why = if self.accepts(TriggerKind::Lane) {
                    "this function works on lanes only: its ACCEPTED_TRIGGERS does not include sqs"
                } else {
                    "this function takes no documents: its ACCEPTED_TRIGGERS does not include sqs"
                };
                self.refuse_record(context, record, TriggerKind::Sqs, why)
            }
            (Ok(Content::Event(event)), _) => self.change_of_event(context, event).await,
            (Ok(Content::Document(document)), _) => {
                let submission = Submission::new(document, record.origin.clone());
                self.change(context, &submission).await
            }
            (Err(refused), _) => self.refuse_record(context, record, TriggerKind::Sqs, &refused.to_string()),
        };
        let rejected = match &said {
            // a pointer that points at nothing is nobody's document
            Ok(Content::Lane(_)) => None,
            Ok(Content::Event(event)) => Some((&event.origin, &*event.document)),
            Ok(Content::Document(_)) | Err(_) => Some((&record.origin, record.body.as_str())),
        };
        if let Some((origin, text)) = rejected
            && self.record_rejection(context, origin, text, &report).await.is_err()
        {
            return Handled::Again(delay(record.receive_count, &report));
        }
        if self.is_done(context, record, &report).await {
            return Handled::Done;
        }
        Handled::Again(delay(record.receive_count, &report))
    }

    /// A call that CloudTrail has seen. Where nobody can say yet whether the target drifts, it comes back.
    async fn looked_at(&self, context: &InvocationContext, record: &Record, event: &Event<'_>) -> Handled {
        let Some((ledger, call)) = self.looks_at(event) else { return Handled::Done };
        match Box::pin(self.check_call(context, ledger, call)).await {
            Ok(()) => Handled::Done,
            Err(error) => {
                tracing::warn!(
                    error = causes(&error),
                    event = event.id,
                    "the target could not be checked yet"
                );
                Handled::Again(doubled(record.receive_count))
            }
        }
    }

    /// Whether it is CloudTrail's word of no call to look at: no document either, which has a reason of its own.
    fn is_no_call(&self, content: &Content<'_>) -> bool {
        matches!(content, Content::Event(event) if self.cannot_look_at(event).is_some())
    }

    fn refuse_record(
        &self,
        context: &InvocationContext,
        record: &Record,
        kind: TriggerKind,
        why: &str,
    ) -> Report {
        let origin = Origin { kind, ..record.origin.clone() };
        self.reject_unread(context, &origin, ViolationCode::MalformedEnvelope, why)
    }

    /// Whether the message needs no further delivery: settled, or parked for a person while there was time.
    async fn is_done(&self, context: &InvocationContext, record: &Record, report: &Report) -> bool {
        // what came to its end has a record that says how; the message of one comes again where its intake was killed
        let is_recorded =
            self.ledger.is_some() && matches!(report.status(), Status::Partial | Status::Failed);
        if report.is_settled() || is_recorded {
            return true;
        }
        report.status() != Status::Incomplete
            && self.queues.parks()
            && Instant::now() < context.deadline.end()
            && self.park(context, &record.body, report).await.is_ok()
    }

    async fn show_again(&self, context: &InvocationContext, record: &Record, delay: Duration) {
        let (Some(receipt), Some(arn)) = (&record.receipt_handle, &record.queue_arn) else {
            return;
        };
        if Instant::now() >= context.deadline.end() {
            return;
        }
        if let Err(error) = self.queues.show_again(arn, receipt, delay, context.deadline.end()).await {
            // the message still returns, after the queue's visibility timeout
            let (error, message_id) = (causes(&error), &record.message_id);
            tracing::warn!(error, message_id, "the message could not be made visible again");
        }
    }
}

/// What becomes of a message.
enum Handled {
    /// It is deleted.
    Done,
    /// It comes back after this time.
    Again(Duration),
    /// It comes back when its queue says so.
    LeftAlone,
}

/// Zero if lack of time was the only cause: the next invocation continues where this one stopped.
fn delay(receive_count: u32, report: &Report) -> Duration {
    let only_time = report.status() == Status::Incomplete
        && report
            .results()
            .filter(|result| result.outcome.verdict() == Verdict::NotYet)
            .all(|result| result.outcome.error().is_some_and(|error| error.code.is_out_of_time()));
    if only_time && report.changes.iter().all(|change| change.not_begun().is_none()) {
        return Duration::ZERO;
    }
    let is_frozen = |why: &Failure| why.code == ErrorCode::Frozen;
    if report.changes.iter().filter_map(ChangeReport::not_begun).any(is_frozen) {
        return FROZEN;
    }
    doubled(receive_count)
}

fn doubled(receive_count: u32) -> Duration {
    let doublings = receive_count.saturating_sub(1).min(10);
    (FIRST_DELAY * 2_u32.pow(doublings)).min(LONGEST_DELAY)
}
