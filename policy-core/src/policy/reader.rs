//! Reads one object field by field and collects every violation on the way.

use super::json::Json;
use super::order;
use super::violation::{InvalidValue, Violation, ViolationCode, join};
use std::collections::BTreeSet;
use std::slice;

/// The violations found so far.
#[derive(Debug, Default)]
pub(super) struct Problems(Vec<Violation>);

/// The most violations listed: Lambda's responses are limited to 6 MB, and nobody reads more.
const MAX_VIOLATIONS: usize = 256;
/// A key or value longer than this is not repeated in a message or pointer.
const MAX_ECHO: usize = 64;

impl Problems {
    pub(super) fn add(
        &mut self,
        pointer: impl Into<String>,
        code: ViolationCode,
        message: impl Into<String>,
    ) {
        let violation = match self.0.len() {
            0..MAX_VIOLATIONS => Violation { pointer: pointer.into(), code, message: message.into() },
            MAX_VIOLATIONS => Violation {
                pointer: String::new(),
                code: ViolationCode::TooManyViolations,
                message: format!("has more than the {MAX_VIOLATIONS} violations that are listed"),
            },
            _ => return,
        };
        self.0.push(violation);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether there are more than are listed.
    pub(super) fn has_overflowed(&self) -> bool {
        self.0.len() > MAX_VIOLATIONS
    }

    /// As they were found.
    pub(super) fn into_vec(self) -> Vec<Violation> {
        self.0
    }

    /// In the order of the document; the one that says that there are more stays the last.
    pub(super) fn in_order_of(mut self, json: &Json) -> Vec<Violation> {
        let more = self.0.split_off(self.0.len().min(MAX_VIOLATIONS));
        let mut violations = order::sorted(self.0, json);
        violations.extend(more);
        violations
    }

    /// Whether the list of violations is full.
    fn is_full(&self) -> bool {
        self.0.len() >= MAX_VIOLATIONS
    }

    pub(super) fn wrong_type(&mut self, pointer: impl Into<String>, expected: &str, found: &Json) {
        if matches!(found, Json::Null) {
            let message =
                "must not be null; omit the field to keep the current value (Amazon Connect cannot reset it)";
            self.add(pointer, ViolationCode::NullValue, message);
        } else {
            let message = format!("must be {expected}, not {}", found.kind());
            self.add(pointer, ViolationCode::WrongType, message);
        }
    }

    /// Returns the value, or records the violation.
    pub(super) fn keep<T>(&mut self, pointer: &str, result: Result<T, InvalidValue>) -> Option<T> {
        result.map_err(|invalid| self.add(pointer, invalid.code, invalid.message)).ok()
    }
}

/// A field's value and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Found<'j> {
    pub(super) pointer: String,
    pub(super) value: &'j Json,
}

impl Found<'_> {
    pub(super) fn string(&self, problems: &mut Problems) -> Option<&str> {
        match self.value {
            Json::String(text) => Some(text),
            other => {
                problems.wrong_type(&self.pointer, "a string", other);
                None
            }
        }
    }

    pub(super) fn boolean(&self, problems: &mut Problems) -> Option<bool> {
        match self.value {
            Json::Bool(value) => Some(*value),
            other => {
                problems.wrong_type(&self.pointer, "true or false", other);
                None
            }
        }
    }

    /// A string within `limit` characters (code points).
    pub(super) fn text(&self, limit: usize, problems: &mut Problems) -> Option<String> {
        let text = self.string(problems)?;
        let length = text.chars().count();
        if length > limit {
            let message = format!("must be at most {limit} characters, not {length}");
            problems.add(&self.pointer, ViolationCode::TooLong, message);
            return None;
        }
        Some(text.to_owned())
    }

    /// The entries of an array, each with its pointer.
    pub(super) fn entries(&self) -> Option<impl ExactSizeIterator<Item = Found<'_>>> {
        let Json::Array(entries) = self.value else {
            return None;
        };
        Some(
            entries
                .iter()
                .enumerate()
                .map(|(index, value)| Found { pointer: join(&self.pointer, &index.to_string()), value }),
        )
    }
}

impl<'j> Found<'j> {
    /// A string, or an array of strings: each with its pointer, made when it is asked for. There may be
    /// hundreds of thousands.
    pub(super) fn one_or_many<'f>(
        &'f self,
        problems: &mut Problems,
    ) -> impl ExactSizeIterator<Item = Found<'j>> + use<'f, 'j> {
        let (found, is_array) = match self.value {
            Json::Array(entries) => (entries.as_slice(), true),
            one => (slice::from_ref(one), false),
        };
        if found.is_empty() {
            problems.add(&self.pointer, ViolationCode::EmptyList, "must have at least one entry");
        }
        found.iter().enumerate().map(move |(index, value)| {
            let pointer =
                if is_array { join(&self.pointer, &index.to_string()) } else { self.pointer.clone() };
            Found { pointer, value }
        })
    }
}

/// The known fields of one object, found under either spelling.
pub(super) struct Fields<'j> {
    base: String,
    found: Vec<(&'static str, Found<'j>)>,
}

impl<'j> Fields<'j> {
    /// Sorts an object's keys into `known` ones (camelCase names; PascalCase is accepted) and problems.
    ///
    /// `None`: not an object at all.
    pub(super) fn read(
        base: &str,
        json: &'j Json,
        known: &[&'static str],
        problems: &mut Problems,
    ) -> Option<Self> {
        let Json::Object(entries) = json else {
            problems.wrong_type(base, "an object", json);
            return None;
        };
        let mut fields = Self { base: base.to_owned(), found: Vec::with_capacity(known.len()) };
        let mut seen = BTreeSet::new();
        for (key, value) in entries {
            if key.len() > MAX_ECHO {
                let message = format!("has an unknown field with a name of {} bytes", key.len());
                problems.add(base, ViolationCode::UnknownField, message);
                continue;
            }
            let pointer = join(base, key);
            if !seen.insert(key.as_str()) {
                problems.add(pointer, ViolationCode::DuplicateKey, "appears more than once; keep only one");
                continue;
            }
            let Some(name) = known.iter().find(|name| same_field(name, key)) else {
                // find the nearest name only if the violation will be listed: a document may have 100,000
                // unknown keys
                let message = if problems.is_full() { String::new() } else { unknown(key, known) };
                problems.add(pointer, ViolationCode::UnknownField, message);
                continue;
            };
            fields.take(name, Found { pointer, value }, problems);
        }
        Some(fields)
    }

    fn take(&mut self, name: &'static str, found: Found<'j>, problems: &mut Problems) {
        if let Some(first) = self.get(name) {
            let message = format!("conflicts with `{}`; keep only one", first.pointer);
            problems.add(found.pointer, ViolationCode::ConflictingFields, message);
        } else if matches!(found.value, Json::Null) {
            problems.wrong_type(&found.pointer, "", found.value);
            // keep it, so that it is not also reported as missing
            self.found.push((name, found));
        } else {
            self.found.push((name, found));
        }
    }

    /// Where this object stands.
    pub(super) fn base(&self) -> &str {
        &self.base
    }

    /// The field, whether usable or not.
    pub(super) fn get(&self, name: &str) -> Option<&Found<'j>> {
        self.found.iter().find(|(known, _)| *known == name).map(|(_, found)| found)
    }

    /// The field, unless it is absent or null (null is already a violation).
    pub(super) fn value(&self, name: &str) -> Option<&Found<'j>> {
        self.get(name).filter(|found| !matches!(found.value, Json::Null))
    }

    /// Every form of one field that is present. More than one is a violation, and each is read all the same.
    pub(super) fn forms<'f>(
        &'f self,
        forms: [&'static str; 2],
        problems: &mut Problems,
    ) -> impl Iterator<Item = (&'static str, &'f Found<'j>)> + use<'f, 'j> {
        if let [Some(first), Some(second)] = forms.map(|name| self.get(name)) {
            let message = format!("conflicts with `{}`; keep only one", first.pointer);
            problems.add(second.pointer.clone(), ViolationCode::ConflictingFields, message);
        }
        forms.into_iter().filter_map(|name| self.get(name).map(|found| (name, found)))
    }
}

/// `instanceId` is also `InstanceId`: what works for the CLI or boto3 can be pasted.
fn same_field(name: &str, key: &str) -> bool {
    let (Some(n), Some(k)) = (name.as_bytes().split_first(), key.as_bytes().split_first()) else {
        return false;
    };
    n.1 == k.1 && (n.0 == k.0 || n.0.to_ascii_uppercase() == *k.0)
}

fn unknown(key: &str, known: &[&str]) -> String {
    let nearest = known
        .iter()
        .map(|name| (strsim::jaro_winkler(&key.to_ascii_lowercase(), &name.to_ascii_lowercase()), name))
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .filter(|(similarity, _)| *similarity > 0.85);
    match nearest {
        Some((_, name)) => format!("is not a known field; did you mean `{name}`?"),
        None => "is not a known field".to_owned(),
    }
}

/// What was written, short enough to repeat in a message.
pub(super) fn shown(text: &str) -> String {
    match text.char_indices().nth(MAX_ECHO) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
