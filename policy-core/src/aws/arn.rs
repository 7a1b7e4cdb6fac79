use super::{AccountId, Partition, RegionName};
use std::fmt;

/// An Amazon Resource Name: `arn:{partition}:{service}:{region}:{account}:{resource}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arn<'a> {
    /// The partition; that of the Region where there is one.
    pub partition: Partition,
    /// The service's namespace, such as `connect`.
    pub service: &'a str,
    /// Global services such as IAM have none.
    pub region: Option<RegionName>,
    /// A few services, such as S3, leave it out.
    pub account: Option<AccountId>,
    /// Everything after the account, such as `instance/{id}`; its form is the service's.
    pub resource: &'a str,
}

impl<'a> Arn<'a> {
    /// `None` unless `text` is an ARN of a known partition, with a Region of that partition or none, and with
    /// an account or none.
    pub fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.strip_prefix("arn:")?.splitn(5, ':');
        let partition = Partition::parse(parts.next()?)?;
        let service = parts.next().filter(|service| !service.is_empty())?;
        let (region_text, account_text) = (parts.next()?, parts.next()?);
        let resource = parts.next().filter(|resource| !resource.is_empty())?;
        let (region, account) = (RegionName::parse(region_text), AccountId::parse(account_text));
        // both may be absent, and are empty then
        let fits = (region.is_some() || region_text.is_empty())
            && (account.is_some() || account_text.is_empty())
            && region.as_ref().is_none_or(|region| region.partition() == partition);
        fits.then_some(Self { partition, service, region, account, resource })
    }
}

impl fmt::Display for Arn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { partition, service, region, account, resource } = self;
        let region = region.as_ref().map_or("", RegionName::as_str);
        let account = account.as_ref().map_or("", AccountId::as_str);
        write!(f, "arn:{partition}:{service}:{region}:{account}:{resource}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_has_its_parts_and_prints_as_it_was_written() {
        for text in [
            "arn:aws:lambda:eu-central-1:111122223333:function:attachment-policy:live",
            "arn:aws:iam::111122223333:role/path/name",
            "arn:aws-eusc:sqs:eusc-de-east-1:111122223333:changes.fifo",
            "arn:aws-cn:connect:cn-north-1:111122223333:instance/x",
            "arn:aws:s3:::bucket/key",
        ] {
            assert_eq!(Arn::parse(text).map(|arn| arn.to_string()).as_deref(), Some(text));
        }
        let arn = Arn::parse("arn:aws:lambda:eu-central-1:111122223333:function:name:live").unwrap();
        assert_eq!(
            (arn.partition, arn.service, arn.resource),
            (Partition::Aws, "lambda", "function:name:live")
        );
        assert_eq!(
            (arn.region, arn.account),
            (RegionName::parse("eu-central-1"), AccountId::parse("111122223333"))
        );
    }

    #[test]
    fn text_with_a_wrong_or_missing_part_is_not_an_arn() {
        for bad in [
            "",
            "function-arn",
            "arn",
            "ARN:aws:iam::111122223333:role/x",
            "arn:aws:iam::111122223333",
            "arn:aws:iam::111122223333:",
            "arn:aws:::111122223333:x",
            "arn:aws-iso:sqs:us-iso-east-1:111122223333:x",
            "arn:aws:sqs:cn-north-1:111122223333:x",
            "arn:aws-cn:sqs:us-east-1:111122223333:x",
            "arn:aws:sqs:us-east-1.example:111122223333:x",
            "arn:aws:sqs:us-east-1:11112222333:x",
        ] {
            assert_eq!(Arn::parse(bad), None, "{bad}");
        }
    }
}
