//! The JSON documents Amazon Connect answers with.

use serde_json::{Value, json};
use time::OffsetDateTime;

use super::{configuration::Configuration, instance::Instance, refusal::Refusal, scope::Scope};

/// The creation time of every instance: 2024-01-01T00:00:00Z.
const CREATED: f64 = 1_704_067_200.0;

/// `AttachedFilesConfiguration`, also the whole answer to an update and one item of a list.
pub(super) fn configuration(id: &str, scope: Scope, configuration: &Configuration) -> Value {
    let extensions: Vec<Value> =
        configuration.extensions.iter().map(|text| json!({ "Extension": text })).collect();
    let mut document = json!({
        "InstanceId": id,
        "AttachmentScope": scope,
        "MaximumSizeLimitInBytes": configuration.maximum_size_limit_in_bytes,
        "ExtensionConfiguration": { "AllowedExtensions": extensions },
    });
    if let (Some(time), Some(members)) = (configuration.last_modified, document.as_object_mut()) {
        members.insert("LastModifiedTime".to_owned(), epoch_seconds(time).into());
    }
    document
}

/// `InstanceSummary`.
pub(super) fn instance(instance: &Instance) -> Value {
    let Instance { id, account, alias, status, .. } = instance;
    json!({
        "Id": id,
        "Arn": instance.arn(),
        "IdentityManagementType": "CONNECT_MANAGED",
        "InstanceAlias": alias,
        "CreatedTime": CREATED,
        "ServiceRole": format!(
            "arn:{}:iam::{account}:role/aws-service-role/connect.amazonaws.com/AWSServiceRoleForAmazonConnect",
            super::instance::partition(&instance.region)
        ),
        "InstanceStatus": status,
        "InboundCallsEnabled": true,
        "OutboundCallsEnabled": true,
        "InstanceAccessUrl": format!("https://{alias}.my.connect.aws"),
    })
}

/// `Instance`: its summary and its tags.
pub(super) fn instance_with_tags(described: &Instance) -> Value {
    let mut document = instance(described);
    if let Some(members) = document.as_object_mut() {
        members.insert("Tags".to_owned(), json!(described.tags));
    }
    document
}

/// One page of a list, under its member's name.
pub(super) fn page(member: &str, items: Vec<Value>, next: Option<String>) -> Value {
    let mut document = json!({});
    if let Some(members) = document.as_object_mut() {
        members.insert(member.to_owned(), items.into());
        members.extend(next.map(|next| ("NextToken".to_owned(), next.into())));
    }
    document
}

/// The body of an error.
pub(super) fn refusal(refusal: &Refusal) -> Value {
    json!({ "Message": refusal.message })
}

/// Drops what an answer cannot carry, so that the stored time and the answered one are equal.
pub(super) fn to_the_millisecond(time: OffsetDateTime) -> OffsetDateTime {
    time.replace_millisecond(time.millisecond()).unwrap_or(time)
}

/// A timestamp in a JSON body: seconds since 1970 with a fraction (Smithy, `epoch-seconds`).
fn epoch_seconds(time: OffsetDateTime) -> f64 {
    let millisecond = time.unix_timestamp_nanos() / 1_000_000;
    // Milliseconds stay below 2^53 until the year 287,396, so the number is exact.
    #[expect(clippy::cast_precision_loss, reason = "exact below 2^53")]
    let seconds = millisecond as f64 / 1000.0;
    seconds
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn a_time_is_seconds_with_a_fraction_of_milliseconds() {
        let time = to_the_millisecond(datetime!(2026-11-23 10:15:00.123456789 UTC));
        assert_eq!(time, datetime!(2026-11-23 10:15:00.123 UTC));
        assert_eq!(json!(epoch_seconds(time)).to_string(), "1795428900.123");
    }

    #[test]
    fn a_configuration_never_written_has_no_time() {
        let never = configuration("i", Scope::Case, &Configuration::default());
        assert_eq!(never["LastModifiedTime"], Value::Null);
        assert_eq!(never["AttachmentScope"], "CASE");
        assert_eq!(never["MaximumSizeLimitInBytes"], 20_971_520);
        assert_eq!(never["ExtensionConfiguration"]["AllowedExtensions"][17], json!({"Extension": "xlsx"}));
    }
}
