//! Governs what may be attached to contacts in Amazon Connect.
//!
//! A policy change comes in through API Gateway, EventBridge, SQS or a direct invocation; it is
//! validated, applied with `UpdateAttachedFilesConfiguration`, and leaves an audit and a report.
//!
//! ```text
//! payload bytes
//!   → trigger      which envelope is this? take out the document, who asked, how to answer
//!   → policy       document → PolicyChange, or every violation at once
//!   → propagate    PolicyChange → targets → read, compare, decide, update → report
//!       → connect  the few calls to Amazon Connect, in our words
//!       → audit    intent before, outcome after
//!   → bus          where there is a ledger: the event about the run's end
//!   → trigger      report → this trigger's answer; park or queue what needs it
//! ```
//!
//! What decides (`trigger`, `policy`, the decision about a target, `report`) is the crate `policy_core`.
//!
//! Start reading at [`handler`]; docs/ARCHITECTURE.md says why it is built this way.

pub mod audit;
pub mod bus;
pub mod callback;
pub mod clock;
pub mod connect;
pub mod handler;
pub mod ledger;
mod lock;
pub mod metrics;
pub mod propagate;
pub mod queue;
pub mod sdk;
pub mod settings;
pub mod start;
pub mod telemetry;
