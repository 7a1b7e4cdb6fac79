//! Collects the violations of one document.

use super::json::Json;
use super::order;
use super::violation::{InvalidValue, Violation, ViolationCode};

/// The violations found so far.
#[derive(Debug, Default)]
pub(super) struct Violations(Vec<Violation>);

/// The most violations listed: Lambda's responses are limited to 6 MB, and nobody reads more.
const MAX_VIOLATIONS: usize = 256;

impl Violations {
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

    /// Adds a violation: the value has a wrong type.
    pub(super) fn wrong_type(&mut self, pointer: impl Into<String>, expected: &str, found: &Json) {
        let code = if found.is_null() { ViolationCode::NullValue } else { ViolationCode::WrongType };
        self.add(pointer, code, format!("must be {expected}, not {}", found.kind()));
    }

    /// The value; or `None`, with a violation added.
    pub(super) fn keep<T>(&mut self, pointer: &str, result: Result<T, InvalidValue>) -> Option<T> {
        result.map_err(|invalid| self.add(pointer, invalid.code, invalid.message)).ok()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the list is full: a further violation is only counted.
    pub(super) fn is_full(&self) -> bool {
        self.0.len() >= MAX_VIOLATIONS
    }

    /// Whether there are more violations than are listed.
    pub(super) fn has_overflowed(&self) -> bool {
        self.0.len() > MAX_VIOLATIONS
    }

    /// In the order in which they were found.
    pub(super) fn into_vec(self) -> Vec<Violation> {
        self.0
    }

    /// In the order of the document. The violation that says that there are more stays last.
    pub(super) fn in_order_of(mut self, json: &Json) -> Vec<Violation> {
        let more = self.0.split_off(self.0.len().min(MAX_VIOLATIONS));
        let mut violations = order::sorted(self.0, json);
        violations.extend(more);
        violations
    }
}
