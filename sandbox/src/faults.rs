//! Which calls go wrong, and how: for the table and the queues.
//!
//! ```
//! use sandbox::ledger::{Fault, Operation, Rule};
//!
//! // the second conditional put of a record is carried out, but its answer is lost
//! let rule = Rule::new(Fault::AnswerLost)
//!     .on(Operation::PutItem)
//!     .of(|body| body["Item"]["sk"]["S"] == "change")
//!     .nth(2);
//! # drop(rule);
//! ```

use serde_json::Value;
use std::fmt;

/// A fault of one service.
pub trait Kind: Copy + fmt::Debug {
    /// The service's operations.
    type Operation: Copy + PartialEq + fmt::Debug;

    /// Whether the real service could do this to a call of that operation.
    fn can_happen_to(self, operation: Self::Operation) -> bool;
}

/// What is asked about the body of a request.
type Predicate = Box<dyn Fn(&Value) -> bool + Send + Sync>;

/// When one of the calls that a rule is about gets the fault.
#[derive(Clone, Copy, Debug, PartialEq)]
enum When {
    /// Each of these, counted from 1: from the first number to the second.
    Calls(u64, u64),
    /// With this probability, from 0 to 1.
    Chance(f64),
}

/// A fault, and the calls that get it.
///
/// A new rule is about every call that the fault can happen to, and about each time.
pub struct Rule<F: Kind> {
    fault: F,
    operation: Option<F::Operation>,
    of: Option<Predicate>,
    when: When,
    /// How many calls it was about so far.
    seen: u64,
}

impl<F: Kind> Rule<F> {
    /// Every call that this fault can happen to.
    #[must_use]
    pub const fn new(fault: F) -> Self {
        Self { fault, operation: None, of: None, when: When::Calls(1, u64::MAX), seen: 0 }
    }

    /// Only calls of this operation. One that the fault cannot happen to never gets it.
    #[must_use]
    pub const fn on(mut self, operation: F::Operation) -> Self {
        self.operation = Some(operation);
        self
    }

    /// Only calls with such a body, which is `null` where it is not JSON.
    #[must_use]
    pub fn of(mut self, is_such: impl Fn(&Value) -> bool + Send + Sync + 'static) -> Self {
        self.of = Some(Box::new(is_such));
        self
    }

    /// Only the one of these calls that has this number, from 1; the clients' own retries count too.
    #[must_use]
    pub const fn nth(mut self, number: u64) -> Self {
        self.when = When::Calls(number, number);
        self
    }

    /// Only the first calls, as many as this.
    #[must_use]
    pub const fn first(mut self, calls: u64) -> Self {
        self.when = When::Calls(1, calls);
        self
    }

    /// Each of these calls with this probability, from 0 to 1.
    #[must_use]
    pub const fn chance(mut self, probability: f64) -> Self {
        self.when = When::Chance(probability);
        self
    }

    /// Whether this call gets the fault; counts it if the rule is about it.
    fn strikes(&mut self, operation: F::Operation, body: &Value, random: &mut fastrand::Rng) -> bool {
        let is_about = self.operation.is_none_or(|named| named == operation)
            && self.fault.can_happen_to(operation)
            && self.of.as_ref().is_none_or(|is_such| is_such(body));
        if !is_about {
            return false;
        }
        self.seen += 1;
        match self.when {
            When::Calls(first, last) => (first..=last).contains(&self.seen),
            When::Chance(probability) => random.f64() < probability,
        }
    }
}

impl<F: Kind> fmt::Debug for Rule<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rule")
            .field("fault", &self.fault)
            .field("operation", &self.operation)
            .field("when", &self.when)
            .field("seen", &self.seen)
            .finish_non_exhaustive()
    }
}

/// The rules in their order. A call gets the fault of the first one that strikes; all of them count it.
#[derive(Debug)]
pub(crate) struct Plan<F: Kind> {
    rules: Vec<Rule<F>>,
    random: fastrand::Rng,
}

impl<F: Kind> Plan<F> {
    /// No rules; chance repeats with its seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self { rules: Vec::new(), random: fastrand::Rng::with_seed(seed) }
    }

    pub(crate) fn add(&mut self, rule: Rule<F>) {
        self.rules.push(rule);
    }

    pub(crate) fn clear(&mut self) {
        self.rules.clear();
    }

    /// The fault of a call that has arrived.
    pub(crate) fn next(&mut self, operation: F::Operation, body: &Value) -> Option<F> {
        let mut struck = None;
        for rule in &mut self.rules {
            if rule.strikes(operation, body, &mut self.random) {
                struck = struck.or(Some(rule.fault));
            }
        }
        struck
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Act {
        Read,
        Write,
    }

    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Harm {
        Busy,
        /// Writes only.
        Clash,
    }

    impl Kind for Harm {
        type Operation = Act;

        fn can_happen_to(self, act: Act) -> bool {
            self == Self::Busy || act == Act::Write
        }
    }

    fn all(plan: &mut Plan<Harm>, act: Act, calls: usize) -> Vec<Option<Harm>> {
        (0..calls).map(|_| plan.next(act, &Value::Null)).collect()
    }

    #[test]
    fn a_rule_counts_only_the_calls_that_it_is_about() {
        let mut plan = Plan::new(0);
        plan.add(Rule::new(Harm::Busy).on(Act::Write).of(|body| body["key"] == 1).nth(2));
        assert_eq!(plan.next(Act::Write, &json!({"key": 1})), None);
        assert_eq!(plan.next(Act::Write, &json!({"key": 2})), None);
        assert_eq!(plan.next(Act::Read, &json!({"key": 1})), None);
        assert_eq!(plan.next(Act::Write, &json!({"key": 1})), Some(Harm::Busy));
        assert_eq!(plan.next(Act::Write, &json!({"key": 1})), None);
    }

    #[test]
    fn a_rule_is_about_every_call_that_the_fault_can_happen_to_until_it_is_cleared() {
        let mut plan = Plan::new(0);
        plan.add(Rule::new(Harm::Clash));
        assert_eq!(all(&mut plan, Act::Read, 2), [None, None]);
        assert_eq!(all(&mut plan, Act::Write, 2), [Some(Harm::Clash), Some(Harm::Clash)]);
        plan.clear();
        assert_eq!(all(&mut plan, Act::Write, 1), [None]);
    }

    #[test]
    fn the_first_rule_that_strikes_wins_and_later_ones_have_counted_the_call() {
        let mut plan = Plan::new(0);
        plan.add(Rule::new(Harm::Busy).first(1));
        plan.add(Rule::new(Harm::Clash).first(2));
        assert_eq!(all(&mut plan, Act::Write, 3), [Some(Harm::Busy), Some(Harm::Clash), None]);
    }

    #[test]
    fn chance_repeats_with_its_seed_and_keeps_to_its_probability() {
        let drawn = |seed| {
            let mut plan = Plan::new(seed);
            plan.add(Rule::new(Harm::Busy).chance(0.3));
            all(&mut plan, Act::Read, 10_000)
        };
        assert_eq!(drawn(7), drawn(7));
        assert_ne!(drawn(7), drawn(8));
        let struck = drawn(7).iter().filter(|harm| harm.is_some()).count();
        assert!((2_800..3_200).contains(&struck), "{struck}");
    }
}
