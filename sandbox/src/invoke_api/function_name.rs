//! The function a request names: by name, partial ARN or ARN, with or without a qualifier.

use super::refusal::Refusal;

/// As in the function's environment ([`Launch::new`](crate::lambda::Launch::new)).
const NAME: &str = "connect-attachment-policy";
const ACCOUNT: &str = "111122223333";
const REGION: &str = "us-east-1";
/// The only version.
const LATEST: &str = "$LATEST";

/// Refuses a name that is not the one function's.
///
/// The forms are those of `FunctionName` on the page "Invoke": `my-function`,
/// `arn:aws:lambda:…:function:my-function`, `123456789012:function:my-function`, each with a
/// version appended or as a parameter.
pub(super) fn check(text: &str, qualifier: Option<&str>) -> Result<(), Refusal> {
    let arn = format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:{NAME}");
    let partial = format!("{ACCOUNT}:function:{NAME}");
    let appended = [arn.as_str(), &partial, NAME]
        .into_iter()
        .find_map(|form| text.strip_prefix(form))
        .filter(|rest| rest.is_empty() || rest.starts_with(':'));
    let Some(appended) = appended else {
        let named = text.rsplit_once(":function:").map_or(text, |(_, name)| name);
        return Err(Refusal::not_found(&format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:{named}")));
    };
    let versions = [appended.strip_prefix(':'), qualifier];
    match versions.into_iter().flatten().find(|version| *version != LATEST) {
        Some(version) => Err(Refusal::not_found(&format!("{arn}:{version}"))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:lambda:us-east-1:111122223333:function:connect-attachment-policy";

    #[test]
    fn every_form_of_a_name_means_the_one_function() {
        for name in [
            "connect-attachment-policy",
            "connect-attachment-policy:$LATEST",
            "111122223333:function:connect-attachment-policy",
            ARN,
        ] {
            assert_eq!(check(name, None), Ok(()), "{name}");
            assert_eq!(check(name, Some("$LATEST")), Ok(()), "{name}");
        }
    }

    #[test]
    fn another_name_account_or_version_is_not_found_and_named() {
        let not_found = |arn: String| Err(Refusal::not_found(&arn));
        let other = "arn:aws:lambda:us-east-1:111122223333:function:other";
        assert_eq!(check("other", None), not_found(other.to_owned()));
        assert_eq!(check("444455556666:function:other", None), not_found(other.to_owned()));
        assert_eq!(check("connect-attachment-policy-2", None), not_found(format!("{ARN}-2")));
        assert_eq!(check(ARN, Some("7")), not_found(format!("{ARN}:7")));
        assert_eq!(check(&format!("{ARN}:live"), None), not_found(format!("{ARN}:live")));
    }
}
