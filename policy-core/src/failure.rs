//! Why a target was not changed as requested: one code for each reason, with its message, its HTTP problem and
//! whether a retry helps.

use crate::policy::Blocked;
use crate::problem::Problem;
use crate::stable_names;
use serde::Serialize;
use serde::ser::{SerializeStruct, Serializer};
use std::borrow::Cow;

stable_names! {
    /// Why a target does not hold the requested values. Stable: callers match on the names, docs/problems.md explains
    /// each.
    ///
    /// Amazon Connect's errors keep the names of its API model. A report shows an error name that is not in this list
    /// unchanged ([`Failure::code`]); the variant then says what it means.
    pub enum ErrorCode {
        /// The instance is not in `POLICY_ALLOWED_INSTANCES`.
        InstanceNotAllowed,
        /// An extension is in `POLICY_BLOCKED_EXTENSIONS`.
        ExtensionBlocked,
        /// The size is above `POLICY_MAX_SIZE_BYTES`.
        SizeBlocked,
        /// A computed list would have no extension left.
        WouldBeEmpty,
        /// A computed list would have more than 256 extensions.
        WouldBeTooLong,
        /// The target does not hold the values that `If-Match` names.
        ETagDiffers,
        /// The target was modified after `ifUnmodifiedSince`.
        ModifiedSince,
        /// A newer change has set one of the values that this change names.
        NewerChange,
        /// The target does not hold what an undo or a plan was made for.
        ChangedSince,
        /// Another stack declares the target.
        DeclaredElsewhere,
        /// The invocation's time ran out before the target was begun.
        NoTimeLeft,
        /// An earlier change of the same document is incomplete.
        EarlierChangeIncomplete,
        /// Another update of the target is under way.
        TargetBusy,
        /// An operator has frozen all changes.
        Frozen,
        /// A run of the change is under way that this one cannot join.
        ChangeRunning,
        /// The lane of the target made no progress for too many deliveries.
        LaneParked,
        /// A person cancelled the change before the target was begun.
        Cancelled,
        /// So many targets failed that the change was stopped before this one was begun.
        StoppedAfterFailures,
        /// The audit log could not be written.
        AuditUnavailable,
        /// The ledger could not be read or written.
        LedgerUnavailable,
        /// The update got no answer, and a read afterwards shows that it had no effect.
        NotTaken,
        /// The update got no answer, and a read afterwards shows other values than before and than were sent.
        OvertakenElsewhere,
        /// Amazon Connect answered with other values than were sent.
        ResponseDiffers,
        /// Amazon Connect rejects the values.
        InvalidParameterException,
        /// Amazon Connect has no such instance.
        ResourceNotFoundException,
        /// This function's role lacks a permission.
        AccessDeniedException,
        /// Amazon Connect throttled every attempt.
        ThrottlingException,
        /// Amazon Connect failed on its side.
        InternalServiceException,
        /// This function's credentials are expired or unusable; Lambda hands out new ones.
        CredentialsUnusable,
        /// No usable answer: not reached, cut off, or unreadable.
        ConnectionFailed,
        /// No answer came before the invocation's time ran out.
        DeadlineExceeded,
        /// Amazon Connect rejected the call for another reason.
        RequestRefused,
    }
}

impl ErrorCode {
    /// The meaning of an error name that Amazon Connect, or AWS in front of it, returned. `None`: the HTTP status
    /// decides.
    pub fn of_service(name: &str) -> Option<Self> {
        Some(match name {
            "InvalidParameterException" | "InvalidRequestException" | "ValidationException" => {
                Self::InvalidParameterException
            }
            "ResourceNotFoundException" => Self::ResourceNotFoundException,
            "AccessDeniedException" => Self::AccessDeniedException,
            "ThrottlingException" | "TooManyRequestsException" => Self::ThrottlingException,
            "ExpiredTokenException"
            | "ExpiredToken"
            | "RequestExpired"
            | "UnrecognizedClientException"
            | "InvalidSignatureException"
            | "InvalidClientTokenId" => Self::CredentialsUnusable,
            _ => return None,
        })
    }

    /// The HTTP problem of a request whose targets all ended like this.
    pub const fn problem(self) -> Problem {
        match self {
            Self::InstanceNotAllowed
            | Self::ExtensionBlocked
            | Self::SizeBlocked
            | Self::WouldBeEmpty
            | Self::WouldBeTooLong => Problem::Blocked,
            Self::ETagDiffers
            | Self::ModifiedSince
            | Self::NewerChange
            | Self::ChangedSince
            | Self::DeclaredElsewhere => Problem::PreconditionFailed,
            Self::NoTimeLeft | Self::EarlierChangeIncomplete | Self::AuditUnavailable | Self::LaneParked => {
                Problem::Unavailable
            }
            Self::TargetBusy => Problem::TargetBusy,
            Self::Frozen => Problem::Frozen,
            Self::ChangeRunning => Problem::ChangeRunning,
            Self::LedgerUnavailable => Problem::LedgerUnavailable,
            Self::Cancelled | Self::StoppedAfterFailures => Problem::ChangeFinal,
            Self::InvalidParameterException => Problem::InvalidParameter,
            Self::ResourceNotFoundException => Problem::InstanceNotFound,
            Self::ThrottlingException => Problem::Throttled,
            Self::DeadlineExceeded => Problem::UpstreamTimeout,
            Self::ResponseDiffers
            | Self::NotTaken
            | Self::OvertakenElsewhere
            | Self::AccessDeniedException
            | Self::InternalServiceException
            | Self::CredentialsUnusable
            | Self::ConnectionFailed
            | Self::RequestRefused => Problem::UpstreamFailed,
        }
    }

    /// Whether the same change later could succeed.
    pub const fn is_retryable(self) -> bool {
        match self {
            Self::NoTimeLeft
            | Self::EarlierChangeIncomplete
            | Self::TargetBusy
            | Self::Frozen
            | Self::ChangeRunning
            | Self::LaneParked
            | Self::AuditUnavailable
            | Self::LedgerUnavailable
            | Self::NotTaken
            | Self::OvertakenElsewhere
            | Self::ThrottlingException
            | Self::InternalServiceException
            | Self::CredentialsUnusable
            | Self::ConnectionFailed
            | Self::DeadlineExceeded => true,
            Self::InstanceNotAllowed
            | Self::ExtensionBlocked
            | Self::SizeBlocked
            | Self::WouldBeEmpty
            | Self::WouldBeTooLong
            | Self::ETagDiffers
            | Self::ModifiedSince
            | Self::NewerChange
            | Self::ChangedSince
            | Self::DeclaredElsewhere
            | Self::Cancelled
            | Self::StoppedAfterFailures
            | Self::ResponseDiffers
            | Self::InvalidParameterException
            | Self::ResourceNotFoundException
            | Self::AccessDeniedException
            | Self::RequestRefused => false,
        }
    }

    /// The message for callers. It has nothing that only the operator should read.
    pub const fn message(self) -> &'static str {
        match self {
            Self::InstanceNotAllowed => "the instance is not in POLICY_ALLOWED_INSTANCES",
            Self::ExtensionBlocked => "POLICY_BLOCKED_EXTENSIONS blocks an extension",
            Self::SizeBlocked => "the size is above POLICY_MAX_SIZE_BYTES",
            Self::WouldBeEmpty => "the list would be empty",
            Self::WouldBeTooLong => "the list would have too many extensions",
            Self::ETagDiffers => "the target's current ETag does not match If-Match",
            Self::ModifiedSince => "the target was modified after ifUnmodifiedSince",
            Self::NewerChange => "a newer change has set a value that this change names",
            Self::ChangedSince => "the target does not hold the values that this change was made for",
            Self::DeclaredElsewhere => "another stack declares the target",
            Self::NoTimeLeft => "the invocation ran out of time before it reached this target",
            Self::EarlierChangeIncomplete => "an earlier change in the same document is not complete",
            Self::Frozen => "changes are frozen; GET /freeze says by whom and why",
            Self::ChangeRunning => "a run of this change is under way; wait for its end",
            Self::TargetBusy => "another update of this target is under way",
            Self::LaneParked => "too many attempts in this account and Region made no progress",
            Self::Cancelled => "the change was cancelled before it reached this target",
            Self::StoppedAfterFailures => "stopAfterFailures ended the change before it reached this target",
            Self::AuditUnavailable => {
                "the audit log could not be written, and no update is sent without an audit record"
            }
            Self::LedgerUnavailable => {
                "the ledger could not be read or written, and no update is sent without its record"
            }
            Self::NotTaken => "the update got no answer, and a later read shows that it had no effect",
            Self::OvertakenElsewhere => {
                "the update got no answer, and a later read shows values from elsewhere"
            }
            Self::ResponseDiffers => {
                "Amazon Connect returned different values from those requested; `after` shows them"
            }
            Self::InvalidParameterException => "Amazon Connect rejected these values",
            Self::ResourceNotFoundException => {
                "Amazon Connect did not find the instance in this account and Region"
            }
            Self::AccessDeniedException => {
                "Amazon Connect denied access to this function; its role lacks the permission"
            }
            Self::ThrottlingException => "Amazon Connect throttled every attempt",
            Self::InternalServiceException => "Amazon Connect returned a server error",
            Self::CredentialsUnusable => "this function's AWS credentials were not accepted",
            Self::ConnectionFailed => {
                "Amazon Connect could not be reached, or its response could not be read"
            }
            Self::DeadlineExceeded => "the invocation ran out of time before Amazon Connect responded",
            Self::RequestRefused => "Amazon Connect rejected the call",
        }
    }

    /// Whether lack of time was the only cause, so that the next invocation can continue at once.
    pub const fn is_out_of_time(self) -> bool {
        matches!(self, Self::NoTimeLeft | Self::EarlierChangeIncomplete)
    }
}

/// Why a target does not hold the requested values: the code, and the details of this case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What went wrong.
    pub code: ErrorCode,
    /// The error name that Amazon Connect returned, if it differs from the code's.
    service_code: Option<String>,
    message: Cow<'static, str>,
    retryable: bool,
    detail: Option<String>,
}

impl Failure {
    /// With the code's own message and retryability.
    pub const fn new(code: ErrorCode) -> Self {
        let message = Cow::Borrowed(code.message());
        Self { code, service_code: None, message, retryable: code.is_retryable(), detail: None }
    }

    /// With a message of its own, which names the values of this case.
    #[must_use]
    pub fn with_message(self, message: String) -> Self {
        Self { message: Cow::Owned(message), ..self }
    }

    /// With the message of the service or the transport: for the log, never for the caller.
    #[must_use]
    pub fn with_detail(self, detail: String) -> Self {
        Self { detail: Some(detail), ..self }
    }

    /// With the error name that the service returned.
    #[must_use]
    pub fn with_service_code(self, name: Option<String>) -> Self {
        Self { service_code: name, ..self }
    }

    /// Marks it retryable, whatever the code says: nobody knows whether the update took effect, and a retry settles
    /// it.
    #[must_use]
    pub fn made_retryable(self) -> Self {
        Self { retryable: true, ..self }
    }

    /// `error.code`: the service's name if there is one, otherwise ours.
    pub fn code(&self) -> &str {
        self.service_code.as_deref().unwrap_or(self.code.name())
    }

    /// `error.message`: for the caller.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// `error.retryable`: whether the same change again could help.
    pub fn is_retryable(&self) -> bool {
        self.retryable
    }

    /// The message of the service or the transport, for the log.
    pub fn detail(&self) -> Option<&str> {
        self.detail.as_deref()
    }
}

impl From<&Blocked> for Failure {
    fn from(blocked: &Blocked) -> Self {
        let code = match blocked {
            Blocked::Instance => ErrorCode::InstanceNotAllowed,
            Blocked::Extensions(_) => ErrorCode::ExtensionBlocked,
            Blocked::Size { .. } => ErrorCode::SizeBlocked,
            Blocked::Empty => ErrorCode::WouldBeEmpty,
            Blocked::TooLong(_) => ErrorCode::WouldBeTooLong,
        };
        Self::new(code).with_message(blocked.to_string())
    }
}

impl Serialize for Failure {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut error = serializer.serialize_struct("Failure", 3)?;
        error.serialize_field("code", self.code())?;
        error.serialize_field("message", self.message())?;
        error.serialize_field("retryable", &self.retryable)?;
        error.end()
    }
}
