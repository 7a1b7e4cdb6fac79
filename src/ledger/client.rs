//! The requests, as few kinds as there are.

use super::attempts::{PATIENCE, Reply, answered, breathe};
use super::condition::{Condition, Placeholders};
use super::item::Item;
use super::keys::Key;
use super::write::{Change, Replacement, Write, client_token};
use super::{Ledger, LedgerError};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::Builder;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::types::{
    KeysAndAttributes, ReturnValue, ReturnValuesOnConditionCheckFailure as OnFailure,
};
use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::timeout;

/// TCP and TLS to the Region's endpoint.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// From a request to the head of its answer: DynamoDB answers in milliseconds.
const READ_TIMEOUT: Duration = Duration::from_secs(2);
/// Retries included.
const MAX_ATTEMPTS: u32 = 3;
/// The most keys that one `BatchGetItem` takes.
const BATCH: usize = 100;

/// Whether a conditional write was carried out.
#[derive(Debug)]
pub(super) enum Written {
    /// It was. After an update that returns the item, as it is now.
    Now(Item),
    /// Its condition failed. The item as it is; an item that is not there is empty.
    Not(Item),
}

/// Whether a transaction was carried out.
#[derive(Debug)]
pub(super) enum Transacted {
    /// Whole.
    Now,
    /// Not at all: for each write whose condition failed the item as it is.
    Not(Vec<Option<Item>>),
}

impl Transacted {
    /// The item that made a write's condition fail.
    pub(super) fn refused(reasons: &[Option<Item>], at: usize) -> Option<&Item> {
        reasons.get(at).and_then(Option::as_ref)
    }
}

/// Items of one partition in the order of their sort keys.
#[derive(Debug, Clone)]
pub(super) struct Lookup {
    pub(super) index: Option<&'static str>,
    /// An index has no consistent reads.
    pub(super) is_consistent: bool,
    /// Of the keys.
    pub(super) keys: Condition,
    /// Of what is read: what does not meet it is not returned.
    pub(super) filter: Option<Condition>,
    /// The greatest sort key first.
    pub(super) descending: bool,
    /// How many are read at most.
    pub(super) limit: Option<usize>,
}

impl Lookup {
    /// Those of the table, whole and consistent.
    pub(super) fn of(keys: Condition) -> Self {
        Self { index: None, is_consistent: true, keys, filter: None, descending: false, limit: None }
    }
}

/// What one request found.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) items: Vec<Item>,
    /// The keys of the last item that was read, where there may be more.
    pub(super) last: Option<Item>,
}

impl Ledger {
    fn client(&self) -> &Client {
        self.client.get_or_init(|| {
            let timeouts =
                TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).read_timeout(READ_TIMEOUT);
            let retries = RetryConfig::standard().with_max_attempts(MAX_ATTEMPTS);
            let config = Builder::from(&self.config).retry_config(retries).timeout_config(timeouts.build());
            Client::from_conf(config.build())
        })
    }

    /// Counts a request that failed after its retries.
    fn counted<T>(&self, answer: Result<T, LedgerError>) -> Result<T, LedgerError> {
        if answer.is_err() {
            self.failures.fetch_add(1, Ordering::Relaxed);
        }
        answer
    }

    pub(super) async fn get(&self, key: Key, consistent: bool) -> Result<Option<Item>, LedgerError> {
        let request = self.client().get_item().table_name(&self.table);
        let request = request.set_key(Some(key.into_attributes())).consistent_read(consistent);
        match self.counted(answered(|| Box::pin(request.clone().send())).await)? {
            Reply::Answer(answer) => Ok(answer.item),
            Reply::Refused(_) => Ok(None),
        }
    }

    pub(super) async fn put(&self, put: Replacement) -> Result<Written, LedgerError> {
        let request = self.client().put_item().table_name(&self.table);
        let request = request
            .set_expression_attribute_names(put.placeholders.names())
            .set_expression_attribute_values(put.placeholders.values())
            .set_return_values_on_condition_check_failure(put.condition.as_ref().map(|_| OnFailure::AllOld))
            .set_condition_expression(put.condition)
            .set_item(Some(put.item));
        Ok(match self.counted(answered(|| Box::pin(request.clone().send())).await)? {
            Reply::Answer(_) => Written::Now(Item::new()),
            Reply::Refused(items) => Written::Not(only(items)),
        })
    }

    /// Returns the item as it is afterwards only where `returned`.
    pub(super) async fn update(&self, change: Change, returned: bool) -> Result<Written, LedgerError> {
        let request = self.client().update_item().table_name(&self.table);
        let request = request
            .update_expression(change.expression())
            .set_expression_attribute_names(change.placeholders.names())
            .set_expression_attribute_values(change.placeholders.values())
            .set_return_values_on_condition_check_failure(
                change.condition.as_ref().map(|_| OnFailure::AllOld),
            )
            .set_condition_expression(change.condition)
            .return_values(if returned { ReturnValue::AllNew } else { ReturnValue::None })
            .set_key(Some(change.key.into_attributes()));
        Ok(match self.counted(answered(|| Box::pin(request.clone().send())).await)? {
            Reply::Answer(answer) => Written::Now(answer.attributes.unwrap_or_default()),
            Reply::Refused(items) => Written::Not(only(items)),
        })
    }

    /// The item that was deleted.
    pub(super) async fn delete(&self, key: Key) -> Result<Option<Item>, LedgerError> {
        let request = self.client().delete_item().table_name(&self.table);
        let request = request.set_key(Some(key.into_attributes())).return_values(ReturnValue::AllOld);
        match self.counted(answered(|| Box::pin(request.clone().send())).await)? {
            Reply::Answer(answer) => Ok(answer.attributes),
            Reply::Refused(_) => Ok(None),
        }
    }

    pub(super) async fn transact(&self, writes: Vec<Write>) -> Result<Transacted, LedgerError> {
        let token = client_token(&writes);
        let items: Result<Vec<_>, BuildError> =
            writes.into_iter().map(|write| write.in_transaction(&self.table)).collect();
        let request = self.client().transact_write_items().client_request_token(token);
        let request = request.set_transact_items(Some(items.map_err(unbuilt)?));
        Ok(match self.counted(answered(|| Box::pin(request.clone().send())).await)? {
            Reply::Answer(_) => Transacted::Now,
            Reply::Refused(items) => Transacted::Not(items),
        })
    }

    /// Those of the items that are there, consistently, in no order.
    pub(super) async fn batch(&self, keys: Vec<Key>) -> Result<Vec<Item>, LedgerError> {
        let mut found = Vec::with_capacity(keys.len());
        for keys in keys.chunks(BATCH) {
            let keys = keys.iter().cloned().map(Key::into_attributes).collect();
            let keys = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true);
            let mut asked = Some(HashMap::from([(self.table.clone(), keys.build().map_err(unbuilt)?)]));
            let all = async {
                let mut pauses = 0..;
                while let Some(keys) = asked.take() {
                    let request = self.client().batch_get_item().set_request_items(Some(keys));
                    if let Reply::Answer(answer) =
                        self.counted(answered(|| Box::pin(request.clone().send())).await)?
                    {
                        found.extend(answer.responses.into_iter().flatten().flat_map(|(_, items)| items));
                        asked = answer.unprocessed_keys.filter(|keys| !keys.is_empty());
                    }
                    if asked.is_some() {
                        breathe(pauses.next().unwrap_or(0)).await;
                    }
                }
                Ok(())
            };
            timeout(PATIENCE, all).await.unwrap_or_else(|late| Err(LedgerError::Unavailable(late.into())))?;
        }
        Ok(found)
    }

    /// One request's worth of a partition, from a position on.
    pub(super) async fn look_up(&self, lookup: &Lookup, from: Option<Item>) -> Result<Found, LedgerError> {
        let mut placeholders = Placeholders::default();
        let keys = placeholders.condition(lookup.keys.clone());
        let filter = lookup.filter.clone().map(|filter| placeholders.condition(filter));
        let limit = lookup.limit.map(|limit| i32::try_from(limit).unwrap_or(i32::MAX));
        let request = self.client().query().table_name(&self.table).key_condition_expression(keys);
        let request = request
            .set_index_name(lookup.index.map(str::to_owned))
            .set_filter_expression(filter)
            .set_expression_attribute_names(placeholders.names())
            .set_expression_attribute_values(placeholders.values())
            .consistent_read(lookup.is_consistent)
            .scan_index_forward(!lookup.descending)
            .set_limit(limit)
            .set_exclusive_start_key(from);
        match self.counted(answered(|| Box::pin(request.clone().send())).await)? {
            Reply::Answer(answer) => {
                let last = answer.last_evaluated_key.filter(|keys| !keys.is_empty());
                Ok(Found { items: answer.items.unwrap_or_default(), last })
            }
            Reply::Refused(_) => Ok(Found { items: Vec::new(), last: None }),
        }
    }

    /// Everything of a partition that a lookup asks for.
    pub(super) async fn look_up_all(&self, lookup: &Lookup) -> Result<Vec<Item>, LedgerError> {
        let mut all = Vec::new();
        let mut from = None;
        loop {
            let found = self.look_up(lookup, from).await?;
            all.extend(found.items);
            match found.last {
                Some(last) => from = Some(last),
                None => return Ok(all),
            }
        }
    }
}

fn only(mut items: Vec<Option<Item>>) -> Item {
    items.pop().flatten().unwrap_or_default()
}

/// A request that lacks what it needs.
fn unbuilt(error: BuildError) -> LedgerError {
    LedgerError::Refused(error.into())
}
