//! Boundaries that the compiler does not check inside one crate: `policy` is the vocabulary and must not know its
//! users.

use std::fs;
use std::path::Path;

/// Every path within this crate that the room's sources name.
fn named(room: &str) -> Vec<String> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = vec![src.join(format!("{room}.rs")), src.join(room)];
    let mut found = Vec::new();
    while let Some(path) = paths.pop() {
        if path.is_dir() {
            paths.extend(fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let depth = path.strip_prefix(&src).unwrap().components().count();
        let (code, _) = text.split_once("mod tests {").unwrap_or((&text, ""));
        assert!(!code.contains(&"super::".repeat(depth)), "{} names the root by `super`", path.display());
        let names = text.split("crate::").skip(1).map(|rest| {
            let end = rest.find(|c: char| !c.is_ascii_lowercase() && c != '_').unwrap_or(rest.len());
            rest[..end].to_owned()
        });
        found.extend(names);
    }
    found.sort();
    found.dedup();
    found
}

#[test]
fn policy_knows_awss_identifiers_and_nothing_else() {
    assert_eq!(named("policy"), ["aws", "stable_names"]);
}

#[test]
fn awss_identifiers_know_no_other_room() {
    assert_eq!(named("aws"), ["stable_names"]);
}
