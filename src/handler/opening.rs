//! Connections that the first invocation will need, opened before it comes.

use super::Handler;
use futures_util::future::join3;
use policy_core::origin::TriggerKind;
use std::time::Duration;
use tokio::time::timeout;

/// How long a start waits for them. Lambda gives the init phase 10 s, and a network without a way out must not use it up.
const PATIENCE: Duration = Duration::from_secs(1);

/// What calls Amazon Connect in the invocation that it begins, and ends runs, where there is a ledger.
const CALLING: [TriggerKind; 3] = [TriggerKind::Http, TriggerKind::Bare, TriggerKind::Lane];

impl Handler {
    /// Opens a connection to Amazon Connect in the own Region, to the ledger and to the bus, as far as this function needs
    /// them.
    ///
    /// Lambda gives the init phase a whole CPU, and an invocation the share that its memory size pays for: at 128 MB a
    /// fourteenth.
    pub async fn open_connections(&self) {
        let settings = &self.settings;
        let calls =
            self.ledger.is_none() || CALLING.iter().any(|kind| settings.accepted_triggers.contains(kind));
        let connect = async {
            if calls {
                self.connect.open_connection(&settings.region).await;
            }
        };
        let ledger = async {
            if let Some(ledger) = &self.ledger {
                ledger.open_connection().await;
            }
        };
        let bus = async {
            if calls && let Some(bus) = &self.bus {
                bus.open_connection().await;
            }
        };
        // what is not open by then is opened when it is needed
        drop(timeout(PATIENCE, join3(connect, ledger, bus)).await);
    }
}
