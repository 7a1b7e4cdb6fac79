//! The check of the check: whatever may never happen is found in evidence that says it did.

use super::evidence::{Evidence, Moment, Target};
use super::verdict::wrong;

type Falsify = fn(&mut Evidence);

/// Each lie, and how what is found of it begins.
const LIES: [(&str, Falsify); 12] = [
    ("ends", |evidence| "running".clone_into(&mut evidence.records[0].status)),
    ("left", |evidence| evidence.left.push("a lane".to_owned())),
    ("counts", |evidence| {
        let counts = evidence.records.iter_mut().find_map(|record| record.counts.get_mut("applied"));
        *counts.unwrap() += 1;
    }),
    ("intent", |evidence| {
        let target = changed(evidence);
        let moments = evidence.moments.get_mut(&target).unwrap();
        moments.retain(|moment| !matches!(moment, Moment::Begun(_)));
    }),
    ("audit", |evidence| evidence.audit.intents.clear()),
    ("unsaid", |evidence| {
        evidence.audit.outcomes.retain(|(_, _, outcome)| outcome != "planned");
    }),
    ("order", |evidence| {
        let target = changed(evidence);
        let (first, _) = evidence.landings(&target).swap_remove(0);
        for moment in evidence.moments.get_mut(&target).unwrap() {
            if let Moment::Begun(intent) = moment
                && intent.token == first.token
            {
                "9999999999999#".clone_into(&mut intent.order);
                intent.named = ["size", "ext"].map(str::to_owned).into();
            }
        }
    }),
    ("reported", |evidence| {
        let target = changed(evidence);
        let (last, _) = evidence.landings(&target).pop().unwrap();
        let result = evidence.results.get_mut(&(last.run, target)).unwrap();
        "unchanged".clone_into(&mut result.outcome);
    }),
    ("held", |evidence| {
        let target = changed(evidence);
        evidence.held.get_mut(&target).unwrap().size = Some(1);
    }),
    ("answers: none", |evidence| {
        evidence.taken.insert("another".to_owned());
    }),
    ("answers: to", |evidence| {
        let request = evidence.taken.first().unwrap().clone();
        evidence.answers.entry(request).or_default().insert("another".to_owned());
    }),
    ("undo", |evidence| evidence.results.retain(|(run, _), _| !run.starts_with("look-"))),
];

/// Each of them is found in evidence in which nothing is wrong.
pub(super) fn assert_lies_are_noticed(evidence: &Evidence) {
    for (begins, falsify) in LIES {
        let mut false_evidence = evidence.clone();
        falsify(&mut false_evidence);
        let found = wrong(&false_evidence);
        assert!(found.iter().any(|wrong| wrong.starts_with(begins)), "{begins}: {found:#?}");
    }
}

/// The target that was changed most often.
fn changed(evidence: &Evidence) -> Target {
    evidence.moments.keys().max_by_key(|target| evidence.landings(target).len()).unwrap().clone()
}
