//! The lanes of a run, and the unfinished work of a lane.

use super::answer::WorkEntry;
use super::client::{Lookup, Transacted};
use super::condition::Condition;
use super::item::{Fields, text};
use super::items::lane;
use super::items::values::some_time;
use super::keys::{self, Key};
use super::write::{Replacement, Write};
use super::{Ledger, LedgerError};
use policy_core::record::{LaneName, LanePart, Millis, Order, RunName};

/// Lanes that one transaction puts: two writes each, and it takes 100. Half of them keep it below 100 KB.
const AT_ONCE: usize = 25;

impl Ledger {
    /// Puts lanes and their work entries; a lane that is there already is left alone.
    ///
    /// Each entry is put together with its lane, so that none comes back after its lane has ended.
    pub async fn plan_lanes(
        &self,
        run: &RunName,
        order: &Order,
        lanes: &[(LaneName, Option<u32>)],
        now: Millis,
    ) -> Result<(), LedgerError> {
        for some in lanes.chunks(AT_ONCE) {
            let writes = some.iter().flat_map(|lane| planned(run, order, lane, now)).collect();
            if let Transacted::Not(_) = self.transact(writes).await? {
                for lane in some {
                    // it fails where the lane is there
                    self.transact(planned(run, order, lane, now).into()).await?;
                }
            }
        }
        Ok(())
    }

    /// The same for a check, which no change waits for: it has no work entries.
    pub async fn plan_checks(&self, run: &RunName, lanes: &[LaneName]) -> Result<(), LedgerError> {
        for name in lanes {
            let lane = Replacement::of(lane::planned(run, name, None)).when(Condition::Absent("pk"));
            // it fails where the lane is there
            self.put(lane).await?;
        }
        Ok(())
    }

    /// Every lane of a run that has an item.
    pub async fn lanes(&self, run: &RunName) -> Result<Vec<LanePart>, LedgerError> {
        let lookup = Lookup::of(Condition::All(vec![
            Condition::Is("pk", text(keys::changes(&run.change_id))),
            Condition::StartsWith("sk", keys::lanes(run.key)),
        ]));
        self.look_up_all(&lookup).await?.iter().map(lane::decode).collect()
    }

    /// One lane of a run.
    pub async fn lane(&self, run: &RunName, lane: &LaneName) -> Result<Option<LanePart>, LedgerError> {
        self.get(Key::lane(run, lane), true).await?.as_ref().map(lane::decode).transpose()
    }

    /// When a lane's message group had its last delivery, of whichever change.
    pub async fn last_delivery(&self, lane: &LaneName) -> Result<Option<Millis>, LedgerError> {
        match self.get(Key::last_delivery(lane), true).await? {
            Some(item) => some_time(&Fields::of(&item), "when"),
            None => Ok(None),
        }
    }

    /// Whether a lane has unfinished work, which a relative change waits for.
    pub async fn has_work(&self, lane: &LaneName) -> Result<bool, LedgerError> {
        let lookup = Lookup { limit: Some(1), ..work(lane) };
        Ok(!self.look_up(&lookup, None).await?.items.is_empty())
    }

    /// A lane's unfinished work, in the order of the changes.
    pub async fn work(&self, lane: &LaneName) -> Result<Vec<WorkEntry>, LedgerError> {
        self.look_up_all(&work(lane)).await?.iter().map(lane::decode_work).collect()
    }
}

fn work(lane: &LaneName) -> Lookup {
    Lookup::of(Condition::All(vec![
        Condition::Is("pk", text(keys::lane_group(lane))),
        Condition::StartsWith("sk", keys::WORK.to_owned()),
    ]))
}

fn planned(
    run: &RunName,
    order: &Order,
    (name, targets): &(LaneName, Option<u32>),
    now: Millis,
) -> [Write; 2] {
    let lane = Replacement::of(lane::planned(run, name, *targets)).when(Condition::Absent("pk"));
    [Write::Put(lane), Write::Put(Replacement::of(lane::work(run, order, name, *targets, now)))]
}
