//! Problem details for HTTP APIs (RFC 9457). docs/problems.md explains each type.
//!
//! Written here and not taken from a crate: most of it is members that the standard does not have.

use crate::policy::Violation;
use crate::stable_codes::stable_codes;
use serde::Serialize;
use serde_json::value::RawValue;

stable_codes! {
    /// The kinds of problems, each with its type URI, status and title.
    pub enum Problem {
        /// Not JSON.
        NotJson,
        /// Bad base64, not UTF-8, or no body.
        InvalidBody,
        /// A broken API Gateway envelope.
        MalformedEnvelope,
        /// An unknown query parameter, or a wrong value.
        InvalidQuery,
        /// A guardrail forbids every target.
        Blocked,
        /// No such path.
        NotFound,
        /// Connect has no such instance.
        InstanceNotFound,
        /// The path has other methods.
        MethodNotAllowed,
        /// Every target was modified since, or holds other values than `If-Match` names.
        PreconditionFailed,
        /// More bytes than a document takes.
        TooLarge,
        /// Not a JSON media type.
        UnsupportedMediaType,
        /// The document has violations.
        Rejected,
        /// Connect rejects the values.
        InvalidParameter,
        /// Connect throttled every attempt.
        Throttled,
        /// Connect failed, or denied access to this function.
        UpstreamFailed,
        /// Time ran out before the first call, or the audit could not be written.
        Unavailable,
        /// No answer in time.
        UpstreamTimeout,
    }
}

impl Problem {
    /// The HTTP status.
    pub const fn status(self) -> u16 {
        self.row().0
    }

    /// The last part of the type URI: `urn:problem-type:connect-attachment-policy:{slug}`.
    pub const fn slug(self) -> &'static str {
        self.row().1
    }

    const fn title(self) -> &'static str {
        self.row().2
    }

    const fn row(self) -> (u16, &'static str, &'static str) {
        match self {
            Self::NotJson => (400, "not-json", "The body is not JSON"),
            Self::InvalidBody => (400, "invalid-body", "The body cannot be read"),
            Self::MalformedEnvelope => (400, "malformed-envelope", "The request's envelope is malformed"),
            Self::InvalidQuery => (400, "invalid-query", "The query is invalid"),
            Self::Blocked => (403, "blocked", "A guardrail blocks this change"),
            Self::NotFound => (404, "not-found", "There is no such path"),
            Self::InstanceNotFound => (404, "instance-not-found", "There is no such instance"),
            Self::MethodNotAllowed => (405, "method-not-allowed", "The path does not have this method"),
            Self::PreconditionFailed => (412, "precondition-failed", "The target was modified since"),
            Self::TooLarge => (413, "too-large", "The document is too large"),
            Self::UnsupportedMediaType => (415, "unsupported-media-type", "The body must be JSON"),
            Self::Rejected => (422, "rejected", "The policy change is invalid"),
            Self::InvalidParameter => (422, "invalid-parameter", "Amazon Connect rejects these values"),
            Self::Throttled => (429, "throttled", "Amazon Connect throttled the change"),
            Self::UpstreamFailed => (502, "upstream-failed", "Amazon Connect failed"),
            Self::Unavailable => (503, "unavailable", "The change could not be begun"),
            Self::UpstreamTimeout => (504, "upstream-timeout", "Amazon Connect did not answer in time"),
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
        kind: format!("urn:problem-type:connect-attachment-policy:{}", problem.slug()),
        title: problem.title(),
        status: problem.status(),
        detail,
        change_id,
        violations,
        report,
    })
}
