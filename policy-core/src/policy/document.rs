//! A change document: from text to [`PolicyChange`]s, or to every violation at once.
//!
//! The only place that sees the strings a producer sent. The grammar is in docs/events.md.

mod overlap;
mod targets;
mod values;

pub use values::MAX_EXTENSIONS;

use super::change_id::{self, ChangeId};
use super::instance::Instance;
use super::json::Json;
use super::reader::{Fields, Found, Problems};
use super::violation::{Violation, ViolationCode};
use super::{Instances, PolicyChange, Rules, Scope};
use overlap::report_overlaps;
use targets::{read_instances, read_scopes};
use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};
use values::read_values;

/// The most changes in one document (ours, not AWS's).
pub const MAX_CHANGES: usize = 100;
/// The most targets in one document, before `"*"` is resolved (ours, not AWS's): over 8 minutes at the quota.
pub const MAX_TARGETS: usize = 1_000;
/// The most bytes of a document (ours): four times the largest that can pass, and what SQS and EventBridge take.
pub const MAX_DOCUMENT: usize = 1_048_576;
const MAX_REASON: usize = 1_024;
const MAX_REQUESTED_BY: usize = 256;

const TARGET_FIELDS: [&str; 5] =
    ["instanceId", "instanceIds", "instanceTags", "attachmentScope", "attachmentScopes"];
/// Every field of a policy change, in the API's camelCase; a bare payload is recognised by them.
pub const FIELDS: [&str; 15] = [
    "instanceId",
    "instanceIds",
    "instanceTags",
    "attachmentScope",
    "attachmentScopes",
    "maximumSizeLimitInBytes",
    "maximumSize",
    "allowedExtensions",
    "extensionConfiguration",
    "changeId",
    "ifUnmodifiedSince",
    "reason",
    "requestedBy",
    "dryRun",
    "force",
];

/// Which document is expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Form {
    /// A policy change, or `{"changes": […]}`.
    Submission,
    /// The values only: the target is the path of a PATCH.
    Values(Instance, Scope),
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
}

/// Why there is no document. Nothing was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rejected {
    /// Not JSON at all (RFC 8259).
    NotJson(String),
    /// JSON that breaks rules: all of them.
    Violations {
        /// Every one, in the order of the document; of more than 256, the first ones that were found.
        violations: Vec<Violation>,
        /// The id the document gave itself, or its default.
        change_id: ChangeId,
    },
}

/// Parses a change document.
///
/// # Errors
/// Every violation at once, or that it is not JSON.
pub fn parse(text: &str, form: &Form, defaults: &Defaults, rules: &Rules) -> Result<Document, Rejected> {
    if text.len() > MAX_DOCUMENT {
        let message = format!("must be at most {MAX_DOCUMENT} bytes, not {}", text.len());
        let violation = Violation { pointer: String::new(), code: ViolationCode::DocumentTooLarge, message };
        return Err(Rejected::Violations {
            violations: vec![violation],
            change_id: defaults.change_id.clone(),
        });
    }
    let json: Json = serde_json::from_str(text).map_err(|error| Rejected::NotJson(error.to_string()))?;
    let mut problems = Problems::default();
    let is_batch = *form == Form::Submission
        && matches!(&json, Json::Object(entries) if entries.iter().any(|(key, _)| key == "changes" || key == "Changes"));
    let changes = if is_batch {
        batch(&json, defaults, rules, &mut problems)
    } else {
        change("", &json, form, defaults, rules, &mut problems).map(|change| vec![change])
    };
    match changes {
        Some(changes) if problems.is_empty() => Ok(Document { changes, is_batch }),
        _ => Err(Rejected::Violations {
            change_id: claimed_id(&json).unwrap_or_else(|| defaults.change_id.clone()),
            violations: problems.in_order_of(&json),
        }),
    }
}

/// A refused document keeps the id it gave itself, so that its producer finds it again.
fn claimed_id(json: &Json) -> Option<ChangeId> {
    let Json::Object(entries) = json else { return None };
    entries.iter().find_map(|(key, value)| match value {
        Json::String(id) if key == "changeId" || key == "ChangeId" => ChangeId::parse(id),
        _ => None,
    })
}

fn batch(
    json: &Json,
    defaults: &Defaults,
    rules: &Rules,
    problems: &mut Problems,
) -> Option<Vec<PolicyChange>> {
    let fields = Fields::read("", json, &["changes", "changeId"], problems)?;
    let base = change_id(&fields, defaults, problems);
    let list = fields.value("changes")?;
    let Some(entries) = list.entries() else {
        problems.wrong_type(&list.pointer, "an array of policy changes", list.value);
        return None;
    };
    let count = entries.len();
    if count == 0 {
        problems.add(&list.pointer, ViolationCode::EmptyList, "must have at least one policy change");
    } else if count > MAX_CHANGES {
        let message = format!("must have at most {MAX_CHANGES} policy changes, not {count}");
        problems.add(&list.pointer, ViolationCode::TooManyEntries, message);
    }
    let last_index = count.clamp(1, MAX_CHANGES) - 1;
    if base.of_index(last_index).is_none() {
        let message = format!(
            "must be at most {} characters, including the suffix `/{last_index}`",
            change_id::MAX_LENGTH
        );
        // the trigger's own id is not part of the document, so there is nothing to point at
        let pointer = fields.value("changeId").map_or("", |found| &found.pointer);
        problems.add(pointer, ViolationCode::InvalidChangeId, message);
    }
    let mut changes = Vec::with_capacity(count.min(MAX_CHANGES));
    for (index, entry) in entries.enumerate() {
        // whatever else is found would not be listed
        if problems.has_overflowed() {
            return None;
        }
        let change_id = base.of_index(index).unwrap_or_else(|| base.clone());
        let defaults = Defaults { change_id, ..defaults.clone() };
        let parsed = change(&entry.pointer, entry.value, &Form::Submission, &defaults, rules, problems);
        changes.extend(parsed.map(|change| (entry.pointer, change)));
    }
    let mut counts = changes.iter().map(|(_, change)| count_targets(change));
    let targets: usize = counts.clone().sum();
    // one change that has too many alone is a violation already
    if targets > MAX_TARGETS && counts.all(|alone| alone <= MAX_TARGETS) {
        too_many_targets(&list.pointer, targets, problems);
    }
    report_overlaps(&changes, problems);
    Some(changes.into_iter().map(|(_, change)| change).collect())
}

fn count_targets(change: &PolicyChange) -> usize {
    let instances = match &change.instances {
        Instances::Named(named) => named.len(),
        Instances::All { .. } => 1,
    };
    instances * change.scopes.len()
}

fn too_many_targets(pointer: &str, targets: usize, problems: &mut Problems) {
    let message = format!("must have at most {MAX_TARGETS} targets (instances × scopes), not {targets}");
    problems.add(pointer, ViolationCode::TooManyTargets, message);
}

fn change(
    base: &str,
    json: &Json,
    form: &Form,
    defaults: &Defaults,
    rules: &Rules,
    problems: &mut Problems,
) -> Option<PolicyChange> {
    let fields = Fields::read(base, json, &FIELDS, problems)?;
    let (instances, scopes) = match form {
        Form::Submission => (read_instances(&fields, rules, problems), read_scopes(&fields, problems)),
        Form::Values(instance, scope) => {
            for found in TARGET_FIELDS.iter().filter_map(|name| fields.get(name)) {
                let message = "is not allowed here, because the path identifies the target";
                problems.add(&found.pointer, ViolationCode::UnexpectedField, message);
            }
            (Some(Instances::Named(vec![instance.clone()])), Some(vec![*scope]))
        }
    };
    let mut warnings = Problems::default();
    let values = read_values(&fields, scopes.as_deref().unwrap_or_default(), rules, problems, &mut warnings);
    let change_id = change_id(&fields, defaults, problems);
    let if_unmodified_since = match fields.value("ifUnmodifiedSince") {
        Some(found) => read_timestamp(found, problems),
        None => defaults.if_unmodified_since,
    };
    let reason = fields.value("reason").and_then(|f| f.text(MAX_REASON, problems));
    let requested_by = fields.value("requestedBy").and_then(|f| f.text(MAX_REQUESTED_BY, problems));
    let dry_run = fields.value("dryRun").and_then(|f| f.boolean(problems)).unwrap_or(false);
    let force = fields.value("force").and_then(|f| f.boolean(problems)).unwrap_or(false);
    let change = PolicyChange {
        change_id,
        instances: instances?,
        scopes: scopes?,
        values,
        if_unmodified_since,
        if_match: None,
        reason,
        requested_by,
        dry_run: dry_run || defaults.dry_run,
        force,
        warnings: warnings.into_vec(),
    };
    let targets = count_targets(&change);
    if targets > MAX_TARGETS {
        too_many_targets(base, targets, problems);
    }
    Some(change)
}

/// The document's own id. An invalid one is a violation, and reading goes on with the default.
fn change_id(fields: &Fields<'_>, defaults: &Defaults, problems: &mut Problems) -> ChangeId {
    fields
        .value("changeId")
        .and_then(|found| parse_change_id(found, problems))
        .unwrap_or_else(|| defaults.change_id.clone())
}

fn parse_change_id(found: &Found<'_>, problems: &mut Problems) -> Option<ChangeId> {
    let text = found.string(problems)?;
    let id = ChangeId::parse(text);
    if id.is_none() {
        let message = format!("must be 1 to {} characters of `A-Z a-z 0-9 . _ : / -`", change_id::MAX_LENGTH);
        problems.add(&found.pointer, ViolationCode::InvalidChangeId, message);
    }
    id
}

/// An RFC 3339 time in UTC. `None` also for a time that in UTC is outside the years 0 to 9999.
pub fn timestamp(text: &str) -> Option<OffsetDateTime> {
    let at = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    at.checked_to_offset(UtcOffset::UTC).filter(|at| at.year() >= 0)
}

fn read_timestamp(found: &Found<'_>, problems: &mut Problems) -> Option<OffsetDateTime> {
    let text = found.string(problems)?;
    let at = timestamp(text);
    if at.is_none() {
        let message = "must be an RFC 3339 time, such as `2026-11-23T09:00:00Z`";
        problems.add(&found.pointer, ViolationCode::InvalidTimestamp, message);
    }
    at
}
