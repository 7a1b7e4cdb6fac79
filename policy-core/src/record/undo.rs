//! What one target's own record asks of it: to hold again what a change replaced, or what a dry run planned.

use super::{Members, RecordedResult, RunKey, TargetName};
use crate::policy::{Configuration, Values};
use crate::report::OutcomeKind;
use std::collections::BTreeMap;

/// What is asked of one target instead of the change's own values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Own {
    /// The values. Empty: they are not known, because Amazon Connect did not return one of them, or returned one that
    /// no update can set.
    pub values: Values,
    /// What the target must hold; an absent member is not compared, except where `whole`.
    pub expected: Configuration,
    /// Whether it must hold exactly that, whatever `force` says: a plan is carried out as it was made, or not at all.
    pub whole: bool,
}

impl Own {
    /// Whether the target holds what is expected, in whatever ASCII case it spells it.
    pub fn expects(&self, held: &Configuration) -> bool {
        let compared = if self.whole { Members::ALL } else { Members::of_known(&self.expected) };
        compared.agree(&self.expected, held)
    }

    /// Whether the target holds exactly what a plan comes to: it was carried out already.
    pub fn has_come_about(&self, held: &Configuration) -> bool {
        self.whole && Members::ALL.agree(&self.expected.after(&self.values), held)
    }
}

/// What an undo asks of each target to which the change applied something, in its runs up to `up_to`: the `before` of the
/// first of them, of the members that the change `named` in any of them, where the target still holds the `after` of the last.
///
/// The other half of the condition is the target's item: [`is_last_applied_by`](super::TargetRecord::is_last_applied_by).
pub fn undo_of(
    results: &[(RunKey, RecordedResult)],
    up_to: RunKey,
    named: impl Fn(&RecordedResult) -> Members,
) -> BTreeMap<TargetName, Own> {
    let is_applied =
        |(key, result): &&(RunKey, RecordedResult)| *key <= up_to && result.outcome == OutcomeKind::Applied;
    let mut applied: BTreeMap<&TargetName, BTreeMap<RunKey, &RecordedResult>> = BTreeMap::new();
    for (key, result) in results.iter().filter(is_applied) {
        applied.entry(&result.target).or_default().insert(*key, result);
    }
    let own = applied.into_iter().filter_map(|(target, runs)| {
        let (first, last) = (runs.values().next()?, runs.values().next_back()?);
        let named = runs.values().fold(Members::default(), |all, run| all.or(named(run)));
        let values = first.before.as_ref().and_then(|before| values_of(named, before));
        let expected = last.after.as_ref().map(|after| named.within(after));
        let own =
            Own { values: values.unwrap_or_default(), expected: expected.unwrap_or_default(), whole: false };
        Some((target.clone(), own))
    });
    own.collect()
}

/// What a dry run that is carried out asks of each target it planned to update: the members of `after` that differ from
/// `before`, where the target still holds that `before`, whole.
///
/// `forced`: the members that are sent even if they do not differ: of a change with `force` those that it names.
pub fn apply_of(
    results: &[RecordedResult],
    forced: impl Fn(&RecordedResult) -> Members,
) -> BTreeMap<TargetName, Own> {
    let planned = results.iter().filter(|result| result.outcome == OutcomeKind::Planned);
    let own = planned.map(|result| {
        let expected = result.before.clone().unwrap_or_default();
        let values = result
            .after
            .as_ref()
            .and_then(|after| values_of(Members::that_differ(&expected, after).or(forced(result)), after));
        (result.target.clone(), Own { values: values.unwrap_or_default(), expected, whole: true })
    });
    own.collect()
}

/// The values of these members. `None`: one is not known, or cannot be set.
fn values_of(members: Members, configuration: &Configuration) -> Option<Values> {
    let values = members.within(configuration).as_values()?;
    (Members::of_values(&values) == members).then_some(values)
}
