//! Where an item is. No id, lane, instance id or scope contains `#`.

use aws_sdk_dynamodb::types::AttributeValue;
use policy_core::policy::ChangeId;
use policy_core::record::{LaneName, Millis, Order, RunKey, RunName, TargetName};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::fmt;
use time::OffsetDateTime;

/// Changes in the list, and what is owed, are spread over so many partitions.
pub(super) const SHARDS: u8 = 4;
/// All targets are in so many partitions.
pub(super) const TARGET_SHARDS: u8 = 2;

/// An item's two keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) pk: String,
    pub(super) sk: String,
}

impl Key {
    pub(super) fn change(id: &ChangeId) -> Self {
        Self { pk: changes(id), sk: "change".to_owned() }
    }

    /// A run before the newest.
    pub(super) fn earlier_run(id: &ChangeId, run: u32) -> Self {
        Self { pk: changes(id), sk: format!("run#{run:06}") }
    }

    pub(super) fn part(id: &ChangeId, name: &str, number: usize) -> Self {
        Self { pk: changes(id), sk: format!("{}{number:03}", parts(name)) }
    }

    pub(super) fn lane(run: &RunName, lane: &LaneName) -> Self {
        Self { pk: changes(&run.change_id), sk: format!("{}{lane}", lanes(run.key)) }
    }

    pub(super) fn work(lane: &LaneName, order: &Order, key: RunKey) -> Self {
        Self { pk: lane_group(lane), sk: format!("{WORK}{order}#{key}") }
    }

    /// The last delivery of a lane's group.
    pub(super) fn last_delivery(lane: &LaneName) -> Self {
        Self { pk: lane_group(lane), sk: "seen".to_owned() }
    }

    pub(super) fn result(run: &RunName, target: &TargetName) -> Self {
        Self { pk: results(run), sk: target.to_string() }
    }

    pub(super) fn target(target: &TargetName) -> Self {
        Self { pk: targets(&target.lane), sk: target.to_string() }
    }

    /// A drift that is owed. Its partition begins as those of the targets do, so that who writes to them may write it.
    pub(super) fn drift(target: &TargetName, id: &str) -> Self {
        Self { pk: DRIFTS.to_owned(), sk: format!("{target}#{id}") }
    }

    pub(super) fn declaration(stack_id: &str, logical_id: &str) -> Self {
        Self { pk: declarations(stack_id), sk: logical_id.to_owned() }
    }

    /// What a generation of a declared resource owes.
    pub(super) fn answer(stack_id: &str, logical_id: &str, generation: u32) -> Self {
        Self { pk: declarations(stack_id), sk: format!("{logical_id}#{generation}") }
    }

    pub(super) fn freeze() -> Self {
        Self { pk: "freeze".to_owned(), sk: "freeze".to_owned() }
    }

    pub(super) fn into_attributes(self) -> HashMap<String, AttributeValue> {
        HashMap::from([
            ("pk".to_owned(), AttributeValue::S(self.pk)),
            ("sk".to_owned(), AttributeValue::S(self.sk)),
        ])
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.pk, self.sk)
    }
}

/// What the sort keys of a lane's unfinished work begin with.
pub(super) const WORK: &str = "work#";

/// The partition of the drifts that are owed.
const DRIFTS: &str = "target#drift";

/// Which drift has these keys.
pub(super) fn drift_of(pk: &str, sk: &str) -> Option<(TargetName, String)> {
    let mut parts = Some(sk).filter(|_| pk == DRIFTS)?.splitn(4, '#');
    let mut next = || parts.next();
    let (lane, instance, scope, id) = (next()?, next()?, next()?, next()?);
    Some((TargetName::parse(&format!("{lane}#{instance}#{scope}"))?, id.to_owned()))
}

/// The partition of a change, its lanes and its plan.
pub(super) fn changes(id: &ChangeId) -> String {
    format!("change#{id}")
}

/// The change whose partition that is.
pub(super) fn change_of(pk: &str) -> Option<ChangeId> {
    ChangeId::parse(pk.strip_prefix("change#")?)
}

fn declarations(stack_id: &str) -> String {
    format!("{DECLARATION}{stack_id}")
}

const DECLARATION: &str = "declaration#";

/// The stack, the logical id and the generation of an answer's keys.
pub(super) fn answer_of(pk: &str, sk: &str) -> Option<(String, String, u32)> {
    let (logical_id, generation) = sk.split_once('#')?;
    Some((pk.strip_prefix(DECLARATION)?.to_owned(), logical_id.to_owned(), generation.parse().ok()?))
}

/// What the sort keys of a plan's parts begin with.
pub(super) fn parts(name: &str) -> String {
    format!("part#{name}#")
}

/// The number of the run before the newest that has this sort key.
pub(super) fn earlier_run_of(sk: &str) -> Option<u32> {
    sk.strip_prefix("run#")?.parse().ok()
}

/// What the sort keys of a run's lanes begin with.
pub(super) fn lanes(key: RunKey) -> String {
    format!("lane#{key}#")
}

/// The partition of a lane's unfinished work.
pub(super) fn lane_group(lane: &LaneName) -> String {
    format!("lane#{lane}")
}

/// The partition of a run's results.
pub(super) fn results(run: &RunName) -> String {
    format!("run#{run}")
}

/// What the sort keys of a lane's targets and results begin with.
pub(super) fn in_lane(lane: &LaneName) -> String {
    format!("{lane}#")
}

/// Above every sort key of a lane's targets, and below those of the next lane: `$` follows `#`, and no lane has either.
pub(super) fn after_lane(lane: &LaneName) -> String {
    format!("{lane}$")
}

/// The partition of a lane's targets.
pub(super) fn targets(lane: &LaneName) -> String {
    targets_in(shard(&lane.to_string(), TARGET_SHARDS))
}

/// The partition of a shard's targets.
pub(super) fn targets_in(shard: u8) -> String {
    format!("target#{shard}")
}

/// The index partition of a target's history.
pub(super) fn history(target: &TargetName) -> String {
    format!("target#{target}")
}

/// The index partition that a change is listed in.
pub(super) fn listed(submitted: Millis, id: &ChangeId) -> String {
    month(submitted, shard(id.as_str(), SHARDS))
}

/// The index partition of a shard in the month of that instant, in UTC.
pub(super) fn month(at: Millis, shard: u8) -> String {
    let day = at.time().unwrap_or(OffsetDateTime::UNIX_EPOCH).date();
    format!("changes#{:04}-{:02}#{shard}", day.year(), u8::from(day.month()))
}

/// The index partition of what is owed.
pub(super) fn owed(id: &ChangeId) -> String {
    owed_in(shard(id.as_str(), SHARDS))
}

/// The index partition of a drift that is owed.
pub(super) fn owed_drift(target: &TargetName) -> String {
    owed_in(shard(&target.to_string(), SHARDS))
}

/// The index partition of an answer that is owed to a stack.
pub(super) fn owed_to(stack_id: &str) -> String {
    owed_in(shard(stack_id, SHARDS))
}

/// The index partition of what is owed in a shard.
pub(super) fn owed_in(shard: u8) -> String {
    format!("sweep#{shard}")
}

/// Which of so many partitions a text belongs to.
fn shard(text: &str, of: u8) -> u8 {
    Sha256::digest(text).last().map_or(0, |byte| byte % of)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lane() -> LaneName {
        LaneName::parse("111122223333/eu-central-1").unwrap()
    }

    #[test]
    fn an_item_is_where_the_design_says() {
        let id = ChangeId::parse("CHG-1/2").unwrap();
        let run = RunName { change_id: id.clone(), key: RunKey(Millis(1_700_000_000_000)) };
        let order = Order { accepted: Millis(5), change_id: id.clone() };
        let target =
            TargetName::parse("111122223333/eu-central-1#00000001-0000-4000-8000-000000000001#CHAT").unwrap();
        let at = target.to_string();
        for (key, pk, sk) in [
            (Key::change(&id), "change#CHG-1/2", "change"),
            (Key::earlier_run(&id, 7), "change#CHG-1/2", "run#000007"),
            (Key::part(&id, "abc", 2), "change#CHG-1/2", "part#abc#002"),
            (Key::lane(&run, &lane()), "change#CHG-1/2", "lane#1700000000000#111122223333/eu-central-1"),
            (
                Key::work(&lane(), &order, run.key),
                "lane#111122223333/eu-central-1",
                "work#0000000000005#CHG-1/2#1700000000000",
            ),
            (Key::last_delivery(&lane()), "lane#111122223333/eu-central-1", "seen"),
            (Key::result(&run, &target), "run#CHG-1/2#1700000000000", at.as_str()),
            (Key::target(&target), "target#1", at.as_str()),
            (Key::drift(&target, "d/1"), "target#drift", &format!("{at}#d/1")),
            (Key::freeze(), "freeze", "freeze"),
        ] {
            assert_eq!((key.pk.as_str(), key.sk.as_str()), (pk, sk));
        }
        assert_eq!(drift_of("target#drift", &format!("{at}#d/1")), Some((target, "d/1".to_owned())));
        assert_eq!(drift_of("target#1", &format!("{at}#d/1")), None);
        assert_eq!(change_of("change#CHG-1/2"), Some(id));
        assert_eq!(change_of("target#1"), None);
        assert_eq!((earlier_run_of("run#000007"), earlier_run_of("change")), (Some(7), None));
    }

    #[test]
    fn a_month_is_that_of_utc() {
        // 2026-02-28T23:59:59.999Z, and a millisecond later
        assert_eq!(month(Millis(1_772_323_199_999), 3), "changes#2026-02#3");
        assert_eq!(month(Millis(1_772_323_200_000), 0), "changes#2026-03#0");
    }

    #[test]
    fn a_shard_is_the_hash_modulo_their_number() {
        // sha256sum: that of `a` ends with bb, that of `b` with 9d
        assert_eq!((shard("a", 4), shard("a", 2)), (3, 1));
        assert_eq!((shard("b", 4), shard("b", 2)), (1, 1));
    }
}
