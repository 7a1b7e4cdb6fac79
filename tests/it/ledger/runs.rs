//! A run from its start to its end: each condition both ways.

use super::samples::{LANE, delivery};
use super::samples::{NOW, after, by_lanes, counts, holder, id, inline, lane, next, order, run, succeeded};
use super::table::{RETENTION, Table};
use connect_attachment_policy::ledger::{Finished, LaneEnded, LedgerError, Seen};
use policy_core::record::{ChangeRecord, Counts, LaneState, Millis, Mode, PlanRef, RecordStatus, RunKey};
use policy_core::report::OutcomeKind;

impl Table {
    /// The change as it is.
    pub(super) async fn there(&self, text: &str) -> ChangeRecord {
        self.change(&id(text), NOW).await.unwrap().unwrap()
    }

    /// What somebody has to come back to, and when: both or neither.
    pub(super) fn due(&self, text: &str) -> Option<(String, u64)> {
        let item = self.item(&format!("change#{text}"), "change");
        assert_eq!(item.get("due").is_some(), item.get("owed").is_some(), "{item}");
        let due = item["due"]["N"].as_str()?.parse().unwrap();
        Some((item["owed"]["S"].as_str()?.to_owned(), due))
    }

    pub(super) async fn end(
        &self,
        text: &str,
        seen: Option<&str>,
        status: RecordStatus,
        counts: &Counts,
        announce: bool,
    ) -> Finished {
        let seen = seen.map(holder);
        self.finish(&run(text), seen.as_ref(), status, counts, 3, Some("hash"), announce, after(30))
            .await
            .unwrap()
    }
}

pub(super) fn now(finished: Finished) -> ChangeRecord {
    match finished {
        Finished::Now(ended) => *ended,
        Finished::Already(there) => panic!("it was not: {there:?}"),
    }
}

pub(super) fn not_now(finished: Finished) -> ChangeRecord {
    match finished {
        Finished::Already(there) => *there,
        Finished::Now(_) => panic!("it was made final"),
    }
}

#[tokio::test]
async fn somebody_comes_back_to_a_run_that_may_be_left() {
    let table = Table::new().await;
    for (record, due) in [
        (inline("inline"), Some(after(93))),
        (by_lanes("lanes", 1), Some(after(60))),
        (ChangeRecord { holder: None, ..inline("left") }, Some(after(60))),
        (succeeded("over"), None),
        (ChangeRecord { announce: true, ..succeeded("owing") }, Some(after(60))),
    ] {
        table.record(&record, NOW).await.unwrap();
        let there = table.due(record.change_id.as_str());
        assert_eq!(there.as_ref().map(|(_, due)| *due), due.map(|due| due.0), "{}", record.change_id);
        assert!(there.is_none_or(|(owed, _)| owed.starts_with("sweep#")));
    }
}

#[tokio::test]
async fn a_run_by_lanes_starts_once() {
    let table = Table::new().await;
    table.record(&by_lanes("X", 1), NOW).await.unwrap();
    table.started(&run("X"), after(5)).await.unwrap();
    table.started(&run("X"), after(9)).await.unwrap();
    let there = table.there("X").await;
    assert_eq!((there.status, there.started), (RecordStatus::Running, Some(after(5))));

    table.record(&ChangeRecord { key: RunKey(after(1)), ..by_lanes("Y", 1) }, NOW).await.unwrap();
    table.started(&run("Y"), after(5)).await.unwrap();
    assert_eq!(table.there("Y").await.status, RecordStatus::Accepted);
}

#[tokio::test]
async fn what_is_sent_is_marked_unless_the_run_is_over() {
    let table = Table::new().await;
    table.record(&by_lanes("X", 1), NOW).await.unwrap();
    table.mark_sent(&run("X"), after(300)).await.unwrap();
    assert!(table.there("X").await.sent);
    assert_eq!(table.due("X").unwrap().1, after(300).0);

    table.record(&succeeded("Y"), NOW).await.unwrap();
    table.mark_sent(&run("Y"), after(300)).await.unwrap();
    assert!(!table.there("Y").await.sent);
    assert_eq!(table.due("Y"), None);
}

#[tokio::test]
async fn an_inline_run_becomes_one_by_lanes_in_its_holders_hands_only() {
    let table = Table::new().await;
    let plan = PlanRef::Parts { name: "d".repeat(64), count: 2 };
    table.record(&inline("X"), NOW).await.unwrap();
    assert!(!table.convert(&run("X"), "other", &plan, 2, 9, after(5)).await.unwrap());
    assert_eq!(table.there("X").await, inline("X"));
    for _ in 0..2 {
        assert!(table.convert(&run("X"), "mine", &plan, 2, 9, after(5)).await.unwrap());
    }
    let expected = ChangeRecord {
        mode: Mode::Lanes,
        status: RecordStatus::Accepted,
        plan: plan.clone(),
        lanes: 2,
        targets: 9,
        holder: None,
        ..inline("X")
    };
    assert_eq!(table.there("X").await, expected);
    assert_eq!(table.due("X").unwrap().1, after(65).0);
    assert!(table.item("change#X", "change").get("plan").is_none(), "the plan is in its parts");

    table.record(&succeeded("Y"), NOW).await.unwrap();
    assert!(!table.convert(&run("Y"), "mine", &plan, 2, 9, after(5)).await.unwrap());
    let gone = table.convert(&run("Z"), "mine", &plan, 2, 9, after(5)).await.unwrap_err();
    assert_eq!(gone.to_string(), "the ledger's item `change#Z change` is not there");
    assert!(matches!(gone, LedgerError::Corrupt { .. }));
}

#[tokio::test]
async fn a_dead_holders_run_is_taken_over_once() {
    let table = Table::new().await;
    table.record(&inline("X"), NOW).await.unwrap();
    let (dead, mine, other) = (holder("mine"), holder("new"), holder("other"));
    assert!(!table.take_over(&run("X"), None, &mine).await.unwrap());
    for _ in 0..2 {
        assert!(table.take_over(&run("X"), Some(&dead), &mine).await.unwrap());
    }
    assert!(!table.take_over(&run("X"), Some(&dead), &other).await.unwrap());
    assert_eq!(table.there("X").await.holder, Some(mine));

    table.record(&ChangeRecord { holder: None, ..inline("Y") }, NOW).await.unwrap();
    assert!(table.take_over(&run("Y"), None, &other).await.unwrap());
    assert_eq!(table.due("Y").unwrap().1, other.until.0);
    table.record(&succeeded("Z"), NOW).await.unwrap();
    assert!(!table.take_over(&run("Z"), None, &other).await.unwrap());
}

#[tokio::test]
async fn a_holder_leaves_only_its_own_run() {
    let table = Table::new().await;
    table.record(&inline("X"), NOW).await.unwrap();
    assert!(!table.release(&run("X"), "other", after(61)).await.unwrap());
    assert_eq!(table.there("X").await.holder, Some(holder("mine")));
    for _ in 0..2 {
        assert!(table.release(&run("X"), "mine", after(61)).await.unwrap());
    }
    assert_eq!(table.there("X").await.holder, None);
    assert_eq!(table.due("X").unwrap().1, after(61).0);
    table.record(&succeeded("Y"), NOW).await.unwrap();
    assert!(!table.release(&run("Y"), "mine", after(61)).await.unwrap());
}

#[tokio::test]
async fn only_what_is_owed_is_postponed() {
    let table = Table::new().await;
    table.record(&inline("X"), NOW).await.unwrap();
    table.postpone(&run("X"), after(600)).await.unwrap();
    assert_eq!(table.due("X").unwrap().1, after(600).0);
    table.record(&succeeded("Y"), NOW).await.unwrap();
    table.postpone(&run("Y"), after(600)).await.unwrap();
    assert_eq!(table.due("Y"), None);
}

#[tokio::test]
async fn an_inline_run_ends_as_its_holder_says() {
    let table = Table::new().await;
    table.record(&inline("X"), NOW).await.unwrap();
    let ended = counts(&[(OutcomeKind::Applied, 2), (OutcomeKind::Blocked, 1)]);
    for seen in [None, Some("other")] {
        let there = not_now(table.end("X", seen, RecordStatus::Partial, &ended, false).await);
        assert_eq!(there, inline("X"));
    }
    let there = now(table.end("X", Some("mine"), RecordStatus::Partial, &ended, false).await);
    let expected = ChangeRecord {
        status: RecordStatus::Partial,
        finished: Some(after(30)),
        holder: None,
        targets: 3,
        counts: ended.clone(),
        plan_hash: Some("hash".to_owned()),
        expires: Some(NOW.plus(RETENTION)),
        ..inline("X")
    };
    assert_eq!((&there, &table.there("X").await), (&expected, &expected));
    assert_eq!(table.due("X"), None);
    // a second time, and where nobody holds it
    assert_eq!(not_now(table.end("X", Some("mine"), RecordStatus::Failed, &ended, false).await), expected);
    table.record(&ChangeRecord { holder: None, ..inline("Y") }, NOW).await.unwrap();
    now(table.end("Y", None, RecordStatus::Incomplete, &ended, false).await);
}

#[tokio::test]
async fn a_run_by_lanes_ends_once_all_its_lanes_have() {
    let table = Table::new().await;
    table.record(&by_lanes("X", 1), NOW).await.unwrap();
    let none = Counts::default();
    for _ in 0..2 {
        let open = not_now(table.end("X", None, RecordStatus::Succeeded, &none, false).await);
        assert_eq!(open.lanes_done, 0);
        table.started(&run("X"), NOW).await.unwrap();
    }
    // nobody holds such a run as a whole
    assert!(!table.take_over(&run("X"), None, &holder("new")).await.unwrap());
    let lane = lane(LANE);
    table.plan_lanes(&run("X"), &order("X"), &[(lane.clone(), None)], NOW).await.unwrap();
    table.begin_delivery(&run("X"), &lane, &delivery("d"), NOW).await.unwrap();
    let seen = Seen { delivery: Some("d".to_owned()), stalled: None };
    let ended = counts(&[(OutcomeKind::Applied, 3)]);
    let end = table.ends_lane("X", &lane, &seen, LaneState::Done, &ended);
    assert_eq!(end.await.unwrap(), LaneEnded::Now);
    let there = table.there("X").await;
    assert_eq!((there.lanes_done, &there.counts), (1, &ended));
    let finished = table.end("X", None, RecordStatus::Succeeded, &there.counts, false).await;
    assert_eq!(now(finished).status, RecordStatus::Succeeded);
}

#[tokio::test]
async fn a_run_at_another_key_is_not_ended() {
    let table = Table::new().await;
    let later = ChangeRecord { key: RunKey(after(1)), ..inline("X") };
    table.record(&later, NOW).await.unwrap();
    let there = not_now(table.end("X", Some("mine"), RecordStatus::Failed, &Counts::default(), false).await);
    assert_eq!(there, later);
}

#[tokio::test]
async fn an_event_is_owed_until_it_is_announced() {
    let table = Table::new().await;
    table.record(&inline("X"), NOW).await.unwrap();
    let none = Counts::default();
    assert!(now(table.end("X", Some("mine"), RecordStatus::Failed, &none, true).await).announce);
    assert_eq!(table.due("X").unwrap().1, after(90).0);
    for _ in 0..2 {
        table.announced(&inline("X")).await.unwrap();
        assert!(!table.there("X").await.announce);
        assert_eq!(table.due("X"), None);
    }
    // a run that goes on owes none, and keeps its time
    table.record(&inline("Y"), NOW).await.unwrap();
    table.announced(&inline("Y")).await.unwrap();
    table.announce_at(&inline("Y"), after(99)).await.unwrap();
    assert_eq!(table.due("Y").unwrap().1, after(93).0);
}

/// The next run takes the record's place, not the debt of the run before.
#[tokio::test]
async fn a_run_that_was_moved_aside_takes_its_event_with_it() {
    let table = Table::new().await;
    let owing = ChangeRecord { announce: true, ..succeeded("X") };
    table.record(&owing, NOW).await.unwrap();
    table.next_run(&owing, &ChangeRecord { announce: true, ..next(&owing) }, after(10)).await.unwrap();
    let owed = |now| {
        let table = &table;
        async move {
            let owed = table.owed(now).await.unwrap().changes.into_iter().filter(|owed| owed.is_due);
            owed.map(|owed| (owed.change_id.to_string(), owed.run)).collect::<Vec<_>>()
        }
    };
    assert_eq!(owed(after(69)).await, []);
    assert_eq!(owed(after(70)).await, [("X".to_owned(), Some(1))]);
    let earlier = table.earlier_run(&id("X"), 1, NOW).await.unwrap().unwrap();
    assert!(earlier.announce);
    table.announce_at(&earlier, after(80)).await.unwrap();
    assert_eq!(owed(after(79)).await, []);
    // of that run, by its key, even for who read it before it was moved
    table.announced(&owing).await.unwrap();
    assert!(!table.earlier_run(&id("X"), 1, NOW).await.unwrap().unwrap().announce);
    assert_eq!(owed(after(80)).await, []);
    assert!(table.there("X").await.announce);
}

#[tokio::test]
async fn an_expiry_is_in_whole_seconds_and_never_early() {
    let table = Table::new().await;
    let odd = ChangeRecord { key: RunKey(Millis(NOW.0 + 1)), ..succeeded("X") };
    table.record(&odd, NOW).await.unwrap();
    assert_eq!(table.there("X").await.expires, Some(after(1).plus(RETENTION)));
}

/// Whoever waited for its end can read it, also where it was frozen for longer than records are kept.
#[tokio::test]
async fn a_run_that_ends_after_its_expiry_is_kept_for_seven_more_days() {
    let table = Table::new().await;
    let (ended, none, seen) = (RecordStatus::Succeeded, Counts::default(), holder("mine"));
    let late = Millis(NOW.0 + 86_400_000 * 500);
    for (text, at, days) in [("X", after(9), 400), ("Y", late, 507)] {
        table.record(&inline(text), NOW).await.unwrap();
        now(table.finish(&run(text), Some(&seen), ended, &none, 0, None, false, at).await.unwrap());
        let item = table.item(&format!("change#{text}"), "change");
        assert_eq!(item["ttl"]["N"], (NOW.0 / 1_000 + days * 86_400).to_string(), "{text}");
    }
}
