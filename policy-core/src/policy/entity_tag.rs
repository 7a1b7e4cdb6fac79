use super::{Configuration, Scope};
use sha2::{Digest, Sha256};
use std::fmt::Write;

/// The entity tag of all of an instance's scopes: of each one's name and tag.
pub fn entity_tag_of_all<'a>(all: impl IntoIterator<Item = (&'a Scope, &'a Configuration)>) -> String {
    let lines = all.into_iter().map(|(scope, held)| format!("{scope} {}\n", entity_tag(held)));
    hashed(&lines.collect::<String>())
}

/// The strong entity tag (RFC 9110 section 8.8.3) of what a target holds: a hash of its canonical values. List and
/// Describe give the same tag.
pub fn entity_tag(configuration: &Configuration) -> String {
    let mut canonical = String::new();
    if let Some(size) = configuration.maximum_size_limit_in_bytes {
        // writing to a String cannot fail
        let _ = write!(canonical, "{size}");
    }
    for extension in configuration.allowed_extensions.iter().flatten() {
        canonical.push('\n');
        canonical.push_str(extension);
    }
    hashed(&canonical)
}

fn hashed(canonical: &str) -> String {
    let mut tag = String::from("\"");
    // 128 bits: two different policies never share a tag in practice
    for byte in Sha256::digest(canonical).iter().take(16) {
        let _ = write!(tag, "{byte:02x}");
    }
    tag.push('"');
    tag
}

/// An `If-Match` header (RFC 9110 section 13.1.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IfMatch {
    /// `*`: matches every target, because every target has a configuration.
    Any,
    /// Any of these tags; weak ones never match.
    Tags(Vec<String>),
}

impl IfMatch {
    /// Reads the header's value.
    pub fn parse(header: &str) -> Self {
        if header.trim() == "*" {
            return Self::Any;
        }
        Self::Tags(header.split(',').map(|tag| tag.trim().to_owned()).collect())
    }

    /// Whether a target may have had one of the tags: then a PATCH with it may be sent a second time.
    pub fn may_have_matched(&self) -> bool {
        let is_ours = |tag: &String| {
            let hex = tag.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
            hex.is_some_and(|hex| hex.len() == 32 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
        };
        match self {
            Self::Any => true,
            Self::Tags(tags) => tags.iter().any(is_ours),
        }
    }

    /// Whether what the target holds has one of the tags, by strong comparison.
    pub fn matches(&self, configuration: &Configuration) -> bool {
        match self {
            Self::Any => true,
            Self::Tags(tags) => tags.contains(&entity_tag(configuration)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_depends_on_the_values_and_weak_ones_never_match() {
        let held = |size, extensions: &[&str]| Configuration {
            maximum_size_limit_in_bytes: Some(size),
            allowed_extensions: Some(extensions.iter().map(|e| (*e).to_owned()).collect()),
        };
        let one = held(5, &["csv", "pdf"]);
        let tag = entity_tag(&one);
        assert_eq!((tag.len(), tag.clone()), (34, entity_tag(&held(5, &["pdf", "csv"]))));
        assert_ne!(tag, entity_tag(&held(6, &["csv", "pdf"])));
        assert_ne!(tag, entity_tag(&held(5, &["csv"])));
        assert!(IfMatch::parse(&format!("\"x\" , {tag}")).matches(&one));
        assert!(IfMatch::parse(" * ").matches(&one));
        assert!(!IfMatch::parse(&format!("W/{tag}")).matches(&one));
        assert!(!IfMatch::parse("").matches(&one));
        let may_have = |header: &str| IfMatch::parse(header).may_have_matched();
        assert!(may_have(&tag) && may_have(&format!("\"x\", {tag}")) && may_have("*"));
        assert!(
            !may_have("")
                && !may_have("\"x\"")
                && !may_have(&format!("W/{tag}"))
                && !may_have(&"0".repeat(32))
        );
    }

    #[test]
    fn the_tag_of_all_depends_on_each_scope_and_what_it_holds() {
        let held = |size| Configuration { maximum_size_limit_in_bytes: Some(size), allowed_extensions: None };
        let (five, six) = (held(5), held(6));
        let tag = entity_tag_of_all([(&Scope::Chat, &five), (&Scope::Task, &six)]);
        assert_eq!(tag.len(), 34);
        assert_ne!(tag, entity_tag_of_all([(&Scope::Chat, &six), (&Scope::Task, &five)]));
        assert_ne!(tag, entity_tag_of_all([(&Scope::Chat, &five)]));
    }
}
