//! Several processes at once: one of them is first, and each of the others gets what is there.

use super::samples::{
    NOW, after, by_lanes, cancelled, counts, id, inline, intent, lane, next, order, run, succeeded, target,
};
use super::table::Table;
use connect_attachment_policy::ledger::{
    Halting, LaneEnded, Ledger, Recorded, Related, Relation, Seen, Started,
};
use futures_util::future::join_all;
use policy_core::policy::Scope;
use policy_core::record::{ChangeRecord, LaneState};
use policy_core::report::OutcomeKind;

/// How many processes take part.
const MANY: usize = 8;

/// As many processes on the same table.
fn processes(table: &Table) -> Vec<Ledger> {
    (0..MANY).map(|_| table.another()).collect()
}

fn first_of<T: PartialEq>(answers: &[T], first: &T) -> usize {
    answers.iter().filter(|answer| *answer == first).count()
}

#[tokio::test]
async fn one_process_records_an_id_and_the_others_get_its_record() {
    let table = Table::new().await;
    let records: Vec<_> =
        (0..MANY).map(|number| ChangeRecord { token: format!("token {number}"), ..inline("X") }).collect();
    let processes = processes(&table);
    let recorded = processes.iter().zip(&records).map(|(process, record)| process.record(record, NOW));
    let answers: Vec<_> = join_all(recorded).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(first_of(&answers, &Recorded::Stored), 1);
    let there = table.change(&id("X"), NOW).await.unwrap().unwrap();
    let others = answers.into_iter().filter(|answer| *answer != Recorded::Stored);
    assert!(others.into_iter().all(|answer| answer == Recorded::Exists(Box::new(there.clone()))));
}

#[tokio::test]
async fn one_update_of_a_target_begins() {
    let table = Table::new().await;
    let name = target(1, Scope::Chat);
    let intents: Vec<_> =
        (0..MANY).map(|number| intent(&format!("intent {number}"), &format!("X{number}"), NOW)).collect();
    let processes = processes(&table);
    let begun = processes.iter().zip(&intents).map(|(process, intent)| process.begin(&name, 0, intent, None));
    let answers: Vec<_> = join_all(begun).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(first_of(&answers, &Started::Now), 1);
    let there = table.target(&name).await;
    assert_eq!(there.rev, 1);
    for (answer, intent) in answers.into_iter().zip(intents) {
        match answer {
            Started::Now => assert_eq!(there.intent, Some(intent)),
            Started::Refused(refused) => assert_eq!(*refused, there),
        }
    }
}

#[tokio::test]
async fn every_lane_that_ends_at_the_same_time_is_counted() {
    let table = Table::new().await;
    table.record(&by_lanes("X", 8), NOW).await.unwrap();
    let lanes: Vec<_> =
        (0..MANY).map(|number| (lane(&format!("111122223333/eu-west-{number}")), None)).collect();
    table.plan_lanes(&run("X"), &order("X"), &lanes, NOW).await.unwrap();
    let (run, order, seen, applied) =
        (run("X"), order("X"), Seen::default(), counts(&[(OutcomeKind::Applied, 3)]));
    // each lane by two
    let processes = processes(&table);
    let ends = processes.iter().zip(&lanes).flat_map(|(process, (lane, _))| {
        [NOW, after(1)]
            .map(|now| process.end_lane(&run, lane, &order, &seen, LaneState::Done, &applied, None, now))
    });
    let answers: Vec<_> = join_all(ends).await.into_iter().map(Result::unwrap).collect();
    assert!(answers.iter().all(|answer| *answer == LaneEnded::Now), "{answers:?}");
    let change = table.change(&id("X"), NOW).await.unwrap().unwrap();
    assert_eq!((change.lanes_done, change.counts), (8, counts(&[(OutcomeKind::Applied, 24)])));
    for (lane, _) in &lanes {
        assert!(!table.has_work(lane).await.unwrap());
    }
}

#[tokio::test]
async fn of_an_undo_and_a_new_run_of_what_it_undoes_one_wins() {
    for undo_first in [true, false] {
        let table = Table::new().await;
        let old = succeeded("X");
        table.record(&old, NOW).await.unwrap();
        let (undo, new, of) = (inline("U"), next(&old), run("X"));
        let undone = table.relate(&undo, None, &of, Relation::UndoneBy, NOW);
        let again = table.next_run(&old, &new, after(10));
        let (undone, again) = if undo_first {
            tokio::join!(undone, again)
        } else {
            let (again, undone) = tokio::join!(again, undone);
            (undone, again)
        };
        let (undone, again) = (undone.unwrap(), again.unwrap());
        let there = table.change(&id("X"), NOW).await.unwrap().unwrap();
        match undone {
            Related::Stored => {
                assert_eq!(again, Recorded::Exists(Box::new(there.clone())));
                assert_eq!((there.run, there.relations.undone_by), (1, Some(id("U"))));
            }
            Related::Moved => assert_eq!((again, there), (Recorded::Stored, new)),
            Related::Exists(other) => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_run_is_halted_by_one_of_many() {
    let table = Table::new().await;
    table.record(&by_lanes("X", 1), NOW).await.unwrap();
    let run = run("X");
    let halts: Vec<_> = (0..8).map(|seconds| cancelled(after(seconds))).collect();
    let processes = processes(&table);
    let halting = processes.iter().zip(&halts).map(|(process, halt)| process.halt(&run, halt, halt.at));
    let answers: Vec<_> = join_all(halting).await.into_iter().map(Result::unwrap).collect();
    let there = table.change(&id("X"), NOW).await.unwrap().unwrap();
    assert_eq!(first_of(&answers, &Halting::Now(Box::new(there.clone()))), 1);
    assert_eq!(first_of(&answers, &Halting::Already(Box::new(there))), 7);
}
