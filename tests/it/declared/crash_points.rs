//! Each crash point of docs/declarations.md: an invocation is killed there, the ledger is in the state that the page says,
//! and whoever comes back leads to the same end. `harmed` kills at every other request too.

use super::{Asked, STACK, Stack, requests};
use crate::governed::stage::CHANGES;
use crate::world::{ONE, TWO};
use sandbox::ledger::{Fault, Rule};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

/// What is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Killed {
    /// The function that takes a request in: a Create.
    Create,
    /// The worker of a Create.
    CreateWork,
    /// The function that takes a Delete in.
    Delete,
    /// The worker of a Delete that puts values back.
    DeleteWork,
    /// The sweep at the deadline of a Create that nobody has carried out.
    Deadline,
}

/// Killed before the first such request to the table is carried out, or after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum When {
    Before,
    After,
}
use When::{After, Before};

struct Point {
    name: &'static str,
    killed: Killed,
    when: When,
    request: fn(&Value) -> bool,
    /// The generation's state then.
    state: &'static str,
    /// How many answers have arrived by then, and in the end.
    arrived: [usize; 2],
    /// How many updates Amazon Connect gets in all.
    updates: usize,
}

#[rustfmt::skip]
fn points() -> Vec<Point> {
    let point = |name, killed, (when, request): (When, fn(&Value) -> bool), state, arrived, updates| {
        Point { name, killed, when, request, state, arrived, updates }
    };
    vec![
        point("K1", Killed::Create, (Before, requests::takes), "none", [0, 1], 2),
        point("K2", Killed::Create, (After, requests::takes), "working", [0, 1], 2),
        point("K3", Killed::Delete, (After, requests::takes), "releasing", [0, 1], 2),
        point("K3, half-way", Killed::Delete, (After, requests::hands_over), "releasing", [0, 1], 2),
        point("K4, no update", Killed::CreateWork, (After, requests::begins), "working, intent", [0, 1], 2),
        point("K4, updated", Killed::CreateWork, (Before, requests::closes), "working, intent", [0, 1], 2),
        point("K5", Killed::CreateWork, (After, requests::closes), "working", [0, 1], 2),
        point("K6, no update", Killed::DeleteWork, (After, requests::begins), "working, intent", [0, 1], 4),
        point("K6, updated", Killed::DeleteWork, (Before, requests::closes), "working, intent", [0, 1], 4),
        point("K7", Killed::DeleteWork, (After, requests::closes), "working", [0, 1], 4),
        point("K8, the lane", Killed::CreateWork, (After, requests::ends_a_lane), "working", [0, 1], 2),
        point("K8, the change", Killed::CreateWork, (After, requests::finishes), "ended", [0, 1], 2),
        point("K9", Killed::CreateWork, (After, requests::decides), "decided", [0, 1], 2),
        point("K10", Killed::CreateWork, (Before, requests::forgets_the_url), "decided", [1, 2], 2),
        point("K11", Killed::CreateWork, (After, requests::forgets_the_url), "answered", [1, 1], 2),
        point("K12", Killed::Deadline, (After, requests::decides), "decided", [0, 1], 0),
    ]
}

/// After it a lease is over, and what a sweep comes back to is due.
const MINUTE: Duration = Duration::from_secs(62);
/// Longer than a queue hides a message.
const LONG: Duration = Duration::from_mins(31);
const ROUNDS: [Duration; 5] = [MINUTE, MINUTE, LONG, MINUTE, MINUTE];
const DEADLINE: Duration = Duration::from_secs(3_511);

impl Point {
    async fn play(&self) -> Vec<String> {
        let stack = Stack::new().await;
        let asked = self.kill(&stack).await;
        let id = asked.payload["RequestId"].clone();
        let to_it = || {
            let bodies = stack.bucket.arrived().into_iter().map(|arrived| arrived.body);
            bodies
                .filter(|body| serde_json::from_str::<Value>(body).unwrap()["RequestId"] == id)
                .collect::<Vec<_>>()
        };
        let mut wrong = Vec::new();
        let mut same = |what: &str, is: String, not: &str| {
            if is != not {
                wrong.push(format!("{}: {what}: {is}, not {not}", self.name));
            }
        };
        same("the state", state(&stack, &id), self.state);
        same("answers by then", to_it().len().to_string(), &self.arrived[0].to_string());
        for round in ROUNDS {
            stack.stage.world.clock.advance(round);
            stack.stage.queues.advance(round);
            if self.state == "none" {
                stack.send(&asked).await.unwrap();
            }
            stack.stage.sweep().await;
            stack.stage.work().await;
        }
        let bodies = to_it();
        same("answers", bodies.len().to_string(), &self.arrived[1].to_string());
        same("texts of them", bodies.iter().collect::<BTreeSet<_>>().len().to_string(), "1");
        let expected = if self.killed == Killed::Deadline { "FAILED" } else { "SUCCESS" };
        let answer: Value =
            bodies.first().map(|body| serde_json::from_str(body).unwrap()).unwrap_or_default();
        same("the answer", answer["Status"].as_str().unwrap_or_default().to_owned(), expected);
        same("the state in the end", state(&stack, &id), "answered");
        same("updates", stack.stage.world.updates().to_string(), &self.updates.to_string());
        let is_owned = matches!(self.killed, Killed::Create | Killed::CreateWork);
        for instance in [ONE, TWO] {
            let owner = stack.owner(instance)["stack"]["S"].clone();
            same(
                "the owner",
                owner.to_string(),
                &if is_owned { json!(STACK) } else { Value::Null }.to_string(),
            );
        }
        wrong
    }

    /// Up to the kill: the request that is owed an answer.
    async fn kill(&self, stack: &Stack) -> Asked {
        let deletes = matches!(self.killed, Killed::Delete | Killed::DeleteWork);
        let on_delete = if self.killed == Killed::DeleteWork { "Restore" } else { "Retain" };
        let properties = json!({"InstanceIds": [ONE, TWO], "OnDelete": on_delete});
        if deletes {
            stack.succeeds("Create", &properties).await;
        }
        let asked = stack.ask(if deletes { "Delete" } else { "Create" }, &properties);
        let sweep = json!({"sweep": true});
        let died = match self.killed {
            Killed::Create | Killed::Delete => self.dies(stack, stack.send(&asked)).await,
            Killed::CreateWork | Killed::DeleteWork => {
                stack.send(&asked).await.unwrap();
                self.dies(stack, stack.stage.deliver(CHANGES, Duration::from_secs(30))).await
            }
            Killed::Deadline => {
                stack.send(&asked).await.unwrap();
                stack.stage.world.clock.advance(DEADLINE);
                self.dies(stack, stack.stage.world.invoke(&sweep)).await
            }
        };
        assert!(died, "{} was not killed", self.name);
        asked
    }

    async fn dies<T>(&self, stack: &Stack, invocation: impl Future<Output = T>) -> bool {
        let fault = match self.when {
            Before => Fault::Late(Duration::from_hours(10)),
            After => Fault::NeverAnswered,
        };
        let rule = Rule::new(fault).of(self.request).nth(1);
        stack.stage.unless_it_dies(rule, Box::pin(invocation)).await.is_none()
    }
}

/// A generation's state, by its request, in the words of docs/declarations.md; and whether a target has an open intent.
fn state(stack: &Stack, request: &Value) -> String {
    let items = stack.stage.ledger.items().unwrap();
    let is_answer =
        |item: &&Value| item["request"]["S"] == *request && item["sk"]["S"].as_str().unwrap().contains('#');
    let Some(answer) = items.iter().find(is_answer) else { return "none".to_owned() };
    let has = |name: &str| answer.get(name).is_some();
    let of_change =
        |item: &&Value| item["pk"]["S"] == format!("change#{}", answer["change"]["S"].as_str().unwrap());
    let is_final = || {
        let change = items.iter().filter(of_change).find(|item| item["sk"]["S"] == "change").unwrap();
        !matches!(change["status"]["S"].as_str().unwrap(), "accepted" | "running")
    };
    let state = match (has("body"), has("url")) {
        (true, true) => "decided",
        (true, false) => "answered",
        (false, _) if !has("change") => "releasing",
        (false, _) if is_final() => "ended",
        (false, _) => "working",
    };
    let intent = if items.iter().any(|item| item.get("intent").is_some()) { ", intent" } else { "" };
    format!("{state}{intent}")
}

#[tokio::test]
async fn after_a_kill_at_each_crash_point_the_stack_gets_its_answer() {
    let mut wrong = Vec::new();
    for point in points() {
        wrong.extend(Box::pin(point.play()).await);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
