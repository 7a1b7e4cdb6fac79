//! Of a run: its plan, who carries it out, and the order to end it early.

use super::super::LedgerError;
use super::super::item::{Draft, Fields, number, text};
use super::origin::{WHO, who, who_of};
use super::values::time;
use aws_sdk_dynamodb::types::AttributeValue;
use policy_core::record::{Halt, Halted, Holder, Millis, PlanRef};

const PLAN: &str = "plan";
const PARTS: &str = "parts";

/// The attribute that holds the plan or names its parts, and its value.
pub(in super::super) fn plan(plan: &PlanRef) -> (&'static str, AttributeValue) {
    match plan {
        PlanRef::Own(plan) => (PLAN, text(plan)),
        PlanRef::Parts { name, count } => {
            (PARTS, Draft::default().with("name", text(name)).with("count", number(count)).into_map())
        }
    }
}

/// The attribute that the plan is not in.
pub(in super::super) const fn other_plan(plan: &PlanRef) -> &'static str {
    match plan {
        PlanRef::Own(_) => PARTS,
        PlanRef::Parts { .. } => PLAN,
    }
}

pub(in super::super) fn with_plan(draft: Draft, of: &PlanRef) -> Draft {
    let (name, value) = plan(of);
    draft.with(name, value)
}

pub(in super::super) fn plan_of(fields: &Fields<'_>) -> Result<PlanRef, LedgerError> {
    match fields.some_map(PARTS)? {
        Some(parts) => {
            Ok(PlanRef::Parts { name: parts.text("name")?.to_owned(), count: parts.number("count")? })
        }
        None => Ok(PlanRef::Own(fields.text(PLAN)?.to_owned())),
    }
}

pub(in super::super) fn holder(holder: &Holder) -> AttributeValue {
    Draft::default().with("token", text(&holder.token)).with("until", time(holder.until)).into_map()
}

pub(in super::super) fn holder_of(fields: &Fields<'_>) -> Result<Option<Holder>, LedgerError> {
    let holder = fields.some_map("holder")?.map(|holder| -> Result<_, LedgerError> {
        Ok(Holder { token: holder.text("token")?.to_owned(), until: Millis(holder.number("until")?) })
    });
    holder.transpose()
}

const fn halted(as_what: Halted) -> &'static str {
    match as_what {
        Halted::Cancelled => "cancelled",
        Halted::Superseded => "superseded",
    }
}

/// The name of a cancelled run's halt, which conditions ask for.
pub(in super::super) const CANCELLED: &str = halted(Halted::Cancelled);

pub(in super::super) fn halt(halt: &Halt) -> AttributeValue {
    Draft::default()
        .with("as", text(halted(halt.as_what)))
        .with("at", time(halt.at))
        .with(WHO, who(&halt.who))
        .with_some("reason", halt.reason.as_ref().map(text))
        .into_map()
}

pub(in super::super) fn halt_of(fields: &Fields<'_>) -> Result<Option<Halt>, LedgerError> {
    let named =
        |name: &str| [Halted::Cancelled, Halted::Superseded].into_iter().find(|known| halted(*known) == name);
    let halt = fields.some_map("halt")?.map(|halt| -> Result<_, LedgerError> {
        Ok(Halt {
            as_what: halt.parsed("as", named)?,
            at: Millis(halt.number("at")?),
            who: who_of(&halt.map(WHO)?)?,
            reason: halt.owned("reason")?,
        })
    });
    halt.transpose()
}
