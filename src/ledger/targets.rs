//! Targets' items: reading them, and beginning an update.

use super::answer::{Look, Started};
use super::client::{Lookup, Written};
use super::condition::Condition;
use super::item::{Item, number, text};
use super::items::target::{self, decode, encode_intent, name};
use super::items::values::time;
use super::items::{change, freeze, result};
use super::keys::{self, Key};
use super::write::Change;
use super::{Ledger, LedgerError};
use policy_core::policy::ChangeId;
use policy_core::record::{Intent, LaneName, Members, Millis, Order, RunName, TargetName, TargetRecord};
use std::collections::{BTreeSet, HashMap};

/// Nobody has changed the item since it was read, nothing is under way, and no newer change has set a named member.
pub(super) fn is_free(seen_rev: u64, order: &Order, named: Members, now: Millis) -> Vec<Condition> {
    let rev = Some(seen_rev).filter(|rev| *rev > 0).map(number);
    let quiet = Condition::Any(vec![Condition::Absent("quiet"), Condition::Below("quiet", time(now))]);
    let members = target::named(named, "set_size", "set_ext");
    let none_newer = members.map(|attribute| Condition::not_above(attribute, text(order)));
    let idle = [Condition::as_seen("rev", rev), Condition::Absent("intent"), quiet];
    idle.into_iter().chain(none_newer).collect()
}

impl Ledger {
    /// The targets' items, in the order of the names. A target without one was never governed.
    pub async fn targets(&self, names: &[TargetName]) -> Result<Vec<TargetRecord>, LedgerError> {
        // a batch takes each key once
        let unique: BTreeSet<_> = names.iter().collect();
        let items = self.batch(unique.into_iter().map(Key::target).collect()).await?;
        let found: Result<HashMap<_, _>, LedgerError> =
            items.iter().map(|item| Ok((name(item)?, decode(item)?))).collect();
        let found = found?;
        Ok(names.iter().map(|name| found.get(name).cloned().unwrap_or_default()).collect())
    }

    /// A target's item as it is now.
    pub async fn target(&self, name: &TargetName) -> Result<TargetRecord, LedgerError> {
        Ok(self.targets(std::slice::from_ref(name)).await?.into_iter().next().unwrap_or_default())
    }

    /// The change as it is between two targets. `of_lane`: the target that a worker comes to, for which the freeze counts
    /// and whose result another delivery may have stored.
    pub async fn look(&self, run: &RunName, of_lane: Option<&TargetName>) -> Result<Look, LedgerError> {
        let of_lane = of_lane.map(|target| [Key::freeze(), Key::result(run, target)]);
        let keys = [Key::change(&run.change_id)].into_iter().chain(of_lane.into_iter().flatten()).collect();
        let mut look = Look::default();
        for item in self.batch(keys).await? {
            if item.get("pk") == Some(&text(Key::freeze().pk)) {
                look.freeze = Some(freeze::decode(&item)?);
            } else if item.get("pk") == Some(&text(keys::results(run))) {
                look.result = Some(Box::new(result::decode(&item)?));
            } else {
                look.change = Some(change::decode_glance(&item)?);
            }
        }
        Ok(look)
    }

    /// Stores an update's intent: no update is sent without. It takes the target from everybody else until its lease is
    /// over.
    ///
    /// `undone`: only where that change was the last one that applied a value here.
    pub async fn begin(
        &self,
        name: &TargetName,
        seen_rev: u64,
        intent: &Intent,
        undone: Option<&ChangeId>,
    ) -> Result<Started, LedgerError> {
        let mut when = is_free(seen_rev, &intent.order, intent.named, intent.begun);
        when.extend(undone.map(|id| Condition::StartsWith("applied", format!("{id}#"))));
        let change = Change::of(Key::target(name)).set("intent", encode_intent(intent));
        let change = set_orders(change, intent.named, |_| Some(&intent.order));
        let change = change.add("rev", 1).when(Condition::All(when));
        Ok(match self.update(change, false).await? {
            Written::Now(_) => Started::Now,
            Written::Not(item) => {
                let there = decode(&item)?;
                let is_ours = there.intent.as_ref().is_some_and(|open| open.token == intent.token);
                if is_ours { Started::Now } else { Started::Refused(Box::new(there)) }
            }
        })
    }

    /// The targets of a lane on which a run has an open intent.
    pub async fn targets_with_intent_of(
        &self,
        run: &RunName,
        lane: &LaneName,
    ) -> Result<Vec<(TargetName, TargetRecord)>, LedgerError> {
        let of_run = Condition::All(vec![
            Condition::Is("intent.change", text(&run.change_id)),
            Condition::Is("intent.run", text(run.key)),
        ]);
        self.in_lane(lane, Some(of_run)).await
    }

    /// Every target of a lane that was ever governed.
    pub async fn governed(&self, lane: &LaneName) -> Result<Vec<(TargetName, TargetRecord)>, LedgerError> {
        self.in_lane(lane, None).await
    }

    pub(super) async fn in_lane(
        &self,
        lane: &LaneName,
        filter: Option<Condition>,
    ) -> Result<Vec<(TargetName, TargetRecord)>, LedgerError> {
        let keys = Condition::All(vec![
            Condition::Is("pk", text(keys::targets(lane))),
            Condition::StartsWith("sk", keys::in_lane(lane)),
        ]);
        let items = self.look_up_all(&Lookup { filter, ..Lookup::of(keys) }).await?;
        items.iter().map(named).collect()
    }
}

fn named(item: &Item) -> Result<(TargetName, TargetRecord), LedgerError> {
    Ok((name(item)?, decode(item)?))
}

/// Sets the orders of the named members: of `set_size` and `set_ext`. `None`: there was none.
pub(super) fn set_orders<'o>(
    change: Change,
    named: Members,
    order: impl Fn(&str) -> Option<&'o Order>,
) -> Change {
    let attributes = target::named(named, "set_size", "set_ext");
    attributes.fold(change, |change, attribute| change.put(attribute, order(attribute).map(text)))
}
