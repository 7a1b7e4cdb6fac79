//! Faults: what the client sees, and what had happened.

use std::time::{Duration, Instant};

use sandbox::connect::{Connect, Entry, Fault, Instance, Operation, Options, Scope};

use crate::client::{Answer, Request, open, path, update};

const UPDATE: Operation = Operation::UpdateAttachedFilesConfiguration;

/// Updates the size to 5 while a fault is played.
async fn update_with(fault: Fault) -> (Answer, Entry, i64) {
    let connect = Connect::start(Options::default()).await.unwrap();
    connect.script(UPDATE, [Some(fault)]);
    let answer = update(1, 5).send(&connect).await;
    let mut journal = connect.journal();
    assert_eq!(journal.len(), 1);
    let entry = journal.remove(0);
    assert_eq!(entry.fault, Some(fault));
    assert_eq!(entry.status, answer.status);
    (answer, entry, size(&connect))
}

fn size(connect: &Connect) -> i64 {
    connect.configuration(&Instance::numbered(1).id, Scope::Chat).unwrap().maximum_size_limit_in_bytes
}

#[tokio::test]
async fn a_fault_in_place_of_the_operation_has_its_status_and_name_and_no_effect() {
    for (fault, status, name) in [
        (Fault::Throttle, 429, "ThrottlingException"),
        (Fault::UntypedThrottle, 429, ""),
        (Fault::TooManyRequests, 429, "TooManyRequestsException"),
        (Fault::InternalError, 500, "InternalServiceException"),
        (Fault::Unavailable { retry_after_ms: None }, 503, "ServiceUnavailableException"),
        (Fault::AccessDenied, 403, "AccessDeniedException"),
        (Fault::ExpiredToken, 403, "ExpiredTokenException"),
        (Fault::NotFound, 404, "ResourceNotFoundException"),
    ] {
        let (answer, entry, size) = update_with(fault).await;
        assert_eq!(answer.error(), (status, name));
        assert!(answer.json()["Message"].is_string() && answer.is_whole());
        assert_eq!(entry.error.as_deref().unwrap_or_default(), name);
        assert!(!entry.effect && !entry.changed);
        assert_eq!((size, answer.header("x-amz-retry-after")), (20_971_520, ""));
    }
}

#[tokio::test]
async fn unavailable_may_say_when_to_come_back() {
    let (answer, ..) = update_with(Fault::Unavailable { retry_after_ms: Some(1500) }).await;
    assert_eq!((answer.status, answer.header("x-amz-retry-after")), (Some(503), "1500"));
}

#[tokio::test]
async fn a_reset_before_ends_the_connection_without_an_effect() {
    let (answer, entry, size) = update_with(Fault::ResetBefore).await;
    assert_eq!((answer.status, entry.effect, size), (None, false, 20_971_520));
}

#[tokio::test]
async fn a_reset_after_ends_the_connection_when_the_effect_has_happened() {
    let (answer, entry, size) = update_with(Fault::ResetAfter).await;
    assert_eq!((answer.status, entry.effect, entry.changed, size), (None, true, true, 5));
}

#[tokio::test]
async fn a_truncated_answer_begins_as_the_right_one_and_ends_too_early() {
    let (answer, entry, size) = update_with(Fault::Truncated).await;
    assert_eq!((answer.status, entry.effect, size), (Some(200), true, 5));
    let promised: usize = answer.header("content-length").parse().unwrap();
    assert_eq!(answer.body.len(), promised / 2);
    assert!(answer.body.starts_with(r#"{"AttachmentScope":"CHAT","#), "{}", answer.body);
}

#[tokio::test]
async fn an_answer_of_the_wrong_content_type_is_html() {
    let (answer, entry, size) = update_with(Fault::WrongContentType).await;
    assert_eq!((answer.status, answer.header("content-type")), (Some(200), "text/html"));
    assert!(answer.body.starts_with("<!DOCTYPE html>") && answer.is_whole());
    assert_eq!((entry.effect, size), (true, 5));
}

#[tokio::test]
async fn other_values_are_stored_and_answered() {
    let (answer, entry, size) = update_with(Fault::OtherValues).await;
    assert_eq!(answer.status, Some(200));
    assert_eq!(answer.json()["MaximumSizeLimitInBytes"], 2);
    assert_eq!((entry.effect, size), (true, 2));
}

#[tokio::test]
async fn a_slow_answer_comes_long_after_the_effect() {
    let connect = Connect::start(Options::default()).await.unwrap();
    connect.script(UPDATE, [Some(Fault::Slow(Duration::from_millis(300)))]);
    let start = Instant::now();
    let early = async {
        tokio::time::sleep(Duration::from_millis(150)).await;
        (size(&connect), connect.journal().remove(0))
    };
    let request = update(1, 5);
    let (answer, (size, entry)) = tokio::join!(request.send(&connect), early);
    assert_eq!((size, entry.effect, entry.status), (5, true, None));
    assert_eq!(answer.status, Some(200));
    assert!(start.elapsed() >= Duration::from_millis(300));
    assert_eq!(connect.journal().remove(0).status, Some(200));
}

#[tokio::test]
async fn a_client_that_leaves_before_a_slow_answer_was_not_answered() {
    let connect = Connect::start(Options::default()).await.unwrap();
    let mut entries = connect.follow();
    connect.script(UPDATE, [Some(Fault::Slow(Duration::from_mins(10)))]);
    update(1, 5).send_and_leave(&connect).await;
    let entry = tokio::time::timeout(Duration::from_secs(10), entries.recv()).await.unwrap().unwrap();
    assert_eq!((entry.effect, entry.status), (true, None));
    assert_eq!(connect.journal(), [entry]);
}

#[tokio::test]
async fn a_refused_request_is_refused_under_a_fault_that_has_the_effect_first() {
    for fault in [Fault::Truncated, Fault::WrongContentType, Fault::OtherValues, Fault::Slow(Duration::ZERO)]
    {
        let connect = Connect::start(Options::default()).await.unwrap();
        connect.always(UPDATE, Some(fault));
        let answer = update(1, 0).send(&connect).await;
        assert_eq!(answer.error(), (400, "InvalidParameterException"), "{fault}");
        assert!(answer.is_whole() && !connect.journal().remove(0).effect);
    }
}

#[tokio::test]
async fn a_fault_is_of_its_operation_only_and_a_connection_survives_an_error() {
    let connect = Connect::start(Options::default()).await.unwrap();
    connect.script(UPDATE, [Some(Fault::Throttle), None, Some(Fault::InternalError)]);
    let mut stream = open(&connect).await;
    let describe = Request::new("GET", format!("{}/CHAT", path(1)));
    let mut seen = Vec::new();
    for request in [update(1, 5), describe.clone(), update(1, 5), update(1, 5), describe, update(1, 5)] {
        seen.push(request.send_on(&mut stream).await.status.unwrap());
    }
    assert_eq!(seen, [429, 200, 200, 500, 200, 200]);
}

#[tokio::test]
async fn faults_by_chance_repeat_with_their_seed() {
    let run = async |seed| {
        let faults = vec![(Fault::Throttle, 0.5)];
        let connect = Connect::start(Options { faults, seed, ..Options::default() }).await.unwrap();
        let mut seen = Vec::new();
        for _ in 0..40 {
            seen.push(update(1, 5).send(&connect).await.status.unwrap());
        }
        seen
    };
    let first = run(7).await;
    assert_eq!(first, run(7).await);
    assert_ne!(first, run(8).await);
    assert!(first.contains(&200) && first.contains(&429));
}
