//! Reads one object field by field.

use super::field::{Field, ObjectKind};
use super::json::Json;
use super::violation::{ViolationCode, join};
use super::violations::Violations;
use std::collections::BTreeSet;
use std::slice;

/// A key or value longer than this is not repeated in a message or pointer.
const MAX_ECHO: usize = 64;
/// The Jaro-Winkler similarity above which a known field is suggested for an unknown one. At this value, a known name
/// with any single typing error is still found, and words such as `colour` or `tags` are not
/// (tests/it/messages.rs).
const SIMILAR: f64 = 0.8;

/// A value and the pointer to it.
#[derive(Debug, Clone)]
pub(super) struct Found<'j> {
    pub(super) pointer: String,
    pub(super) value: &'j Json,
}

impl<'j> Found<'j> {
    pub(super) fn is_null(&self) -> bool {
        self.value.is_null()
    }

    pub(super) fn string(&self, violations: &mut Violations) -> Option<&'j str> {
        match self.value {
            Json::String(text) => Some(text),
            other => {
                violations.wrong_type(&self.pointer, "a string", other);
                None
            }
        }
    }

    pub(super) fn boolean(&self, violations: &mut Violations) -> Option<bool> {
        match self.value {
            Json::Bool(value) => Some(*value),
            other => {
                violations.wrong_type(&self.pointer, "true or false", other);
                None
            }
        }
    }

    /// A string within `limit` characters (code points).
    pub(super) fn text(&self, limit: usize, violations: &mut Violations) -> Option<String> {
        let text = self.string(violations)?;
        let length = text.chars().count();
        if length > limit {
            let message = format!("must be at most {limit} characters, not {length}");
            violations.add(&self.pointer, ViolationCode::TooLong, message);
            return None;
        }
        Some(text.to_owned())
    }

    /// The entries of an array, each with its pointer. `None`: not an array.
    pub(super) fn entries(&self) -> Option<impl ExactSizeIterator<Item = Found<'j>> + use<'_, 'j>> {
        let Json::Array(entries) = self.value else {
            return None;
        };
        let pointer = |index: usize| join(&self.pointer, &index.to_string());
        Some(entries.iter().enumerate().map(move |(index, value)| Found { pointer: pointer(index), value }))
    }

    /// A single value, or the entries of an array, each with its pointer. Pointers are made one at a time, because
    /// there may be hundreds of thousands.
    pub(super) fn one_or_many(
        &self,
        violations: &mut Violations,
    ) -> impl ExactSizeIterator<Item = Found<'j>> + use<'_, 'j> {
        let (found, is_array) = match self.value {
            Json::Array(entries) => (entries.as_slice(), true),
            one => (slice::from_ref(one), false),
        };
        if found.is_empty() {
            violations.add(&self.pointer, ViolationCode::EmptyList, "must have at least one entry");
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
    found: Vec<(Field, Found<'j>)>,
}

impl<'j> Fields<'j> {
    /// Takes an object apart: its known fields, and a violation for every other key.
    ///
    /// `None`: not an object at all.
    pub(super) fn read(
        base: &str,
        json: &'j Json,
        object: ObjectKind,
        violations: &mut Violations,
    ) -> Option<Self> {
        let Json::Object(entries) = json else {
            violations.wrong_type(base, "an object", json);
            return None;
        };
        let capacity = entries.len().min(Field::ALL.len());
        let mut fields = Self { base: base.to_owned(), found: Vec::with_capacity(capacity) };
        let mut seen = BTreeSet::new();
        for (key, value) in entries {
            if key.len() > MAX_ECHO {
                let message = format!("has an unknown field with a name of {} bytes", key.len());
                violations.add(base, ViolationCode::UnknownField, message);
                continue;
            }
            let pointer = join(base, key);
            if !seen.insert(key.as_str()) {
                violations.add(pointer, ViolationCode::DuplicateKey, "appears more than once; keep only one");
                continue;
            }
            match Field::named(key).filter(|field| field.belongs_to(object)) {
                Some(field) => fields.take(field, Found { pointer, value }, violations),
                None if object == ObjectKind::Check && Field::named(key).is_some() => {
                    let message = "is not allowed with `checkDrift`, which changes nothing";
                    violations.add(pointer, ViolationCode::UnexpectedField, message);
                }
                // find the nearest name only if the violation will be listed: a document may have 100,000 such keys
                None if violations.is_full() => violations.add(pointer, ViolationCode::UnknownField, ""),
                None => violations.add(pointer, ViolationCode::UnknownField, unknown(key, object)),
            }
        }
        Some(fields)
    }

    fn take(&mut self, field: Field, found: Found<'j>, violations: &mut Violations) {
        if let Some(first) = self.get(field) {
            violations.add(found.pointer, ViolationCode::ConflictingFields, conflict(first));
            return;
        }
        if found.is_null() {
            violations.add(&found.pointer, ViolationCode::NullValue, null_message(field));
        }
        // keep a null, so that it is not also reported as missing
        self.found.push((field, found));
    }

    /// The pointer to the object.
    pub(super) fn base(&self) -> &str {
        &self.base
    }

    /// Whether the object has such a field, even an unusable one.
    pub(super) fn has(&self, wanted: impl Fn(Field) -> bool) -> bool {
        self.found.iter().any(|(field, _)| wanted(*field))
    }

    /// Every field.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Field, &Found<'j>)> {
        self.found.iter().map(|(field, found)| (*field, found))
    }

    /// The field, whether usable or not.
    pub(super) fn get(&self, wanted: Field) -> Option<&Found<'j>> {
        self.found.iter().find(|(field, _)| *field == wanted).map(|(_, found)| found)
    }

    /// The field, unless it is absent or null (null is already a violation).
    pub(super) fn value(&self, wanted: Field) -> Option<&Found<'j>> {
        self.get(wanted).filter(|found| !found.is_null())
    }

    /// Every form of one field that is present and not null. Both together are a violation; each of them is still
    /// read.
    pub(super) fn forms<'f>(
        &'f self,
        forms: [Field; 2],
        violations: &mut Violations,
    ) -> impl Iterator<Item = (Field, &'f Found<'j>)> + use<'f, 'j> {
        if let [Some(first), Some(second)] = forms.map(|form| self.get(form)) {
            violations.add(second.pointer.clone(), ViolationCode::ConflictingFields, conflict(first));
        }
        forms.into_iter().filter_map(|form| self.value(form).map(|found| (form, found)))
    }
}

pub(super) fn conflict(first: &Found<'_>) -> String {
    format!("conflicts with `{}`; keep only one", first.pointer)
}

const fn null_message(field: Field) -> &'static str {
    if field.is_value() && !field.is_relative() {
        "must not be null; omit the field to keep the current value (Amazon Connect cannot reset it)"
    } else {
        "must not be null"
    }
}

fn unknown(key: &str, object: ObjectKind) -> String {
    let known = || Field::ALL.iter().filter(|field| field.belongs_to(object));
    let other_case = known().find(|field| field.name().eq_ignore_ascii_case(key));
    match other_case.or_else(|| nearest(&key.to_ascii_lowercase(), known())) {
        Some(field) => format!("is not a known field; did you mean `{field}`?"),
        None => "is not a known field".to_owned(),
    }
}

fn nearest<'f>(key: &str, known: impl Iterator<Item = &'f Field>) -> Option<&'f Field> {
    let mut name = String::new();
    let mut similarity = |field: Field| {
        name.clear();
        name.push_str(field.name());
        name.make_ascii_lowercase();
        strsim::jaro_winkler(key, &name)
    };
    known
        .map(|field| (similarity(*field), field))
        .filter(|(similarity, _)| *similarity > SIMILAR)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, field)| field)
}

/// The text, shortened so that a message can repeat it.
pub(super) fn shown(text: &str) -> String {
    match text.char_indices().nth(MAX_ECHO) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
