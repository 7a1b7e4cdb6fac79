//! The ledger's room against an emulator of DynamoDB, over real HTTP: each verb, each condition both ways, what it
//! costs, and what becomes of it when the table fails.

mod changes;
mod costs;
mod deliveries;
mod faults;
mod history;
mod lanes;
mod lists;
mod outcomes;
mod results;
mod runs;
mod samples;
mod table;
mod targets;
mod verbs;
