//! What is wrong at the end of a life.

use super::evidence::{Ended, Evidence, Intent, Moment, Target, Values};
use std::collections::{BTreeMap, BTreeSet};

/// Each thing that is wrong, in words. Nothing of it may ever happen.
pub(super) fn wrong(evidence: &Evidence) -> Vec<String> {
    let mut wrong = ends(evidence);
    for target in evidence.moments.keys() {
        wrong.extend(unstored(evidence, target));
        wrong.extend(unaudited(evidence, target));
        wrong.extend(disordered(evidence, target));
        wrong.extend(misreported(evidence, target));
    }
    wrong.extend(unsaid(evidence));
    wrong.extend(invented(evidence));
    wrong.extend(held(evidence));
    wrong.extend(undos(evidence));
    wrong.extend(answers(evidence));
    wrong
}

/// Each request of CloudFormation that was taken has an answer, and however often one was sent, it said the same.
fn answers(evidence: &Evidence) -> Vec<String> {
    let missing = evidence.taken.iter().filter(|request| !evidence.answers.contains_key(*request));
    let missing = missing.map(|request| format!("answers: none to {request}"));
    let differing = evidence.answers.iter().filter(|(_, bodies)| bodies.len() != 1);
    missing.chain(differing.map(|(request, bodies)| format!("answers: to {request} {bodies:?}"))).collect()
}

/// Every record is at its end and counts what its results say; nothing is left behind.
fn ends(evidence: &Evidence) -> Vec<String> {
    let mut wrong: Vec<String> = evidence.left.iter().map(|left| format!("left: {left}")).collect();
    for record in &evidence.records {
        if matches!(record.status.as_str(), "accepted" | "running") {
            wrong.push(format!("ends: {record:?}"));
        }
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        let results = evidence.results.iter().filter(|((run, _), _)| *run == record.run);
        for (_, result) in results {
            *counts.entry(&result.outcome).or_default() += 1;
        }
        // what was never begun has no result, and is counted as one of these
        for (outcome, count) in &record.counts {
            let is_overtaken = record.is_declared && outcome == "superseded";
            let without = is_overtaken || matches!(outcome.as_str(), "pending" | "skipped" | "retry");
            if is_overtaken {
                counts.remove(outcome.as_str());
            }
            if !without && counts.remove(outcome.as_str()).unwrap_or_default() != *count {
                wrong.push(format!("counts: {record:?}"));
            }
        }
        if counts.iter().any(|(_, count)| *count > 0) {
            wrong.push(format!("counts: {record:?} without {counts:?}"));
        }
    }
    wrong
}

/// No update without an open intent that has its values.
fn unstored(evidence: &Evidence, target: &Target) -> Vec<String> {
    let (mut open, mut wrong) = (None::<&Intent>, Vec::new());
    for moment in &evidence.moments[target] {
        match moment {
            Moment::Begun(intent) => {
                if let Some(open) = open.replace(intent) {
                    wrong.push(format!("intent: {intent:?} of {target} replaces {open:?}"));
                }
            }
            Moment::Closed => open = None,
            Moment::Updated { values, .. } if open.is_some_and(|open| open.values == *values) => {}
            Moment::Updated { values, .. } => {
                wrong.push(format!("intent: {target} was updated to {values:?} with {open:?} in the table"));
            }
        }
    }
    wrong
}

/// No update without its intent in the audit.
fn unaudited(evidence: &Evidence, target: &Target) -> Vec<String> {
    let (mut open, mut sent) = (None::<&Intent>, BTreeMap::<&str, usize>::new());
    for moment in &evidence.moments[target] {
        match moment {
            Moment::Begun(intent) => open = Some(intent),
            Moment::Closed => {}
            Moment::Updated { .. } => *sent.entry(open.map_or("", |open| &open.change)).or_default() += 1,
        }
    }
    let audited = |change: &str| {
        evidence.audit.intents.get(&(target.clone(), change.to_owned())).copied().unwrap_or_default()
    };
    let missing = sent.into_iter().filter(|(change, sent)| audited(change) < *sent);
    missing
        .map(|(change, sent)| format!("audit: {sent} updates of {target}, {} intents", audited(change)))
        .collect()
}

/// No result for good without its line in the audit, whether anything was sent or not.
fn unsaid(evidence: &Evidence) -> Vec<String> {
    let done = evidence.results.iter().filter(|(_, result)| result.done);
    let unsaid = done.filter(|((_, target), result)| {
        let line = (target.clone(), result.change.clone(), result.outcome.clone());
        !evidence.audit.outcomes.contains(&line)
    });
    unsaid.map(|((run, target), result)| format!("unsaid: {run} at {target}, {result:?}")).collect()
}

/// No older value over a newer one.
fn disordered(evidence: &Evidence, target: &Target) -> Vec<String> {
    let mut newest: BTreeMap<&str, String> = BTreeMap::new();
    let mut wrong = Vec::new();
    for (intent, _) in evidence.landings(target) {
        let values = &intent.values;
        for (member, is_sent) in [("size", values.size.is_some()), ("ext", values.list.is_some())] {
            if is_sent && newest.get(member).is_some_and(|newest| *newest > intent.order) {
                wrong.push(format!("order: {intent:?} of {target} after {}", newest[member]));
            }
            if intent.named.contains(member) {
                newest.insert(member, intent.order.clone());
            }
        }
    }
    wrong
}

/// What took effect is reported as applied, with what was there before.
fn misreported(evidence: &Evidence, target: &Target) -> Vec<String> {
    let mut wrong = Vec::new();
    for (intent, before) in evidence.landings(target) {
        let result = evidence.results.get(&(intent.run.clone(), target.clone()));
        let Some(result) = result.filter(|result| result.outcome == "applied" && result.done) else {
            wrong.push(format!("reported: {intent:?} of {target} as {result:?}"));
            continue;
        };
        if result.token != intent.token
            || result.before != before
            || result.after != before.with(&intent.values)
        {
            wrong.push(format!("reported: {intent:?} of {target} over {before:?} as {result:?}"));
        }
    }
    wrong
}

/// Nothing is reported as applied that never took effect, and nothing twice.
fn invented(evidence: &Evidence) -> Vec<String> {
    let applied = evidence.results.iter().filter(|(_, result)| result.outcome == "applied");
    let landings = |run: &str, target: &Target| {
        evidence.landings(target).iter().filter(|(intent, _)| intent.run == run).count()
    };
    let untrue = applied.filter(|((run, target), _)| landings(run, target) != 1);
    untrue.map(|((run, target), result)| format!("reported: {run} at {target} as {result:?}")).collect()
}

/// What the table says of a target is what it holds.
fn held(evidence: &Evidence) -> Vec<String> {
    let mut wrong = Vec::new();
    for (target, holds) in &evidence.held {
        let last = evidence.landings(target).pop().map(|(intent, _)| intent.run);
        let Some(item) = evidence.items.get(target) else {
            wrong.extend(last.map(|run| format!("held: {target} has no item, and {run} changed it")));
            continue;
        };
        if item.is_open || item.held != holds.only(&item.held) || item.applied != last {
            wrong.push(format!("held: {target} holds {holds:?}, last by {last:?}, and {item:?}"));
        }
    }
    wrong
}

/// An undo finds everything that the change applied, and would put back what was there before.
fn undos(evidence: &Evidence) -> Vec<String> {
    let mut wrong = Vec::new();
    let real = evidence.records.iter().filter(|record| !record.dry_run && !record.is_declared);
    let changes: BTreeMap<&str, bool> = real.map(|record| (record.change.as_str(), record.is_undo)).collect();
    for (change, is_undo) in changes {
        let of = |change: &str| {
            let prefix = format!("{change}#");
            evidence.results.iter().filter(move |((run, _), _)| run.starts_with(&prefix))
        };
        // in the order of the runs
        let mut applied: BTreeMap<&Target, Vec<&Ended>> = BTreeMap::new();
        for ((_, target), result) in of(change).filter(|(_, result)| result.outcome == "applied") {
            applied.entry(target).or_default().push(result);
        }
        let looks = of(&format!("look-{change}"));
        let mut looks: BTreeMap<&Target, &Ended> =
            looks.map(|((_, target), result)| (target, result)).collect();
        for (target, runs) in applied {
            let look = looks.remove(target);
            if !look.is_some_and(|look| is_undone(evidence, (change, is_undo), target, &runs, look)) {
                wrong.push(format!("undo: {change} at {target} applied {runs:?} and its undo is {look:?}"));
            }
        }
        wrong.extend(looks.keys().map(|target| format!("undo: {change} never changed {target}")));
    }
    wrong
}

/// Whether an undo would do at the target what follows from the change's runs there.
fn is_undone(
    evidence: &Evidence,
    (change, is_undo): (&str, bool),
    target: &Target,
    runs: &[&Ended],
    look: &Ended,
) -> bool {
    let (before, after) = (&runs[0].before, &runs[runs.len() - 1].after);
    let landings = evidence.landings(target);
    let Some(first) = landings.iter().find(|(intent, _)| intent.change == change) else { return false };
    // an undo names what it changed
    let is_named =
        |member: &str, differs: bool| if is_undo { differs } else { first.0.named.contains(member) };
    let named = Values {
        size: is_named("size", before.size != runs[0].after.size).then_some(0),
        list: is_named("ext", before.list != runs[0].after.list).then(BTreeSet::new),
    };
    let holds = &evidence.held[target];
    let put_back = holds.with(&before.only(&named));
    let is_last = landings.last().is_some_and(|(intent, _)| intent.change == change);
    let is_there = holds.only(&named) == after.only(&named);
    match look.outcome.as_str() {
        "planned" => is_there && look.after == put_back && put_back != *holds,
        "unchanged" => is_there && put_back == *holds,
        "superseded" => !is_last || !is_there,
        _ => false,
    }
}
