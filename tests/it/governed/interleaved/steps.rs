//! What happens: which changes there are, and in which order everything is done to them.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use std::collections::BTreeSet;

/// What a change asks of every target. A member that it does not name is absent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) size: Option<i64>,
    pub(super) list: Option<BTreeSet<String>>,
    /// An extension that it adds.
    pub(super) add: Option<String>,
}

/// How a change is submitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// To be carried out at once; perhaps its invocation dies.
    Http(Option<Death>),
    /// By a message: accepted now, recorded by a later step.
    Message,
}

/// Where an invocation dies: at its n-th target that comes so far, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Death {
    /// The intent is stored, and nothing is sent.
    Begun(u64),
    /// The update has taken effect, and nobody stores that.
    Sent(u64),
    /// The outcome is stored.
    Stored(u64),
}

/// One step. What cannot be done is no step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// One of the two changes is submitted.
    Submit(usize, Way),
    /// The message of a change reaches the intake, perhaps again.
    TakeIn(usize),
    /// The lane's next message reaches a worker.
    Deliver(Option<Death>),
    /// A worker gets the message of that run out of turn, as of a delivery that SQS repeats.
    Repeat(usize),
    /// One of the two changes is undone.
    Undo(usize),
    /// One of the two changes, or the undo, is cancelled.
    Cancel(usize),
    Sweep,
    /// So much time that every message comes back and every lease is over.
    Pass,
}

#[derive(Debug, Clone)]
pub(super) struct Scenario {
    pub(super) changes: [Asked; 2],
    pub(super) steps: Vec<Step>,
    /// The model takes the earlier one of the two changes for the newer one: to see whether that is noticed.
    pub(super) is_turned_round: bool,
}

const MB: i64 = 1_048_576;

fn list(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// Few values, so that a change often finds what it asks for.
fn asked() -> impl Strategy<Value = Asked> {
    let size = select(vec![5 * MB, 6 * MB]).prop_map(Some);
    let lists = select(vec![list(&["pdf"]), list(&["csv", "pdf"])]).prop_map(Some);
    prop_oneof![
        3 => size.clone().prop_map(|size| Asked { size, ..Asked::default() }),
        2 => lists.clone().prop_map(|list| Asked { list, ..Asked::default() }),
        3 => (size, lists).prop_map(|(size, list)| Asked { size, list, add: None }),
        2 => Just(Asked { add: Some("zip".to_owned()), ..Asked::default() }),
    ]
}

fn death() -> impl Strategy<Value = Option<Death>> {
    let at = 1..=2_u64;
    prop_oneof![
        4 => Just(None),
        1 => at.clone().prop_map(|at| Some(Death::Begun(at))),
        2 => at.clone().prop_map(|at| Some(Death::Sent(at))),
        1 => at.prop_map(|at| Some(Death::Stored(at))),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let (two, three) = (0..2_usize, 0..3_usize);
    let way = || prop_oneof![2 => Just(Way::Message), 1 => death().prop_map(Way::Http)];
    prop_oneof![
        4 => (two.clone(), way()).prop_map(|(which, way)| Step::Submit(which, way)),
        4 => two.clone().prop_map(Step::TakeIn),
        4 => death().prop_map(Step::Deliver),
        1 => three.clone().prop_map(Step::Repeat),
        3 => two.prop_map(Step::Undo),
        2 => three.prop_map(Step::Cancel),
        1 => Just(Step::Sweep),
        1 => Just(Step::Pass),
    ]
}

pub(super) fn scenario() -> impl Strategy<Value = Scenario> {
    ([asked(), asked()], vec(step(), 4..18)).prop_map(|(changes, steps)| Scenario {
        changes,
        steps,
        is_turned_round: false,
    })
}

/// The first change is accepted first and carried out last.
pub(super) fn both_set_the_size() -> Scenario {
    let of = |size| Asked { size: Some(size), ..Asked::default() };
    let steps = vec![Step::Submit(0, Way::Message), Step::Submit(1, Way::Http(None)), Step::TakeIn(0)];
    Scenario { changes: [of(5 * MB), of(6 * MB)], steps, is_turned_round: false }
}
