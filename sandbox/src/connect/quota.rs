//! Requests per second, as Amazon Connect counts them.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use super::operation::Operation;

/// A quota: how many requests are admitted.
///
/// Each account and Region has its own, which all its instances share.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// Requests a second, in the long run.
    pub per_second: f64,
    /// Requests at once, after a pause.
    pub burst: u32,
    /// One bucket for all operations, instead of one for each. AWS's documentation allows both readings.
    pub shared: bool,
}

impl Default for Rate {
    /// What an account has unless AWS raised it: 2 a second, 5 at once.
    ///
    /// Amazon Connect administrator guide, "API throttling quotas".
    fn default() -> Self {
        Self { per_second: 2.0, burst: 5, shared: false }
    }
}

type Key = (String, String, Option<Operation>);

/// The token buckets of every account and Region seen.
///
/// Each starts full and is refilled continuously.
#[derive(Debug)]
pub(super) struct Quota {
    rate: Option<Rate>,
    buckets: HashMap<Key, Bucket>,
}

#[derive(Debug)]
struct Bucket {
    tokens: f64,
    filled: Instant,
}

impl Quota {
    /// Without a rate there is no quota.
    pub(super) fn new(rate: Option<Rate>) -> Self {
        Self { rate, buckets: HashMap::new() }
    }

    /// Takes one token. `false`: the bucket is empty, and the request has to be throttled.
    pub(super) fn admits(&mut self, account: &str, region: &str, operation: Operation, now: Instant) -> bool {
        let Some(rate) = self.rate else { return true };
        let key = (account.to_owned(), region.to_owned(), (!rate.shared).then_some(operation));
        let burst = f64::from(rate.burst);
        let bucket = self.buckets.entry(key).or_insert(Bucket { tokens: burst, filled: now });
        let elapsed = now.checked_duration_since(bucket.filled).unwrap_or(Duration::ZERO);
        bucket.tokens = (bucket.tokens + elapsed.as_secs_f64() * rate.per_second).min(burst);
        bucket.filled = now;
        // Repeated refills round: without the margin, a caller exactly at the rate loses a token.
        let admitted = bucket.tokens >= 1.0 - 1e-6;
        if admitted {
            bucket.tokens -= 1.0;
        }
        admitted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UPDATE: Operation = Operation::UpdateAttachedFilesConfiguration;
    const LIST: Operation = Operation::ListAttachedFilesConfigurations;

    fn admitted(quota: &mut Quota, times: u32, now: Instant) -> usize {
        (0..times).filter(|_| quota.admits("1", "r", UPDATE, now)).count()
    }

    #[test]
    fn without_a_rate_everything_is_admitted() {
        assert_eq!(admitted(&mut Quota::new(None), 1_000, Instant::now()), 1_000);
    }

    #[test]
    fn a_burst_passes_then_the_rate() {
        let mut quota = Quota::new(Some(Rate::default()));
        let start = Instant::now();
        assert_eq!(admitted(&mut quota, 10, start), 5);
        assert_eq!(admitted(&mut quota, 10, start + Duration::from_millis(400)), 0);
        assert_eq!(admitted(&mut quota, 10, start + Duration::from_millis(500)), 1);
        assert_eq!(admitted(&mut quota, 10, start + Duration::from_mins(1)), 5);
    }

    #[test]
    fn a_caller_exactly_at_the_rate_is_never_throttled() {
        let mut quota = Quota::new(Some(Rate { per_second: 3.0, burst: 1, shared: false }));
        let start = Instant::now();
        assert!((0..1_000).all(|n| quota.admits("1", "r", UPDATE, start + Duration::from_secs(n) / 3)));
    }

    #[test]
    fn each_account_region_and_operation_has_a_bucket() {
        let mut quota = Quota::new(Some(Rate { per_second: 1.0, burst: 1, shared: false }));
        let now = Instant::now();
        assert!(quota.admits("1", "r", UPDATE, now));
        assert!(quota.admits("2", "r", UPDATE, now));
        assert!(quota.admits("1", "s", UPDATE, now));
        assert!(quota.admits("1", "r", LIST, now));
        assert!(!quota.admits("1", "r", UPDATE, now));
    }

    #[test]
    fn a_shared_bucket_serves_all_operations() {
        let mut quota = Quota::new(Some(Rate { per_second: 1.0, burst: 1, shared: true }));
        let now = Instant::now();
        assert!(quota.admits("1", "r", UPDATE, now));
        assert!(!quota.admits("1", "r", LIST, now));
        assert!(quota.admits("2", "r", LIST, now));
    }
}
