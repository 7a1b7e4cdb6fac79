//! What is asked of a stack: changes by every way in, over the same few targets, and what is done to them later.

use super::Random;
use crate::declared::physical_id;
use crate::governed::stage::request;
use crate::world::{ONE, TWO};
use serde_json::{Value, json};
use std::time::Duration;

const STACK: &str =
    "arn:aws:cloudformation:us-east-1:111122223333:stack/policies/5f0c9b60-8d5a-11ef-a1f5-0a1b2c3d4e5f";
/// An instance of another Region: a lane of its own.
pub(super) const FAR: &str = "00000009-0000-4000-8000-000000000009";
pub(super) const FAR_REGION: &str = "eu-west-1";

/// How somebody asks.
#[derive(Debug, Clone)]
pub(super) enum Way {
    /// An invocation of the API function; with a deadline, too short for anything to be carried out at once.
    Api { payload: Value, request_id: Option<String>, within: Option<Duration> },
    /// A request of CloudFormation, whose answer goes nowhere until it is performed.
    Declare(Value),
    /// A message in the intake queue.
    Intake(String),
    /// The sweep.
    Sweep,
}

/// One thing that is asked for.
#[derive(Debug, Clone)]
pub(super) struct Act {
    pub(super) way: Way,
    /// How often it is asked for again where its process was killed.
    pub(super) repeats: u64,
    /// When it begins in its round.
    pub(super) after: Duration,
}

/// Makes acts: each change has a number and values of its own.
#[derive(Debug, Default)]
pub(super) struct Acts {
    changes: u64,
    /// The ids of changes that were asked for.
    ids: Vec<String>,
}

impl Acts {
    pub(super) fn next(&mut self, random: &mut Random) -> Act {
        let way = match random.below(14) {
            0 => Way::Sweep,
            12 | 13 => self.declare(random),
            1 if !self.ids.is_empty() => self.on(random, "cancel", &Value::Null),
            2 if !self.ids.is_empty() => {
                self.changes += 1;
                let id = format!("U{}", self.changes);
                let undo = self.on(random, "undo", &json!(json!({"changeId": id.clone()}).to_string()));
                self.ids.push(id);
                undo
            }
            _ => self.change(random),
        };
        Act { way, repeats: random.below(3), after: Duration::from_millis(random.below(40)) }
    }

    /// A resource is declared, declared otherwise, or goes. CloudFormation waits for each answer; here nobody does.
    fn declare(&mut self, random: &mut Random) -> Way {
        self.changes += 1;
        let number = self.changes;
        let instances = [json!([ONE]), json!([TWO]), json!([ONE, TWO]), json!(["*"])];
        let properties = json!({
            "ServiceToken": "arn:aws:lambda:us-east-1:111122223333:function:declare",
            "InstanceIds": instances[usize::try_from(random.below(4)).unwrap()],
            "AttachmentScopes": if random.one_in(2) { json!(["CHAT"]) } else { json!(["CHAT", "TASK"]) },
            "MaximumSizeLimitInBytes": (2_000_000 + number).to_string(),
            "AllowedExtensions": ["csv", format!("x{number}")],
            "OnDelete": if random.one_in(3) { "Retain" } else { "Restore" },
        });
        let kind = if random.one_in(4) { "Delete" } else { "Update" };
        let logical = if random.one_in(2) { "One" } else { "Other" };
        Way::Declare(json!({
            "RequestType": kind, "RequestId": format!("R{number}"), "StackId": STACK,
            "LogicalResourceId": logical,
            "PhysicalResourceId": physical_id(STACK, logical), "ResourceType": "Custom::AttachmentPolicy",
            "ResourceProperties": properties,
        }))
    }

    fn on(&self, random: &mut Random, what: &str, body: &Value) -> Way {
        let id = &self.ids[usize::try_from(random.below(self.ids.len() as u64)).unwrap()];
        let path = format!("/policy-changes/{id}/{what}");
        Way::Api { payload: request("POST", &path, "", body), request_id: None, within: None }
    }

    fn change(&mut self, random: &mut Random) -> Way {
        self.changes += 1;
        let number = self.changes;
        let id = format!("C{number}");
        let mut document = document(random, number);
        let post =
            |document: &Value| request("POST", "/policy-changes", "", &Value::String(document.to_string()));
        let chosen = |document: &mut Value| document["changeId"] = json!(id.clone());
        let way = match random.below(6) {
            0 | 1 => {
                chosen(&mut document);
                Way::Api { payload: post(&document), request_id: None, within: None }
            }
            2 => {
                chosen(&mut document);
                let within = Some(Duration::from_secs(6));
                Way::Api { payload: post(&document), request_id: None, within }
            }
            // an id that AWS gives: a repetition by Lambda continues the run
            3 => Way::Api { payload: document, request_id: Some(id.clone()), within: None },
            4 => {
                chosen(&mut document);
                Way::Intake(document.to_string())
            }
            _ => {
                let event = json!({
                    "version": "0", "id": id.clone(), "detail-type": "Attachment Policy Change",
                    "source": "com.example", "account": "111122223333", "time": "2026-11-23T09:00:00Z",
                    "region": "us-east-1", "resources": [], "detail": document,
                });
                Way::Intake(event.to_string())
            }
        };
        self.ids.push(id);
        way
    }
}

/// Values that no other change has: its number is in the size and in the list.
fn document(random: &mut Random, number: u64) -> Value {
    let (size, own) = (1_000_000 + number, format!("x{number}"));
    let mut document = match random.below(7) {
        0 | 1 => json!({"maximumSizeLimitInBytes": size}),
        2 => json!({"allowedExtensions": ["pdf", own]}),
        3 | 4 => json!({"maximumSizeLimitInBytes": size, "allowedExtensions": ["csv", own]}),
        5 => json!({"addExtensions": [own]}),
        _ => json!({"maximumSizeAtMost": size, "removeExtensions": ["pdf", "csv"]}),
    };
    let far = format!("arn:aws:connect:{FAR_REGION}:111122223333:instance/{FAR}");
    document["instanceIds"] = match random.below(6) {
        0 => json!(["*"]),
        1 => json!([format!("arn:aws:connect:{FAR_REGION}:111122223333:instance/*")]),
        2 => json!(["arn:aws:connect:*:111122223333:instance/*"]),
        3 => json!([ONE, far]),
        4 => json!([ONE, TWO]),
        _ => json!([TWO]),
    };
    document["attachmentScopes"] = match random.below(3) {
        0 => json!(["CHAT"]),
        1 => json!(["CHAT", "TASK"]),
        _ => json!(["TASK"]),
    };
    if random.one_in(10) {
        document["dryRun"] = json!(true);
    }
    document
}
