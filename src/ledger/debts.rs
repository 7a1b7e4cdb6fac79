//! What somebody has to come back to.

use super::answer::{Debts, OwedAnswer, OwedChange, OwedDrift};
use super::client::{Lookup, Written};
use super::condition::Condition;
use super::item::{Fields, text};
use super::items::values::time;
use super::keys::{Key, SHARDS, answer_of, change_of, drift_of, earlier_run_of, owed_in};
use super::write::Change;
use super::{Ledger, LedgerError};
use futures_util::future::try_join_all;
use policy_core::record::{ChangeRecord, Millis};

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
            let (pk, sk) = (fields.text("pk")?, fields.text("sk")?);
            if let Some((stack_id, logical_id, generation)) = answer_of(pk, sk) {
                debts.answers.push(OwedAnswer { stack_id, logical_id, generation, is_due });
            } else if let Some((target, id)) = drift_of(pk, sk) {
                debts.drifts.push(OwedDrift { target, id, is_due });
            } else {
                let change_id = fields.parsed("pk", change_of)?;
                debts.changes.push(OwedChange { change_id, run: earlier_run_of(sk), is_due });
            }
        }
        Ok(debts)
    }

    /// The run owes no event any more.
    pub async fn announced(&self, change: &ChangeRecord) -> Result<(), LedgerError> {
        self.of_debt(change, |key| Change::of(key).remove("announce").remove("owed").remove("due")).await
    }

    /// Somebody comes back then to the event that the run owes.
    pub async fn announce_at(&self, change: &ChangeRecord, due: Millis) -> Result<(), LedgerError> {
        self.of_debt(change, |key| Change::of(key).set("due", time(due))).await
    }

    /// Changes the debt of a run, which a newer one may have moved aside meanwhile.
    async fn of_debt(&self, of: &ChangeRecord, change: impl Fn(Key) -> Change) -> Result<(), LedgerError> {
        for key in [Key::change(&of.change_id), Key::earlier_run(&of.change_id, of.run)] {
            let owes = vec![Condition::Is("key", text(of.key)), Condition::Present("announce")];
            let item = match self.update(change(key).when(Condition::All(owes)), false).await? {
                Written::Now(_) => return Ok(()),
                Written::Not(item) => item,
            };
            // the run is there and owes nothing
            if item.get("key") == Some(&text(of.key)) {
                return Ok(());
            }
        }
        Ok(())
    }
}
