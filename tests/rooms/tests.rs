//! The tests of tests/it that need no process and no Connect.
mod corpus;
mod documents;
mod edges;
mod found;
mod messages;
mod properties;
