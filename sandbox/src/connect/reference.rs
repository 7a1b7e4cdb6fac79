//! An instance as a request names it: by id or by ARN.

use percent_encoding::percent_decode_str;

use super::{caller::Caller, instance::partition, refusal::Refusal};

/// The longest `InstanceId` of the service model, in characters.
const LONGEST: usize = 100;

/// Decodes a label of a path, once.
///
/// RFC 3986, section 2.4: decoding twice would make `%2541` and `%41` the same.
pub(super) fn decode(label: &str) -> Result<String, Refusal> {
    percent_decode_str(label)
        .decode_utf8()
        .map(std::borrow::Cow::into_owned)
        .map_err(|_| Refusal::invalid_parameter(format!("`{label}` is not percent-encoded UTF-8")))
}

/// The id in a label, for the journal, even if the rest of the label is invalid.
pub(super) fn id_in(label: &str) -> String {
    let text = percent_decode_str(label).decode_utf8_lossy();
    text.rsplit_once("instance/").map_or_else(|| text.clone().into_owned(), |(_, id)| id.to_owned())
}

/// Reads the member `InstanceId`: an instance id, or an instance ARN.
pub(super) fn instance_id(text: &str, caller: &Caller) -> Result<String, Refusal> {
    if text.is_empty() || text.chars().count() > LONGEST {
        return Err(Refusal::invalid_parameter(format!(
            "an InstanceId must have 1 to {LONGEST} characters, not `{text}`"
        )));
    }
    if text.starts_with("arn:") { instance_of_arn(text, caller) } else { Ok(text.to_owned()) }
}

/// Reads an instance ARN, which must be in the caller's account and Region.
///
/// A resource of another kind is not served here, so it does not exist.
fn instance_of_arn(arn: &str, caller: &Caller) -> Result<String, Refusal> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let ["arn", of_partition, "connect", region, account, resource] = parts[..] else {
        return Err(Refusal::invalid_parameter(format!(
            "`{arn}` is not the ARN of an Amazon Connect resource"
        )));
    };
    if of_partition != partition(&caller.region) || region != caller.region || account != caller.account {
        return Err(Refusal::invalid_parameter(format!(
            "`{arn}` is not in the account {} and the Region {}, for which the request is signed",
            caller.account, caller.region
        )));
    }
    match resource.strip_prefix("instance/") {
        Some(id) if !id.is_empty() && !id.contains('/') => Ok(id.to_owned()),
        _ => Err(Refusal::not_found(format!("there is no resource `{arn}`"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "00000001-0000-4000-8000-000000000001";

    fn read(text: &str) -> Result<String, Option<&'static str>> {
        let caller = Caller { account: "111122223333".to_owned(), region: "us-east-1".to_owned() };
        instance_id(text, &caller).map_err(|refusal| refusal.name)
    }

    #[test]
    fn an_id_and_an_arn_name_the_same_instance() {
        assert_eq!(read(ID), Ok(ID.to_owned()));
        assert_eq!(read(&format!("arn:aws:connect:us-east-1:111122223333:instance/{ID}")), Ok(ID.to_owned()));
    }

    #[test]
    fn an_arn_of_another_account_region_partition_or_service_is_an_invalid_parameter() {
        for arn in [
            "arn:aws:connect:us-east-1:444455556666:instance/i",
            "arn:aws:connect:us-west-2:111122223333:instance/i",
            "arn:aws-cn:connect:us-east-1:111122223333:instance/i",
            "arn:aws:s3:us-east-1:111122223333:instance/i",
            "arn:aws:connect:us-east-1:instance/i",
        ] {
            assert_eq!(read(arn), Err(Some("InvalidParameterException")), "{arn}");
        }
    }

    #[test]
    fn an_arn_of_another_kind_of_resource_is_not_found() {
        for arn in [
            "arn:aws:connect:us-east-1:111122223333:instance/",
            "arn:aws:connect:us-east-1:111122223333:instance/i/queue/q",
            "arn:aws:connect:us-east-1:111122223333:phone-number/p",
        ] {
            assert_eq!(read(arn), Err(Some("ResourceNotFoundException")), "{arn}");
        }
    }

    #[test]
    fn an_id_of_more_than_100_characters_is_an_invalid_parameter() {
        assert_eq!(read(&"i".repeat(100)), Ok("i".repeat(100)));
        assert_eq!(read(&"i".repeat(101)), Err(Some("InvalidParameterException")));
    }

    #[test]
    fn a_label_is_decoded_once() {
        assert_eq!(decode("a%2Fb%2541").as_deref(), Ok("a/b%41"));
        assert_eq!(decode("%ff").unwrap_err().name, Some("InvalidParameterException"));
    }

    #[test]
    fn the_journal_gets_the_id_even_of_a_refused_arn() {
        assert_eq!(id_in(&format!("arn%3Aaws%3Aconnect%3Ax%3A1%3Ainstance%2F{ID}")), ID);
        assert_eq!(id_in(ID), ID);
    }
}
