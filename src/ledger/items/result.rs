//! How a target ended within a run; in a real run also an entry of the target's history.

use super::super::LedgerError;
use super::super::item::{Draft, Fields, Item, number, text};
use super::super::keys::{Key, history};
use super::TTL;
use super::origin::{WHO, who, who_of};
use super::owner::{DECLARED_BY, declared_by, declared_by_of};
use super::values::{configuration_map, outcome, some_configuration, some_time, time};
use aws_sdk_dynamodb::types::AttributeValue;
use policy_core::policy::ChangeId;
use policy_core::record::{Millis, Past, Position, RecordedError, RecordedResult, RunName, TargetName};

/// Whether the result is for good. Absent while it is not.
pub(in super::super) const DONE: &str = "done";

/// `listed`: in the target's history, which a dry run is not.
pub(in super::super) fn encode(
    run: &RunName,
    result: &RecordedResult,
    expires: AttributeValue,
    listed: bool,
) -> Item {
    let draft = Draft::of(Key::result(run, &result.target))
        .with("change", text(&result.change_id))
        .with("outcome", text(result.outcome))
        .with_flag(DONE, result.done)
        .with_some("before", result.before.as_ref().map(configuration_map))
        .with_some("after", result.after.as_ref().map(configuration_map))
        .with_some("error", result.error.as_ref().map(error))
        .with("attempts", number(result.attempts))
        .with_some("request_id", result.request_id.as_ref().map(text))
        .with_some("modified", result.last_modified.map(time))
        .with("when", time(result.at))
        .with_some(WHO, result.who.as_ref().map(who))
        .with_some(DECLARED_BY, result.declared_by.as_ref().map(declared_by))
        .with("token", text(&result.token))
        .with(TTL, expires);
    if !listed {
        return draft.done();
    }
    let at = Position::History { at: result.at, run: run.clone() }.key();
    draft.with("list", text(history(&result.target))).with("at", text(at)).done()
}

pub(in super::super) fn error(error: &RecordedError) -> AttributeValue {
    Draft::default()
        .with("code", text(&error.code))
        .with("message", text(&error.message))
        .with_flag("retryable", error.retryable)
        .into_map()
}

pub(in super::super) fn some_error(fields: &Fields<'_>) -> Result<Option<RecordedError>, LedgerError> {
    let error = fields.some_map("error")?.map(|error| -> Result<_, LedgerError> {
        Ok(RecordedError {
            code: error.text("code")?.to_owned(),
            message: error.text("message")?.to_owned(),
            retryable: error.flag("retryable")?,
        })
    });
    error.transpose()
}

pub(in super::super) fn decode(item: &Item) -> Result<RecordedResult, LedgerError> {
    let fields = Fields::of(item);
    Ok(RecordedResult {
        target: fields.parsed("sk", TargetName::parse)?,
        change_id: fields.parsed("change", ChangeId::parse)?,
        outcome: outcome(&fields)?,
        done: fields.flag(DONE)?,
        before: some_configuration(&fields, "before")?,
        after: some_configuration(&fields, "after")?,
        error: some_error(&fields)?,
        attempts: fields.number("attempts")?,
        request_id: fields.owned("request_id")?,
        last_modified: some_time(&fields, "modified")?,
        at: Millis(fields.number("when")?),
        who: fields.some_map(WHO)?.map(|who| who_of(&who)).transpose()?,
        declared_by: fields.some_map(DECLARED_BY)?.map(|owner| declared_by_of(&owner)).transpose()?,
        token: fields.text("token")?.to_owned(),
    })
}

/// From the index, which has less.
pub(in super::super) fn decode_past(item: &Item) -> Result<Past, LedgerError> {
    let fields = Fields::of(item);
    let (at, run) = fields.parsed("at", |at| {
        let (at, run) = at.split_once('#')?;
        Some((Millis::parse(at)?, RunName::parse(run)?))
    })?;
    Ok(Past {
        run,
        at,
        change_id: fields.parsed("change", ChangeId::parse)?,
        outcome: outcome(&fields)?,
        before: some_configuration(&fields, "before")?,
        after: some_configuration(&fields, "after")?,
        error: some_error(&fields)?,
        who: fields.some_map(WHO)?.map(|who| who_of(&who)).transpose()?,
    })
}
