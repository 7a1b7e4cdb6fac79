use super::violation::{InvalidValue, ViolationCode};
use serde::Serialize;
use std::collections::BTreeSet;

/// The file extensions that may be attached: lower case, without the dot, sorted, no duplicates.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct ExtensionSet(BTreeSet<String>);

/// The most extensions in one list (ours; AWS documents none).
pub const MAX_EXTENSIONS: usize = 256;
/// The longest extension in characters (the API model's `AttachedFileExtension`).
const MAX_LENGTH: usize = 10;

impl ExtensionSet {
    /// Adds one extension as it was written: trimmed, one leading dot dropped, lower case.
    ///
    /// Only ASCII is lowered, so that no other letter (K, the Kelvin sign) can turn into an
    /// allowed or a blocked one.
    pub(super) fn insert(&mut self, written: &str) -> Result<(), InvalidValue> {
        let trimmed = written.trim();
        let bare = trimmed.strip_prefix('.').unwrap_or(trimmed);
        let fits = (1..=MAX_LENGTH).contains(&bare.len())
            && bare.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        if !fits {
            let message =
                format!("must be 1 to {MAX_LENGTH} letters, digits, `-` or `_`, such as `pdf`{}", hint(bare));
            return Err(InvalidValue::new(ViolationCode::InvalidExtension, message));
        }
        self.0.insert(bare.to_ascii_lowercase());
        Ok(())
    }

    /// A set of written extensions, for settings.
    ///
    /// # Errors
    /// What is wrong with the first invalid extension.
    pub fn parse<'a>(written: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        let mut set = Self::default();
        for extension in written {
            set.insert(extension).map_err(|invalid| format!("`{extension}` {invalid}"))?;
        }
        Ok(set)
    }

    /// The list that Amazon Connect says a target holds, in lower case.
    pub(super) fn of_held<'a>(held: impl IntoIterator<Item = &'a String>) -> Self {
        Self(held.into_iter().map(|extension| extension.to_ascii_lowercase()).collect())
    }

    /// Adds every extension of another set.
    pub(super) fn extend(&mut self, others: &Self) {
        self.0.extend(others.0.iter().cloned());
    }

    /// Removes every extension of another set.
    pub(super) fn remove_all(&mut self, others: &Self) {
        self.0.retain(|extension| !others.contains(extension));
    }

    /// The names alone, as Amazon Connect would return them.
    pub(super) fn to_names(&self) -> BTreeSet<String> {
        self.0.clone()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The extensions in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Whether `extension`, in normal form, is in it.
    pub fn contains(&self, extension: &str) -> bool {
        self.0.contains(extension)
    }
}

fn hint(bare: &str) -> &'static str {
    if bare.contains('*') {
        "; wildcards are not supported"
    } else if bare.contains('.') {
        "; for a double extension, give only the last part, such as `gz`"
    } else {
        ""
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_extension_is_trimmed_undotted_lowered_sorted_and_unique() {
        let set = ExtensionSet::parse([" .PDF ", "docx", "pdf", "7z", "a_b-c"]);
        let set = set.map(|s| s.iter().map(str::to_owned).collect::<Vec<_>>());
        assert_eq!(set, Ok(["7z", "a_b-c", "docx", "pdf"].map(str::to_owned).to_vec()));
    }

    #[test]
    fn an_extension_is_one_to_ten_characters_of_the_alphabet() {
        for bad in [
            "",
            ".",
            "..pdf",
            "tar.gz",
            "*.pdf",
            "*",
            "p df",
            "abcdefghijk",
            "pdf\u{202e}",
            "\u{212a}ey",
            "é",
        ] {
            let refused = ExtensionSet::default().insert(bad).map_err(|e| e.code);
            assert_eq!(refused, Err(ViolationCode::InvalidExtension), "{bad:?}");
        }
    }

    #[test]
    fn a_wildcard_and_a_double_extension_get_a_hint() {
        for (bad, hint) in [
            ("*.pdf", "such as `pdf`; wildcards are not supported"),
            ("tar.gz", "such as `pdf`; for a double extension, give only the last part, such as `gz`"),
            ("p df", "such as `pdf`"),
        ] {
            let refused = ExtensionSet::default().insert(bad).map_err(|e| e.message);
            assert!(matches!(&refused, Err(message) if message.ends_with(hint)), "{refused:?}");
        }
    }

    #[test]
    fn a_set_contains_what_was_added() {
        let set = ExtensionSet::parse(["pdf"]).unwrap();
        assert!(set.contains("pdf") && !set.contains("exe"));
    }
}
