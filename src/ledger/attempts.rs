//! From a request to its answer: what is repeated, and what each failure means.

use super::LedgerError;
use super::item::Item;
use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::batch_get_item::BatchGetItemError;
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::get_item::GetItemError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::query::QueryError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::CancellationReason;
use std::error::Error;
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// A request, its retries included, has failed after this long.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);
/// How often a write that met a transaction on the same item is sent again. The SDK does not do it.
const REPEATS: u32 = 5;
/// The longest pause before the first repeat; doubled for each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(25);

/// The names of failures that pass by themselves (API reference, "Common Errors" and each operation's errors). One
/// with a status from 500 on passes too, whatever its name.
const PASSING: [&str; 8] = [
    "InternalServerError",
    "ProvisionedThroughputExceededException",
    "ReplicatedWriteConflictException",
    "RequestLimitExceeded",
    "ServiceUnavailable",
    "ThrottlingException",
    "TransactionConflictException",
    "TransactionInProgressException",
];
/// Those of a transaction's reasons.
const PASSING_REASONS: [&str; 4] =
    ["None", "ProvisionedThroughputExceeded", "ThrottlingError", "TransactionConflict"];
/// A reason of a transaction whose condition failed.
const CONDITION: &str = "ConditionalCheckFailed";

/// What came back.
#[derive(Debug)]
pub(super) enum Reply<T> {
    /// The operation's answer.
    Answer(T),
    /// Some condition failed: for each write the item that made it fail. An item that is not there is empty.
    Refused(Vec<Option<Item>>),
}

/// An operation's own error.
pub(super) trait Cause: ProvideErrorMetadata + Error + Send + Sync + 'static {
    /// The items whose conditions failed, where that is the error.
    fn conditions(&self) -> Option<Vec<Option<Item>>> {
        None
    }

    /// Why a transaction was cancelled, where that is the error.
    fn reasons(&self) -> &[CancellationReason] {
        &[]
    }
}

impl Cause for GetItemError {}
impl Cause for BatchGetItemError {}
impl Cause for QueryError {}
impl Cause for DeleteItemError {}

impl Cause for PutItemError {
    fn conditions(&self) -> Option<Vec<Option<Item>>> {
        match self {
            Self::ConditionalCheckFailedException(failed) => Some(vec![Some(held(failed.item.as_ref()))]),
            _ => None,
        }
    }
}

impl Cause for UpdateItemError {
    fn conditions(&self) -> Option<Vec<Option<Item>>> {
        match self {
            Self::ConditionalCheckFailedException(failed) => Some(vec![Some(held(failed.item.as_ref()))]),
            _ => None,
        }
    }
}

impl Cause for TransactWriteItemsError {
    fn conditions(&self) -> Option<Vec<Option<Item>>> {
        let failed = |reason: &CancellationReason| reason.code() == Some(CONDITION);
        let item = |reason: &CancellationReason| failed(reason).then(|| held(reason.item()));
        let reasons = self.reasons();
        reasons.iter().any(failed).then(|| reasons.iter().map(item).collect())
    }

    fn reasons(&self) -> &[CancellationReason] {
        match self {
            Self::TransactionCanceledException(cancelled) => cancelled.cancellation_reasons(),
            _ => &[],
        }
    }
}

fn held(item: Option<&Item>) -> Item {
    item.cloned().unwrap_or_default()
}

/// Sends a request until it has an answer.
///
/// # Errors
/// It has none within [`PATIENCE`], or DynamoDB refuses it.
pub(super) async fn answered<T, E: Cause, F>(call: impl Fn() -> F) -> Result<Reply<T>, LedgerError>
where
    F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
{
    // boxed: a request of the SDK is kilobytes, and every verb's future would have them
    timeout(PATIENCE, Box::pin(repeated(call)))
        .await
        .unwrap_or_else(|late| Err(LedgerError::Unavailable(late.into())))
}

async fn repeated<T, E: Cause, F>(call: impl Fn() -> F) -> Result<Reply<T>, LedgerError>
where
    F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
{
    let mut repeats = 0;
    loop {
        let error = match call().await {
            Ok(answer) => return Ok(Reply::Answer(answer)),
            Err(error) => error,
        };
        if let Some(items) = error.as_service_error().and_then(Cause::conditions) {
            return Ok(Reply::Refused(items));
        }
        if repeats == REPEATS || !met_a_transaction(&error) {
            return Err(sorted(error));
        }
        breathe(repeats).await;
        repeats += 1;
    }
}

/// Waits before the same is asked again, longer each time.
pub(super) async fn breathe(repeats: u32) {
    sleep(pause(repeats, RandomState::new().hash_one(repeats))).await;
}

/// Whether another transaction was on one of the items: nothing was written, and a moment later it is over.
fn met_a_transaction<E: Cause>(error: &SdkError<E, HttpResponse>) -> bool {
    error.as_service_error().is_some_and(|cause| {
        let is_passing = |reason: &CancellationReason| passes(reason.code(), &PASSING_REASONS);
        let reasons = cause.reasons();
        let named =
            matches!(cause.code(), Some("TransactionConflictException" | "TransactionInProgressException"));
        named || (!reasons.is_empty() && reasons.iter().all(is_passing))
    })
}

/// A random part of 25 ms, doubled by each repeat before up to 400 ms: "full jitter".
fn pause(repeats: u32, random: u64) -> Duration {
    let longest = FIRST_PAUSE * 2_u32.pow(repeats.min(REPEATS - 1));
    let longest = u64::try_from(longest.as_micros()).unwrap_or(u64::MAX);
    Duration::from_micros(random % (longest + 1))
}

fn passes(code: Option<&str>, passing: &[&str]) -> bool {
    code.is_some_and(|code| passing.contains(&code))
}

/// Whether a failure passes by itself.
fn sorted<E: Cause>(error: SdkError<E, HttpResponse>) -> LedgerError {
    let passing = match &error {
        SdkError::ServiceError(failed) => {
            failed.raw().status().is_server_error()
                || passes(failed.err().code(), &PASSING)
                || met_a_transaction(&error)
        }
        SdkError::ConstructionFailure(_) => false,
        // a time-out, no connection, no credentials, half an answer
        _ => true,
    };
    if passing { LedgerError::Unavailable(error.into()) } else { LedgerError::Refused(error.into()) }
}

#[cfg(test)]
mod tests;
