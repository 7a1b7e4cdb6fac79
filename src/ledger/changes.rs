//! Recording changes and their plans, and reading one.

use super::answer::Recorded;
use super::client::{Lookup, Transacted, Written};
use super::condition::Condition;
use super::item::{Draft, Fields, Item, flag, number, text};
use super::items::{TTL, change, living};
use super::keys::{self, Key};
use super::write::{Replacement, Write};
use super::{Ledger, LedgerError, SOON};
use policy_core::policy::ChangeId;
use policy_core::record::{self, ChangeRecord, Millis, Mode, PlanRef, RecordStatus, RunKey};

/// The statuses of a run that has not ended.
pub(super) const UNFINISHED: [RecordStatus; 2] = [RecordStatus::Accepted, RecordStatus::Running];

/// The run has ended.
pub(super) fn is_final() -> Condition {
    let final_ones = RecordStatus::ALL.iter().filter(|status| status.is_final());
    Condition::OneOf("status", final_ones.map(text).collect())
}

/// It has not.
pub(super) fn is_unfinished() -> Condition {
    Condition::OneOf("status", UNFINISHED.iter().map(text).collect())
}

/// The id is free: nobody used it, or what used it has expired. A rejected document's record gets a next run, so that
/// no two events have the same id and run.
pub(super) fn is_free(now: Millis) -> Condition {
    Condition::Any(vec![Condition::Absent("pk"), Condition::AtMost(TTL, number(now.0 / 1_000))])
}

/// When somebody has to come back to a run that starts, or is refused, now.
fn due(record: &ChangeRecord, now: Millis) -> Option<Millis> {
    let is_owed = !record.status.is_final() || record.announce;
    let until = record.holder.as_ref().filter(|_| record.mode == Mode::Inline).map(|holder| holder.until);
    is_owed.then(|| until.unwrap_or_else(|| now.plus(SOON)))
}

impl Ledger {
    /// Records a change whose id is free: unused or expired.
    ///
    /// The sweep comes back to it when its holder is dead, or in a minute if its lanes are to be planned.
    pub async fn record(&self, record: &ChangeRecord, now: Millis) -> Result<Recorded, LedgerError> {
        match self.put(self.first_run(record, now)).await? {
            Written::Now(_) => Ok(Recorded::Stored),
            Written::Not(item) => recorded(&item, record),
        }
    }

    /// The write that records a change.
    pub(super) fn first_run(&self, record: &ChangeRecord, now: Millis) -> Replacement {
        self.newest_run(record, now).when(is_free(now))
    }

    fn newest_run(&self, record: &ChangeRecord, now: Millis) -> Replacement {
        Replacement::of(change::encode(record, self.change_expires(record.key), due(record, now)))
    }

    /// Starts the next run of a final record: moves `old` aside and puts `new` in its place.
    ///
    /// Nothing is written if `old` is not any more what it was: another run, another change that undoes or applies it,
    /// another state of the event that it owes.
    pub async fn next_run(
        &self,
        old: &ChangeRecord,
        new: &ChangeRecord,
        now: Millis,
    ) -> Result<Recorded, LedgerError> {
        match self.transact(self.as_next_run(old, new, now)).await? {
            Transacted::Now => Ok(Recorded::Stored),
            Transacted::Not(reasons) => {
                recorded(Transacted::refused(&reasons, 1).unwrap_or(&Item::new()), new)
            }
        }
    }

    /// The writes of a next run: `old` moved aside, and `new` in its place.
    pub(super) fn as_next_run(&self, old: &ChangeRecord, new: &ChangeRecord, now: Millis) -> Vec<Write> {
        let relations = &old.relations;
        let as_seen = Condition::All(vec![
            Condition::Is("run", number(old.run)),
            Condition::Is("key", text(old.key)),
            is_final(),
            Condition::as_seen("undone_by", relations.undone_by.as_ref().map(text)),
            Condition::as_seen("applied_by", relations.applied_by.as_ref().map(text)),
            Condition::as_seen("announce", old.announce.then(|| flag(true))),
        ]);
        // whatever an expired record of this id has left there is no longer of use
        let moved = change::encode_earlier(old, self.change_expires(old.key), due(old, now));
        let moved = Replacement::of(moved);
        vec![Write::Put(moved), Write::Put(self.newest_run(new, now).when(as_seen))]
    }

    /// Stores the parts of a plan, or of what `"*"` means in a lane. Those of the same name are the same.
    ///
    /// Every run stores its parts again, which moves their expiry.
    pub async fn put_parts(
        &self,
        id: &ChangeId,
        name: &str,
        parts: &[&str],
        key: RunKey,
    ) -> Result<(), LedgerError> {
        for (at, part) in parts.iter().enumerate() {
            let item = Draft::of(Key::part(id, name, at))
                .with("text", text(part))
                .with("of", number(parts.len()))
                .with(TTL, self.rest_expires(key));
            self.put(Replacement::of(item.done())).await?;
        }
        Ok(())
    }

    /// The parts of that name, joined.
    ///
    /// # Errors
    /// Also if one of them is missing.
    pub async fn parts(&self, id: &ChangeId, name: &str) -> Result<String, LedgerError> {
        let lookup = Lookup::of(Condition::All(vec![
            Condition::Is("pk", text(keys::changes(id))),
            Condition::StartsWith("sk", keys::parts(name)),
        ]));
        let items = self.look_up_all(&lookup).await?;
        let mut joined = String::new();
        for item in &items {
            let part = Fields::of(item);
            if part.number::<usize>("of")? != items.len() {
                return Err(part.corrupt("of", &format!("another number than {}", items.len())));
            }
            joined.push_str(part.text("text")?);
        }
        if items.is_empty() {
            return Err(gone(&Key::part(id, name, 0)));
        }
        Ok(joined)
    }

    /// Puts the parts of a plan that is too long for the record's own item, before the record that points to them.
    pub async fn put_plan(&self, record: &ChangeRecord, text: &str) -> Result<(), LedgerError> {
        if let PlanRef::Parts { name, .. } = &record.plan {
            let (_, parts) = record::parts(text);
            self.put_parts(&record.change_id, name, &parts, record.key).await?;
        }
        Ok(())
    }

    /// A change and its newest run; an expired one is none.
    pub async fn change(&self, id: &ChangeId, now: Millis) -> Result<Option<ChangeRecord>, LedgerError> {
        self.run_at(Key::change(id), now).await
    }

    /// A run before the newest.
    pub async fn earlier_run(
        &self,
        id: &ChangeId,
        run: u32,
        now: Millis,
    ) -> Result<Option<ChangeRecord>, LedgerError> {
        self.run_at(Key::earlier_run(id, run), now).await
    }

    async fn run_at(&self, key: Key, now: Millis) -> Result<Option<ChangeRecord>, LedgerError> {
        let Some(item) = self.get(key, true).await? else { return Ok(None) };
        living(item, now)?.as_ref().map(change::decode).transpose()
    }
}

/// What the record that is there instead means: an earlier try of this very write, or another record.
pub(super) fn recorded(item: &Item, new: &ChangeRecord) -> Result<Recorded, LedgerError> {
    if item.is_empty() {
        return Err(gone(&Key::change(&new.change_id)));
    }
    let there = change::decode(item)?;
    let is_ours = there.token == new.token;
    Ok(if is_ours { Recorded::Stored } else { Recorded::Exists(Box::new(there)) })
}

/// An item is not there although what leads to it is.
pub(super) fn gone(key: &Key) -> LedgerError {
    LedgerError::Corrupt { item: key.to_string(), what: "is not there".to_owned() }
}
