//! The cells below the trigger: every fault once, by a bare change.

use super::cell::{
    Cell, Endpoint, Holds, Target, applied, applied_by_chance, failed_for_good, failed_for_now, for_good,
    incomplete, pending, unknown,
};
use crate::world::{ONE, THREE, TWO};
use sandbox::connect::{Fault, Operation, Scope};
use std::time::Duration;

pub(super) const UPDATE: Operation = Operation::UpdateAttachedFilesConfiguration;
pub(super) const DESCRIBE: Operation = Operation::DescribeAttachedFilesConfiguration;
const LIST: Operation = Operation::ListAttachedFilesConfigurations;
/// One attempt a call.
pub(super) const ONCE: [(&str, &str); 1] = [("CONNECT_MAX_ATTEMPTS", "1")];
const EVERY_SCOPE: &[Scope] = &[Scope::Email, Scope::Chat, Scope::Case, Scope::Task];
const SLOW: Fault = Fault::Slow(Duration::from_secs(20));
const UNAVAILABLE: Fault = Fault::Unavailable { retry_after_ms: Some(20) };

pub(super) fn cells() -> Vec<Cell> {
    let mut cells = Vec::new();
    cells.extend(updates_that_get_through());
    cells.extend(updates_that_do_not());
    cells.extend(answers_that_are_lost());
    cells.extend(reads());
    cells.extend(half_way());
    cells.extend(storms());
    cells.extend(endpoints());
    cells.push(too_long());
    cells
}

/// Faults that pass: the SDK's retries get the update through.
fn updates_that_get_through() -> impl Iterator<Item = Cell> {
    let cells = [
        ("throttled twice", vec![Fault::Throttle, Fault::Throttle]),
        ("429 without an error type, once", vec![Fault::UntypedThrottle]),
        ("TooManyRequestsException, once", vec![Fault::TooManyRequests]),
        ("500, once", vec![Fault::InternalError]),
        ("503 with retry-after, once", vec![UNAVAILABLE]),
        ("reset before the effect, once", vec![Fault::ResetBefore]),
        ("reset after the effect, once", vec![Fault::ResetAfter]),
        ("truncated JSON, once", vec![Fault::Truncated]),
        ("slow beyond the attempt's timeout, once", vec![SLOW]),
        ("each of them, once", vec![Fault::ResetAfter, Fault::Throttle, Fault::InternalError, UNAVAILABLE]),
    ];
    cells.into_iter().map(|(name, faults)| Cell {
        targets: vec![applied(faults.len() as u64 + 1)],
        script: vec![(UPDATE, faults.into_iter().map(Some).collect())],
        ..Cell::named(name)
    })
}

/// Faults that stay: the update ends as its cause.
fn updates_that_do_not() -> impl Iterator<Item = Cell> {
    let cells = [
        ("throttled for ever", Fault::Throttle, failed_for_now("ThrottlingException", 6)),
        ("429 without an error type", Fault::UntypedThrottle, failed_for_now("ThrottlingException", 6)),
        ("TooManyRequestsException", Fault::TooManyRequests, failed_for_now("TooManyRequestsException", 6)),
        ("500", Fault::InternalError, failed_for_now("InternalServiceException", 6)),
        ("503 with retry-after", UNAVAILABLE, failed_for_now("ServiceUnavailableException", 6)),
        ("reset before the effect", Fault::ResetBefore, failed_for_now("ConnectionFailed", 6)),
        ("expired credentials", Fault::ExpiredToken, failed_for_now("ExpiredTokenException", 1)),
        ("access denied", Fault::AccessDenied, failed_for_good("AccessDeniedException", 1)),
        ("no such instance", Fault::NotFound, failed_for_good("ResourceNotFoundException", 1)),
        (
            "200 with other values than asked",
            Fault::OtherValues,
            failed_for_good("ResponseDiffers", 1).holding(Holds::Other),
        ),
    ];
    let cells = cells.into_iter().map(|(name, fault, target)| Cell {
        always: vec![(UPDATE, fault)],
        answer: if is_for_now(&target) { incomplete() } else { for_good("failed") },
        targets: vec![target],
        ..Cell::named(name)
    });
    cells.chain([Cell {
        always: vec![(UPDATE, Fault::Silent)],
        settings: ONCE.to_vec(),
        answer: incomplete(),
        targets: vec![failed_for_now("ConnectionFailed", 1)],
        ..Cell::named("no answer and no effect, one attempt")
    }])
}

fn is_for_now(target: &Target) -> bool {
    target.error.is_some_and(|(_, retryable)| retryable)
}

/// The update took effect and its answer is lost: one read settles it, or the outcome is unknown.
fn answers_that_are_lost() -> impl Iterator<Item = Cell> {
    let looked_up = [
        ("reset after the effect", Fault::ResetAfter, Vec::new(), 6),
        ("reset after the effect, one attempt", Fault::ResetAfter, ONCE.to_vec(), 1),
        ("slow beyond the attempt's timeout", SLOW, ONCE.to_vec(), 1),
        ("truncated JSON", Fault::Truncated, Vec::new(), 6),
        ("wrong content type", Fault::WrongContentType, Vec::new(), 1),
    ];
    let looked_up = looked_up.into_iter().map(|(name, fault, settings, attempts)| Cell {
        always: vec![(UPDATE, fault)],
        settings,
        targets: vec![applied(attempts)],
        ..Cell::named(name)
    });
    looked_up.chain([
        Cell {
            always: vec![(UPDATE, Fault::ResetAfter)],
            script: vec![(DESCRIBE, vec![None, Some(Fault::Throttle)])],
            targets: vec![applied(6)],
            ..Cell::named("reset after the effect, and the look throttled once")
        },
        Cell {
            script: vec![(UPDATE, vec![Some(Fault::ResetAfter)])],
            always: vec![(UPDATE, Fault::Throttle)],
            targets: vec![applied(6)],
            ..Cell::named("reset after the effect, then throttled for ever")
        },
        Cell {
            script: vec![(UPDATE, vec![Some(Fault::ResetAfter)])],
            always: vec![(UPDATE, Fault::AccessDenied)],
            targets: vec![applied(2)],
            ..Cell::named("reset after the effect, then access denied")
        },
        Cell {
            script: vec![(UPDATE, vec![Some(Fault::ResetBefore)])],
            always: vec![(UPDATE, Fault::AccessDenied)],
            answer: incomplete(),
            // looked up, and found not done: access may be a matter of seconds
            targets: vec![failed_for_now("AccessDeniedException", 2)],
            ..Cell::named("reset before the effect, then access denied")
        },
        Cell {
            always: vec![(UPDATE, Fault::ResetAfter)],
            script: vec![(DESCRIBE, vec![None, Some(Fault::InternalError)])],
            settings: ONCE.to_vec(),
            answer: incomplete(),
            targets: vec![unknown("ConnectionFailed", 1)],
            ..Cell::named("reset after the effect, and no look")
        },
        Cell {
            always: vec![(UPDATE, SLOW)],
            left: Duration::from_secs(4),
            answer: incomplete(),
            targets: vec![unknown("DeadlineExceeded", 1)],
            ..Cell::named("slow beyond the invocation's end")
        },
    ])
}

/// Faults of the read before: nothing is begun.
fn reads() -> impl Iterator<Item = Cell> {
    let listing = Cell {
        always: vec![(LIST, Fault::Throttle)],
        scopes: EVERY_SCOPE,
        answer: incomplete(),
        targets: vec![failed_for_now("ThrottlingException", 0); 4],
        ..Cell::named("throttled for ever, listing")
    };
    let cells = [
        ("throttled for ever, reading", Fault::Throttle, failed_for_now("ThrottlingException", 0)),
        ("500, reading", Fault::InternalError, failed_for_now("InternalServiceException", 0)),
        ("reset, reading", Fault::ResetAfter, failed_for_now("ConnectionFailed", 0)),
        ("truncated JSON, reading", Fault::Truncated, failed_for_now("ConnectionFailed", 0)),
        ("wrong content type, reading", Fault::WrongContentType, failed_for_now("ConnectionFailed", 0)),
        ("expired credentials, reading", Fault::ExpiredToken, failed_for_now("ExpiredTokenException", 0)),
        ("access denied, reading", Fault::AccessDenied, failed_for_good("AccessDeniedException", 0)),
        ("no such instance, reading", Fault::NotFound, failed_for_good("ResourceNotFoundException", 0)),
    ];
    let cells = cells.into_iter().map(|(name, fault, target)| Cell {
        always: vec![(DESCRIBE, fault)],
        answer: if is_for_now(&target) { incomplete() } else { for_good("failed") },
        targets: vec![target],
        ..Cell::named(name)
    });
    cells.chain([listing])
}

/// Faults that begin in the middle of a change.
fn half_way() -> [Cell; 4] {
    let denied = || failed_for_good("AccessDeniedException", 1);
    [
        Cell {
            script: vec![(UPDATE, vec![None, None])],
            always: vec![(UPDATE, Fault::AccessDenied)],
            scopes: EVERY_SCOPE,
            answer: for_good("partial"),
            targets: vec![applied(1), applied(1), denied(), denied()],
            ..Cell::named("access denied half way")
        },
        Cell {
            script: vec![(UPDATE, vec![None, None])],
            always: vec![(UPDATE, Fault::ExpiredToken)],
            scopes: EVERY_SCOPE,
            answer: incomplete(),
            targets: vec![
                applied(1),
                applied(1),
                failed_for_now("ExpiredTokenException", 1),
                failed_for_now("ExpiredTokenException", 1),
            ],
            ..Cell::named("credentials expired half way")
        },
        Cell {
            deleted_at_intent: Some(2),
            instances: &[ONE, TWO],
            scopes: &[Scope::Chat, Scope::Task],
            answer: for_good("partial"),
            targets: vec![
                applied(1).holding(Holds::Gone),
                failed_for_good("ResourceNotFoundException", 1).holding(Holds::Gone),
                applied(1),
                applied(1),
            ],
            ..Cell::named("instance deleted half way")
        },
        Cell {
            deleted_at_intent: Some(2),
            // the answer that is lost is the one that says it is gone
            script: vec![(UPDATE, vec![None, Some(Fault::ResetAfter)])],
            settings: ONCE.to_vec(),
            scopes: &[Scope::Chat, Scope::Task],
            answer: incomplete(),
            targets: vec![
                applied(1).holding(Holds::Gone),
                unknown("ConnectionFailed", 1).holding(Holds::Gone),
            ],
            ..Cell::named("instance deleted half way, answer lost")
        },
    ]
}

/// Chance, over every operation. With 50 attempts a call, one in 10^15 would not get through.
fn storms() -> impl Iterator<Item = Cell> {
    let storms = [
        ("throttle storm, p = 0.5", vec![(Fault::Throttle, 0.5)]),
        (
            "storm of every fault that passes, p = 0.5",
            vec![
                (Fault::Throttle, 0.1),
                (Fault::TooManyRequests, 0.1),
                (Fault::InternalError, 0.1),
                (Fault::ResetBefore, 0.1),
                (Fault::ResetAfter, 0.1),
            ],
        ),
    ];
    storms.into_iter().map(|(name, chance)| Cell {
        chance,
        settings: vec![("CONNECT_MAX_ATTEMPTS", "50")],
        scopes: EVERY_SCOPE,
        targets: vec![applied_by_chance(); 12],
        ..Cell::of_three(name)
    })
}

/// Amazon Connect cannot be reached at all.
fn endpoints() -> impl Iterator<Item = Cell> {
    let endpoints = [
        ("connection refused", Endpoint::Refused),
        ("TLS failure: no TLS on the other side", Endpoint::PlainBehindHttps),
        ("TLS failure: untrusted certificate", Endpoint::Untrusted),
    ];
    endpoints.into_iter().map(|(name, endpoint)| Cell {
        endpoint,
        answer: incomplete(),
        targets: vec![failed_for_now("ConnectionFailed", 0)],
        ..Cell::named(name)
    })
}

/// Too long for its time: it does what it can, a burst.
pub(super) fn too_long() -> Cell {
    Cell {
        // one call in 100 seconds, and two at once: the third, 25 s later, does not fit into the time
        settings: vec![("CONNECT_REQUESTS_PER_SECOND", "0.01"), ("CONNECT_BURST", "3")],
        left: Duration::from_secs(12),
        answer: incomplete(),
        instances: &[ONE, THREE],
        scopes: &[Scope::Chat, Scope::Task],
        targets: vec![applied(1), applied(1), pending("NoTimeLeft"), pending("NoTimeLeft")],
        ..Cell::named("too long for its time")
    }
}
