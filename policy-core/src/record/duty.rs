//! What somebody who comes back to an unfinished change has to do for it.

use super::{ChangeRecord, Freeze, Halted, LaneName, LanePart, LaneState, Millis, Mode};
use std::time::Duration;

/// How long a run's messages may be in the making before somebody else makes them.
const UNSENT: Duration = Duration::from_mins(1);
/// When to look again at what a living delivery is about to end.
const SOON: Duration = Duration::from_mins(1);
/// When to look again at a run that goes on.
const LATER: Duration = Duration::from_mins(5);
/// How long a lane's message group may be without a delivery before its message counts as lost.
const SILENT: Duration = Duration::from_mins(30);

/// One thing to do, by conditional writes: whoever comes second finds it done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Duty {
    /// Put the lanes of the plan that have no item yet, with their work entries. Then, unless the run is halted, send
    /// every lane's message and set `sent`.
    PutLanes,
    /// Send the messages of these lanes again.
    Send(Vec<LaneName>),
    /// Settle the run's open intents in this lane, then end it.
    EndLane {
        /// Which lane.
        lane: LaneName,
        /// As what.
        as_state: LaneState,
    },
    /// Settle the inline run's open intents, then make it final by its results.
    SettleInline,
    /// Make the run final: all its lanes have ended.
    Finish,
    /// Put the outcome event.
    Announce,
    /// Come back then.
    Wait(Millis),
}

/// What is due for a change. Empty: nothing ever again.
///
/// `lanes` are the items of its newest run, `last_delivery_in_group` when a lane's message group had its last delivery,
/// of whichever change. Frozen, nothing is sent and nothing parked; with `drain`, accepted runs go on to their end.
pub fn duties(
    change: &ChangeRecord,
    lanes: &[LanePart],
    last_delivery_in_group: impl Fn(&LaneName) -> Option<Millis>,
    frozen: Option<&Freeze>,
    max_stalled: u32,
    now: Millis,
) -> Vec<Duty> {
    if change.status.is_final() {
        return if change.announce { vec![Duty::Announce] } else { Vec::new() };
    }
    match change.mode {
        Mode::Inline => inline(change, now),
        Mode::Lanes => {
            let is_frozen = frozen.is_some_and(|freeze| !freeze.drain);
            by_lanes(change, lanes, last_delivery_in_group, is_frozen, max_stalled, now)
        }
    }
}

fn inline(change: &ChangeRecord, now: Millis) -> Vec<Duty> {
    match &change.holder {
        Some(holder) if now <= holder.until => vec![Duty::Wait(Millis(holder.until.0.saturating_add(1)))],
        _ => vec![Duty::SettleInline],
    }
}

fn by_lanes(
    change: &ChangeRecord,
    lanes: &[LanePart],
    last_delivery_in_group: impl Fn(&LaneName) -> Option<Millis>,
    is_frozen: bool,
    max_stalled: u32,
    now: Millis,
) -> Vec<Duty> {
    if let Some(as_state) = early_end(change) {
        return end_early(change, lanes, as_state, now);
    }
    if change.sent && change.lanes_done >= change.lanes {
        return vec![Duty::Finish];
    }
    if is_frozen {
        return vec![Duty::Wait(now.plus(LATER))];
    }
    if !change.sent {
        let due = change.submitted.plus(UNSENT);
        return vec![if now < due { Duty::Wait(due) } else { Duty::PutLanes }];
    }
    let mut duties = Vec::new();
    let mut silent = Vec::new();
    for part in lanes.iter().filter(|part| part.state == LaneState::Open && !part.is_delivered(now)) {
        let last = last_delivery_in_group(&part.name).map_or(change.submitted, |at| at.max(change.submitted));
        if part.stalled >= max_stalled {
            duties.push(Duty::EndLane { lane: part.name.clone(), as_state: LaneState::Parked });
        } else if now.since(last) >= SILENT {
            silent.push(part.name.clone());
        }
    }
    if !silent.is_empty() {
        duties.push(Duty::Send(silent));
    }
    duties.push(Duty::Wait(now.plus(LATER)));
    duties
}

/// As what the run's open lanes end before their targets are done.
fn early_end(change: &ChangeRecord) -> Option<LaneState> {
    let has_stopped = change.stop_after.is_some_and(|most| change.failures >= most);
    match change.halt.as_ref().map(|halt| halt.as_what) {
        Some(Halted::Cancelled) => Some(LaneState::Cancelled),
        Some(Halted::Superseded) => Some(LaneState::Superseded),
        None => has_stopped.then_some(LaneState::Stopped),
    }
}

/// Ends every lane without a living delivery. The others end themselves at their next target.
fn end_early(change: &ChangeRecord, lanes: &[LanePart], as_state: LaneState, now: Millis) -> Vec<Duty> {
    // a lane without an item could not be counted as ended, and its message might still be sent
    if u32::try_from(lanes.len()).is_ok_and(|there| there < change.lanes) {
        return vec![Duty::PutLanes, Duty::Wait(now)];
    }
    let open: Vec<_> = lanes.iter().filter(|part| part.state == LaneState::Open).collect();
    if open.is_empty() {
        return vec![Duty::Finish];
    }
    let idle = open.into_iter().filter(|part| !part.is_delivered(now));
    let ended = idle.map(|part| Duty::EndLane { lane: part.name.clone(), as_state });
    ended.chain([Duty::Wait(now.plus(SOON))]).collect()
}
