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

/// An instance and where it lives.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instance {
    /// Its id.
    pub id: InstanceId,
    /// Its Region: picks the endpoint.
    pub region: String,
    /// Its account; unknown only where the function itself does not know its own.
    pub account: Option<String>,
}

impl Instance {
    /// The instance's ARN, where its account is known.
    pub fn arn(&self) -> Option<String> {
        let account = self.account.as_ref()?;
        let (partition, region, id) = (partition(&self.region), &self.region, &self.id);
        Some(format!("arn:{partition}:connect:{region}:{account}:instance/{id}"))
    }
}

/// The account and Region this function runs in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Home {
    /// `AWS_REGION`.
    pub region: String,
    /// From the invoked function's ARN; unknown outside Lambda.
    pub account: Option<String>,
}

impl Home {
    /// The instance a name names, seen from here.
    pub fn complete(&self, name: &InstanceName) -> Instance {
        match name {
            InstanceName::Arn(instance) => instance.clone(),
            InstanceName::Id(id) => self.instance(id.clone()),
        }
    }

    /// The instance of this account and Region with that id.
    pub fn instance(&self, id: InstanceId) -> Instance {
        Instance { id, region: self.region.clone(), account: self.account.clone() }
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
        let mut parts = decoded.splitn(6, ':');
        let mut next = || parts.next();
        let (
            Some("arn"),
            Some(written_partition),
            Some("connect"),
            Some(region),
            Some(account),
            Some(resource),
        ) = (next(), next(), next(), next(), next(), next())
        else {
            return None;
        };
        let id = InstanceId::parse(resource.strip_prefix("instance/")?)?;
        let fits = is_region(region) && is_account(account) && written_partition == partition(region);
        fits.then(|| Self::Arn(Instance { id, region: region.to_owned(), account: Some(account.to_owned()) }))
    }
}

/// The partition of a Region, as its name tells.
fn partition(region: &str) -> &'static str {
    if region.starts_with("us-gov-") {
        "aws-us-gov"
    } else if region.starts_with("cn-") {
        "aws-cn"
    } else {
        "aws"
    }
}

/// `eu-central-1`: lower-case words and a number, joined by hyphens. It becomes part of a host name.
fn is_region(text: &str) -> bool {
    let mut words = text.rsplit('-');
    let number = words.next().is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
    let words: Vec<_> = words.collect();
    number
        && words.len() >= 2
        && words.iter().all(|w| !w.is_empty() && w.bytes().all(|b| b.is_ascii_lowercase()))
}

/// Twelve digits.
pub fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
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
    fn what_is_no_instance_is_none() {
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
