//! What the targets are to hold: a size, extensions, or both.

use super::super::json::Json;
use super::super::reader::{Fields, Found, Problems};
use super::super::size::{DOCUMENTED_MINIMUM, MAX_EMAIL_SIZE};
use super::super::violation::ViolationCode;
use super::super::{ExtensionSet, MaxSize, Rules, Scope, Values};

/// The most extensions in one list (ours; AWS documents none).
pub const MAX_EXTENSIONS: usize = 256;

const FORMS: [&str; 4] =
    ["maximumSizeLimitInBytes", "maximumSize", "allowedExtensions", "extensionConfiguration"];

pub(super) fn read_values(
    fields: &Fields<'_>,
    scopes: &[Scope],
    rules: &Rules,
    problems: &mut Problems,
    warnings: &mut Problems,
) -> Values {
    if FORMS.iter().all(|name| fields.get(name).is_none()) {
        let message =
            "must have a size (`maximumSizeLimitInBytes` or `maximumSize`), `allowedExtensions`, or both";
        problems.add(fields.base(), ViolationCode::MissingValues, message);
    }
    Values {
        max_size: read_size(fields, scopes, problems, warnings),
        extensions: read_extensions(fields, rules, problems),
    }
}

fn read_size(
    fields: &Fields<'_>,
    scopes: &[Scope],
    problems: &mut Problems,
    warnings: &mut Problems,
) -> Option<MaxSize> {
    let mut size = None;
    for (name, found) in fields.forms(["maximumSizeLimitInBytes", "maximumSize"], problems) {
        size = size.or(read_size_of(name, found, scopes, problems, warnings));
    }
    size
}

fn read_size_of(
    name: &str,
    found: &Found<'_>,
    scopes: &[Scope],
    problems: &mut Problems,
    warnings: &mut Problems,
) -> Option<MaxSize> {
    let size = match (name, found.value) {
        (_, Json::Null) => return None,
        ("maximumSize", Json::String(text)) => MaxSize::from_units(text),
        ("maximumSize", other) => {
            problems.wrong_type(&found.pointer, "a string such as `10 MB`", other);
            return None;
        }
        (_, Json::Integer(bytes)) => MaxSize::from_bytes(*bytes),
        (_, Json::Float(bytes)) => MaxSize::from_float(*bytes),
        (_, Json::String(digits)) => MaxSize::from_digits(digits),
        (_, other) => {
            problems.wrong_type(&found.pointer, "a number of bytes", other);
            return None;
        }
    };
    let size = problems.keep(&found.pointer, size)?;
    if scopes.contains(&Scope::Email) && size.bytes() > MAX_EMAIL_SIZE {
        let message = format!(
            "must be at most {MAX_EMAIL_SIZE} bytes (20 MB) when a scope is EMAIL, not {}",
            size.bytes()
        );
        problems.add(&found.pointer, ViolationCode::SizeTooLargeForEmail, message);
    }
    if size.bytes() < DOCUMENTED_MINIMUM {
        let message = format!(
            "is {} bytes, below the documented minimum of 1 MB ({DOCUMENTED_MINIMUM} bytes); check the unit",
            size.bytes()
        );
        warnings.add(&found.pointer, ViolationCode::SizeBelowDocumentedRange, message);
    }
    Some(size)
}

fn read_extensions(fields: &Fields<'_>, rules: &Rules, problems: &mut Problems) -> Option<ExtensionSet> {
    let mut extensions = None;
    for (name, found) in fields.forms(["allowedExtensions", "extensionConfiguration"], problems) {
        extensions = extensions.or(read_extensions_of(name, found, rules, problems));
    }
    extensions
}

fn read_extensions_of(
    name: &str,
    found: &Found<'_>,
    rules: &Rules,
    problems: &mut Problems,
) -> Option<ExtensionSet> {
    if matches!(found.value, Json::Null) {
        return None;
    }
    let nested;
    let list = if name == "extensionConfiguration" {
        nested = Fields::read(&found.pointer, found.value, &["allowedExtensions"], problems)?;
        let Some(list) = nested.get("allowedExtensions") else {
            let message = "must have `allowedExtensions`";
            problems.add(&found.pointer, ViolationCode::MissingValues, message);
            return None;
        };
        list
    } else {
        found
    };
    let Some(entries) = list.entries() else {
        if !matches!(list.value, Json::Null) {
            problems.wrong_type(&list.pointer, "an array of extensions", list.value);
        }
        return None;
    };
    if entries.len() == 0 && !rules.allow_empty_extensions {
        let message =
            "must not be empty: that may block every attachment (POLICY_ALLOW_EMPTY_EXTENSIONS allows it)";
        problems.add(&list.pointer, ViolationCode::EmptyExtensionList, message);
    } else if entries.len() > MAX_EXTENSIONS {
        let message = format!("must have at most {MAX_EXTENSIONS} extensions, not {}", entries.len());
        problems.add(&list.pointer, ViolationCode::TooManyEntries, message);
    }
    let mut set = ExtensionSet::default();
    for entry in entries {
        read_extension(&entry, &mut set, problems);
    }
    Some(set)
}

/// `"pdf"`, or the API's own `{"Extension": "pdf"}`.
fn read_extension(entry: &Found<'_>, set: &mut ExtensionSet, problems: &mut Problems) {
    match entry.value {
        Json::String(text) => {
            problems.keep(&entry.pointer, set.insert(text));
        }
        Json::Object(_) => {
            let Some(fields) = Fields::read(&entry.pointer, entry.value, &["extension"], problems) else {
                return;
            };
            match fields.get("extension") {
                Some(found) if matches!(found.value, Json::Null) => {}
                Some(found) => {
                    if let Some(text) = found.string(problems) {
                        problems.keep(&found.pointer, set.insert(text));
                    }
                }
                None => problems.add(&entry.pointer, ViolationCode::MissingValues, "must have `extension`"),
            }
        }
        other => problems.wrong_type(&entry.pointer, "a string such as `pdf`", other),
    }
}
