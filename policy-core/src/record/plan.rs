//! What a run is to do, as its record keeps it: one JSON text, in the change's item or in parts.

use super::digest::{hash_of, hex, hex_of};
use super::{LaneName, RunKey};
use crate::policy::{ChangeId, Defaults, Form, Instance, Instances, PolicyChange, Rejected, Rules, document};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::collections::{BTreeMap, BTreeSet};

/// The longest plan that is kept in the change's own item, in bytes: a larger one would make every write of the item
/// dearer.
pub const OWN_PLAN: usize = 1_024;
/// The longest part, in bytes: four times less than an item takes.
pub const PART: usize = 100_000;
/// The longest plan, in bytes (ours): 300 KB of normal form, three to four parts.
pub const MAX_PLAN: usize = 307_200;

/// What is to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum Task {
    /// The changes of a document.
    Document(Vec<PolicyChange>),
    /// To put back what a change replaced.
    Undo {
        /// The change.
        of: ChangeId,
        /// Its newest run when the undo was accepted: later ones are not undone.
        up_to: RunKey,
        /// Also where something else was set since.
        force: bool,
    },
    /// To carry out a recorded dry run.
    Apply {
        /// The change.
        of: ChangeId,
        /// The dry run.
        key: RunKey,
    },
    /// To leave the targets of a declared resource that is deleted: the ledger knows which.
    Leave,
}

impl Task {
    /// The hash by which a record knows its change again. An undo's covers the change and `force`, so that its id can
    /// be repeated after the change ran again.
    pub fn hash(&self) -> String {
        match self {
            Self::Document(changes) => hash_of(changes),
            Self::Undo { of, force, .. } => hex_of(&("undo", of, force)),
            Self::Apply { of, key } => hex_of(&("apply", of, key.to_string())),
            Self::Leave => hex_of(&"leave"),
        }
    }
}

/// The plan of a run: what is to be done, and in which lanes. Lanes are fixed here, so that settings which change later
/// do not change the run.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// What is to be done.
    pub task: Task,
    /// Where, sorted.
    pub lanes: Vec<LaneName>,
    /// Whether the document is `{"changes": […]}`.
    pub is_batch: bool,
    /// The document's `stopAfterFailures`. The hash of the task does not cover it.
    pub stop_after: Option<u32>,
    /// Whether it puts back what targets should hold: one that should hold something else by now is left.
    pub restores: bool,
}

/// A plan that cannot be read back.
#[derive(Debug, thiserror::Error)]
pub enum CorruptPlan {
    /// Not the JSON of a plan.
    #[error("the plan is not JSON of its form")]
    NotJson(#[from] serde_json::Error),
    /// It has not exactly one task.
    #[error("the plan has no task, or several")]
    NotOneTask,
    /// A member is not what its name says.
    #[error("`{member}` of the plan is not a name of its kind: `{text}`")]
    NotAName {
        /// Which member.
        member: &'static str,
        /// What it holds.
        text: String,
    },
    /// The document is not accepted.
    #[error("the plan's document is not accepted: {}", said(.0))]
    Document(Rejected),
}

fn said(rejected: &Rejected) -> String {
    match rejected {
        Rejected::NotJson(message) => message.clone(),
        Rejected::Violations { violations, .. } => {
            let all = violations.iter().map(|v| format!("{} at `{}`", v.code, v.pointer));
            all.collect::<Vec<_>>().join(", ")
        }
    }
}

/// The document in its normal form.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DocumentOut<'a> {
    #[serde(flatten)]
    changes: ChangesOut<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stop_after_failures: Option<u32>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum ChangesOut<'a> {
    One(&'a PolicyChange),
    Many { changes: &'a [PolicyChange] },
}

#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_excessive_bools, reason = "each is a member of the plan")]
struct PlanOut<'a> {
    lanes: Vec<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    batch: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    document: Option<DocumentOut<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    undo: Option<&'a ChangeId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    up_to: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    force: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    apply: Option<&'a ChangeId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    leave: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    restore: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_excessive_bools, reason = "each is a member of the plan")]
struct PlanIn {
    lanes: Vec<String>,
    #[serde(default)]
    batch: bool,
    document: Option<Box<RawValue>>,
    undo: Option<String>,
    up_to: Option<String>,
    #[serde(default)]
    force: bool,
    apply: Option<String>,
    key: Option<String>,
    #[serde(default)]
    leave: bool,
    #[serde(default)]
    restore: bool,
}

impl Plan {
    /// Its text. The document in it is in its normal form.
    ///
    /// # Errors
    /// A time that has no RFC 3339 form, which no parsed change has.
    pub fn encode(&self) -> Result<String, serde_json::Error> {
        let lanes = self.lanes.iter().map(LaneName::to_string).collect();
        let mut out = PlanOut { lanes, batch: self.is_batch, restore: self.restores, ..PlanOut::default() };
        match &self.task {
            Task::Document(changes) => {
                let changes = match changes.as_slice() {
                    [one] if !self.is_batch => ChangesOut::One(one),
                    changes => ChangesOut::Many { changes },
                };
                out.document = Some(DocumentOut { changes, stop_after_failures: self.stop_after });
            }
            Task::Undo { of, up_to, force } => {
                (out.undo, out.up_to, out.force) = (Some(of), Some(up_to.to_string()), *force);
            }
            Task::Apply { of, key } => (out.apply, out.key) = (Some(of), Some(key.to_string())),
            Task::Leave => out.leave = true,
        }
        serde_json::to_string(&out)
    }

    /// From its text. The document is parsed like one that was sent: what the table holds is no way around AWS's rules.
    /// Settings may have changed since it was accepted, and do not matter.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn decode(text: &str, rules: &Rules, change_id: &ChangeId) -> Result<Self, CorruptPlan> {
        let plan: PlanIn = serde_json::from_str(text)?;
        let lanes = plan.lanes.into_iter();
        let lanes = lanes.map(|lane| named("lanes", lane, LaneName::parse)).collect::<Result<_, _>>()?;
        let id = |member, text| named(member, text, ChangeId::parse);
        let key = |member, text: Option<String>| named(member, text.unwrap_or_default(), RunKey::parse);
        let mut stop_after = None;
        let task = match (plan.document, plan.undo, plan.apply, plan.leave) {
            (Some(sent), None, None, false) => {
                let defaults =
                    Defaults { change_id: change_id.clone(), if_unmodified_since: None, dry_run: false };
                let rules = rules.of_what_was_accepted();
                let parsed = document::parse(sent.get(), &Form::Submission, &defaults, &rules);
                let parsed = parsed.map_err(CorruptPlan::Document)?;
                stop_after = parsed.stop_after;
                Task::Document(parsed.changes)
            }
            (None, Some(of), None, false) => {
                Task::Undo { of: id("undo", of)?, up_to: key("upTo", plan.up_to)?, force: plan.force }
            }
            (None, None, Some(of), false) => Task::Apply { of: id("apply", of)?, key: key("key", plan.key)? },
            (None, None, None, true) => Task::Leave,
            _ => return Err(CorruptPlan::NotOneTask),
        };
        Ok(Self { task, lanes, is_batch: plan.batch, stop_after, restores: plan.restore })
    }
}

fn named<T>(member: &'static str, text: String, parse: impl Fn(&str) -> Option<T>) -> Result<T, CorruptPlan> {
    parse(&text).ok_or(CorruptPlan::NotAName { member, text })
}

/// The lanes that the changes have targets in: sorted, each once.
pub fn lanes_of(changes: &[PolicyChange]) -> Vec<LaneName> {
    let mut lanes = BTreeSet::new();
    for change in changes {
        match &change.instances {
            Instances::Named(named) => lanes.extend(named.iter().map(LaneName::of)),
            Instances::All { places, .. } => lanes.extend(places.lanes().iter().cloned()),
        }
    }
    lanes.into_iter().collect()
}

/// The instances of a change in one lane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InLane<'p> {
    /// Those that the change names there, in its order; perhaps none.
    Named(Vec<&'p Instance>),
    /// All of them: Amazon Connect is to be asked which.
    Star {
        /// Tag key → accepted values; empty: no condition.
        tags: &'p BTreeMap<String, BTreeSet<String>>,
    },
}

/// What a change has to do in a lane.
pub fn in_lane<'p>(change: &'p PolicyChange, lane: &LaneName) -> InLane<'p> {
    match &change.instances {
        Instances::Named(named) => {
            InLane::Named(named.iter().filter(|instance| LaneName::of(instance) == *lane).collect())
        }
        Instances::All { places, tags } if places.contains(lane) => InLane::Star { tags },
        Instances::All { .. } => InLane::Named(Vec::new()),
    }
}

/// A plan's text cut into parts, and their common name: the text's SHA-256, so that two processes which write the same
/// plan write the same items.
pub fn parts(text: &str) -> (String, Vec<&str>) {
    let mut parts = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (part, after) = rest.split_at(rest.floor_char_boundary(PART));
        parts.push(part);
        rest = after;
    }
    (hex(text), parts)
}
