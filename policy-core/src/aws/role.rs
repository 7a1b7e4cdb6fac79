use super::{AccountId, Arn};
use std::fmt;

/// The ARN of an IAM role.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoleArn {
    account: AccountId,
    text: String,
}

impl RoleArn {
    /// `None` unless `text` is a role's ARN: `arn:{partition}:iam::{account}:role/{path and name}`.
    pub fn parse(text: &str) -> Option<Self> {
        let arn = Arn::parse(text).filter(|arn| arn.service == "iam" && arn.region.is_none())?;
        arn.resource.strip_prefix("role/").filter(|name| !name.is_empty())?;
        Some(Self { account: arn.account?, text: text.to_owned() })
    }

    /// The account that has the role.
    pub const fn account(&self) -> AccountId {
        self.account
    }

    /// The ARN as text.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for RoleArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_of_an_account_in_any_partition() {
        for text in ["arn:aws:iam::111122223333:role/a/b", "arn:aws-eusc:iam::111122223333:role/a"] {
            let role = RoleArn::parse(text).unwrap();
            assert_eq!((role.account().as_str(), role.as_str()), ("111122223333", text));
        }
        for bad in [
            "arn:aws:iam::111122223333:user/a",
            "arn:aws:iam::111122223333:role/",
            "arn:aws:iam:::role/a",
            "arn:aws:iam:us-east-1:111122223333:role/a",
            "arn:aws:sts::111122223333:role/a",
            "role/a",
        ] {
            assert_eq!(RoleArn::parse(bad), None, "{bad}");
        }
    }
}
