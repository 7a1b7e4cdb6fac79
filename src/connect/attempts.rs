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
mod tests;
