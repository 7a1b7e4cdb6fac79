//! The queues: lanes whose turn will come, and events parked for a person.

use aws_config::SdkConfig;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::SdkError;
use aws_sdk_sqs::operation::send_message::builders::SendMessageFluentBuilder;
use aws_sdk_sqs::types::{MessageAttributeValue, SendMessageBatchRequestEntry};
use policy_core::aws::Arn;
use policy_core::trigger::lane::LanePointer;
use sha2::{Digest, Sha256};
use std::error::Error;
use std::fmt::Write;
use std::sync::OnceLock;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// The message group of a parked event in a FIFO queue.
const GROUP: &str = "attachment-policy";
/// The data type of every attribute.
const TYPE: &str = "String";
/// The longest message, in bytes, its attributes included ("Amazon SQS message quotas").
const MAX_MESSAGE: usize = 1_048_576;
/// The most messages of one `SendMessageBatch`.
const BATCH: usize = 10;
/// A queue answers in milliseconds. A call that takes longer than this counts as failed.
pub const PATIENCE: Duration = Duration::from_secs(5);
/// A call that comes late still gets this long: most are done by then, and nothing else is left to do.
const LAST_TRY: Duration = Duration::from_millis(200);

/// The queues, whose client is made at the first use.
#[derive(Debug)]
pub struct Queues {
    config: SdkConfig,
    client: OnceLock<Client>,
    change_queue_url: Option<String>,
    intake_queue_url: Option<String>,
    parked_queue_url: Option<String>,
}

/// A message that could not be sent, or made visible again.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// The setting that names the queue is absent.
    #[error("{0} is not set")]
    NotConfigured(&'static str),
    /// An event named something else as its queue.
    #[error("`{0}` is not the ARN of a queue")]
    NotAQueue(String),
    /// Amazon SQS did not take it.
    #[error("Amazon SQS did not take it")]
    Refused(#[source] Box<dyn Error + Send + Sync>),
    /// Amazon SQS took only some of the messages.
    #[error("Amazon SQS did not take a message: {0}")]
    NotTaken(String),
    /// No answer came in time: the queue may have taken it all the same.
    #[error("Amazon SQS did not answer in time")]
    NoAnswer,
}

/// What a parked event is found by: message attributes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label<'a> {
    /// The change's id.
    pub change_id: &'a str,
    /// The report's status.
    pub status: &'a str,
    /// The first reasons, in one line.
    pub reasons: String,
}

impl Queues {
    /// The queues of these URLs.
    pub fn new(
        config: SdkConfig,
        change_queue_url: Option<String>,
        intake_queue_url: Option<String>,
        parked_queue_url: Option<String>,
    ) -> Self {
        Self { config, client: OnceLock::new(), change_queue_url, intake_queue_url, parked_queue_url }
    }

    /// Whether events can be parked.
    pub fn parks(&self) -> bool {
        self.parked_queue_url.is_some()
    }

    /// A queue's URL from its ARN. Ours are configured; any other has the URL that SQS derives from its name:
    /// `https://sqs.{region}.{domain}/{account}/{name}`.
    fn url_of(&self, arn: &str) -> Option<String> {
        let arn = Arn::parse(arn).filter(|arn| arn.service == "sqs")?;
        let (region, account, name) = (arn.region?, arn.account?, arn.resource);
        let path = format!("/{account}/{name}");
        let mut ours = self.change_queue_url.iter().chain(&self.intake_queue_url);
        let ours = ours.find(|url| url.ends_with(&path));
        let domain = arn.partition.dns_suffix();
        Some(ours.cloned().unwrap_or_else(|| format!("https://sqs.{region}.{domain}{path}")))
    }

    fn client(&self) -> &Client {
        self.client.get_or_init(|| Client::new(&self.config))
    }

    /// A message for a queue of either kind; FIFO is known by the name's suffix.
    fn message(&self, url: &str, change_id: &str, body: &str) -> SendMessageFluentBuilder {
        let send = self.client().send_message().queue_url(url).message_body(body);
        if url.as_bytes().ends_with(b".fifo") {
            let id = deduplication_id(change_id, body);
            send.message_group_id(GROUP).message_deduplication_id(id)
        } else {
            send
        }
    }

    /// Sends the messages of lanes, each in the message group of its lane; those of `checks` in one beside it, so that no
    /// change waits behind a check. The same pointer within 5 minutes is sent once: a lane needs no second message while
    /// its first one is there.
    ///
    /// # Errors
    /// No such queue is set, or it did not take every message before `until`.
    pub async fn send_lanes(
        &self,
        lanes: &[LanePointer],
        checks: bool,
        until: Instant,
    ) -> Result<(), QueueError> {
        let url = named(self.change_queue_url.as_deref(), "CHANGE_QUEUE_URL")?;
        for some in lanes.chunks(BATCH) {
            let mut batch = self.client().send_message_batch().queue_url(url);
            for (index, pointer) in some.iter().enumerate() {
                let body = pointer.encode().map_err(|error| QueueError::Refused(Box::new(error)))?;
                let entry = SendMessageBatchRequestEntry::builder()
                    .id(index.to_string())
                    .message_group_id(group_of(pointer, checks))
                    .message_deduplication_id(deduplication_id(pointer.run.change_id.as_str(), &body))
                    .message_body(body);
                // fails only without an id or a body, which are there
                batch = batch.entries(entry.build().map_err(|error| QueueError::Refused(Box::new(error)))?);
            }
            let sent = answered(batch.send(), until).await?;
            if let Some(failed) = sent.failed().first() {
                return Err(QueueError::NotTaken(failed.code().to_owned()));
            }
        }
        Ok(())
    }

    /// Parks an original event whole, for a person.
    ///
    /// # Errors
    /// No such queue is set, or it did not take the message before `until`.
    pub async fn park(&self, event: &str, label: &Label<'_>, until: Instant) -> Result<(), QueueError> {
        let url = named(self.parked_queue_url.as_deref(), "PARKED_QUEUE_URL")?;
        let mut send = self.message(url, label.change_id, event);
        let mut room = MAX_MESSAGE.saturating_sub(event.len());
        for (name, value) in
            [("changeId", label.change_id), ("status", label.status), ("reasons", &label.reasons)]
        {
            // a message counts with its attributes: one that came without them may be as long as a message can be
            let length = name.len() + TYPE.len() + value.len();
            if length > room {
                continue;
            }
            room -= length;
            let value = MessageAttributeValue::builder().data_type(TYPE).string_value(value).build();
            // fails only without a data type, which is there
            if let Ok(value) = value {
                send = send.message_attributes(name, value);
            }
        }
        answered(send.send(), until).await.map(drop)
    }

    /// Makes a received message visible again after `delay`.
    ///
    /// # Errors
    /// The queue did not take it before `until`: the message comes back after its visibility timeout.
    pub async fn show_again(
        &self,
        queue_arn: &str,
        receipt_handle: &str,
        delay: Duration,
        until: Instant,
    ) -> Result<(), QueueError> {
        let queue_url = self.url_of(queue_arn).ok_or_else(|| QueueError::NotAQueue(queue_arn.to_owned()))?;
        let seconds = i32::try_from(delay.as_secs()).unwrap_or(i32::MAX);
        let change = self.client().change_message_visibility();
        let change = change.queue_url(queue_url).receipt_handle(receipt_handle).visibility_timeout(seconds);
        answered(change.send(), until).await.map(drop)
    }
}

fn named<'u>(url: Option<&'u str>, setting: &'static str) -> Result<&'u str, QueueError> {
    url.ok_or(QueueError::NotConfigured(setting))
}

fn group_of(pointer: &LanePointer, checks: bool) -> String {
    let lane = &pointer.lane;
    if checks { format!("check/{lane}") } else { lane.to_string() }
}

/// Changes that differ in id or content are different changes.
fn deduplication_id(change_id: &str, document: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(change_id);
    hash.update([0]);
    hash.update(document);
    let mut id = String::with_capacity(64);
    for byte in hash.finalize() {
        // writing to a String cannot fail
        let _ = write!(id, "{byte:02x}");
    }
    id
}

async fn answered<T, E, R>(
    call: impl Future<Output = Result<T, SdkError<E, R>>>,
    until: Instant,
) -> Result<T, QueueError>
where
    SdkError<E, R>: Error + Send + Sync + 'static,
{
    let now = Instant::now();
    let until = until.clamp(now + LAST_TRY, now + PATIENCE);
    match timeout_at(until, call).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(QueueError::Refused(Box::new(error))),
        Err(_) => Err(QueueError::NoAnswer),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use policy_core::record::{LaneName, RunName};

    /// What becomes of a call that takes so long, with so long until its invocation ends.
    async fn after(takes: Duration, left: Duration) -> Result<(), QueueError> {
        let call = async {
            tokio::time::sleep(takes).await;
            Ok::<(), SdkError<std::fmt::Error, ()>>(())
        };
        answered(call, Instant::now() + left).await
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_has_the_invocations_time_but_a_moment_at_least_and_five_seconds_at_most() {
        let ms = Duration::from_millis;
        for (takes, left, is_answered) in [
            (150, 0, true),
            (250, 0, false),
            (900, 1_000, true),
            (1_100, 1_000, false),
            (4_900, 60_000, true),
            (5_100, 60_000, false),
        ] {
            let answer = after(ms(takes), ms(left)).await;
            assert_eq!(answer.is_ok(), is_answered, "{takes} {left}");
            assert!(matches!(answer, Ok(()) | Err(QueueError::NoAnswer)), "{answer:?}");
        }
    }

    #[test]
    fn a_change_is_the_same_one_by_its_id_and_its_content() {
        // sha256sum's, of the id, a zero and the document
        let id = "9447512ff48425b04a85ebd9b44acbcd0b5366044f96f6f9b50eec531d3b25b7";
        assert_eq!(deduplication_id("CHG-1", r#"{"a":1}"#), id);
    }

    #[tokio::test]
    async fn a_queue_that_is_not_set_takes_nothing() {
        let queues = Queues::new(SdkConfig::builder().build(), None, None, None);
        assert!(!queues.parks());
        let label = Label { change_id: "c", status: "rejected", reasons: "none".to_owned() };
        let run = RunName::parse("c#1732500000123").unwrap();
        let pointer = LanePointer { run, lane: LaneName::parse("self/us-east-1").unwrap() };
        let answers = [
            (queues.send_lanes(&[pointer], false, Instant::now()).await, "CHANGE_QUEUE_URL"),
            (queues.park("{}", &label, Instant::now()).await, "PARKED_QUEUE_URL"),
        ];
        for (answer, setting) in answers {
            assert!(
                matches!(&answer, Err(QueueError::NotConfigured(name)) if *name == setting),
                "{answer:?}"
            );
        }
    }

    #[test]
    fn a_queue_that_is_not_ours_has_the_url_of_its_partition() {
        let ours = "http://127.0.0.1:9324/111122223333/changes.fifo";
        let queues = Queues::new(SdkConfig::builder().build(), Some(ours.to_owned()), None, None);
        for (arn, url) in [
            ("arn:aws:sqs:us-east-1:111122223333:changes.fifo", Some(ours)),
            (
                "arn:aws:sqs:us-east-1:111122223333:other",
                Some("https://sqs.us-east-1.amazonaws.com/111122223333/other"),
            ),
            (
                "arn:aws-cn:sqs:cn-north-1:111122223333:other",
                Some("https://sqs.cn-north-1.amazonaws.com.cn/111122223333/other"),
            ),
            (
                "arn:aws-eusc:sqs:eusc-de-east-1:111122223333:other",
                Some("https://sqs.eusc-de-east-1.amazonaws.eu/111122223333/other"),
            ),
            ("arn:aws:sns:us-east-1:111122223333:other", None),
            ("changes.fifo", None),
        ] {
            assert_eq!(queues.url_of(arn).as_deref(), url, "{arn}");
        }
    }
    /// How long a call that never answers is waited for, where everything must be over in `left`.
    async fn waited(left: Duration) -> Duration {
        let start = Instant::now();
        let call = std::future::pending::<Result<(), SdkError<std::io::Error, ()>>>();
        assert!(matches!(answered(call, start + left).await, Err(QueueError::NoAnswer)));
        start.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_ends_with_the_invocation_with_patience_at_the_latest_and_after_one_quick_try_at_the_earliest()
     {
        assert_eq!(waited(Duration::from_secs(2)).await, Duration::from_secs(2));
        assert_eq!(waited(Duration::from_mins(1)).await, PATIENCE);
        assert_eq!(waited(Duration::ZERO).await, LAST_TRY);
    }
}
