//! What happened on the wire during one call: counted where the requests go out, retries paced there too.

use super::rate_limiter::RateLimiter;
use aws_sdk_connect::config::interceptors::BeforeTransmitInterceptorContextMut;
use aws_sdk_connect::config::{ConfigBag, HttpClient, Intercept, RuntimeComponents, SharedHttpClient};
use aws_sdk_connect::error::BoxError;
use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// Longer than any deadline: the call itself is bounded by the invocation's.
const FOREVER: Duration = Duration::from_hours(1);

/// One call's requests. Shared by the caller, the interceptor and the connector.
#[derive(Debug)]
pub(super) struct AttemptTracker {
    limiter: Arc<RateLimiter>,
    attempts: AtomicU32,
    throttled: AtomicU32,
    in_flight: AtomicBool,
    /// Some answer was lost, or was none to rely on.
    lost: AtomicBool,
}

impl AttemptTracker {
    pub(super) fn new(limiter: Arc<RateLimiter>) -> Arc<Self> {
        Arc::new(Self {
            limiter,
            attempts: AtomicU32::new(0),
            throttled: AtomicU32::new(0),
            in_flight: AtomicBool::new(false),
            lost: AtomicBool::new(false),
        })
    }

    pub(super) fn attempts(&self) -> u32 {
        self.attempts.load(Ordering::Relaxed)
    }

    pub(super) fn throttled(&self) -> u32 {
        self.throttled.load(Ordering::Relaxed)
    }

    /// Whether a failed call may have taken effect all the same: a request went out whose answer
    /// never came, broke off, or was a server error.
    pub(super) fn may_have_taken_effect(&self) -> bool {
        self.in_flight.load(Ordering::Relaxed) || self.lost.load(Ordering::Relaxed)
    }

    /// The first request goes out on the permit its caller holds, each retry takes its own.
    async fn begin(&self) {
        if self.attempts.load(Ordering::Relaxed) > 0 {
            // only a wait beyond FOREVER is refused
            let _ = self.limiter.permit(Instant::now() + FOREVER).await;
        }
        self.attempts.fetch_add(1, Ordering::Relaxed);
        self.in_flight.store(true, Ordering::Relaxed);
    }

    fn end(&self, status: Result<u16, &ConnectorError>) {
        self.in_flight.store(false, Ordering::Relaxed);
        match status {
            Ok(429) => {
                self.throttled.fetch_add(1, Ordering::Relaxed);
                self.limiter.drained();
            }
            Ok(400..=499) => {}
            Err(error) if never_connected(error) => {}
            // a 2xx whose body cannot be read ends as an error too
            Ok(_) | Err(_) => self.lost.store(true, Ordering::Relaxed),
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

/// Puts the attempts on each of the call's requests, where the connector finds it.
#[derive(Debug)]
pub(super) struct Attach(pub(super) Arc<AttemptTracker>);

#[aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint]
impl Intercept for Attach {
    fn name(&self) -> &'static str {
        "AttachExchange"
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

/// The HTTP client with its requests counted and its retries paced.
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
