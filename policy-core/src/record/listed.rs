//! What lists show: of a change, and of a target's past.

use super::document::{ErrorDocument, OriginDocument, WhoDocument, error_of};
use super::{Counts, Millis, RecordStatus, RecordedError, RecordedOrigin, RunName, TargetName, Who};
use crate::policy::{ChangeId, Configuration, Scope};
use crate::report::OutcomeKind;
use serde::Serialize;
use std::collections::BTreeMap;

/// What a list shows of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its id.
    pub change_id: ChangeId,
    /// The newest run's number.
    pub run: u32,
    /// Whether nothing is to be changed.
    pub dry_run: bool,
    /// Where the run stands.
    pub status: RecordStatus,
    /// When it was submitted.
    pub submitted: Millis,
    /// When it was begun.
    pub started: Option<Millis>,
    /// When it ended.
    pub finished: Option<Millis>,
    /// Where it came from.
    pub origin: RecordedOrigin,
    /// Why, in the requester's words.
    pub reason: Option<String>,
    /// Who, in the requester's words.
    pub requested_by: Option<String>,
    /// Targets, as far as they are known.
    pub targets: u32,
    /// How the targets of finished lanes ended.
    pub counts: Counts,
    /// The change that this one undoes.
    pub undoes: Option<ChangeId>,
    /// The change that undoes this one.
    pub undone_by: Option<ChangeId>,
}

/// What a target's history shows of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Past {
    /// Which run.
    pub run: RunName,
    /// When the result was stored.
    pub at: Millis,
    /// The change's id as reported: in a batch that of its change.
    pub change_id: ChangeId,
    /// How the target ended.
    pub outcome: OutcomeKind,
    /// What it held, where it was read.
    pub before: Option<Configuration>,
    /// What it held afterwards.
    pub after: Option<Configuration>,
    /// Why it is not as asked.
    pub error: Option<RecordedError>,
    /// Who asked for the change.
    pub who: Option<Who>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ListedDocument<'a> {
    change_id: &'a ChangeId,
    status: RecordStatus,
    run: u32,
    dry_run: bool,
    submitted_at: Millis,
    #[serde(skip_serializing_if = "Option::is_none")]
    started_at: Option<Millis>,
    #[serde(skip_serializing_if = "Option::is_none")]
    finished_at: Option<Millis>,
    origin: OriginDocument<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    requested_by: Option<&'a str>,
    targets: u32,
    summary: &'a BTreeMap<OutcomeKind, u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    undoes: Option<&'a ChangeId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    undone_by: Option<&'a ChangeId>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ListDocument<'a> {
    policy_changes: Vec<ListedDocument<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

/// A page of the list of changes.
///
/// # Errors
/// Never for these types; kept so that no caller has to panic.
pub fn list_document(listed: &[Listed], next_token: Option<String>) -> Result<String, serde_json::Error> {
    fn document(listed: &Listed) -> ListedDocument<'_> {
        ListedDocument {
            change_id: &listed.change_id,
            status: listed.status,
            run: listed.run,
            dry_run: listed.dry_run,
            submitted_at: listed.submitted,
            started_at: listed.started,
            finished_at: listed.finished,
            origin: OriginDocument::of(&listed.origin),
            reason: listed.reason.as_deref(),
            requested_by: listed.requested_by.as_deref(),
            targets: listed.targets,
            summary: &listed.counts.outcomes,
            undoes: listed.undoes.as_ref(),
            undone_by: listed.undone_by.as_ref(),
        }
    }
    serde_json::to_string(&ListDocument { policy_changes: listed.iter().map(document).collect(), next_token })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PastDocument<'a> {
    change_id: &'a ChangeId,
    /// The record that the change belongs to.
    record: &'a ChangeId,
    at: Millis,
    outcome: OutcomeKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<&'a Configuration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<&'a Configuration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ErrorDocument<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    identity: Option<WhoDocument<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct HistoryDocument<'a> {
    instance_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    instance_arn: Option<String>,
    attachment_scope: Scope,
    history: Vec<PastDocument<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

/// A page of a target's history.
///
/// # Errors
/// Never for these types; kept so that no caller has to panic.
pub fn history_document(
    target: &TargetName,
    past: &[Past],
    next_token: Option<String>,
) -> Result<String, serde_json::Error> {
    fn document(past: &Past) -> PastDocument<'_> {
        PastDocument {
            change_id: &past.change_id,
            record: &past.run.change_id,
            at: past.at,
            outcome: past.outcome,
            before: past.before.as_ref(),
            after: past.after.as_ref(),
            error: past.error.as_ref().map(error_of),
            identity: past.who.as_ref().map(WhoDocument::of),
        }
    }
    serde_json::to_string(&HistoryDocument {
        instance_id: target.instance.as_str(),
        instance_arn: target.instance().arn(),
        attachment_scope: target.scope,
        history: past.iter().map(document).collect(),
        next_token,
    })
}
