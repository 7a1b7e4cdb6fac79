//! Which request gets which fault.

use std::collections::{BTreeMap, VecDeque};

use super::{super::operation::Operation, Fault};

/// The faults still to come.
///
/// A request takes its fault from the operation's script. After its end it gets the constant fault of its
/// account and Region, else of its operation, and without one a random fault.
#[derive(Debug)]
pub(in crate::connect) struct Plan {
    scripts: BTreeMap<Operation, VecDeque<Option<Fault>>>,
    always: BTreeMap<Operation, Fault>,
    places: BTreeMap<(String, String), Fault>,
    chances: Vec<(Fault, f64)>,
    random: fastrand::Rng,
}

impl Plan {
    /// A plan with an empty script; `chances` are per request, and a request gets at most one of them.
    pub(crate) fn new(chances: Vec<(Fault, f64)>, seed: u64) -> Self {
        Self {
            scripts: BTreeMap::new(),
            always: BTreeMap::new(),
            places: BTreeMap::new(),
            chances,
            random: fastrand::Rng::with_seed(seed),
        }
    }

    /// Adds to the end of an operation's script.
    pub(crate) fn script(&mut self, operation: Operation, faults: impl IntoIterator<Item = Option<Fault>>) {
        self.scripts.entry(operation).or_default().extend(faults);
    }

    /// Sets or unsets the constant fault of an operation.
    pub(crate) fn always(&mut self, operation: Operation, fault: Option<Fault>) {
        match fault {
            Some(fault) => self.always.insert(operation, fault),
            None => self.always.remove(&operation),
        };
    }

    /// Sets or unsets the constant fault of an account in a Region.
    pub(crate) fn always_in(&mut self, (account, region): (&str, &str), fault: Option<Fault>) {
        let place = (account.to_owned(), region.to_owned());
        match fault {
            Some(fault) => self.places.insert(place, fault),
            None => self.places.remove(&place),
        };
    }

    /// The fault of the next request of an operation, from a caller of this account to this Region.
    pub(crate) fn next(&mut self, operation: Operation, (account, region): (&str, &str)) -> Option<Fault> {
        if let Some(scripted) = self.scripts.get_mut(&operation).and_then(VecDeque::pop_front) {
            return scripted;
        }
        if let Some(fault) = self.places.get(&(account.to_owned(), region.to_owned())) {
            return Some(*fault);
        }
        if let Some(fault) = self.always.get(&operation) {
            return Some(*fault);
        }
        if self.chances.is_empty() {
            return None;
        }
        // One draw for all, so that each has exactly its probability and none hides a later one.
        let mut left = self.random.f64();
        self.chances.iter().find_map(|(fault, probability)| {
            left -= probability;
            (left < 0.0).then_some(*fault)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UPDATE: Operation = Operation::UpdateAttachedFilesConfiguration;
    const LIST: Operation = Operation::ListInstances;
    const HERE: (&str, &str) = ("111122223333", "us-east-1");

    #[test]
    fn a_script_is_used_up_in_order_and_only_by_its_operation() {
        let mut plan = Plan::new(Vec::new(), 0);
        plan.script(UPDATE, [Some(Fault::Throttle), None]);
        plan.script(UPDATE, [Some(Fault::InternalError)]);
        assert_eq!(plan.next(LIST, HERE), None);
        assert_eq!(
            [
                plan.next(UPDATE, HERE),
                plan.next(UPDATE, HERE),
                plan.next(UPDATE, HERE),
                plan.next(UPDATE, HERE)
            ],
            [Some(Fault::Throttle), None, Some(Fault::InternalError), None]
        );
    }

    #[test]
    fn what_always_happens_waits_for_the_script_and_ends_when_unset() {
        let mut plan = Plan::new(Vec::new(), 0);
        plan.always(UPDATE, Some(Fault::AccessDenied));
        plan.script(UPDATE, [None]);
        assert_eq!([plan.next(UPDATE, HERE), plan.next(UPDATE, HERE)], [None, Some(Fault::AccessDenied)]);
        plan.always(UPDATE, None);
        assert_eq!(plan.next(UPDATE, HERE), None);
    }

    #[test]
    fn what_always_happens_in_a_place_comes_before_what_always_happens_to_an_operation() {
        let mut plan = Plan::new(Vec::new(), 0);
        plan.always(UPDATE, Some(Fault::AccessDenied));
        plan.always_in(HERE, Some(Fault::Silent));
        let there = ("111122223333", "eu-west-2");
        assert_eq!(plan.next(LIST, HERE), Some(Fault::Silent));
        assert_eq!(plan.next(LIST, there), None);
        assert_eq!(plan.next(UPDATE, there), Some(Fault::AccessDenied));
        plan.always_in(HERE, None);
        assert_eq!(plan.next(UPDATE, HERE), Some(Fault::AccessDenied));
    }

    #[test]
    fn chance_repeats_with_its_seed_and_keeps_to_its_probabilities() {
        let drawn = |seed| {
            let mut plan = Plan::new(vec![(Fault::Throttle, 0.3), (Fault::InternalError, 0.2)], seed);
            (0..10_000).map(|_| plan.next(UPDATE, HERE)).collect::<Vec<_>>()
        };
        assert_eq!(drawn(7), drawn(7));
        assert_ne!(drawn(7), drawn(8));
        let count = |fault| drawn(7).iter().filter(|drawn| **drawn == fault).count();
        assert!((2_800..3_200).contains(&count(Some(Fault::Throttle))));
        assert!((1_800..2_200).contains(&count(Some(Fault::InternalError))));
    }

    #[test]
    fn a_probability_of_one_always_happens_and_of_zero_never() {
        let mut plan = Plan::new(vec![(Fault::Throttle, 0.0), (Fault::ResetAfter, 1.0)], 1);
        assert!((0..1_000).all(|_| plan.next(UPDATE, HERE) == Some(Fault::ResetAfter)));
    }
}
