//! Somebody changes a policy around the functions, and CloudTrail says so.

use super::{MB, invoke};
use sandbox::connect::{Configuration, Connect, Instance, Scope};
use sandbox::lambda::Fleet;
use serde_json::{Value, json};
use std::io;
use std::sync::Arc;
use time::OffsetDateTime;

/// Changes what an instance allows in chats, and tells the function that looks for drift.
pub(super) async fn update(connect: &Connect, function: &Arc<Fleet>, instance: &Instance) -> io::Result<()> {
    let Some(mut held) = connect.configuration(&instance.id, Scope::Chat) else { return Ok(()) };
    held = Configuration { maximum_size_limit_in_bytes: (100 * MB).into(), ..held };
    held.extensions.push("zip".to_owned());
    connect.put(&instance.id, Scope::Chat, held);
    invoke(function, &seen(instance, OffsetDateTime::now_utc())).await
}

/// What EventBridge delivers of CloudTrail ("AWS service events delivered via CloudTrail").
fn seen(instance: &Instance, at: OffsetDateTime) -> Value {
    let (hour, minute, second) = at.to_hms();
    let time = format!("{}T{hour:02}:{minute:02}:{second:02}Z", at.date());
    let Instance { id, account, region, .. } = instance;
    json!({
        "version": "0",
        "id": "6f4d1c0e-8a8e-4b8e-8d43-2f6f7a5c9b01",
        "detail-type": "AWS API Call via CloudTrail",
        "source": "aws.connect",
        "account": account,
        "time": time,
        "region": region,
        "resources": [],
        "detail": {
            "eventVersion": "1.11",
            "userIdentity": {
                "type": "AssumedRole",
                "principalId": "AROAIDPPEZS35WEXAMPLE:sam",
                "arn": format!("arn:aws:sts::{account}:assumed-role/ConnectAdmin/sam"),
                "accountId": account,
            },
            "eventTime": time,
            "eventSource": "connect.amazonaws.com",
            "eventName": "UpdateAttachedFilesConfiguration",
            "awsRegion": region,
            "sourceIPAddress": "192.0.2.11",
            "requestParameters": {"InstanceId": id, "AttachmentScope": Scope::Chat.name()},
            "eventID": "0b9d6a55-3c8f-4b06-a0b9-64f1d7e1c702",
            "recipientAccountId": account,
        },
    })
}
