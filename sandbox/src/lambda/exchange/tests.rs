use super::*;

#[test]
fn a_deadline_ahead_bounds_the_work_and_one_in_the_past_does_not() {
    let ahead = patience(epoch_ms() + 5_000, Duration::from_secs(30));
    assert!((4_900..=5_000).contains(&ahead.as_millis()), "{ahead:?}");
    assert_eq!(patience(0, Duration::from_secs(3)), Duration::from_mins(1));
    assert_eq!(patience(i64::MIN, Duration::from_mins(15)), Duration::from_mins(15));
}

#[tokio::test]
async fn an_invocation_that_was_given_up_is_not_handed_over() {
    let exchange = Exchange::new();
    let ask = |id: &str| exchange.ask(Bytes::new(), id.into(), Invoke::default());
    drop(ask("given up"));
    let (_kept, before) = ask("kept");
    assert_eq!(before, 1);
    let next = exchange.next().await.map(|asked| asked.request_id);
    assert_eq!(next.as_deref(), Some("kept"));
}

#[tokio::test]
async fn a_poll_of_an_ended_process_takes_nothing() {
    let exchange = Exchange::new();
    let (polled, ()) = tokio::join!(exchange.next(), async {
        tokio::task::yield_now().await;
        exchange.process_ended(Some(1), 0);
    });
    assert!(polled.is_none());
}

#[tokio::test]
async fn an_ended_process_answers_at_once_and_a_failed_start_says_why() {
    let exchange = Exchange::new();
    exchange.process_ended(Some(3), 7);
    let (finished, _) = exchange.ask(Bytes::new(), "a".into(), Invoke::default());
    let finished = finished.await.expect("an answer");
    assert_eq!(finished.answer, Answer::Exited(Some(3)));
    assert_eq!(finished.lines, (0, 7));

    exchange.process_starts(7);
    let error = Answer::InitError { error_type: "Settings".into(), error_message: "no region".into() };
    exchange.init_failed(error.clone(), 9);
    exchange.process_ended(Some(1), 9);
    let (finished, _) = exchange.ask(Bytes::new(), "b".into(), Invoke::default());
    let finished = finished.await.expect("an answer");
    assert_eq!(finished.answer, error);
    assert_eq!(finished.lines, (7, 9));
}
