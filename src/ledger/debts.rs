//! What somebody has to come back to.

use super::answer::{Debts, OwedAnswer, OwedChange};
use super::client::Lookup;
use super::condition::Condition;
use super::item::{Fields, text};
use super::keys::{SHARDS, answer_of, change_of, owed_in};
use super::{Ledger, LedgerError};
use futures_util::future::try_join_all;
use policy_core::record::Millis;

/// How many are read at once of a shard. What is left comes a minute later.
const AT_ONCE: usize = 100;

impl Ledger {
    /// What somebody has to come back to, of each shard the longest overdue first: what is due, and then what will be. The
    /// index may be behind: what is to be done is decided by the item itself.
    pub async fn owed(&self, now: Millis) -> Result<Debts, LedgerError> {
        let shards = (0..SHARDS).map(|shard| Lookup {
            index: Some("owed"),
            is_consistent: false,
            limit: Some(AT_ONCE),
            ..Lookup::of(Condition::All(vec![Condition::Is("owed", text(owed_in(shard)))]))
        });
        let shards: Vec<_> = shards.collect();
        let found = try_join_all(shards.iter().map(|lookup| self.look_up(lookup, None))).await?;
        let mut debts = Debts::default();
        for item in found.iter().flat_map(|found| &found.items) {
            let fields = Fields::of(item);
            let is_due = Millis(fields.number("due")?) <= now;
            if let Some((stack_id, logical_id, generation)) =
                answer_of(fields.text("pk")?, fields.text("sk")?)
            {
                debts.answers.push(OwedAnswer { stack_id, logical_id, generation, is_due });
            } else {
                let change_id = fields.parsed("pk", change_of)?;
                debts.changes.push(OwedChange { change_id, is_due });
            }
        }
        Ok(debts)
    }
}
