//! The faults that Amazon Connect can be given.

use std::{fmt, str::FromStr, time::Duration};

use serde::{Serialize, Serializer};

mod plan;

pub(super) use plan::Plan;

/// How long [`Fault::Slow`] takes when no duration is given.
const DEFAULT_SLOWNESS: Duration = Duration::from_secs(5);

/// A way for a request to go wrong.
///
/// With a fault that names an *effect*, the operation is carried out first. If that fails, its
/// error is the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// 429 `ThrottlingException`, no effect.
    Throttle,
    /// 429 that names no error, no effect.
    UntypedThrottle,
    /// 429 `TooManyRequestsException`, as older Connect operations throttle; no effect.
    TooManyRequests,
    /// 500 `InternalServiceException`, no effect.
    InternalError,
    /// 503 `ServiceUnavailableException`, no effect.
    Unavailable {
        /// The header `x-amz-retry-after`, in milliseconds.
        retry_after_ms: Option<u64>,
    },
    /// The connection ends without an answer, no effect.
    ResetBefore,
    /// The connection ends without an answer, after the effect.
    ResetAfter,
    /// No answer for as long as the client waits, no effect.
    Silent,
    /// The effect at once, the answer after this long.
    Slow(Duration),
    /// 200 and the effect, but the connection ends in the middle of the body.
    Truncated,
    /// 200 and the effect, but the body is HTML.
    WrongContentType,
    /// 200, but another size than the one asked for is stored and answered. Reads are answered as
    /// without a fault.
    OtherValues,
    /// 403 `AccessDeniedException`, no effect.
    AccessDenied,
    /// 403 `ExpiredTokenException`, no effect.
    ExpiredToken,
    /// 404 `ResourceNotFoundException`, no effect.
    NotFound,
}

impl fmt::Display for Fault {
    /// The form [`Fault::from_str`] reads.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Throttle => "throttle",
            Self::UntypedThrottle => "untyped-throttle",
            Self::TooManyRequests => "too-many-requests",
            Self::InternalError => "500",
            Self::Unavailable { retry_after_ms: None } => "503",
            Self::Unavailable { retry_after_ms: Some(wait) } => return write!(formatter, "503:{wait}"),
            Self::ResetBefore => "reset-before",
            Self::ResetAfter => "reset-after",
            Self::Silent => "silent",
            Self::Slow(duration) => return write!(formatter, "slow:{}", duration.as_millis()),
            Self::Truncated => "truncated",
            Self::WrongContentType => "wrong-content-type",
            Self::OtherValues => "other-values",
            Self::AccessDenied => "access-denied",
            Self::ExpiredToken => "expired-token",
            Self::NotFound => "not-found",
        })
    }
}

impl FromStr for Fault {
    type Err = UnknownFault;

    /// Reads a kind; `slow` and `503` take milliseconds after a colon (`slow:2000`, `503:1500`).
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unknown = || UnknownFault(text.to_owned());
        if let Some((kind, wait)) = text.split_once(':') {
            let wait: u64 = wait.parse().map_err(|_| unknown())?;
            return match kind {
                "slow" => Ok(Self::Slow(Duration::from_millis(wait))),
                "503" => Ok(Self::Unavailable { retry_after_ms: Some(wait) }),
                _ => Err(unknown()),
            };
        }
        Ok(match text {
            "throttle" => Self::Throttle,
            "untyped-throttle" => Self::UntypedThrottle,
            "too-many-requests" => Self::TooManyRequests,
            "500" => Self::InternalError,
            "503" => Self::Unavailable { retry_after_ms: None },
            "reset-before" => Self::ResetBefore,
            "reset-after" => Self::ResetAfter,
            "silent" => Self::Silent,
            "slow" => Self::Slow(DEFAULT_SLOWNESS),
            "truncated" => Self::Truncated,
            "wrong-content-type" => Self::WrongContentType,
            "other-values" => Self::OtherValues,
            "access-denied" => Self::AccessDenied,
            "expired-token" => Self::ExpiredToken,
            "not-found" => Self::NotFound,
            _ => return Err(unknown()),
        })
    }
}

impl Serialize for Fault {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The text was not a kind of fault.
///
/// Holds the text, so that the message can show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownFault(pub String);

impl fmt::Display for UnknownFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "unknown fault `{}`, must be one of throttle, untyped-throttle, too-many-requests, 500, 503[:MS], \
             reset-before, reset-after, silent, slow[:MS], truncated, wrong-content-type, other-values, \
             access-denied, expired-token, not-found",
            self.0
        )
    }
}

impl std::error::Error for UnknownFault {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_reads_back_from_what_it_displays() {
        for fault in [
            Fault::Throttle,
            Fault::UntypedThrottle,
            Fault::TooManyRequests,
            Fault::InternalError,
            Fault::Unavailable { retry_after_ms: None },
            Fault::Unavailable { retry_after_ms: Some(1500) },
            Fault::ResetBefore,
            Fault::ResetAfter,
            Fault::Silent,
            Fault::Slow(Duration::from_secs(2)),
            Fault::Truncated,
            Fault::WrongContentType,
            Fault::OtherValues,
            Fault::AccessDenied,
            Fault::ExpiredToken,
            Fault::NotFound,
        ] {
            assert_eq!(fault.to_string().parse(), Ok(fault));
        }
    }

    #[test]
    fn slow_without_a_duration_is_five_seconds() {
        assert_eq!("slow".parse(), Ok(Fault::Slow(Duration::from_secs(5))));
    }

    #[test]
    fn an_unknown_kind_and_a_misplaced_wait_are_refused() {
        for text in ["", "Throttle", "throttle:5", "slow:", "slow:2s", "503:-1"] {
            assert_eq!(text.parse::<Fault>(), Err(UnknownFault(text.to_owned())));
        }
    }
}
