//! Batches: each entry with an outcome of its own.

use super::{Done, Request, queue_of, read};
use crate::queue::fault::Fault;
use crate::queue::refusal::Refusal;
use crate::queue::shelf::Shelf;
use crate::queue::store::{Now, Store};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::HashSet;

/// The most entries of a batch ("`SendMessageBatch`").
const MOST_ENTRIES: usize = 10;

/// Carries a batch out, entry by entry, in their order.
pub(super) fn run<E: DeserializeOwned>(
    shelf: &Shelf,
    request: &Request<'_>,
    mut act: impl FnMut(&mut Store, Now, &E) -> Result<Value, Refusal>,
) -> Result<Done, Refusal> {
    let queue = queue_of(request.body)?;
    let entries = entries(request)?;
    let (mut successful, mut failed, mut messages) = (Vec::new(), Vec::new(), Vec::new());
    shelf.with(&queue, |store, now| {
        for (place, (id, entry)) in entries.iter().enumerate() {
            let outcome = if request.fault == Some(Fault::PartlyFailed) && place % 2 == 0 {
                Err(Refusal::internal())
            } else {
                read(entry).and_then(|entry| act(store, now, &entry))
            };
            match outcome {
                Ok(mut done) => {
                    messages.extend(done.get("MessageId").and_then(Value::as_str).map(str::to_owned));
                    if let Some(done) = done.as_object_mut() {
                        done.insert("Id".to_owned(), (*id).into());
                    }
                    successful.push(done);
                }
                Err(refusal) => failed.push(json!({
                    "Id": id,
                    "SenderFault": refusal.is_the_senders(),
                    "Code": if refusal == Refusal::internal() { "InternalError" } else { refusal.code },
                    "Message": refusal.message,
                })),
            }
        }
        Ok(())
    })?;
    // As the service does, an empty list is left out.
    let lists = [("Successful", successful), ("Failed", failed)];
    let body = lists.into_iter().filter(|(_, list)| !list.is_empty());
    let body = body.map(|(name, list)| (name.to_owned(), Value::from(list))).collect();
    Ok(Done { body: Value::Object(body), messages })
}

/// The entries of a batch, if it can be carried out at all.
pub(super) fn entries<'request>(
    request: &Request<'request>,
) -> Result<Vec<(&'request str, &'request Value)>, Refusal> {
    let listed = request.body.get("Entries").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if listed.is_empty() {
        return Err(Refusal::empty_batch(&format!("{:?}RequestEntry", request.operation)));
    }
    if listed.len() > MOST_ENTRIES {
        return Err(Refusal::too_many_entries(listed.len()));
    }
    let mut ids = HashSet::new();
    let mut entries = Vec::new();
    for entry in listed {
        let id = super::text(entry, "Id").filter(|id| is_id(id)).ok_or_else(Refusal::invalid_entry_id)?;
        if !ids.insert(id) {
            return Err(Refusal::entry_id_repeated(id));
        }
        entries.push((id, entry));
    }
    Ok(entries)
}

fn is_id(id: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (1..=80).contains(&id.len()) && id.bytes().all(allowed)
}
