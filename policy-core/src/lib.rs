//! What decides about attachment policies, without I/O: no AWS SDK, no runtime, no clock.
//!
//! ```text
//! payload bytes
//!   → trigger    which envelope is this? take out the document, who asked, how to answer
//!   → policy     document → PolicyChange, or every violation at once
//!   → decision   a target's change and what the target holds → what to do about it
//!   → report     every target's outcome → one status, one document
//!   → trigger    report → this trigger's answer
//! ```
//!
//! The function (the root package) does the I/O around it. Fuzzing, mutation testing and the property
//! tests need this crate alone.

pub mod aws;
pub mod calls;
pub mod decision;
pub mod declare;
pub mod failure;
pub mod function_error;
pub mod origin;
pub mod policy;
pub mod problem;
pub mod record;
pub mod report;
mod stable_names;
pub mod trigger;
