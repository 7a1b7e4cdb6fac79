//! What the ledger remembers, and every decision about it. Pure: the time is passed in, and `ledger` in the
//! function stores and conditions what is decided here. docs/ledger.md is the design.

mod change;
mod lane;
mod order;
mod origin;
mod reported;
mod result;
mod target;

pub use change::{
    ChangeRecord, Freeze, Halt, Halted, Holder, Mode, PlanRef, RecordStatus, RecordedOrigin, Relations, Who,
};
pub use lane::{Delivery, LaneName, LanePart, LaneState};
pub use order::{Millis, Order, RunKey, RunName};
pub use result::{Counts, RecordedError, RecordedResult, TargetName};
pub use target::{Intent, Members, TargetRecord};
