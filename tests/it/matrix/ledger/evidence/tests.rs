//! Each count finds what it counts: true evidence leaves all of them at 0, what is false raises its own.

use super::super::cell::Way;
use super::super::stack::Stack;
use super::super::verb::Verb;
use super::{Evidence, Totals, pk, sk};
use serde_json::json;

/// Two targets, applied by a lane.
async fn true_evidence() -> Evidence {
    let stack = Box::pin(Stack::set(Way::Lane, Verb::Change)).await;
    assert_eq!(Box::pin(stack.act()).await, "done");
    Evidence::of(&stack)
}

fn counted(change: impl FnOnce(&mut Evidence), evidence: &mut Evidence) -> Totals {
    change(evidence);
    evidence.totals()
}

const FINE: Totals = Totals {
    cells: 1,
    updates: 2,
    lost: 0,
    doubled: 0,
    without_intent: 0,
    never_ended: 0,
    untrue: 0,
    unannounced: 0,
    intents_without_outcome: 0,
};

#[tokio::test]
async fn an_update_that_no_result_owns_is_lost() {
    let mut evidence = true_evidence().await;
    assert_eq!(evidence.totals(), FINE);
    let first = evidence.items.iter_mut().find(|item| pk(item).starts_with("run#")).unwrap();
    first["outcome"]["S"] = json!("unchanged");
    assert_eq!(evidence.totals(), Totals { lost: 1, ..FINE });
    let gone = |evidence: &mut Evidence| evidence.items.retain(|item| !pk(item).starts_with("run#"));
    assert_eq!(counted(gone, &mut evidence), Totals { lost: 2, ..FINE });
}

#[tokio::test]
async fn an_update_before_its_intent_after_its_end_or_of_other_values_has_none() {
    let mut evidence = true_evidence().await;
    let is_begin = |evidence: &Evidence, n: usize| Verb::of(&evidence.requests[n].body) == Verb::Begin;
    let begins: Vec<usize> = (0..evidence.requests.len()).filter(|n| is_begin(&evidence, *n)).collect();
    assert_eq!(begins.len(), 2);
    // the first one was refused, the second one came too late
    evidence.requests[begins[0]].executed = false;
    assert_eq!(evidence.totals(), Totals { without_intent: 1, ..FINE });
    evidence.requests[begins[1]].at = evidence.journal.last().unwrap().at;
    assert_eq!(evidence.totals(), Totals { without_intent: 2, ..FINE });

    let mut evidence = true_evidence().await;
    for entry in &mut evidence.journal {
        if let Some(body) = entry.body.as_mut().filter(|body| body.get("MaximumSizeLimitInBytes").is_some()) {
            body["MaximumSizeLimitInBytes"] = json!(1);
        }
    }
    assert_eq!(evidence.totals().without_intent, 2);
}

#[tokio::test]
async fn an_update_after_its_success_was_shown_is_doubled() {
    let mut evidence = true_evidence().await;
    let last = evidence.journal.last().unwrap().clone();
    evidence.journal.push(last);
    assert_eq!(evidence.totals(), Totals { updates: 3, doubled: 1, ..FINE });
}

#[tokio::test]
async fn what_somebody_would_have_to_come_back_to_has_not_ended() {
    for (find, name, value) in [
        ("change", "status", json!({"S": "running"})),
        ("change", "owed", json!({"S": "sweep#0"})),
        ("111122223333/", "intent", json!({"M": {}})),
        ("lane#", "state", json!({"S": "open"})),
    ] {
        let mut evidence = true_evidence().await;
        let item = evidence.items.iter_mut().find(|item| sk(item).starts_with(find)).unwrap();
        item[name] = value;
        assert_eq!(evidence.totals(), Totals { never_ended: 1, ..FINE }, "{find} {name}");
    }
    let mut evidence = true_evidence().await;
    evidence.items.push(json!({"pk": {"S": "lane#l"}, "sk": {"S": "work#1"}}));
    assert_eq!(evidence.totals(), Totals { never_ended: 1, ..FINE });
}

#[tokio::test]
async fn a_before_or_a_target_that_is_not_so_is_untrue() {
    let mut evidence = true_evidence().await;
    let result = evidence.items.iter_mut().find(|item| pk(item).starts_with("run#")).unwrap();
    result["before"]["M"]["size"]["N"] = json!("10485760");
    assert_eq!(evidence.totals(), Totals { untrue: 1, ..FINE });
    let target = evidence.items.iter_mut().find(|item| pk(item).starts_with("target#")).unwrap();
    target["held_size"]["N"] = json!("1");
    assert_eq!(evidence.totals(), Totals { untrue: 2, ..FINE });
}

#[tokio::test]
async fn an_intent_that_no_outcome_follows_is_without_one() {
    let mut evidence = true_evidence().await;
    let is_outcome = |event: &serde_json::Value| event["metadata"]["event_code"] == "outcome";
    let last = evidence.audit.iter().rposition(is_outcome).unwrap();
    evidence.audit.remove(last);
    assert_eq!(evidence.totals(), Totals { intents_without_outcome: 1, ..FINE });
}

#[tokio::test]
async fn a_run_without_an_event_or_with_two_that_differ_is_unannounced() {
    let mut evidence = true_evidence().await;
    let mut other = evidence.events[0].clone();
    evidence.events.push(other.clone());
    assert_eq!(evidence.totals(), FINE);
    other.text.push(' ');
    evidence.events.push(other);
    assert_eq!(evidence.totals(), Totals { unannounced: 1, ..FINE });
    evidence.events.clear();
    assert_eq!(evidence.totals(), Totals { unannounced: 1, ..FINE });
}
