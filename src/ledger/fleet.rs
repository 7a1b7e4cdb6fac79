//! Every target there is, for who looks at them.

use super::client::Lookup;
use super::condition::Condition;
use super::item::text;
use super::items::target::{decode, name};
use super::keys::{self, TARGET_SHARDS};
use super::{Ledger, LedgerError};
use futures_util::future::try_join_all;
use policy_core::record::{LaneName, TargetName, TargetRecord};

/// How many requests of 1 MB are made for a partition: some 4,000 targets.
const READS: usize = 4;

/// Targets that were ever governed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fleet {
    /// With their items, by partition and name.
    pub targets: Vec<(TargetName, TargetRecord)>,
    /// Whether these are all.
    pub is_whole: bool,
}

impl Ledger {
    /// The targets, of one lane or of all, perhaps a moment old.
    pub async fn fleet(&self, lane: Option<&LaneName>) -> Result<Fleet, LedgerError> {
        let partitions = if let Some(lane) = lane {
            let of_lane = Condition::StartsWith("sk", keys::in_lane(lane));
            vec![Condition::All(vec![Condition::Is("pk", text(keys::targets(lane))), of_lane])]
        } else {
            let whole = |shard| Condition::Is("pk", text(keys::targets_in(shard)));
            (0..TARGET_SHARDS).map(whole).collect()
        };
        let parts = try_join_all(partitions.into_iter().map(|keys| self.partition(keys))).await?;
        let is_whole = parts.iter().all(|part| part.is_whole);
        Ok(Fleet { targets: parts.into_iter().flat_map(|part| part.targets).collect(), is_whole })
    }

    /// The lanes in which a target was ever governed: one request for each, and one for each partition.
    pub async fn lanes_with_targets(&self) -> Result<Vec<LaneName>, LedgerError> {
        let partitions = try_join_all((0..TARGET_SHARDS).map(|shard| self.lanes_in(shard))).await?;
        Ok(partitions.into_iter().flatten().collect())
    }

    async fn lanes_in(&self, shard: u8) -> Result<Vec<LaneName>, LedgerError> {
        let mut lanes: Vec<LaneName> = Vec::new();
        loop {
            let beyond = lanes.last().map(keys::after_lane).unwrap_or_default();
            let mut keys = vec![Condition::Is("pk", text(keys::targets_in(shard)))];
            if !beyond.is_empty() {
                keys.push(Condition::Above("sk", text(beyond)));
            }
            let lookup = Lookup { limit: Some(1), ..Lookup::of(Condition::All(keys)) };
            match self.look_up(&lookup, None).await?.items.first() {
                Some(item) => lanes.push(name(item)?.lane),
                None => return Ok(lanes),
            }
        }
    }

    async fn partition(&self, keys: Condition) -> Result<Fleet, LedgerError> {
        let lookup = Lookup { is_consistent: false, ..Lookup::of(keys) };
        let mut targets = Vec::new();
        let mut from = None;
        for _ in 0..READS {
            let found = self.look_up(&lookup, from).await?;
            for item in &found.items {
                targets.push((name(item)?, decode(item)?));
            }
            from = found.last;
            if from.is_none() {
                break;
            }
        }
        Ok(Fleet { targets, is_whole: from.is_none() })
    }
}
