use super::*;
use crate::queue::settings::DeadLetters;
use std::collections::BTreeMap;

const HOUR: Duration = Duration::from_hours(1);

fn at(seconds: u64) -> Now {
    Now {
        running: Duration::from_secs(seconds),
        epoch_ms: 1_000_000 + i64::try_from(seconds).unwrap() * 1000,
    }
}

fn store(name: &str) -> Store {
    Store::new(Settings::new(name), 0)
}

fn message(body: &str, group: &str) -> Message {
    Message {
        id: body.to_owned(),
        body: body.to_owned(),
        group: Some(group.to_owned()),
        deduplication_id: Some(body.to_owned()),
        sequence_number: None,
        attributes: BTreeMap::new(),
        trace_header: None,
        sender_id: "AIDA".to_owned(),
        sent_ms: 0,
        receives: 0,
        first_received_ms: None,
        dead_letter_source: None,
        in_flight: false,
    }
}

/// Sends messages such as `a1`, whose group is their letter, one a second from the first second on.
fn filled(bodies: &[&str]) -> Store {
    let mut store = store("q.fifo");
    for (body, second) in bodies.iter().zip(1..) {
        store.send(message(body, &body[..1]), Duration::ZERO, at(second));
    }
    store
}

fn bodies(received: &[Received]) -> Vec<&str> {
    received.iter().map(|received| received.message.body.as_str()).collect()
}

#[test]
fn a_group_comes_in_its_order_and_as_far_as_possible_in_one_receive() {
    let mut store = filled(&["a1", "b1", "a2", "c1", "a3"]);
    assert_eq!(bodies(&store.receive(4, HOUR, at(10))), ["a1", "a2", "a3", "b1"]);
    assert_eq!(bodies(&store.receive(4, HOUR, at(10))), ["c1"]);
    assert!(store.receive(4, HOUR, at(10)).is_empty());
}

#[test]
fn a_group_with_a_message_in_flight_waits_and_others_do_not() {
    let mut store = filled(&["a1", "a2", "b1"]);
    let first = store.receive(1, HOUR, at(10));
    assert_eq!(bodies(&first), ["a1"]);
    assert_eq!(bodies(&store.receive(10, HOUR, at(11))), ["b1"]);
    store.delete(&first[0].handle, at(12)).unwrap();
    assert_eq!(bodies(&store.receive(10, HOUR, at(13))), ["a2"]);
}

#[test]
fn what_comes_back_is_at_the_head_of_its_group_and_its_group_at_the_end_of_the_turn() {
    let mut store = filled(&["a1", "a2", "b1", "c1"]);
    let first = store.receive(1, HOUR, at(10));
    store.show_after(&first[0].handle, Duration::ZERO, at(11)).unwrap();
    assert_eq!(bodies(&store.receive(10, HOUR, at(12))), ["b1", "c1", "a1", "a2"]);
}

#[test]
fn part_of_a_batch_that_comes_back_keeps_the_rest_of_its_group_waiting() {
    let mut store = filled(&["a1", "a2", "a3"]);
    let batch = store.receive(2, HOUR, at(10));
    store.show_after(&batch[0].handle, Duration::ZERO, at(11)).unwrap();
    assert!(store.receive(10, HOUR, at(12)).is_empty(), "a2 is still in flight");
    store.show_after(&batch[1].handle, Duration::ZERO, at(13)).unwrap();
    assert_eq!(bodies(&store.receive(10, HOUR, at(14))), ["a1", "a2", "a3"]);
}

#[test]
fn a_message_returns_when_its_visibility_ends_and_counts_its_receives() {
    let mut store = filled(&["a1"]);
    let first = store.receive(1, Duration::from_secs(30), at(10));
    assert!(store.receive(1, HOUR, at(39)).is_empty());
    assert_eq!(store.due(at(39)), Some(Duration::from_secs(40)));
    let second = store.receive(1, HOUR, at(40));
    let seen = &second[0].message;
    assert_eq!((seen.receives, seen.first_received_ms), (2, Some(1_010_000)));
    assert_ne!(first[0].handle, second[0].handle);
}

#[test]
fn the_same_deduplication_id_is_the_first_message_for_five_minutes_even_after_its_end() {
    let mut store = filled(&["a1"]);
    let first = store.receive(1, HOUR, at(2)).remove(0);
    store.delete(&first.handle, at(2)).unwrap();
    let again = store.send(Message { id: "other".to_owned(), ..message("a1", "b") }, Duration::ZERO, at(300));
    assert_eq!((again.id, again.sequence_number), ("a1".to_owned(), first.message.sequence_number));
    assert!(store.messages(at(300)).is_empty());
    let new = store.send(Message { id: "other".to_owned(), ..message("a1", "b") }, Duration::ZERO, at(301));
    assert_eq!(new.id, "other");
    assert_eq!(store.messages(at(301)).len(), 1);
}

#[test]
fn a_standard_queue_knows_neither_groups_nor_repetitions() {
    let mut store = store("q");
    for _ in 0..2 {
        store.send(message("a1", "a"), Duration::ZERO, at(1));
    }
    assert_eq!(store.receive(1, HOUR, at(2)).len(), 1);
    let second = store.receive(1, HOUR, at(2)).remove(0);
    assert_eq!(second.message.sequence_number, None);
}

#[test]
fn a_delayed_message_is_counted_apart_and_comes_later() {
    let mut store = store("q");
    store.send(message("a1", "a"), Duration::from_secs(5), at(1));
    assert_eq!(store.counts(at(5)), (0, 0, 1));
    assert!(store.receive(1, HOUR, at(5)).is_empty());
    assert_eq!(store.receive(1, HOUR, at(6)).len(), 1);
    assert_eq!(store.counts(at(6)), (0, 1, 0));
}

#[test]
fn a_fifo_queue_refuses_a_handle_of_the_past_and_a_standard_one_ignores_it() {
    for (name, refused) in [("q.fifo", true), ("q", false)] {
        let mut store = store(name);
        store.send(message("a1", "a"), Duration::ZERO, at(1));
        let old = store.receive(1, Duration::from_secs(1), at(1)).remove(0).handle;
        let new = store.receive(1, HOUR, at(2)).remove(0).handle;
        let outcome = store.delete(&old, at(3)).map_err(|refusal| refusal.code);
        assert_eq!(outcome, if refused { Err("InvalidParameterValue") } else { Ok(()) }, "{name}");
        assert_eq!(store.messages(at(3)).len(), 1);
        store.delete(&new, at(3)).unwrap();
        store.delete(&new, at(3)).unwrap();
        assert!(store.messages(at(3)).is_empty());
    }
}

#[test]
fn only_what_is_in_flight_changes_its_visibility_and_for_twelve_hours_at_most() {
    let mut store = filled(&["a1"]);
    let handle = store.receive(1, Duration::from_secs(30), at(10)).remove(0).handle;
    let refusal = store.show_after(&handle, 12 * HOUR, at(11)).unwrap_err();
    assert_eq!(refusal.code, "InvalidParameterValue");
    store.show_after(&handle, Duration::from_secs(100), at(11)).unwrap();
    assert!(store.receive(1, HOUR, at(110)).is_empty());
    let refusal = store.show_after(&handle, HOUR, at(111)).unwrap_err();
    assert_eq!(refusal.code, "AWS.SimpleQueueService.MessageNotInflight");
}

#[test]
fn a_message_that_was_received_often_enough_is_dead_and_frees_its_group() {
    let mut store = filled(&["a1", "a2"]);
    store.settings.dead_letters = Some(DeadLetters { queue: "dead.fifo".to_owned(), max_receives: 2 });
    for second in [10, 20] {
        assert!(store.dead(at(second)).is_empty());
        assert_eq!(bodies(&store.receive(1, Duration::from_secs(10), at(second))), ["a1"]);
    }
    assert!(store.dead(at(29)).is_empty(), "in flight");
    let dead = store.dead(at(30));
    assert_eq!(dead.len(), 1);
    assert_eq!((dead[0].id.as_str(), dead[0].receives), ("a1", 2));
    assert_eq!(dead[0].dead_letter_source.as_deref(), Some("arn:aws:sqs:us-east-1:111122223333:q.fifo"));
    assert_eq!(bodies(&store.receive(1, HOUR, at(30))), ["a2"]);
}

#[test]
fn what_is_too_old_is_gone_and_a_purge_takes_the_rest_once_a_minute() {
    let mut store = filled(&["a1", "a2"]);
    store.settings.retention = Duration::from_mins(1);
    store.expire(at(61));
    assert_eq!(store.messages(at(61)).len(), 1);
    store.purge(at(61)).unwrap();
    assert!(store.messages(at(61)).is_empty());
    assert_eq!(store.purge(at(120)).unwrap_err().name, "PurgeQueueInProgress");
    store.purge(at(121)).unwrap();
}
