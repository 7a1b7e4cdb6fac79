//! A declared resource's generations: taken once, decided once, answered once; and what each of it costs.

use super::costs::planned;
use super::samples::{LANE, NOW, SIZE, after, by_lanes, cancelled, lane, order, result, run, size, target};
use super::table::Table;
use connect_attachment_policy::ledger::{Generation, Taken};
use policy_core::declare::{Addressee, Kept, Known, Owed, RequestType};
use policy_core::policy::{OnDelete, Scope};
use policy_core::record::{ChangeRecord, Declared, Halt, Handover, Named, RunName};
use policy_core::report::OutcomeKind;
use std::collections::BTreeSet;
use std::time::Duration;

const STACK: &str =
    "arn:aws:cloudformation:eu-central-1:111122223333:stack/chat/5f0c9b60-8d5a-11ef-a1f5-0a1b2c3d4e5f";

/// A generation that may be taken.
struct Sample {
    kept: Kept,
    owed: Owed,
    change: Option<ChangeRecord>,
}

impl Sample {
    /// The n-th generation of `Policy`; without a change it is refused.
    fn new(generation: u32, is_refused: bool) -> Self {
        let request = format!("request-{generation}");
        let to = Addressee {
            stack_id: STACK.to_owned(),
            logical_id: "Policy".to_owned(),
            request_id: request.clone(),
            physical_id: "attachment-policy-0123".to_owned(),
        };
        let declared = Declared {
            stack_id: STACK.to_owned(),
            logical_id: "Policy".to_owned(),
            generation,
            kind: RequestType::Create,
            on_delete: OnDelete::Retain,
            last_success: None,
            left: 0,
        };
        let id = format!("declared-{generation}");
        let change = ChangeRecord { declared: Some(declared), ..planned(by_lanes(&id, 1)) };
        let change = (!is_refused).then_some(change);
        let change_id = change.as_ref().map(|change| change.change_id.clone());
        let earlier = (1..generation).map(|earlier| format!("request-{earlier}")).collect();
        let kept = Kept {
            stack_id: STACK.to_owned(),
            logical_id: "Policy".to_owned(),
            known: Known { generation, request_id: request, earlier, is_gone: false },
            kind: RequestType::Create,
            accepted: NOW,
            on_delete: OnDelete::Retain,
            lanes: BTreeSet::from([lane(LANE)]),
            good: None,
            change: change_id.clone(),
        };
        let owed = Owed {
            to,
            generation,
            kind: RequestType::Create,
            // a presigned URL of CloudFormation has some 600 bytes
            url: Some(format!("https://bucket.s3.amazonaws.com/{}", "x".repeat(570))),
            deadline: NOW.plus(Duration::from_secs(3_510)),
            change: change_id,
            body: is_refused.then(|| "y".repeat(400)),
            is_lost: false,
        };
        Self { kept, owed, change }
    }

    fn after<'a>(
        &'a self,
        old: Option<&'a Kept>,
        overtakes: Option<(&'a RunName, &'a Halt)>,
    ) -> Generation<'a> {
        let (new, answer, change) = (&self.kept, &self.owed, self.change.as_ref());
        Generation { old, new, answer, change, overtakes }
    }
}

#[tokio::test]
async fn a_generation_is_taken_by_one_of_two_and_once_by_each() {
    let table = Table::new().await;
    let first = Sample::new(1, false);
    assert_eq!(table.take(first.after(None, None), NOW).await.unwrap(), Taken::Now);
    // the same again: its own
    assert_eq!(table.take(first.after(None, None), NOW).await.unwrap(), Taken::Now);
    assert_eq!(table.declaration(STACK, "Policy", NOW).await.unwrap().as_ref(), Some(&first.kept));
    assert_eq!(table.answer(STACK, "Policy", 1).await.unwrap().as_ref(), Some(&first.owed));
    // another process that drafted the same generation is not its taker
    let mut theirs = Sample::new(1, false);
    theirs.change = theirs.change.map(|change| ChangeRecord { token: "theirs".to_owned(), ..change });
    assert_eq!(table.take(theirs.after(None, None), NOW).await.unwrap(), Taken::Moved);
    // somebody who saw nothing comes too late, whatever he asks
    let second = Sample::new(2, true);
    assert_eq!(table.take(second.after(None, None), NOW).await.unwrap(), Taken::Moved);
    assert_eq!(table.answer(STACK, "Policy", 2).await.unwrap(), None);
    assert_eq!(table.take(second.after(Some(&first.kept), None), NOW).await.unwrap(), Taken::Now);
    // and so does somebody who saw the first
    let third = Sample::new(3, false);
    assert_eq!(table.take(third.after(Some(&first.kept), None), NOW).await.unwrap(), Taken::Moved);
    assert_eq!(table.change(&third.change.unwrap().change_id, NOW).await.unwrap(), None);
}

#[tokio::test]
async fn an_answer_is_decided_once_and_the_others_get_what_is_stored() {
    let table = Table::new().await;
    let (first, second) = (Sample::new(1, false), Sample::new(2, false));
    table.take(first.after(None, None), NOW).await.unwrap();
    assert_eq!(table.decide(&first.owed, "late", false, None, NOW).await.unwrap(), "late");
    assert_eq!(table.decide(&first.owed, "well", true, Some("hash"), NOW).await.unwrap(), "late");
    assert_eq!(table.declaration(STACK, "Policy", NOW).await.unwrap().unwrap().good, None);
    // of a generation that a newer one has overtaken the answer alone is decided
    table.take(second.after(Some(&first.kept), None), NOW).await.unwrap();
    assert_eq!(table.decide(&second.owed, "well", true, Some("hash"), NOW).await.unwrap(), "well");
    let third = Sample::new(3, false);
    let kept = table.declaration(STACK, "Policy", NOW).await.unwrap().unwrap();
    assert_eq!(kept.good, Some((2, "hash".to_owned())));
    table.take(third.after(Some(&kept), None), NOW).await.unwrap();
    let fourth = Sample::new(4, false);
    table.take(fourth.after(Some(&third.kept), None), NOW).await.unwrap();
    assert_eq!(table.decide(&third.owed, "too late", true, Some("other"), NOW).await.unwrap(), "too late");
    let kept = table.declaration(STACK, "Policy", NOW).await.unwrap().unwrap();
    assert_eq!((kept.known.generation, kept.good), (4, None));
    // what is answered has no URL, and nobody comes back to it
    table.answered(&first.owed, NOW).await.unwrap();
    let answered = table.answer(STACK, "Policy", 1).await.unwrap().unwrap();
    assert_eq!((answered.url, answered.body.as_deref()), (None, Some("late")));
    table.postpone_answer(&first.owed, NOW).await.unwrap();
    let item = table.item(&format!("declaration#{STACK}"), "Policy#1");
    assert!(item.get("due").is_none() && item.get("owed").is_none(), "{item}");
}

#[tokio::test]
async fn what_a_declaration_costs() {
    let table = Table::new().await;
    let mut spent = Vec::new();
    let mut enter = |what: &str| spent.push(format!("{what}: {}", table.spent()));
    let (first, second) = (Sample::new(1, false), Sample::new(2, false));
    table.take(first.after(None, None), NOW).await.unwrap();
    enter("take");
    let overtaken = (run("declared-1"), cancelled(after(5)));
    table.take(second.after(Some(&first.kept), Some((&overtaken.0, &overtaken.1))), after(5)).await.unwrap();
    enter("take, over an older one");
    table.declaration(STACK, "Policy", NOW).await.unwrap();
    enter("read the declaration");
    table.answer(STACK, "Policy", 2).await.unwrap();
    enter("read the answer");
    table.postpone_answer(&second.owed, after(50)).await.unwrap();
    enter("postpone");
    table.decide(&second.owed, &"x".repeat(400), true, Some("hash"), after(60)).await.unwrap();
    enter("decide, succeeded");
    table.answered(&second.owed, after(61)).await.unwrap();
    enter("answered");
    let refused = Sample::new(3, true);
    table.take(refused.after(Some(&second.kept), None), after(70)).await.unwrap();
    enter("take, refused");

    let chat = target(2, Scope::Chat);
    let unchanged = result(&chat, "X", OutcomeKind::Unchanged);
    let stays = Handover::Stays;
    table
        .confirm(
            &chat,
            0,
            &order("X"),
            Named::with_values(SIZE),
            &size(7),
            &stays,
            &run("X"),
            &unchanged,
            NOW,
        )
        .await
        .unwrap();
    table.spent();
    table.declared_by(STACK, &lane(LANE)).await.unwrap();
    enter("what a stack owns in a lane");
    assert!(table.hand_over(&chat, 1, &Handover::Released, None).await.unwrap());
    enter("hand over, release");
    assert!(table.hand_over(&chat, 2, &Handover::Released, Some(&run("declared-2"))).await.unwrap());
    enter("hand over, counted");

    assert_eq!(
        spent,
        [
            "take: TransactWriteItems 11",
            "take, over an older one: TransactWriteItems 17",
            "read the declaration: GetItem 1",
            "read the answer: GetItem 1",
            "postpone: UpdateItem 3",
            "decide, succeeded: TransactWriteItems 8",
            "answered: UpdateItem 3",
            "take, refused: TransactWriteItems 7",
            "what a stack owns in a lane: Query 1",
            "hand over, release: UpdateItem 1",
            "hand over, counted: TransactWriteItems 6",
        ]
    );
}
