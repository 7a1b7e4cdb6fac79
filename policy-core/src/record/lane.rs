//! A run's part in one account and Region.

use super::{Counts, Millis};
use crate::aws::{AccountId, RegionName};
use crate::policy::{Home, Instance};
use std::fmt;

/// What shares one quota and one message group: `{account}/{region}`, and `self` for an unknown own account.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LaneName {
    /// The account; `None` where the function does not know its own.
    pub account: Option<AccountId>,
    /// The Region.
    pub region: RegionName,
}

/// The account's name where it is unknown.
const OWN: &str = "self";

impl LaneName {
    /// The lane of an instance.
    pub fn of(instance: &Instance) -> Self {
        Self { account: instance.account, region: instance.region.clone() }
    }

    /// The function's own.
    pub fn home(home: &Home) -> Self {
        Self { account: home.account, region: home.region.clone() }
    }

    /// From its text.
    pub fn parse(text: &str) -> Option<Self> {
        let (account, region) = text.split_once('/')?;
        let account = if account == OWN { None } else { Some(AccountId::parse(account)?) };
        Some(Self { account, region: RegionName::parse(region)? })
    }
}

impl fmt::Display for LaneName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let account = self.account.as_ref().map_or(OWN, AccountId::as_str);
        write!(f, "{account}/{}", self.region)
    }
}

crate::stable_names! {
    /// Where a run's lane stands. All but `open` are for good.
    pub enum LaneState {
        /// Not finished.
        Open = "open",
        /// Every target is done.
        Done = "done",
        /// Too many deliveries without progress.
        Parked = "parked",
        /// The change was cancelled.
        Cancelled = "cancelled",
        /// Too many targets failed (`stopAfterFailures`).
        Stopped = "stopped",
        /// A newer generation of the same declaration took over.
        Superseded = "superseded",
    }
}

/// The delivery that works on a lane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Its own token.
    pub token: String,
    /// When it is surely dead: its deadline and 65 seconds.
    pub until: Millis,
}

/// A run's lane, as its item has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LanePart {
    /// Which lane.
    pub name: LaneName,
    /// Where it stands.
    pub state: LaneState,
    /// The delivery that works on it; absent between deliveries.
    pub delivery: Option<Delivery>,
    /// Deliveries begun in all.
    pub deliveries: u32,
    /// Deliveries begun since the last progress.
    pub stalled: u32,
    /// When there was progress last.
    pub moved: Option<Millis>,
    /// Its targets, where they are known before `"*"` is resolved.
    pub planned: Option<u32>,
    /// How many targets are done.
    pub done: u32,
    /// The name of the parts that hold what `"*"` means in this lane.
    pub resolved: Option<String>,
    /// At its end: how its targets ended.
    pub counts: Counts,
    /// At the end of a dry run: the hash of its results.
    pub hash: Option<String>,
}
