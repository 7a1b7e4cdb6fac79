//! A run from its start to its end.

use super::answer::{Finished, Halting};
use super::changes::{gone, is_unfinished};
use super::client::Written;
use super::condition::Condition;
use super::item::{Item, flag, number, text};
use super::items::run::{self, CANCELLED, other_plan};
use super::items::values::{counts_map, time};
use super::items::{TTL, change};
use super::keys::Key;
use super::write::Change;
use super::{Ledger, LedgerError, SOON};
use policy_core::record::{ChangeRecord, Counts, Halt, Holder, Millis, Mode, PlanRef, RecordStatus, RunName};

/// The record is at this run.
fn is_at(run: &RunName) -> Condition {
    Condition::Is("key", text(run.key))
}

/// An inline run goes on, in the hands of whom it was seen in.
fn is_held_by(seen: Option<&str>) -> Condition {
    Condition::All(vec![
        Condition::Is("mode", text(change::mode(Mode::Inline))),
        Condition::Is("status", text(RecordStatus::Running)),
        Condition::as_seen("holder.token", seen.map(text)),
    ])
}

impl Ledger {
    async fn change_run(
        &self,
        run: &RunName,
        change: Change,
        when: Condition,
    ) -> Result<Written, LedgerError> {
        self.update(change.when(Condition::All(vec![is_at(run), when])), false).await
    }

    fn of(run: &RunName) -> Change {
        Change::of(Key::change(&run.change_id))
    }

    /// A run by lanes has been begun: the first delivery of any lane.
    pub async fn started(&self, run: &RunName, now: Millis) -> Result<(), LedgerError> {
        let change = Self::of(run).set("status", text(RecordStatus::Running)).set("started", time(now));
        let when = Condition::Is("status", text(RecordStatus::Accepted));
        self.change_run(run, change, when).await.map(|_| ())
    }

    /// Every lane has its item and its message; somebody comes back at `next_due`.
    pub async fn mark_sent(&self, run: &RunName, next_due: Millis) -> Result<(), LedgerError> {
        let change = Self::of(run).set("sent", flag(true)).set("due", time(next_due));
        self.change_run(run, change, is_unfinished()).await.map(|_| ())
    }

    /// Turns an inline run into one by lanes, for whoever plans them next. `false`: somebody else holds the run.
    pub async fn convert(
        &self,
        run: &RunName,
        holder_token: &str,
        plan: &PlanRef,
        lanes: u32,
        targets: u32,
        now: Millis,
    ) -> Result<bool, LedgerError> {
        let (attribute, value) = run::plan(plan);
        let change = Self::of(run)
            .set("mode", text(change::mode(Mode::Lanes)))
            .set("status", text(RecordStatus::Accepted))
            .set(attribute, value)
            .set("lanes", number(lanes))
            .set("targets", number(targets))
            .set("due", time(now.plus(SOON)))
            .remove(other_plan(plan))
            .remove("sent")
            .remove("holder");
        match self.change_run(run, change, is_held_by(Some(holder_token))).await? {
            Written::Now(_) => Ok(true),
            Written::Not(item) => {
                let there = there(&item, run)?;
                Ok(there.key == run.key && there.mode == Mode::Lanes)
            }
        }
    }

    /// Takes an inline run from a holder that is dead. `false`: somebody else was faster.
    pub async fn take_over(
        &self,
        run: &RunName,
        seen: Option<&Holder>,
        mine: &Holder,
    ) -> Result<bool, LedgerError> {
        let change = Self::of(run).set("holder", run::holder(mine)).set("due", time(mine.until));
        let when = is_held_by(seen.map(|holder| holder.token.as_str()));
        match self.change_run(run, change, when).await? {
            Written::Now(_) => Ok(true),
            Written::Not(item) => {
                let there = there(&item, run)?;
                Ok(there.key == run.key && there.holder.as_ref() == Some(mine))
            }
        }
    }

    /// Leaves an inline run that has an open intent to whoever comes at `due`. `false`: somebody else holds it.
    pub async fn release(&self, run: &RunName, holder_token: &str, due: Millis) -> Result<bool, LedgerError> {
        let change = Self::of(run).remove("holder").set("due", time(due));
        match self.change_run(run, change, is_held_by(Some(holder_token))).await? {
            Written::Now(_) => Ok(true),
            Written::Not(item) => {
                let there = there(&item, run)?;
                let is_free = there.holder.is_none() && !there.status.is_final();
                Ok(there.key == run.key && is_free)
            }
        }
    }

    /// Somebody comes back to the run then.
    pub async fn postpone(&self, run: &RunName, due: Millis) -> Result<(), LedgerError> {
        let change = Self::of(run).set("due", time(due));
        self.change_run(run, change, Condition::Present("owed")).await.map(|_| ())
    }

    /// Makes a run final: an inline one that is held as it was seen, or one whose lanes are all done.
    ///
    /// `counts` of a run by lanes are the record's own, read after the last lane was done. A run that was cancelled
    /// meanwhile ends as nothing but `cancelled`.
    #[expect(clippy::too_many_arguments, reason = "what a run's end is made of")]
    pub async fn finish(
        &self,
        run: &RunName,
        seen_holder: Option<&Holder>,
        status: RecordStatus,
        counts: &Counts,
        targets: u32,
        plan_hash: Option<&str>,
        announce: bool,
        now: Millis,
    ) -> Result<Finished, LedgerError> {
        let change = Self::of(run)
            .set("status", text(status))
            .set("finished", time(now))
            .set("counts", counts_map(counts))
            .set("targets", number(targets))
            .set_some("plan_hash", plan_hash.map(text))
            .set(TTL, self.ended_expires(run.key, now))
            .put("announce", announce.then(|| flag(true)))
            .remove("holder");
        let change = if announce {
            change.set("due", time(now.plus(SOON)))
        } else {
            change.remove("owed").remove("due")
        };
        let by_lanes = Condition::All(vec![
            Condition::Is("mode", text(change::mode(Mode::Lanes))),
            is_unfinished(),
            Condition::Same("lanes_done", "lanes"),
        ]);
        let inline = is_held_by(seen_holder.map(|holder| holder.token.as_str()));
        let mut when = vec![Condition::Any(vec![inline, by_lanes])];
        if status != RecordStatus::Cancelled {
            when.push(Condition::Any(vec![
                Condition::Absent("halt"),
                Condition::IsNot("halt.as", text(CANCELLED)),
            ]));
        }
        when.push(is_at(run));
        Ok(match self.update(change.when(Condition::All(when)), true).await? {
            Written::Now(item) => Finished::Now(Box::new(there(&item, run)?)),
            Written::Not(item) => Finished::Already(Box::new(there(&item, run)?)),
        })
    }

    /// Orders a run to end early; the sweep comes at once.
    pub async fn halt(&self, run: &RunName, halt: &Halt, now: Millis) -> Result<Halting, LedgerError> {
        let change = Self::of(run).set("halt", run::halt(halt)).set("due", time(now));
        let when = Condition::All(vec![is_at(run), is_unfinished(), Condition::Absent("halt")]);
        let item = match self.update(change.when(when), true).await? {
            Written::Now(item) => return Ok(Halting::Now(Box::new(there(&item, run)?))),
            Written::Not(item) => item,
        };
        let there = Box::new(there(&item, run)?);
        let is_over = there.key != run.key || there.status.is_final();
        Ok(match &there.halt {
            _ if is_over => Halting::Final(there),
            // an earlier try of this very write
            Some(stored) if stored == halt => Halting::Now(there),
            _ => Halting::Already(there),
        })
    }
}

/// The record as it is; a run that is being carried out has one.
fn there(item: &Item, run: &RunName) -> Result<ChangeRecord, LedgerError> {
    if item.is_empty() {
        return Err(gone(&Key::change(&run.change_id)));
    }
    change::decode(item)
}
