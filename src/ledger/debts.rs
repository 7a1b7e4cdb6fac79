//! What somebody has to come back to.

use super::answer::OwedChange;
use super::client::Lookup;
use super::condition::Condition;
use super::item::{Fields, text};
use super::keys::{SHARDS, change_of, owed_in};
use super::{Ledger, LedgerError};
use futures_util::future::try_join_all;
use policy_core::record::Millis;

/// How many are read at once of a shard. What is left comes a minute later.
const AT_ONCE: usize = 100;

impl Ledger {
    /// The changes that somebody has to come back to, of each shard the longest overdue first: those whose time has come,
    /// and then those whose time will. The index may be behind: what is to be done is decided by the change itself.
    pub async fn owed(&self, now: Millis) -> Result<Vec<OwedChange>, LedgerError> {
        let shards = (0..SHARDS).map(|shard| Lookup {
            index: Some("owed"),
            is_consistent: false,
            limit: Some(AT_ONCE),
            ..Lookup::of(Condition::All(vec![Condition::Is("owed", text(owed_in(shard)))]))
        });
        let shards: Vec<_> = shards.collect();
        let found = try_join_all(shards.iter().map(|lookup| self.look_up(lookup, None))).await?;
        let items = found.iter().flat_map(|found| &found.items);
        let owed = items.map(|item| {
            let fields = Fields::of(item);
            let due = Millis(fields.number("due")?);
            Ok(OwedChange { change_id: fields.parsed("pk", change_of)?, is_due: due <= now })
        });
        owed.collect()
    }
}
