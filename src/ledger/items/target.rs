//! A target: what it should hold, and the update under way.

use super::super::LedgerError;
use super::super::item::{Draft, Fields, Item, text, texts};
use super::owner::{self, OWNER};
use super::values::{configuration, extensions, size, some_order, some_run, some_time, time};
use aws_sdk_dynamodb::types::AttributeValue;
use policy_core::policy::ChangeId;
use policy_core::record::{Intent, Members, Millis, Order, RunKey, RunName, TargetName, TargetRecord};

const SIZE: &str = "size";
const EXTENSIONS: &str = "ext";

/// The members' attributes of that kind that are named: `set_size` and `set_ext` of `set_`.
pub(in super::super) fn named(
    members: Members,
    size: &'static str,
    extensions: &'static str,
) -> impl Iterator<Item = &'static str> {
    let size = members.size.then_some(size);
    size.into_iter().chain(members.extensions.then_some(extensions))
}

pub(in super::super) fn encode_intent(intent: &Intent) -> AttributeValue {
    Draft::default()
        .with("token", text(&intent.token))
        .with("begun", time(intent.begun))
        .with("until", time(intent.until))
        .with("change", text(&intent.run.change_id))
        .with("run", text(intent.run.key))
        .with("as", text(&intent.reported_as))
        .with("order", text(&intent.order))
        .with_some("named", texts(named(intent.named, SIZE, EXTENSIONS)))
        .with_some(SIZE, size(&intent.values))
        .with_some(EXTENSIONS, extensions(&intent.values))
        .with_some("before_size", size(&intent.before))
        .with_some("before_ext", extensions(&intent.before))
        .with_some("was_size", intent.was_size.as_ref().map(text))
        .with_some("was_ext", intent.was_extensions.as_ref().map(text))
        .with_some("owner", owner::encode_handover(&intent.handover))
        .into_map()
}

fn decode_intent(fields: &Fields<'_>) -> Result<Intent, LedgerError> {
    let names = fields.texts("named")?;
    let is_named = |member: &str| names.iter().any(|name| name == member);
    let change_id = fields.parsed("change", ChangeId::parse)?;
    Ok(Intent {
        token: fields.text("token")?.to_owned(),
        begun: Millis(fields.number("begun")?),
        until: Millis(fields.number("until")?),
        run: RunName { change_id, key: fields.parsed("run", RunKey::parse)? },
        reported_as: fields.parsed("as", ChangeId::parse)?,
        order: fields.parsed("order", Order::parse)?,
        named: Members { size: is_named(SIZE), extensions: is_named(EXTENSIONS) },
        values: configuration(fields, SIZE, EXTENSIONS)?,
        before: configuration(fields, "before_size", "before_ext")?,
        was_size: some_order(fields, "was_size")?,
        was_extensions: some_order(fields, "was_ext")?,
        handover: owner::handover_of(fields)?,
    })
}

/// An item that is not there is a target that was never governed.
pub(in super::super) fn decode(item: &Item) -> Result<TargetRecord, LedgerError> {
    let fields = Fields::of(item);
    Ok(TargetRecord {
        rev: fields.some_number("rev")?.unwrap_or(0),
        set_size: some_order(&fields, "set_size")?,
        set_extensions: some_order(&fields, "set_ext")?,
        held: configuration(&fields, "held_size", "held_ext")?,
        applied: some_run(&fields, "applied")?,
        applied_at: some_time(&fields, "applied_at")?,
        last: some_run(&fields, "last")?,
        intent: fields.some_map("intent")?.map(|map| decode_intent(&map)).transpose()?,
        quiet: some_time(&fields, "quiet")?,
        drift: configuration(&fields, "drift_size", "drift_ext")?,
        owner: fields.some_map(OWNER)?.map(|map| owner::decode(&map)).transpose()?,
    })
}

/// Which target the item is of.
pub(in super::super) fn name(item: &Item) -> Result<TargetName, LedgerError> {
    Fields::of(item).parsed("sk", TargetName::parse)
}
