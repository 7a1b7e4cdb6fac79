//! A run's lane, and its work entry in the lane's own partition.

use super::super::LedgerError;
use super::super::answer::WorkEntry;
use super::super::item::{Draft, Fields, Item, number, text};
use super::super::keys::Key;
use super::result::some_error;
use super::values::{counts, some_time, time};
use policy_core::policy::ChangeId;
use policy_core::record::{Delivery, LaneName, LanePart, LaneState, Millis, Order, RunKey, RunName};

/// A lane as it is planned.
pub(in super::super) fn planned(run: &RunName, lane: &LaneName, targets: Option<u32>) -> Item {
    Draft::of(Key::lane(run, lane))
        .with("state", text(LaneState::Open))
        .with("stalled", number(0))
        .with_some("planned", targets.map(number))
        .done()
}

/// Its entry among the lane's unfinished work.
pub(in super::super) fn work(
    run: &RunName,
    order: &Order,
    lane: &LaneName,
    targets: Option<u32>,
    now: Millis,
) -> Item {
    Draft::of(Key::work(lane, order, run.key))
        .with("change", text(&run.change_id))
        .with("key", text(run.key))
        .with_some("targets", targets.map(number))
        .with("since", time(now))
        .done()
}

pub(in super::super) fn decode_work(item: &Item) -> Result<WorkEntry, LedgerError> {
    let fields = Fields::of(item);
    let change_id = fields.parsed("change", ChangeId::parse)?;
    Ok(WorkEntry {
        run: RunName { change_id, key: fields.parsed("key", RunKey::parse)? },
        targets: fields.some_number("targets")?,
        since: Millis(fields.number("since")?),
    })
}

pub(in super::super) fn decode(item: &Item) -> Result<LanePart, LedgerError> {
    let fields = Fields::of(item);
    let named = |name: &str| LaneState::ALL.iter().copied().find(|state| state.name() == name);
    let delivery = fields.some_text("delivery")?.map(|token| -> Result<_, LedgerError> {
        Ok(Delivery { token: token.to_owned(), until: Millis(fields.number("until")?) })
    });
    // `lane#{key}#{lane}`
    let lane = |sk: &str| sk.splitn(3, '#').nth(2).and_then(LaneName::parse);
    Ok(LanePart {
        name: fields.parsed("sk", lane)?,
        state: fields.parsed("state", named)?,
        delivery: delivery.transpose()?,
        deliveries: fields.count("deliveries")?,
        stalled: fields.count("stalled")?,
        moved: some_time(&fields, "moved")?,
        planned: fields.some_number("planned")?,
        done: fields.count("done")?,
        resolved: fields.owned("resolved")?,
        counts: counts(&fields)?,
        hash: fields.owned("lane_hash")?,
        error: some_error(&fields)?,
    })
}
