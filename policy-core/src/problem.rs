//! Problem details for HTTP APIs (RFC 9457). docs/problems.md explains each type.
//!
//! Written here and not taken from a crate, because most of its members are not in the standard.

use crate::policy::Violation;
use crate::stable_names;
use serde::Serialize;
use serde_json::value::RawValue;

stable_names! {
    /// The kinds of problems, named by the last part of the type URI:
    /// `urn:problem-type:connect-attachment-policy:{name}`. docs/problems.md explains each.
    pub enum Problem {
        /// Not JSON.
        NotJson = "not-json",
        /// Bad base64, not UTF-8, or no body.
        InvalidBody = "invalid-body",
        /// A broken API Gateway envelope.
        MalformedEnvelope = "malformed-envelope",
        /// An unknown query parameter, or a wrong value.
        InvalidQuery = "invalid-query",
        /// Not a token of this list.
        InvalidToken = "invalid-token",
        /// A guardrail forbids every target.
        Blocked = "blocked",
        /// No such path.
        NotFound = "not-found",
        /// Connect has no such instance.
        InstanceNotFound = "instance-not-found",
        /// No record of such a change, or it has expired.
        ChangeNotFound = "change-not-found",
        /// No change has set a value of the target, so nobody knows what it should hold.
        TargetNotGoverned = "target-not-governed",
        /// No stack declares the target.
        NotDeclared = "not-declared",
        /// The path does not support the method.
        MethodNotAllowed = "method-not-allowed",
        /// The change id has a record with other targets or values.
        ChangeIdReused = "change-id-reused",
        /// The change has not ended.
        ChangeRunning = "change-running",
        /// The change has ended.
        ChangeFinal = "change-final",
        /// The change applied nothing that could be undone, or planned nothing that could be applied.
        NothingToUndo = "nothing-to-undo",
        /// Only a dry run can be applied.
        NotADryRun = "not-a-dry-run",
        /// The dry run is too old to be applied.
        PlanExpired = "plan-expired",
        /// The hash is not that of the dry run's plan.
        PlanDiffers = "plan-differs",
        /// Every target was modified since, or holds other values than `If-Match` names.
        PreconditionFailed = "precondition-failed",
        /// More bytes than a document takes.
        TooLarge = "too-large",
        /// Not a JSON media type.
        UnsupportedMediaType = "unsupported-media-type",
        /// The document has violations.
        Rejected = "rejected",
        /// Connect rejects the values.
        InvalidParameter = "invalid-parameter",
        /// Connect throttled every attempt.
        Throttled = "throttled",
        /// Connect failed, or denied access to this function.
        UpstreamFailed = "upstream-failed",
        /// Time ran out before the first call, or the audit could not be written.
        Unavailable = "unavailable",
        /// An operator has frozen all changes.
        Frozen = "frozen",
        /// The ledger could not be read or written.
        LedgerUnavailable = "ledger-unavailable",
        /// Another update of the target is under way.
        TargetBusy = "target-busy",
        /// No answer in time.
        UpstreamTimeout = "upstream-timeout",
    }
}

impl Problem {
    /// The HTTP status.
    pub const fn status(self) -> u16 {
        self.row().0
    }

    /// The title.
    pub const fn title(self) -> &'static str {
        self.row().1
    }

    const fn row(self) -> (u16, &'static str) {
        match self {
            Self::NotJson => (400, "The body is not JSON"),
            Self::InvalidBody => (400, "The body cannot be read"),
            Self::MalformedEnvelope => (400, "The request's envelope is malformed"),
            Self::InvalidQuery => (400, "The query string is invalid"),
            Self::InvalidToken => (400, "The token is not one of this list"),
            Self::Blocked => (403, "A guardrail or limit forbids this request"),
            Self::NotFound => (404, "Path not found"),
            Self::InstanceNotFound => (404, "Instance not found"),
            Self::ChangeNotFound => (404, "Change not found"),
            Self::TargetNotGoverned => (404, "Target not governed"),
            Self::NotDeclared => (404, "The target is not declared"),
            Self::MethodNotAllowed => (405, "Method not allowed"),
            Self::ChangeIdReused => (409, "The change id belongs to another change"),
            Self::ChangeRunning => (409, "The change has not ended"),
            Self::ChangeFinal => (409, "The change has ended"),
            Self::NothingToUndo => (409, "There is nothing to undo or to apply"),
            Self::NotADryRun => (409, "The change is not a dry run that can be applied"),
            Self::PlanExpired => (409, "The plan has expired"),
            Self::PlanDiffers => (409, "The plan is another one"),
            Self::PreconditionFailed => (412, "Precondition failed"),
            Self::TooLarge => (413, "The document is too large"),
            Self::UnsupportedMediaType => (415, "The body must be JSON"),
            Self::Rejected => (422, "The policy change is invalid"),
            Self::InvalidParameter => (422, "Amazon Connect rejected these values"),
            Self::Throttled => (429, "Amazon Connect throttled the request"),
            Self::UpstreamFailed => (502, "The call to Amazon Connect failed"),
            Self::Unavailable => (503, "The request could not be started"),
            Self::Frozen => (503, "Changes are frozen"),
            Self::LedgerUnavailable => (503, "The ledger is unavailable"),
            Self::TargetBusy => (503, "The target is busy"),
            Self::UpstreamTimeout => (504, "Amazon Connect did not respond in time"),
        }
    }
}

/// The members of a problem document.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    #[serde(rename = "type")]
    kind: String,
    title: &'static str,
    status: u16,
    detail: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    change_id: Option<&'a str>,
    violations: &'a [Violation],
    #[serde(skip_serializing_if = "Option::is_none")]
    report: Option<&'a RawValue>,
}

/// The document of a problem.
///
/// # Errors
/// Never for these types; kept so that no caller has to panic.
pub fn encode(
    problem: Problem,
    detail: &str,
    change_id: Option<&str>,
    violations: &[Violation],
    report: Option<&RawValue>,
) -> Result<String, serde_json::Error> {
    serde_json::to_string(&Document {
        kind: format!("urn:problem-type:connect-attachment-policy:{}", problem.name()),
        title: problem.title(),
        status: problem.status(),
        detail,
        change_id,
        violations,
        report,
    })
}
