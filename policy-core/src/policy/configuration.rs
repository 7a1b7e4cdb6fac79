use super::{ExtensionSet, MaxSize, Values};
use serde::Serialize;
use std::collections::BTreeSet;

/// What Connect reports for a target: the `before` and `after` of a report.
///
/// Extensions are as Connect spells them, sorted, because AWS does not document whether their
/// case matters: a change is due wherever the spelling differs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Configuration {
    /// The effective limit in bytes, custom or default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maximum_size_limit_in_bytes: Option<i64>,
    /// The effective list, custom or default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_extensions: Option<BTreeSet<String>>,
}

impl Configuration {
    /// Whether these values would change anything, spelling included. It makes no copy, because it runs for every
    /// target.
    pub fn would_change(&self, values: &Values) -> bool {
        let size = values.max_size.map(|size| i64::from(size.bytes()));
        let list = values.extensions.as_ref();
        let holds_list = |asked: &ExtensionSet| {
            self.allowed_extensions
                .as_ref()
                .is_some_and(|held| asked.iter().eq(held.iter().map(String::as_str)))
        };
        size.is_some_and(|size| self.maximum_size_limit_in_bytes != Some(size))
            || list.is_some_and(|asked| !holds_list(asked))
    }

    /// The configuration after an update with these values. An omitted value stays as it is.
    #[must_use]
    pub fn after(&self, values: &Values) -> Self {
        let named = Self {
            maximum_size_limit_in_bytes: values.max_size.map(|size| size.bytes().into()),
            allowed_extensions: values.extensions.as_ref().map(ExtensionSet::to_names),
        };
        named.or(self)
    }

    /// Its members, and those of `other` where it has none.
    #[must_use]
    pub fn or(self, other: &Self) -> Self {
        Self {
            maximum_size_limit_in_bytes: self
                .maximum_size_limit_in_bytes
                .or(other.maximum_size_limit_in_bytes),
            allowed_extensions: self.allowed_extensions.or_else(|| other.allowed_extensions.clone()),
        }
    }

    /// The values that set it: of a member that Amazon Connect did not return, none; extensions in lower case, as every
    /// list is sent. `None`: no update can set the size.
    pub fn as_values(&self) -> Option<Values> {
        let size = self.maximum_size_limit_in_bytes.map(|bytes| MaxSize::from_bytes(bytes.into()).ok());
        Some(Values {
            max_size: match size {
                Some(size) => Some(size?),
                None => None,
            },
            extensions: self.allowed_extensions.as_ref().map(ExtensionSet::of_held),
        })
    }

    /// Whether it holds these values; the case of extensions does not matter.
    pub fn holds(&self, values: &Values) -> bool {
        let folded = Self {
            maximum_size_limit_in_bytes: self.maximum_size_limit_in_bytes,
            allowed_extensions: self
                .allowed_extensions
                .as_ref()
                .map(|set| set.iter().map(|extension| extension.to_ascii_lowercase()).collect()),
        };
        !folded.would_change(values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(size: i64, extensions: &[&str]) -> Configuration {
        Configuration {
            maximum_size_limit_in_bytes: Some(size),
            allowed_extensions: Some(extensions.iter().map(|e| (*e).to_owned()).collect()),
        }
    }

    fn values(size: Option<i128>, extensions: Option<&[&str]>) -> Values {
        Values {
            max_size: size.map(|size| MaxSize::from_bytes(size).unwrap()),
            extensions: extensions.map(|list| ExtensionSet::parse(list.iter().copied()).unwrap()),
        }
    }

    #[test]
    fn an_omitted_value_stays_as_it_is() {
        let before = held(5, &["csv", "pdf"]);
        assert_eq!(before.after(&values(Some(7), None)), held(7, &["csv", "pdf"]));
        assert_eq!(before.after(&values(None, Some(&["pdf"]))), held(5, &["pdf"]));
        assert!(!before.would_change(&values(Some(5), None)));
        assert!(!before.would_change(&values(None, Some(&["pdf", "csv"]))));
    }

    #[test]
    fn case_counts_before_an_update_and_not_after_it() {
        let upper = held(5, &["PDF"]);
        assert!(upper.would_change(&values(None, Some(&["pdf"]))));
        assert!(upper.holds(&values(None, Some(&["pdf"]))));
        assert!(!upper.holds(&values(None, Some(&["csv"]))));
    }

    #[test]
    fn an_answer_without_a_requested_value_does_not_hold_it() {
        let silent = Configuration { maximum_size_limit_in_bytes: None, allowed_extensions: None };
        assert!(!silent.holds(&values(Some(5), None)));
        assert!(!silent.holds(&values(None, Some(&["pdf"]))));
    }
}
