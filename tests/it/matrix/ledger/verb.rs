//! Which request to the table is which verb, as it is seen from outside; and what goes wrong there.

use sandbox::ledger::{Fault, Rule};
use serde_json::Value;
use std::time::Duration;

/// What a request is about, by its keys and expressions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Verb {
    /// The freeze is read.
    Freeze,
    /// The record is read, before a delivery or a lane's end.
    Change,
    /// The record is put.
    Record,
    /// Lanes and their work entries are put.
    PlanLanes,
    /// Every message is sent.
    Sent,
    /// A delivery begins.
    BeginDelivery,
    /// The lane's group had a delivery.
    Seen,
    /// The results of a lane are read.
    Results,
    /// The first delivery of a run.
    Started,
    /// The targets' items are read.
    Targets,
    /// The change is looked at between two targets.
    Look,
    /// An intent is stored.
    Begin,
    /// An outcome is stored, and its intent ends.
    Close,
    /// A target that needs no update is stored.
    Confirm,
    /// A delivery got on.
    Progress,
    /// A delivery leaves its lane.
    Leave,
    /// A lane ends.
    EndLane,
    /// A run becomes final.
    Finish,
    /// An inline run becomes one by lanes.
    Convert,
    /// An inline run is left to the sweep.
    Release,
    /// What is due is read.
    Owed,
    /// The lanes of a run are read.
    Lanes,
    /// The open intents of a run are read.
    Intents,
    /// Anything else.
    Other,
}

impl Verb {
    pub(super) fn of(body: &Value) -> Self {
        if let Some(writes) = body["TransactItems"].as_array() {
            return Self::of_transaction(writes);
        }
        if body.get("UpdateExpression").is_some() {
            return Self::of_update(body);
        }
        if body.get("Item").is_some() {
            return if sk(&body["Item"]) == "change" { Self::Record } else { Self::Other };
        }
        if let Some(tables) = body["RequestItems"].as_object() {
            let keys = tables.values().flat_map(|table| table["Keys"].as_array().unwrap());
            return if keys.into_iter().all(|key| pk(key).starts_with("target#")) {
                Self::Targets
            } else {
                Self::Look
            };
        }
        if body.get("KeyConditionExpression").is_some() {
            return Self::of_query(body);
        }
        match (pk(&body["Key"]), sk(&body["Key"])) {
            ("freeze", _) => Self::Freeze,
            (_, "change") => Self::Change,
            _ => Self::Other,
        }
    }

    fn of_transaction(writes: &[Value]) -> Self {
        let puts_lane = |write: &Value| sk(&write["Put"]["Item"]).starts_with("lane#");
        let target = writes.iter().find(|write| pk(&write["Update"]["Key"]).starts_with("target#"));
        if writes.iter().any(puts_lane) {
            Self::PlanLanes
        } else if writes.iter().any(|write| write.get("Delete").is_some()) {
            Self::EndLane
        } else if let Some(target) = target {
            if names(&target["Update"], "#intent") { Self::Close } else { Self::Confirm }
        } else {
            Self::Other
        }
    }

    fn of_update(body: &Value) -> Self {
        let named = |name| names(body, name);
        let (pk, sk) = (pk(&body["Key"]), sk(&body["Key"]));
        match sk {
            _ if pk.starts_with("target#") => Self::Begin,
            "seen" => Self::Seen,
            "change" if named("#finished") => Self::Finish,
            "change" if named("#mode") => Self::Convert,
            "change" if named("#started") => Self::Started,
            "change" if named("#sent") => Self::Sent,
            "change" if named("#holder") => Self::Release,
            _ if sk.starts_with("lane#") && named("#deliveries") => Self::BeginDelivery,
            _ if sk.starts_with("lane#") && named("#moved") => Self::Progress,
            _ if sk.starts_with("lane#") && !named("#resolved") => Self::Leave,
            _ => Self::Other,
        }
    }

    fn of_query(body: &Value) -> Self {
        if body["IndexName"] == "owed" {
            return Self::Owed;
        }
        let values = body["ExpressionAttributeValues"].as_object().unwrap();
        let begins = |text: &str| {
            values.values().any(|value| value["S"].as_str().is_some_and(|s| s.starts_with(text)))
        };
        if begins("run#") {
            Self::Results
        } else if begins("target#") {
            Self::Intents
        } else if begins("lane#") && begins("change#") {
            Self::Lanes
        } else {
            Self::Other
        }
    }

    /// Whether it changes anything.
    pub(super) const fn writes(self) -> bool {
        !matches!(
            self,
            Self::Freeze
                | Self::Change
                | Self::Results
                | Self::Targets
                | Self::Look
                | Self::Owed
                | Self::Lanes
                | Self::Intents
                | Self::Other
        )
    }

    const fn is_transaction(self) -> bool {
        matches!(self, Self::PlanLanes | Self::EndLane | Self::Close | Self::Confirm)
    }
}

fn pk(item: &Value) -> &str {
    item["pk"]["S"].as_str().unwrap_or_default()
}

fn sk(item: &Value) -> &str {
    item["sk"]["S"].as_str().unwrap_or_default()
}

/// Whether the update of a request writes the attribute.
fn names(update: &Value, attribute: &str) -> bool {
    let expression = update["UpdateExpression"].as_str().unwrap_or_default();
    expression.split([' ', ',']).any(|word| word == attribute)
}

/// What goes wrong at a verb.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Harm {
    /// Throttled, then in the way of a transaction, then carried out without an answer: each once. Of a read the last.
    Passing,
    /// Throttled for as long as it is tried.
    Throttled,
    /// Unavailable for as long as it is tried.
    Unavailable,
    /// Carried out, and the answers lost, each time.
    AnswersLost,
    /// Carried out, and never answered.
    Unanswered,
    /// Carried out, but only when nobody waits for it any more.
    TooLate,
    /// Somebody else comes first.
    SomebodyElse,
}

/// How long a request is held up until somebody else has come first. A client waits for 2 seconds.
const HELD: Duration = Duration::from_millis(1_500);
/// A client has given up after 5.
pub(super) const TOO_LATE: Duration = Duration::from_millis(5_500);

impl Harm {
    pub(super) const ALL: [Self; 7] = [
        Self::Passing,
        Self::Throttled,
        Self::Unavailable,
        Self::AnswersLost,
        Self::Unanswered,
        Self::TooLate,
        Self::SomebodyElse,
    ];

    /// Whether it can happen there. A read that is carried out and not answered is one that fails.
    pub(super) fn can_happen_to(self, verb: Verb) -> bool {
        verb.writes() || !matches!(self, Self::AnswersLost | Self::TooLate)
    }

    /// As it is printed.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Passing => "what passes",
            Self::Throttled => "throttled",
            Self::Unavailable => "unavailable",
            Self::AnswersLost => "answers lost",
            Self::Unanswered => "no answer",
            Self::TooLate => "too late",
            Self::SomebodyElse => "somebody else",
        }
    }

    /// The faults of requests of that verb. Of those that name a target: of the first instance's.
    pub(super) fn rules(self, verb: Verb, first: &'static str, others: &'static [&'static str]) -> Vec<Rule> {
        let of = move |fault| {
            Rule::new(fault).of(move |body| {
                let text = body.to_string();
                let is_of_others = others.iter().any(|other| text.contains(other));
                Verb::of(body) == verb && (text.contains(first) || !is_of_others)
            })
        };
        match self {
            Self::Passing if !verb.writes() => vec![of(Fault::AnswerLost).nth(1)],

            Self::Passing => {
                vec![of(Fault::Throttled).nth(1), of(Fault::Conflict).nth(2), of(Fault::AnswerLost).nth(3)]
            }
            // as it is spelled for a transaction and for one item
            Self::Throttled if verb.is_transaction() => vec![of(Fault::TransactionThrottled)],
            Self::Throttled => vec![of(Fault::Throttled)],
            Self::Unavailable => vec![of(Fault::Internal)],
            Self::AnswersLost => vec![of(Fault::AnswerLost)],
            Self::Unanswered => vec![of(Fault::NeverAnswered)],
            // and no other try arrives
            Self::TooLate => vec![of(Fault::Late(TOO_LATE)).nth(1), of(Fault::Closed)],
            Self::SomebodyElse => vec![of(Fault::Late(HELD)).nth(1)],
        }
    }
}
