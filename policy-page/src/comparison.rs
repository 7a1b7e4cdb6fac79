//! What is usual in a fleet, and who differs from it.

use crate::words::{ListDifference, is_known};
use policy_core::policy::{Configuration, InstanceId, Scope};
use policy_core::record::{LaneName, TargetName, TargetRecord};
use std::collections::{BTreeMap, BTreeSet};

/// The most common values of a scope. Of equally common ones the smallest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Usual<'a> {
    pub(crate) size: Option<i64>,
    pub(crate) extensions: Option<&'a BTreeSet<String>>,
}

impl<'a> Usual<'a> {
    fn of(held: impl Iterator<Item = &'a Configuration> + Clone) -> Self {
        Self {
            size: most_common(held.clone().filter_map(|held| held.maximum_size_limit_in_bytes)),
            extensions: most_common(held.filter_map(|held| held.allowed_extensions.as_ref())),
        }
    }

    /// How a target differs. A member that is not governed does not.
    pub(crate) fn difference(&self, held: &'a Configuration) -> Difference<'a> {
        let size = held.maximum_size_limit_in_bytes;
        let list = match (self.extensions, &held.allowed_extensions) {
            (Some(usual), Some(held)) => ListDifference::between(usual, held),
            _ => ListDifference::default(),
        };
        Difference { size: size.is_some() && size != self.size, list }
    }
}

fn most_common<T: Ord>(values: impl Iterator<Item = T>) -> Option<T> {
    let mut counts = BTreeMap::new();
    for value in values {
        *counts.entry(value).or_insert(0_usize) += 1;
    }
    // of equal ones `max_by_key` takes the last
    counts.into_iter().rev().max_by_key(|(_, count)| *count).map(|(value, _)| value)
}

/// How a target differs from what is usual.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Difference<'a> {
    pub(crate) size: bool,
    pub(crate) list: ListDifference<'a>,
}

impl Difference<'_> {
    pub(crate) const fn any(&self) -> bool {
        self.size || !self.list.is_none()
    }
}

/// An instance: its targets in the order of [`Scope::ALL`].
#[derive(Debug, Clone)]
pub(crate) struct Row<'a> {
    pub(crate) lane: &'a LaneName,
    pub(crate) instance: &'a InstanceId,
    pub(crate) targets: [Option<&'a (TargetName, TargetRecord)>; 4],
}

/// The instances of a fleet, by account, Region and id, and what is usual in each scope.
#[derive(Debug, Clone)]
pub(crate) struct Comparison<'a> {
    pub(crate) usual: [Usual<'a>; 4],
    pub(crate) rows: Vec<Row<'a>>,
}

impl Row<'_> {
    /// Whether one of its targets was seen to hold something else than it should.
    pub(crate) fn has_drifted(&self) -> bool {
        self.targets.iter().flatten().any(|(_, record)| is_known(&record.drift))
    }
}

impl<'a> Comparison<'a> {
    pub(crate) fn of(targets: &'a [(TargetName, TargetRecord)]) -> Self {
        let of_scope = |scope| {
            Usual::of(
                targets.iter().filter(move |(name, _)| name.scope == scope).map(|(_, record)| &record.held),
            )
        };
        let mut rows: BTreeMap<(&LaneName, &InstanceId), Row<'_>> = BTreeMap::new();
        for target in targets {
            let (lane, instance) = (&target.0.lane, &target.0.instance);
            let row = rows.entry((lane, instance)).or_insert(Row { lane, instance, targets: [None; 4] });
            let place = Scope::ALL.iter().position(|scope| *scope == target.0.scope);
            if let Some(cell) = place.and_then(|place| row.targets.get_mut(place)) {
                *cell = Some(target);
            }
        }
        Self { usual: Scope::ALL.map(of_scope), rows: rows.into_values().collect() }
    }

    /// A row's cells, each with what is usual in its scope.
    pub(crate) fn cells<'r>(
        &'r self,
        row: &'r Row<'a>,
    ) -> impl Iterator<Item = (&'r Usual<'a>, Option<&'a (TargetName, TargetRecord)>)> {
        self.usual.iter().zip(row.targets)
    }

    pub(crate) fn differs(&self, row: &Row<'a>) -> bool {
        self.cells(row)
            .any(|(usual, target)| target.is_some_and(|(_, record)| usual.difference(&record.held).any()))
    }

    /// The list that is the usual one of every scope, if it is the same.
    pub(crate) fn usual_list(&self) -> Option<&'a BTreeSet<String>> {
        let mut lists = self.usual.iter().map(|usual| usual.extensions);
        let first = lists.next()??;
        lists.all(|list| list == Some(first)).then_some(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(size: i64, extensions: &[&str]) -> Configuration {
        Configuration {
            maximum_size_limit_in_bytes: Some(size),
            allowed_extensions: Some(extensions.iter().map(|name| (*name).to_owned()).collect()),
        }
    }

    #[test]
    fn the_most_common_values_are_usual_and_of_equal_ones_the_smallest() {
        let all = [held(5, &["pdf"]), held(7, &["csv", "pdf"]), held(7, &["pdf"]), held(9, &[])];
        let usual = Usual::of(all.iter());
        assert_eq!((usual.size, usual.extensions), (Some(7), all[0].allowed_extensions.as_ref()));
        assert_eq!(Usual::of(all[2..].iter()).size, Some(7));
        assert_eq!(Usual::of([Configuration::default()].iter()), Usual::default());
    }

    #[test]
    fn who_differs_is_said_member_by_member() {
        let all = [held(5, &["csv", "pdf"]), held(5, &["csv", "pdf"])];
        let usual = Usual::of(all.iter());
        let other = held(6, &["pdf", "zip"]);
        let difference = usual.difference(&other);
        assert!(difference.size && difference.any());
        assert_eq!((difference.list.added, difference.list.removed), (vec!["zip"], vec!["csv"]));
        assert!(!usual.difference(&all[1]).any());
        assert!(
            !usual.difference(&Configuration::default()).any(),
            "what is not governed differs from nobody"
        );
    }
}
