//! What the ledger remembers, and every decision about it. Pure: the time is passed in, and `ledger` in the
//! function stores and conditions what is decided here. docs/ledger.md is the design.

mod admission;
mod announcement;
mod change;
mod counts;
mod declared;
mod declared_document;
mod digest;
mod document;
mod drift;
mod drift_event;
mod duty;
mod intent;
mod lane;
mod listed;
mod members;
mod order;
mod origin;
mod page;
mod plan;
mod rejected;
mod reported;
mod result;
mod settle;
mod shown;
mod status;
mod target;
mod undo;
mod untouched;

pub use crate::policy::LaneName;
pub use admission::{Admission, MAX_REPLAYS, Submitted, admit};
pub use announcement::{
    Announcement, CHANGE_COMPLETED, MAX_DETAIL, SOURCE, announce_again, is_announcement, later_each_time,
};
pub use change::{ChangeRecord, Freeze, Halt, Holder, Mode, PlanRef, RecordedOrigin, Relations, Who};
pub use counts::Counts;
pub use declared::{Declared, Handover};
pub use declared_document::released_document;
pub use digest::{hash_of, lane_hash, plan_hash};
pub use document::{accepted_document, freeze_document};
pub use drift::{Cause, Drift, Observation, differing, is_news, observe};
pub use drift_event::DRIFT_DETECTED;
pub use duty::{Duty, duties};
pub use intent::{CUT_OFF, Closing, Ending, Intent, LAST_ATTEMPT, LEASE, ending};
pub use lane::{Delivery, LanePart, LaneState, OnBegin, on_begin, retry_delay};
pub use listed::{Listed, Past, history_document, list_document};
pub use members::{Members, Named};
pub use order::{Millis, Order, RunKey, RunName};
pub(crate) use origin::cut;
pub use page::{InvalidToken, MAX_TOKEN, Position};
pub use plan::{CorruptPlan, InLane, MAX_PLAN, OWN_PLAN, PART, Plan, Task, in_lane, lanes_of, parts};
pub use rejected::RejectedDocument;
pub use result::{RecordedError, RecordedResult, TargetName};
pub use settle::{GIVE_UP_READING, ReadBack, Settled, closing_of, settle};
pub use shown::{Progress, Shown};
pub use status::{Halted, RecordStatus, final_status};
pub use target::{Consideration, TargetRecord, consider};
pub use undo::{Own, apply_of, undo_of};
pub use untouched::{Standing, Untouched, end_of_page};
