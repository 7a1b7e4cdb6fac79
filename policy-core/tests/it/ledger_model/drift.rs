//! A drift check beside the changes.

use super::play::{Event, Play};
use policy_core::policy::Configuration;
use policy_core::record::TargetRecord;

/// A drift check: the item, Amazon Connect, the item again.
#[derive(Debug)]
pub(super) struct DriftCheck {
    seen: Option<(TargetRecord, Option<Configuration>)>,
}

impl DriftCheck {
    pub(super) const fn new() -> Self {
        Self { seen: None }
    }

    pub(super) fn step(self, play: &mut Play) -> Option<Event> {
        let next = match self.seen {
            None => Some((play.world.item.clone(), None)),
            Some((record, None)) => Some((record, Some(play.world.connect.clone()))),
            Some((record, Some(held))) => {
                let is_at_rest = record.intent.is_none() && play.world.item.rev == record.rev;
                if is_at_rest {
                    play.world.truth.compared(&record.held, &held);
                }
                None
            }
        };
        next.map(|seen| Event::Check(Box::new(Self { seen: Some(seen) })))
    }
}
