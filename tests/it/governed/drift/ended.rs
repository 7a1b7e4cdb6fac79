//! The end of a drift is in the audit, whatever becomes of the process that finds it.

use super::{change_elsewhere, findings, govern, is_checked, seen, stage};
use crate::governed::stage::{INTAKE, Stage};
use crate::world::ONE;
use sandbox::ledger::{Fault, Operation, Rule};
use serde_json::json;

/// A drift that was reported, of a target that holds again what it should.
async fn put_back() -> Stage {
    let stage = stage().await;
    govern(&stage, ONE).await;
    change_elsewhere(&stage, ONE, 5);
    assert!(is_checked(&stage, &seen("iam-user")).await);
    change_elsewhere(&stage, ONE, 10);
    stage
}

#[tokio::test]
async fn an_end_is_said_once_where_the_answer_of_its_update_is_lost() {
    let stage = Box::pin(put_back()).await;
    stage.ledger.fault(Rule::new(Fault::AnswerLost).on(Operation::UpdateItem).nth(1));
    // the repetition finds another item, so the event comes again, and finds nothing to say
    assert!(!is_checked(&stage, &seen("iam-user")).await);
    assert!(is_checked(&stage, &seen("iam-user")).await);
    assert_eq!(findings(&stage.world), [json!(["drift", 10, 5]), json!(["drift-ended", null, null])]);
}

#[tokio::test]
async fn an_end_is_said_though_its_process_is_killed() {
    // before the item forgets the drift, and after that
    for (fault, said) in [(Fault::Closed, 2), (Fault::NeverAnswered, 1)] {
        let stage = Box::pin(put_back()).await;
        let rule = Rule::new(fault).on(Operation::UpdateItem);
        let word = seen("iam-user").to_string();
        let answer = stage.unless_it_dies(rule, Box::pin(stage.receive(word, INTAKE))).await;
        assert_eq!(answer, None, "{fault:?}");
        assert!(is_checked(&stage, &seen("iam-user")).await, "{fault:?}");
        let mut expected = vec![json!(["drift", 10, 5])];
        expected.resize(1 + said, json!(["drift-ended", null, null]));
        assert_eq!(findings(&stage.world), expected, "{fault:?}");
    }
}
