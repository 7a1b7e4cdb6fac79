//! Collects the costs of all calls of one invocation.

use super::Operation;
use crate::lock::Lock;
use policy_core::calls::{CallCost, CallTotals};

/// Every call of one invocation.
#[derive(Debug, Default)]
pub struct CallLog(Lock<CallTotals>);

impl CallLog {
    pub(super) fn add(&self, operation: Operation, cost: CallCost) {
        let mut totals = self.0.lock();
        totals.all = totals.all.and(cost);
        if operation == Operation::Update && cost.attempts > 0 {
            totals.update_attempts += cost.attempts;
            totals.updates.push(cost.took);
        }
    }

    /// What the calls so far cost.
    pub fn totals(&self) -> CallTotals {
        self.0.lock().clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn only_an_update_that_was_sent_has_a_latency() {
        let log = CallLog::default();
        let waited = Duration::from_secs(1);
        let took = Duration::from_millis(80);
        let unsent = CallCost { waited, ..CallCost::default() };
        let sent = CallCost { attempts: 2, throttled: 1, took, waited };
        log.add(Operation::Update, unsent);
        log.add(Operation::Update, sent);
        log.add(Operation::Describe, sent);
        let totals = log.totals();
        assert_eq!((totals.update_attempts, totals.updates), (2, vec![took]));
        assert_eq!((totals.all.attempts, totals.all.throttled, totals.all.waited), (4, 2, waited * 3));
    }
}
