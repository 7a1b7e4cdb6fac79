//! The freeze.

use super::super::LedgerError;
use super::super::item::{Draft, Fields, Item, text};
use super::super::keys::Key;
use super::origin::{WHO, who, who_of};
use super::values::time;
use policy_core::record::{Freeze, Millis};

pub(in super::super) fn encode(freeze: &Freeze) -> Item {
    Draft::of(Key::freeze())
        .with(WHO, who(&freeze.who))
        .with("when", time(freeze.at))
        .with_some("reason", freeze.reason.as_ref().map(text))
        .with_flag("drain", freeze.drain)
        .done()
}

pub(in super::super) fn decode(item: &Item) -> Result<Freeze, LedgerError> {
    let fields = Fields::of(item);
    Ok(Freeze {
        who: who_of(&fields.map(WHO)?)?,
        at: Millis(fields.number("when")?),
        reason: fields.owned("reason")?,
        drain: fields.flag("drain")?,
    })
}
