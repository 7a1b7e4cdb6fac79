//! A violation: the place in the document, the rule that it breaks, and what is allowed.

use crate::stable_names;
use serde::Serialize;
use std::fmt;

/// One broken rule, reported with all others of the same document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// A JSON pointer (RFC 6901) into the change document as it was sent, in its own spelling.
    pub pointer: String,
    /// The rule, stable across versions.
    pub code: ViolationCode,
    /// What is allowed, in one lower-case line.
    pub message: String,
}

stable_names! {
    /// The rules by name. Stable: callers match on them, docs/problems.md explains each.
    pub enum ViolationCode {
        /// No `instanceId` or `instanceIds`.
        MissingInstance,
        /// No `attachmentScope` or `attachmentScopes`.
        MissingScope,
        /// Neither an absolute nor a relative value.
        MissingValues,
        /// No `plan`, which names the dry run that is to be carried out as it was reported.
        MissingPlan,
        /// Two forms or two spellings of one field, or fields that exclude each other.
        ConflictingFields,
        /// The same key twice in one object.
        DuplicateKey,
        /// An unknown field.
        UnknownField,
        /// A field that the path of a PATCH already determines, that belongs to the whole document, or that a check for
        /// drift does not have.
        UnexpectedField,
        /// `null`: there is no reset.
        NullValue,
        /// A wrong JSON type.
        WrongType,
        /// Not an instance id, an instance ARN, `*`, or whole accounts and Regions.
        InvalidInstance,
        /// An ARN of another account, and no role of that account is configured.
        NoRoleForAccount,
        /// `instanceTags` with single instances, or not tag key → value or values.
        InvalidTags,
        /// Not EMAIL, CHAT, CASE, TASK, or `*`.
        InvalidScope,
        /// Not an integral number of bytes, or not a number with a unit.
        InvalidSize,
        /// Outside 1–104857600 bytes.
        SizeOutOfRange,
        /// Above 20971520 bytes where a scope is EMAIL.
        SizeTooLargeForEmail,
        /// Below 1 MB: applied, with this warning.
        SizeBelowDocumentedRange,
        /// `"*"` matches no instance: a warning, because a tag may be misspelt.
        NoInstanceMatches,
        /// A stack declares the target: a warning, because its next update sets the target again.
        Declared,
        /// Not 1–10 of `[A-Za-z0-9_-]` after normalising.
        InvalidExtension,
        /// An empty extension list, and no setting that allows it.
        EmptyExtensionList,
        /// `enforceGuardrails`, and no guardrail that is about values.
        NoGuardrails,
        /// Not a whole number from 1 to 10,000.
        InvalidCount,
        /// A field that needs the ledger, and there is none.
        NeedsLedger,
        /// Not 1–128 of `[A-Za-z0-9._:/-]`, or not the name of a record.
        InvalidChangeId,
        /// The id belongs to a recorded change with other targets or values.
        ChangeIdReused,
        /// The record takes no further `replay-name`.
        TooManyReplays,
        /// Not RFC 3339.
        InvalidTimestamp,
        /// More characters than the field takes.
        TooLong,
        /// An empty array where at least one entry is needed.
        EmptyList,
        /// More entries than the list takes.
        TooManyEntries,
        /// More targets than a document takes.
        TooManyTargets,
        /// Two changes of one document name the same target.
        OverlappingTarget,
        /// More violations than are listed.
        TooManyViolations,
        /// More bytes than a document takes.
        DocumentTooLarge,
        /// Not JSON (RFC 8259).
        NotJson,
        /// The envelope around the document is malformed.
        MalformedEnvelope,
        /// The document came in an event whose source is rejected: neither a record nor an event is made of it.
        SourceRefused,
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at `{}`: {}", self.code, self.pointer, self.message)
    }
}

/// A value of a field or a setting that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct InvalidValue {
    /// The rule.
    pub code: ViolationCode,
    /// What is allowed, in one lower-case line.
    pub message: String,
}

impl InvalidValue {
    pub(super) fn new(code: ViolationCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

/// One reference token appended to a pointer, escaped by RFC 6901 section 3.
pub(super) fn join(base: &str, token: &str) -> String {
    let mut pointer = String::with_capacity(base.len() + token.len() + 1);
    pointer.push_str(base);
    pointer.push('/');
    // nearly every key is as it is
    if !token.contains(['~', '/']) {
        pointer.push_str(token);
        return pointer;
    }
    for c in token.chars() {
        match c {
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            c => pointer.push(c),
        }
    }
    pointer
}
