//! The report as JSON: absent values are omitted, results keep the order of the targets, and it stays below
//! Lambda's 6 MB.

use super::{ChangeReport, Disposition, OutcomeKind, Report, Status, TargetResult, declared};
use crate::declare::DeclaredBy;
use crate::failure::Failure;
use crate::policy::{Configuration, Scope, Violation};
use serde::Serialize;
use std::borrow::Cow;
use std::collections::BTreeMap;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// With more results than this, applied and unchanged targets are left out.
const MAX_RESULTS: usize = 500;
/// Above this many bytes `before` and `after` are left to the audit, and then results. Lambda's answers end at
/// 6 MB, and a body of JSON inside JSON grows by its escaped quotes: at most by half here.
const MAX_BYTES: usize = 4_000_000;

/// How to learn the end of a change that workers carry out.
const QUEUED: &str = "recorded and queued; nothing has been changed yet. GET /policy-changes/{changeId} returns its \
    progress and its results";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ChangeDocument<'a> {
    change_id: &'a str,
    status: Status,
    results: Vec<ResultDocument<'a>>,
    summary: BTreeMap<OutcomeKind, usize>,
    warnings: Vec<Cow<'a, Violation>>,
    violations: &'a [Violation],
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a Failure>,
    #[serde(skip_serializing_if = "Option::is_none")]
    plan: Option<&'a str>,
}

#[derive(Serialize)]
struct ManyDocument<'a> {
    status: Status,
    changes: Vec<ChangeDocument<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    plan: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResultDocument<'a> {
    instance_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    instance_arn: Option<String>,
    attachment_scope: Scope,
    outcome: OutcomeKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<&'a Configuration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<&'a Configuration>,
    attempts: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_modified_time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    declared_by: Option<&'a DeclaredBy>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a Failure>,
}

/// The report document.
///
/// # Errors
/// Never for these types; kept so that no caller has to panic.
pub fn encode(report: &Report) -> Result<String, serde_json::Error> {
    let targets = report.results().count();
    let most = report.changes.iter().map(|change| change.results().len()).max().unwrap_or_default();
    let mut shown = Shown { done: targets <= MAX_RESULTS, values: true, most };
    let mut encoded = write(report, shown)?;
    while encoded.len() > MAX_BYTES && shown.most > 0 {
        // first leave out values and targets that need no action, then halve the number of results until it
        // fits; the audit log has them all
        let most = if shown.values { shown.most } else { shown.most / 2 };
        shown = Shown { done: false, values: false, most };
        encoded = write(report, shown)?;
    }
    Ok(encoded)
}

/// The parts of a report that are shown.
#[derive(Debug, Clone, Copy)]
struct Shown {
    /// Whether to include targets that need no action.
    done: bool,
    /// `before` and `after`.
    values: bool,
    /// Of each change at most so many results, from the first.
    most: usize,
}

fn write(report: &Report, shown: Shown) -> Result<String, serde_json::Error> {
    let mut changes = report.changes.iter().map(|change| document(change, shown));
    match changes.next() {
        Some(change) if !report.is_batch => {
            let (status, plan) = (report.status(), report.plan.as_deref());
            serde_json::to_string(&ChangeDocument { status, plan, ..change })
        }
        first => serde_json::to_string(&ManyDocument {
            status: report.status(),
            changes: first.into_iter().chain(changes).collect(),
            plan: report.plan.as_deref(),
        }),
    }
}

fn document(change: &ChangeReport, shown: Shown) -> ChangeDocument<'_> {
    let mut summary = BTreeMap::new();
    for result in change.results() {
        *summary.entry(result.outcome.kind()).or_default() += 1;
    }
    let listed = |result: &&TargetResult| {
        shown.done || !matches!(result.outcome.kind(), OutcomeKind::Applied | OutcomeKind::Unchanged)
    };
    let results = change.results().iter().filter(listed).take(shown.most);
    let results: Vec<_> = results.map(|result| line(result, shown.values)).collect();
    let processed = matches!(change.disposition, Disposition::Processed { .. });
    ChangeDocument {
        change_id: change.change_id.as_str(),
        status: change.status(),
        truncated: processed && (results.len() < change.results().len() || !shown.values),
        detail: (change.disposition == Disposition::Accepted).then_some(QUEUED),
        error: change.not_begun(),
        plan: None,
        results,
        summary,
        warnings: warnings(change),
        violations: change.violations(),
    }
}

/// Those of the document, and what stacks declare of its targets.
fn warnings(change: &ChangeReport) -> Vec<Cow<'_, Violation>> {
    let declared = declared(change.results().iter().filter_map(|result| result.declared_by.as_ref()));
    change.warnings.iter().map(Cow::Borrowed).chain(declared.into_iter().map(Cow::Owned)).collect()
}

fn line(result: &TargetResult, values: bool) -> ResultDocument<'_> {
    ResultDocument {
        instance_id: result.instance_id(),
        instance_arn: result.instance_arn(),
        attachment_scope: result.scope,
        outcome: result.outcome.kind(),
        before: result.outcome.before().filter(|_| values),
        after: result.outcome.after().filter(|_| values),
        attempts: result.trace.update_attempts,
        request_id: result.trace.request_id.as_deref(),
        last_modified_time: result.trace.last_modified.and_then(rfc3339),
        declared_by: result.declared_by.as_ref(),
        error: result.outcome.error(),
    }
}

fn rfc3339(at: OffsetDateTime) -> Option<String> {
    at.format(&Rfc3339).ok()
}
