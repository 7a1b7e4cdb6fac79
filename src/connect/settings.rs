//! The operator's settings for calls to Amazon Connect.

use policy_core::aws::{AccountId, RoleArn};
use std::collections::BTreeMap;

/// The rate, the retries and the roles of calls to Amazon Connect.
#[derive(Debug, Clone, PartialEq)]
pub struct ConnectSettings {
    /// `CONNECT_REQUESTS_PER_SECOND`: this process's share of the account's quota.
    pub requests_per_second: f64,
    /// `CONNECT_BURST`.
    pub burst: u32,
    /// `CONNECT_QUOTA`: whether all operations share one bucket.
    pub shared_quota: bool,
    /// Whether it leaves the quota to others for a while once a call was throttled: a worker, which has time, to
    /// requests, which have not.
    pub gives_way: bool,
    /// `CONNECT_MAX_ATTEMPTS`, retries included.
    pub max_attempts: u32,
    /// `CONNECT_ROLE_ARNS`: account → role.
    pub roles: BTreeMap<AccountId, RoleArn>,
}

impl ConnectSettings {
    /// Seconds until the quota has yielded the calls of that many targets, at least 1: an update
    /// each, and from a shared quota a read as well.
    pub fn seconds_for(&self, targets: usize) -> u64 {
        let calls = if self.shared_quota { targets.saturating_mul(2) } else { targets };
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "at most a few thousand calls over a positive rate"
        )]
        let seconds = (calls as f64 / self.requests_per_second).ceil() as u64;
        seconds.max(1)
    }
}

impl Default for ConnectSettings {
    /// The documented quota of operations without an entry of their own: 2 a second, burst 5.
    fn default() -> Self {
        Self {
            requests_per_second: 2.0,
            burst: 5,
            shared_quota: false,
            gives_way: false,
            max_attempts: 6,
            roles: BTreeMap::new(),
        }
    }
}
