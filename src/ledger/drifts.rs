//! Drift: noted in the target's item until it ends, and owed as an item of its own until it is announced.

use super::changes::is_free;
use super::client::{Transacted, Written};
use super::condition::Condition;
use super::item::{flag, number, text};
use super::items::drift;
use super::items::target;
use super::items::values::{extensions, size, time};
use super::items::{TTL, expires_at};
use super::keys::Key;
use super::write::{Change, Replacement, Write};
use super::{Ledger, LedgerError, SOON};
use policy_core::policy::Configuration;
use policy_core::record::{Drift, Members, Millis, RunKey, TargetName, TargetRecord};
use std::time::Duration;

/// How long an update of an ungoverned target is known after it was announced: as long as EventBridge goes on delivering a
/// copy of CloudTrail's event.
const KNOWN: Duration = Duration::from_hours(24);

/// Sets what is noted of a drift; a member that is absent does not drift.
fn noted(change: Change, drift: &Configuration) -> Change {
    change.put("drift_size", size(drift)).put("drift_ext", extensions(drift))
}

/// Forgets the drift of these members.
pub(super) fn forget(change: Change, members: Members) -> Change {
    target::named(members, "drift_size", "drift_ext").fold(change, Change::remove)
}

/// What a look at the target came to, if its item is as it was seen: no change has come to it since, and no other look.
/// Whoever looks at the same time sees by `rev` that somebody was faster.
fn seen_anew(target: &TargetName, drifting: &Configuration, seen: &TargetRecord) -> Change {
    let rev = Some(seen.rev).filter(|rev| *rev > 0).map(number);
    let is_as_seen = vec![Condition::as_seen("rev", rev), Condition::Absent("intent")];
    let change = noted(Change::of(Key::target(target)), drifting).add("rev", 1);
    change.when(Condition::All(is_as_seen))
}

impl Ledger {
    /// Notes a drift, and owes its announcement. `false`: the target's item is another one by now.
    ///
    /// `drifting`: what differs, as it is.
    pub async fn drifted(
        &self,
        found: &Drift,
        drifting: &Configuration,
        seen: &TargetRecord,
    ) -> Result<bool, LedgerError> {
        self.note_drift(seen_anew(&found.target, drifting, seen), found).await
    }

    /// The same for a change that is about to overwrite it, and whose intent is stored.
    pub async fn drifted_in_passing(
        &self,
        found: &Drift,
        drifting: &Configuration,
        intent_token: &str,
    ) -> Result<bool, LedgerError> {
        let change = noted(Change::of(Key::target(&found.target)), drifting);
        self.note_drift(change.when(Condition::Is("intent.token", text(intent_token))), found).await
    }

    async fn note_drift(&self, change: Change, found: &Drift) -> Result<bool, LedgerError> {
        let writes = vec![Write::Update(change), Write::Put(self.owed_drift(found))];
        match self.transact(writes).await? {
            Transacted::Now => Ok(true),
            // an earlier try of this very write
            Transacted::Not(_) => Ok(self.drift(&found.target, &found.id).await?.is_some()),
        }
    }

    /// Owes the announcement of an update from elsewhere, of a target that the ledger does not know. `false`: somebody does,
    /// or did, for a copy of CloudTrail's event, which has the same id.
    pub async fn ungoverned(&self, found: &Drift) -> Result<bool, LedgerError> {
        match self.put(self.owed_drift(found).when(is_free(found.found))).await? {
            Written::Now(_) => Ok(true),
            // an earlier try of this very write
            Written::Not(item) => Ok(drift::decode(&item)? == *found),
        }
    }

    fn owed_drift(&self, found: &Drift) -> Replacement {
        let expires = self.rest_expires(RunKey(found.found));
        Replacement::of(drift::encode(found, found.found.plus(SOON), expires))
    }

    /// Notes what still drifts of a drift that was announced; nothing: it has ended. `false`: the target's item is
    /// another one by now.
    pub async fn drift_is(
        &self,
        target: &TargetName,
        drifting: &Configuration,
        seen: &TargetRecord,
    ) -> Result<bool, LedgerError> {
        let change = seen_anew(target, drifting, seen);
        Ok(matches!(self.update(change, false).await?, Written::Now(_)))
    }

    /// A drift that is owed; none: it was announced.
    pub async fn drift(&self, target: &TargetName, id: &str) -> Result<Option<Drift>, LedgerError> {
        let item = self.get(Key::drift(target, id), true).await?.filter(|item| item.contains_key("owed"));
        item.as_ref().map(drift::decode).transpose()
    }

    /// The drift was announced: nothing is owed any more. That of a governed target is noted in the target's item; of an
    /// ungoverned one the announcement stays for a while, so that a copy of CloudTrail's event finds it.
    pub async fn drift_announced(&self, found: &Drift, now: Millis) -> Result<(), LedgerError> {
        let key = Key::drift(&found.target, &found.id);
        if found.governed {
            return self.delete(key).await.map(|_| ());
        }
        let change = Change::of(key).remove("owed").remove("due").set(TTL, expires_at(now.plus(KNOWN)));
        self.update(change.when(Condition::Present("owed")), false).await.map(|_| ())
    }

    /// The audit has the drift that is owed. Somebody comes back then to put it on the bus.
    pub async fn announce_drift_at(
        &self,
        target: &TargetName,
        id: &str,
        due: Millis,
    ) -> Result<(), LedgerError> {
        let change = Change::of(Key::drift(target, id)).set("told", flag(true)).set("due", time(due));
        self.update(change.when(Condition::Present("owed")), false).await.map(|_| ())
    }
}
