//! The account's quota as a clock: when the next call may go out.

use crate::lock::Lock;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// A bucket of permits, refilled evenly: the generic cell rate algorithm (ATM Forum TM 4.1),
/// which needs one instant of state.
///
/// Our own and not `governor`: a wait that would end too late must not take a permit, a throttled
/// answer must empty the bucket, and tests run on tokio's clock.
#[derive(Debug)]
pub(crate) struct RateLimiter {
    interval: Duration,
    tolerance: Duration,
    /// How long nothing is sent after a throttled answer.
    pause: Duration,
    /// When the bucket will be full again.
    full_at: Lock<Instant>,
}

/// Permission to send one request.
#[derive(Debug)]
#[must_use]
pub struct Permit {
    /// How long the wait for it was.
    pub(crate) waited: Duration,
}

/// Waiting for a permit would take too long. No permit was taken.
#[derive(Debug, PartialEq, Eq)]
pub struct NoTime;

impl RateLimiter {
    /// `per_second` calls, and `burst` of them at once after a pause.
    pub(crate) fn new(per_second: f64, burst: u32) -> Self {
        let interval = Duration::from_secs_f64(per_second.recip());
        // Amazon's bucket sees our calls with the network's jitter: two that we send an interval
        // apart arrive closer together. A quarter of an interval in hand (125 ms at the default
        // quota) covers that. It costs this time once, not for each call.
        let tolerance = (interval * burst.saturating_sub(1)).saturating_sub(interval / 4);
        Self { interval, tolerance, pause: Duration::ZERO, full_at: Lock::new(Instant::now()) }
    }

    /// The same, for a process that gives way: after a throttled answer it sends nothing for as long as so many calls
    /// take, and leaves what the quota yields meanwhile to others.
    pub(crate) fn giving_way(self, calls: u32) -> Self {
        Self { pause: self.interval * calls, ..self }
    }

    /// Waits for a permit, unless that would end after `until`.
    ///
    /// # Errors
    /// [`NoTime`], at once.
    pub(crate) async fn permit(&self, until: Instant) -> Result<Permit, NoTime> {
        let (now, ready) = {
            let mut full_at = self.full_at.lock();
            let now = Instant::now();
            let ready = full_at.checked_sub(self.tolerance).map_or(now, |ready| ready.max(now));
            if ready > until {
                return Err(NoTime);
            }
            *full_at = (*full_at).max(now) + self.interval;
            (now, ready)
        };
        // even a timer for a time that has passed waits for the next tick, up to a millisecond
        if ready > now {
            sleep_until(ready).await;
        }
        Ok(Permit { waited: ready - now })
    }

    /// How long `calls` more calls would take from now.
    pub(crate) fn estimate(&self, calls: usize) -> Duration {
        let full_at = *self.full_at.lock();
        let waiting = full_at.saturating_duration_since(Instant::now());
        let calls = u32::try_from(calls).unwrap_or(u32::MAX).saturating_sub(1);
        (waiting + self.interval * calls).saturating_sub(self.tolerance)
    }

    /// Empties the bucket: Amazon Connect throttled a call, so its own bucket is empty.
    pub(crate) fn drained(&self) {
        let mut full_at = self.full_at.lock();
        *full_at = (*full_at).max(Instant::now() + self.tolerance + self.pause);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    async fn sent_at(limiter: &RateLimiter, calls: u32) -> Vec<u128> {
        let start = Instant::now();
        let far = start + Duration::from_hours(1);
        let mut at = Vec::new();
        for _ in 0..calls {
            assert!(limiter.permit(far).await.is_ok());
            at.push((Instant::now() - start).as_millis());
        }
        at
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_goes_at_once_and_the_rest_at_the_rate() {
        let limiter = RateLimiter::new(2.0, 5);
        assert_eq!(sent_at(&limiter, 8).await, [0, 0, 0, 0, 125, 625, 1125, 1625]);
        tokio::time::sleep(Duration::from_mins(1)).await;
        assert_eq!(sent_at(&limiter, 6).await, [0, 0, 0, 0, 125, 625]);
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_burst_every_call_waits_its_interval() {
        assert_eq!(sent_at(&RateLimiter::new(4.0, 1), 4).await, [0, 250, 500, 750]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_that_ends_too_late_takes_no_permit() {
        let limiter = RateLimiter::new(1.0, 1);
        let now = Instant::now();
        assert!(limiter.permit(now).await.is_ok());
        assert_eq!(limiter.permit(now + Duration::from_millis(999)).await.err(), Some(NoTime));
        assert!(limiter.permit(now + Duration::from_secs(1)).await.is_ok());
        assert_eq!((Instant::now() - now).as_millis(), 1000);
    }

    #[tokio::test(start_paused = true)]
    async fn an_available_permit_does_not_wait_for_the_timer() {
        let limiter = RateLimiter::new(2.0, 5);
        let permit = limiter.permit(Instant::now()).now_or_never();
        assert_eq!(permit.map(|permit| permit.map(|permit| permit.waited)), Some(Ok(Duration::ZERO)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_throttled_answer_empties_the_bucket() {
        let limiter = RateLimiter::new(2.0, 5);
        limiter.drained();
        assert_eq!(sent_at(&limiter, 3).await, [0, 500, 1000]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_process_that_gives_way_pauses_after_a_throttled_answer_once() {
        let limiter = RateLimiter::new(2.0, 3).giving_way(5);
        for _ in 0..2 {
            limiter.drained();
        }
        assert_eq!(sent_at(&limiter, 3).await, [2500, 3000, 3500]);
    }

    #[tokio::test(start_paused = true)]
    async fn the_estimate_is_what_the_calls_then_take() {
        let limiter = RateLimiter::new(2.0, 5);
        let estimate = limiter.estimate(100);
        let at = sent_at(&limiter, 100).await;
        assert_eq!(at.last().copied(), Some(estimate.as_millis()));
    }
}
