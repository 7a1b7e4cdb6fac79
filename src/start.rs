//! From the environment to a handler: what `main` and the tests share.

use crate::audit::{Audit, VERSION};
use crate::bus::Bus;
use crate::callback::Callback;
use crate::clock::Clock;
use crate::connect::Connect;
use crate::handler::{Handler, Services};
use crate::ledger::Ledger;
use crate::metrics::Metrics;
use crate::queue::Queues;
use crate::sdk;
use crate::settings::{InvalidSettings, Settings};
use crate::telemetry::{LogLevel, LogPipe, causes};
use aws_config::SdkConfig;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use time::OffsetDateTime;

/// Makes the handler from the environment.
///
/// # Errors
/// Every wrong setting, in one error.
pub fn handler(
    pipe: LogPipe,
    level: LogLevel,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Result<Handler, InvalidSettings> {
    let (settings, http) = match (Settings::read(lookup), sdk::http(lookup)) {
        (Ok(settings), Ok(http)) => (settings, http),
        (settings, http) => {
            let mut wrong = settings.err().map_or_else(Vec::new, |invalid| invalid.0);
            wrong.extend(http.err().into_iter().flatten().map(|error| causes(&error)));
            return Err(InvalidSettings(wrong));
        }
    };
    let config = sdk::config(settings.region.as_str(), http.clone(), lookup);
    tracing::info!(version = VERSION, region = settings.region.as_str(), "started");
    Ok(assemble(settings, config, http, pipe, level, Clock::of(lookup)))
}

/// Puts a handler together from its parts.
pub fn assemble(
    settings: Settings,
    config: SdkConfig,
    http: SharedHttpClient,
    pipe: LogPipe,
    level: LogLevel,
    clock: Clock,
) -> Handler {
    let callback = Callback::new(http.clone());
    let connect = Connect::new(config.clone(), http, settings.connect.clone());
    let ledger =
        settings.ledger.as_ref().map(|ledger| Ledger::new(&config, ledger.table.clone(), ledger.retention));
    let bus = settings.outcome_bus.as_ref().map(|name| Box::new(Bus::new(&config, name.clone())));
    let queues = Queues::new(
        config,
        settings.change_queue_url.clone(),
        settings.intake_queue_url.clone(),
        settings.parked_queue_url.clone(),
    );
    let metrics = Metrics::new(pipe.clone(), level, settings.function_name.clone());
    let audit = Audit::new(pipe, level, OffsetDateTime::now_utc);
    let services = Services { connect, ledger, queues, bus, callback, clock };
    Handler::new(settings, services, audit, metrics)
}
