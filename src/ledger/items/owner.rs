//! The owner of a declared target.

use super::super::LedgerError;
use super::super::item::{Draft, Fields, number, text};
use super::values::{configuration, extensions, size};
use aws_sdk_dynamodb::types::AttributeValue;
use policy_core::declare::{Claim, DeclaredBy, Owner};
use policy_core::policy::Configuration;
use policy_core::record::Handover;

/// The attribute of a target.
pub(in super::super) const OWNER: &str = "owner";
/// The attribute of a result.
pub(super) const DECLARED_BY: &str = "declared_by";

const SIZE: &str = "size";
const EXTENSIONS: &str = "ext";

pub(in super::super) fn encode(owner: &Owner) -> AttributeValue {
    Draft::default()
        .with("stack", text(&owner.stack_id))
        .with_some(SIZE, size(&owner.original))
        .with_some(EXTENSIONS, extensions(&owner.original))
        .with("claims", AttributeValue::L(owner.claims.iter().map(claim).collect()))
        .into_map()
}

fn claim(claim: &Claim) -> AttributeValue {
    let declared = Configuration::default().after(&claim.declared);
    Draft::default()
        .with("logical", text(&claim.logical_id))
        .with("gen", number(claim.generation))
        .with("first", number(claim.first))
        .with_some(SIZE, size(&declared))
        .with_some(EXTENSIONS, extensions(&declared))
        .into_map()
}

pub(in super::super) fn decode(fields: &Fields<'_>) -> Result<Owner, LedgerError> {
    let claims = fields.maps("claims")?;
    if claims.is_empty() {
        return Err(fields.corrupt("claims", "nothing"));
    }
    Ok(Owner {
        stack_id: fields.text("stack")?.to_owned(),
        original: configuration(fields, SIZE, EXTENSIONS)?,
        claims: claims.iter().map(claim_of).collect::<Result<_, _>>()?,
    })
}

fn claim_of(fields: &Fields<'_>) -> Result<Claim, LedgerError> {
    let declared = configuration(fields, SIZE, EXTENSIONS)?.as_values();
    Ok(Claim {
        logical_id: fields.text("logical")?.to_owned(),
        generation: fields.number("gen")?,
        first: fields.number("first")?,
        declared: declared.ok_or_else(|| fields.corrupt(SIZE, "a size that no update can set"))?,
    })
}

pub(super) fn declared_by(owner: &DeclaredBy) -> AttributeValue {
    let stack = Draft::default().with("stack", text(&owner.stack_id));
    stack.with("logical", text(&owner.logical_id)).into_map()
}

pub(super) fn declared_by_of(fields: &Fields<'_>) -> Result<DeclaredBy, LedgerError> {
    let (stack, logical) = (fields.text("stack")?, fields.text("logical")?);
    Ok(DeclaredBy { stack_id: stack.to_owned(), logical_id: logical.to_owned() })
}

/// Of an intent. Nobody's is an empty map.
pub(in super::super) fn encode_handover(handover: &Handover) -> Option<AttributeValue> {
    match handover {
        Handover::Stays => None,
        Handover::To(owner) => Some(encode(owner)),
        Handover::Released => Some(Draft::default().into_map()),
    }
}

pub(in super::super) fn handover_of(fields: &Fields<'_>) -> Result<Handover, LedgerError> {
    Ok(match fields.some_map(OWNER)? {
        None => Handover::Stays,
        Some(map) if map.some_text("stack")?.is_none() => Handover::Released,
        Some(map) => Handover::To(decode(&map)?),
    })
}
