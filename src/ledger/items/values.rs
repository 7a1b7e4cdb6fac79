//! What several kinds of items share: values of a target, counts, times.

use super::super::LedgerError;
use super::super::item::{Draft, Fields, Item, number, text};
use aws_sdk_dynamodb::types::AttributeValue;
use policy_core::policy::{ChangeId, Configuration};
use policy_core::record::{Counts, Millis, Order, RunName};
use policy_core::report::OutcomeKind;
use std::collections::BTreeSet;

/// Of a configuration, one way or another.
const SIZE: &str = "size";
const EXTENSIONS: &str = "ext";
/// Of the failed ones, those that failed for now.
const RETRY: &str = "retry";

/// A time of an item.
pub(in super::super) fn time(at: Millis) -> AttributeValue {
    number(at.0)
}

pub(in super::super) fn some_time(fields: &Fields<'_>, name: &str) -> Result<Option<Millis>, LedgerError> {
    Ok(fields.some_number(name)?.map(Millis))
}

pub(in super::super) fn size(configuration: &Configuration) -> Option<AttributeValue> {
    configuration.maximum_size_limit_in_bytes.map(number)
}

/// One text, sorted, joined by commas, as Connect spells them. The empty text is the empty list.
pub(in super::super) fn extensions(configuration: &Configuration) -> Option<AttributeValue> {
    let list = configuration.allowed_extensions.as_ref()?;
    Some(text(list.iter().map(String::as_str).collect::<Vec<_>>().join(",")))
}

/// A configuration whose members are attributes of these names.
pub(in super::super) fn configuration(
    fields: &Fields<'_>,
    size: &str,
    extensions: &str,
) -> Result<Configuration, LedgerError> {
    let split = |joined: &str| match joined {
        "" => BTreeSet::new(),
        joined => joined.split(',').map(str::to_owned).collect(),
    };
    Ok(Configuration {
        maximum_size_limit_in_bytes: fields.some_number(size)?,
        allowed_extensions: fields.some_text(extensions)?.map(split),
    })
}

/// A configuration as a map.
pub(in super::super) fn configuration_map(configuration: &Configuration) -> AttributeValue {
    let draft = Draft::default().with_some(SIZE, size(configuration));
    draft.with_some(EXTENSIONS, extensions(configuration)).into_map()
}

pub(in super::super) fn some_configuration(
    fields: &Fields<'_>,
    name: &str,
) -> Result<Option<Configuration>, LedgerError> {
    fields.some_map(name)?.map(|map| configuration(&map, SIZE, EXTENSIONS)).transpose()
}

/// Each count by its name; none that is zero.
pub(in super::super) fn counted(counts: &Counts) -> impl Iterator<Item = (&'static str, u32)> {
    let outcomes = counts.outcomes.iter().map(|(kind, count)| (kind.name(), *count));
    outcomes.chain([(RETRY, counts.retry)]).filter(|(_, count)| *count > 0)
}

pub(in super::super) fn counts_map(counts: &Counts) -> AttributeValue {
    let map: Item = counted(counts).map(|(name, count)| (name.to_owned(), number(count))).collect();
    AttributeValue::M(map)
}

pub(in super::super) fn counts(fields: &Fields<'_>) -> Result<Counts, LedgerError> {
    let Some(map) = fields.some_map("counts")? else { return Ok(Counts::default()) };
    let mut counts = Counts { retry: map.count(RETRY)?, ..Counts::default() };
    for kind in OutcomeKind::ALL {
        let count = map.count(kind.name())?;
        if count > 0 {
            counts.outcomes.insert(*kind, count);
        }
    }
    Ok(counts)
}

pub(in super::super) fn some_order(fields: &Fields<'_>, name: &str) -> Result<Option<Order>, LedgerError> {
    fields.some_parsed(name, Order::parse)
}

pub(in super::super) fn some_run(fields: &Fields<'_>, name: &str) -> Result<Option<RunName>, LedgerError> {
    fields.some_parsed(name, RunName::parse)
}

pub(in super::super) fn some_change(
    fields: &Fields<'_>,
    name: &str,
) -> Result<Option<ChangeId>, LedgerError> {
    fields.some_parsed(name, ChangeId::parse)
}

pub(in super::super) fn outcome(fields: &Fields<'_>) -> Result<OutcomeKind, LedgerError> {
    fields.parsed("outcome", |name| OutcomeKind::ALL.iter().copied().find(|kind| kind.name() == name))
}
