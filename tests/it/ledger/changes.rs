//! Recording changes, their runs and their plans.

use super::samples::{NOW, after, by_lanes, id, inline, next, rejected, run, succeeded};
use super::table::{RETENTION, Table};
use connect_attachment_policy::ledger::{LedgerError, Recorded, Related, Relation};
use policy_core::policy::ChangeId;
use policy_core::record::{ChangeRecord, Millis, PlanRef, RecordStatus, Relations, RunKey};
use std::collections::BTreeSet;

/// The same record, as it is read once it is final.
fn read(record: ChangeRecord) -> ChangeRecord {
    let expires = record.key.0.plus(RETENTION);
    let is_final = record.status.is_final();
    ChangeRecord { expires: is_final.then(|| Millis(expires.0.div_ceil(1_000) * 1_000)), ..record }
}

fn exists(recorded: Recorded) -> ChangeRecord {
    match recorded {
        Recorded::Exists(there) => *there,
        Recorded::Stored => panic!("it was stored"),
    }
}

#[tokio::test]
async fn what_is_recorded_is_read() {
    let table = Table::new().await;
    let full = ChangeRecord {
        relations: Relations {
            undoes: Some(id("A")),
            undone_by: Some(id("B")),
            applies: Some(id("C")),
            applied_by: Some(id("D")),
        },
        replays: BTreeSet::from(["one".to_owned(), "two".to_owned()]),
        plan: PlanRef::Parts { name: "b".repeat(64), count: 3 },
        stop_after: Some(5),
        failures: 2,
        plan_hash: Some("c".repeat(64)),
        is_batch: true,
        dry_run: true,
        ..by_lanes("full", 7)
    };
    for record in [inline("inline"), by_lanes("lanes", 2), rejected("rejected"), full] {
        assert_eq!(table.record(&record, NOW).await.unwrap(), Recorded::Stored);
        assert_eq!(table.change(&record.change_id, NOW).await.unwrap(), Some(read(record)));
    }
    assert_eq!(table.change(&id("unknown"), NOW).await.unwrap(), None);
}

#[tokio::test]
async fn an_id_is_free_where_it_is_unused_or_expired() {
    let table = Table::new().await;
    let first = inline("X");
    let second = ChangeRecord { token: "another".to_owned(), ..by_lanes("X", 1) };
    assert_eq!(table.record(&first, NOW).await.unwrap(), Recorded::Stored);
    assert_eq!(exists(table.record(&second, NOW).await.unwrap()), first);

    let refused = rejected("Y");
    let better = ChangeRecord { token: "another".to_owned(), ..inline("Y") };
    assert_eq!(table.record(&refused, NOW).await.unwrap(), Recorded::Stored);
    // what was rejected had its event: the better document is the next run
    assert_eq!(exists(table.record(&better, NOW).await.unwrap()), read(refused));

    let over = succeeded("Z");
    let anew = ChangeRecord { token: "another".to_owned(), ..inline("Z") };
    let expires = NOW.plus(RETENTION);
    assert_eq!(table.record(&over, NOW).await.unwrap(), Recorded::Stored);
    let a_moment_before = Millis(expires.0 - 1);
    assert_eq!(exists(table.record(&anew, a_moment_before).await.unwrap()), read(over.clone()));
    assert_eq!(table.change(&id("Z"), a_moment_before).await.unwrap(), Some(read(over)));
    assert_eq!(table.change(&id("Z"), expires).await.unwrap(), None);
    assert_eq!(table.record(&anew, expires).await.unwrap(), Recorded::Stored);
    assert_eq!(table.change(&id("Z"), expires).await.unwrap(), Some(anew));
}

#[tokio::test]
async fn an_earlier_try_of_the_same_write_is_success() {
    let table = Table::new().await;
    let first = inline("X");
    for _ in 0..2 {
        assert_eq!(table.record(&first, NOW).await.unwrap(), Recorded::Stored);
    }
    // what happened in between is not overwritten
    assert!(table.release(&run("X"), "mine", after(5)).await.unwrap());
    assert_eq!(table.record(&first, NOW).await.unwrap(), Recorded::Stored);
    assert_eq!(table.change(&id("X"), NOW).await.unwrap().unwrap().holder, None);

    let old = succeeded("Y");
    let new = next(&old);
    table.record(&old, NOW).await.unwrap();
    for _ in 0..2 {
        assert_eq!(table.next_run(&old, &new, after(10)).await.unwrap(), Recorded::Stored);
    }
    // on another connection, without the transaction's own token
    let late = ChangeRecord { reason: None, ..new.clone() };
    assert_eq!(table.next_run(&old, &late, after(10)).await.unwrap(), Recorded::Stored);
    assert_eq!(table.change(&id("Y"), NOW).await.unwrap(), Some(new));
}

#[tokio::test]
async fn the_next_run_moves_the_one_before_aside() {
    let table = Table::new().await;
    let old = succeeded("X");
    let new = next(&old);
    table.record(&old, NOW).await.unwrap();
    assert_eq!(table.next_run(&old, &new, after(10)).await.unwrap(), Recorded::Stored);
    assert_eq!(table.change(&id("X"), after(10)).await.unwrap(), Some(new));
    assert_eq!(table.earlier_run(&id("X"), 1, after(10)).await.unwrap(), Some(read(old)));
    assert_eq!(table.earlier_run(&id("X"), 1, NOW.plus(RETENTION)).await.unwrap(), None);
    assert_eq!(table.earlier_run(&id("X"), 2, after(10)).await.unwrap(), None);
    // nobody lists it, and nobody comes back to it
    let earlier = table.item("change#X", "run#000001");
    assert!(earlier.get("list").is_none() && earlier.get("owed").is_none());
    assert_eq!(earlier["status"]["S"], "succeeded");
}

#[tokio::test]
async fn the_next_run_starts_only_from_what_was_seen() {
    let running = inline("running");
    let other_run = ChangeRecord { run: 2, ..succeeded("other-run") };
    let other_key = ChangeRecord { key: RunKey(after(1)), ..succeeded("other-key") };
    let undone = |mut record: ChangeRecord| {
        record.relations.undone_by = Some(id("U"));
        record
    };
    let applied = |mut record: ChangeRecord| {
        record.relations.applied_by = Some(id("U"));
        record
    };
    let owing = ChangeRecord { announce: true, ..succeeded("owing") };
    for (there, seen) in [
        (running.clone(), ChangeRecord { status: RecordStatus::Failed, ..running }),
        (other_run.clone(), ChangeRecord { run: 1, ..other_run }),
        (other_key.clone(), ChangeRecord { key: RunKey(NOW), ..other_key }),
        (undone(succeeded("undone")), succeeded("undone")),
        (succeeded("not-undone"), undone(succeeded("not-undone"))),
        (applied(succeeded("applied")), succeeded("applied")),
        (owing.clone(), ChangeRecord { announce: false, ..owing }),
    ] {
        let table = Table::new().await;
        table.record(&there, NOW).await.unwrap();
        let recorded = table.next_run(&seen, &next(&seen), after(10)).await.unwrap();
        assert_eq!(exists(recorded), read(there.clone()));
        assert_eq!(table.sort_keys(&format!("change#{}", there.change_id)), ["change"]);
    }
}

#[tokio::test]
async fn a_run_that_follows_does_not_expire_before_it_is_final() {
    let table = Table::new().await;
    let old = succeeded("X");
    table.record(&old, NOW).await.unwrap();
    let seconds = |item: &serde_json::Value| item["ttl"]["N"].as_str().map(str::to_owned);
    let expires = (NOW.0 / 1_000 + 400 * 86_400).to_string();
    assert_eq!(seconds(&table.item("change#X", "change")), Some(expires.clone()));
    table.next_run(&old, &next(&old), after(10)).await.unwrap();
    assert_eq!(seconds(&table.item("change#X", "change")), None);
    assert_eq!(seconds(&table.item("change#X", "run#000001")), Some(expires));
}

#[tokio::test]
async fn a_plan_is_read_as_it_was_cut_and_expires_after_its_change() {
    let table = Table::new().await;
    let id: ChangeId = id("X");
    table.put_parts(&id, "name", &["one ", "two ", "three"], RunKey(NOW)).await.unwrap();
    table.put_parts(&id, "names", &["another"], RunKey(NOW)).await.unwrap();
    assert_eq!(table.parts(&id, "name").await.unwrap(), "one two three");
    assert_eq!(table.parts(&id, "names").await.unwrap(), "another");
    let part = table.item("change#X", "part#name#001");
    assert_eq!(part["ttl"]["N"], (NOW.0 / 1_000 + 407 * 86_400).to_string());
    // a later run moves the expiry
    table.put_parts(&id, "name", &["one ", "two ", "three"], RunKey(after(60))).await.unwrap();
    let part = table.item("change#X", "part#name#001");
    assert_eq!(part["ttl"]["N"], (NOW.0 / 1_000 + 60 + 407 * 86_400).to_string());
}

#[tokio::test]
async fn a_plan_that_lacks_a_part_is_none() {
    let table = Table::new().await;
    let id = id("X");
    let missing = table.parts(&id, "name").await.unwrap_err();
    assert_eq!(missing.to_string(), "the ledger's item `change#X part#name#000` is not there");
    assert!(matches!(missing, LedgerError::Corrupt { .. }));
    table.put_parts(&id, "name", &["one", "two"], RunKey(NOW)).await.unwrap();
    // a run that had three of that name, two of which are left
    table.put_parts(&id, "name", &["one"], RunKey(NOW)).await.unwrap();
    let torn = table.parts(&id, "name").await.unwrap_err();
    assert_eq!(
        torn.to_string(),
        "the ledger's item `change#X part#name#000` has another number than 2 as its `of`"
    );
}

#[tokio::test]
async fn a_change_that_undoes_another_is_noted_there() {
    for (relation, attribute) in [(Relation::UndoneBy, "undone_by"), (Relation::AppliedBy, "applied_by")] {
        let table = Table::new().await;
        table.record(&succeeded("X"), NOW).await.unwrap();
        let undo = inline("U");
        for _ in 0..2 {
            let related = table.relate(&undo, None, &run("X"), relation, NOW).await.unwrap();
            assert_eq!(related, Related::Stored);
        }
        assert_eq!(table.item("change#X", "change")[attribute]["S"], "U");
        assert_eq!(table.change(&id("U"), NOW).await.unwrap(), Some(undo));
        // the same id from somebody else
        let other = ChangeRecord { token: "another".to_owned(), ..inline("U") };
        let related = table.relate(&other, None, &run("X"), relation, NOW).await.unwrap();
        assert_eq!(related, Related::Exists(Box::new(inline("U"))));
    }
}

#[tokio::test]
async fn a_change_that_goes_on_cannot_be_undone_nor_one_at_another_run() {
    let table = Table::new().await;
    table.record(&inline("running"), NOW).await.unwrap();
    table.record(&ChangeRecord { key: RunKey(after(1)), ..succeeded("later") }, NOW).await.unwrap();
    for of in ["running", "later", "unknown"] {
        let related = table.relate(&inline("U"), None, &run(of), Relation::UndoneBy, NOW).await.unwrap();
        assert_eq!(related, Related::Moved, "{of}");
    }
    assert_eq!(table.change(&id("U"), NOW).await.unwrap(), None);
}
