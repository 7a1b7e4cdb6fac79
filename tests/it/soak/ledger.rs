//! Accounts for every change: what Connect received and holds against what the audit says of it.

use super::answers::{answered, metrics};
use super::load::{Asked, Way};
use sandbox::connect::{Configuration, Connect, Entry, Fault, Operation, Scope};
use sandbox::lambda::Invocation;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;

/// An instance and a scope.
type Target = (String, Scope);
/// What every target holds.
type Held = BTreeMap<Target, Configuration>;
/// A change id, a target and how it ended.
pub(super) type Ended = (String, String, String, String);

/// The totals so far, and what Connect is known to hold.
pub(super) struct Ledger {
    held: Held,
    ways: BTreeMap<Way, u64>,
    outcomes: BTreeMap<String, u64>,
    faults: BTreeMap<String, u64>,
    calls: u64,
    updates: u64,
    effects: u64,
    intents: u64,
    refusals: u64,
}

impl Ledger {
    pub(super) fn of(connect: &Connect) -> Self {
        Self {
            held: holds(connect),
            ways: BTreeMap::new(),
            outcomes: BTreeMap::new(),
            faults: BTreeMap::new(),
            calls: 0,
            updates: 0,
            effects: 0,
            intents: 0,
            refusals: 0,
        }
    }

    /// Checks one invocation against everything else that knows of it.
    pub(super) fn check(&mut self, connect: &Connect, asked: &Asked, invocation: &Invocation) {
        let about = format!("{} as {}", asked.payload, invocation.request_id);
        let lines: Vec<Value> =
            invocation.output.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
        let (journal, audit) = (connect.journal(), audit(&lines, invocation));
        let updates: Vec<&Entry> = journal
            .iter()
            .filter(|entry| entry.operation == Some(Operation::UpdateAttachedFilesConfiguration))
            .collect();
        let (ended, now) = (ended(&audit), holds(connect));
        *self.ways.entry(asked.way).or_default() += 1;
        self.calls += journal.len() as u64;
        self.updates += updates.len() as u64;
        self.effects += updates.iter().filter(|entry| entry.effect).count() as u64;
        for fault in journal.iter().filter_map(|entry| entry.fault) {
            *self.faults.entry(fault.to_string()).or_default() += 1;
        }
        for (_, _, _, outcome) in &ended {
            *self.outcomes.entry(outcome.clone()).or_default() += 1;
        }
        self.intents += audit.iter().filter(|event| is(event, "intent")).count() as u64;
        self.refusals += audit.iter().filter(|event| is(event, "refusal")).count() as u64;

        assert_eq!(by_target_and_call(&updates), intents(&audit), "intents and updates differ: {about}");
        in_order(&audit, &about);
        for event in audit.iter().filter(|event| is(event, "outcome")) {
            outcome_is_true(event, sent(event, &audit, &updates), &now, &about);
        }
        answered(asked, invocation, &ended, &audit);
        metrics(&lines, &ended, &about);

        for (target, holds) in &now {
            let touched = updates.iter().any(|entry| entry.effect && target_of(entry) == *target);
            assert!(touched || self.held[target] == *holds, "{target:?} changed by itself: {about}");
        }
        self.held = now;
    }

    /// Checks that the run was mixed.
    pub(super) fn assert_saw_everything(&self) {
        assert_eq!(self.ways.len(), 8, "{:?}", self.ways);
        for outcome in ["applied", "unchanged", "planned", "superseded", "blocked", "failed"] {
            assert!(self.outcomes.contains_key(outcome), "{outcome} never came: {:?}", self.outcomes);
        }
        assert!(self.refusals > 0 && self.faults.len() >= 10, "{:?}", self.faults);
    }
}

impl fmt::Display for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "asked: {:?}", self.ways)?;
        writeln!(f, "ended: {:?}, {} refusals", self.outcomes, self.refusals)?;
        writeln!(f, "faults: {:?}", self.faults)?;
        write!(
            f,
            "{} calls, {} updates, {} with effect, {} intents; lost 0, unaccounted 0, untrue 0",
            self.calls, self.updates, self.effects, self.intents
        )
    }
}

/// What every target of the sandbox's instances holds.
fn holds(connect: &Connect) -> Held {
    let targets = connect.instances().into_iter().flat_map(|i| Scope::ALL.map(|scope| (i.id.clone(), scope)));
    targets.map(|target| (target.clone(), connect.configuration(&target.0, target.1).unwrap())).collect()
}

/// The audit's events, each of this invocation.
fn audit(lines: &[Value], invocation: &Invocation) -> Vec<Value> {
    let events: Vec<Value> =
        lines.iter().filter(|line| line["logger"] == "audit").map(|line| line["event"].clone()).collect();
    for event in &events {
        assert_eq!(event["unmapped"]["lambdaRequestId"], invocation.request_id.as_str());
    }
    events
}

pub(super) fn is(event: &Value, code: &str) -> bool {
    event["metadata"]["event_code"] == code
}

pub(super) fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn change_and_target(event: &Value) -> (String, String, String) {
    let resource = &event["resources"][0];
    let id = text(&event["metadata"]["correlation_uid"]);
    (id, text(&resource["name"]), text(&resource["data"]["attachmentScope"]))
}

fn target_of(entry: &Entry) -> Target {
    (entry.instance_id.clone().unwrap(), entry.scope.unwrap())
}

/// How many updates each target was sent, retries not counted.
fn by_target_and_call(updates: &[&Entry]) -> BTreeMap<(String, String), usize> {
    let mut calls = BTreeMap::new();
    for entry in updates.iter().filter(|entry| entry.attempt == Some(1)) {
        let (instance, scope) = target_of(entry);
        *calls.entry((instance, scope.to_string())).or_default() += 1;
    }
    calls
}

fn intents(audit: &[Value]) -> BTreeMap<(String, String), usize> {
    let mut intents = BTreeMap::new();
    for event in audit.iter().filter(|event| is(event, "intent")) {
        let (_, instance, scope) = change_and_target(event);
        *intents.entry((instance, scope)).or_default() += 1;
    }
    intents
}

/// Each intent has its outcome after it, and only one.
fn in_order(audit: &[Value], about: &str) {
    let mut open = Vec::new();
    for event in audit {
        if is(event, "intent") {
            open.push(change_and_target(event));
        } else if is(event, "outcome") {
            let ended = change_and_target(event);
            open.retain(|intent| *intent != ended);
        }
    }
    assert!(open.is_empty(), "without an outcome: {open:?} of {about}");
}

fn ended(audit: &[Value]) -> Vec<Ended> {
    let outcomes = audit.iter().filter(|event| is(event, "outcome"));
    let mut ended: Vec<_> = outcomes
        .map(|event| {
            let (id, instance, scope) = change_and_target(event);
            (id, instance, scope, text(&event["unmapped"]["outcome"]))
        })
        .collect();
    ended.sort();
    ended
}

/// The requests of the update that an outcome is about, the n-th of its target, and whether it is the last.
fn sent<'a>(event: &Value, audit: &[Value], updates: &[&'a Entry]) -> (Vec<&'a Entry>, bool) {
    let own = change_and_target(event);
    let intents = audit.iter().filter(|event| is(event, "intent")).map(change_and_target);
    let mut intents = intents.filter(|(_, instance, scope)| (instance, scope) == (&own.1, &own.2));
    let Some(place) = intents.position(|intent| intent == own) else { return (Vec::new(), false) };
    let mut calls: Vec<Vec<&Entry>> = Vec::new();
    for entry in updates {
        let (instance, scope) = target_of(entry);
        match calls.last_mut() {
            _ if (instance, scope.to_string()) != (own.1.clone(), own.2.clone()) => {}
            Some(call) if entry.attempt != Some(1) => call.push(entry),
            _ => calls.push(vec![entry]),
        }
    }
    let is_last = place + 1 == calls.len();
    (calls.swap_remove(place), is_last)
}

/// An outcome says what its updates did: `applied` took effect and holds, `failed` did not or says that other
/// values are held, `unknown` lost an answer, and the others sent nothing.
fn outcome_is_true(event: &Value, (sent, is_last): (Vec<&Entry>, bool), now: &Held, about: &str) {
    let (_, instance, scope) = change_and_target(event);
    let effects = sent.iter().filter(|entry| entry.effect).count();
    let outcome = text(&event["unmapped"]["outcome"]);
    let about = format!("{outcome} of {instance} {scope}, {sent:?}, {about}");
    assert_eq!(event["unmapped"]["attempts"], sent.len(), "attempts differ: {about}");
    let other_values = sent.iter().any(|entry| entry.fault == Some(Fault::OtherValues));
    let changed = sent.iter().filter(|entry| entry.changed).count();
    assert!(changed <= 1 || other_values, "changed twice: {about}");
    match outcome.as_str() {
        "applied" => assert!(effects >= 1, "no effect: {about}"),
        "failed" if event["status_code"] == "ResponseDiffers" => assert!(other_values, "{about}"),
        "failed" => assert_eq!(effects, 0, "took effect: {about}"),
        "unknown" => assert!(sent.iter().any(|entry| lost(entry)), "no answer was lost: {about}"),
        _ => assert_eq!(sent.len(), 0, "sent: {about}"),
    }
    if outcome == "applied" && is_last {
        let (after, body) = (&event["resources"][0]["data"]["after"], sent[0].body.clone().unwrap());
        let holds = &now[&(instance, scope.parse().unwrap())];
        assert_eq!(after["maximumSizeLimitInBytes"], holds.maximum_size_limit_in_bytes, "{about}");
        assert_eq!(after["allowedExtensions"], serde_json::json!(holds.extensions), "{about}");
        if let Some(size) = body.get("MaximumSizeLimitInBytes") {
            assert_eq!(*size, holds.maximum_size_limit_in_bytes, "{about}");
        }
    }
}

/// Whether the update's answer left it open what happened.
fn lost(entry: &Entry) -> bool {
    entry.status.is_none_or(|status| status >= 500)
        || matches!(entry.fault, Some(Fault::Truncated | Fault::WrongContentType))
}
