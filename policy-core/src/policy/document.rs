//! A change document: from text to [`PolicyChange`]s, or to every violation at once.
//!
//! The only place that sees the strings a producer sent. docs/policy-change.md has the grammar.

mod adjustments;
mod batch;
pub(super) mod change;
mod check;
mod declaration;
mod instances;
mod overlap;
mod stop_after;
mod targets;
mod values;

pub use super::field::{Field, ObjectKind};
pub use batch::MAX_CHANGES;
pub use declaration::{Declaration, OnDelete};
pub use targets::{MAX_GOVERNED_TARGETS, MAX_TARGETS};

use super::change_id::ChangeId;
use super::entity_tag::IfMatch;
use super::instance::Instance;
use super::json::Json;
use super::violation::{Violation, ViolationCode};
use super::violations::Violations;
use super::{PolicyChange, Rules, Scope};
use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};

/// The most bytes of a document. The limit is ours: four times the largest valid document, and as much as SQS and
/// EventBridge accept.
pub const MAX_DOCUMENT: usize = 1_048_576;

/// Which document is expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Form {
    /// A policy change, or `{"changes": […]}`.
    Submission,
    /// The values only: the rest is in the path and headers of a PATCH.
    Values {
        /// The path's instance.
        instance: Instance,
        /// The path's scope.
        scope: Scope,
        /// The header `If-Match`.
        if_match: Option<IfMatch>,
    },
}

/// Values from the trigger, used where the document has none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Defaults {
    /// The id of the event, message, request or invocation.
    pub change_id: ChangeId,
    /// The `time` of a replayed event.
    pub if_unmodified_since: Option<OffsetDateTime>,
    /// `?dryRun=true`.
    pub dry_run: bool,
}

/// What a document holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// In order; at least one.
    pub changes: Vec<PolicyChange>,
    /// Whether they came as `{"changes": […]}`.
    pub is_batch: bool,
    /// The document's own id, else its default.
    pub change_id: ChangeId,
    /// Whether the document gave itself that id.
    pub is_chosen: bool,
    /// `stopAfterFailures`: after so many targets that failed for good or are blocked, the rest is not begun.
    pub stop_after: Option<u32>,
}

/// Why there is no document. Nothing was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rejected {
    /// Not JSON at all (RFC 8259).
    NotJson(String),
    /// JSON that breaks rules.
    Violations {
        /// All of them, in the order of the document; of more than 256, the first ones that were found.
        violations: Vec<Violation>,
        /// The document's own id, or the default.
        change_id: ChangeId,
    },
}

/// Parses a change document.
///
/// # Errors
/// Every violation at once, or that it is not JSON.
pub fn parse(text: &str, form: &Form, defaults: &Defaults, rules: &Rules) -> Result<Document, Rejected> {
    let json = read_json(text, &defaults.change_id)?;
    let mut violations = Violations::default();
    let is_batch = *form == Form::Submission && member(&json, Field::Changes).is_some();
    let is_check = !is_batch && *form == Form::Submission && member(&json, Field::CheckDrift).is_some();
    let changes = if is_batch {
        batch::read(&json, defaults, rules, &mut violations)
    } else if is_check {
        check::read(&json, defaults, rules, &mut violations).map(|check| vec![check])
    } else {
        change::read("", &json, form, defaults, rules, &mut violations).map(|change| vec![change])
    };
    let stop_after = if is_check { None } else { stop_after::read_stop_after(&json, rules, &mut violations) };
    let claimed = claimed_id(&json).filter(|id| !rules.governed || id.names_a_record());
    let is_chosen = claimed.is_some();
    let change_id = claimed.unwrap_or_else(|| defaults.change_id.clone());
    match changes {
        Some(changes) if violations.is_empty() => {
            Ok(Document { changes, is_batch, change_id, is_chosen, stop_after })
        }
        _ => Err(Rejected::Violations { change_id, violations: violations.in_order_of(&json) }),
    }
}

fn read_json(text: &str, change_id: &ChangeId) -> Result<Json, Rejected> {
    if text.len() > MAX_DOCUMENT {
        let message = format!("must be at most {MAX_DOCUMENT} bytes, not {}", text.len());
        let violation = Violation { pointer: String::new(), code: ViolationCode::DocumentTooLarge, message };
        return Err(Rejected::Violations { violations: vec![violation], change_id: change_id.clone() });
    }
    serde_json::from_str(text).map_err(|error| Rejected::NotJson(error.to_string()))
}

/// A rejected document keeps its own id, so that its producer can find it.
fn claimed_id(json: &Json) -> Option<ChangeId> {
    match member(json, Field::ChangeId)? {
        Json::String(id) => ChangeId::parse(id),
        _ => None,
    }
}

fn member(json: &Json, field: Field) -> Option<&Json> {
    entry_of(json, field).map(|(_, value)| value)
}

/// The first member of that name, with its key as it is spelled.
fn entry_of(json: &Json, field: Field) -> Option<(&str, &Json)> {
    let Json::Object(entries) = json else { return None };
    let found = entries.iter().find(|(key, _)| field.is_named(key));
    found.map(|(key, value)| (key.as_str(), value))
}

/// What a document may be.
const OF_DOCUMENTS: [ObjectKind; 3] = [ObjectKind::Change, ObjectKind::Batch, ObjectKind::Check];

/// Whether a key marks a payload as a document: no trigger's envelope has such a key.
pub fn is_mark(key: &str) -> bool {
    Field::named(key).is_some_and(|field| OF_DOCUMENTS.iter().any(|object| field.belongs_to(*object)))
}

/// An RFC 3339 time in UTC. `None` also for a time that in UTC is outside the years 0 to 9999.
pub fn timestamp(text: &str) -> Option<OffsetDateTime> {
    let at = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    at.checked_to_offset(UtcOffset::UTC).filter(|at| at.year() >= 0)
}
