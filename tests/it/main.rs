//! One integration binary: each file more would link the SDK again, which takes longer than the tests.
//!
//! `world` runs the library in process against the sandbox over real HTTP; `binary` runs the
//! production binary through the Runtime API. Files by behaviour.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails; its futures run once"
)]

mod audit;
mod binary;
mod boundaries;
mod concurrent;
mod conditions;
mod credentials;
mod deadline;
mod declared;
mod events;
mod faults;
mod fifo;
mod governed;
mod http;
mod identity;
mod injection;
mod killed;
mod ledger;
mod limits;
mod matrix;
mod metrics;
mod opening;
mod propagation;
mod queued;
mod recognition;
mod regions;
mod relative;
mod secrets;
mod soak;
mod spellings;
mod sqs;
mod world;
