//! The function a request names: by name, partial ARN or ARN, with or without a qualifier.

use super::refusal::Refusal;
use std::collections::BTreeMap;

const ACCOUNT: &str = "111122223333";
const REGION: &str = "us-east-1";
/// The only version of each function.
const LATEST: &str = "$LATEST";

/// Finds the function that a request names.
///
/// The forms are those of `FunctionName` on the page "Invoke": `my-function`,
/// `arn:aws:lambda:…:function:my-function`, `123456789012:function:my-function`, each with a
/// version appended or as a parameter.
pub(super) fn find<'functions, T>(
    text: &str,
    qualifier: Option<&str>,
    functions: &'functions BTreeMap<String, T>,
) -> Result<&'functions T, Refusal> {
    let forms = [format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:"), format!("{ACCOUNT}:function:")];
    let named = forms.iter().find_map(|form| text.strip_prefix(form.as_str())).unwrap_or(text);
    let (name, appended) = match named.split_once(':') {
        Some((name, version)) => (name, Some(version)),
        None => (named, None),
    };
    let arn = |name: &str| format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}");
    let Some(function) = functions.get(name) else {
        let named = text.rsplit_once(":function:").map_or(text, |(_, name)| name);
        return Err(Refusal::not_found(&arn(named)));
    };
    match [appended, qualifier].into_iter().flatten().find(|version| *version != LATEST) {
        Some(version) => Err(Refusal::not_found(&format!("{}:{version}", arn(name)))),
        None => Ok(function),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:lambda:us-east-1:111122223333:function:connect-attachment-policy";

    fn functions() -> BTreeMap<String, u32> {
        BTreeMap::from([
            ("connect-attachment-policy".to_owned(), 1),
            ("connect-attachment-policy-worker".to_owned(), 2),
        ])
    }

    fn check(name: &str, qualifier: Option<&str>) -> Result<u32, Refusal> {
        find(name, qualifier, &functions()).copied()
    }

    #[test]
    fn every_form_of_a_name_means_the_one_function() {
        for (end, number) in [("", 1), ("-worker", 2)] {
            for name in [
                format!("connect-attachment-policy{end}"),
                format!("connect-attachment-policy{end}:$LATEST"),
                format!("111122223333:function:connect-attachment-policy{end}"),
                format!("{ARN}{end}"),
            ] {
                assert_eq!(check(&name, None), Ok(number), "{name}");
                assert_eq!(check(&name, Some("$LATEST")), Ok(number), "{name}");
            }
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
