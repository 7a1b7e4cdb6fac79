//! Amazon Connect's attached-files protocol and AWS Lambda, on loopback.
//!
//! Everything here is written against what AWS publishes, never against the function
//! it serves, so that a request or an answer that AWS would refuse is refused here too.
//!
//! - [`connect`]: Amazon Connect: five operations, quota, latency and faults.
//! - [`ledger`]: an emulator of DynamoDB with the ledger's table, and faults in front of it.
//! - [`bus`]: Amazon EventBridge's `PutEvents`, and faults.
//! - [`queue`]: Amazon SQS: FIFO and standard queues, and faults.
//! - [`sts`]: `AssumeRole`: credentials of other accounts.
//! - [`mapping`]: an event source mapping: from a queue to a function.
//! - [`schedule`]: a function invoked every so often.
//! - [`lambda`]: the Runtime API, and a function process that is run against it.
//! - [`function_url`]: HTTP in front of a function, as a Lambda function URL.
//! - [`invoke_api`]: Lambda's `Invoke` in front of a function, for any payload.
//! - [`widget_pages`]: a browser in front of the function that makes pages.
//! - [`tls`]: the certificate with which Amazon Connect, the table and the bus can be served.
//! - [`governed`]: all of it, as a stack has it: table, queues, and a function for each role.
//! - [`callback`]: where CloudFormation waits for a custom resource's answer.
//! - [`custom_resource`]: a request of a custom resource, as a file holds it.
//! - [`expectation`]: the answer that a payload's file name announces.
//!
//! A service is a module with one type: `start` takes a port and serves, `url` is where, and
//! dropping it stops it. The program `sandbox` (the package `sandbox-cli`) is these services with a
//! command line.

#![forbid(unsafe_code)]

pub mod bus;
pub mod callback;
pub mod connect;
pub mod custom_resource;
pub mod expectation;
pub mod faults;
pub mod function_url;
pub mod governed;
pub mod invoke_api;
pub mod lambda;
pub mod ledger;
pub mod mapping;
pub mod queue;
pub mod schedule;
pub mod sts;
pub mod tls;
pub mod widget_pages;

mod aws_json;
mod connections;
mod identifier;
mod journal;
mod loopback;
