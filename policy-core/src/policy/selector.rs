//! Whole accounts and Regions as a document names them, and what `*` means there.

use super::instance::{RESOURCE, SERVICE, percent_decoded};
use super::{LaneName, Places, Rules};
use crate::aws::{AccountId, Partition, RegionName};
use std::collections::{BTreeMap, BTreeSet};

/// Every ACTIVE instance of an account and Region, or of every account, or in every Region:
/// `arn:{partition}:connect:{region}:{account}:instance/*`, in which Region and account may be `*`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Selector {
    /// The partition; that of the Region where one is named.
    pub(super) partition: Partition,
    /// Every one: those of `CONNECT_REGIONS` in the partition.
    pub(super) region: Pick<RegionName>,
    /// Every one: the own account and those that have a role.
    pub(super) account: Pick<AccountId>,
}

/// One of its kind, or `*`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Pick<T> {
    Every,
    One(T),
}

impl<T> Pick<T> {
    fn parse(text: &str, one: impl FnOnce(&str) -> Option<T>) -> Option<Self> {
        if text == "*" { Some(Self::Every) } else { one(text).map(Self::One) }
    }
}

impl Selector {
    /// `None` unless `text` is such an ARN, plain or percent-encoded, with a Region of its partition or `*`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let decoded = percent_decoded(text)?;
        let mut parts = decoded.strip_prefix("arn:")?.splitn(5, ':');
        let partition = Partition::parse(parts.next()?)?;
        parts.next().filter(|service| *service == SERVICE)?;
        let region = Pick::parse(parts.next()?, RegionName::parse)?;
        let account = Pick::parse(parts.next()?, AccountId::parse)?;
        parts.next()?.strip_prefix(RESOURCE).filter(|id| *id == "*")?;
        let fits = match &region {
            Pick::Every => true,
            Pick::One(region) => region.partition() == partition,
        };
        fits.then_some(Self { partition, region, account })
    }
}

/// Why a selector means nothing here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoPlace {
    /// Neither the own account nor one with a role.
    #[error("is in account {0}, for which CONNECT_ROLE_ARNS has no role")]
    NoRole(AccountId),
    /// A Region is asked for that the settings do not have.
    #[error("means every Region of CONNECT_REGIONS, and none of them is in partition `{0}`")]
    NoRegion(Partition),
    /// The function does not know in which account it runs.
    #[error("means every account, and this function does not know its own; name the account")]
    UnknownAccount,
}

/// The places that selectors mean together.
///
/// Accounts are kept by Region: a document may have tens of thousands of selectors, and each of them may mean every
/// account.
#[derive(Debug, Default)]
pub(super) struct Selected {
    selectors: BTreeSet<Selector>,
    regions: BTreeMap<RegionName, Accounts>,
}

#[derive(Debug, Default)]
struct Accounts {
    every: bool,
    single: BTreeSet<Option<AccountId>>,
}

impl Selected {
    /// Adds `"*"`: the function's own account and Region.
    pub(super) fn add_own(&mut self, rules: &Rules) {
        self.regions.entry(rules.home.region.clone()).or_default().single.insert(rules.home.account);
    }

    /// Adds what the selector means by these rules.
    ///
    /// # Errors
    /// It means nothing here.
    pub(super) fn add(&mut self, selector: Selector, rules: &Rules) -> Result<(), NoPlace> {
        match selector.account {
            Pick::One(account) if !rules.reaches_account(account) => return Err(NoPlace::NoRole(account)),
            Pick::Every if rules.home.account.is_none() => return Err(NoPlace::UnknownAccount),
            Pick::One(_) | Pick::Every => {}
        }
        if self.selectors.contains(&selector) {
            return Ok(());
        }
        let partition = selector.partition;
        let regions: Vec<RegionName> = match &selector.region {
            Pick::One(region) => vec![region.clone()],
            Pick::Every => rules.regions.iter().filter(|own| own.partition() == partition).cloned().collect(),
        };
        if regions.is_empty() {
            return Err(NoPlace::NoRegion(partition));
        }
        for region in regions {
            let accounts = self.regions.entry(region).or_default();
            match selector.account {
                Pick::One(account) => {
                    accounts.single.insert(Some(account));
                }
                Pick::Every => accounts.every = true,
            }
        }
        self.selectors.insert(selector);
        Ok(())
    }

    /// How many places there are.
    pub(super) fn count(&self, rules: &Rules) -> usize {
        let every = every_account(rules);
        let in_region = |accounts: &Accounts| {
            if !accounts.every {
                return accounts.single.len();
            }
            every.len() + accounts.single.difference(&every).count()
        };
        self.regions.values().map(in_region).sum()
    }

    /// The places; of more than `most`, that many and one more, so that nobody takes them for all.
    pub(super) fn into_places(self, rules: &Rules, most: usize) -> Places {
        let every = every_account(rules);
        let all = self.regions.iter().flat_map(|(region, accounts)| {
            let every = every.iter().filter(|_| accounts.every);
            let accounts = every.chain(&accounts.single).copied();
            accounts.map(|account| LaneName { account, region: region.clone() })
        });
        let mut lanes = BTreeSet::new();
        for lane in all {
            lanes.insert(lane);
            if lanes.len() > most {
                break;
            }
        }
        Places::of(lanes, &rules.home)
    }
}

/// The own account, and those that have a role.
fn every_account(rules: &Rules) -> BTreeSet<Option<AccountId>> {
    rules.role_accounts.iter().copied().map(Some).chain([rules.home.account]).collect()
}
