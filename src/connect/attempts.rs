//! Counts and times the requests of one call where they are sent, and makes retries wait for the quota.

use super::CALL_TIME;
use super::rate_limiter::{NoTime, RateLimiter};
use crate::lock::Lock;
use aws_sdk_connect::config::interceptors::BeforeTransmitInterceptorContextMut;
use aws_sdk_connect::config::{ConfigBag, HttpClient, Intercept, RuntimeComponents, SharedHttpClient};
use aws_sdk_connect::error::BoxError;
use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use policy_core::calls::CallCost;
use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::time::Instant;

/// One call's requests. Shared by the caller, the interceptor and the connector.
#[derive(Debug)]
pub(super) struct AttemptTracker {
    limiter: Arc<RateLimiter>,
    /// When the call must have ended.
    until: Instant,
    last_attempt: Option<Lease>,
    state: Lock<State>,
}

/// Until when a call may begin an attempt. Both clocks are asked: the monotonic one may stand still while a process is
/// paused, and the wall clock may be set.
#[derive(Debug, Clone, Copy)]
pub struct Lease {
    /// By the monotonic clock.
    pub instant: Instant,
    /// By the wall clock.
    pub wall: SystemTime,
}

impl Lease {
    fn is_over(self) -> bool {
        Instant::now() >= self.instant || SystemTime::now() >= self.wall
    }
}

#[derive(Debug)]
struct State {
    cost: CallCost,
    /// When the request was sent that has no answer yet.
    sent_at: Option<Instant>,
    /// Whether an answer was lost or is not reliable.
    lost: bool,
    /// The same of an attempt before the last one.
    lost_before: bool,
}

impl AttemptTracker {
    /// A call that must end by `until`. `waited`: how long its first permit took.
    pub(super) fn new(
        limiter: Arc<RateLimiter>,
        until: Instant,
        last_attempt: Option<Lease>,
        waited: Duration,
    ) -> Arc<Self> {
        let cost = CallCost { waited, ..CallCost::default() };
        let state = Lock::new(State { cost, sent_at: None, lost: false, lost_before: false });
        Arc::new(Self { limiter, until, last_attempt, state })
    }

    /// What the call has cost so far.
    pub(super) fn cost(&self) -> CallCost {
        let state = self.state.lock();
        let in_flight = state.sent_at.map_or(Duration::ZERO, |sent| sent.elapsed());
        CallCost { took: state.cost.took + in_flight, ..state.cost }
    }

    /// Whether a failed call may have taken effect: a request was sent whose answer never came, broke off, or was a
    /// server error.
    pub(super) fn may_have_taken_effect(&self) -> bool {
        let state = self.state.lock();
        state.sent_at.is_some() || state.lost
    }

    /// Whether an attempt before the last one got no usable answer: it may still take effect, although the last one was
    /// answered.
    pub(super) fn lost_an_earlier_answer(&self) -> bool {
        self.state.lock().lost_before
    }

    /// The first request uses the permit that the caller holds. Each retry takes its own.
    async fn begin(&self) {
        let is_retry = self.state.lock().cost.attempts > 0;
        let mut waited = Duration::ZERO;
        if is_retry {
            // as the first request: what is cut off could have taken effect
            let until = self.until.checked_sub(CALL_TIME).unwrap_or(self.until);
            match self.limiter.permit(until).await {
                Ok(permit) => waited = permit.waited,
                // leave a permit that comes too late to other calls; the caller gives up at `until`
                Err(NoTime) => std::future::pending().await,
            }
        }
        if self.last_attempt.is_some_and(Lease::is_over) {
            // nothing is sent any more; the caller gives up at its time
            std::future::pending::<()>().await;
        }
        let mut state = self.state.lock();
        state.lost_before |= state.lost;
        state.cost.waited += waited;
        state.cost.attempts += 1;
        state.sent_at = Some(Instant::now());
    }

    fn end(&self, status: Result<u16, &ConnectorError>) {
        let mut state = self.state.lock();
        if let Some(sent) = state.sent_at.take() {
            state.cost.took += sent.elapsed();
        }
        match status {
            Ok(429) => {
                state.cost.throttled += 1;
                self.limiter.drained();
            }
            Ok(400..=499) => {}
            Err(error) if never_connected(error) => {}
            // a 2xx counts too: if its body cannot be read, the call fails
            Ok(_) | Err(_) => state.lost = true,
        }
    }
}

/// Whether no request can have reached the server: not resolved, refused, or no TLS session.
fn never_connected(error: &ConnectorError) -> bool {
    let mut source: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = source {
        if let Some(client) = error.downcast_ref::<hyper_util::client::legacy::Error>() {
            return client.is_connect();
        }
        source = error.source();
    }
    false
}

/// Puts the tracker on each of the call's requests, where the connector finds it.
#[derive(Debug)]
pub(super) struct Attach(pub(super) Arc<AttemptTracker>);

#[aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint]
impl Intercept for Attach {
    fn name(&self) -> &'static str {
        "AttachAttemptTracker"
    }

    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        context.request_mut().add_extension(Arc::clone(&self.0));
        Ok(())
    }
}

/// The HTTP client with its requests counted and its retries rate-limited.
#[derive(Debug)]
pub(super) struct CountedClient(pub(super) SharedHttpClient);

impl HttpClient for CountedClient {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(CountedConnector(self.0.http_connector(settings, components)))
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.0.connector_metadata()
    }
}

#[derive(Debug)]
struct CountedConnector(SharedHttpConnector);

impl HttpConnector for CountedConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let Some(attempts) = request.extension::<Arc<AttemptTracker>>().cloned() else {
            return self.0.call(request);
        };
        let connector = self.0.clone();
        HttpConnectorFuture::new(async move {
            attempts.begin().await;
            let answer = connector.call(request).await;
            attempts.end(answer.as_ref().map(|response| response.status().as_u16()));
            answer
        })
    }
}

#[cfg(test)]
mod tests {
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
            let tracker =
                AttemptTracker::new(Arc::new(RateLimiter::new(2.0, 5)), far(), None, Duration::ZERO);
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
}
