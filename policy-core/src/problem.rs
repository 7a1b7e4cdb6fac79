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
        /// A guardrail forbids every target.
        Blocked = "blocked",
        /// No such path.
        NotFound = "not-found",
        /// Connect has no such instance.
        InstanceNotFound = "instance-not-found",
        /// The path does not support the method.
        MethodNotAllowed = "method-not-allowed",
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
            Self::Blocked => (403, "A guardrail or limit forbids this request"),
            Self::NotFound => (404, "Path not found"),
            Self::InstanceNotFound => (404, "Instance not found"),
            Self::MethodNotAllowed => (405, "Method not allowed"),
            Self::PreconditionFailed => (412, "Precondition failed"),
            Self::TooLarge => (413, "The document is too large"),
            Self::UnsupportedMediaType => (415, "The body must be JSON"),
            Self::Rejected => (422, "The policy change is invalid"),
            Self::InvalidParameter => (422, "Amazon Connect rejected these values"),
            Self::Throttled => (429, "Amazon Connect throttled the request"),
            Self::UpstreamFailed => (502, "The call to Amazon Connect failed"),
            Self::Unavailable => (503, "The request could not be started"),
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
