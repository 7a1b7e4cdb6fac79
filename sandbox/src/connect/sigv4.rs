//! The signer of a request, from its Signature Version 4 headers.
//!
//! The sandbox knows no secrets, so only the form of a signature is checked.

use hyper::HeaderMap;

use super::{caller::Caller, instance::DEFAULT_ACCOUNT, refusal::Refusal};

/// The only algorithm accepted.
///
/// IAM user guide, "Elements of an AWS API request signature".
const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// Reads the caller from the headers `authorization` and `x-amz-date`.
pub(super) fn caller(headers: &HeaderMap) -> Result<Caller, Refusal> {
    let Some(authorization) = headers.get("authorization") else {
        return Err(Refusal::missing_authentication_token());
    };
    let authorization =
        authorization.to_str().map_err(|_| incomplete("the Authorization header is not ASCII"))?;
    let Some(elements) = authorization.strip_prefix(ALGORITHM).and_then(|rest| rest.strip_prefix(' ')) else {
        return Err(incomplete(&format!("the Authorization header does not begin with `{ALGORITHM}`")));
    };
    let elements = Elements::read(elements)?;
    elements.check_signature()?;
    let date = headers.get("x-amz-date").and_then(|date| date.to_str().ok());
    let date = date.ok_or_else(|| incomplete("the request has no `X-Amz-Date` header"))?;
    if !has_shape(date, "00000000T000000Z") {
        return Err(incomplete(&format!("`{date}` is not a date of the form YYYYMMDDTHHMMSSZ")));
    }
    elements.caller(date)
}

/// The three elements after the algorithm, each once, in any order.
struct Elements<'header> {
    credential: &'header str,
    signed_headers: &'header str,
    signature: &'header str,
}

impl<'header> Elements<'header> {
    fn read(text: &'header str) -> Result<Self, Refusal> {
        let (mut credential, mut signed_headers, mut signature) = (None, None, None);
        for element in text.split(',') {
            let place = match element.trim().split_once('=') {
                Some(("Credential", value)) => credential.replace(value),
                Some(("SignedHeaders", value)) => signed_headers.replace(value),
                Some(("Signature", value)) => signature.replace(value),
                _ => {
                    return Err(incomplete(&format!(
                        "`{}` is not an element of a signature",
                        element.trim()
                    )));
                }
            };
            if place.is_some() {
                return Err(incomplete("an element of the signature is repeated"));
            }
        }
        let missing = |name| move || incomplete(&format!("the Authorization header has no `{name}`"));
        Ok(Self {
            credential: credential.ok_or_else(missing("Credential"))?,
            signed_headers: signed_headers.ok_or_else(missing("SignedHeaders"))?,
            signature: signature.ok_or_else(missing("Signature"))?,
        })
    }

    fn check_signature(&self) -> Result<(), Refusal> {
        let hexadecimal = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if self.signature.len() != 64 || !self.signature.bytes().all(hexadecimal) {
            return Err(incomplete("the Signature is not 64 hexadecimal digits in lower case"));
        }
        for required in ["host", "x-amz-date"] {
            if !self.signed_headers.split(';').any(|name| name == required) {
                return Err(incomplete(&format!("`{required}` is not one of the SignedHeaders")));
            }
        }
        Ok(())
    }

    fn caller(&self, date: &str) -> Result<Caller, Refusal> {
        let scope: Vec<&str> = self.credential.split('/').collect();
        let [key_id, day, region, service, "aws4_request"] = scope[..] else {
            return Err(incomplete(&format!(
                "the Credential `{}` is not of the form KEYID/YYYYMMDD/region/service/aws4_request",
                self.credential
            )));
        };
        let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if key_id.is_empty() || !key_id.bytes().all(word) || !has_shape(day, "00000000") || !is_region(region)
        {
            return Err(incomplete(&format!("the Credential `{}` is not well formed", self.credential)));
        }
        if service != "connect" {
            return Err(Refusal::invalid_signature(format!(
                "the Credential is scoped to the service `{service}`, not to `connect`"
            )));
        }
        if !date.starts_with(day) {
            return Err(Refusal::invalid_signature(format!(
                "the Credential is for the day `{day}`, but the request is dated `{date}`"
            )));
        }
        let account = account_of(key_id).unwrap_or_else(|| DEFAULT_ACCOUNT.to_owned());
        Ok(Caller { account, region: region.to_owned() })
    }
}

fn incomplete(message: &str) -> Refusal {
    Refusal::incomplete_signature(message.to_owned())
}

/// Whether the text has a digit where the pattern has `0`, and equals the pattern elsewhere.
fn has_shape(text: &str, pattern: &str) -> bool {
    let fits = |(byte, pattern): (u8, u8)| {
        if pattern == b'0' { byte.is_ascii_digit() } else { byte == pattern }
    };
    text.len() == pattern.len() && text.bytes().zip(pattern.bytes()).all(fits)
}

fn is_region(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !text.is_empty() && text.bytes().all(allowed)
}

/// The account an access key id belongs to.
///
/// After the four letters of its kind a key id is base32 (RFC 4648): one bit that is set, then the
/// account in 40 bits. Key ids issued before 2019 do not have the bit and do not hold an account.
/// AWS answers the question by `sts:GetAccessKeyInfo`; the encoding is public knowledge, not
/// documentation.
fn account_of(key_id: &str) -> Option<String> {
    let encoded = key_id.get(4..13)?;
    let mut bits: u64 = 0;
    for letter in encoded.bytes() {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'2'..=b'7' => letter - b'2' + 26,
            _ => return None,
        };
        bits = bits << 5 | u64::from(value);
    }
    // Nine letters are 45 bits: the set bit, 40 of the account, 4 of the rest.
    let account = (bits >> 4) & 0xff_ffff_ffff;
    (bits >> 44 == 1 && account <= 999_999_999_999).then(|| format!("{account:012}"))
}

#[cfg(test)]
mod tests;
