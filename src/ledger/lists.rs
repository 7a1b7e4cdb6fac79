//! The list of changes.

use super::answer::Page;
use super::client::{Found, Lookup};
use super::condition::Condition;
use super::index::{LAST, Merged, entries, merged, position};
use super::item::text;
use super::items::change::decode_listed;
use super::items::living;
use super::keys::{self, Key, SHARDS};
use super::{AFTER_THE_CHANGE, Ledger, LedgerError};
use futures_util::future::try_join_all;
use policy_core::policy::{ChangeId, Instance, InstanceId, Scope};
use policy_core::record::{LaneName, Listed, Millis, Position, RecordStatus, TargetName};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use time::Time;

/// How many months are read for a page where a filter may leave little of them, at four requests each.
const FILTERED_MONTHS: usize = 4;
/// What is read beyond a page: an entry that tells whether there is a next one, and one that is at the position itself.
const MORE: usize = 2;
/// How far another process's clock may be ahead of ours.
const AHEAD: Duration = Duration::from_mins(1);

/// No change's id is below this one: before it is what is before its instant.
const LOWEST_ID: &str = "-";

/// Which changes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListQuery {
    /// Those submitted at this time or later.
    pub from: Option<Millis>,
    /// Those submitted at this time or earlier.
    pub to: Option<Millis>,
    /// Those whose newest run stands there.
    pub status: Option<RecordStatus>,
    /// Those that have a result for this instance.
    pub instance: Option<(LaneName, InstanceId)>,
    /// Those before this one.
    pub before: Option<Position>,
    /// At most so many.
    pub limit: usize,
}

impl ListQuery {
    /// The sort key that an entry's must not be below.
    fn lowest(&self) -> String {
        self.from.unwrap_or_default().to_string()
    }

    /// The sort key that an entry's must be below.
    fn highest(&self) -> String {
        let to = self.to.map_or_else(|| LAST.to_owned(), |to| format!("{to}#{LAST}"));
        self.before.as_ref().map_or(to.clone(), |before| before.key().min(to))
    }

    /// No entry is newer.
    fn newest(&self, now: Millis) -> Millis {
        let newest = now.plus(AHEAD);
        let before = match &self.before {
            Some(Position::Listed { at, change_id }) if change_id.as_str() == LOWEST_ID => {
                Millis(at.0.saturating_sub(1))
            }
            Some(Position::Listed { at, .. } | Position::History { at, .. }) => *at,
            Some(Position::Result(_)) | None => newest,
        };
        newest.min(before).min(self.to.unwrap_or(newest))
    }

    /// Whether a change is one of those.
    fn takes(&self, change: &Listed) -> bool {
        self.status.is_none_or(|status| status == change.status)
            && self.from.is_none_or(|from| from <= change.submitted)
            && self.to.is_none_or(|to| change.submitted <= to)
    }
}

impl Ledger {
    /// A page of changes, the newest first. A record that ran often is listed once.
    ///
    /// Those of an instance are in the order of their results there, and one whose runs lie far apart may be on two
    /// pages.
    pub async fn list(&self, query: &ListQuery, now: Millis) -> Result<Page<Listed>, LedgerError> {
        if query.lowest() > query.highest() {
            return Ok(Page { items: Vec::new(), next: None });
        }
        match &query.instance {
            Some((lane, instance)) => self.list_of_instance(query, lane, instance, now).await,
            None => self.list_by_month(query, now).await,
        }
    }

    async fn merge(&self, lookups: Vec<Lookup>, highest: &str) -> Result<Merged, LedgerError> {
        let found: Vec<Found> = try_join_all(lookups.iter().map(|lookup| self.look_up(lookup, None))).await?;
        merged(found, highest)
    }

    async fn list_by_month(&self, query: &ListQuery, now: Millis) -> Result<Page<Listed>, LedgerError> {
        let (lowest, highest) = (query.lowest(), query.highest());
        let retained = u64::try_from((self.retention + AFTER_THE_CHANGE).as_millis()).unwrap_or(u64::MAX);
        let oldest = Millis(now.0.saturating_sub(retained)).max(query.from.unwrap_or_default());
        let filter = query.status.map(|status| Condition::Is("status", text(status)));
        let mut month = month_start(query.newest(now));
        let mut items = Vec::new();
        for months in 1.. {
            // a filter is asked after the limit: with one, a whole request is worth its time
            let limit = filter.is_none().then_some(query.limit - items.len() + MORE);
            let shard = |shard| Lookup {
                filter: filter.clone(),
                limit,
                ..entries(keys::month(month, shard), &lowest, &highest)
            };
            let merged = self.merge((0..SHARDS).map(shard).collect(), &highest).await?;
            for (_, item) in merged.entries {
                if let Some(item) = living(item, now)? {
                    items.push(decode_listed(&item)?);
                }
            }
            if items.len() > query.limit {
                items.truncate(query.limit);
                let next = items.last().map(place);
                return Ok(Page { items, next });
            }
            if let Some(horizon) = merged.horizon {
                return Ok(Page { items, next: position(&horizon) });
            }
            if month <= oldest {
                break;
            }
            if filter.is_some() && months == FILTERED_MONTHS {
                let next = ChangeId::parse(LOWEST_ID);
                let next = next.map(|change_id| Position::Listed { at: month, change_id });
                return Ok(Page { items, next });
            }
            month = month_start(Millis(month.0 - 1));
        }
        Ok(Page { items, next: None })
    }

    async fn list_of_instance(
        &self,
        query: &ListQuery,
        lane: &LaneName,
        instance: &InstanceId,
        now: Millis,
    ) -> Result<Page<Listed>, LedgerError> {
        // a result is stored after its change was submitted, perhaps after `to`
        let highest = query.before.as_ref().map_or_else(|| LAST.to_owned(), Position::key);
        let instance = Instance { id: instance.clone(), region: lane.region.clone(), account: lane.account };
        let history = |scope| {
            let history = keys::history(&TargetName::of(&instance, scope));
            Lookup { limit: Some(query.limit + MORE), ..entries(history, &query.lowest(), &highest) }
        };
        let merged = self.merge(Scope::ALL.into_iter().map(history).collect(), &highest).await?;
        let mut ids: Vec<ChangeId> = Vec::new();
        let mut last = None;
        let mut is_whole = merged.horizon.is_none();
        for (at, item) in merged.entries {
            let Some(Position::History { run, .. }) = position(&at) else { continue };
            if living(item, now.plus(AFTER_THE_CHANGE))?.is_none() {
                continue;
            }
            if !ids.contains(&run.change_id) {
                if ids.len() == query.limit {
                    is_whole = false;
                    break;
                }
                ids.push(run.change_id);
            }
            last = Some(at);
        }
        let next = if is_whole { None } else { last.or(merged.horizon).as_deref().and_then(position) };
        Ok(Page { items: self.listed(&ids, query, now).await?, next })
    }

    /// Why these changes were asked for, in the requesters' words, of those that gave a reason.
    pub async fn reasons(
        &self,
        ids: &BTreeSet<&ChangeId>,
        now: Millis,
    ) -> Result<BTreeMap<ChangeId, String>, LedgerError> {
        let mut reasons = BTreeMap::new();
        for item in self.batch(ids.iter().map(|id| Key::change(id)).collect()).await? {
            if let Some(item) = living(item, now)? {
                let listed = decode_listed(&item)?;
                reasons.extend(listed.reason.map(|reason| (listed.change_id, reason)));
            }
        }
        Ok(reasons)
    }

    /// These changes as a list shows them, in that order.
    async fn listed(
        &self,
        ids: &[ChangeId],
        query: &ListQuery,
        now: Millis,
    ) -> Result<Vec<Listed>, LedgerError> {
        let mut changes = Vec::new();
        for item in self.batch(ids.iter().map(Key::change).collect()).await? {
            if let Some(item) = living(item, now)? {
                changes.push(decode_listed(&item)?);
            }
        }
        let place = |change: &Listed| ids.iter().position(|id| *id == change.change_id);
        changes.retain(|change| query.takes(change));
        changes.sort_by_key(place);
        Ok(changes)
    }
}

fn place(change: &Listed) -> Position {
    Position::Listed { at: change.submitted, change_id: change.change_id.clone() }
}

/// The first instant of a month, in UTC.
fn month_start(at: Millis) -> Millis {
    let start = at.time().and_then(|at| at.replace_day(1).ok());
    start.map_or(Millis(0), |start| Millis::of(start.replace_time(Time::MIDNIGHT)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::OffsetDateTime;
    use time::macros::datetime;

    #[test]
    fn a_month_begins_at_midnight_in_utc() {
        let at = |at: OffsetDateTime| Millis::of(at);
        for (within, start) in [
            (datetime!(2026-02-28 23:59:59.999 UTC), datetime!(2026-02-01 0:00 UTC)),
            (datetime!(2026-12-01 0:00 UTC), datetime!(2026-12-01 0:00 UTC)),
            (datetime!(2024-02-29 12:00 +14), datetime!(2024-02-01 0:00 UTC)),
            (datetime!(2024-03-01 0:00 +14), datetime!(2024-02-01 0:00 UTC)),
        ] {
            assert_eq!(month_start(at(within)), at(start));
        }
    }
}
