//! The life of a resource, and what must be true after each of its requests and at its end.

use super::super::{Asked, Stack};
use super::{Case, Harm};
use crate::governed::stage::CHANGES;
use crate::world::{ONE, TWO};
use sandbox::ledger::{Fault, Rule};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// After it a lease is over, and what a sweep comes back to is due.
const MINUTE: Duration = Duration::from_secs(62);
/// Longer than a queue hides a message, and than a lane is left without a delivery.
const LONG: Duration = Duration::from_mins(31);
/// What passes until a request is answered, at most. All of it is less than the hour that the work has.
const ROUNDS: [Duration; 7] = [MINUTE, MINUTE, LONG, MINUTE, MINUTE, MINUTE, MINUTE];

/// What a life consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Script {
    /// Two targets are declared, one of them is left by an Update, the other by the Delete; both get back what was there.
    Restored,
    /// The Delete sets nothing.
    Retained,
    /// Nothing is carried out until the deadline, at which the sweep gives the Create up.
    Late,
}

/// One invocation.
#[derive(Debug, Clone, Copy)]
enum Act {
    /// A request of CloudFormation.
    Ask(&'static str),
    /// A delivery of the lane's message.
    Work,
    /// A sweep after the deadline.
    Late,
}

impl Script {
    const fn acts(self) -> &'static [Act] {
        match self {
            Self::Restored => {
                &[Act::Ask("Create"), Act::Work, Act::Ask("Update"), Act::Work, Act::Ask("Delete"), Act::Work]
            }
            Self::Retained => &[Act::Ask("Create"), Act::Work, Act::Ask("Delete")],
            Self::Late => &[Act::Ask("Create"), Act::Late, Act::Ask("Delete"), Act::Work],
        }
    }

    /// The acts that something may befall. What they have in common is harmed in one script.
    pub(super) fn harmed(self) -> std::ops::Range<usize> {
        match self {
            Self::Restored => 0..self.acts().len(),
            Self::Retained => 2..3,
            Self::Late => 1..2,
        }
    }

    /// How many updates Amazon Connect gets in all.
    const fn updates(self) -> usize {
        match self {
            Self::Restored => 5,
            Self::Retained => 2,
            Self::Late => 0,
        }
    }
}

pub(super) struct Life {
    script: Script,
    stack: Stack,
}

/// What is wrong, in words; otherwise how many requests to the table each act made.
type Played = Result<Vec<usize>, Vec<String>>;

impl Life {
    pub(super) async fn new(script: Script) -> Self {
        Self { script, stack: Stack::new().await }
    }

    pub(super) async fn play(self, case: Option<Case>) -> Played {
        let before = [self.stack.holds(ONE).await, self.stack.holds(TWO).await];
        let (mut requests, mut asked) = (Vec::new(), None);
        for (place, act) in self.script.acts().iter().enumerate() {
            let case = case.filter(|case| case.act == place);
            self.stack.stage.ledger.clear_journal();
            match act {
                Act::Ask(kind) => asked = Some(self.ask(kind, case).await?),
                Act::Work => {
                    let delivery = self.stack.stage.deliver(CHANGES, Duration::from_secs(30));
                    drop(self.befalls(case, delivery).await);
                }
                Act::Late => {
                    self.stack.stage.world.clock.advance(Duration::from_secs(3_511));
                    let sweep = json!({"sweep": true});
                    drop(self.befalls(case, self.stack.stage.world.invoke(&sweep)).await);
                }
            }
            requests.push(self.stack.stage.ledger.journal().len());
            let is_last = !matches!(self.script.acts().get(place + 1), Some(Act::Work | Act::Late));
            if let Some(asked) = asked.as_ref().filter(|_| is_last) {
                self.is_answered(asked).await?;
            }
        }
        self.is_over(&before).await?;
        Ok(requests)
    }

    /// What an invocation comes to; `None`: it died.
    async fn befalls<T>(&self, case: Option<Case>, invocation: impl Future<Output = T>) -> Option<T> {
        let invocation = Box::pin(invocation);
        let Some(case) = case else { return Some(invocation.await) };
        let (stage, nth) = (&self.stack.stage, case.request);
        let from = move |fault| {
            let seen = AtomicUsize::new(0);
            Rule::new(fault).of(move |_| seen.fetch_add(1, Ordering::Relaxed) + 1 >= nth)
        };
        let once = |fault| Rule::new(fault).nth(u64::try_from(nth).unwrap());
        let rule = match case.harm {
            Harm::DiesBefore => once(Fault::Late(Duration::from_hours(1))),
            Harm::DiesAfter => once(Fault::NeverAnswered),
            Harm::AnswerLost => once(Fault::AnswerLost),
            Harm::Throttled => from(Fault::RateExceeded),
            Harm::Down => from(Fault::Internal),
            Harm::Denied => from(Fault::Denied),
        };
        if matches!(case.harm, Harm::DiesBefore | Harm::DiesAfter) {
            return stage.unless_it_dies(rule, invocation).await;
        }
        stage.ledger.fault(rule);
        let answer = invocation.await;
        stage.ledger.clear_faults();
        Some(answer)
    }

    /// A request of CloudFormation, which Lambda tries again where it failed, and after which CloudFormation asks anew
    /// where the ledger could not even be read.
    async fn ask(&self, kind: &str, case: Option<Case>) -> Result<Asked, Vec<String>> {
        let properties = match (self.script, kind) {
            (Script::Retained, _) => json!({"InstanceIds": [ONE, TWO]}),
            (_, "Update") => json!({"InstanceIds": [ONE], "MaximumSize": "11 MB", "OnDelete": "Restore"}),
            _ => json!({"InstanceIds": [ONE, TWO], "OnDelete": "Restore"}),
        };
        let asked = self.stack.ask(kind, &properties);
        let answer = self.befalls(case, self.stack.send(&asked)).await;
        let is_taken = self.items().iter().any(|item| item["request"]["S"] == asked.payload["RequestId"]);
        if matches!(answer, Some(Ok(_))) {
            let bodies = self.answers(&asked);
            let is_unread = bodies.iter().any(|body| body.contains("The ledger could not be used"));
            if is_unread {
                let is_such =
                    case.is_some_and(|case| matches!(case.harm, Harm::Throttled | Harm::Down | Harm::Denied));
                if !is_such || is_taken || bodies.len() != 1 {
                    return Err(vec![format!("refused without a reason: {bodies:?}")]);
                }
                let again = self.stack.ask(kind, &properties);
                self.stack.send(&again).await.map_err(|error| vec![format!("{error:?}")])?;
                return Ok(again);
            }
            return Ok(asked);
        }
        if case.is_some_and(|case| case.by_lambda) || !is_taken {
            self.stack.stage.world.clock.advance(MINUTE);
            self.stack.send(&asked).await.map_err(|error| vec![format!("again: {error:?}")])?;
        }
        Ok(asked)
    }

    fn items(&self) -> Vec<Value> {
        self.stack.stage.ledger.items().unwrap()
    }

    fn answers(&self, asked: &Asked) -> Vec<String> {
        let request = asked.payload["RequestId"].as_str().unwrap();
        let of = |body: &String| serde_json::from_str::<Value>(body).unwrap()["RequestId"] == request;
        self.stack.bucket.arrived().into_iter().map(|arrived| arrived.body).filter(of).collect()
    }

    /// In the end a request has one answer, however often it was sent, and it says what became of it.
    async fn is_answered(&self, asked: &Asked) -> Result<(), Vec<String>> {
        let stage = &self.stack.stage;
        for round in ROUNDS {
            if !self.answers(asked).is_empty() && self.owed().is_empty() {
                break;
            }
            stage.world.clock.advance(round);
            stage.queues.advance(round);
            // at the deadline nothing is carried out before somebody has looked
            // a sweep that fails is followed by the next one
            drop(stage.world.invoke(&json!({"sweep": true})).await);
            stage.work().await;
        }
        let bodies: BTreeSet<String> = self.answers(asked).into_iter().collect();
        let [body] = &bodies.iter().collect::<Vec<_>>()[..] else {
            return Err(vec![format!(
                "{} answers to {}: {bodies:?}",
                bodies.len(),
                asked.payload["RequestType"]
            )]);
        };
        let body: Value = serde_json::from_str(body).unwrap();
        let is_late = self.script == Script::Late && asked.payload["RequestType"] == "Create";
        let expected = if is_late { "FAILED" } else { "SUCCESS" };
        if body["Status"] != expected {
            return Err(vec![format!("{} is answered {body}", asked.payload["RequestType"])]);
        }
        Ok(())
    }

    /// What somebody still has to do: answers, lanes, intents, runs.
    fn owed(&self) -> Vec<String> {
        let is_owed = |item: &Value| {
            let has = |name: &str| item.get(name).is_some();
            let is_work = item["sk"]["S"].as_str().unwrap().starts_with("work#");
            // of a run that has ended its event may be owed
            let is_open = matches!(item["status"]["S"].as_str(), Some("accepted" | "running"));
            has("url") || has("intent") || is_work || is_open || item["state"]["S"] == "open"
        };
        self.items().iter().filter(|item| is_owed(item)).map(Value::to_string).collect()
    }

    async fn is_over(&self, before: &[(u64, Vec<String>); 2]) -> Result<(), Vec<String>> {
        let mut wrong = self.owed();
        let holds = [self.stack.holds(ONE).await, self.stack.holds(TWO).await];
        let declared = || (10, vec!["pdf".to_owned(), "png".to_owned()]);
        let expected =
            if self.script == Script::Retained { [declared(), declared()] } else { before.clone() };
        if holds != expected {
            wrong.push(format!("they hold {holds:?}"));
        }
        for instance in [ONE, TWO] {
            if self.stack.owner(instance) != Value::Null {
                wrong.push(format!("{instance} is owned by {}", self.stack.owner(instance)));
            }
        }
        let updates = self.stack.stage.world.updates();
        if updates != self.script.updates() {
            wrong.push(format!("{updates} updates"));
        }
        if wrong.is_empty() { Ok(()) } else { Err(wrong) }
    }
}
