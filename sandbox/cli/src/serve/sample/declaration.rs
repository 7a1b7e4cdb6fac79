//! Policies that a stack declares: a request as CloudFormation sends it, answered to this process.

use super::{AGAIN, invoke};
use sandbox::callback::Callback;
use sandbox::connect::{DEFAULT_ACCOUNT, DEFAULT_EXTENSIONS};
use sandbox::lambda::Fleet;
use serde_json::json;
use std::io;
use std::sync::Arc;

/// Creates the resource, and waits until the stack has its answer.
pub(super) async fn create(function: &Arc<Fleet>, instances: &[String]) -> io::Result<()> {
    let answers = Callback::start(0).await?;
    let stack = format!(
        "arn:aws:cloudformation:us-east-1:{DEFAULT_ACCOUNT}:stack/contact-center/5f0c9e52-6a1b-4a57-9a3e-0d6f0a4b7c11"
    );
    let request = json!({
        "RequestType": "Create",
        "RequestId": "c1a7c9e4-3f0f-4f5c-9f0b-7a4e6d1b2a90",
        "ResponseURL": answers.url("Create"),
        "StackId": stack,
        "LogicalResourceId": "EmailPolicies",
        "ResourceType": "Custom::AttachmentPolicy",
        "ResourceProperties": {
            "ServiceToken": "arn", "InstanceIds": instances, "AttachmentScopes": ["EMAIL"], "MaximumSize": "8 MB",
            "AllowedExtensions": DEFAULT_EXTENSIONS,
        },
    });
    invoke(function, &request).await?;
    while answers.arrived().is_empty() {
        tokio::time::sleep(AGAIN).await;
    }
    Ok(())
}
