//! The operations, from a request's body to an answer's.

mod attributes;
mod batch;
mod receive;
mod send;

use super::fault::Fault;
use super::operation::Operation;
use super::refusal::Refusal;
use super::settings::ACCOUNT;
use super::shelf::Shelf;
use super::store::LONGEST_INVISIBILITY;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::time::Duration;

/// A request that may be carried out.
pub(super) struct Request<'request> {
    pub operation: Operation,
    pub body: &'request Value,
    /// Who signed it, as `SenderId` says it.
    pub sender: &'request str,
    /// The endpoint, for the URLs of queues.
    pub endpoint: &'request str,
    pub fault: Option<Fault>,
}

/// What an operation answers, and the ids of the messages that it was about.
pub(super) struct Done {
    pub body: Value,
    pub messages: Vec<String>,
}

impl Done {
    const fn with(body: Value) -> Self {
        Self { body, messages: Vec::new() }
    }

    fn nothing() -> Self {
        Self::with(json!({}))
    }
}

/// Carries a request out.
pub(super) async fn run(shelf: &Shelf, request: &Request<'_>) -> Result<Done, Refusal> {
    match request.operation {
        Operation::SendMessage => send::one(shelf, request),
        Operation::SendMessageBatch => send::batch(shelf, request),
        Operation::ReceiveMessage => receive::run(shelf, request).await,
        Operation::DeleteMessage => {
            let delete: Handle = read(request.body)?;
            shelf.with(&queue_of(request.body)?, |store, now| store.delete(delete.handle()?, now))?;
            Ok(Done::nothing())
        }
        Operation::DeleteMessageBatch => batch::run(shelf, request, |store, now, entry: &Handle| {
            store.delete(entry.handle()?, now)?;
            Ok(json!({}))
        }),
        Operation::ChangeMessageVisibility => {
            let change: Handle = read(request.body)?;
            let queue = queue_of(request.body)?;
            shelf.with(&queue, |store, now| store.show_after(change.handle()?, change.wait()?, now))?;
            Ok(Done::nothing())
        }
        Operation::ChangeMessageVisibilityBatch => {
            batch::run(shelf, request, |store, now, entry: &Handle| {
                store.show_after(entry.handle()?, entry.wait()?, now)?;
                Ok(json!({}))
            })
        }
        Operation::GetQueueAttributes => attributes::run(shelf, request),
        Operation::GetQueueUrl => {
            let name = text(request.body, "QueueName").ok_or_else(|| Refusal::missing("QueueName"))?;
            shelf.look(name, |_, _| ())?;
            Ok(Done::with(json!({"QueueUrl": url(request.endpoint, name)})))
        }
        Operation::ListQueues => {
            let prefix = text(request.body, "QueueNamePrefix").unwrap_or_default();
            let names = shelf.names().into_iter().filter(|name| name.starts_with(prefix));
            let urls: Vec<String> = names.map(|name| url(request.endpoint, &name)).collect();
            Ok(Done::with(json!({"QueueUrls": urls})))
        }
        Operation::PurgeQueue => {
            shelf.with(&queue_of(request.body)?, super::store::Store::purge)?;
            Ok(Done::nothing())
        }
    }
}

/// The URL of a queue.
pub(super) fn url(endpoint: &str, queue: &str) -> String {
    format!("{endpoint}/{ACCOUNT}/{queue}")
}

/// The name of the queue that a request is about: the end of its URL, whatever host that names.
pub(super) fn queue_of(body: &Value) -> Result<String, Refusal> {
    let url = text(body, "QueueUrl").ok_or_else(|| Refusal::missing("QueueUrl"))?;
    let named = url.rsplit_once('/').filter(|(path, _)| path.ends_with(&format!("/{ACCOUNT}")));
    named.map(|(_, name)| name.to_owned()).ok_or_else(Refusal::no_such_queue)
}

fn text<'body>(body: &'body Value, member: &str) -> Option<&'body str> {
    body.get(member).and_then(Value::as_str)
}

/// Reads a body, or an entry of a batch.
fn read<T: DeserializeOwned>(body: &Value) -> Result<T, Refusal> {
    T::deserialize(body).map_err(|error| Refusal::unreadable(error.to_string()))
}

/// What names a receive, and perhaps a new visibility timeout.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Handle {
    receipt_handle: Option<String>,
    visibility_timeout: Option<i64>,
}

impl Handle {
    fn handle(&self) -> Result<&str, Refusal> {
        self.receipt_handle.as_deref().ok_or_else(|| Refusal::missing("ReceiptHandle"))
    }

    fn wait(&self) -> Result<Duration, Refusal> {
        let seconds = self.visibility_timeout.ok_or_else(|| Refusal::missing("VisibilityTimeout"))?;
        seconds_of("VisibilityTimeout", seconds, LONGEST_INVISIBILITY.as_secs())
    }
}

/// A number of seconds from 0 to a limit.
fn seconds_of(parameter: &str, seconds: i64, most: u64) -> Result<Duration, Refusal> {
    match u64::try_from(seconds) {
        Ok(seconds) if seconds <= most => Ok(Duration::from_secs(seconds)),
        _ => {
            let reason = format!("Must be >= 0 and <= {most}, if provided.");
            Err(Refusal::invalid_value(parameter, seconds, &reason))
        }
    }
}
