//! A batch of SQS messages, one after the other.

use super::{Handler, InvocationContext, change::Submission};
use crate::telemetry::causes;
use aws_lambda_events::sqs::SqsBatchResponse;
use futures_util::future::join_all;
use policy_core::policy::ViolationCode;
use policy_core::report::{Report, Status, Verdict};
use policy_core::trigger::sqs::{self, Content, Record};
use std::time::Duration;
use tokio::time::Instant;

/// The first delay of a failed message, doubled at each delivery.
const FIRST_DELAY: Duration = Duration::from_secs(15);
/// The longest: an operator who has fixed something does not want to wait longer.
const LONGEST_DELAY: Duration = Duration::from_mins(15);

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
                failures.push((record, Duration::ZERO));
                continue;
            }
            let report = self.change_of_record(context, record).await;
            if self.is_done(context, record, &report).await {
                continue;
            }
            failures.push((record, delay(record.receive_count, &report)));
            held_back = record.fifo;
        }
        for some in failures.chunks(AT_ONCE) {
            join_all(some.iter().map(|(record, delay)| self.show_again(context, record, *delay))).await;
        }
        sqs::answer(failures.into_iter().map(|(record, _)| record.message_id.clone()).collect())
    }

    async fn change_of_record(&self, context: &InvocationContext, record: &Record) -> Report {
        match record.content() {
            Ok(Content::Event(event)) => self.change_of_event(context, &event).await,
            Ok(Content::Document(document)) => {
                let submission = Submission::new(document, record.origin.clone());
                self.change(context, &submission).await
            }
            Err(refused) => self.reject_unread(
                context,
                &record.origin,
                ViolationCode::MalformedEnvelope,
                &refused.to_string(),
            ),
        }
    }

    /// Whether the message needs no further delivery: settled, or parked for a person while there was time.
    async fn is_done(&self, context: &InvocationContext, record: &Record, report: &Report) -> bool {
        if report.is_settled() {
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

/// Zero if lack of time was the only cause: the next invocation continues where this one stopped.
fn delay(receive_count: u32, report: &Report) -> Duration {
    let only_time = report.status() == Status::Incomplete
        && report
            .results()
            .filter(|result| result.outcome.verdict() == Verdict::NotYet)
            .all(|result| result.outcome.error().is_some_and(|error| error.code.is_out_of_time()));
    if only_time {
        return Duration::ZERO;
    }
    let doublings = receive_count.saturating_sub(1).min(10);
    (FIRST_DELAY * 2_u32.pow(doublings)).min(LONGEST_DELAY)
}
