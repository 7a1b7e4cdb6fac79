//! An account and Region: what shares one quota and one message group.

use super::instance::{RESOURCE, SERVICE};
use super::{Home, Instance, InstanceId};
use crate::aws::{AccountId, RegionName};
use std::cmp::Ordering;
use std::fmt;

/// An account and Region, which share one quota and one message group: `{account}/{region}`, and `self` for an unknown
/// own account. Ordered as its text, as the table orders its items.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LaneName {
    /// The account; `None` where the function does not know its own.
    pub account: Option<AccountId>,
    /// The Region.
    pub region: RegionName,
}

/// The account's name where it is unknown.
const OWN: &str = "self";

impl LaneName {
    /// The lane of an instance.
    pub fn of(instance: &Instance) -> Self {
        Self { account: instance.account, region: instance.region.clone() }
    }

    /// The function's own.
    pub fn home(home: &Home) -> Self {
        Self { account: home.account, region: home.region.clone() }
    }

    /// An instance in it.
    pub fn instance(&self, id: InstanceId) -> Instance {
        Instance { id, region: self.region.clone(), account: self.account }
    }

    /// The ARN that stands for every instance in it, where the account is known.
    pub fn every_instance(&self) -> Option<String> {
        let account = self.account.as_ref()?;
        Some(format!("arn:{}:{SERVICE}:{}:{account}:{RESOURCE}*", self.region.partition(), self.region))
    }

    /// The account in the text.
    fn account_name(&self) -> &str {
        self.account.as_ref().map_or(OWN, AccountId::as_str)
    }

    /// From its text.
    pub fn parse(text: &str) -> Option<Self> {
        let (account, region) = text.split_once('/')?;
        let account = if account == OWN { None } else { Some(AccountId::parse(account)?) };
        Some(Self { account, region: RegionName::parse(region)? })
    }
}

impl fmt::Display for LaneName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.account_name(), self.region)
    }
}

impl Ord for LaneName {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.account_name(), self.region.as_str()).cmp(&(other.account_name(), other.region.as_str()))
    }
}

impl PartialOrd for LaneName {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
