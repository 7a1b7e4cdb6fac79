//! The Amazon Connect client: read, update, resolve. The only module that uses its SDK.
//!
//! Retries are the SDK's. Each account, Region and operation has one rate limit, which retries obey too. Each call has
//! an instant by which it must have ended.

mod attempts;
mod call_log;
mod error;
mod opening;
mod rate_limiter;
mod role;
mod settings;
mod verbs;

pub use attempts::Lease;
pub use call_log::CallLog;
pub use error::CallError;
pub use rate_limiter::{NoTime, Permit};
pub use settings::ConnectSettings;
pub use verbs::{Answer, Call, Listed, Target};

use crate::lock::Lock;
use attempts::CountedClient;
use aws_config::SdkConfig;
use aws_sdk_connect::config::retry::{ClassifyRetry, RetryAction, RetryConfig, RetryPartition, TokenBucket};
use aws_sdk_connect::config::timeout::TimeoutConfig;
use aws_sdk_connect::config::{Builder, Region, SharedHttpClient};
use aws_sdk_connect::{Client, config};
use policy_core::aws::{AccountId, RegionName, RoleArn};
use policy_core::policy::{Home, Instance};
use policy_core::record::LaneName;
use rate_limiter::RateLimiter;
use role::AssumedRole;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// TCP and TLS to a Region's endpoint: two round trips and their retransmissions.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// From a request to the head of its answer. Configuration calls answer within a second. An answer that takes five
/// times as long is probably lost, and an HTTP invocation of 28 s still has time to try again.
const READ_TIMEOUT: Duration = Duration::from_secs(5);
/// The burst of Amazon Connect's own bucket: it is full again after so many calls' time.
const QUOTA_BURST: u32 = 5;
/// A call is not started with less time than this. Configuration calls answer within it. The result of a call that is
/// cut off would be unknown.
pub const CALL_TIME: Duration = Duration::from_millis(500);
/// What a configuration call usually takes, for estimates only.
const USUAL_LATENCY: Duration = Duration::from_millis(100);
/// One fixed session name, so that CloudTrail shows every spoke call as this function's.
const SESSION_NAME: &str = "connect-attachment-policy";

/// The operations this function calls, each with its own bucket unless the quota is shared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operation {
    Update,
    Describe,
    List,
    ListInstances,
    DescribeInstance,
}

/// Every account and Region of Amazon Connect this function may call.
#[derive(Debug)]
pub struct Connect {
    config: SdkConfig,
    http: SharedHttpClient,
    settings: ConnectSettings,
    lanes: Lock<HashMap<LaneKey, Arc<LaneClient>>>,
}

/// An account and a Region: together they have one quota.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LaneKey {
    access: Access,
    region: RegionName,
}

/// Whose credentials reach an account.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Access {
    /// Our own: it is our account.
    Own,
    /// Those of a role there.
    Role(RoleArn),
    /// Nobody's: it had a role when the change was accepted. With our own credentials `*` would mean our own instances.
    Nobodys(AccountId),
}

/// One account and Region: its client and its rate limits.
#[derive(Debug)]
pub struct LaneClient {
    client: Client,
    /// The account, where nothing is sent because it has no role.
    out_of_reach: Option<AccountId>,
    update: Arc<RateLimiter>,
    describe: Arc<RateLimiter>,
    list: Arc<RateLimiter>,
    list_instances: Arc<RateLimiter>,
    describe_instance: Arc<RateLimiter>,
}

impl Connect {
    /// Makes no call: clients are made when the first target needs them.
    pub fn new(config: SdkConfig, http: SharedHttpClient, settings: ConnectSettings) -> Self {
        Self { config, http, settings, lanes: Lock::default() }
    }

    /// The account and Region whose quota the instance uses, as seen from the function's own account.
    pub fn key(&self, instance: &Instance, home: &Home) -> LaneKey {
        LaneKey { access: self.access(instance.account, home), region: instance.region.clone() }
    }

    /// The same of a whole account and Region.
    pub fn lane_key(&self, lane: &LaneName, home: &Home) -> LaneKey {
        LaneKey { access: self.access(lane.account, home), region: lane.region.clone() }
    }

    fn access(&self, account: Option<AccountId>, home: &Home) -> Access {
        let Some(account) = account.filter(|account| home.account != Some(*account)) else {
            return Access::Own;
        };
        match self.settings.roles.get(&account) {
            Some(role) => Access::Role(role.clone()),
            // who does not know its own account takes every other for it
            None if home.account.is_none() => Access::Own,
            None => Access::Nobodys(account),
        }
    }

    /// The lane of an account and Region, made at its first use and kept for the process's life.
    pub fn lane(&self, key: &LaneKey) -> Arc<LaneClient> {
        if let Some(lane) = self.lanes.lock().get(key) {
            return Arc::clone(lane);
        }
        let lane = Arc::new(self.open(key));
        let mut lanes = self.lanes.lock();
        Arc::clone(lanes.entry(key.clone()).or_insert(lane))
    }

    fn open(&self, key: &LaneKey) -> LaneClient {
        let region = Region::new(key.region.to_string());
        let mut builder = Builder::from(&self.config)
            .region(region)
            .http_client(CountedClient(self.http.clone()))
            .retry_config(self.retries())
            // the rate limit and the deadline already bound retries; an empty token bucket would only make a throttled
            // call fail early
            .retry_partition(RetryPartition::custom("connect").token_bucket(TokenBucket::unlimited()).build())
            .retry_classifier(UntypedThrottle)
            .timeout_config(
                TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).read_timeout(READ_TIMEOUT).build(),
            );
        if let Access::Role(role_arn) = &key.access {
            let provider = AssumedRole::new(&self.config, role_arn.as_str());
            builder = builder.credentials_provider(provider);
        }
        let limiter = || {
            let limiter = RateLimiter::new(self.settings.requests_per_second, self.settings.burst);
            Arc::new(if self.settings.gives_way { limiter.giving_way(QUOTA_BURST) } else { limiter })
        };
        let shared = self.settings.shared_quota.then(limiter);
        let limiter = || shared.clone().unwrap_or_else(limiter);
        LaneClient {
            client: Client::from_conf(builder.build()),
            out_of_reach: match key.access {
                Access::Nobodys(account) => Some(account),
                Access::Own | Access::Role(_) => None,
            },
            update: limiter(),
            describe: limiter(),
            list: limiter(),
            list_instances: limiter(),
            describe_instance: limiter(),
        }
    }

    /// Full jitter from the time in which the quota yields one call (500 ms at the default) up to
    /// the time in which it yields a whole burst (2.5 s): waiting longer only leaves quota unused.
    fn retries(&self) -> RetryConfig {
        let interval = Duration::from_secs_f64(self.settings.requests_per_second.recip());
        RetryConfig::standard()
            .with_max_attempts(self.settings.max_attempts)
            .with_initial_backoff(interval)
            .with_max_backoff(interval * self.settings.burst)
    }
}

impl LaneClient {
    fn limiter(&self, operation: Operation) -> &Arc<RateLimiter> {
        match operation {
            Operation::Update => &self.update,
            Operation::Describe => &self.describe,
            Operation::List => &self.list,
            Operation::ListInstances => &self.list_instances,
            Operation::DescribeInstance => &self.describe_instance,
        }
    }

    /// How long the tags of that many instances would take at the configured rate, from now.
    pub fn estimate_tags(&self, instances: usize) -> Duration {
        self.describe_instance.estimate(instances)
    }

    /// How long that many calls would take at the configured rate, from now.
    ///
    /// Reads are sent one after the other, and so are updates, so that an answer's time counts where it is longer
    /// than the rate's interval.
    pub fn estimate(&self, lists: usize, describes: usize, updates: usize) -> Duration {
        let latency = |calls: usize| USUAL_LATENCY * u32::try_from(calls).unwrap_or(u32::MAX);
        let reads = lists + describes;
        let limited = if Arc::ptr_eq(&self.update, &self.list) {
            self.update.estimate(reads + updates)
        } else {
            let reads = self.list.estimate(lists).max(self.describe.estimate(describes));
            self.update.estimate(updates).max(reads)
        };
        limited.max(latency(updates)).max(latency(reads))
    }
}

/// A 429 without an error name is throttling too. The SDK looks at names only.
#[derive(Debug)]
struct UntypedThrottle;

impl ClassifyRetry for UntypedThrottle {
    fn classify_retry(&self, context: &config::interceptors::InterceptorContext) -> RetryAction {
        match context.response() {
            Some(response) if response.status().as_u16() == 429 => RetryAction::throttling_error(),
            _ => RetryAction::NoActionIndicated,
        }
    }

    fn name(&self) -> &'static str {
        "UntypedThrottle"
    }
}

#[cfg(test)]
mod tests;
