//! Policies that a CloudFormation custom resource declares: the function, Connect, the table, the queues and the bucket
//! that CloudFormation waits at, over real HTTP.

mod crash_points;
mod encrypted;
mod faults;
mod given_up;
mod harmed;
mod lifecycle;
mod owners;
mod raced;
mod refusals;
mod released;
mod requests;
mod restored;
mod secret;
mod unanswered;
mod warned;

use crate::governed::stage::Stage;
use crate::world::World;
use lambda_runtime::Diagnostic;
use sandbox::callback::Callback;
use sandbox::connect::Options;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::sync::atomic::{AtomicUsize, Ordering};

pub(crate) const STACK: &str =
    "arn:aws:cloudformation:us-east-1:111122223333:stack/policies/5f0c9b60-8d5a-11ef-a1f5-0a1b2c3d4e5f";
pub(crate) const OTHER_STACK: &str =
    "arn:aws:cloudformation:us-east-1:111122223333:stack/rival/6a0c9b60-8d5a-11ef-a1f5-0a1b2c3d4e5f";

/// A stage with somebody who plays CloudFormation.
pub(crate) struct Stack {
    pub(crate) stage: Stage,
    pub(crate) bucket: Callback,
    requests: AtomicUsize,
}

/// A request, before it is sent.
pub(crate) struct Asked {
    pub(crate) payload: Value,
}

impl Stack {
    pub(crate) async fn new() -> Self {
        Self::with(&[]).await
    }

    pub(crate) async fn with(variables: &[(&str, &str)]) -> Self {
        Self::of(Options::default(), variables).await
    }

    /// With other instances.
    pub(crate) async fn of(options: Options, variables: &[(&str, &str)]) -> Self {
        let stage = Stage::with(options, variables).await;
        Self { stage, bucket: Callback::start(0).await.unwrap(), requests: AtomicUsize::new(0) }
    }

    /// A request of the resource `Policy` with these properties.
    pub(crate) fn ask(&self, kind: &str, properties: &Value) -> Asked {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        let request = format!("request-{number}");
        let mut sent = json!({
            "ServiceToken": "arn:aws:lambda:us-east-1:111122223333:function:declare",
            "AttachmentScopes": ["CHAT"], "MaximumSize": "10 MB", "AllowedExtensions": ["pdf", "png"],
        });
        for (key, value) in properties.as_object().unwrap() {
            sent[key] = value.clone();
        }
        let mut payload = json!({
            "RequestType": kind, "RequestId": request, "ResponseURL": self.bucket.url(&request),
            "StackId": STACK, "LogicalResourceId": "Policy", "ResourceType": "Custom::AttachmentPolicy",
            "ServiceToken": sent["ServiceToken"], "ResourceProperties": sent,
        });
        if kind != "Create" {
            payload["PhysicalResourceId"] = json!(physical_id(STACK, "Policy"));
        }
        Asked { payload }
    }

    pub(crate) async fn send(&self, asked: &Asked) -> Result<Value, Diagnostic> {
        self.send_to(&self.stage.world, asked).await
    }

    pub(crate) async fn send_to(&self, world: &World, asked: &Asked) -> Result<Value, Diagnostic> {
        world.invoke(&asked.payload).await
    }

    /// Sends a request and lets the workers end: the answer, which is the only new one.
    pub(crate) async fn answered(&self, asked: &Asked) -> Value {
        let before = self.bucket.arrived().len();
        self.send(asked).await.unwrap();
        self.stage.work().await;
        let arrived = self.bucket.arrived();
        assert_eq!(arrived.len(), before + 1, "{arrived:#?}");
        let answer: Value = serde_json::from_str(&arrived[before].body).unwrap();
        assert_eq!(answer["RequestId"], asked.payload["RequestId"]);
        answer
    }

    /// The same of a request that has to succeed.
    pub(crate) async fn succeeds(&self, kind: &str, properties: &Value) -> Value {
        let answer = self.answered(&self.ask(kind, properties)).await;
        assert_eq!(answer["Status"], "SUCCESS", "{answer}");
        answer
    }

    /// What the CHAT targets of these instances hold: size in MB and extensions.
    pub(crate) async fn holds(&self, instance: &str) -> (u64, Vec<String>) {
        let path = format!("/instances/{instance}/attachment-policies/CHAT");
        let (status, _, body) = self.stage.http("GET", &path, &Value::Null).await;
        assert_eq!(status, 200, "{body}");
        let list = body["allowedExtensions"].as_array().unwrap();
        let size = body["maximumSizeLimitInBytes"].as_u64().unwrap() / 1_048_576;
        (size, list.iter().map(|extension| extension.as_str().unwrap().to_owned()).collect())
    }

    /// The owner of an instance's CHAT target, as the table has it.
    pub(crate) fn owner(&self, instance: &str) -> Value {
        let items = self.stage.ledger.items().unwrap();
        let of = |item: &Value| {
            let key = item["sk"]["S"].as_str().unwrap();
            item["pk"]["S"].as_str().unwrap().starts_with("target#")
                && key.ends_with(&format!("{instance}#CHAT"))
        };
        items.into_iter().find(of).map_or(Value::Null, |item| item["owner"]["M"].clone())
    }
}

/// The id that every answer gives a resource.
pub(crate) fn physical_id(stack: &str, logical: &str) -> String {
    let digest = Sha256::digest(format!("{stack}\n{logical}"));
    let digits: Vec<_> = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("attachment-policy-{}", digits.concat())
}

impl Asked {
    /// With another member.
    pub(crate) fn with(mut self, key: &str, value: &str) -> Self {
        self.payload[key] = json!(value);
        self
    }

    pub(crate) fn of(self, stack: &str, logical: &str) -> Self {
        let asked = self.with("StackId", stack).with("LogicalResourceId", logical);
        if asked.payload["RequestType"] == "Create" {
            return asked;
        }
        asked.with("PhysicalResourceId", &physical_id(stack, logical))
    }
}
