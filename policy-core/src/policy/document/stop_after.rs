//! `stopAfterFailures`: after how many failed targets the rest of a document is not begun.

use super::super::Rules;
use super::super::field::Field;
use super::super::json::Json;
use super::super::reader::Found;
use super::super::violation::{ViolationCode, join};
use super::super::violations::Violations;
use super::entry_of;

/// The most failures that can be waited for (ours): as many as a recorded document has targets, before `"*"` is resolved.
const MAX_FAILURES: u32 = 10_000;

/// The limit of a document as a whole. It is counted in the document's record, so that there must be one.
pub(super) fn read_stop_after(json: &Json, rules: &Rules, violations: &mut Violations) -> Option<u32> {
    let (key, value) = entry_of(json, Field::StopAfterFailures)?;
    let found = Found { pointer: join("", key), value };
    // reported already
    if found.is_null() {
        return None;
    }
    if !rules.governed {
        let message = "needs the ledger, which counts failures; this function has none (LEDGER_TABLE)";
        violations.add(&found.pointer, ViolationCode::NeedsLedger, message);
    }
    let number = match value {
        Json::Integer(number) => *number,
        #[expect(clippy::cast_possible_truncation, reason = "saturates, and what saturates is out of range")]
        Json::Float(number) if number.fract() == 0.0 => *number as i128,
        Json::Float(number) => {
            let message = format!("must be a whole number, not {number}");
            violations.add(&found.pointer, ViolationCode::InvalidCount, message);
            return None;
        }
        other => {
            violations.wrong_type(&found.pointer, "a whole number", other);
            return None;
        }
    };
    if let Ok(count @ 1..=MAX_FAILURES) = u32::try_from(number) {
        return Some(count);
    }
    let message = format!("must be a whole number from 1 to {MAX_FAILURES}, not {number}");
    violations.add(&found.pointer, ViolationCode::InvalidCount, message);
    None
}

/// The changes of a batch share one record, and so one limit.
pub(super) fn refuse_within_batch(entry: &Found<'_>, violations: &mut Violations) {
    if let Some((key, _)) = entry_of(entry.value, Field::StopAfterFailures) {
        let message = "is allowed only once for the whole document, beside `changes`";
        violations.add(join(&entry.pointer, key), ViolationCode::UnexpectedField, message);
    }
}
