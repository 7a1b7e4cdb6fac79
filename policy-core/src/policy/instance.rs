use crate::aws::{AccountId, Arn, RegionName};
use serde::Serialize;
use std::borrow::Cow;
use std::fmt;

/// An Amazon Connect instance id: a UUID in lower case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct InstanceId(String);

impl InstanceId {
    /// `None` unless `id` is a UUID in its canonical grouping (RFC 9562 section 4), in any case.
    pub fn parse(id: &str) -> Option<Self> {
        let grouped = id.len() == 36
            && id.bytes().enumerate().all(|(at, byte)| match at {
                8 | 13 | 18 | 23 => byte == b'-',
                _ => byte.is_ascii_hexdigit(),
            });
        grouped.then(|| Self(id.to_ascii_lowercase()))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for InstanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The service of an instance's ARN.
pub(super) const SERVICE: &str = "connect";
/// What comes before the id in an instance's ARN.
pub(super) const RESOURCE: &str = "instance/";

/// An instance and where it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instance {
    /// Its id.
    pub id: InstanceId,
    /// Its Region: picks the endpoint.
    pub region: RegionName,
    /// Its account; unknown only where the function itself does not know its own.
    pub account: Option<AccountId>,
}

impl Instance {
    /// The instance's ARN, where its account is known.
    pub fn arn(&self) -> Option<String> {
        let account = self.account.as_ref()?;
        let (partition, region) = (self.region.partition().name(), self.region.as_str());
        let (account, id) = (account.as_str(), self.id.as_str());
        // one allocation, because a report has an ARN for each target
        Some(["arn:", partition, ":", SERVICE, ":", region, ":", account, ":", RESOURCE, id].concat())
    }
}

/// The account and Region this function runs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    /// `AWS_REGION`.
    pub region: RegionName,
    /// From the invoked function's ARN; unknown outside Lambda.
    pub account: Option<AccountId>,
}

impl Home {
    /// The instance that a name means here.
    pub fn complete(&self, name: &InstanceName) -> Instance {
        match name {
            InstanceName::Arn(instance) => instance.clone(),
            InstanceName::Id(id) => self.instance(id.clone()),
        }
    }

    /// The instance of this account and Region with that id.
    pub fn instance(&self, id: InstanceId) -> Instance {
        Instance { id, region: self.region.clone(), account: self.account }
    }
}

/// One instance as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InstanceName {
    /// A bare id: of the function's own account and Region.
    Id(InstanceId),
    /// An ARN, plain or percent-encoded.
    Arn(Instance),
}

impl InstanceName {
    /// `None` unless `text` is an id, an instance ARN, or a percent-encoded ARN.
    pub fn parse(text: &str) -> Option<Self> {
        let decoded = percent_decoded(text)?;
        if let Some(id) = InstanceId::parse(&decoded) {
            return Some(Self::Id(id));
        }
        let arn = Arn::parse(&decoded).filter(|arn| arn.service == SERVICE)?;
        let id = InstanceId::parse(arn.resource.strip_prefix(RESOURCE)?)?;
        Some(Self::Arn(Instance { id, region: arn.region?, account: Some(arn.account?) }))
    }
}

/// Percent-decoding, once (RFC 3986 section 2.1). `None`: a broken escape or not UTF-8.
pub fn percent_decoded(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('%') {
        return Some(Cow::Borrowed(text));
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let mut digit = || char::from(bytes.next()?).to_digit(16);
            let (high, low) = (digit()?, digit()?);
            decoded.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            decoded.push(byte);
        }
    }
    String::from_utf8(decoded).ok().map(Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0123abcd-0000-4000-8000-00000000000f";

    #[test]
    fn an_id_an_arn_and_an_encoded_arn_name_the_same_instance() {
        let arn = format!("arn:aws:connect:eu-central-1:111122223333:instance/{ID}");
        let encoded = arn.replace(':', "%3A").replace('/', "%2f");
        let parsed = InstanceName::parse(&arn);
        assert_eq!(parsed, InstanceName::parse(&encoded));
        let Some(InstanceName::Arn(instance)) = parsed else { panic!("not an ARN: {parsed:?}") };
        assert_eq!((instance.id.as_str(), instance.region.as_str()), (ID, "eu-central-1"));
        assert_eq!(instance.arn(), Some(arn));
        assert_eq!(InstanceName::parse(&ID.to_uppercase()), InstanceId::parse(ID).map(InstanceName::Id));
    }

    #[test]
    fn an_instance_may_be_in_every_partition() {
        for (partition, region) in [
            ("aws", "us-east-1"),
            ("aws-cn", "cn-north-1"),
            ("aws-us-gov", "us-gov-west-1"),
            ("aws-eusc", "eusc-de-east-1"),
        ] {
            let arn = format!("arn:{partition}:connect:{region}:111122223333:instance/{ID}");
            let Some(InstanceName::Arn(instance)) = InstanceName::parse(&arn) else { panic!("{arn}") };
            assert_eq!((instance.region.as_str(), instance.arn()), (region, Some(arn)));
        }
    }

    #[test]
    fn other_text_is_not_an_instance() {
        for bad in [
            "",
            "0123abcd",
            &format!("{{{ID}}}"),
            &format!("{ID}/x"),
            &format!("arn:aws:connect:eu-central-1:111122223333:instance/{ID}/contact-flow/{ID}"),
            &format!("arn:aws:lambda:eu-central-1:111122223333:instance/{ID}"),
            &format!("arn:aws-cn:connect:eu-central-1:111122223333:instance/{ID}"),
            &format!("arn:aws:connect:eu-central-1.evil.example:111122223333:instance/{ID}"),
            &format!("arn:aws:connect:eu-central-1:11112222333:instance/{ID}"),
            &format!("arn%3Aaws%3Aconnect%3Aeu-central-1%3A111122223333%3Ainstance%252F{ID}"),
            "arn:aws:connect:eu-central-1:111122223333:instance/*",
            &format!("arn:aws:connect:eusc-de-east-1:111122223333:instance/{ID}"),
            &format!("arn:aws:connect::111122223333:instance/{ID}"),
            &format!("arn:aws:connect:eu-central-1::instance/{ID}"),
            &format!("arn:aws:connect:eu-1:111122223333:instance/{ID}"),
            &format!("arn:aws:connect:eu--1:111122223333:instance/{ID}"),
            &format!("arn:aws:connect:eu-Central-1:111122223333:instance/{ID}"),
            &format!("arn:aws:connect:eu-central-:111122223333:instance/{ID}"),
            &format!("arn:aws:connect:eu-central-1:11112222333a:instance/{ID}"),
            "*",
            "%zz",
            "%4",
        ] {
            assert_eq!(InstanceName::parse(bad), None, "{bad}");
        }
    }
}
