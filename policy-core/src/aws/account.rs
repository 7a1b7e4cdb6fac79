use serde::{Serialize, Serializer};
use std::fmt;

/// An AWS account's id: twelve digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId([u8; 12]);

impl AccountId {
    /// `None` unless `text` is twelve digits.
    pub fn parse(text: &str) -> Option<Self> {
        let digits: [u8; 12] = text.as_bytes().try_into().ok()?;
        digits.iter().all(u8::is_ascii_digit).then_some(Self(digits))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        // only digits, so always UTF-8
        str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AccountId({self})")
    }
}

impl Serialize for AccountId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_twelve_digits() {
        let account = AccountId::parse("000111122223").unwrap();
        assert_eq!((account.as_str(), account.to_string().as_str()), ("000111122223", "000111122223"));
        for bad in
            ["", "11112222333", "1111222233334", "11112222333a", "１１１１", " 11112222333", "+11112222333"]
        {
            assert_eq!(AccountId::parse(bad), None, "{bad}");
        }
    }
}
