//! What is remembered of a declared resource, and the answer that a generation of it owes.

use super::generation::Known;
use super::request::{Addressee, RequestType};
use crate::policy::{ChangeId, LaneName, OnDelete};
use crate::record::Millis;
use std::collections::BTreeSet;
use std::time::Duration;

/// How many requests of older generations are remembered: a rollback has one, and a retried request comes within
/// minutes.
pub const EARLIER: usize = 16;
/// How long after its deadline an answer is overdue: CloudFormation waits for 30 s more.
const OVERDUE: Duration = Duration::from_mins(1);
/// How long after its deadline CloudFormation waits for an answer.
const WAITS: Duration = Duration::from_secs(90);
/// How long after its deadline an answer is still tried: CloudFormation gives up 90 s after it, and its URL soon expires.
const HOPELESS: Duration = Duration::from_mins(61);

/// A resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Its stack.
    pub stack_id: String,
    /// Its name there.
    pub logical_id: String,
    /// Its newest generation, and the requests that came.
    pub known: Known,
    /// What the newest generation was asked.
    pub kind: RequestType,
    /// The newest generation's place in the order of changes.
    pub accepted: Millis,
    /// What becomes of its values when it goes.
    pub on_delete: OnDelete,
    /// Where it may own targets: those of every generation.
    pub lanes: BTreeSet<LaneName>,
    /// The last generation that succeeded, and the hash of its targets and values.
    pub good: Option<(u32, String)>,
    /// The change that carries out the newest generation; absent: that needs none.
    pub change: Option<ChangeId>,
}

/// The answer that a generation owes CloudFormation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owed {
    /// Whom it names.
    pub to: Addressee,
    /// Which generation.
    pub generation: u32,
    /// What was asked.
    pub kind: RequestType,
    /// Where it goes, a secret; absent: it is answered, or nobody waits any more.
    pub url: Option<String>,
    /// When the work is given up.
    pub deadline: Millis,
    /// The change that carries it out; absent: that needs none.
    pub change: Option<ChangeId>,
    /// The text; absent: it is not decided.
    pub body: Option<String>,
    /// Whether it was given up: CloudFormation has never had it.
    pub is_lost: bool,
}

impl Kept {
    /// The same resource with one generation more.
    pub fn known_after(old: Option<&Self>, generation: u32, request_id: &str) -> Known {
        let mut earlier = old.map_or_else(Vec::new, |old| {
            let earlier = old.known.earlier.iter().cloned();
            earlier.chain([old.known.request_id.clone()]).collect()
        });
        let surplus = earlier.len().saturating_sub(EARLIER);
        Known {
            generation,
            request_id: request_id.to_owned(),
            earlier: earlier.split_off(surplus),
            is_gone: false,
        }
    }

    /// The generation that came with that request, where it is remembered.
    pub fn generation_of(&self, request_id: &str) -> Option<u32> {
        if self.known.request_id == request_id {
            return Some(self.known.generation);
        }
        let earlier = self.known.earlier.iter().rev().position(|earlier| earlier == request_id)?;
        self.known.generation.checked_sub(u32::try_from(earlier).ok()?.checked_add(1)?)
    }
}

impl Owed {
    /// Whether it should have arrived: each sweep since the deadline has tried, and the resource's time is nearly over.
    pub fn is_overdue(&self, now: Millis) -> bool {
        now >= self.deadline.plus(OVERDUE)
    }

    /// Whether CloudFormation may not have heard an answer that arrived: it cancels a Create at any time, and the bucket
    /// takes the answer all the same.
    pub fn may_be_unheard(&self, now: Millis) -> bool {
        self.kind == RequestType::Create && now < self.deadline.plus(WAITS)
    }

    /// Whether nobody can wait for the answer any more.
    pub fn is_hopeless(&self, now: Millis) -> bool {
        now > self.deadline.plus(HOPELESS)
    }
}
