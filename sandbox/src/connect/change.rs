//! The body of an update.

use serde_json::{Map, Value};

use super::{
    configuration::{Configuration, LARGEST_SIZE, SMALLEST_SIZE},
    refusal::Refusal,
};

/// The longest extension of the service model, in characters.
const LONGEST_EXTENSION: usize = 10;

/// The values that an update sets; a value that it does not mention stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Change {
    size: Option<i64>,
    extensions: Option<Vec<String>>,
}

impl Change {
    /// Reads a body by the rules of the service model.
    ///
    /// An absent body is an empty one, a member that is `null` is absent, and a member that the
    /// model does not know is ignored (Smithy, "AWS restJson1 protocol"). A list may be empty: the model
    /// gives it no length.
    pub(super) fn read(body: &[u8]) -> Result<Self, Refusal> {
        if body.is_empty() {
            return Ok(Self { size: None, extensions: None });
        }
        let value: Value = serde_json::from_slice(body)
            .map_err(|error| invalid(format!("the body is not JSON: {error}")))?;
        let members = value.as_object().ok_or_else(|| invalid("the body is not a JSON object".to_owned()))?;
        Ok(Self {
            size: present(members, "MaximumSizeLimitInBytes").map(size).transpose()?,
            extensions: present(members, "ExtensionConfiguration").map(extensions).transpose()?,
        })
    }

    /// What a scope allows after this change.
    pub(super) fn apply(self, before: &Configuration) -> Configuration {
        Configuration {
            maximum_size_limit_in_bytes: self.size.unwrap_or(before.maximum_size_limit_in_bytes),
            extensions: self.extensions.unwrap_or_else(|| before.extensions.clone()),
            last_modified: before.last_modified,
        }
    }
}

fn invalid(message: String) -> Refusal {
    Refusal::invalid_parameter(message)
}

fn present<'body>(members: &'body Map<String, Value>, name: &str) -> Option<&'body Value> {
    members.get(name).filter(|value| !value.is_null())
}

fn size(value: &Value) -> Result<i64, Refusal> {
    value.as_i64().filter(|size| (SMALLEST_SIZE..=LARGEST_SIZE).contains(size)).ok_or_else(|| {
        invalid(format!(
            "MaximumSizeLimitInBytes must be an integer from {SMALLEST_SIZE} to {LARGEST_SIZE}, not `{value}`"
        ))
    })
}

fn extensions(value: &Value) -> Result<Vec<String>, Refusal> {
    let members =
        value.as_object().ok_or_else(|| invalid("ExtensionConfiguration is not an object".to_owned()))?;
    let list = present(members, "AllowedExtensions")
        .ok_or_else(|| invalid("ExtensionConfiguration has no AllowedExtensions".to_owned()))?;
    let list = list.as_array().ok_or_else(|| invalid("AllowedExtensions is not a list".to_owned()))?;
    list.iter().map(extension).collect()
}

fn extension(value: &Value) -> Result<String, Refusal> {
    let members = value
        .as_object()
        .ok_or_else(|| invalid(format!("an allowed extension must be an object, not `{value}`")))?;
    let extension = present(members, "Extension")
        .ok_or_else(|| invalid("an allowed extension has no Extension".to_owned()))?;
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    extension
        .as_str()
        .filter(|text| (1..=LONGEST_EXTENSION).contains(&text.len()) && text.bytes().all(allowed))
        .map(str::to_owned)
        .ok_or_else(|| {
            invalid(format!(
                "an Extension must have 1 to {LONGEST_EXTENSION} characters of [a-zA-Z0-9-_], not `{extension}`"
            ))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(size: Option<i64>, extensions: Option<&[&str]>) -> Change {
        Change { size, extensions: extensions.map(|list| list.iter().map(|&text| text.to_owned()).collect()) }
    }

    #[test]
    fn the_members_of_the_model_are_read() {
        let body = br#"{"MaximumSizeLimitInBytes": 104857600,
            "ExtensionConfiguration": {"AllowedExtensions": [{"Extension": "pdf"}, {"Extension": "A-Z_09"}]}}"#;
        assert_eq!(Change::read(body), Ok(change(Some(104_857_600), Some(&["pdf", "A-Z_09"]))));
    }

    #[test]
    fn an_absent_null_or_unknown_member_changes_nothing() {
        for body in [
            "",
            "{}",
            r#"{"MaximumSizeLimitInBytes": null, "ExtensionConfiguration": null}"#,
            r#"{"Other": 1}"#,
        ] {
            assert_eq!(Change::read(body.as_bytes()), Ok(change(None, None)), "{body}");
        }
    }

    #[test]
    fn an_empty_list_and_duplicates_are_within_the_model() {
        let read = |list| {
            let body = format!(r#"{{"ExtensionConfiguration": {{"AllowedExtensions": {list}}}}}"#);
            Change::read(body.as_bytes())
        };
        assert_eq!(read("[]"), Ok(change(None, Some(&[]))));
        assert_eq!(
            read(r#"[{"Extension": "pdf"}, {"Extension": "pdf"}]"#),
            Ok(change(None, Some(&["pdf", "pdf"])))
        );
    }

    #[test]
    fn a_value_outside_the_model_is_an_invalid_parameter() {
        let list = |list: &str| format!(r#"{{"ExtensionConfiguration": {{"AllowedExtensions": {list}}}}}"#);
        let size = |size: &str| format!(r#"{{"MaximumSizeLimitInBytes": {size}}}"#);
        for body in [
            "not json".to_owned(),
            "[]".to_owned(),
            "null".to_owned(),
            "\"text\"".to_owned(),
            size("0"),
            size("-1"),
            size("104857601"),
            size("9223372036854775808"),
            size("1.5"),
            size("1048576.0"),
            size("1e6"),
            size("\"1048576\""),
            size("true"),
            size("[]"),
            r#"{"ExtensionConfiguration": []}"#.to_owned(),
            r#"{"ExtensionConfiguration": {}}"#.to_owned(),
            list("null"),
            list("{}"),
            list("\"pdf\""),
            list("[\"pdf\"]"),
            list("[null]"),
            list("[{}]"),
            list(r#"[{"extension": "pdf"}]"#),
            list(r#"[{"Extension": 1}]"#),
            list(r#"[{"Extension": ""}]"#),
            list(r#"[{"Extension": ".pdf"}]"#),
            list(r#"[{"Extension": "tar.gz"}]"#),
            list(r#"[{"Extension": "pdf "}]"#),
            list(r#"[{"Extension": "pdé"}]"#),
            list(r#"[{"Extension": "12345678901"}]"#),
        ] {
            let refusal = Change::read(body.as_bytes()).unwrap_err();
            assert_eq!(
                (refusal.status.as_u16(), refusal.name),
                (400, Some("InvalidParameterException")),
                "{body}"
            );
        }
    }

    #[test]
    fn a_partial_change_keeps_the_rest() {
        let before = Configuration::default();
        let smaller = change(Some(5), None).apply(&before);
        assert_eq!((smaller.maximum_size_limit_in_bytes, &smaller.extensions), (5, &before.extensions));
        let fewer = change(None, Some(&["pdf"])).apply(&before);
        assert_eq!(
            (fewer.maximum_size_limit_in_bytes, fewer.extensions),
            (20_971_520, vec!["pdf".to_owned()])
        );
    }
}
