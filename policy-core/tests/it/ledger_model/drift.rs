//! A drift check beside the changes, as what CloudTrail says of an update starts one: late, twice, and again while nobody
//! can say.

use super::play::{Event, Play};
use policy_core::policy::Configuration;
use policy_core::record::{Millis, Observation, ReadBack, TargetRecord, observe};

/// How long a message waits that cannot be decided yet, and how often it is tried.
const AGAIN: (u64, u8) = (15_000, 40);

/// A drift check: the item, Amazon Connect, the item again, and then what it comes to is written.
#[derive(Debug)]
pub(super) struct DriftCheck {
    seen: Seen,
    tries: u8,
}

#[derive(Debug)]
enum Seen {
    Nothing,
    Item(TargetRecord),
    Read(TargetRecord, Configuration),
    Decided { item: Box<TargetRecord>, drift: Configuration, is_new: bool },
}

impl DriftCheck {
    pub(super) const fn new() -> Self {
        Self { seen: Seen::Nothing, tries: 0 }
    }

    pub(super) fn step(self, play: &mut Play) -> Option<(u64, Event)> {
        let seen = match self.seen {
            Seen::Nothing => Seen::Item(play.world.item.clone()),
            Seen::Item(item) => Seen::Read(item, play.world.connect.clone()),
            Seen::Read(before, held) => {
                let after = play.world.item.clone();
                if before.intent.is_none() && after.rev == before.rev {
                    play.world.truth.compared(&after.held, &held);
                }
                let now = Millis(play.now.checked_add_signed(play.clock()).unwrap());
                match observe(&before, ReadBack::Holds(&held), &after, now) {
                    Observation::InSync | Observation::Ungoverned => return None,
                    Observation::Later => return again(self.tries),
                    Observation::Known(drift) => decided(after, drift, false),
                    Observation::Ended => decided(after, Configuration::default(), false),
                    Observation::Drifted(drift) => decided(after, drift, true),
                }
            }
            Seen::Decided { item, drift, is_new } => {
                if !play.world.note_drift(&item, &drift) {
                    return again(self.tries);
                }
                if is_new {
                    play.world.truth.reported(&drift);
                }
                return None;
            }
        };
        let (after, _) = play.pause();
        Some((after, Event::Check(Box::new(Self { seen, ..self }))))
    }
}

fn decided(item: TargetRecord, drift: Configuration, is_new: bool) -> Seen {
    Seen::Decided { item: Box::new(item), drift, is_new }
}

fn again(tries: u8) -> Option<(u64, Event)> {
    let next = DriftCheck { seen: Seen::Nothing, tries: tries + 1 };
    (tries < AGAIN.1).then(|| (AGAIN.0, Event::Check(Box::new(next))))
}
