//! The table, the queues and STS, over real HTTP.
//!
//! One binary, so that the crate is linked once.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod client;
mod ledger;
mod queue;
mod sts;
