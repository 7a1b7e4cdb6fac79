//! The event that a run owes once it has ended: put at least once, and always with the same content.
//!
//! Nothing that becomes of it changes what became of the run. What the bus has not taken stays owed, and the sweep puts
//! it again.

use super::worker::NoWork;
use super::{Handler, InvocationContext};
use crate::bus::{Bus, BusError};
use crate::ledger::{Ledger, LedgerError, ResultsQuery};
use crate::telemetry::causes;
use policy_core::record::{
    Announcement, CHANGE_COMPLETED, ChangeRecord, LanePart, Mode, Position, Standing, announce_again,
};
use policy_core::report::OutcomeKind;
use std::sync::atomic::Ordering;
use tokio::time::timeout_at;

/// The results of a page.
const RESULTS: usize = 100;

/// Why an event is still owed.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotAnnounced {
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error(transparent)]
    Bus(#[from] BusError),
    #[error(transparent)]
    Encoding(#[from] serde_json::Error),
}

impl Handler {
    /// Whether a run that ends owes an event.
    pub(super) const fn announces(&self) -> bool {
        self.bus.is_some()
    }

    /// Puts the event that a run owes. Whether it owes none any more.
    pub(super) async fn announce(
        &self,
        context: &InvocationContext,
        ledger: &Ledger,
        change: &ChangeRecord,
    ) -> bool {
        if !change.announce || !change.status.is_final() {
            return true;
        }
        // without a bus nobody listens
        let Some(bus) = &self.bus else { return ledger.announced(change).await.is_ok() };
        if context.bus_failed.load(Ordering::Relaxed) {
            return false;
        }
        let put = Box::pin(self.put_event(context, ledger, bus, change));
        let why = match timeout_at(context.deadline.end(), put).await {
            Ok(Ok(())) => return true,
            Ok(Err(error)) => {
                let is_of_bus = matches!(error, NotAnnounced::Bus(_));
                context.bus_failed.fetch_or(is_of_bus, Ordering::Relaxed);
                causes(&error)
            }
            Err(_) => "time ran out".to_owned(),
        };
        let (change_id, run) = (&change.change_id, change.run);
        tracing::warn!(error = why, %change_id, run, "the event could not be put; the sweep tries again");
        false
    }

    /// The same for the sweep. One that the bus does not take comes later each time.
    pub(super) async fn announce_again(
        &self,
        context: &InvocationContext,
        ledger: &Ledger,
        change: &ChangeRecord,
    ) -> Result<(), LedgerError> {
        if !self.announce(context, ledger, change).await {
            ledger.announce_at(change, announce_again(change, self.now())).await?;
        }
        Ok(())
    }

    async fn put_event(
        &self,
        context: &InvocationContext,
        ledger: &Ledger,
        bus: &Bus,
        change: &ChangeRecord,
    ) -> Result<(), NotAnnounced> {
        let lanes = match change.mode {
            Mode::Lanes => ledger.lanes(&change.run_name()).await?,
            Mode::Inline => Vec::new(),
        };
        let mut event = Announcement::of(change, &lanes)?;
        for outcome in event.outcomes() {
            if !add_stored(ledger, change, outcome, &mut event).await? {
                break;
            }
            if !self.add_untouched(context, ledger, (change, &lanes), outcome, &mut event).await? {
                break;
            }
        }
        let at = change.finished.unwrap_or(change.submitted);
        bus.put(CHANGE_COMPLETED, event.encode()?, at, context.deadline.end()).await?;
        Ok(ledger.announced(change).await?)
    }

    /// Adds the targets that were not begun. `false`: the event takes no more.
    async fn add_untouched(
        &self,
        context: &InvocationContext,
        ledger: &Ledger,
        of: (&ChangeRecord, &[LanePart]),
        outcome: OutcomeKind,
        event: &mut Announcement<'_>,
    ) -> Result<bool, NotAnnounced> {
        if !Standing::may_be(outcome, of.0) {
            return Ok(true);
        }
        let mut after = None;
        loop {
            let page = match self.untouched(context, ledger, of, outcome, after.as_ref(), RESULTS).await {
                Ok(page) => page,
                Err(NoWork::Ledger(error)) => return Err(error.into()),
                Err(error) => {
                    // as of the record: the plan means nothing any more, and it will not later
                    let change_id = &of.0.change_id;
                    tracing::error!(error = causes(&error), %change_id, "the run's targets could not be read");
                    event.cut();
                    return Ok(true);
                }
            };
            for target in &page.items {
                if !event.add_untouched(target)? {
                    return Ok(false);
                }
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        Ok(true)
    }
}

/// Adds the results that ended so. `false`: the event takes no more.
async fn add_stored(
    ledger: &Ledger,
    change: &ChangeRecord,
    outcome: OutcomeKind,
    event: &mut Announcement<'_>,
) -> Result<bool, NotAnnounced> {
    let mut after = None;
    loop {
        let query = ResultsQuery { after, outcome: Some(outcome), limit: RESULTS, is_current: true };
        let page = ledger.results(&change.run_name(), &query).await?;
        for result in &page.items {
            if !event.add(result)? {
                return Ok(false);
            }
        }
        after = match page.next {
            Some(Position::Result(next)) => Some(next),
            Some(_) | None => return Ok(true),
        };
    }
}
