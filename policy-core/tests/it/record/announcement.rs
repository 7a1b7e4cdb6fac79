//! The event about a run: what fits in it, what is left out, when it is put again.

use super::{NOW, at, change, id, part, recorded, target};
use policy_core::policy::Scope;
use policy_core::record::{
    Announcement, ChangeRecord, Counts, LanePart, LaneState, MAX_DETAIL, RecordStatus, RecordedError,
    RecordedResult, Standing, Untouched, announce_again, is_announcement,
};
use policy_core::report::OutcomeKind;
use serde_json::{Value, json};
use std::time::Duration;

fn ended(counts: &[(OutcomeKind, u32)]) -> ChangeRecord {
    let counts = Counts { outcomes: counts.iter().copied().collect(), retry: 0 };
    ChangeRecord { status: RecordStatus::Partial, finished: Some(NOW), counts, ..change() }
}

fn failed(message: &str) -> RecordedResult {
    let error = RecordedError { code: "Failed".to_owned(), message: message.to_owned(), retryable: false };
    RecordedResult { error: Some(error), ..recorded(OutcomeKind::Failed) }
}

fn detail(event: &Announcement<'_>) -> Value {
    serde_json::from_str(&event.encode().unwrap()).unwrap()
}

#[test]
fn only_outcomes_that_are_not_as_asked_and_that_there_are_have_their_targets_in_the_event() {
    let change = ended(&[
        (OutcomeKind::Applied, 5),
        (OutcomeKind::Unchanged, 1),
        (OutcomeKind::Failed, 1),
        (OutcomeKind::Skipped, 2),
    ]);
    let event = Announcement::of(&change, &[]).unwrap();
    let mut outcomes: Vec<_> = event.outcomes().map(OutcomeKind::name).collect();
    outcomes.sort_unstable();
    assert_eq!(outcomes, ["failed", "skipped"]);
}

#[test]
fn as_many_targets_are_named_as_fit_and_not_one_byte_more() {
    let change = ended(&[(OutcomeKind::Failed, 1_000)]);
    let mut event = Announcement::of(&change, &[]).unwrap();
    let long = failed(&"x".repeat(1_000));
    let mut added = 0;
    while event.add(&long).unwrap() {
        added += 1;
    }
    let text = event.encode().unwrap();
    let each = (text.len() - Announcement::of(&change, &[]).unwrap().encode().unwrap().len()) / added;
    assert!(text.len() <= MAX_DETAIL && text.len() + each > MAX_DETAIL, "{} {each}", text.len());
    assert_eq!(
        (detail(&event)["results"].as_array().unwrap().len(), &detail(&event)["truncated"]),
        (added, &json!(true))
    );
    // what is smaller would fit, but then nobody could say where the list ends
    assert!(!event.add(&failed("")).unwrap());
    // to the byte
    let mut exact = Announcement::of(&change, &[]).unwrap();
    assert!(exact.add(&failed("")).unwrap());
    let room = MAX_DETAIL - exact.encode().unwrap().len();
    let empty = {
        let mut two = Announcement::of(&change, &[]).unwrap();
        two.add(&failed("")).unwrap();
        let one = two.encode().unwrap().len();
        two.add(&failed("")).unwrap();
        two.encode().unwrap().len() - one
    };
    assert!(exact.add(&failed(&"x".repeat(room - empty - 1))).unwrap());
    assert!(exact.encode().unwrap().len() <= MAX_DETAIL);
    assert_eq!(detail(&exact)["truncated"], false);
}

#[test]
fn a_target_that_was_not_begun_is_named_with_its_standing_and_a_list_that_was_cut_says_so() {
    let change = ended(&[(OutcomeKind::Pending, 1)]);
    let lane = LanePart { state: LaneState::Parked, ..part("us-east-1") };
    let mut event = Announcement::of(&change, std::slice::from_ref(&lane)).unwrap();
    let standing = Standing::in_lane(&change, Some(&lane));
    let untouched = Untouched { target: target(Scope::Chat), change_id: id("CHG-1"), standing };
    assert!(event.add_untouched(&untouched).unwrap());
    let result = &detail(&event)["results"][0];
    assert_eq!((&result["outcome"], &result["error"]["code"]), (&json!("pending"), &json!("LaneParked")));
    event.cut();
    assert_eq!(detail(&event)["truncated"], true);
    assert!(!event.add_untouched(&untouched).unwrap());
}

#[test]
fn reasons_are_the_parked_lanes_with_their_last_errors_and_at_most_twenty() {
    let error =
        RecordedError { code: "AccessDenied".to_owned(), message: "no role".to_owned(), retryable: true };
    let parked = LanePart { state: LaneState::Parked, error: Some(error.clone()), ..part("us-east-1") };
    let done = LanePart { state: LaneState::Done, error: Some(error), ..part("us-west-2") };
    let change = ended(&[(OutcomeKind::Pending, 1)]);
    let lanes = [parked.clone(), done];
    let reasons = detail(&Announcement::of(&change, &lanes).unwrap())["reasons"].clone();
    let [reason] = &reasons.as_array().unwrap()[..] else { panic!("{reasons}") };
    assert_eq!((&reason["lane"], &reason["code"]), (&json!("111122223333/us-east-1"), &json!("LaneParked")));
    assert!(reason["message"].as_str().unwrap().ends_with("; AccessDenied: no role"), "{reason}");
    let many = vec![parked; 25];
    let event = Announcement::of(&change, &many).unwrap();
    assert_eq!(detail(&event)["reasons"].as_array().unwrap().len(), 20);
    // nothing to say: no list
    assert_eq!(detail(&Announcement::of(&change, &[]).unwrap()).get("reasons"), None);
}

#[test]
fn an_event_is_put_again_later_each_time_but_within_the_hour() {
    let owed_for = |seconds: i64| {
        let change = ChangeRecord { finished: Some(at(-seconds)), ..ended(&[]) };
        announce_again(&change, NOW)
    };
    for (seconds, later) in [(0, 60), (59, 60), (61, 61), (600, 600), (3_600, 3_600), (86_400, 3_600)] {
        assert_eq!(owed_for(seconds), NOW.plus(Duration::from_secs(later)), "{seconds}");
    }
}

#[test]
fn a_document_is_an_announcement_only_if_it_has_the_marks_of_one() {
    let event = detail(&Announcement::of(&ended(&[]), &[]).unwrap());
    assert!(is_announcement(&event.to_string()));
    for mark in ["run", "status", "summary", "submittedAt"] {
        let mut other = event.clone();
        other.as_object_mut().unwrap().remove(mark);
        assert!(!is_announcement(&other.to_string()), "{mark}");
    }
    for other in ["", "[]", "null", "\"run\"", "{\"changeId\": \"CHG-1\"}", "{"] {
        assert!(!is_announcement(other), "{other}");
    }
}
