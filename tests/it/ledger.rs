//! The ledger's room against an emulator of DynamoDB, over real HTTP: each verb, each condition both ways, what it
//! costs, and what becomes of it when the table fails.

mod changes;
mod confirmations;
mod costs;
mod declarations;
mod deliveries;
mod faults;
mod halting;
mod history;
mod lanes;
mod lists;
mod outcomes;
mod races;
mod results;
mod runs;
mod samples;
mod table;
mod targets;
mod verbs;
