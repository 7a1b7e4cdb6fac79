//! An Amazon Connect instance, and how it is named.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The account whatever cannot say otherwise belongs to.
///
/// One of the account numbers AWS reserves for examples.
pub const DEFAULT_ACCOUNT: &str = "111122223333";

/// How far an instance's creation has come.
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
    /// How far its creation has come.
    pub status: InstanceStatus,
    /// At most 50 in AWS; not checked here.
    pub tags: BTreeMap<String, String>,
}

impl Instance {
    /// The instance a test or a newcomer gets when only a number matters.
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
        let Self {
            id, account, region, ..
        } = self;
        format!(
            "arn:{}:connect:{region}:{account}:instance/{id}",
            partition(region)
        )
    }
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
        let of = |region: &str| {
            Instance {
                region: region.to_owned(),
                ..Instance::numbered(1)
            }
            .arn()
        };
        assert!(of("us-gov-west-1").starts_with("arn:aws-us-gov:connect:us-gov-west-1:"));
        assert!(of("cn-north-1").starts_with("arn:aws-cn:connect:cn-north-1:"));
        assert!(of("eu-west-2").starts_with("arn:aws:connect:eu-west-2:"));
    }
}
