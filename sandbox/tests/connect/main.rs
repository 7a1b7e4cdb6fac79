//! Amazon Connect's protocol over real HTTP.
//!
//! One binary, so that the crate is linked once.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on fails")]

mod client;
mod faults;
mod protocol;
mod running;
