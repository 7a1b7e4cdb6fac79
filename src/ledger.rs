//! The ledger: one DynamoDB table that remembers what was decided, and what every target should hold. The only
//! module that uses DynamoDB's SDK.
//!
//! It knows keys and items, and decides nothing: `policy_core::record` does. Each verb is one request, conditional
//! where it writes. A condition that failed is an answer, not an error, and one that failed because of our own earlier
//! write counts as success. docs/ledger.md is the design.

mod answer;
mod attempts;
mod changes;
mod client;
mod condition;
mod debts;
mod declarations;
mod deliveries;
mod drifts;
mod error;
mod fleet;
mod freezing;
mod history;
mod index;
mod item;
mod items;
mod keys;
mod lanes;
mod lists;
mod outcomes;
mod relations;
mod results;
mod runs;
mod targets;
mod write;

pub use answer::{
    Begun, Confirmed, Debts, Finished, Glance, Halting, LaneEnded, Look, Noted, OwedAnswer, OwedChange,
    OwedDrift, Page, Recorded, Related, Relation, Seen, Started, Stored, Taken, WorkEntry,
};
pub use declarations::Generation;
pub use error::LedgerError;
pub use fleet::Fleet;
pub use lists::ListQuery;
pub use outcomes::Note;
pub use results::{ResultsQuery, WithResult};

use aws_config::SdkConfig;
use aws_sdk_dynamodb::Client;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How soon somebody comes back to a run whose planner, ender or announcer may have been killed.
const SOON: Duration = Duration::from_mins(1);
/// Results, lanes and plan parts outlive the change that leads to them by this much, in which nobody reaches them.
const AFTER_THE_CHANGE: Duration = Duration::from_hours(7 * 24);

/// The table, whose client is made at the first use.
#[derive(Debug)]
pub struct Ledger {
    config: SdkConfig,
    client: OnceLock<Client>,
    table: String,
    retention: Duration,
    failures: AtomicU64,
}

impl Ledger {
    /// The ledger in that table; a record expires so long after its last run was submitted.
    pub fn new(config: &SdkConfig, table: String, retention: Duration) -> Self {
        let failures = AtomicU64::new(0);
        Self { config: config.clone(), client: OnceLock::new(), table, retention, failures }
    }

    /// How many requests have failed since this was asked last.
    pub fn take_failures(&self) -> u64 {
        self.failures.swap(0, Ordering::Relaxed)
    }
}
