//! An Amazon Connect instance, and how it is named.

use std::{collections::BTreeMap, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// The account of instances and callers that name no other.
///
/// One of the account numbers AWS reserves for examples.
pub const DEFAULT_ACCOUNT: &str = "111122223333";

/// The state of an instance's creation.
///
/// The enumeration `InstanceStatus` of the service model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum InstanceStatus {
    /// In use.
    Active,
    /// Not yet usable.
    CreationInProgress,
    /// Never became usable.
    CreationFailed,
}

/// One instance, in one account and Region.
///
/// Its id is unique over all accounts and Regions of a sandbox, as AWS's ids are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Instance {
    /// A UUID in lower case.
    pub id: String,
    /// Twelve digits.
    pub account: String,
    /// For example `us-east-1`.
    pub region: String,
    /// The name in its access URL; 1 to 45 characters.
    pub alias: String,
    /// The state of its creation.
    pub status: InstanceStatus,
    /// At most 50 in AWS; not checked here.
    pub tags: BTreeMap<String, String>,
}

impl Instance {
    /// An instance for tests and demonstrations, made of a number.
    ///
    /// The same number always makes the same instance: active, in `us-east-1` of
    /// [`DEFAULT_ACCOUNT`], without tags.
    #[must_use]
    pub fn numbered(n: u32) -> Self {
        Self {
            id: format!("{n:08x}-0000-4000-8000-{n:012x}"),
            account: DEFAULT_ACCOUNT.to_owned(),
            region: "us-east-1".to_owned(),
            alias: format!("sandbox-{n}"),
            status: InstanceStatus::Active,
            tags: BTreeMap::new(),
        }
    }

    /// The instance's ARN, in the partition of its Region.
    #[must_use]
    pub fn arn(&self) -> String {
        let Self { id, account, region, .. } = self;
        format!("arn:{}:connect:{region}:{account}:instance/{id}", partition(region))
    }
}

/// The text was not the ARN of an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidInstanceArn(String);

impl fmt::Display for InvalidInstanceArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not the ARN of an Amazon Connect instance", self.0)
    }
}

impl std::error::Error for InvalidInstanceArn {}

impl FromStr for Instance {
    type Err = InvalidInstanceArn;

    /// The instance of this ARN: active, without tags, its alias made of the ARN's own parts.
    fn from_str(arn: &str) -> Result<Self, Self::Err> {
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        let instance = match parts[..] {
            ["arn", _, "connect", region, account, resource] => resource
                .strip_prefix("instance/")
                .filter(|id| is_id(id) && is_account(account))
                .map(|id| Self {
                    id: id.to_owned(),
                    account: account.to_owned(),
                    region: region.to_owned(),
                    alias: format!("{account}-{region}-{}", id.get(..8).unwrap_or(id)),
                    status: InstanceStatus::Active,
                    tags: BTreeMap::new(),
                }),
            _ => None,
        };
        instance
            // which also requires the Region's partition
            .filter(|instance| instance.arn() == arn)
            .ok_or_else(|| InvalidInstanceArn(arn.to_owned()))
    }
}

/// A UUID in lower case.
fn is_id(text: &str) -> bool {
    let lengths = text.split('-').map(str::len);
    lengths.eq([8, 4, 4, 4, 12]) && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b'-'))
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The partition a Region belongs to.
///
/// AWS General Reference, "Amazon Resource Names": `GovCloud` and China are partitions of their own.
#[must_use]
pub(super) fn partition(region: &str) -> &'static str {
    if region.starts_with("us-gov-") {
        "aws-us-gov"
    } else if region.starts_with("cn-") {
        "aws-cn"
    } else if region.starts_with("eusc-") {
        "aws-eusc"
    } else {
        "aws"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_numbered_instance_is_always_the_same() {
        let instance = Instance::numbered(31);
        assert_eq!(instance.id, "0000001f-0000-4000-8000-00000000001f");
        assert_eq!(
            instance.arn(),
            "arn:aws:connect:us-east-1:111122223333:instance/0000001f-0000-4000-8000-00000000001f"
        );
    }

    #[test]
    fn an_arn_is_of_the_partition_of_its_region() {
        let of = |region: &str| Instance { region: region.to_owned(), ..Instance::numbered(1) }.arn();
        assert!(of("us-gov-west-1").starts_with("arn:aws-us-gov:connect:us-gov-west-1:"));
        assert!(of("cn-north-1").starts_with("arn:aws-cn:connect:cn-north-1:"));
        assert!(of("eusc-de-east-1").starts_with("arn:aws-eusc:connect:eusc-de-east-1:"));
        assert!(of("eu-west-2").starts_with("arn:aws:connect:eu-west-2:"));
    }

    #[test]
    fn an_arn_makes_the_instance_it_names() {
        let arn = "arn:aws:connect:eu-west-2:444455556666:instance/0000001f-0000-4000-8000-00000000001f";
        let instance: Instance = arn.parse().unwrap();
        assert_eq!(instance.arn(), arn);
        assert_eq!(instance.alias, "444455556666-eu-west-2-0000001f");
        for wrong in [
            "0000001f-0000-4000-8000-00000000001f",
            "arn:aws:connect:eu-west-2:4444:instance/0000001f-0000-4000-8000-00000000001f",
            "arn:aws-us-gov:connect:eu-west-2:444455556666:instance/0000001f-0000-4000-8000-00000000001f",
            "arn:aws:connect:eu-west-2:444455556666:instance/0000001F-0000-4000-8000-00000000001F",
            "arn:aws:connect:eu-west-2:444455556666:instance/0000001f-0000-4000-8000-00000000001f/queue/x",
        ] {
            assert_eq!(wrong.parse::<Instance>(), Err(InvalidInstanceArn(wrong.to_owned())));
        }
    }
}
