use serde::{Serialize, Serializer};
use std::fmt;
use std::sync::Arc;

/// A Region's name, such as `eu-central-1`. It becomes part of host names, so nothing else may pass for one.
///
/// Every instance has one: a clone shares the text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RegionName(Arc<str>);

impl RegionName {
    /// `None` unless `text` is at least two words of `a-z` and a number, joined by hyphens.
    pub fn parse(text: &str) -> Option<Self> {
        let (words, number) = text.rsplit_once('-')?;
        let is_number = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
        let is_word = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase());
        let fits = is_number && words.contains('-') && words.split('-').all(is_word);
        fits.then(|| Self(text.into()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The partition that the Region belongs to.
    pub fn partition(&self) -> Partition {
        let of = |prefix| self.0.starts_with(prefix);
        if of("us-gov-") {
            Partition::AwsUsGov
        } else if of("cn-") {
            Partition::AwsCn
        } else if of("eusc-") {
            Partition::AwsEusc
        } else {
            Partition::Aws
        }
    }
}

impl fmt::Display for RegionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for RegionName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

crate::stable_names! {
    /// A partition of AWS, as ARNs name it.
    ///
    /// The partitions that anybody can have an account in. The isolated ones (`aws-iso…`) are not known here.
    pub enum Partition {
        /// The commercial Regions.
        Aws = "aws",
        /// China.
        AwsCn = "aws-cn",
        /// `GovCloud` (US).
        AwsUsGov = "aws-us-gov",
        /// The AWS European Sovereign Cloud.
        AwsEusc = "aws-eusc",
    }
}

impl Partition {
    /// `None` unless `name` is a known partition's.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|partition| partition.name() == name)
    }

    /// The domain of the partition's endpoints (`dnsSuffix` in the AWS SDKs' partitions.json).
    pub const fn dns_suffix(self) -> &'static str {
        match self {
            Self::Aws | Self::AwsUsGov => "amazonaws.com",
            Self::AwsCn => "amazonaws.com.cn",
            Self::AwsEusc => "amazonaws.eu",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_has_a_partition_and_a_domain() {
        for (region, partition, suffix) in [
            ("eu-central-1", "aws", "amazonaws.com"),
            ("us-gov-west-1", "aws-us-gov", "amazonaws.com"),
            ("cn-northwest-1", "aws-cn", "amazonaws.com.cn"),
            ("eusc-de-east-1", "aws-eusc", "amazonaws.eu"),
            ("ap-southeast-12", "aws", "amazonaws.com"),
        ] {
            let name = RegionName::parse(region).unwrap();
            assert_eq!(name.as_str(), region);
            assert_eq!((name.partition().name(), name.partition().dns_suffix()), (partition, suffix));
            assert_eq!(Partition::parse(partition), Some(name.partition()));
        }
        assert_eq!(Partition::parse("aws-iso"), None);
    }

    #[test]
    fn text_that_could_change_the_host_name_is_not_a_region() {
        for bad in [
            "",
            "-",
            "eu-1",
            "eu--1",
            "-eu-central-1",
            "eu-Central-1",
            "eu-central-",
            "eu-central",
            "eu-central-1.evil.example",
            "eu-central-1/",
            "eu-central-1-",
            "eu-central-１",
            "eu-c3ntral-1",
            " eu-central-1",
        ] {
            assert_eq!(RegionName::parse(bad), None, "{bad}");
        }
    }
}
