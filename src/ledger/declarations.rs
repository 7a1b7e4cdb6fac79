//! Declared resources: a generation of one, its answer, and the targets that it owns.

use super::answer::{Recorded, Taken};
use super::changes::{is_unfinished, recorded};
use super::client::{Transacted, Written};
use super::condition::Condition;
use super::item::{Fields, flag, number, text};
use super::items::values::time;
use super::items::{TTL, declaration, living, run};
use super::keys::Key;
use super::outcomes::handed_over;
use super::write::{Change, Replacement, Write};
use super::{AFTER_THE_CHANGE, Ledger, LedgerError};
use policy_core::declare::{Kept, Owed};
use policy_core::record::{
    ChangeRecord, Halt, Handover, LaneName, Millis, RunName, TargetName, TargetRecord,
};
use std::time::Duration;

/// When somebody comes back to an answer: less than the sweep's minute, so that each sweep does.
const EACH_SWEEP: Duration = Duration::from_secs(50);
/// How long an answer is kept after it was sent: longer than anybody sends its request again.
const ANSWERED: Duration = Duration::from_hours(48);

/// A generation of a resource that is to be taken.
#[derive(Debug, Clone, Copy)]
pub struct Generation<'a> {
    /// The resource as it was read.
    pub old: Option<&'a Kept>,
    /// The resource with it.
    pub new: &'a Kept,
    /// The answer that it owes.
    pub answer: &'a Owed,
    /// The change that carries it out.
    pub change: Option<&'a ChangeRecord>,
    /// The run of an older generation that it ends.
    pub overtakes: Option<(&'a RunName, &'a Halt)>,
}

impl Ledger {
    /// A declared resource.
    pub async fn declaration(
        &self,
        stack_id: &str,
        logical_id: &str,
        now: Millis,
    ) -> Result<Option<Kept>, LedgerError> {
        let Some(item) = self.get(Key::declaration(stack_id, logical_id), true).await? else {
            return Ok(None);
        };
        living(item, now)?.as_ref().map(declaration::decode).transpose()
    }

    /// The answer that a generation owes, or gave.
    pub async fn answer(
        &self,
        stack_id: &str,
        logical_id: &str,
        generation: u32,
    ) -> Result<Option<Owed>, LedgerError> {
        let item = self.get(Key::answer(stack_id, logical_id, generation), true).await?;
        item.as_ref().map(declaration::decode_answer).transpose()
    }

    /// Takes a generation: the resource, its answer and its change are written in one
    /// transaction, which also halts the run of the older generation.
    ///
    /// The change's token tells an own earlier try from another process that takes the same request: a generation has one
    /// run, and only its taker sends the lanes. Without a change nothing does, and both read again.
    pub async fn take(&self, generation: Generation<'_>, now: Millis) -> Result<Taken, LedgerError> {
        let Generation { old, new, answer, change, overtakes } = generation;
        let as_seen = match old {
            Some(old) => Condition::All(vec![
                Condition::Is("gen", number(old.known.generation)),
                Condition::Is("request", text(&old.known.request_id)),
            ]),
            None => {
                Condition::Any(vec![Condition::Absent("pk"), Condition::AtMost(TTL, number(now.0 / 1_000))])
            }
        };
        let due = if answer.body.is_some() { now } else { now.plus(EACH_SWEEP).min(answer.deadline) };
        let mut writes = vec![
            Write::Put(Replacement::of(declaration::encode(new)).when(as_seen)),
            Write::Put(Replacement::of(declaration::encode_answer(answer, due))),
        ];
        writes.extend(change.map(|change| Write::Put(self.first_run(change, now))));
        writes.extend(overtakes.map(|(older, halt)| {
            let halted = Change::of(Key::change(&older.change_id))
                .set("halt", run::halt(halt))
                .set("due", time(now))
                .when(Condition::All(vec![
                    Condition::Is("key", text(older.key)),
                    is_unfinished(),
                    Condition::Absent("halt"),
                ]));
            Write::Update(halted)
        }));
        let Transacted::Not(reasons) = self.transact(writes).await? else { return Ok(Taken::Now) };
        // the third write is the change's
        let Some((change, there)) = change.zip(Transacted::refused(&reasons, 2)) else {
            return Ok(Taken::Moved);
        };
        Ok(match recorded(there, change)? {
            Recorded::Stored => Taken::Now,
            Recorded::Exists(_) if Transacted::refused(&reasons, 0).is_some() => Taken::Moved,
            Recorded::Exists(_) => Taken::IdTaken,
        })
    }

    /// Decides what the answer says, once and for all: the text that is stored then.
    ///
    /// `good`: the generation succeeded, with the hash of its targets and values. A Delete that succeeded has none.
    pub async fn decide(
        &self,
        owed: &Owed,
        body: &str,
        succeeded: bool,
        good: Option<&str>,
        now: Millis,
    ) -> Result<String, LedgerError> {
        let to = &owed.to;
        let key = || Key::answer(&to.stack_id, &to.logical_id, owed.generation);
        let decided = || {
            let change = Change::of(key()).set("body", text(body)).set("due", time(now));
            Write::Update(
                change.when(Condition::All(vec![Condition::Present("pk"), Condition::Absent("body")])),
            )
        };
        let mut writes = vec![decided()];
        if succeeded {
            let noted = Change::of(Key::declaration(&to.stack_id, &to.logical_id));
            let noted = match good {
                Some(hash) => noted.set("good", declaration::good(owed.generation, hash)),
                None => noted.set("gone", flag(true)).remove("good").set(TTL, self.gone_expires(now)),
            };
            writes.push(Write::Update(noted.when(Condition::Is("gen", number(owed.generation)))));
        }
        let mut reasons = match self.transact(writes).await? {
            Transacted::Now => return Ok(body.to_owned()),
            Transacted::Not(reasons) => reasons,
        };
        if reasons.first().is_none_or(Option::is_none) {
            // a newer generation came: this one is answered all the same
            reasons = match self.transact(vec![decided()]).await? {
                Transacted::Now => return Ok(body.to_owned()),
                Transacted::Not(reasons) => reasons,
            };
        }
        let there = Transacted::refused(&reasons, 0).map(|item| Fields::of(item).owned("body"));
        there.transpose()?.flatten().ok_or_else(|| super::changes::gone(&key()))
    }

    /// A resource that was deleted is remembered as long as its changes, whose ids follow from its generations.
    fn gone_expires(&self, now: Millis) -> aws_sdk_dynamodb::types::AttributeValue {
        number(now.plus(self.retention + AFTER_THE_CHANGE).0.div_ceil(1_000))
    }

    /// The answer arrived: its URL is forgotten.
    pub async fn answered(&self, owed: &Owed, now: Millis) -> Result<(), LedgerError> {
        let expires = number(now.plus(ANSWERED).0.div_ceil(1_000));
        self.end_answer(Self::of_answer(owed).set(TTL, expires)).await
    }

    /// Nobody waits for the answer any more, and it never arrived: its URL is forgotten, and that is remembered as long as
    /// a later Delete may ask.
    pub async fn lost_answer(&self, owed: &Owed, now: Millis) -> Result<(), LedgerError> {
        self.end_answer(Self::of_answer(owed).set("lost", flag(true)).set(TTL, self.gone_expires(now))).await
    }

    async fn end_answer(&self, change: Change) -> Result<(), LedgerError> {
        let change = change.remove("url").remove("owed").remove("due").when(Condition::Present("body"));
        self.update(change, false).await.map(|_| ())
    }

    /// Somebody comes back to the answer with the next sweep, or at its deadline.
    pub async fn postpone_answer(&self, owed: &Owed, now: Millis) -> Result<(), LedgerError> {
        let due = now.plus(EACH_SWEEP);
        let due = if now < owed.deadline { due.min(owed.deadline) } else { due };
        let change = Self::of_answer(owed).set("due", time(due)).when(Condition::Present("owed"));
        self.update(change, false).await.map(|_| ())
    }

    fn of_answer(owed: &Owed) -> Change {
        Change::of(Key::answer(&owed.to.stack_id, &owed.to.logical_id, owed.generation))
    }

    /// The targets of a lane that resources of a stack own.
    pub async fn declared_by(
        &self,
        stack_id: &str,
        lane: &LaneName,
    ) -> Result<Vec<(TargetName, TargetRecord)>, LedgerError> {
        self.in_lane(lane, Some(Condition::Is("owner.stack", text(stack_id)))).await
    }

    /// Gives a target to whose it is then, without an update. `counted`: a run that leaves it with values that should have
    /// been put back. `false`: the target's item is another one by now, or an update of it is under way.
    pub async fn hand_over(
        &self,
        name: &TargetName,
        seen_rev: u64,
        handover: &Handover,
        counted: Option<&RunName>,
    ) -> Result<bool, LedgerError> {
        let when = vec![Condition::Is("rev", number(seen_rev)), Condition::Absent("intent")];
        let change = handed_over(Change::of(Key::target(name)), handover).add("rev", 1);
        let change = change.when(Condition::All(when));
        let Some(run) = counted else {
            return Ok(matches!(self.update(change, false).await?, Written::Now(_)));
        };
        let counted = Change::of(Key::change(&run.change_id)).add("left", 1);
        let counted = counted.when(Condition::Is("key", text(run.key)));
        let written = self.transact(vec![Write::Update(change), Write::Update(counted)]).await?;
        Ok(matches!(written, Transacted::Now))
    }
}
