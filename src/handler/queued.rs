//! A batch of SQS messages, one after the other.

use super::{Handler, InvocationContext, change::Submission};
use aws_lambda_events::sqs::SqsBatchResponse;
use policy_core::origin::Origin;
use policy_core::policy::ViolationCode;
use policy_core::report::{FailureKind, Report, Status, Verdict};
use policy_core::trigger::sqs::{self, Content, Record};
use std::time::Duration;

/// The first delay of a failed message, doubled at each delivery.
const FIRST_DELAY: Duration = Duration::from_secs(15);
/// The longest: an operator who mends something does not want to wait longer.
const LONGEST_DELAY: Duration = Duration::from_mins(15);

impl Handler {
    /// Handles each record by itself. On FIFO the first that is not done keeps all later ones untouched.
    pub(super) async fn answer_batch(
        &self,
        context: &InvocationContext,
        records: &[Record],
    ) -> SqsBatchResponse {
        let mut failures = Vec::new();
        let mut held_back = false;
        for record in records {
            if held_back {
                // in flight, it would keep its group waiting for the queue's visibility timeout
                self.show_again(record, Duration::ZERO).await;
                failures.push(record.message_id.clone());
                continue;
            }
            let report = self.change_of_record(context, record).await;
            if self.is_done(record, &report).await {
                continue;
            }
            self.show_again(record, delay(record.receive_count, &report)).await;
            failures.push(record.message_id.clone());
            held_back = record.fifo;
        }
        sqs::answer(failures)
    }

    async fn change_of_record(&self, context: &InvocationContext, record: &Record) -> Report {
        match record.content() {
            Ok(Content::Event(event)) => self.change_of_event(context, &event).await,
            Ok(Content::Document(document)) => {
                let submission = Submission::new(document, record.origin.clone());
                self.change(context, &submission).await
            }
            Err(refused) => {
                let origin: &Origin = &record.origin;
                let id = Submission::new("", origin.clone()).change_id();
                self.reject(context, origin, &id, ViolationCode::MalformedEnvelope, &refused.to_string())
            }
        }
    }

    /// Whether the message is over: settled, or parked for a person.
    async fn is_done(&self, record: &Record, report: &Report) -> bool {
        if report.is_settled() {
            return true;
        }
        report.status() != Status::Incomplete
            && self.queues.parks()
            && self.park(&record.body, report).await.is_ok()
    }

    async fn show_again(&self, record: &Record, delay: Duration) {
        let (Some(receipt), Some(arn)) = (&record.receipt_handle, &record.queue_arn) else {
            return;
        };
        if let Err(error) = self.queues.show_again(arn, receipt, delay).await {
            // it comes back all the same, after the queue's visibility timeout
            tracing::warn!(%error, message_id = record.message_id, "the message could not be made visible again");
        }
    }
}

/// At once where only time ran out: the next invocation goes on where this one stopped.
fn delay(receive_count: u32, report: &Report) -> Duration {
    let only_time = report.status() == Status::Incomplete
        && report
            .results()
            .filter(|result| result.verdict() == Verdict::NotYet)
            .all(|result| result.error.as_ref().is_some_and(|error| error.because == FailureKind::NoTime));
    if only_time {
        return Duration::ZERO;
    }
    let doublings = receive_count.saturating_sub(1).min(10);
    (FIRST_DELAY * 2_u32.pow(doublings)).min(LONGEST_DELAY)
}
