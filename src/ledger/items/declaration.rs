//! A declared resource, the answer that a generation of it owes, and what its change says of it.

use super::super::LedgerError;
use super::super::item::{Draft, Fields, Item, number, text, texts};
use super::super::keys::{Key, answer_of, owed_to};
use super::values::{some_change, time};
use aws_sdk_dynamodb::types::AttributeValue;
use policy_core::declare::{Addressee, Kept, Known, Owed, RequestType};
use policy_core::policy::{LaneName, OnDelete};
use policy_core::record::{Declared, Millis};
use std::collections::BTreeSet;

const KINDS: [RequestType; 3] = [RequestType::Create, RequestType::Update, RequestType::Delete];

const fn kind(kind: RequestType) -> &'static str {
    match kind {
        RequestType::Create => "create",
        RequestType::Update => "update",
        RequestType::Delete => "delete",
    }
}

fn kind_of(fields: &Fields<'_>) -> Result<RequestType, LedgerError> {
    fields.parsed("kind", |name| KINDS.into_iter().find(|known| kind(*known) == name))
}

fn on_delete_of(fields: &Fields<'_>) -> Result<OnDelete, LedgerError> {
    fields.parsed("on_delete", |name| OnDelete::ALL.iter().copied().find(|known| known.name() == name))
}

pub(in super::super) fn encode(kept: &Kept) -> Item {
    let lanes: Vec<_> = kept.lanes.iter().map(ToString::to_string).collect();
    Draft::of(Key::declaration(&kept.stack_id, &kept.logical_id))
        .with("gen", number(kept.known.generation))
        .with("request", text(&kept.known.request_id))
        .with("earlier", AttributeValue::L(kept.known.earlier.iter().map(text).collect()))
        .with("kind", text(kind(kept.kind)))
        .with("accepted", time(kept.accepted))
        .with("on_delete", text(kept.on_delete))
        .with_some("lanes", texts(lanes.iter().map(String::as_str)))
        .with_some("good", kept.good.as_ref().map(|(generation, hash)| good(*generation, hash)))
        .with_some("change", kept.change.as_ref().map(text))
        .with_flag("gone", kept.known.is_gone)
        .done()
}

/// The last generation that succeeded.
pub(in super::super) fn good(generation: u32, hash: &str) -> AttributeValue {
    Draft::default().with("gen", number(generation)).with("hash", text(hash)).into_map()
}

pub(in super::super) fn decode(item: &Item) -> Result<Kept, LedgerError> {
    let fields = Fields::of(item);
    let stack_id = fields.text("pk")?.split_once('#').map(|(_, stack_id)| stack_id.to_owned());
    let good = fields
        .some_map("good")?
        .map(|good| -> Result<_, LedgerError> { Ok((good.number("gen")?, good.text("hash")?.to_owned())) });
    let lane = |name: &String| LaneName::parse(name).ok_or_else(|| fields.corrupt("lanes", "another name"));
    Ok(Kept {
        stack_id: stack_id.unwrap_or_default(),
        logical_id: fields.text("sk")?.to_owned(),
        known: Known {
            generation: fields.number("gen")?,
            request_id: fields.text("request")?.to_owned(),
            earlier: fields.list_of_texts("earlier")?,
            is_gone: fields.flag("gone")?,
        },
        kind: kind_of(&fields)?,
        accepted: Millis(fields.number("accepted")?),
        on_delete: on_delete_of(&fields)?,
        lanes: fields.texts("lanes")?.iter().map(lane).collect::<Result<BTreeSet<_>, _>>()?,
        good: good.transpose()?,
        change: some_change(&fields, "change")?,
    })
}

/// `due`: when somebody comes back to it.
pub(in super::super) fn encode_answer(owed: &Owed, due: Millis) -> Item {
    let to = &owed.to;
    Draft::of(Key::answer(&to.stack_id, &to.logical_id, owed.generation))
        .with("request", text(&to.request_id))
        .with("physical", text(&to.physical_id))
        .with("kind", text(kind(owed.kind)))
        .with_some("url", owed.url.as_ref().map(text))
        .with("deadline", time(owed.deadline))
        .with_some("change", owed.change.as_ref().map(text))
        .with_some("body", owed.body.as_ref().map(text))
        .with("owed", text(owed_to(&to.stack_id)))
        .with("due", time(due))
        .with_flag("lost", owed.is_lost)
        .done()
}

pub(in super::super) fn decode_answer(item: &Item) -> Result<Owed, LedgerError> {
    let fields = Fields::of(item);
    let names = answer_of(fields.text("pk")?, fields.text("sk")?);
    let (stack_id, logical_id, generation) =
        names.ok_or_else(|| fields.corrupt("sk", "something else than a generation"))?;
    Ok(Owed {
        to: Addressee {
            stack_id,
            logical_id,
            request_id: fields.text("request")?.to_owned(),
            physical_id: fields.text("physical")?.to_owned(),
        },
        generation,
        kind: kind_of(&fields)?,
        url: fields.owned("url")?,
        deadline: Millis(fields.number("deadline")?),
        change: some_change(&fields, "change")?,
        body: fields.owned("body")?,
        is_lost: fields.flag("lost")?,
    })
}

/// Of a change. What it left is counted beside it, since a counter cannot be within a map.
pub(in super::super) fn encode_declared(declared: &Declared) -> AttributeValue {
    Draft::default()
        .with("stack", text(&declared.stack_id))
        .with("logical", text(&declared.logical_id))
        .with("gen", number(declared.generation))
        .with("kind", text(kind(declared.kind)))
        .with("on_delete", text(declared.on_delete))
        .with_some("success", declared.last_success.map(number))
        .into_map()
}

pub(in super::super) fn declared_of(change: &Fields<'_>) -> Result<Option<Declared>, LedgerError> {
    let Some(fields) = change.some_map("declared")? else { return Ok(None) };
    Ok(Some(Declared {
        stack_id: fields.text("stack")?.to_owned(),
        logical_id: fields.text("logical")?.to_owned(),
        generation: fields.number("gen")?,
        kind: kind_of(&fields)?,
        on_delete: on_delete_of(&fields)?,
        last_success: fields.some_number("success")?,
        left: change.count("left")?,
    }))
}
