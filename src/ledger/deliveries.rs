//! A lane's deliveries, from the first to the lane's end.

use super::answer::{Begun, LaneEnded, Seen};
use super::changes::gone;
use super::client::{Transacted, Written};
use super::condition::Condition;
use super::item::{number, text};
use super::items::values::{counted, counts_map, time};
use super::items::{TTL, lane, result};
use super::keys::Key;
use super::write::{Change, Write};
use super::{Ledger, LedgerError, SOON};
use crate::telemetry::causes;
use policy_core::record::{
    Counts, Delivery, LaneName, LanePart, LaneState, Millis, Order, RecordedError, RunName,
};

fn is_open() -> Condition {
    Condition::Is("state", text(LaneState::Open))
}

fn is_worked_by(token: &str) -> Condition {
    Condition::Is("delivery", text(token))
}

impl Ledger {
    /// Counts a delivery as begun, and gives it the lane.
    ///
    /// That the lane's group had a delivery is noted beside it: if that fails, the sweep may send a message too many.
    pub async fn begin_delivery(
        &self,
        run: &RunName,
        lane: &LaneName,
        delivery: &Delivery,
        now: Millis,
    ) -> Result<Begun, LedgerError> {
        let seen =
            Change::of(Key::last_delivery(lane)).set("when", time(now)).set("change", text(&run.change_id));
        let (begun, noted) = tokio::join!(self.begin_lane(run, lane, delivery), self.update(seen, false));
        if let Err(error) = noted {
            tracing::warn!(%lane, error = causes(&error), "the lane's delivery is not noted");
        }
        begun
    }

    async fn begin_lane(
        &self,
        run: &RunName,
        lane: &LaneName,
        delivery: &Delivery,
    ) -> Result<Begun, LedgerError> {
        let change = Change::of(Key::lane(run, lane))
            .set("delivery", text(&delivery.token))
            .set("until", time(delivery.until))
            .add("deliveries", 1)
            .add("stalled", 1)
            .when(Condition::All(vec![
                is_open(),
                Condition::Any(vec![
                    Condition::Absent("delivery"),
                    Condition::IsNot("delivery", text(&delivery.token)),
                ]),
            ]));
        Ok(match self.update(change, true).await? {
            Written::Now(item) => Begun::Open(lane::decode(&item)?),
            Written::Not(item) if item.is_empty() => Begun::NoSuchLane,
            Written::Not(item) => {
                let part = lane::decode(&item)?;
                // an earlier try of this very write has counted it
                if part.state == LaneState::Open { Begun::Open(part) } else { Begun::Ended(part) }
            }
        })
    }

    async fn change_lane(
        &self,
        run: &RunName,
        lane: &LaneName,
        change: impl FnOnce(Change) -> Change,
        when: Condition,
    ) -> Result<Result<(), Option<LanePart>>, LedgerError> {
        let change = change(Change::of(Key::lane(run, lane))).when(when);
        Ok(match self.update(change, false).await? {
            Written::Now(_) => Ok(()),
            Written::Not(item) if item.is_empty() => Err(None),
            Written::Not(item) => Err(Some(lane::decode(&item)?)),
        })
    }

    /// A delivery has got on. `false`: another one has taken over, or the lane has ended.
    pub async fn progressed(
        &self,
        run: &RunName,
        lane: &LaneName,
        delivery_token: &str,
        done: u32,
        now: Millis,
    ) -> Result<bool, LedgerError> {
        let change = |change: Change| {
            change.set("stalled", number(0)).set("moved", time(now)).set("done", number(done))
        };
        let when = Condition::All(vec![is_open(), is_worked_by(delivery_token)]);
        Ok(self.change_lane(run, lane, change, when).await?.is_ok())
    }

    /// What `"*"` means in the lane is stored as parts of that name, for the rest of the run. `false`: another
    /// delivery has taken over, or has stored it before.
    pub async fn resolved(
        &self,
        run: &RunName,
        lane: &LaneName,
        delivery_token: &str,
        parts_name: &str,
        planned: u32,
    ) -> Result<bool, LedgerError> {
        let change =
            |change: Change| change.set("resolved", text(parts_name)).set("planned", number(planned));
        let when = Condition::All(vec![is_worked_by(delivery_token), Condition::Absent("resolved")]);
        let stored = self.change_lane(run, lane, change, when).await?;
        let is_ours = |part: LanePart| part.resolved.as_deref() == Some(parts_name);
        Ok(stored.is_ok() || stored.err().flatten().is_some_and(is_ours))
    }

    /// A delivery leaves an open lane; the next one goes on. `false`: another one has taken over already.
    ///
    /// `error`: why something is left, unless only time was short.
    pub async fn leave(
        &self,
        run: &RunName,
        lane: &LaneName,
        delivery_token: &str,
        done: u32,
        error: Option<&RecordedError>,
    ) -> Result<bool, LedgerError> {
        let change = |change: Change| {
            let change = change.set("done", number(done)).remove("delivery").remove("until");
            change.put("error", error.map(result::error))
        };
        let left = self.change_lane(run, lane, change, is_worked_by(delivery_token)).await?;
        let is_left = |part: LanePart| part.delivery.is_none();
        Ok(left.is_ok() || left.err().flatten().is_some_and(is_left))
    }

    /// Ends a lane that is as it was seen: its state and counts, its work entry, and its share of the change, together.
    #[expect(clippy::too_many_arguments, reason = "what a lane's end is made of")]
    pub async fn end_lane(
        &self,
        run: &RunName,
        lane: &LaneName,
        order: &Order,
        seen: &Seen,
        state: LaneState,
        counts: &Counts,
        hash: Option<&str>,
        now: Millis,
    ) -> Result<LaneEnded, LedgerError> {
        let mut as_seen = vec![is_open(), Condition::as_seen("delivery", seen.delivery.as_ref().map(text))];
        as_seen.extend(seen.stalled.map(|stalled| Condition::Is("stalled", number(stalled))));
        let ended = Change::of(Key::lane(run, lane))
            .set("state", text(state))
            .set("counts", counts_map(counts))
            .set_some("lane_hash", hash.map(text))
            .set(TTL, self.rest_expires(run.key))
            .when(Condition::All(as_seen));
        let mut change =
            Change::of(Key::change(&run.change_id)).add("lanes_done", 1).set("due", time(now.plus(SOON)));
        for (name, count) in counted(counts) {
            change = change.add_within(&format!("counts.{name}"), count);
        }
        let writes = vec![
            Write::Update(ended),
            Write::Delete(Key::work(lane, order, run.key)),
            Write::Update(change.when(Condition::Is("key", text(run.key)))),
        ];
        let reasons = match self.transact(writes).await? {
            Transacted::Now => return Ok(LaneEnded::Now),
            Transacted::Not(reasons) => reasons,
        };
        match Transacted::refused(&reasons, 0) {
            Some(item) if item.is_empty() => Err(gone(&Key::lane(run, lane))),
            Some(item) => Ok(ended_by(&lane::decode(item)?, seen, state)),
            // the lane is open, and the record is not there or at another run: half a restored table
            None => Err(gone(&Key::change(&run.change_id))),
        }
    }
}

/// Who has ended a lane that is not as it was seen. The delivery that ends one stays in it.
fn ended_by(there: &LanePart, seen: &Seen, state: LaneState) -> LaneEnded {
    let token = there.delivery.as_ref().map(|delivery| &delivery.token);
    if there.state == LaneState::Open {
        LaneEnded::TakenOver
    } else if there.state == state && token == seen.delivery.as_ref() {
        // an earlier try of this very write, or somebody who did the same in our place
        LaneEnded::Now
    } else {
        LaneEnded::Already
    }
}
