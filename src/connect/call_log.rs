//! Notes what every call of one invocation cost.

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
