//! What each kind of item looks like: one file per kind, encoded and decoded side by side.

pub(super) mod change;
pub(super) mod declaration;
pub(super) mod drift;
pub(super) mod freeze;
pub(super) mod lane;
pub(super) mod origin;
pub(super) mod owner;
pub(super) mod result;
pub(super) mod run;
pub(super) mod target;
pub(super) mod values;

use super::item::{Fields, Item};
use super::{AFTER_THE_CHANGE, Ledger};
use aws_sdk_dynamodb::types::AttributeValue;
use policy_core::record::{Millis, RunKey};

/// Every item's expiry, in whole seconds.
pub(super) const TTL: &str = "ttl";

impl Ledger {
    /// When a change expires that was submitted then.
    pub(super) fn change_expires(&self, key: RunKey) -> AttributeValue {
        expires_at(key.0.plus(self.retention))
    }

    /// The same where the run ends now: whoever waited for its end can read it, however long the run was frozen.
    pub(super) fn ended_expires(&self, key: RunKey, now: Millis) -> AttributeValue {
        expires_at(key.0.plus(self.retention).max(now.plus(AFTER_THE_CHANGE)))
    }

    /// When a run's results, lanes and plan parts expire.
    pub(super) fn rest_expires(&self, key: RunKey) -> AttributeValue {
        expires_at(key.0.plus(self.retention + AFTER_THE_CHANGE))
    }
}

/// An expiry, in whole seconds.
pub(super) fn expires_at(at: Millis) -> AttributeValue {
    super::item::number(at.0.div_ceil(1_000))
}

/// When an item expires.
pub(super) fn expires(fields: &Fields<'_>) -> Result<Option<Millis>, super::LedgerError> {
    let seconds: Option<u64> = fields.some_number(TTL)?;
    Ok(seconds.map(|seconds| Millis(seconds.saturating_mul(1_000))))
}

/// The item, unless it has expired: DynamoDB deletes days late.
pub(super) fn living(item: Item, now: Millis) -> Result<Option<Item>, super::LedgerError> {
    let is_over = expires(&Fields::of(&item))?.is_some_and(|at| at <= now);
    Ok((!is_over).then_some(item))
}

#[cfg(test)]
mod tests;
