//! The protocol of a CloudFormation custom resource, and what its properties declare.

mod answer;
mod generation;
mod kept;
mod owner;
mod properties;
mod request;
mod response_url;

use policy_core::aws::{AccountId, RegionName};
use policy_core::declare::{Hosts, Malformed, Request};
use policy_core::policy::{Home, Rules};
use serde_json::{Value, json};

pub(crate) const STACK: &str =
    "arn:aws:cloudformation:eu-central-1:111122223333:stack/policies/5f0c9b60-8d5a-11ef-a1f5-0a1b2c3d4e5f";
pub(crate) const URL: &str = "https://cloudformation-custom-resource-response-eucentral1.s3.eu-central-1.amazonaws.com/key?Signature=secret";

/// A request as CloudFormation sends it, with these members instead.
pub(crate) fn payload(kind: &str, other: &Value) -> String {
    let mut payload = json!({
        "RequestType": kind,
        "ServiceToken": "arn:aws:lambda:eu-central-1:111122223333:function:declare",
        "ResponseURL": URL,
        "StackId": STACK,
        "RequestId": "7d1f7f2e-6a5b-4a63-8f4d-0b1c2d3e4f50",
        "ResourceType": "Custom::AttachmentPolicy",
        "LogicalResourceId": "Policy",
        "ResourceProperties": {"ServiceToken": "arn", "InstanceIds": ["*"]},
    });
    for (key, value) in other.as_object().unwrap() {
        payload[key] = value.clone();
    }
    payload.to_string()
}

pub(crate) fn parsed(payload: &str) -> Result<Request<'_>, Malformed> {
    Request::parse(payload, Hosts::CloudFormation)
}

pub(crate) fn rules() -> Rules {
    let home = Home {
        region: RegionName::parse("eu-central-1").unwrap(),
        account: AccountId::parse("111122223333"),
    };
    Rules { governed: true, ..Rules::at(home) }
}
