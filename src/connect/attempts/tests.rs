use super::*;
use crate::connect::CallError;
use policy_core::failure::ErrorCode;

const TICK: Duration = Duration::from_millis(40);

fn far() -> Instant {
    Instant::now() + Duration::from_hours(1)
}

async fn attempt(tracker: &AttemptTracker, status: u16) {
    tracker.begin().await;
    tokio::time::advance(TICK).await;
    tracker.end(Ok(status));
}

#[tokio::test(start_paused = true)]
async fn a_throttled_answer_empties_the_bucket_and_the_retry_waits_for_a_permit_of_its_own() {
    let limiter = Arc::new(RateLimiter::new(2.0, 5));
    let tracker = AttemptTracker::new(limiter, far(), None, Duration::from_secs(3));
    attempt(&tracker, 429).await;
    attempt(&tracker, 429).await;
    attempt(&tracker, 200).await;
    let cost = tracker.cost();
    assert_eq!((cost.attempts, cost.throttled, cost.took), (3, 2, TICK * 3));
    // the first permit's wait; the first retry takes the one call that an empty bucket yields, the second waits
    // for the rest of an interval
    assert_eq!(cost.waited + TICK, Duration::from_millis(3_500));
}

#[tokio::test(start_paused = true)]
async fn a_retry_takes_a_permit_though_others_are_left() {
    let limiter = Arc::new(RateLimiter::new(1.0, 1));
    let tracker = AttemptTracker::new(Arc::clone(&limiter), far(), None, Duration::ZERO);
    assert!(limiter.permit(Instant::now()).await.is_ok());
    attempt(&tracker, 500).await;
    attempt(&tracker, 200).await;
    // one call a second: the retry waited for what the first permit left of it
    assert_eq!(tracker.cost().waited + TICK, Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn a_retry_that_would_come_too_late_leaves_its_permit_to_others() {
    let limiter = Arc::new(RateLimiter::new(1.0, 1));
    let until = Instant::now() + Duration::from_millis(900);
    let tracker = AttemptTracker::new(Arc::clone(&limiter), until, None, Duration::ZERO);
    assert!(limiter.permit(Instant::now()).await.is_ok());
    attempt(&tracker, 500).await;
    let before = limiter.estimate(1);
    assert!(tokio::time::timeout_at(until, tracker.begin()).await.is_err());
    assert_eq!(tracker.cost().attempts, 1);
    // no permit was taken: the wait has only become shorter by the time that passed
    assert_eq!(before, Duration::from_secs(1).saturating_sub(TICK));
    assert_eq!(limiter.estimate(1), Duration::from_millis(100));
}

#[tokio::test(start_paused = true)]
async fn a_retry_is_not_sent_that_would_be_cut_off() {
    let limiter = Arc::new(RateLimiter::new(100.0, 5));
    let until = Instant::now() + CALL_TIME + 2 * TICK;
    let tracker = AttemptTracker::new(limiter, until, None, Duration::ZERO);
    attempt(&tracker, 500).await;
    attempt(&tracker, 500).await;
    tokio::time::advance(Duration::from_millis(1)).await;
    assert!(tokio::time::timeout_at(until, tracker.begin()).await.is_err());
    assert_eq!(tracker.cost().attempts, 2);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_never_came_costs_the_time_until_now_and_may_have_taken_effect() {
    let tracker = AttemptTracker::new(Arc::new(RateLimiter::new(2.0, 5)), far(), None, Duration::ZERO);
    tracker.begin().await;
    tokio::time::advance(TICK).await;
    assert_eq!((tracker.cost().took, tracker.may_have_taken_effect()), (TICK, true));
    tracker.end(Ok(400));
    assert!(!tracker.may_have_taken_effect());
}

#[tokio::test(start_paused = true)]
async fn an_answered_call_says_whether_an_earlier_attempt_was_not() {
    for (statuses, lost) in
        [(&[200][..], false), (&[429, 200], false), (&[500, 200], true), (&[500, 429, 200], true)]
    {
        let tracker = AttemptTracker::new(Arc::new(RateLimiter::new(2.0, 5)), far(), None, Duration::ZERO);
        for status in statuses {
            attempt(&tracker, *status).await;
        }
        assert_eq!(tracker.lost_an_earlier_answer(), lost, "{statuses:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn no_attempt_begins_after_the_lease() {
    let limiter = Arc::new(RateLimiter::new(100.0, 5));
    let now = Instant::now();
    let wall = SystemTime::now() + Duration::from_hours(1);
    let lease = Lease { instant: now + Duration::from_secs(1), wall };
    let tracker = AttemptTracker::new(Arc::clone(&limiter), far(), Some(lease), Duration::ZERO);
    attempt(&tracker, 500).await;
    tokio::time::advance(Duration::from_secs(1)).await;
    let next = tokio::time::timeout(Duration::from_secs(1), tracker.begin()).await;
    assert!(next.is_err());
    assert_eq!(tracker.cost().attempts, 1);
    // the wall clock alone ends it, too
    let lease = Lease { instant: far(), wall: SystemTime::now() };
    let tracker = AttemptTracker::new(limiter, far(), Some(lease), Duration::ZERO);
    assert!(tokio::time::timeout(Duration::from_secs(1), tracker.begin()).await.is_err());
    assert_eq!((tracker.cost().attempts, tracker.may_have_taken_effect()), (0, false));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_cut_off_says_whether_it_was_sent_throttled_or_unanswered() {
    let tracker = AttemptTracker::new(Arc::new(RateLimiter::new(2.0, 5)), far(), None, Duration::ZERO);
    let cut_off = || {
        let error = CallError::deadline(&tracker);
        (error.code, error.may_have_taken_effect)
    };
    assert_eq!(cut_off(), (ErrorCode::NoTimeLeft, false));
    attempt(&tracker, 429).await;
    assert_eq!(cut_off(), (ErrorCode::ThrottlingException, false));
    tracker.begin().await;
    assert_eq!(cut_off(), (ErrorCode::DeadlineExceeded, true));
}
