//! What becomes of each write if its answer is lost, if it meets a transaction, or if the table is throttled; and what
//! a caller gets where nothing helps.

use super::samples::{LANE, NOW, after, counts, delivery, holder, id, inline, lane, run, target};
use super::table::Table;
use super::verbs::{Verb, filled, kinds, writes};
use connect_attachment_policy::ledger::{Begun, Finished, LedgerError, ListQuery};
use futures_util::future::join_all;
use policy_core::policy::Scope;
use policy_core::record::RecordStatus;
use sandbox::ledger::{Fault, Operation, Rule};
use serde_json::Value;
use std::error::Error;
use std::time::{Duration, Instant};

/// What a verb answers, and the whole table afterwards, where some of its requests get a fault.
async fn played((name, verb): Verb, fault: Option<Rule>) -> (&'static str, String, Vec<Value>) {
    let table = filled().await;
    table.sandbox.clear_journal();
    let has_fault = fault.is_some();
    if let Some(rule) = fault {
        table.sandbox.fault(rule);
    }
    let answer = verb(&table).await.unwrap_or_else(|error| panic!("{name}: {error:?}"));
    let hit = table.sandbox.journal().iter().any(|entry| entry.fault.is_some());
    assert_eq!(hit, has_fault, "{name}");
    (name, answer, table.sandbox.items().unwrap())
}

async fn all_played(fault: impl Fn() -> Option<Rule>) -> Vec<(&'static str, String, Vec<Value>)> {
    join_all(writes().into_iter().map(|verb| played(verb, fault()))).await
}

#[tokio::test]
async fn a_write_whose_answer_is_lost_is_repeated_and_done_once() {
    let expected = all_played(|| None).await;
    for fault in [Fault::AnswerLost, Fault::Closed] {
        let played = all_played(|| Some(Rule::new(fault).nth(1))).await;
        for (played, expected) in played.iter().zip(&expected) {
            assert_eq!(played, expected, "{fault}");
        }
    }
}

#[tokio::test]
async fn a_write_that_meets_transactions_or_throttling_is_repeated() {
    let expected = all_played(|| None).await;
    for fault in [|| Rule::new(Fault::Conflict).first(3), || Rule::new(Fault::Throttled).first(1)] {
        let played = all_played(|| Some(fault())).await;
        for (played, expected) in played.iter().zip(&expected) {
            assert_eq!(played, expected);
        }
    }
}

#[tokio::test]
async fn of_a_final_or_a_thaw_whose_answer_is_lost_somebody_did_it() {
    let table = filled().await;
    table.sandbox.fault(Rule::new(Fault::AnswerLost).on(Operation::UpdateItem).nth(1));
    let none = counts(&[]);
    let ended = RecordStatus::Failed;
    let finished =
        table.finish(&run("I"), Some(&holder("mine")), ended, &none, 1, None, false, after(3)).await.unwrap();
    match finished {
        Finished::Already(there) => {
            assert_eq!((there.status, there.finished), (RecordStatus::Failed, Some(after(3))));
        }
        other @ Finished::Now(_) => panic!("{other:?}"),
    }
    table.sandbox.fault(Rule::new(Fault::AnswerLost).on(Operation::DeleteItem).nth(1));
    assert!(!table.thaw().await.unwrap());
    assert_eq!(table.frozen().await.unwrap(), None);
}

/// How often a write that meets a transaction each time is sent.
async fn sent(verb: &str, fault: Fault, times: u64) -> (usize, Result<String, LedgerError>) {
    let table = filled().await;
    table.sandbox.clear_journal();
    table.sandbox.fault(Rule::new(fault).first(times));
    let (_, verb) = writes().into_iter().find(|(name, _)| *name == verb).unwrap();
    let answer = verb(&table).await;
    (table.sandbox.journal().len(), answer)
}

#[tokio::test]
async fn a_transaction_that_is_met_six_times_is_too_many() {
    for (verb, fault) in
        [("begin", Fault::Conflict), ("close", Fault::Conflict), ("close", Fault::TransactionThrottled)]
    {
        let (count, answer) = sent(verb, fault, 5).await;
        assert_eq!((count, answer.unwrap().as_str()), (6, "Now"), "{verb} {fault}");
        let (count, answer) = sent(verb, fault, 6).await;
        assert!(matches!(answer, Err(LedgerError::Unavailable(_))), "{verb} {fault} {answer:?}");
        assert_eq!(count, 6);
    }
}

#[tokio::test]
async fn what_is_throttled_or_down_for_good_is_unavailable() {
    for fault in [Fault::Throttled, Fault::Internal] {
        let failed = kinds().into_iter().map(|(name, verb)| async move {
            let table = filled().await;
            let before = table.sandbox.items().unwrap();
            table.sandbox.fault(Rule::new(fault));
            let error = verb(&table).await.unwrap_err();
            assert!(matches!(error, LedgerError::Unavailable(_)), "{name} {fault} {error:?}");
            assert_eq!(error.to_string(), "the ledger did not answer");
            assert!(error.source().is_some());
            assert_eq!(table.sandbox.items().unwrap(), before, "{name} {fault}");
        });
        join_all(failed).await;
    }
}

#[tokio::test]
async fn a_table_that_never_answers_is_waited_for_five_seconds() {
    let waited = kinds().into_iter().map(|(name, verb)| async move {
        let table = filled().await;
        table.sandbox.fault(Rule::new(Fault::NeverAnswered));
        let start = Instant::now();
        let error = verb(&table).await.unwrap_err();
        assert!(matches!(error, LedgerError::Unavailable(_)), "{name} {error:?}");
        let waited = start.elapsed();
        assert!((4_900..6_500).contains(&waited.as_millis()), "{name} {waited:?}");
    });
    join_all(waited).await;
}

#[tokio::test]
async fn an_answer_that_is_late_is_an_answer() {
    let table = filled().await;
    table.sandbox.fault(Rule::new(Fault::Slow(Duration::from_millis(1_500))).nth(1));
    table.sandbox.clear_journal();
    assert_eq!(table.change(&id("I"), NOW).await.unwrap(), Some(inline("I")));
    assert_eq!(table.sandbox.journal().len(), 1);
}

#[tokio::test]
async fn keys_that_were_left_out_are_asked_for_again() {
    let table = filled().await;
    let names: Vec<_> = (0..25).flat_map(|number| Scope::ALL.map(|scope| target(number, scope))).collect();
    let expected = table.targets(&names).await.unwrap();
    table.sandbox.clear_journal();
    table.sandbox.fault(Rule::new(Fault::Unprocessed).first(4));
    assert_eq!(table.targets(&names).await.unwrap(), expected);
    assert_eq!(table.sandbox.journal().len(), 5);
    table.sandbox.fault(Rule::new(Fault::Unprocessed));
    let error = table.targets(&names).await.unwrap_err();
    assert!(matches!(error, LedgerError::Unavailable(_)), "{error:?}");
}

#[tokio::test]
async fn what_dynamodb_refuses_is_told_apart() {
    let table = Table::new().await;
    let error = table.astray().change(&id("I"), NOW).await.unwrap_err();
    assert!(matches!(error, LedgerError::Refused(_)), "{error:?}");
    assert_eq!(error.to_string(), "the ledger refused the request");
    let causes = format!("{:?}", error.source().unwrap());
    assert!(causes.contains("ResourceNotFoundException"), "{causes}");
}

#[tokio::test]
async fn a_delivery_begins_though_its_group_cannot_be_noted() {
    let table = filled().await;
    table.sandbox.fault(Rule::new(Fault::Throttled).of(|body| body["Key"]["sk"]["S"] == "seen"));
    let begun = table.begin_delivery(&run("L"), &lane(LANE), &delivery("b"), after(1)).await.unwrap();
    assert!(matches!(begun, Begun::Open(_)), "{begun:?}");
    table.sandbox.clear_faults();
    assert_eq!(table.last_delivery(&lane(LANE)).await.unwrap(), Some(NOW));
}

#[tokio::test]
async fn the_client_is_made_at_the_first_use_only() {
    let table = Table::new().await;
    let another = table.another();
    assert!(table.sandbox.journal().is_empty());
    let query = ListQuery { limit: 1, from: Some(NOW), ..ListQuery::default() };
    assert!(another.list(&query, NOW).await.unwrap().items.is_empty());
    assert_eq!(table.sandbox.journal().len(), 4);
}
