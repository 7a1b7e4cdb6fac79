//! The results of a run.

use super::answer::Page;
use super::client::Lookup;
use super::condition::Condition;
use super::index::LAST;
use super::item::text;
use super::items::result::decode;
use super::keys::{self, Key};
use super::{Ledger, LedgerError};
use policy_core::record::{LaneName, Position, RecordedResult, RunName, TargetName};
use policy_core::report::OutcomeKind;
use std::collections::BTreeSet;

/// How many requests of 1 MB are made for a page. A filtered page may be short.
const READS: usize = 4;

/// Which results of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultsQuery {
    /// Those after this one.
    pub after: Option<TargetName>,
    /// Those that ended so.
    pub outcome: Option<OutcomeKind>,
    /// At most so many.
    pub limit: usize,
    /// Whether they are as they are now: something is decided by them. Otherwise they are perhaps a moment old.
    pub is_current: bool,
}

/// The targets of a lane that have a result.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WithResult {
    /// Their names.
    pub names: BTreeSet<TargetName>,
    /// How far they were read, where that is not the end.
    pub until: Option<TargetName>,
}

impl Ledger {
    /// The targets of a lane from this one on that have a result, as far as so many requests of 1 MB get, at least one.
    /// Perhaps a moment old.
    pub async fn with_result(
        &self,
        run: &RunName,
        lane: &LaneName,
        from: Option<&TargetName>,
        requests: &mut usize,
    ) -> Result<WithResult, LedgerError> {
        let in_lane = keys::in_lane(lane);
        let keys = match from {
            Some(from) => Condition::Between("sk", text(from), text(format!("{in_lane}{LAST}"))),
            None => Condition::StartsWith("sk", in_lane),
        };
        let of_run = Condition::Is("pk", text(keys::results(run)));
        let lookup = Lookup { is_consistent: false, ..Lookup::of(Condition::All(vec![of_run, keys])) };
        let mut begun = WithResult::default();
        let mut from = None;
        loop {
            let found = self.look_up(&lookup, from).await?;
            *requests = requests.saturating_sub(1);
            for item in &found.items {
                begun.names.insert(super::items::target::name(item)?);
            }
            match found.last {
                None => return Ok(begun),
                Some(last) if *requests == 0 => {
                    begun.until = Some(super::items::target::name(&last)?);
                    return Ok(begun);
                }
                Some(last) => from = Some(last),
            }
        }
    }

    /// A page of a run's results, by lane, instance and scope.
    pub async fn results(
        &self,
        run: &RunName,
        query: &ResultsQuery,
    ) -> Result<Page<RecordedResult>, LedgerError> {
        let of_run = Condition::Is("pk", text(keys::results(run)));
        let after = query.after.as_ref().map(|after| Condition::Above("sk", text(after)));
        let lookup = Lookup {
            filter: query.outcome.map(|outcome| Condition::Is("outcome", text(outcome))),
            // a filter is asked after the limit: with one, a whole request is worth its time
            limit: query.outcome.is_none().then_some(query.limit + 1),
            is_consistent: query.is_current,
            ..Lookup::of(Condition::All([of_run].into_iter().chain(after).collect()))
        };
        let mut items = Vec::new();
        let mut from = None;
        for _ in 0..READS {
            let found = self.look_up(&lookup, from).await?;
            for item in &found.items {
                items.push(decode(item)?);
            }
            from = found.last;
            if from.is_none() || items.len() > query.limit {
                break;
            }
        }
        let next = if items.len() > query.limit {
            items.truncate(query.limit);
            items.last().map(|last| last.target.clone())
        } else {
            from.as_ref().map(super::items::target::name).transpose()?
        };
        Ok(Page { items, next: next.map(Position::Result) })
    }

    /// Every result of a lane, as it is now.
    pub async fn results_in_lane(
        &self,
        run: &RunName,
        lane: &LaneName,
    ) -> Result<Vec<RecordedResult>, LedgerError> {
        let lookup = Lookup::of(Condition::All(vec![
            Condition::Is("pk", text(keys::results(run))),
            Condition::StartsWith("sk", keys::in_lane(lane)),
        ]));
        self.look_up_all(&lookup).await?.iter().map(decode).collect()
    }

    /// A target's result, as it is now.
    pub async fn result(
        &self,
        run: &RunName,
        target: &TargetName,
    ) -> Result<Option<RecordedResult>, LedgerError> {
        self.get(Key::result(run, target), true).await?.as_ref().map(decode).transpose()
    }
}
