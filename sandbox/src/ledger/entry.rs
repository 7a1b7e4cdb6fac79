//! One line of the journal: a request to the table, and its answer.

use super::fault::Fault;
use super::operation::Operation;
use crate::journal::Numbered;
use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;

/// One request and its answer.
///
/// It is entered when the request arrives and completed before the answer is sent.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Entry {
    /// The request's number, from 1; clearing the journal does not start it again.
    pub sequence: u64,
    /// When it arrived.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// The operation; `None` if it is not one of a table's.
    pub operation: Option<Operation>,
    /// The keys of the items that it names, in its order; a query names none.
    pub keys: Vec<Key>,
    /// The index that a query reads.
    pub index: Option<String>,
    /// The client's count of its attempts at this call.
    pub attempt: Option<u32>,
    /// The body as it was sent.
    pub body: Value,
    /// Whether the emulator carried it out. A condition that failed, for example, is no effect.
    pub executed: bool,
    /// What the emulator says it used: `ConsumedCapacity`, always as a list.
    pub capacity: Vec<Value>,
    /// The status answered; `None` if there was no answer.
    pub status: Option<u16>,
    /// The name of the error answered.
    pub error: Option<String>,
    /// The fault that it got.
    pub fault: Option<Fault>,
}

/// The key of an item of the ledger's table.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Key {
    /// The partition key.
    pub pk: String,
    /// The sort key.
    pub sk: String,
}

impl Entry {
    /// The capacity units that it used, its indexes' included.
    #[must_use]
    pub fn units(&self) -> f64 {
        self.capacity.iter().filter_map(|used| used.get("CapacityUnits").and_then(Value::as_f64)).sum()
    }
}

impl Numbered for Entry {
    fn sequence(&self) -> u64 {
        self.sequence
    }

    fn number(&mut self, sequence: u64) {
        self.sequence = sequence;
    }
}

/// The keys of the items that a request names.
pub(super) fn keys(body: &Value) -> Vec<Key> {
    let direct = ["Key", "Item"].into_iter().filter_map(|member| body.get(member));
    let in_transaction = members(body.get("TransactItems"))
        .flat_map(|item| item.as_object().into_iter().flat_map(|item| item.values()))
        .filter_map(|act| act.get("Key").or_else(|| act.get("Item")));
    let tables =
        || body.get("RequestItems").and_then(Value::as_object).into_iter().flat_map(|all| all.values());
    let read = tables().flat_map(|table| members(table.get("Keys")));
    let written = tables().flat_map(|table| members(Some(table))).filter_map(|request| {
        request.pointer("/PutRequest/Item").or_else(|| request.pointer("/DeleteRequest/Key"))
    });
    direct.chain(in_transaction).chain(read).chain(written).filter_map(key).collect()
}

/// The elements of a list; none of anything else.
fn members(list: Option<&Value>) -> impl Iterator<Item = &Value> {
    list.and_then(Value::as_array).into_iter().flatten()
}

/// The key in an item.
pub(super) fn key(item: &Value) -> Option<Key> {
    let text = |name: &str| item.pointer(&format!("/{name}/S")).and_then(Value::as_str).map(str::to_owned);
    Some(Key { pk: text("pk")?, sk: text("sk")? })
}

/// `ConsumedCapacity` of an answer, which is an object or a list of them.
pub(super) fn capacity(answer: &Value) -> Vec<Value> {
    match answer.get("ConsumedCapacity") {
        Some(Value::Array(all)) => all.clone(),
        Some(one) => vec![one.clone()],
        None => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn item(n: u32) -> Value {
        json!({"pk": {"S": format!("p{n}")}, "sk": {"S": format!("s{n}")}, "other": {"N": "1"}})
    }

    #[test]
    fn the_keys_of_every_form_of_a_request_are_found() {
        for (body, count) in [
            (json!({"Key": item(1)}), 1),
            (json!({"Item": item(1)}), 1),
            (
                json!({"TransactItems": [
                    {"Update": {"Key": item(1)}},
                    {"Put": {"Item": item(2)}},
                    {"ConditionCheck": {"Key": item(3)}},
                ]}),
                3,
            ),
            (json!({"RequestItems": {"ledger": {"Keys": [item(1), item(2)]}}}), 2),
            (
                json!({"RequestItems": {"ledger": [
                    {"PutRequest": {"Item": item(1)}},
                    {"DeleteRequest": {"Key": item(2)}},
                ]}}),
                2,
            ),
            (json!({"KeyConditionExpression": "#pk = :pk"}), 0),
        ] {
            let expected: Vec<Key> =
                (1..=count).map(|n| Key { pk: format!("p{n}"), sk: format!("s{n}") }).collect();
            assert_eq!(keys(&body), expected, "{body}");
        }
    }

    #[test]
    fn the_units_of_a_transaction_are_added_up() {
        let answer = json!({"ConsumedCapacity": [{"CapacityUnits": 4.0}, {"CapacityUnits": 1.5}]});
        assert_eq!(capacity(&answer).len(), 2);
        assert_eq!(capacity(&json!({"ConsumedCapacity": {"CapacityUnits": 0.5}})).len(), 1);
        assert!(capacity(&json!({})).is_empty());
    }
}
