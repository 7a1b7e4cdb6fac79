//! Throttling, failures and lost answers: what is reported, what is on record, what Connect holds.

use crate::world::{ONE, World, chat, outcomes};
use sandbox::connect::{Connect, Fault, Operation, Options, Scope};
use serde_json::{Value, json};
use std::time::Duration;

const UPDATE: Operation = Operation::UpdateAttachedFilesConfiguration;
const DESCRIBE: Operation = Operation::DescribeAttachedFilesConfiguration;
const ASKED: i64 = 10_485_760;

fn holds_what_was_asked(world: &World) -> bool {
    world.connect.configuration(ONE, Scope::Chat).unwrap().maximum_size_limit_in_bytes == ASKED
}

fn error(report: &Value) -> (String, bool) {
    let error = &report["results"][0]["error"];
    (error["code"].as_str().unwrap().to_owned(), error["retryable"].as_bool().unwrap())
}

/// What gets through after faults that pass, by the SDK's retries.
#[tokio::test]
async fn faults_that_pass_are_retried() {
    for faults in [
        vec![Fault::Throttle, Fault::Throttle],
        vec![Fault::UntypedThrottle],
        vec![Fault::TooManyRequests],
        vec![Fault::InternalError],
        vec![Fault::Unavailable { retry_after_ms: Some(20) }],
        vec![Fault::ResetBefore],
        vec![Fault::ResetAfter],
    ] {
        let world = World::new().await;
        world.connect.script(UPDATE, faults.iter().copied().map(Some));
        let report = world.report(&chat(ONE, &json!({}))).await;
        assert_eq!(outcomes(&report), ["applied"], "{faults:?}");
        assert_eq!(report["results"][0]["attempts"], faults.len() + 1, "{faults:?}");
        assert_eq!(world.updates(), faults.len() + 1, "{faults:?}");
        assert_eq!(world.audited(), ["intent", "outcome applied"], "{faults:?}");
        assert!(holds_what_was_asked(&world), "{faults:?}");
        let throttled = world.audit()[1]["unmapped"]["throttledCalls"].clone();
        let expected = faults
            .iter()
            .filter(|f| matches!(f, Fault::Throttle | Fault::UntypedThrottle | Fault::TooManyRequests))
            .count();
        assert_eq!(throttled, expected, "{faults:?}");
    }
}

/// What stays: for now or for good, with the attempts that were made.
#[tokio::test]
async fn faults_that_stay_end_as_their_cause() {
    for (fault, code, retryable, attempts) in [
        (Fault::Throttle, "ThrottlingException", true, 6),
        (Fault::UntypedThrottle, "ThrottlingException", true, 6),
        (Fault::TooManyRequests, "TooManyRequestsException", true, 6),
        (Fault::InternalError, "InternalServiceException", true, 6),
        (Fault::ResetBefore, "ConnectionFailed", true, 6),
        (Fault::AccessDenied, "AccessDeniedException", false, 1),
        (Fault::NotFound, "ResourceNotFoundException", false, 1),
        (Fault::ExpiredToken, "ExpiredTokenException", true, 1),
    ] {
        let world = World::new().await;
        world.connect.always(UPDATE, Some(fault));
        let (kind, report) = world.error(&chat(ONE, &json!({}))).await;
        let expected = if retryable { "PolicyChangeIncomplete" } else { "PolicyChangeFailed" };
        assert_eq!((kind.as_str(), outcomes(&report)), (expected, vec!["failed"]), "{fault:?}");
        assert_eq!(error(&report), (code.to_owned(), retryable), "{fault:?}");
        assert_eq!(report["results"][0]["attempts"], attempts, "{fault:?}");
        assert_eq!(world.audited(), ["intent", "outcome failed"], "{fault:?}");
        assert!(!holds_what_was_asked(&world), "{fault:?}");
    }
}

/// An answer that never came, broke off or cannot be read: one look tells what happened.
#[tokio::test]
async fn a_lost_answer_is_looked_up() {
    for fault in [Fault::ResetAfter, Fault::Truncated, Fault::WrongContentType] {
        let world = World::with(Options::default(), &[("CONNECT_MAX_ATTEMPTS", "1")]).await;
        world.connect.always(UPDATE, Some(fault));
        let report = world.report(&chat(ONE, &json!({}))).await;
        assert_eq!(outcomes(&report), ["applied"], "{fault:?}");
        assert_eq!(report["results"][0].get("error"), None, "{fault:?}");
        assert_eq!((world.updates(), world.calls(DESCRIBE).len()), (1, 2), "{fault:?}");
        assert!(holds_what_was_asked(&world), "{fault:?}");
    }
}

#[tokio::test]
async fn a_lost_answer_that_cannot_be_looked_up_is_unknown() {
    let world = World::with(Options::default(), &[("CONNECT_MAX_ATTEMPTS", "1")]).await;
    world.connect.always(UPDATE, Some(Fault::ResetAfter));
    world.connect.script(DESCRIBE, [None, Some(Fault::InternalError)]);
    let (kind, report) = world.error(&chat(ONE, &json!({}))).await;
    assert_eq!((kind.as_str(), outcomes(&report)), ("PolicyChangeIncomplete", vec!["unknown"]));
    assert_eq!(error(&report), ("ConnectionFailed".to_owned(), true));
    assert_eq!(world.audited(), ["intent", "outcome unknown"]);
    assert_eq!(world.audit()[1]["status_id"], 0);
}

#[tokio::test]
async fn a_throttled_retry_after_a_lost_answer_does_not_hide_that_it_took_effect() {
    let world = World::new().await;
    world.connect.script(UPDATE, [Some(Fault::ResetAfter)]);
    world.connect.always(UPDATE, Some(Fault::Throttle));
    let report = world.report(&chat(ONE, &json!({}))).await;
    assert_eq!((outcomes(&report), &report["results"][0]["attempts"]), (vec!["applied"], &json!(6)));
}

#[tokio::test]
async fn an_answer_slower_than_the_attempts_timeout_is_looked_up() {
    let world = World::with(Options::default(), &[("CONNECT_MAX_ATTEMPTS", "1")]).await;
    world.connect.always(UPDATE, Some(Fault::Slow(Duration::from_secs(20))));
    let report = world.report(&chat(ONE, &json!({}))).await;
    assert_eq!(outcomes(&report), ["applied"]);
}

#[tokio::test]
async fn connect_out_of_reach_changes_nothing_and_is_told() {
    let connect = Connect::start(Options::default()).await.unwrap();
    let gone = Connect::start(Options::default()).await.unwrap();
    let url = gone.url();
    drop(gone);
    let world = World::against(connect, &url, &[("CONNECT_MAX_ATTEMPTS", "2")]).await;
    let (kind, report) = world.error(&chat(ONE, &json!({}))).await;
    assert_eq!((kind.as_str(), outcomes(&report)), ("PolicyChangeIncomplete", vec!["failed"]));
    assert_eq!(error(&report), ("ConnectionFailed".to_owned(), true));
    assert_eq!(world.audited(), ["outcome failed"]);
}

#[tokio::test]
async fn a_read_that_fails_begins_nothing() {
    let world = World::new().await;
    world.connect.always(DESCRIBE, Some(Fault::AccessDenied));
    let (kind, report) = world.error(&chat(ONE, &json!({}))).await;
    assert_eq!(
        (kind.as_str(), error(&report)),
        ("PolicyChangeFailed", ("AccessDeniedException".to_owned(), false))
    );
    assert_eq!((world.updates(), world.audited()), (0, vec!["outcome failed".to_owned()]));
    let message = report["results"][0]["error"]["message"].as_str().unwrap();
    assert_eq!(message, "Amazon Connect denies this function access; its role lacks the permission");
}

#[tokio::test]
async fn a_throttled_list_is_counted_once_for_all_its_scopes() {
    let list = Operation::ListAttachedFilesConfigurations;
    let throttled = |world: &World| -> u64 {
        world.audit().iter().filter_map(|event| event["unmapped"]["throttledCalls"].as_u64()).sum()
    };
    let change = json!({"instanceId": ONE, "attachmentScope": "*", "maximumSize": "20 MB"});
    let world = World::new().await;
    world.connect.script(list, [Some(Fault::Throttle), Some(Fault::Throttle)]);
    assert_eq!(outcomes(&world.report(&change).await), ["unchanged"; 4]);
    assert_eq!(throttled(&world), 2);

    let world = World::with(Options::default(), &[("CONNECT_MAX_ATTEMPTS", "3")]).await;
    world.connect.always(list, Some(Fault::Throttle));
    assert_eq!(outcomes(&world.error(&change).await.1), ["failed"; 4]);
    assert_eq!(throttled(&world), 3);
}
