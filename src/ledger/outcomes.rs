//! A target's outcome. It is stored together with the end of its intent, or alone where there is none.

use super::answer::{Confirmed, Noted, Stored};
use super::client::{Transacted, Written};
use super::condition::Condition;
use super::drifts::forget;
use super::item::{Item, text};
use super::items::owner::{self, OWNER};
use super::items::result::{self, DONE};
use super::items::target::decode;
use super::items::values::{extensions, size, time};
use super::keys::Key;
use super::targets::{is_free, set_orders};
use super::write::{Change, Replacement, Write};
use super::{Ledger, LedgerError};
use policy_core::policy::Configuration;
use policy_core::record::{
    Closing, Handover, Intent, Members, Millis, Named, Order, RecordedResult, RunName, TargetName,
};

/// What a result without an update counts as.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Note {
    /// Nothing was to be changed: the target's history does not have it.
    pub dry_run: bool,
    /// It counts for `stopAfterFailures`.
    pub count_failure: bool,
}

impl Ledger {
    fn stored(&self, run: &RunName, result: &RecordedResult, listed: bool) -> Item {
        result::encode(run, result, self.rest_expires(run.key), listed)
    }

    /// Stores the outcome of an update and ends its intent, together.
    ///
    /// `count_failure`: it counts for `stopAfterFailures`.
    pub async fn close(
        &self,
        name: &TargetName,
        intent: &Intent,
        closing: &Closing,
        result: &RecordedResult,
        count_failure: bool,
    ) -> Result<Stored, LedgerError> {
        let item = self.stored(&intent.run, result, true);
        let mut writes =
            vec![Write::Update(closed(name, intent, closing, result.at)), Write::Put(not_done(item.clone()))];
        if count_failure {
            writes.push(Write::Update(one_failure_more(&intent.run)));
        }
        let mut reasons = match self.transact(writes.clone()).await? {
            Transacted::Now => return Ok(Stored::Now),
            Transacted::Not(reasons) => reasons,
        };
        if reasons.iter().take(2).all(Option::is_none) {
            // the run is over, as after a lane that could not be settled in time: nobody counts its failures
            writes.truncate(2);
            reasons = match self.transact(writes).await? {
                Transacted::Now => return Ok(Stored::Now),
                Transacted::Not(reasons) => reasons,
            };
        }
        if let Some(there) = Transacted::refused(&reasons, 1) {
            let is_ours = *there == item;
            return if is_ours {
                Ok(Stored::Now)
            } else {
                Ok(Stored::Done(Box::new(result::decode(there)?)))
            };
        }
        let target = Transacted::refused(&reasons, 0).map(decode).transpose()?;
        Ok(Stored::Lost(Box::new(target.unwrap_or_default())))
    }

    /// Ends an intent whose result is done already, which half a restored table can have.
    pub async fn close_alone(
        &self,
        name: &TargetName,
        intent: &Intent,
        closing: &Closing,
        at: Millis,
    ) -> Result<(), LedgerError> {
        // where the intent is gone there is nothing to end
        self.update(closed(name, intent, closing, at), false).await.map(|_| ())
    }

    /// Stores an outcome that is not for good; the intent stays.
    pub async fn keep(&self, run: &RunName, result: &RecordedResult) -> Result<Noted, LedgerError> {
        self.note(run, result, Note::default()).await
    }

    /// Stores the result of a target that nothing was sent to.
    pub async fn note(
        &self,
        run: &RunName,
        result: &RecordedResult,
        note: Note,
    ) -> Result<Noted, LedgerError> {
        let item = self.stored(run, result, !note.dry_run);
        let put = not_done(item.clone());
        let there = if note.count_failure {
            match self.transact(vec![Write::Put(put), Write::Update(one_failure_more(run))]).await? {
                Transacted::Now => return Ok(Noted::Now),
                Transacted::Not(reasons) => Transacted::refused(&reasons, 0).cloned(),
            }
        } else {
            match self.put(put).await? {
                Written::Now(_) => return Ok(Noted::Now),
                Written::Not(there) => Some(there),
            }
        };
        match there {
            Some(there) if there == item => Ok(Noted::Now),
            Some(there) => Ok(Noted::Done(Box::new(result::decode(&there)?))),
            // the record is not there or at another run, while this one goes on: half a restored table
            None => Err(super::changes::gone(&Key::change(&run.change_id))),
        }
    }

    /// Stores that a target needs no update, in its item too: an older change must not come after this one.
    ///
    /// `held` is what the target holds; of it the `named` members are stored, and those for which no value is asked only
    /// where nothing is known: what a relative change finds in order may be a drift.
    #[expect(clippy::too_many_arguments, reason = "what is compared, and what is stored in two items")]
    pub async fn confirm(
        &self,
        name: &TargetName,
        seen_rev: u64,
        order: &Order,
        named: Named,
        held: &Configuration,
        handover: &Handover,
        run: &RunName,
        result: &RecordedResult,
        now: Millis,
    ) -> Result<Confirmed, LedgerError> {
        let item = self.stored(run, result, true);
        let Named { members: named, asked } = named;
        let change = forget(Change::of(Key::target(name)), asked);
        let change = set_orders(change, named, |_| Some(order)).set("last", text(run));
        let change = handed_over(set_held(change, asked, &named.within(held)), handover)
            .add("rev", 1)
            .when(Condition::All(is_free(seen_rev, order, named, now)));
        let writes = vec![Write::Update(change), Write::Put(not_done(item.clone()))];
        let reasons = match self.transact(writes).await? {
            Transacted::Now => return Ok(Confirmed::Now),
            Transacted::Not(reasons) => reasons,
        };
        if let Some(there) = Transacted::refused(&reasons, 1) {
            let is_ours = *there == item;
            return if is_ours {
                Ok(Confirmed::Now)
            } else {
                Ok(Confirmed::Done(Box::new(result::decode(there)?)))
            };
        }
        let target = Transacted::refused(&reasons, 0).map(decode).transpose()?;
        Ok(Confirmed::Refused(Box::new(target.unwrap_or_default())))
    }
}

/// A result, unless there is one for good.
fn not_done(item: Item) -> Replacement {
    Replacement::of(item).when(Condition::Absent(DONE))
}

/// What the target should hold from now on: the members of `set`, and the others only where nothing is known.
fn set_held(change: Change, set: Members, held: &Configuration) -> Change {
    let one = |change: Change, path, is_set, value| {
        if is_set { change.set_some(path, value) } else { change.set_first(path, value) }
    };
    let change = one(change, "held_size", set.size, size(held));
    one(change, "held_ext", set.extensions, extensions(held))
}

/// The target's owner as it is then.
pub(super) fn handed_over(change: Change, handover: &Handover) -> Change {
    match handover {
        Handover::Stays => change,
        Handover::To(owner) => change.set(OWNER, owner::encode(owner)),
        Handover::Released => change.remove(OWNER),
    }
}

fn one_failure_more(run: &RunName) -> Change {
    let change = Change::of(Key::change(&run.change_id)).add("failures", 1);
    change.when(Condition::Is("key", text(run.key)))
}

/// The target's item without the intent.
fn closed(name: &TargetName, intent: &Intent, closing: &Closing, at: Millis) -> Change {
    let change = Change::of(Key::target(name)).remove("intent").put("quiet", closing.quiet.map(time));
    let mut change = set_held(change, intent.sent(), &closing.held);
    if closing.applied {
        change = change.set("applied", text(&intent.run)).set("applied_at", time(at));
    }
    if closing.applied {
        change = handed_over(change, &intent.handover);
    }
    if closing.last {
        change = change.set("last", text(&intent.run));
    }
    if closing.give_back {
        change = set_orders(change, intent.named, |attribute| match attribute {
            "set_size" => intent.was_size.as_ref(),
            _ => intent.was_extensions.as_ref(),
        });
    }
    if closing.ends_drift {
        change = forget(change, intent.sent());
    }
    change.add("rev", 1).when(Condition::Is("intent.token", text(&intent.token)))
}
