//! One integration binary: files by behaviour. No process, no network.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod batches;
mod boundaries;
mod checks;
mod corpus;
mod declare;
mod documentation;
mod documents;
mod edges;
mod faults;
mod found;
mod ledger_model;
mod marks;
mod messages;
mod openapi;
mod organisation;
mod parsing;
mod properties;
mod record;
mod relative;
mod requests;
mod rules;
mod spellings;
mod stop_after;
