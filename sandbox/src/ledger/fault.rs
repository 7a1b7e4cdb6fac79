//! What can go wrong between a client and the table.

use super::operation::Operation;
use crate::faults::Kind;
use hyper::StatusCode;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};
use std::fmt;
use std::time::Duration;

/// The namespace of DynamoDB's errors.
const NAMESPACE: &str = "com.amazonaws.dynamodb.v20120810";
/// The namespace of the errors that every service has.
const DENIED_BY: &str = "com.amazon.coral.service";

/// A way for a request to go wrong.
///
/// With a fault that names an *effect*, the emulator carries the operation out first. If it refuses, its error is
/// the answer, or is lost like one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// 400 `ProvisionedThroughputExceededException`, no effect.
    Throttled,
    /// 400 `ThrottlingException`, no effect.
    RateExceeded,
    /// 400 `TransactionCanceledException` whose first reason is `ThrottlingError`, no effect. Transactions only.
    TransactionThrottled,
    /// Another transaction holds the first item, no effect: 400 `TransactionConflictException` of a write, 400
    /// `TransactionCanceledException` with the reason `TransactionConflict` of a transaction.
    Conflict,
    /// 400 `AccessDeniedException`, no effect: a role, a boundary or a key does not let it pass.
    Denied,
    /// 500 `InternalServerError`, no effect.
    Internal,
    /// The connection ends without an answer, no effect.
    Closed,
    /// The effect, then the connection ends without an answer.
    AnswerLost,
    /// The effect, then no answer for as long as the client waits.
    NeverAnswered,
    /// The effect at once, the answer after this long.
    Slow(Duration),
    /// The effect after this long, whether or not the client is still there.
    Late(Duration),
    /// 200, with the second half of the keys unprocessed; with one key, that one. `BatchGetItem` only.
    Unprocessed,
    /// 200, without the items that were written less than this long ago, as an index that is behind its table. `Query`
    /// of an index only. (A real one would show an item that was changed as it was before.)
    Behind(Duration),
}

impl Kind for Fault {
    type Operation = Operation;

    fn can_happen_to(self, operation: Operation) -> bool {
        match self {
            Self::Throttled | Self::RateExceeded => operation.is_on_items(),
            Self::TransactionThrottled => operation.is_transaction(),
            Self::Conflict => operation.is_transaction() || operation.writes_one(),
            Self::Unprocessed => operation == Operation::BatchGetItem,
            Self::Behind(_) => operation == Operation::Query,
            Self::Denied
            | Self::Internal
            | Self::Closed
            | Self::AnswerLost
            | Self::NeverAnswered
            | Self::Slow(_)
            | Self::Late(_) => true,
        }
    }
}

impl Fault {
    /// The error that is answered instead of carrying the operation out; `None` for the other faults.
    pub(super) fn refusal(self, operation: Operation, body: &Value) -> Option<(StatusCode, Value)> {
        let (name, message) = match self {
            Self::Throttled => (
                "ProvisionedThroughputExceededException",
                "The level of configured provisioned throughput for the table was exceeded. Consider increasing \
                 your provisioning level with the UpdateTable API.",
            ),
            Self::RateExceeded => ("ThrottlingException", "Rate of requests exceeds the allowed throughput."),
            Self::TransactionThrottled => {
                return Some(cancelled(body, "ThrottlingError", "Throughput exceeds the current capacity."));
            }
            Self::Conflict if operation.is_transaction() => {
                let message = "Transaction is ongoing for the item";
                return Some(cancelled(body, "TransactionConflict", message));
            }
            Self::Conflict => ("TransactionConflictException", "Transaction is ongoing for the item"),
            Self::Denied => {
                let body = crate::aws_json::error(DENIED_BY, "AccessDeniedException", "not authorized");
                return Some((StatusCode::BAD_REQUEST, body));
            }
            Self::Internal => {
                let body = crate::aws_json::error(NAMESPACE, "InternalServerError", "Internal server error");
                return Some((StatusCode::INTERNAL_SERVER_ERROR, body));
            }
            Self::Closed
            | Self::AnswerLost
            | Self::NeverAnswered
            | Self::Slow(_)
            | Self::Late(_)
            | Self::Unprocessed
            | Self::Behind(_) => return None,
        };
        Some((StatusCode::BAD_REQUEST, crate::aws_json::error(NAMESPACE, name, message)))
    }
}

/// A cancelled transaction: a reason for each item in its order, of which the first one says why.
fn cancelled(body: &Value, code: &str, message: &str) -> (StatusCode, Value) {
    let items = body.get("TransactItems").and_then(Value::as_array).map_or(1, Vec::len).max(1);
    let reasons: Vec<Value> = (0..items)
        .map(
            |item| {
                if item == 0 { json!({"Code": code, "Message": message}) } else { json!({"Code": "None"}) }
            },
        )
        .collect();
    let mut codes = vec![code];
    codes.resize(items, "None");
    let message = format!(
        "Transaction cancelled, please refer cancellation reasons for specific reasons [{}]",
        codes.join(", ")
    );
    let mut body = crate::aws_json::error(NAMESPACE, "TransactionCanceledException", &message);
    if let Some(body) = body.as_object_mut() {
        // As DynamoDB spells it here, and only here.
        body.remove("message");
        body.insert("Message".to_owned(), message.into());
        body.insert("CancellationReasons".to_owned(), reasons.into());
    }
    (StatusCode::BAD_REQUEST, body)
}

/// Cuts the second half of the keys off a `BatchGetItem`, at least one; gives what was cut off, as `UnprocessedKeys`.
pub(super) fn cut(body: &mut Value) -> Value {
    let mut unprocessed = Map::new();
    let Some(tables) = body.get_mut("RequestItems").and_then(Value::as_object_mut) else {
        return Value::Object(unprocessed);
    };
    for (name, table) in tables.iter_mut() {
        let mut rest = table.clone();
        if let (Some(Value::Array(keys)), Some(rest)) = (table.get_mut("Keys"), rest.as_object_mut()) {
            rest.insert("Keys".to_owned(), keys.split_off(keys.len() / 2).into());
        }
        unprocessed.insert(name.clone(), rest);
    }
    tables
        .retain(|_, table| table.get("Keys").and_then(Value::as_array).is_some_and(|keys| !keys.is_empty()));
    Value::Object(unprocessed)
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Throttled => "throttled",
            Self::RateExceeded => "rate-exceeded",
            Self::TransactionThrottled => "transaction-throttled",
            Self::Conflict => "conflict",
            Self::Denied => "access-denied",
            Self::Internal => "500",
            Self::Closed => "closed",
            Self::AnswerLost => "answer-lost",
            Self::NeverAnswered => "never-answered",
            Self::Slow(duration) => return write!(formatter, "slow:{}", duration.as_millis()),
            Self::Late(duration) => return write!(formatter, "late:{}", duration.as_millis()),
            Self::Unprocessed => "unprocessed",
            Self::Behind(duration) => return write!(formatter, "behind:{}", duration.as_millis()),
        })
    }
}

impl Serialize for Fault {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_happens_only_where_dynamodb_could_do_it() {
        use Operation::{BatchGetItem, DescribeTable, GetItem, TransactWriteItems, UpdateItem};
        for (fault, happens) in [
            (Fault::Throttled, [true, false, true, true, true]),
            (Fault::TransactionThrottled, [false, false, false, true, false]),
            (Fault::Conflict, [false, false, false, true, true]),
            (Fault::Unprocessed, [true, false, false, false, false]),
            (Fault::AnswerLost, [true, true, true, true, true]),
        ] {
            let operations = [BatchGetItem, DescribeTable, GetItem, TransactWriteItems, UpdateItem];
            assert_eq!(operations.map(|operation| fault.can_happen_to(operation)), happens, "{fault}");
        }
    }

    #[test]
    fn half_of_a_batch_stays_unprocessed_and_at_least_one_key() {
        let table = |keys: &[u32]| json!({"t": {"Keys": keys, "ConsistentRead": true}});
        for (asked, left, cut_off) in
            [(&[1, 2, 3][..], table(&[1]), table(&[2, 3])), (&[1], json!({}), table(&[1]))]
        {
            let mut body = json!({"RequestItems": table(asked)});
            assert_eq!(cut(&mut body), cut_off);
            assert_eq!(body["RequestItems"], left);
        }
    }

    #[test]
    fn a_cancelled_transaction_has_a_reason_for_each_item() {
        let body = json!({"TransactItems": [{}, {}, {}]});
        let (status, body) = Fault::Conflict.refusal(Operation::TransactWriteItems, &body).unwrap();
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert_eq!(
            body,
            json!({
                "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
                "Message": "Transaction cancelled, please refer cancellation reasons for specific reasons \
                            [TransactionConflict, None, None]",
                "CancellationReasons": [
                    {"Code": "TransactionConflict", "Message": "Transaction is ongoing for the item"},
                    {"Code": "None"},
                    {"Code": "None"},
                ],
            })
        );
    }
}
