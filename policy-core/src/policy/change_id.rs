use serde::Serialize;
use std::fmt;

/// The id that correlates a change's request, audit lines and report.
///
/// 1–128 characters of `[A-Za-z0-9._:/-]`: what an SQS deduplication id, a log query and a URL
/// take without escaping.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct ChangeId(String);

/// The longest change id in characters.
pub(super) const MAX_LENGTH: usize = 128;

impl ChangeId {
    /// `None` unless `id` is 1–128 characters of `[A-Za-z0-9._:/-]`.
    pub fn parse(id: &str) -> Option<Self> {
        let fits = (1..=MAX_LENGTH).contains(&id.len()) && id.chars().all(allowed);
        fits.then(|| Self(id.to_owned()))
    }

    /// The default id made from one that AWS chose, such as an API Gateway request id
    /// (`JKJaXmPLvHcESHA=`): characters that a change id does not allow are dropped.
    ///
    /// `None` if no character is left, or if no record can have what is left: whoever sends an event to a queue chooses
    /// its id.
    pub fn from_request(id: &str) -> Option<Self> {
        let kept: String = id.chars().filter(|c| allowed(*c)).take(MAX_LENGTH).collect();
        Self::parse(&kept).filter(Self::names_a_record)
    }

    /// The id of the change at `index` of a document's `changes`.
    pub(super) fn of_index(&self, index: usize) -> Option<Self> {
        let id = format!("{self}/{index}");
        (id.len() <= MAX_LENGTH).then_some(Self(id))
    }

    /// Whether a record can have this id: it is part of a path, whose segments are neither empty nor `.` or `..`
    /// (RFC 3986 section 5.2.4), and whose last one is no action on a record.
    pub fn names_a_record(&self) -> bool {
        let is_segment = |segment: &str| !matches!(segment, "" | "." | "..");
        let is_action = |id: &str| ["/undo", "/apply", "/cancel"].iter().any(|action| id.ends_with(action));
        self.0.split('/').all(is_segment) && !is_action(&self.0)
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn allowed(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | ':' | '/' | '-')
}

impl Default for ChangeId {
    /// For a payload without any id.
    fn default() -> Self {
        Self("unidentified".to_owned())
    }
}

impl fmt::Display for ChangeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_id_is_1_to_128_characters_of_its_alphabet() {
        for good in ["a", "CHG-42", "a.b_c:d/e-f", &"x".repeat(128)] {
            assert_eq!(ChangeId::parse(good).map(|id| id.to_string()), Some(good.to_owned()));
        }
        for bad in ["", " a", "a b", "ä", "a\n", "a=", &"x".repeat(129)] {
            assert_eq!(ChangeId::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_record_has_an_id_that_is_a_path_of_its_own() {
        for good in ["CHG-1", "a/b.c/..d", "undo", "a/undone", "X/0"] {
            assert!(ChangeId::parse(good).unwrap().names_a_record(), "{good}");
        }
        for bad in
            ["/a", "a/", "a//b", ".", "a/../b", "a/.", "X/undo", "X/apply", "X/cancel", "a/cancel/undo"]
        {
            assert!(!ChangeId::parse(bad).unwrap().names_a_record(), "{bad}");
        }
    }

    #[test]
    fn a_request_id_loses_only_characters_that_a_change_id_does_not_allow() {
        let id = ChangeId::from_request("JKJaXmPLvHcESHA=").map(|id| id.to_string());
        assert_eq!(id.as_deref(), Some("JKJaXmPLvHcESHA"));
        for none in ["==", "release/undo", "a//b", "..", "x/cancel="] {
            assert_eq!(ChangeId::from_request(none), None, "{none}");
        }
    }
}
