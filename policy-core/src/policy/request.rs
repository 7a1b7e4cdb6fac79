//! The bodies of requests about recorded changes, and about all of them. They are read as a change document is: every
//! violation at once, each with a pointer into the body as it was sent.

use super::change_id::ChangeId;
use super::document::MAX_DOCUMENT;
use super::document::change::{MAX_REASON, parse_change_id};
use super::field::{Field, ObjectKind};
use super::json::Json;
use super::reader::Fields;
use super::violation::{Violation, ViolationCode};
use super::violations::Violations;

/// How a change is to be undone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Undo {
    /// Why, in the requester's words.
    pub reason: Option<String>,
    /// The id of the undo, which is a change of its own.
    pub change_id: Option<ChangeId>,
    /// Also where something else was set since.
    pub force: bool,
}

/// How a target is to get back what it should hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Restore {
    /// Why, in the requester's words.
    pub reason: Option<String>,
    /// The id of the change.
    pub change_id: Option<ChangeId>,
}

/// Which plan is to be carried out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Apply {
    /// The hash that the dry run's report gave.
    pub plan: String,
    /// Why, in the requester's words.
    pub reason: Option<String>,
    /// The id of the change that carries it out.
    pub change_id: Option<ChangeId>,
}

/// Why a change is to be cancelled.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cancel {
    /// In the requester's words.
    pub reason: Option<String>,
}

/// How changes are to be frozen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Freeze {
    /// Why, in the requester's words.
    pub reason: Option<String>,
    /// Whether accepted changes go on to their end.
    pub drain: bool,
}

impl Undo {
    /// From a body; an empty one has every default.
    ///
    /// # Errors
    /// Every violation, in the order of the body.
    pub fn parse(body: &str) -> Result<Self, Vec<Violation>> {
        read(body, ObjectKind::Undo, |fields, violations| Self {
            reason: reason(fields, violations),
            change_id: change_id(fields, violations),
            force: is_set(fields, Field::Force, violations),
        })
    }
}

impl Restore {
    /// From a body; an empty one has every default.
    ///
    /// # Errors
    /// Every violation, in the order of the body.
    pub fn parse(body: &str) -> Result<Self, Vec<Violation>> {
        read(body, ObjectKind::Restore, |fields, violations| Self {
            reason: reason(fields, violations),
            change_id: change_id(fields, violations),
        })
    }
}

impl Apply {
    /// From a body.
    ///
    /// # Errors
    /// Every violation, in the order of the body.
    pub fn parse(body: &str) -> Result<Self, Vec<Violation>> {
        read(body, ObjectKind::Apply, |fields, violations| {
            if fields.get(Field::Plan).is_none() {
                let message = "needs `plan`: the hash that the dry run's report has";
                violations.add("", ViolationCode::MissingPlan, message);
            }
            let plan = fields.value(Field::Plan).and_then(|found| found.string(violations));
            Self {
                plan: plan.unwrap_or_default().to_owned(),
                reason: reason(fields, violations),
                change_id: change_id(fields, violations),
            }
        })
    }
}

impl Cancel {
    /// From a body; an empty one has every default.
    ///
    /// # Errors
    /// Every violation, in the order of the body.
    pub fn parse(body: &str) -> Result<Self, Vec<Violation>> {
        read(body, ObjectKind::Cancel, |fields, violations| Self { reason: reason(fields, violations) })
    }
}

impl Freeze {
    /// From a body; an empty one has every default.
    ///
    /// # Errors
    /// Every violation, in the order of the body.
    pub fn parse(body: &str) -> Result<Self, Vec<Violation>> {
        read(body, ObjectKind::Freeze, |fields, violations| Self {
            reason: reason(fields, violations),
            drain: is_set(fields, Field::Drain, violations),
        })
    }
}

fn read<T>(
    body: &str,
    object: ObjectKind,
    take: impl FnOnce(&Fields<'_>, &mut Violations) -> T,
) -> Result<T, Vec<Violation>> {
    let whole = |code, message| vec![Violation { pointer: String::new(), code, message }];
    if body.len() > MAX_DOCUMENT {
        let message = format!("must be at most {MAX_DOCUMENT} bytes, not {}", body.len());
        return Err(whole(ViolationCode::DocumentTooLarge, message));
    }
    let body = if body.trim().is_empty() { "{}" } else { body };
    let json: Json = serde_json::from_str(body)
        .map_err(|error| whole(ViolationCode::NotJson, format!("must be JSON: {error}")))?;
    let mut violations = Violations::default();
    let taken = Fields::read("", &json, object, &mut violations).map(|fields| take(&fields, &mut violations));
    match taken {
        Some(taken) if violations.is_empty() => Ok(taken),
        _ => Err(violations.in_order_of(&json)),
    }
}

fn reason(fields: &Fields<'_>, violations: &mut Violations) -> Option<String> {
    fields.value(Field::Reason).and_then(|found| found.text(MAX_REASON, violations))
}

fn change_id(fields: &Fields<'_>, violations: &mut Violations) -> Option<ChangeId> {
    fields.value(Field::ChangeId).and_then(|found| parse_change_id(found, true, violations))
}

fn is_set(fields: &Fields<'_>, field: Field, violations: &mut Violations) -> bool {
    fields.value(field).and_then(|found| found.boolean(violations)).unwrap_or(false)
}
