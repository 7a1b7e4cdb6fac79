//! What somebody has to come back to.

use super::answer::OwedChange;
use super::client::Lookup;
use super::condition::Condition;
use super::item::{Fields, text};
use super::items::values::time;
use super::keys::{SHARDS, change_of, owed_in};
use super::{Ledger, LedgerError};
use futures_util::future::try_join_all;
use policy_core::record::Millis;

/// How many are read at once of a shard. What is left comes a minute later.
const AT_ONCE: usize = 100;

impl Ledger {
    /// The changes whose time has come, of each shard the longest overdue first. The index may be behind: what is to be
    /// done is decided by the change itself.
    pub async fn owed(&self, now: Millis) -> Result<Vec<OwedChange>, LedgerError> {
        let shards = (0..SHARDS).map(|shard| Lookup {
            index: Some("owed"),
            is_consistent: false,
            limit: Some(AT_ONCE),
            ..Lookup::of(Condition::All(vec![
                Condition::Is("owed", text(owed_in(shard))),
                Condition::AtMost("due", time(now)),
            ]))
        });
        let shards: Vec<_> = shards.collect();
        let found = try_join_all(shards.iter().map(|lookup| self.look_up(lookup, None))).await?;
        let items = found.iter().flat_map(|found| &found.items);
        items.map(|item| Ok(OwedChange(Fields::of(item).parsed("pk", change_of)?))).collect()
    }
}
