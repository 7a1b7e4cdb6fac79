//! From the environment to a handler: what `main` and the tests share.

use crate::audit::{Audit, VERSION};
use crate::connect::Connect;
use crate::handler::Handler;
use crate::metrics::Metrics;
use crate::queue::Queues;
use crate::settings::{InvalidSettings, Settings};
use crate::telemetry::{LogLevel, LogPipe};
use aws_config::{AppName, BehaviorVersion, SdkConfig};
use aws_sdk_connect::config::SharedHttpClient;
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use time::OffsetDateTime;

/// Makes the handler from the environment.
///
/// # Errors
/// Every wrong setting, in one error.
pub async fn handler(
    pipe: LogPipe,
    level: LogLevel,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Result<Handler, InvalidSettings> {
    let settings = Settings::read(lookup)?;
    let (config, http) = sdk().await;
    tracing::info!(version = VERSION, region = settings.region, "started");
    Ok(assemble(settings, config, http, pipe, level))
}

/// Puts a handler together from its parts.
pub fn assemble(
    settings: Settings,
    config: SdkConfig,
    http: SharedHttpClient,
    pipe: LogPipe,
    level: LogLevel,
) -> Handler {
    let connect = Connect::new(config.clone(), http, settings.connect.clone());
    let queues = Queues::new(config, settings.change_queue_url.clone(), settings.parked_queue_url.clone());
    let metrics = Metrics::new(pipe.clone(), level, settings.function_name.clone());
    let audit = Audit::new(pipe, level, OffsetDateTime::now_utc);
    Handler::new(settings, connect, queues, audit, metrics)
}

/// The SDK's shared configuration, and the one HTTP client that all its clients use.
async fn sdk() -> (SdkConfig, SharedHttpClient) {
    let http = Builder::new().tls_provider(Provider::Rustls(CryptoMode::AwsLc)).build_https();
    let mut loader = aws_config::defaults(BehaviorVersion::latest()).http_client(http.clone());
    if let Ok(name) = AppName::new(env!("CARGO_PKG_NAME")) {
        loader = loader.app_name(name);
    }
    (loader.load().await, http)
}
