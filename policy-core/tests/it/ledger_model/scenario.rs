//! What happens: which changes, when they are delivered, and what goes wrong. All of it is generated, so that a scenario
//! that fails shrinks to the few events that matter.

use crate::parsing;
use policy_core::policy::PolicyChange;
use policy_core::record::Members;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

/// A change of the one target.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) fields: Value,
    pub(super) force: bool,
    /// Its accepted time, in milliseconds since the scenario's begin.
    pub(super) accepted: u64,
    /// When its deliveries begin.
    pub(super) deliveries: Vec<u64>,
    /// Whether it is delivered again until it is done; otherwise only a sweep comes, as for an inline run.
    pub(super) is_retried: bool,
    /// Whether Amazon Connect refuses its values for good.
    pub(super) is_refused: bool,
}

impl Asked {
    pub(super) fn change(&self) -> PolicyChange {
        let mut document = json!({"instanceId": parsing::ID, "attachmentScope": "CHAT", "force": self.force});
        document.as_object_mut().unwrap().extend(self.fields.as_object().unwrap().clone());
        parsing::change(&document)
    }

    pub(super) fn named(&self) -> Members {
        Members::of(&self.change(), Members::default())
    }
}

/// Everything that is not decided by the code under test.
#[derive(Debug, Clone)]
pub(super) struct Scenario {
    pub(super) changes: Vec<Asked>,
    /// By how many milliseconds the clocks of two processes may differ.
    pub(super) skew: u64,
    /// When somebody else changes the target, by the console.
    pub(super) foreign: Vec<u64>,
    /// When a drift check begins.
    pub(super) checks: Vec<u64>,
    /// Whether Amazon Connect sets a certain size otherwise than asked. Then no answer is lost and nobody is killed:
    /// nothing could tell such an update from one by somebody else.
    pub(super) alters: bool,
    /// Decides, byte by byte, how long each step takes and what goes wrong in it. Where it ends, nothing does.
    pub(super) tape: Vec<u8>,
}

const MEGABYTE: u64 = 1_048_576;

/// Few values, so that changes often meet on one. `4` is what is altered.
fn fields() -> impl Strategy<Value = Value> {
    let sizes = select(vec![1_u64, 2, 3, 4]).prop_map(|n| n * MEGABYTE);
    let lists = select(vec![vec!["pdf"], vec!["csv", "pdf"], vec!["docx"]]);
    prop_oneof![
        4 => sizes.clone().prop_map(|size| json!({"maximumSizeLimitInBytes": size})),
        3 => lists.clone().prop_map(|list| json!({"allowedExtensions": list})),
        2 => (sizes.clone(), lists).prop_map(|(size, list)| {
            json!({"maximumSizeLimitInBytes": size, "allowedExtensions": list})
        }),
        2 => sizes.prop_map(|size| json!({"maximumSizeAtMost": size, "removeExtensions": ["csv"]})),
        1 => Just(json!({"addExtensions": ["png"]})),
    ]
}

fn asked() -> impl Strategy<Value = Asked> {
    let often = |weight| prop::bool::weighted(weight);
    // two or three deliveries of one change often begin side by side
    let deliveries = vec(prop_oneof![0..3_000_u64, 0..150_000_u64], 1..4);
    (fields(), often(0.4), 0..6_000_u64, deliveries, often(0.7), often(0.2)).prop_map(
        |(fields, force, accepted, deliveries, is_retried, is_refused)| Asked {
            fields,
            force,
            accepted,
            deliveries,
            is_retried,
            is_refused,
        },
    )
}

/// Changes and what goes wrong, without anybody else.
pub(super) fn scenario() -> impl Strategy<Value = Scenario> {
    let skew = prop_oneof![Just(0_u64), 0..=4_000_u64];
    let checks = vec(0..200_000_u64, 0..4);
    (vec(asked(), 1..=4), skew, checks, prop::bool::weighted(0.1), vec(any::<u8>(), 0..160)).prop_map(
        |(changes, skew, checks, alters, tape)| Scenario {
            changes,
            skew,
            foreign: Vec::new(),
            checks,
            alters,
            tape,
        },
    )
}

/// The same, and somebody else changes the target too.
pub(super) fn shared_scenario() -> impl Strategy<Value = Scenario> {
    (scenario(), vec(0..150_000_u64, 1..4)).prop_map(|(scenario, foreign)| Scenario { foreign, ..scenario })
}

/// What the tape says, in the order in which it is asked.
#[derive(Debug)]
pub(super) struct Tape {
    bytes: std::vec::IntoIter<u8>,
}

impl Tape {
    pub(super) fn new(bytes: Vec<u8>) -> Self {
        Self { bytes: bytes.into_iter() }
    }

    /// One of the choices; the first where the tape has ended.
    pub(super) fn choose<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[usize::from(self.bytes.next().unwrap_or_default()) % choices.len()]
    }

    /// Nothing goes wrong from here on.
    pub(super) fn end(&mut self) {
        self.bytes = Vec::new().into_iter();
    }
}
