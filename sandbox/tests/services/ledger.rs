//! The ledger's table: what it keeps, and its faults.

use crate::client::Call;
use sandbox::ledger::{Fault, Key, Ledger, Operation, Options, Rule};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tokio::time::timeout;

async fn start() -> Ledger {
    Ledger::start(Options::default()).await.unwrap()
}

fn call(ledger: &Ledger, operation: &str, mut body: Value) -> Call {
    if !operation.starts_with("Transact") && !operation.starts_with("Batch") {
        body["TableName"] = ledger.table().into();
    }
    Call::new(&ledger.url(), &format!("DynamoDB_20120810.{operation}"), body)
}

fn key(sk: &str) -> Value {
    json!({"pk": {"S": "change#1"}, "sk": {"S": sk}})
}

/// Puts an item that must not be there yet.
fn put(ledger: &Ledger, sk: &str) -> Call {
    let body = json!({"Item": key(sk), "ConditionExpression": "attribute_not_exists(pk)"});
    call(ledger, "PutItem", body)
}

/// Puts two items at once.
fn put_two(ledger: &Ledger) -> Call {
    let item = |sk: &str| json!({"Put": {"TableName": ledger.table(), "Item": key(sk)}});
    call(ledger, "TransactWriteItems", json!({"TransactItems": [item("a"), item("b")]}))
}

/// The sort keys of all items.
fn kept(ledger: &Ledger) -> Vec<String> {
    let items = ledger.items().unwrap();
    items.iter().map(|item| item["sk"]["S"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn the_table_has_its_keys_its_indexes_and_its_attribute_of_expiry() {
    let ledger = start().await;
    let table = call(&ledger, "DescribeTable", json!({})).ok().await["Table"].clone();
    assert_eq!(table["TableName"], "attachment-policy-ledger");
    let names = |schema: &Value| -> Vec<String> {
        schema
            .as_array()
            .unwrap()
            .iter()
            .map(|key| key["AttributeName"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(names(&table["KeySchema"]), ["pk", "sk"]);
    let mut indexes: Vec<_> = table["GlobalSecondaryIndexes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|index| {
            let projection = index["Projection"]["ProjectionType"].as_str().unwrap();
            (index["IndexName"].as_str().unwrap(), names(&index["KeySchema"]), projection)
        })
        .collect();
    indexes.sort();
    assert_eq!(
        indexes,
        [
            ("listed", vec!["list".to_owned(), "at".to_owned()], "INCLUDE"),
            ("owed", vec!["owed".to_owned(), "due".to_owned()], "KEYS_ONLY")
        ]
    );
    let expiry = call(&ledger, "DescribeTimeToLive", json!({})).ok().await;
    assert_eq!(expiry["TimeToLiveDescription"]["AttributeName"], "ttl");
    assert_eq!(expiry["TimeToLiveDescription"]["TimeToLiveStatus"], "ENABLED");
}

#[tokio::test]
async fn what_is_put_is_read_and_the_journal_counts_its_units() {
    let ledger = start().await;
    let item =
        json!({"pk": {"S": "change#1"}, "sk": {"S": "change"}, "owed": {"S": "sweep#0"}, "due": {"N": "7"}});
    call(&ledger, "PutItem", json!({"Item": item})).ok().await;
    let found = call(&ledger, "GetItem", json!({"Key": key("change"), "ConsistentRead": true})).ok().await;
    assert_eq!(found["Item"], item);
    let owed = json!({
        "IndexName": "owed",
        "KeyConditionExpression": "owed = :owed AND due <= :now",
        "ExpressionAttributeValues": {":owed": {"S": "sweep#0"}, ":now": {"N": "8"}},
    });
    assert_eq!(call(&ledger, "Query", owed).ok().await["Count"], 1);
    let journal = ledger.journal();
    let seen: Vec<_> = journal.iter().map(|entry| (entry.operation.unwrap(), entry.keys.len())).collect();
    assert_eq!(seen, [(Operation::PutItem, 1), (Operation::GetItem, 1), (Operation::Query, 0)]);
    assert_eq!(journal[0].keys, [Key { pk: "change#1".to_owned(), sk: "change".to_owned() }]);
    assert!((journal[0].units() - 2.0).abs() < f64::EPSILON, "the table's and the index's");
    assert_eq!(journal[2].index.as_deref(), Some("owed"));
    assert!(journal.iter().all(|entry| entry.executed && entry.status == Some(200) && entry.error.is_none()));
}

#[tokio::test]
async fn a_condition_that_fails_is_the_emulators_answer_and_no_effect() {
    let ledger = start().await;
    put(&ledger, "a").ok().await;
    assert_eq!(put(&ledger, "a").error().await, (400, "ConditionalCheckFailedException".to_owned()));
    let journal = ledger.journal();
    assert_eq!((journal[1].executed, journal[1].status), (false, Some(400)));
    assert_eq!(journal[1].error.as_deref(), Some("ConditionalCheckFailedException"));
}

#[tokio::test]
async fn a_fault_in_place_of_the_operation_has_its_status_and_name_and_no_effect() {
    for (fault, status, name) in [
        (Fault::Throttled, 400, "ProvisionedThroughputExceededException"),
        (Fault::RateExceeded, 400, "ThrottlingException"),
        (Fault::Conflict, 400, "TransactionConflictException"),
        (Fault::Internal, 500, "InternalServerError"),
    ] {
        let ledger = start().await;
        ledger.fault(Rule::new(fault).on(Operation::PutItem).first(1));
        assert_eq!(put(&ledger, "a").error().await, (status, name.to_owned()));
        assert!(kept(&ledger).is_empty());
        let entry = ledger.journal().remove(0);
        assert_eq!((entry.fault, entry.executed, entry.status), (Some(fault), false, Some(status)));
        assert_eq!(entry.error.as_deref(), Some(name));
        put(&ledger, "a").ok().await;
    }
}

#[tokio::test]
async fn a_transaction_that_is_cancelled_says_why_item_by_item() {
    for (fault, code) in
        [(Fault::Conflict, "TransactionConflict"), (Fault::TransactionThrottled, "ThrottlingError")]
    {
        let ledger = start().await;
        ledger.fault(Rule::new(fault).first(1));
        let (status, body) = put_two(&ledger).send().await.unwrap();
        assert_eq!(status, 400);
        assert_eq!(body["CancellationReasons"][0]["Code"], code);
        assert_eq!(body["CancellationReasons"][1], json!({"Code": "None"}));
        assert_eq!(ledger.journal()[0].error.as_deref(), Some("TransactionCanceledException"));
        assert!(kept(&ledger).is_empty());
    }
}

#[tokio::test]
async fn a_closed_connection_has_no_effect_and_a_lost_answer_has_one() {
    for (fault, executed) in [(Fault::Closed, false), (Fault::AnswerLost, true)] {
        let ledger = start().await;
        ledger.fault(Rule::new(fault).nth(1));
        assert_eq!(put_two(&ledger).send().await, None, "{fault}");
        assert_eq!(kept(&ledger), if executed { vec!["a", "b"] } else { vec![] });
        let entry = ledger.journal().remove(0);
        assert_eq!((entry.executed, entry.status), (executed, None));
    }
}

#[tokio::test]
async fn an_answer_that_never_comes_leaves_its_effect_and_can_be_waited_for() {
    let ledger = start().await;
    ledger.fault(Rule::new(Fault::NeverAnswered).of(|body| body["Item"]["sk"]["S"] == "b"));
    put(&ledger, "a").ok().await;
    let waiting = put(&ledger, "b");
    let waiting = tokio::spawn(async move { waiting.send().await });
    ledger.until(|entries| entries.iter().any(|entry| entry.fault.is_some() && entry.executed)).await;
    assert_eq!(kept(&ledger), ["a", "b"]);
    assert!(!waiting.is_finished());
    waiting.abort();
}

#[tokio::test]
async fn a_slow_answer_comes_late_and_a_late_effect_comes_although_its_client_has_left() {
    let ledger = start().await;
    let wait = Duration::from_millis(200);
    ledger.fault(Rule::new(Fault::Slow(wait)).on(Operation::PutItem).nth(1));
    ledger.fault(Rule::new(Fault::Late(wait)).on(Operation::PutItem).nth(2));
    let asked = Instant::now();
    put(&ledger, "slow").ok().await;
    assert!(asked.elapsed() >= wait);
    let late = put(&ledger, "late");
    timeout(wait / 4, late.send()).await.unwrap_err();
    assert_eq!(kept(&ledger), ["slow"]);
    ledger.until(|entries| entries.iter().all(|entry| entry.executed)).await;
    assert_eq!(kept(&ledger), ["late", "slow"]);
}

#[tokio::test]
async fn keys_that_stay_unprocessed_are_given_back() {
    let ledger = start().await;
    put_two(&ledger).ok().await;
    ledger.fault(Rule::new(Fault::Unprocessed).first(2));
    let ask = |keys: Value| {
        call(&ledger, "BatchGetItem", json!({"RequestItems": {ledger.table(): {"Keys": keys}}}))
    };
    let first = ask(json!([key("a"), key("b")])).ok().await;
    assert_eq!(first["Responses"][ledger.table()], json!([key("a")]));
    assert_eq!(first["UnprocessedKeys"][ledger.table()]["Keys"], json!([key("b")]));
    let second = ask(json!([key("b")])).ok().await;
    assert_eq!(second["Responses"], json!({}));
    assert_eq!(second["UnprocessedKeys"][ledger.table()]["Keys"], json!([key("b")]));
    let third = ask(json!([key("b")])).ok().await;
    assert_eq!(third["UnprocessedKeys"], json!({}));
}

#[tokio::test]
async fn an_index_that_is_behind_lacks_what_was_written_last_and_the_table_does_not() {
    let ledger = start().await;
    ledger.fault(Rule::new(Fault::Behind(Duration::from_millis(500))));
    let owed = json!({"pk": {"S": "p"}, "sk": {"S": "a"}, "owed": {"S": "sweep#0"}, "due": {"N": "7"}});
    call(&ledger, "PutItem", json!({"Item": owed})).ok().await;
    let query = |index: Option<&str>, condition: &str, value: &str| {
        let mut body = json!({
            "KeyConditionExpression": format!("{condition} = :value"),
            "ExpressionAttributeValues": {":value": {"S": value}},
        });
        if let Some(index) = index {
            body["IndexName"] = index.into();
        }
        call(&ledger, "Query", body)
    };
    let behind = query(Some("owed"), "owed", "sweep#0").ok().await;
    assert_eq!((&behind["Items"], &behind["Count"]), (&json!([]), &json!(0)));
    assert_eq!(query(None, "pk", "p").ok().await["Count"], 1);
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(query(Some("owed"), "owed", "sweep#0").ok().await["Count"], 1);
}

#[tokio::test]
async fn what_has_expired_is_kept_until_the_sweep() {
    let ledger = start().await;
    for (sk, expiry) in [("gone", ago(Duration::from_mins(1))), ("stays", "9999999999".to_owned())] {
        let body = json!({"Item": {"pk": {"S": "p"}, "sk": {"S": sk}, "ttl": {"N": expiry}}});
        call(&ledger, "PutItem", body).ok().await;
    }
    assert_eq!(kept(&ledger), ["gone", "stays"]);
    assert_eq!(ledger.delete_expired().unwrap(), 1);
    assert_eq!(kept(&ledger), ["stays"]);
}

/// So long ago, as DynamoDB's expiry wants it.
fn ago(ago: Duration) -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    now.checked_sub(ago).unwrap().as_secs().to_string()
}

#[tokio::test]
async fn dropping_it_closes_its_port_and_its_connections() {
    let ledger = start().await;
    let url = ledger.url();
    put(&ledger, "a").ok().await;
    drop(ledger);
    tokio::task::yield_now().await;
    let refused = tokio::net::TcpStream::connect(url.strip_prefix("http://").unwrap()).await;
    assert!(refused.is_err());
}
