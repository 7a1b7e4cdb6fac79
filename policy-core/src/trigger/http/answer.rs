//! From a report to an HTTP response, by the contract's status table.

use crate::failure::ErrorCode;
use crate::policy::ChangeId;
use crate::problem::{self, Problem};
use crate::report::{self, OutcomeKind, Report, Status, TargetResult, Verdict};
use serde::Serialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// `Retry-After` while changes are frozen, in seconds: a person ends that.
pub const FROZEN: u64 = 60;
/// The same where the ledger does not answer, or a run or an update has to end first.
pub const NOT_BEGUN: u64 = 5;

/// A response, in the form that both payload versions and function URLs take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Response {
    /// The HTTP status.
    pub status_code: u16,
    /// Header names in lower case.
    pub headers: BTreeMap<&'static str, String>,
    /// The body, always text.
    pub body: String,
    /// Always false.
    pub is_base64_encoded: bool,
    /// Payload 2.0's own member, always empty: some emulators require it. Payload 1.0 has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cookies: Option<[(); 0]>,
}

impl Response {
    /// A JSON response that no cache keeps, because it describes the present.
    pub fn json(status_code: u16, content_type: &str, body: String) -> Self {
        let headers = [("content-type", content_type.to_owned()), ("cache-control", "no-store".to_owned())];
        Self { status_code, headers: headers.into(), body, is_base64_encoded: false, cookies: None }
    }

    /// In the format of the request's payload version.
    #[must_use]
    pub fn in_version(mut self, is_version_2: bool) -> Self {
        self.cookies = is_version_2.then_some([]);
        self
    }

    /// With one more header.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.insert(name, value.into());
        self
    }

    /// A problem document (RFC 9457).
    ///
    /// # Errors
    /// Never for these types.
    pub fn problem(problem: Problem, detail: &str, id: Option<&ChangeId>) -> Result<Self, serde_json::Error> {
        let body = problem::encode(problem, detail, id.map(ChangeId::as_str), &[], None)?;
        Ok(Self::json(problem.status(), "application/problem+json", body))
    }
}

/// The response to a change.
///
/// `seconds_for`: how long the quota takes to yield the calls of that many targets, for `Retry-After`.
///
/// # Errors
/// Never for these types.
pub fn of(report: &Report, seconds_for: impl Fn(usize) -> u64) -> Result<Response, serde_json::Error> {
    let body = report::encode(report)?;
    let status = match report.status() {
        Status::Succeeded | Status::Planned => Ok(200),
        Status::Accepted => Ok(202),
        Status::Partial => Ok(207),
        Status::Rejected => Err(refusal(report)),
        Status::Incomplete
            if report.results().any(|result| result.outcome.kind() == OutcomeKind::Applied) =>
        {
            Ok(207)
        }
        Status::Incomplete => Err(first_cause(report, Verdict::NotYet)),
        Status::Failed => failed(report).map_or(Ok(207), Err),
    };
    let response = match status {
        Ok(code) => Response::json(code, "application/json", body),
        Err(problem) => {
            let change_id = report.changes.first().filter(|_| !report.is_batch);
            let change_id = change_id.map(|change| change.change_id.as_str());
            let violations = report.changes.first().map_or(&[][..], report::ChangeReport::violations);
            let whole = RawValue::from_string(body)?;
            let whole = (report.status() != Status::Rejected).then_some(&*whole);
            let body = problem::encode(problem, &detail(report, problem), change_id, violations, whole)?;
            Response::json(problem.status(), "application/problem+json", body)
        }
    };
    if let Some(queued) = &report.queued {
        let location = format!("/policy-changes/{}", queued.record);
        return Ok(response.with("location", location).with("retry-after", queued.seconds.to_string()));
    }
    if let Some(why) = report.changes.iter().find_map(report::ChangeReport::not_begun) {
        let seconds = if why.code == ErrorCode::Frozen { FROZEN } else { NOT_BEGUN };
        return Ok(response.with("retry-after", seconds.to_string()));
    }
    if report.status() == Status::Incomplete {
        let left = report.results().filter(|result| result.outcome.verdict() == Verdict::NotYet).count();
        return Ok(response.with("retry-after", seconds_for(left).to_string()));
    }
    Ok(response)
}

fn refusal(report: &Report) -> Problem {
    use crate::policy::ViolationCode;
    let mut codes =
        report.changes.iter().flat_map(report::ChangeReport::violations).map(|violation| violation.code);
    match codes.next() {
        Some(ViolationCode::NotJson) => Problem::NotJson,
        Some(ViolationCode::DocumentTooLarge) => Problem::TooLarge,
        Some(ViolationCode::ChangeIdReused) => Problem::ChangeIdReused,
        _ => Problem::Rejected,
    }
}

/// The problem that all targets share, if all failed for good; `None` for a mixture.
fn failed(report: &Report) -> Option<Problem> {
    let mut problems = report.results().map(problem_of);
    let first = problems.next()?;
    problems.all(|problem| problem == first).then_some(first)
}

/// The first cause in the order of the targets, if nothing was applied and something is left to do.
fn first_cause(report: &Report, verdict: Verdict) -> Problem {
    if let Some(why) = report.changes.iter().find_map(report::ChangeReport::not_begun) {
        return why.code.problem();
    }
    let mut left = report.results().filter(|result| result.outcome.verdict() == verdict);
    left.next().map_or(Problem::Unavailable, problem_of)
}

fn problem_of(result: &TargetResult) -> Problem {
    result.outcome.error().map_or(Problem::Unavailable, |error| error.code.problem())
}

fn detail(report: &Report, problem: Problem) -> String {
    if report.status() == Status::Rejected {
        let count = report.changes.iter().map(|change| change.violations().len()).sum::<usize>();
        let first = report.changes.iter().flat_map(report::ChangeReport::violations).next();
        return match (count, first) {
            (1, Some(violation)) if violation.pointer.is_empty() => {
                format!("the document {}", violation.message)
            }
            (1, Some(violation)) => format!("`{}` {}", violation.pointer, violation.message),
            _ => format!("{count} violations; nothing was changed"),
        };
    }
    if let Some(why) = report.changes.iter().find_map(report::ChangeReport::not_begun) {
        return why.message().to_owned();
    }
    let first = report
        .results()
        .find(|result| problem_of(result) == problem)
        .and_then(|result| result.outcome.error());
    first.map_or_else(|| "nothing was changed".to_owned(), |error| error.message().to_owned())
}
