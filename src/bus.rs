//! The event bus that hears of every run that ends. The only room that uses EventBridge's SDK.

use crate::sdk::AsksNothing;
use aws_config::SdkConfig;
use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::config::Builder;
use aws_sdk_eventbridge::config::retry::RetryConfig;
use aws_sdk_eventbridge::primitives::DateTime;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use policy_core::record::{Millis, SOURCE};
use std::error::Error;
use std::sync::OnceLock;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// The bus answers in milliseconds. Nobody waits longer for it: what it has not taken is put again later.
const PATIENCE: Duration = Duration::from_secs(2);

/// The bus, whose client is made at the first use.
#[derive(Debug)]
pub struct Bus {
    config: SdkConfig,
    client: OnceLock<Client>,
    name: String,
}

/// An event that was not taken, as far as anybody knows.
#[derive(Debug, thiserror::Error)]
pub enum BusError {
    /// Amazon EventBridge refused the request.
    #[error("Amazon EventBridge did not take the event")]
    Refused(#[source] Box<dyn Error + Send + Sync>),
    /// It took the request, but not the event.
    #[error("Amazon EventBridge did not take the event: {0}")]
    NotTaken(String),
    /// No answer came in time: it may have taken the event all the same.
    #[error("Amazon EventBridge did not answer in time")]
    NoAnswer,
}

impl Bus {
    /// The bus of that name or ARN.
    pub fn new(config: &SdkConfig, name: String) -> Self {
        Self { config: config.clone(), client: OnceLock::new(), name }
    }

    fn client(&self) -> &Client {
        self.client.get_or_init(|| Client::new(&self.config))
    }

    /// Opens a connection.
    pub async fn open_connection(&self) {
        let once = Builder::new().retry_config(RetryConfig::disabled());
        let request = self.client().put_events().entries(PutEventsRequestEntry::builder().build());
        // refused, as it should be
        drop(request.customize().config_override(once).interceptor(AsksNothing).send().await);
    }

    /// Puts an event about something that happened at that instant.
    ///
    /// # Errors
    /// The bus has not taken it before `until`.
    pub async fn put(
        &self,
        detail_type: &str,
        detail: String,
        at: Millis,
        until: Instant,
    ) -> Result<(), BusError> {
        let entry = PutEventsRequestEntry::builder()
            .event_bus_name(&self.name)
            .source(SOURCE)
            .detail_type(detail_type)
            .detail(detail)
            .time(DateTime::from_millis(i64::try_from(at.0).unwrap_or(i64::MAX)))
            .build();
        let until = until.min(Instant::now() + PATIENCE);
        let answer = match timeout_at(until, self.client().put_events().entries(entry).send()).await {
            Ok(answer) => answer.map_err(|error| BusError::Refused(Box::new(error)))?,
            Err(_) => return Err(BusError::NoAnswer),
        };
        // 200 says only that the request was read
        if answer.failed_entry_count() == 0 {
            return Ok(());
        }
        let failed = answer.entries().iter().find_map(|entry| entry.error_code());
        Err(BusError::NotTaken(failed.unwrap_or("no reason is given").to_owned()))
    }
}
